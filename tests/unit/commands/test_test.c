#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/test.h"
#include "commands/test_text.h"

enum { OUTPUT_BYTES = 512 * 1024, NOW_S = 1795423865 };

static char dir[64];
static char log_path[128];
static char filter_path[128];
static char output[OUTPUT_BYTES]; /* what went to standard output */
static char errors[OUTPUT_BYTES]; /* and to standard error */

static void put(const char *path, const char *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static void put_log(const char *text)
{
	put(log_path, text, strlen(text));
}

static int make(void **state)
{
	static const char filter[] = "[Definition]\n"
				     "failregex = ^\\s*failed <F-USER>\\w+</F-USER> from <ADDR>$\n"
				     "            ^\\s*refused <ADDR>$\n"
				     "ignoreregex = nagios\n";

	(void)state;
	(void)setenv("TZ", "UTC", 1);
	(void)snprintf(dir, sizeof(dir), "/tmp/test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(log_path, sizeof(log_path), "%s/log", dir);
	(void)snprintf(filter_path, sizeof(filter_path), "%s/own.conf", dir);
	put(filter_path, filter, sizeof(filter) - 1);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	(void)unlink(log_path);
	(void)unlink(filter_path);
	return rmdir(dir);
}

static void take_back(int fd, int saved_fd, FILE *file, char *out)
{
	size_t length;

	(void)dup2(saved_fd, fd);
	(void)close(saved_fd);
	rewind(file);
	length = fread(out, 1, OUTPUT_BYTES - 1, file);
	out[length] = '\0';
	(void)fclose(file);
}

static int run(const struct test_options *options)
{
	FILE *out = tmpfile();
	FILE *err = tmpfile();
	int saved_out;
	int saved_err;
	int rc;

	assert_non_null(out);
	assert_non_null(err);
	(void)fflush(stdout);
	saved_out = dup(STDOUT_FILENO);
	saved_err = dup(STDERR_FILENO);
	(void)dup2(fileno(out), STDOUT_FILENO);
	(void)dup2(fileno(err), STDERR_FILENO);
	rc = test_run(options);
	(void)fflush(stdout);
	take_back(STDOUT_FILENO, saved_out, out, output);
	take_back(STDERR_FILENO, saved_err, err, errors);
	return rc;
}

static void assert_has(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("'%s' is not in:\n%s", wanted, text);
}

static struct test_options options(const char *filter)
{
	return (struct test_options){ .filter = filter, .path = log_path, .now_s = NOW_S };
}

static const char sample[] = "2026-11-23T08:51:05Z failed bob from 192.0.2.1\n"
			     "2026-11-23T08:51:05.250Z refused 2001:db8::7\n"
			     "2026-11-23T08:51:06Z failed nagios from 192.0.2.2\n"
			     "2026-11-23T08:51:06Z nothing \033[1m\n"
			     "2026-11-23T08:51:07Z refused 198.51.100.9";

static void test_text(void **state)
{
	struct test_options used = options(filter_path);

	(void)state;
	put_log(sample);
	assert_int_equal(run(&used), 0);
	assert_has(output, "       1  192.0.2.1  ");
	assert_has(output, "2026-11-23T08:51:05Z");
	assert_has(output, "       2  2001:db8::7  ");
	assert_has(output, "2026-11-23T08:51:05.250Z");
	assert_has(output, "  ignored\n");
	assert_has(output, "       5  198.51.100.9  "); /* without a newline at its end */
	assert_has(output, "5 lines: 3 hits, 1 ignored, 1 missed\n");
	assert_null(strstr(output, "nothing"));
	assert_string_equal(errors, "");
}

static void test_missed(void **state)
{
	struct test_options used = options(filter_path);

	(void)state;
	put_log(sample);
	used.missed = true;
	assert_int_equal(run(&used), 0);
	assert_has(output,
		"       4  missed: 2026-11-23T08:51:06Z nothing \\x1b[1m\n"
		"          date '2026-11-23T08:51:06Z' read as 2026-11-23T08:51:06Z; the "
		"rules see ' nothing \\x1b[1m'\n"
		"          rule 2 comes furthest, up to ' ', and stops at ");
	assert_has(output, "/own.conf:3:17 refused <ADDR>$\n");
	assert_null(strchr(output, '\033'));
}

/* A rule that never hit is named, with the line in which it came furthest. */
static void test_rules(void **state)
{
	struct test_options used = options(filter_path);

	(void)state;
	put_log("2026-11-23T08:51:05Z failed bob from 192.0.2.1\nrefused everyone\n");
	used.missed = true;
	assert_int_equal(run(&used), 0);
	assert_has(output, "          date '2026-11-23T08:51:05Z'  ");
	assert_has(output,
		"/own.conf:2:13 ^\\s*failed <F-USER>\\w+</F-USER> from <ADDR>$  user 'bob'\n");
	assert_has(output, "  rule 1          1 hits  ");
	assert_has(output, "  rule 2       never hit  ");
	assert_has(output, "            furthest in line 2, up to 'refused ', stops at ");
	used.missed = false;
	assert_int_equal(run(&used), 0);
	assert_has(output, "  rule 2       never hit  ");
	assert_null(strstr(output, "furthest"));
}

/* A host name is shown as it stands, and it is said when it counts. */
static void test_names(void **state)
{
	struct test_options used = options("refused <HOST>$");

	(void)state;
	put_log("refused pbx.example\n");
	assert_int_equal(run(&used), 0);
	assert_has(output, "       1  pbx.example  ");
	assert_has(output, "no date");
	assert_has(output, "sets usedns itself");
	used.json = true;
	assert_int_equal(run(&used), 0);
	assert_has(output, "\"host\":\"pbx.example\",\"time\":null,\"epoch\":null,\"regex\":1,"
			   "\"ignored\":false,\"proof\":\"unproven\"");
}

static void test_missed_json(void **state)
{
	struct test_options used = options(filter_path);

	(void)state;
	put_log(sample);
	used.missed = true;
	used.json = true;
	assert_int_equal(run(&used), 0);
	assert_has(output, "{\"missed\":{\"line\":4,\"text\":\"2026-11-23T08:51:06Z nothing "
			   "\\\\x1b[1m\",\"date\":\"2026-11-23T08:51:06Z\",\"rule\":2,\"at\":\"");
	assert_has(output, "own.conf:3:17\",\"matched\":\" \",\"stopped\":\"refused <ADDR>$\"}}\n");
	assert_has(output, "{\"summary\":{\"lines\":5,\"hits\":3,\"ignored\":1,\"missed\":1}}\n");
}

#define HEAD                                                                                                 \
	"[x] SECURITY[1] res_security_log.c: SecurityEvent=\"%s\",EventTV=\"2026-11-23T08:51:05.686+0000\"," \
	"Severity=\"Error\",Service=\"PJSIP\",EventVersion=\"1\",AccountID=\"1"
#define TAIL                                                                                       \
	"\",SessionID=\"s\",LocalAddress=\"IPV4/UDP/192.0.2.10/5060\","                            \
	"RemoteAddress=\"IPV4/UDP/198.51.100.1/5060\""

static const char parser_filter[] = "[Definition]\nparser = asterisk-security\n"
				    "failregex = ^SecurityEvent=\"InvalidAccountID\"\n";

/* What a parser gave up on, and why; a sound record that no rule wants. */
static void test_parser(void **state)
{
	char text[2000];
	struct test_options used = options(filter_path);

	(void)state;
	put(filter_path, parser_filter, sizeof(parser_filter) - 1);
	(void)snprintf(text, sizeof(text),
		HEAD TAIL "\n" HEAD TAIL ",ACLName=\"x\"\n" HEAD "\nplain\n" HEAD "\n" TAIL "\n",
		"InvalidAccountID", "FailedACL", "FailedACL", "InvalidAccountID");
	put_log(text);
	used.missed = true;
	assert_int_equal(run(&used), 0);
	assert_has(output, "       1  198.51.100.1                             "
			   "2026-11-23T08:51:05.686Z  rule 1\n");
	assert_has(output, "event 'InvalidAccountID'  service 'PJSIP'  transport 'UDP'  account "
			   "'1'  session 's'  challenge ''\n");
	assert_has(output, "          a sound record; the rules see 'SecurityEvent=\"FailedACL\",");
	assert_has(output,
		"          rule 1 comes furthest, up to 'SecurityEvent=\"', and stops at ");
	assert_has(output, "          cut: the line begins a record and does not end it: ");
	assert_has(output, "          other: the line is no record of a security event, ");
	assert_has(output, "          waits: the line is of a record that a newline ");
	assert_has(output, "6 lines: 2 hits, 0 ignored, 4 missed\n  name nobody soundly: cut 1\n");
	used.json = true;
	assert_int_equal(run(&used), 0);
	assert_has(output, "\"host\":\"198.51.100.1\",\"time\":\"2026-11-23T08:51:05.686Z\",");
	assert_has(output, "\"fields\":{\"event\":\"InvalidAccountID\",\"service\":\"PJSIP\","
			   "\"transport\":\"UDP\",\"account\":\"1\",\"session\":\"s\","
			   "\"challenge\":\"\"}}\n");
	assert_has(output, "\"account\":\"1\\\\x0a\"");
	assert_has(output, "{\"missed\":{\"line\":2,\"text\":\"[x] SECURITY[1] ");
	assert_has(output, "\"kind\":\"cut\",\"why\":\"begins a record and does not end it: ");
	assert_has(output, "\"kind\":\"waits\",\"why\":\"is of a record ");
	assert_has(output, "{\"summary\":{\"lines\":6,\"hits\":2,\"ignored\":0,\"missed\":4,"
			   "\"unsound\":{\"cut\":1}}}\n");
}

/* The heads in a line that is longer than what is read of one, and longer than a block. */
static void test_cut_records(void **state)
{
	enum { BYTES = 600000, RECORD_BYTES = 8191 };
	static const char head[] = "[x] SECURITY[1] res_security_log.c: SecurityEvent=\"x";
	struct test_options used = options(filter_path);
	char *text = malloc(BYTES);

	(void)state;
	put(filter_path, parser_filter, sizeof(parser_filter) - 1);
	memset(text, 'E', BYTES);
	for (size_t at = 0; at + sizeof(head) < BYTES; at += RECORD_BYTES)
		memcpy(text + at, head, sizeof(head) - 1);
	put(log_path, text, BYTES);
	assert_int_equal(run(&used), 0);
	assert_has(output, "1 lines: 0 hits, 0 ignored, 1 missed (some are over 60 KiB: ");
	assert_has(output, "name nobody soundly: cut 74\n");
	free(text);
}

/* More lines than are explained. */
static void test_many_missed(void **state)
{
	struct test_options used = options(filter_path);
	FILE *file = fopen(log_path, "w");

	(void)state;
	assert_non_null(file);
	for (int i = 0; i < TEST_EXPLAINED_MAX + 2; i++)
		(void)fputs("x\n", file);
	assert_int_equal(fclose(file), 0);
	used.missed = true;
	assert_int_equal(run(&used), 0);
	assert_has(output, "    1001  missed: x\n"
			   "          (of lines from here on it is not said why)\n"
			   "    1002  missed: x\n"
			   "1002 lines: 0 hits");
	used.json = true;
	assert_int_equal(run(&used), 0);
	assert_has(output, "{\"missed\":{\"line\":1001,\"text\":\"x\"}}\n");
	assert_has(output, "\"missed\":1002}}\n");
}

static void test_json(void **state)
{
	struct test_options used = options(filter_path);

	(void)state;
	put_log(sample);
	used.json = true;
	assert_int_equal(run(&used), 0);
	assert_has(output, "\"line\":1,\"host\":\"192.0.2.1\",\"time\":\"2026-11-23T08:51:05Z\","
			   "\"epoch\":1795423865,\"regex\":1,\"ignored\":false");
	assert_has(output, "\"host\":\"2001:db8::7\"");
	assert_has(output, "\"epoch\":1795423865.25,\"regex\":2");
	assert_has(output, "\"ignored\":true");
	assert_has(output, "bob");
	assert_has(output, "{\"summary\":{\"lines\":5,\"hits\":3,\"ignored\":1,\"missed\":1}}\n");
}

static void test_regex(void **state)
{
	struct test_options used = options("from <HOST>$");

	(void)state;
	put_log(sample);
	assert_int_equal(run(&used), 0);
	assert_has(output, "5 lines: 2 hits, 0 ignored, 3 missed\n");
	put_log("");
	assert_int_equal(run(&used), 0);
	assert_has(output, "0 lines: 0 hits, 0 ignored, 0 missed\n");
}

/* 60 KiB are matched; of a line with a byte more a rule that needs its end sees none. */
static void test_long_lines(void **state)
{
	enum { LIMIT = 61440 };
	struct test_options used = options("from <HOST>$");
	struct test_options sure = options("from <HOST> ");
	static const char end[] = " from 192.0.2.1";
	char *line = calloc(1, LIMIT + 4);

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		size_t length = LIMIT + more;

		memset(line, 'x', length);
		memcpy(line + length - strlen(end), end, strlen(end));
		line[length] = '\n';
		put(log_path, line, length + 1);
		assert_int_equal(run(&used), 0);
		assert_has(output, more ? "1 lines: 0 hits, 0 ignored, 1 missed (some are over"
					: "1 lines: 1 hits, 0 ignored, 0 missed\n");
		memcpy(line, "from 192.0.2.1 ", strlen(end));
		put(log_path, line, length + 1);
		assert_int_equal(run(&sure), 0);
		assert_has(output, "1 lines: 1 hits, 0 ignored, 0 missed");
	}
	free(line);
}

static void test_errors(void **state)
{
	static const struct {
		const char *filter;
		const char *said;
	} rows[] = {
		{ "no-such-filter", "there is no filter 'no-such-filter'" },
		{ "(<HOST>", "rule:1:8: error: failregex: " },
		{ "/nonexistent/x.conf", "/nonexistent/x.conf" },
		{ "failed from (\\S+)$", "a rule says where the address stands by <HOST>" },
	};
	struct test_options used;

	(void)state;
	put_log(sample);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		used = options(rows[i].filter);
		assert_int_equal(run(&used), 1);
		assert_string_equal(output, "");
		assert_has(errors, rows[i].said);
	}
	used = options(filter_path);
	used.path = dir;
	assert_int_equal(run(&used), 1);
	assert_has(errors, "it is a directory");
	used.path = "/nonexistent/log";
	assert_int_equal(run(&used), 1);
	assert_has(errors, "cannot read /nonexistent/log: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_missed),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_missed_json),
		cmocka_unit_test(test_many_missed),
		cmocka_unit_test(test_regex),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_parser), /* these change the filter */
		cmocka_unit_test(test_cut_records),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
