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
	const char *path; /* a path that does not exist is skipped */
	bool write;       /* else read only */
};

/* Started as root (uid 0): become `user` (uid, gid and its supplementary groups by initgroups)
 * and keep CAP_NET_ADMIN alone, permitted and effective, in ambient too. Started as another user:
 * check that CAP_NET_ADMIN is effective (unless need_net_admin is false), change nothing. */
int sandbox_become(uid_t uid, gid_t gid, const char *user, bool need_net_admin, struct error *err);
/* In a child between fork and exec: empties the ambient set, so that exec leaves no capability. */
int sandbox_drop_ambient(void);

/* After exec, when everything is compiled, opened and loaded: PR_SET_DUMPABLE 0,
 * no_new_privs, Landlock (not for the firewall) with these paths, the role's seccomp filter.
 * The engine and notifier fail if they still hold a capability. Blocked system calls kill the
 * process (children) or give EPERM (the firewall's deny-list). */
int sandbox_enter(enum sandbox_role role, const struct sandbox_path *paths, size_t n_paths,
	struct sandbox_report *ret_report, struct error *err);

#endif
