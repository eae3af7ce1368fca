#ifndef VG_SANDBOX_H
#define VG_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct error;

/* How each role gives up the privileges that it does not need. If a function fails (-1 with a
 * sentence), the process must end. A protection that the kernel lacks is no failure: sandbox_report
 * says so. */

enum sandbox_role { SANDBOX_FIREWALL, SANDBOX_ENGINE, SANDBOX_NOTIFIER, SANDBOX_DELIVERY };

enum sandbox_landlock { LANDLOCK_ON, LANDLOCK_MISSING, LANDLOCK_BLOCKED };

struct sandbox_report {
	enum sandbox_landlock
		landlock; /* BLOCKED: by a filter of somebody else, as in containers */
	int landlock_abi; /* the kernel's version of it, from 1; 0 unless LANDLOCK_ON */
	bool seccomp;
};

struct sandbox_path {
	const char *path; /* borrowed; skipped if it does not exist or is out of reach */
	bool write;       /* true: read and write, make and remove; false: read */
};

/* If the process runs as root, it becomes `user` (uid, gid and the supplementary groups) and keeps
 * CAP_NET_ADMIN alone (permitted, effective and ambient), or no capability if need_net_admin is
 * false. If it runs as another user, nothing is changed; CAP_NET_ADMIN must be effective, if it is
 * needed. */
int sandbox_become(uid_t uid, gid_t gid, const char *user, bool need_net_admin, struct error *err);
/* For a child between fork and exec: empties the ambient set, so that the process has no capability
 * after exec. 0, or -1 with errno. */
int sandbox_drop_ambient(void);

/* As fork(), and gives the parent the child's pidfd (close-on-exec; the caller closes it). No fork
 * handlers run in the child, which has to call exec or _exit soon. The notifier starts deliveries
 * by this, because a pidfd is its only way to end one: seccomp makes kill() fail with EPERM, unless
 * a process means itself, in every role but the firewall. */
pid_t sandbox_fork(int *ret_pidfd);
/* Sends a signal to a process that sandbox_fork() made. 0, or -1 with errno. */
int sandbox_kill(int pidfd, int signal);

/* Confines the process for good: no core dumps and no ptrace (PR_SET_DUMPABLE 0), no_new_privs,
 * Landlock with these paths, and the role's seccomp filter. A role calls it once it has compiled,
 * opened and loaded everything. The firewall role gets no Landlock; its report says what its
 * children will find. paths need not name what libc and SQLite open by themselves nor, for notifier
 * and delivery, the libraries and the own program. To allow a file that is rotated, name its
 * directory: a Landlock rule is bound to the file that has the name now, not to the next one.
 * Engine, notifier and delivery fail here if they still hold a capability. Afterwards a system call
 * that is not on the role's list ends the process; one on the list with arguments that are not
 * allowed fails with EPERM. The firewall role and all its children get EPERM for the calls of its
 * deny-list. *ret_report is untouched on failure. */
int sandbox_enter(enum sandbox_role role, const struct sandbox_path *paths, size_t n_paths,
	struct sandbox_report *ret_report, struct error *err);

/* Lets the process and all that it starts connect by TCP to these ports only, for good. After
 * sandbox_enter() only the notifier may call it. Where the kernel's Landlock has no ports (before
 * ABI 4, Linux 6.7) nothing changes, see sandbox_describe(). UDP is not limited. */
int sandbox_limit_ports(const uint16_t *ports, size_t n_ports, struct error *err);

/* Writes how a process is confined, and what the kernel lacks for it. */
void sandbox_describe(const struct sandbox_report *report, char *text, size_t text_bytes);

#endif
