#include "process/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <link.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "process/seccomp.h"

/* Names that linux/landlock.h of Linux 6.1 (ABI 2) lacks; the values are those of 6.12 (ABI 6). */
#define FS_TRUNCATE (1ULL << 14)  /* ABI 3 */
#define FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#define NET_ABI 4
#define NET_BIND_TCP (1ULL << 0)
#define NET_CONNECT_TCP (1ULL << 1)
#define RULE_NET_PORT 2
#define SCOPE_ABSTRACT_SOCKET (1ULL << 0) /* ABI 6 */
#define SCOPE_SIGNAL (1ULL << 1)

#define FS_ABI_1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define FS_FILE                                                                                    \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                              \
		LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE                                                                                   \
	(FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                 \
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                     \
		LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)

/* As struct landlock_ruleset_attr of ABI 6. An older kernel accepts the larger struct as long as
 * the fields that it does not know are zero. */
struct ruleset_attr {
	uint64_t handled_fs;
	uint64_t handled_net;
	uint64_t scoped;
};

/* As struct landlock_net_port_attr of ABI 4. */
struct net_port_attr {
	uint64_t allowed;
	uint64_t port;
};

/* What libc and SQLite open by themselves, at any time, in any role. Anybody may read it. */
static const struct sandbox_path common_paths[] = {
	{ "/dev/null", true },
	{ "/dev/urandom", false },
	{ "/etc/localtime", false },
	{ "/usr/share/zoneinfo", false },
};

/* What looking up names, TLS and mailing need, besides files of /etc, which the role names. These
 * are directories, because the files in them are replaced while we run. /proc is left out on
 * purpose: see "Signals" in seccomp.c. */
static const struct sandbox_path network_paths[] = {
	{ "/lib", false },
	{ "/lib64", false },
	{ "/usr/lib", false },
	{ "/usr/lib64", false },
	{ "/usr/local/lib", false },
	{ "/usr/share/ca-certificates", false },
	{ "/usr/local/share/ca-certificates", false },
	/* where /etc/resolv.conf points to */
	{ "/run/systemd/resolve", false },
	{ "/run/resolvconf", false },
	{ "/run/NetworkManager", false },
};

static int check_caps(bool want_net_admin, struct error *err)
{
	cap_t caps = cap_get_proc();
	cap_t want = cap_from_text(want_net_admin ? "cap_net_admin=ep" : "=");
	int rc = 0;

	/* Inheritable capabilities do not count: no_new_privs, which the unit sets, makes them
	 * useless. */
	if (!caps || !want || cap_clear_flag(caps, CAP_INHERITABLE) < 0)
		rc = error_errno(err, errno, "cannot read the process's capabilities");
	else if (cap_compare(caps, want) != 0)
		rc = error_set(err, want_net_admin ? "the process does not hold CAP_NET_ADMIN alone"
						   : "the process still holds a capability");
	cap_free(caps);
	cap_free(want);
	return rc;
}

static int drop_bounding(bool keep_net_admin, struct error *err)
{
	for (cap_value_t cap = 0; cap < cap_max_bits(); cap++) {
		if (keep_net_admin && cap == CAP_NET_ADMIN)
			continue;
		if (cap_drop_bound(cap) < 0)
			return error_errno(err, errno, "cannot drop capability %d", cap);
	}
	return 0;
}

static int set_caps(bool keep_net_admin, struct error *err)
{
	cap_t caps = cap_from_text(keep_net_admin ? "cap_net_admin=eip" : "=");
	int rc = caps ? cap_set_proc(caps) : -1;

	if (rc == 0 && keep_net_admin)
		rc = cap_set_ambient(CAP_NET_ADMIN, CAP_SET);
	if (rc < 0)
		error_errno(err, errno,
			keep_net_admin ? "cannot keep CAP_NET_ADMIN, which the firewall needs"
				       : "cannot drop the capabilities");
	cap_free(caps);
	return rc;
}

static int check_ids(uid_t uid, gid_t gid, struct error *err)
{
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 ||
		getresgid(&gids[0], &gids[1], &gids[2]) < 0)
		return error_errno(err, errno, "cannot read the process's user");
	for (int i = 0; i < 3; i++)
		if (uids[i] != uid || gids[i] != gid)
			return error_set(err, "the process is not wholly user %u, group %u", uid,
				gid);
	return 0;
}

static int change_user(uid_t uid, gid_t gid, const char *user, struct error *err)
{
	const struct shown shown = text_shown_string(user);

	if (initgroups(user, gid) < 0)
		return error_errno(err, errno, "cannot take the groups of user '%s'", shown.text);
	if (setresgid(gid, gid, gid) < 0)
		return error_errno(err, errno, "cannot become group %u of user '%s'", gid,
			shown.text);
	if (setresuid(uid, uid, uid) < 0)
		return error_errno(err, errno, "cannot become user '%s'", shown.text);
	return 0;
}

static int check_net_admin(struct error *err)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t value = CAP_CLEAR;
	int rc = caps ? cap_get_flag(caps, CAP_NET_ADMIN, CAP_EFFECTIVE, &value) : -1;
	int number = errno;

	cap_free(caps);
	if (rc < 0)
		return error_errno(err, number, "cannot read the process's capabilities");
	if (value != CAP_SET)
		return error_set(err, "CAP_NET_ADMIN is missing: start as root, or by the unit");
	return 0;
}

int sandbox_become(uid_t uid, gid_t gid, const char *user, bool need_net_admin, struct error *err)
{
	int rc;

	if (geteuid() != 0)
		return need_net_admin ? check_net_admin(err) : 0;
	if (uid == 0 || gid == 0)
		return error_set(err, "the daemon does not run as root: name another user");
	if (need_net_admin && check_net_admin(err) < 0)
		return -1;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return error_errno(err, errno, "cannot keep capabilities over the change of user");
	rc = drop_bounding(need_net_admin, err);
	if (rc == 0)
		rc = change_user(uid, gid, user, err);
	if (rc == 0)
		rc = set_caps(need_net_admin, err);
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 && rc == 0)
		rc = error_errno(err, errno, "cannot end keeping capabilities");
	if (rc == 0)
		rc = check_ids(uid, gid, err);
	return rc == 0 ? check_caps(need_net_admin, err) : -1;
}

int sandbox_drop_ambient(void)
{
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

pid_t sandbox_fork(int *ret_pidfd)
{
	int pidfd = -1;
	/* The kernel writes the pidfd, which is close-on-exec, to the third argument. */
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &pidfd, NULL, NULL);

	if (pid > 0)
		*ret_pidfd = pidfd;
	return pid;
}

int sandbox_kill(int pidfd, int signal)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

static uint64_t handled_fs(int abi)
{
	uint64_t rights = FS_ABI_1;

	if (abi >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rights |= FS_TRUNCATE;
	if (abi >= 5)
		rights |= FS_IOCTL_DEV;
	return rights;
}

static struct ruleset_attr ruleset_describe(enum sandbox_role role, int abi)
{
	struct ruleset_attr attr = { .handled_fs = handled_fs(abi) };

	/* No rule allows these again: no role listens on TCP, and the engine connects to nothing.
	 * For the notifier see sandbox_limit_ports(). */
	if (abi >= NET_ABI)
		attr.handled_net =
			role == SANDBOX_ENGINE ? NET_BIND_TCP | NET_CONNECT_TCP : NET_BIND_TCP;
	if (abi >= 6)
		attr.scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
	return attr;
}

static int ruleset_add(int ruleset, uint64_t handled, const char *path, uint64_t rights,
	struct error *err)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights & handled };
	cleanup_close int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat status;

	/* A path that this user cannot reach is treated as absent: a rule could not open it. */
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0;
	if (fd < 0 || fstat(fd, &status) < 0)
		return error_errno(err, errno, "Landlock: cannot open '%s'",
			text_shown_string(path).text);
	if (!S_ISDIR(status.st_mode))
		rule.allowed_access &= FS_FILE;
	rule.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return error_errno(err, errno, "Landlock: cannot add '%s'",
			text_shown_string(path).text);
	return 0;
}

static int ruleset_add_paths(int ruleset, uint64_t handled, const struct sandbox_path *paths,
	size_t n_paths, struct error *err)
{
	for (size_t i = 0; i < n_paths; i++)
		if (ruleset_add(ruleset, handled, paths[i].path,
			    paths[i].write ? FS_WRITE : FS_READ, err) < 0)
			return -1;
	return 0;
}

static int find_loader(struct dl_phdr_info *info, size_t size_bytes, void *ret_path)
{
	(void)size_bytes;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_INTERP) {
			const char **path = ret_path;

			/* The path of the loader is text in our own memory, and its address a
			 * number. */
			*path = (const char *)(uintptr_t)(info->dlpi_addr +
							  info->dlpi_phdr[i].p_vaddr);
		}
	return 1; /* stop: the first object is the program itself */
}

/* The notifier executes its own program for a delivery, which needs the dynamic loader, too. */
static int ruleset_add_self(int ruleset, uint64_t handled, struct error *err)
{
	const uint64_t rights = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE;
	const char *loader = NULL;

	dl_iterate_phdr(find_loader, &loader);
	if (loader && ruleset_add(ruleset, handled, loader, rights, err) < 0)
		return -1;
	return ruleset_add(ruleset, handled, "/proc/self/exe", rights, err);
}

static int ruleset_fill(int ruleset, uint64_t handled, enum sandbox_role role,
	const struct sandbox_path *paths, size_t n_paths, struct error *err)
{
	if (ruleset_add_paths(ruleset, handled, common_paths,
		    sizeof(common_paths) / sizeof(common_paths[0]), err) < 0)
		return -1;
	if (role != SANDBOX_ENGINE &&
		ruleset_add_paths(ruleset, handled, network_paths,
			sizeof(network_paths) / sizeof(network_paths[0]), err) < 0)
		return -1;
	if (role == SANDBOX_NOTIFIER && ruleset_add_self(ruleset, handled, err) < 0)
		return -1;
	return ruleset_add_paths(ruleset, handled, paths, n_paths, err);
}

/* Asks the kernel for its Landlock ABI. -1 with a sentence: it gave an error that we do not know.
 */
static int landlock_probe(struct sandbox_report *ret_report, struct error *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (abi > 0) {
		ret_report->landlock = LANDLOCK_ON;
		ret_report->landlock_abi = (int)abi;
		return 0;
	}
	if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		ret_report->landlock = LANDLOCK_MISSING;
	else if (abi < 0 && errno == EPERM)
		ret_report->landlock = LANDLOCK_BLOCKED;
	else
		return error_errno(err, errno, "Landlock: cannot ask for its version");
	return 0;
}

static int landlock_enter(enum sandbox_role role, const struct sandbox_path *paths, size_t n_paths,
	struct sandbox_report *ret_report, struct error *err)
{
	struct ruleset_attr attr;

	if (landlock_probe(ret_report, err) < 0)
		return -1;
	if (ret_report->landlock != LANDLOCK_ON)
		return 0;
	attr = ruleset_describe(role, ret_report->landlock_abi);
	cleanup_close int ruleset =
		(int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return error_errno(err, errno, "Landlock: cannot make a ruleset");
	if (ruleset_fill(ruleset, attr.handled_fs, role, paths, n_paths, err) < 0)
		return -1;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return error_errno(err, errno, "Landlock: cannot confine the process");
	return 0;
}

int sandbox_enter(enum sandbox_role role, const struct sandbox_path *paths, size_t n_paths,
	struct sandbox_report *ret_report, struct error *err)
{
	struct sandbox_report report = { .landlock = LANDLOCK_MISSING };

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_errno(err, errno, "cannot close the process to its siblings");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(err, errno, "cannot set no_new_privs");
	if (role == SANDBOX_FIREWALL) {
		if (landlock_probe(&report, err) < 0)
			return -1;
	} else if (check_caps(false, err) < 0 ||
		   landlock_enter(role, paths, n_paths, &report, err) < 0) {
		return -1;
	}
	if (seccomp_enter(role, &report.seccomp, err) < 0)
		return -1;
	*ret_report = report;
	return 0;
}

int sandbox_limit_ports(const uint16_t *ports, size_t n_ports, struct error *err)
{
	const struct ruleset_attr attr = { .handled_net = NET_CONNECT_TCP };
	struct sandbox_report report = { 0 };

	if (landlock_probe(&report, err) < 0)
		return -1;
	if (report.landlock_abi < NET_ABI)
		return 0;
	cleanup_close int ruleset =
		(int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return error_errno(err, errno, "Landlock: cannot make a ruleset for ports");
	for (size_t i = 0; i < n_ports; i++) {
		const struct net_port_attr rule = { NET_CONNECT_TCP, ports[i] };

		if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0)
			return error_errno(err, errno, "Landlock: cannot add port %u",
				(unsigned int)ports[i]);
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return error_errno(err, errno, "Landlock: cannot limit the ports");
	return 0;
}

void sandbox_describe(const struct sandbox_report *report, char *text, size_t text_bytes)
{
	switch (report->landlock) {
	case LANDLOCK_ON:
		text_format(text, text_bytes, "confined by seccomp and Landlock (ABI %d)%s",
			report->landlock_abi,
			report->landlock_abi < NET_ABI ? "; the kernel cannot limit ports" : "");
		return;
	case LANDLOCK_MISSING:
		text_format(text, text_bytes, "confined by seccomp; the kernel lacks Landlock");
		return;
	case LANDLOCK_BLOCKED:
		text_format(text, text_bytes,
			"confined by seccomp; Landlock is blocked by a filter");
		return;
	}
}
