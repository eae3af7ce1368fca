#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "commands/client.h"

enum { OUTPUT_BYTES = 65536 };

static char dir[64];
static char socket_path[96];
static char output[OUTPUT_BYTES]; /* what went to standard output */
static char errors[OUTPUT_BYTES]; /* and to standard error */
static FILE *files[2];
static int saved_fds[2];

static int make(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/client_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(socket_path, sizeof(socket_path), "%s/socket", dir);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	(void)unlink(socket_path);
	return rmdir(dir);
}

static void capture(void)
{
	(void)fflush(stdout);
	for (int i = 0; i < 2; i++) {
		files[i] = tmpfile();
		assert_non_null(files[i]);
		saved_fds[i] = dup(STDOUT_FILENO + i);
		(void)dup2(fileno(files[i]), STDOUT_FILENO + i);
	}
}

static void release(void)
{
	char *const texts[] = { output, errors };

	(void)fflush(stdout);
	for (int i = 0; i < 2; i++) {
		size_t length;

		(void)dup2(saved_fds[i], STDOUT_FILENO + i);
		(void)close(saved_fds[i]);
		rewind(files[i]);
		length = fread(texts[i], 1, OUTPUT_BYTES - 1, files[i]);
		texts[i][length] = '\0';
		(void)fclose(files[i]);
	}
}

static void assert_has(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("'%s' is not in:\n%s", wanted, text);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

/* One connection: reads a line (early: nothing), answers. Exit status 0: the line was a request. */
static int serve(int listen_fd, const char *answer, bool early)
{
	static const char wanted[] = "{\"command\":\"status\"}\n";
	char line[256];
	size_t used = 0;
	ssize_t got = 1;
	int fd = accept(listen_fd, NULL, NULL);

	while (!early && got > 0 && used < sizeof(line) && !memchr(line, '\n', used)) {
		got = read(fd, line + used, sizeof(line) - used);
		used += got > 0 ? (size_t)got : 0;
	}
	for (const char *at = answer; *at;) { /* in two pieces and more */
		size_t piece = strlen(at) > 5 ? strlen(at) / 2 : strlen(at);

		if (write(fd, at, piece) != (ssize_t)piece)
			return 2;
		at += piece;
	}
	if (early)
		return 0;
	return used == sizeof(wanted) - 1 && memcmp(line, wanted, used) == 0 ? 0 : 1;
}

static int ask(const char *answer, bool early, json_t **ret_answer)
{
	int fd = listen_at(socket_path);
	int status = -1;
	int rc;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(serve(fd, answer, early));
	capture();
	rc = client_ask(socket_path, json_pack("{s:s}", "command", "status"), ret_answer);
	release();
	(void)close(fd);
	(void)unlink(socket_path);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return rc;
}

static void test_answers(void **state)
{
	static const struct {
		const char *answer;
		int status;
		const char *output;
		const char *errors;
		bool early;
	} rows[] = {
		{ "{\"ok\":true,\"a\":1}\n", EXIT_DONE, "", "", false },
		{ "{\"ok\":true,\"findings\":[\"a.conf:1:1: x\",\"b\"]}\n", EXIT_DONE,
			"a.conf:1:1: x\nb\n", "", false },
		{ "{\"ok\":false,\"error\":\"no such jail\"}\n", EXIT_NO, "",
			"voipguard: no such jail\n", false },
		{ "{\"ok\":false,\"error\":\"bad\",\"findings\":[\"c\"]}", EXIT_NO, "c\n",
			"voipguard: bad\n", false },
		{ "{\"ok\":false,\"error\":\"only root\",\"forbidden\":true}\n", EXIT_FORBIDDEN, "",
			"voipguard: only root\n", false },
		{ "{\"ok\":false}", EXIT_NO, "", "voipguard: refused\n", false },
		{ "{}", EXIT_NO, "", "voipguard: refused\n", false },
		{ "{\"ok\":false,\"error\":\"too many\"}\n", EXIT_NO, "", "voipguard: too many\n",
			true },
		{ "", EXIT_UNREACHABLE, "", "without an answer", false },
		{ "{\"ok\":tr", EXIT_UNREACHABLE, "", "without an answer", false },
		{ "[1]", EXIT_UNREACHABLE, "", "without an answer", false },
		{ "{\"ok\":true} x", EXIT_UNREACHABLE, "", "without an answer", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *answer = NULL;
		int rc = ask(rows[i].answer, rows[i].early, &answer);

		if (rc != rows[i].status)
			fail_msg("'%s': %d %s", rows[i].answer, rc, errors);
		assert_string_equal(output, rows[i].output);
		assert_has(errors, rows[i].errors);
		assert_int_equal(answer != NULL, rc == EXIT_DONE);
		assert_int_equal(errors[0] != '\0', rc != EXIT_DONE);
		json_decref(answer);
	}
}

/* Larger than any one read. */
static void test_large(void **state)
{
	enum { BYTES = 3 * 1024 * 1024 };
	char *text = malloc(BYTES + 64);
	json_t *answer = NULL;
	size_t used;

	(void)state;
	used = (size_t)snprintf(text, 64, "{\"ok\":true,\"x\":\"");
	memset(text + used, 'x', BYTES);
	(void)snprintf(text + used + BYTES, 16, "\"}\n");
	assert_int_equal(ask(text, false, &answer), EXIT_DONE);
	assert_int_equal(strlen(json_string_value(json_object_get(answer, "x"))), BYTES);
	json_decref(answer);
	free(text);
}

static int ask_at(const char *path)
{
	json_t *answer = NULL;
	int rc;

	capture();
	rc = client_ask(path, json_pack("{s:s}", "command", "status"), &answer);
	release();
	assert_null(answer);
	return rc;
}

static void test_unreachable(void **state)
{
	char long_path[256];
	int fd;

	(void)state;
	assert_int_equal(ask_at(socket_path), EXIT_UNREACHABLE);
	assert_has(errors, "no socket there");
	assert_false(client_reaches(socket_path));
	fd = listen_at(socket_path);
	assert_true(client_reaches(socket_path));
	(void)close(fd);
	assert_int_equal(ask_at(socket_path), EXIT_UNREACHABLE);
	assert_has(errors, "not ready or has ended");
	assert_false(client_reaches(socket_path));
	(void)snprintf(long_path, sizeof(long_path), "/%0200d", 1);
	assert_int_equal(ask_at(long_path), EXIT_USAGE);
	assert_has(errors, "too long");
	assert_true(client_reaches(long_path)); /* the request tells */
}

static void test_forbidden(void **state)
{
	int status = -1;
	int fd;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	fd = listen_at(socket_path);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		json_t *answer = NULL;

		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(99);
		(void)close(STDERR_FILENO);
		if (!client_reaches(socket_path))
			_exit(98);
		_exit(client_ask(socket_path, json_object(), &answer));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(fd);
	(void)unlink(socket_path);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_FORBIDDEN);
}

static void show(const char *text)
{
	json_t *answer = json_loads(text, 0, NULL);

	assert_non_null(answer);
	capture();
	client_print_status(answer);
	release();
	json_decref(answer);
}

static void test_status(void **state)
{
	(void)state;
	show("{\"ok\":true,\"version\":\"1.2\",\"uptime_s\":5400,\"dry_run\":false,\"health\":{"
	     "\"engine\":{\"ok\":true,\"text\":\"fine\"},"
	     "\"mail\":{\"ok\":false,\"text\":\"refused\"}},\"jails\":["
	     "{\"name\":\"asterisk\",\"maxretry\":4,\"findtime_s\":21600,\"bantime_s\":86400,"
	     "\"failures\":{\"current\":2,\"total\":7},\"banned\":{\"current\":1,\"total\":3},"
	     "\"files\":[{\"path\":\"/var/log/a\",\"state\":\"open\",\"lag_bytes\":12},"
	     "{\"path\":\"/var/log/b\",\"state\":\"absent\",\"lag_bytes\":0}],"
	     "\"bans\":[{\"address\":\"2001:db8:1:2::/64\",\"since\":\"2026-11-23T08:51:05Z\","
	     "\"until\":null,\"failures\":4,\"dropped_packets\":null,\"in_kernel\":false,"
	     "\"scope\":\"all\",\"last_account\":\"100\"}]},"
	     "{\"name\":\"manual\",\"maxretry\":0,\"bantime_s\":-1}]}");
	assert_has(output, "voipguard 1.2, up 1h 30m\n");
	assert_has(output, "  engine     ok   fine\n");
	assert_has(output, "  mail       BAD  refused\n"); /* a file: no colour */
	assert_has(output, "\nJail asterisk: 4 failures in 6h ban for 1d\n");
	assert_has(output, "  failures   2 addresses now, 7 attempts in all\n");
	assert_has(output, "  banned     1 now, 3 in all\n");
	assert_has(output, "  open       /var/log/a (12 bytes to read)\n");
	assert_has(output, "  absent     /var/log/b\n");
	assert_has(output, "  2001:db8:1:2::/64  2026-11-23T08:51:05Z  permanent             "
			   "       4        -      NO  all            100\n");
	assert_has(output, "\nJail manual: bans by hand\n");
	assert_null(strstr(output, "60 KiB"));
	assert_null(strchr(output, '\033'));
	show("{\"version\":\"1\",\"dry_run\":true,\"cut_lines\":3,\"jails\":["
	     "{\"name\":\"x\",\"maxretry\":1,\"findtime_s\":60,\"bantime_s\":-1}]}");
	assert_has(output, "DRY RUN: nothing is dropped\n");
	assert_has(output, "  3 lines were longer than 60 KiB");
	assert_has(output, "1 failures in 1m ban for good\n");
	show("{}"); /* of another version: nothing is there */
	assert_has(output, "voipguard , up 0s\n");
}

static void test_unwell(void **state)
{
	static const struct {
		const char *text;
		bool unwell;
	} rows[] = {
		{ "{}", false },
		{ "{\"health\":{}}", false },
		{ "{\"health\":{\"a\":{\"ok\":true},\"b\":{\"ok\":true}}}", false },
		{ "{\"health\":{\"a\":{\"ok\":true},\"b\":{\"ok\":false}}}", true },
		{ "{\"health\":{\"a\":{}}}", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *answer = json_loads(rows[i].text, 0, NULL);

		assert_int_equal(client_is_unwell(answer), rows[i].unwell);
		json_decref(answer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, make, drop),
		cmocka_unit_test_setup_teardown(test_large, make, drop),
		cmocka_unit_test_setup_teardown(test_unreachable, make, drop),
		cmocka_unit_test_setup_teardown(test_forbidden, make, drop),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_unwell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
