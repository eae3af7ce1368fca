#ifndef VG_SANDBOX_H
#define VG_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct error;

/* How each role gives up what it does not need. Each function is fatal when it fails (-1 with a
 * sentence); what the kernel lacks is no failure but is told in sandbox_report. */

enum sandbox_role { SANDBOX_FIREWALL, SANDBOX_ENGINE, SANDBOX_NOTIFIER, SANDBOX_DELIVERY };

enum sandbox_landlock { LANDLOCK_ON, LANDLOCK_MISSING, LANDLOCK_BLOCKED };

struct sandbox_report {
	enum sandbox_landlock landlock; /* MISSING: the kernel lacks it; BLOCKED: a filter */
	int landlock_abi;
	bool seccomp;
};

struct sandbox_path {
	const char *path; /* one that does not exist or is out of reach is skipped */
	bool write;       /* else read only */
};

/* Started as root (uid 0): become `user` (uid, gid and its supplementary groups by initgroups)
 * and keep CAP_NET_ADMIN alone, permitted and effective, in ambient too. Started as another user:
 * check that CAP_NET_ADMIN is effective (unless need_net_admin is false), change nothing. */
int sandbox_become(uid_t uid, gid_t gid, const char *user, bool need_net_admin, struct error *err);
/* In a child between fork and exec: empties the ambient set, so that exec leaves no capability. */
int sandbox_drop_ambient(void);

/* As fork(), with the child's pidfd (close-on-exec) in *ret_pidfd. No fork handlers run: the child
 * calls exec or _exit soon. The notifier makes its deliveries so, since it has no other way to end
 * one: kill() answers EPERM to every role but the firewall. */
pid_t sandbox_fork(int *ret_pidfd);
/* Sends a signal to a process that sandbox_fork() made. 0, or -1 with errno. */
int sandbox_kill(int pidfd, int signal);

/* After exec, when everything is compiled, opened and loaded: PR_SET_DUMPABLE 0, no_new_privs,
 * Landlock with these paths (not for the firewall, whose report tells what the children will
 * find) and the role's seccomp filter. What libc and SQLite read by themselves, and for notifier
 * and delivery libraries, /etc and their own program, need not be in paths. A file is named by its
 * directory: a rule on the file ends with its rotation.
 * The engine, notifier and delivery fail if they still hold a capability. A system call outside
 * the role's list ends the process, one with arguments outside it gives EPERM, as does the
 * firewall's deny-list, which the children inherit. *ret_report is untouched on failure. */
int sandbox_enter(enum sandbox_role role, const struct sandbox_path *paths, size_t n_paths,
	struct sandbox_report *ret_report, struct error *err);

#endif
