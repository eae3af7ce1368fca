#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "process/launch.h"

/* This program is what launch_role() starts: as `run` it tells over descriptor 3 what it got. */
enum { REPORT_BYTES = 8192, FDS_LOOKED_AT = 256, SIGNALS_LOOKED_AT = 64 };

extern char **environ;

static char report[REPORT_BYTES];

static void tell_signals(FILE *out)
{
	sigset_t mask;

	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int number = 1; number <= SIGNALS_LOOKED_AT; number++) {
		struct sigaction action;

		if (sigismember(&mask, number) == 1)
			(void)fprintf(out, "blocked %d\n", number);
		if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			(void)fprintf(out, "ignored %d\n", number);
	}
}

static int tell(char **argv)
{
	FILE *out;

	for (int fd = 0; fd < FDS_LOOKED_AT; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			dprintf(LAUNCH_PARENT_FD, "fd %d\n", fd);
	dprintf(LAUNCH_PARENT_FD, "client %d\n", launch_client_fd());
	out = fdopen(LAUNCH_PARENT_FD, "w");
	if (!out)
		return 1;
	for (size_t i = 0; argv[i]; i++)
		(void)fprintf(out, "argument %s\n", argv[i]);
	for (size_t i = 0; environ[i]; i++)
		(void)fprintf(out, "environment %s\n", environ[i]);
	for (int capability = 0; capability < 41; capability++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) == 1)
			(void)fprintf(out, "ambient %d\n", capability);
	tell_signals(out);
	if (launch_client_fd() >= 0)
		dprintf(LAUNCH_CLIENT_FD, "hello client\n");
	return fclose(out) == 0 ? 0 : 1;
}

static void read_all(int fd, char *out, size_t out_bytes)
{
	size_t used = 0;
	ssize_t got;

	while (used < out_bytes - 1 && (got = read(fd, out + used, out_bytes - 1 - used)) > 0)
		used += (size_t)got;
	out[used] = '\0';
}

static bool has(const char *line)
{
	char wanted[256];

	(void)snprintf(wanted, sizeof(wanted), "\n%s\n", line);
	return strstr(report, wanted) != NULL;
}

static size_t count(const char *beginning)
{
	char wanted[64];
	size_t n = 0;

	(void)snprintf(wanted, sizeof(wanted), "\n%s ", beginning);
	for (const char *at = report; (at = strstr(at, wanted)); at++)
		n++;
	return n;
}

static const struct run_options options = { .config_dir = "/c",
	.state_dir = "/s dir",
	.user = "u",
	.socket_path = "/run/x",
	.dry_run = true };

/* Starts the role, which reports; client: with a client's descriptor. */
static void launch(const struct run_options *used, bool client, char *ret_client_text)
{
	struct error err = { "" };
	int parent[2];
	int other[2];
	int status = -1;
	pid_t pid;

	assert_int_equal(pipe(parent), 0);
	assert_int_equal(pipe(other), 0);
	pid = launch_role("engine", used, parent[1], client ? other[1] : -1, &err);
	if (pid < 0)
		fail_msg("%s", err.text);
	/* the caller keeps its own */
	assert_int_equal(close(parent[1]), 0);
	assert_int_equal(close(other[1]), 0);
	report[0] = '\n';
	read_all(parent[0], report + 1, sizeof(report) - 1);
	if (client)
		read_all(other[0], ret_client_text, 64);
	(void)close(parent[0]);
	(void)close(other[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_arguments(void **state)
{
	static const char *const wanted[] = { "voipguard", "run", "--role", "engine", "-c", "/c",
		"--state", "/s dir", "--user", "u", "-s", "/run/x", "--dry-run", "--strict" };
	struct run_options all = options;
	char text[REPORT_BYTES] = "";
	size_t used = 0;

	(void)state;
	all.strict = true;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "argument %s\n",
			wanted[i]);
	launch(&all, false, NULL);
	assert_non_null(strstr(report, text));
	assert_int_equal(count("argument"), 14);
	launch(&options, false, NULL);
	assert_true(has("argument --dry-run"));
	assert_false(has("argument --strict"));
	all.dry_run = all.strict = false;
	launch(&all, false, NULL);
	assert_int_equal(count("argument"), 12);
}

static void test_descriptors(void **state)
{
	char text[64] = "";
	int leaks[8];

	(void)state;
	for (size_t i = 0; i < 8; i++) /* not close-on-exec: must not be passed on */
		leaks[i] = open("/dev/null", O_RDONLY);
	launch(&options, false, NULL);
	assert_int_equal(count("fd"), 4);
	for (int fd = 0; fd <= LAUNCH_PARENT_FD; fd++) {
		(void)snprintf(text, sizeof(text), "fd %d", fd);
		assert_true(has(text));
	}
	assert_true(has("client -1"));
	launch(&options, true, text);
	assert_int_equal(count("fd"), 5);
	assert_true(has("fd 4"));
	assert_true(has("client 4"));
	assert_string_equal(text, "hello client\n");
	for (size_t i = 0; i < 8; i++)
		(void)close(leaks[i]);
}

static int move_up(int fd)
{
	int moved = fcntl(fd, F_DUPFD, 50);

	(void)close(fd);
	return moved;
}

/* The descriptors may stand in each other's places, or in their own. Returns an exit status. */
static int exec_with(int parent_place, int client_place)
{
	int parent[2];
	int other[2];
	char text[64] = "";
	pid_t pid;

	if (pipe(parent) < 0 || pipe(other) < 0)
		return 2;
	for (int i = 0; i < 2; i++) { /* out of the way of 3 and 4 */
		parent[i] = move_up(parent[i]);
		other[i] = move_up(other[i]);
	}
	pid = fork();
	if (pid == 0) {
		if (dup2(parent[1], parent_place) < 0 || dup2(other[1], client_place) < 0)
			_exit(3);
		launch_exec("notifier", &options, parent_place, client_place);
	}
	(void)close(parent[1]);
	(void)close(other[1]);
	report[0] = '\n';
	read_all(parent[0], report + 1, sizeof(report) - 1);
	read_all(other[0], text, sizeof(text));
	if (pid < 0 || waitpid(pid, NULL, 0) != pid || strcmp(text, "hello client\n") != 0)
		return 4;
	return has("argument notifier") && count("fd") == 5 ? 0 : 5;
}

static void test_places(void **state)
{
	static const struct {
		int parent;
		int client;
	} rows[] = { { 3, 4 }, { 4, 3 }, { 4, 5 }, { 5, 3 }, { 20, 30 }, { 3, 10 }, { 11, 10 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int status = -1;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(exec_with(rows[i].parent, rows[i].client));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void test_environment(void **state)
{
	char *too_long = calloc(1, 3000);

	(void)state;
	memset(too_long, 'x', 2999);
	assert_int_equal(clearenv(), 0);
	(void)setenv("TZ", "Europe/Berlin", 1);
	(void)setenv("LANG", "C.UTF-8", 1);
	(void)setenv("JOURNAL_STREAM", "8:99", 1);
	(void)setenv("LD_PRELOAD_NOT", "x", 1);
	(void)setenv("PATH", "/bin", 1);
	launch(&options, false, NULL);
	assert_true(has("environment TZ=Europe/Berlin"));
	assert_true(has("environment LANG=C.UTF-8"));
	assert_true(has("environment JOURNAL_STREAM=8:99"));
	assert_int_equal(count("environment"), 3);
	(void)setenv("TZ", too_long, 1);
	(void)unsetenv("LANG");
	launch(&options, false, NULL);
	assert_int_equal(count("environment"), 1);
	assert_int_equal(clearenv(), 0);
	launch(&options, false, NULL);
	assert_int_equal(count("environment"), 0);
	free(too_long);
}

static void test_signals(void **state)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM };
	sigset_t mask;
	sigset_t old;
	char text[32];

	(void)state;
	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, SIGTERM);
	(void)sigaddset(&mask, SIGCHLD);
	assert_int_equal(sigprocmask(SIG_BLOCK, &mask, &old), 0);
	assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	assert_true(signal(SIGINT, SIG_IGN) != SIG_ERR);
	assert_true(signal(SIGHUP, SIG_IGN) != SIG_ERR);
	launch(&options, false, NULL);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	assert_int_equal(count("blocked"), 0);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		(void)snprintf(text, sizeof(text), "ignored %d", ignored[i]);
		assert_true(has(text));
	}
	assert_int_equal(count("ignored"), 3);
	assert_int_equal(count("ambient"), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_signals),
	};

	if (argc > 1 && strcmp(argv[1], "run") == 0)
		return tell(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
