#ifndef VG_NAMESPACE_H
#define VG_NAMESPACE_H

/* For tests that need a network of their own: a namespace for each test, and commands run in it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_BYTES = 1 << 20, WORDS_MAX = 24 };

static char output[OUTPUT_BYTES];

/* False: there is none without root, and the tests are skipped. */
static inline bool namespace_enter(void)
{
	if (geteuid() == 0 && unshare(CLONE_NEWNET) == 0)
		return true;
	print_message("no network namespace without root\n");
	return false;
}

/* Runs a command, split at blanks; output holds what it wrote. Returns its exit status. */
static inline int command_run(const char *command)
{
	char copy[4096];
	char *words[WORDS_MAX + 2] = { NULL };
	size_t n = 0;
	size_t used = 0;
	char *rest = copy;
	int fds[2];
	int status;
	pid_t pid;

	assert_true(snprintf(copy, sizeof(copy), "%s", command) < (int)sizeof(copy));
	while (n < WORDS_MAX && (words[n] = strsep(&rest, " ")))
		n++;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(fds[1], STDOUT_FILENO);
		(void)dup2(fds[1], STDERR_FILENO);
		(void)close(fds[0]);
		(void)execvp(words[0], words);
		_exit(127);
	}
	(void)close(fds[1]);
	for (;;) {
		ssize_t got = read(fds[0], output + used, sizeof(output) - 1 - used);

		if (got <= 0)
			break;
		used += (size_t)got;
	}
	output[used] = '\0';
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void must_run(const char *command)
{
	if (command_run(command) != 0)
		fail_msg("%s: %s", command, output);
}

/* In a process of its own, which may give up its privileges. act returns an exit status. */
static inline void must_in_child(int (*act)(void))
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(act());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#endif
