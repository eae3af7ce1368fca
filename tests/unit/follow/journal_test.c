#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "follow/journal.h"
#include "follow/line.h"

#define WRITER "/lib/systemd/systemd-journal-remote"

/* In an entry: the length 3 as the export format writes it before a value with line breaks. */
enum { THREE = '\1' };

static char dir[64];
static char seen[65536]; /* entries: "READER MS LINE\n" */
static char cursors[4][JOURNAL_CURSOR_MAX];
static unsigned notes;
static int written;

/* More entries behind those of dir/x.journal: each is fields, one a line, without the stamps, which
 * rise by a second. */
static void append(const char *const *entries, size_t count)
{
	char input[128];
	char output[128];
	char *arguments[] = { (char[]){ WRITER }, (char[]){ "-o" }, output, input, NULL };
	FILE *file;
	pid_t pid;
	int status;

	(void)snprintf(input, sizeof(input), "%s/export", dir);
	(void)snprintf(output, sizeof(output), "%s/x.journal", dir);
	file = fopen(input, "w");
	assert_non_null(file);
	for (size_t i = 0; i < count; i++, written++) {
		assert_true(fprintf(file,
				    "__REALTIME_TIMESTAMP=%lld\n__MONOTONIC_TIMESTAMP=%d\n"
				    "_BOOT_ID=0123456789abcdef0123456789abcdef\n",
				    1700000000000000LL + written * 1000000LL, 1000 + written) > 0);
		for (const char *at = entries[i]; *at; at++)
			assert_true(*at == THREE ? fwrite("\3\0\0\0\0\0\0", 8, 1, file) == 1
						 : fputc(*at, file) != EOF);
		assert_true(fputs("\n\n", file) >= 0);
	}
	assert_int_equal(fclose(file), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)!freopen("/dev/null", "w", stdout);
		(void)!freopen("/dev/null", "w", stderr);
		execv(WRITER, arguments);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void on_entry(void *context, int reader, const struct line *line)
{
	size_t used = strlen(seen);

	(void)context;
	(void)snprintf(seen + used, sizeof(seen) - used, "%d %lld %s%.*s\n", reader,
		(long long)(line->at_ms - 1700000000000), line->cut ? "cut: " : "",
		(int)line->length, line->text);
	assert_true(line->dated);
}

static void on_note(void *context, int priority, const char *text)
{
	(void)context, (void)priority, (void)text;
	notes++;
}

static void on_cursor(void *context, int reader, const char *cursor)
{
	(void)context;
	(void)snprintf(cursors[reader], sizeof(cursors[reader]), "%s", cursor);
}

static struct journal *start(void)
{
	struct journal_callbacks callbacks = { .entry = on_entry, .note = on_note };
	struct journal *journal = NULL;
	struct error err = { "" };

	seen[0] = '\0';
	if (journal_new(&callbacks, &journal, &err) < 0)
		fail_msg("%s", err.text);
	return journal;
}

static int add(struct journal *journal, const char *const *words, size_t n_words,
	const char *cursor, int64_t since_ms)
{
	struct journal_source source = { .path = dir,
		.flags = -1,
		.words = words,
		.n_words = n_words };
	struct error err = { "" };
	int reader = journal_add(journal, &source, cursor, since_ms, &err);

	if (reader < 0)
		fail_msg("%s", err.text);
	return reader;
}

static const char *const first[] = {
	"_HOSTNAME=pbx\nSYSLOG_IDENTIFIER=sshd\n_PID=77\n_SYSTEMD_UNIT=ssh.service\nMESSAGE=one",
	"_HOSTNAME=pbx\n_COMM=asterisk\n_SYSTEMD_UNIT=asterisk.service\nMESSAGE=two",
	"SYSLOG_IDENTIFIER=sshd\nSYSLOG_PID=5\n_PID=6\n_SYSTEMD_UNIT=ssh.service\nMESSAGE=three",
	"_SOURCE_REALTIME_TIMESTAMP=1700000099500000\n_SYSTEMD_UNIT=other.service\nMESSAGE=four",
};
static const char *const more[] = {
	"SYSLOG_IDENTIFIER=sshd\n_SYSTEMD_UNIT=ssh.service\nMESSAGE=five",
	"_TRANSPORT=kernel\n_SYSTEMD_UNIT=asterisk.service\nMESSAGE=",
};
static const char *const ssh[] = { "_SYSTEMD_UNIT=ssh.service" };
static const char *const both[] = { "_SYSTEMD_UNIT=ssh.service", "SYSLOG_IDENTIFIER=sshd", "+",
	"_SYSTEMD_UNIT=asterisk.service", "_SYSTEMD_UNIT=other.service" };

/* The shapes of lines, and which entries a reader's matches take. */
static void test_entries(void **state)
{
	struct journal *journal;

	(void)state;
	append(first, 4);
	journal = start();
	assert_int_equal(add(journal, NULL, 0, NULL, 0), 0);
	assert_int_equal(add(journal, ssh, 1, NULL, 0), 1);
	assert_int_equal(add(journal, both, 5, NULL, 0), 2);
	assert_false(journal_read(journal));
	assert_string_equal(seen, "0 0 pbx sshd[77]: one\n"
				  "0 1000 pbx asterisk: two\n"
				  "0 2000 sshd[5]: three\n"
				  "0 99500 four\n"
				  "1 0 pbx sshd[77]: one\n"
				  "1 2000 sshd[5]: three\n"
				  "2 0 pbx sshd[77]: one\n"
				  "2 1000 pbx asterisk: two\n"
				  "2 2000 sshd[5]: three\n"
				  "2 99500 four\n");
	seen[0] = '\0';
	assert_false(journal_read(journal));
	assert_string_equal(seen, "");
	append(more, 2);
	assert_false(journal_read(journal));
	assert_string_equal(seen, "0 4000 sshd: five\n0 5000 \n1 4000 sshd: five\n"
				  "2 4000 sshd: five\n2 5000 \n");
	assert_string_equal(journal_trouble(journal), "");
	assert_int_equal(notes, 0);
	journal_free(journal);
}

/* Each entry once over restarts, whatever was written meanwhile; without a cursor from a time on.
 */
static void test_cursor(void **state)
{
	struct journal *journal;

	(void)state;
	append(first, 3);
	journal = start();
	(void)add(journal, ssh, 1, NULL, 1700000001000);
	assert_false(journal_read(journal));
	assert_string_equal(seen, "0 2000 sshd[5]: three\n");
	journal_cursors(journal, on_cursor, NULL);
	assert_true(cursors[0][0] != '\0');
	journal_free(journal);
	append(more, 2);
	journal = start();
	(void)add(journal, ssh, 1, cursors[0], 0);
	assert_false(journal_read(journal));
	assert_string_equal(seen, "0 3000 sshd: five\n");
	journal_free(journal);
	journal = start();
	(void)add(journal, ssh, 1, "no cursor", 1700000003000);
	assert_false(journal_read(journal));
	assert_string_equal(seen, "0 3000 sshd: five\n");
	journal_free(journal);
}

/* Line breaks become two characters, so that one entry is one line; what is long is cut, and says
 * so. */
static void test_message(void **state)
{
	static const char fits[] = "_SYSTEMD_UNIT=a.service\nSYSLOG_IDENTIFIER=x\nMESSAGE=";
	char *entry = malloc(JOURNAL_LINE_MAX * 2);
	const char *list[] = { entry };
	const char *last;
	struct journal *journal;
	size_t used;

	(void)state;
	used = (size_t)snprintf(entry, 64, "_SYSTEMD_UNIT=a.service\nSYSLOG_IDENTIFIER=x");
	(void)snprintf(entry + used, 64, "\nMESSAGE\n\1a\nb");
	append(list, 1);
	(void)memcpy(entry + used, "\nMESSAGE=", strlen("\nMESSAGE="));
	(void)memset(entry + used + strlen("\nMESSAGE="), 'm', JOURNAL_LINE_MAX + 100);
	entry[used + strlen("\nMESSAGE=") + JOURNAL_LINE_MAX + 100] = '\0';
	append(list, 1);
	(void)memcpy(entry, fits, strlen(fits));
	(void)memset(entry + strlen(fits), 'n', JOURNAL_LINE_MAX);
	entry[strlen(fits) + JOURNAL_LINE_MAX - strlen("x: ")] = '\0';
	append(list, 1);
	journal = start();
	(void)add(journal, NULL, 0, NULL, 0);
	assert_false(journal_read(journal));
	assert_memory_equal(seen, "0 0 x: a\\nb\n0 1000 cut: x: mmm",
		strlen("0 0 x: a\\nb\n0 1000 cut: x: mmm"));
	last = strstr(seen, "\n0 2000 x: nnn");
	assert_non_null(last);
	assert_int_equal(last - strstr(seen, "x: mmm"), JOURNAL_LINE_MAX);
	assert_int_equal(strlen(strstr(seen, "x: nnn")), JOURNAL_LINE_MAX + 1);
	journal_free(journal);
	free(entry);
}

#define STREAM(id) "SYSLOG_IDENTIFIER=x\n_STREAM_ID=0123456789abcdef0123456789abcde" id "\n"

/* The pieces of a line that journald has broken, while other streams go on. */
static void test_broken(void **state)
{
	static const char *const list[] = {
		STREAM("0") "MESSAGE=a",
		STREAM("0") "_LINE_BREAK=line-max\nMESSAGE=b",
		STREAM("1") "_LINE_BREAK=eof\nMESSAGE=c",
		"SYSLOG_IDENTIFIER=x\nMESSAGE=d",
		STREAM("0") "_LINE_BREAK=line-max\nMESSAGE=e",
		STREAM("2") "_LINE_BREAK=pid-change\nMESSAGE=f",
		STREAM("0") "MESSAGE=g",
		STREAM("0") "MESSAGE=h",
		STREAM("2") "MESSAGE=i",
		STREAM("2") "_LINE_BREAK=nul\nMESSAGE=j",
	};
	struct journal *journal;

	(void)state;
	append(list, sizeof(list) / sizeof(list[0]));
	journal = start();
	(void)add(journal, NULL, 0, NULL, 0);
	assert_false(journal_read(journal));
	assert_string_equal(seen, "0 0 x: a\n0 2000 x: c\n0 3000 x: d\n0 7000 x: h\n0 9000 x: j\n");
	assert_int_equal(notes, 1);
	append(list + 1, 1);
	assert_false(journal_read(journal));
	journal_cursors(journal, on_cursor, NULL);
	journal_free(journal);
	append(list + 6, 2);
	journal = start();
	(void)add(journal, NULL, 0, cursors[0], 0);
	assert_false(journal_read(journal));
	assert_string_equal(seen, "0 12000 x: h\n");
	journal_free(journal);
}

static void test_trouble(void **state)
{
	struct journal_source source = { .path = "/nonexistent", .flags = -1 };
	struct journal *journal = start();
	struct error err = { "" };
	static const char *const bad[] = { "no match" };

	(void)state;
	assert_int_equal(journal_add(journal, &source, NULL, 0, &err), -1);
	assert_non_null(strstr(err.text, "/nonexistent"));
	source.path = dir;
	source.words = bad;
	source.n_words = 1;
	assert_int_equal(journal_add(journal, &source, NULL, 0, &err), -1);
	journal_free(journal);
}

static void root_seen(void *context, const char *directory)
{
	(void)context;
	(void)snprintf(seen + strlen(seen), 256, "%s ", directory);
}

static void test_roots(void **state)
{
	static const char *const files[] = { "/srv/j*/x.journal", "/y.journal" };
	struct journal_source source = { .path = "/a", .files = files, .n_files = 2 };

	(void)state;
	seen[0] = '\0';
	journal_roots(&source, root_seen, NULL);
	source.n_files = 0;
	journal_roots(&source, root_seen, NULL);
	source.path = NULL;
	journal_roots(&source, root_seen, NULL);
	assert_string_equal(seen, "/srv / /a /run/log/journal /var/log/journal ");
}

static int setup(void **state)
{
	(void)state;
	written = 0;
	notes = 0;
	(void)snprintf(dir, sizeof(dir), "/tmp/journal_test.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info, (void)kind, (void)walk;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define with_dir(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_dir(test_entries),
		with_dir(test_cursor),
		with_dir(test_message),
		with_dir(test_broken),
		with_dir(test_trouble),
		cmocka_unit_test(test_roots),
	};

	if (access(WRITER, X_OK) < 0) {
		(void)printf("SKIP: %s is not installed\n", WRITER);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
