#ifndef VG_LAUNCH_H
#define VG_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

struct error;

/* What `voipguard run` was asked for; every role gets all of it. */
struct run_options {
	const char *config_dir;
	const char *state_dir;
	const char *user;
	const char *socket_path;
	bool dry_run;
	bool strict;
};

/* Descriptors of a role after exec. */
enum { LAUNCH_PARENT_FD = 3, LAUNCH_CLIENT_FD = 4 };

/* LAUNCH_CLIENT_FD if this process was started with one, else -1. */
int launch_client_fd(void);

/* fork+exec of this program as `run --role ROLE`, with parent_fd as descriptor 3 and client_fd
 * (-1: none) as 4, no other descriptor beyond 2, an empty ambient set, default signals (but
 * SIGHUP, which nohup ignores, and SIGINT and SIGTERM, which are the parent's business) and an
 * environment of TZ, JOURNAL_STREAM and LANG. Returns the pid or -1. */
pid_t launch_role(const char *role, const struct run_options *options, int parent_fd, int client_fd,
	struct error *err);

/* In a forked child of a role that has no capability: the same without fork. Does not return. */
void launch_exec(const char *role, const struct run_options *options, int parent_fd, int client_fd)
	__attribute__((noreturn));

#endif
