#ifndef VG_LAUNCH_H
#define VG_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

struct error;

/* The options of `voipguard run`. Each role is started with all of them. The texts are borrowed. */
struct run_options {
	const char *config_dir;
	const char *state_dir;
	const char *user;
	const char *socket_path;
	bool dry_run;
	bool strict;
};

/* The descriptors, besides 0 to 2, with which a role starts. */
enum { LAUNCH_PARENT_FD = 3, LAUNCH_CLIENT_FD = 4 };

/* LAUNCH_CLIENT_FD if this process was started with a client, else -1. To be called before the
 * process opens anything. */
int launch_client_fd(void);

/* Starts this program again, by fork and exec, as `voipguard run --role ROLE`. The new process has
 * - parent_fd as descriptor 3, client_fd (-1: none) as 4, and no other descriptor beyond 2;
 * - no ambient capability;
 * - default signal actions, except that SIGHUP is as it is here (nohup ignores it), and that SIGINT
 *   and SIGTERM are ignored, since the firewall role alone handles them and tells the others;
 * - only TZ, JOURNAL_STREAM and LANG in its environment.
 * The caller keeps its descriptors. Returns the pid, or -1 with a sentence. */
pid_t launch_role(const char *role, const struct run_options *options, int parent_fd, int client_fd,
	struct error *err);

/* The same without the fork, for a process that was just forked by a role without capabilities. It
 * does not return: if exec fails, the process ends. */
void launch_exec(const char *role, const struct run_options *options, int parent_fd, int client_fd)
	__attribute__((noreturn));

#endif
