#include "process/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "process/sandbox.h"

/* FREE_FD: descriptors from here on are clear of 3 and 4. VALUE_MAX: bytes of a variable's value; a
 * longer one is not handed on. */
enum { FREE_FD = 10, EXIT_CANNOT_START = 71, VALUE_MAX = 500 };

/* If descriptor 4 is open, the parent has put it there: this process has opened nothing yet. */
int launch_client_fd(void)
{
	return fcntl(LAUNCH_CLIENT_FD, F_GETFD) < 0 ? -1 : LAUNCH_CLIENT_FD;
}

/* Copies both descriptors above FREE_FD first, because parent_fd may be 4 or client_fd 3, and then
 * to their places. dup2() leaves them open over exec. */
static bool place_descriptors(int parent_fd, int client_fd)
{
	int parent = fcntl(parent_fd, F_DUPFD, FREE_FD);
	int client = client_fd < 0 ? -1 : fcntl(client_fd, F_DUPFD, FREE_FD);
	int first_unused = client_fd < 0 ? LAUNCH_CLIENT_FD : LAUNCH_CLIENT_FD + 1;

	if (parent < 0 || dup2(parent, LAUNCH_PARENT_FD) < 0)
		return false;
	if (client_fd >= 0 && (client < 0 || dup2(client, LAUNCH_CLIENT_FD) < 0))
		return false;
	return close_range((unsigned)first_unused, ~0U, 0) == 0;
}

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		if (number != SIGHUP)                  /* stays ignored under nohup */
			(void)signal(number, SIG_DFL); /* fails for SIGKILL and the like */
	/* ^C at a terminal reaches all processes, but the firewall role alone ends the service */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)sigemptyset(&none);                    /* cannot fail */
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail with SIG_SETMASK */
}

/* Fills in "NAME=value" for the variables that a role may need, and NULL as the end. */
static void fill_environment(char *ret_environment[4])
{
	static const char *const names[] = { "TZ", "JOURNAL_STREAM", "LANG" };
	size_t used = 0;

	for (size_t i = 0; i < 3; i++) {
		const char *value = getenv(names[i]);

		if (value && strlen(value) < VALUE_MAX)
			ret_environment[used++] = alloc_format("%s=%s", names[i], value);
	}
	ret_environment[used] = NULL;
}

void launch_exec(const char *role, const struct run_options *options, int parent_fd, int client_fd)
{
	/* The empty places are NULL, which ends the list. */
	const char *arguments[15] = { "voipguard", "run", "--role", role, "-c", options->config_dir,
		"--state", options->state_dir, "--user", options->user, "-s",
		options->socket_path };
	char *environment[4];
	size_t used = 0;

	while (arguments[used])
		used++;
	if (options->dry_run)
		arguments[used++] = "--dry-run";
	if (options->strict)
		arguments[used++] = "--strict";
	fill_environment(environment);
	if (place_descriptors(parent_fd, client_fd)) {
		reset_signals();
		/* it only reads the arguments, and returns only if it fails */
		(void)execve("/proc/self/exe", (char **)(uintptr_t)arguments, environment);
	}
	log_line(LOG_ERR, "cannot start the %s (/proc/self/exe): %s", role, strerror(errno));
	_exit(EXIT_CANNOT_START);
}

pid_t launch_role(const char *role, const struct run_options *options, int parent_fd, int client_fd,
	struct error *err)
{
	pid_t pid = fork();

	if (pid == 0 && sandbox_drop_ambient() < 0) {
		log_line(LOG_ERR, "cannot start the %s: its capabilities stay", role);
		_exit(EXIT_CANNOT_START);
	}
	if (pid == 0)
		launch_exec(role, options, parent_fd, client_fd);
	if (pid < 0)
		return error_errno(err, errno, "cannot start the %s", role);
	return pid;
}
