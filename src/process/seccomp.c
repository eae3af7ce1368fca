/* The firewall role has a deny-list, because every process that it starts inherits it.
 * The other roles have an allow-list, made of three filters; for each call the kernel asks all of
 * them and takes the strictest answer:
 * - the outer filter ends the process for a call that is on no list of the role;
 * - the inner filter makes a call that is on a list fail with EPERM if `rules` does not allow its
 *   arguments. It must not end the process, because libraries try out ioctl, fcntl and prctl, and
 *   because a dlopen that comes too late should fail as if the library were missing;
 * - the third makes a few combinations of two arguments fail with EPERM, see struct exclusion.
 *
 * Signals. All roles run as one user, so without a filter each could kill the others. kill and
 * tgkill are allowed for the own pid only. What sends signals indirectly (F_SETOWN, F_SETSIG,
 * FIOSETOWN and the *sigqueueinfo calls) is allowed for no role but the firewall. The notifier has
 * to end a delivery that hangs, but a filter cannot say "my own child". So it may call
 * pidfd_send_signal, and not pidfd_open: then its only pidfds are those of the processes that it
 * made by clone(CLONE_PIDFD), see sandbox_fork(). The kernel also takes an open directory /proc/PID
 * for a pidfd: Landlock therefore closes /proc to the notifier, and from ABI 6 on it also stops
 * signals to processes outside of the notifier's own domain. */
#include "process/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seccomp.h>

#include "base/error.h"

/* What the outer filter does with a call that is on no list. To find a call that a list lacks,
 * build with -DSANDBOX_BLOCKED=SCMP_ACT_LOG: such calls then succeed, and the kernel logs them. */
#ifndef SANDBOX_BLOCKED
#define SANDBOX_BLOCKED SCMP_ACT_KILL_PROCESS
#endif

/* linux/prctl.h has it from 5.17 on. From glibc 2.38 on malloc names its memory areas by it. */
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

#define TYPE_MASK                                                                                  \
	0xf /* what else is in the type of a socket are flags: SOCK_TYPE_MASK of the kernel */
#define ANY_BIT UINT64_MAX
#define LOW_WORD UINT32_MAX /* the kernel takes an int here: the upper 32 bits may be anything */

/* The flags of clone() that make something else than a plain child process. CLONE_NEWTIME is not
 * among them: in clone() its bit belongs to the exit signal. */
#define CLONE_FOREIGN                                                                              \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
		CLONE_NEWPID | CLONE_NEWNET | CLONE_PARENT | CLONE_THREAD)

/* The check holds if (argument & mask) == value. argument: its index, from 0. */
struct filter_check {
	unsigned int argument;
	uint64_t mask;
	uint64_t value;
};

/* The call is allowed if the check holds. If a call has several rules, one that holds is enough. A
 * rule has one check on purpose: see struct exclusion. */
struct rule {
	const char *call;
	struct filter_check check;
};

/* The call fails with EPERM if every comparison holds. A rule that allows one value of an argument
 * with one of another argument cannot say that: when its second comparison fails, the code that
 * libseccomp 2.5.4 makes can go on to the next rule of the call without loading the first argument
 * again. So prctl(PR_SET_DUMPABLE, 1) passed for PR_SET_PDEATHSIG, which is 1. An exclusion is in a
 * filter where its call has no other rule. */
struct exclusion {
	const char *call;
	unsigned int n_compare;
	struct scmp_arg_cmp compare[2];
};

/* A call that fails with this error, whatever its arguments, and does not end the process. */
struct filter_refusal {
	const char *call;
	int number; /* errno */
};

/* calls are allowed with any arguments, and rules with some. calls ends with NULL; a name that this
 * machine's architecture lacks has no effect. */
struct filter_list {
	const char *const *calls;
	const struct rule *rules;
	size_t n_rules;
};

/* The deny-list: these fail with EPERM in the firewall role and in all its descendants. */
static const char *const denied_calls[] = { "acct", "add_key", "adjtimex", "bpf", "chroot",
	"clock_adjtime", "clock_settime", "delete_module", "fanotify_init", "finit_module",
	"fsconfig", "fsmount", "fsopen", "fspick", "init_module", "io_uring_enter",
	"io_uring_register", "io_uring_setup", "ioperm", "iopl", "kcmp", "kexec_file_load",
	"kexec_load", "keyctl", "lookup_dcookie", "migrate_pages", "modify_ldt", "mount",
	"mount_setattr", "move_mount", "move_pages", "name_to_handle_at", "nfsservctl",
	"open_by_handle_at", "open_tree", "perf_event_open", "personality", "pidfd_getfd",
	"pivot_root", "process_madvise", "process_mrelease", "process_vm_readv",
	"process_vm_writev", "ptrace", "quotactl", "quotactl_fd", "reboot", "request_key",
	"setdomainname", "sethostname", "setns", "settimeofday", "swapoff", "swapon", "syslog",
	"umount", "umount2", "unshare", "userfaultfd", "vhangup", "vm86", NULL };

/* What every role but the firewall may do: read, wait, get memory and time, and use the descriptors
 * that it has. */
static const char *const common_calls[] = { "_llseek", "_newselect", "access", "arch_prctl", "brk",
	"clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64",
	"clock_nanosleep", "clock_nanosleep_time64", "close", "close_range", "dup", "dup2", "dup3",
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait",
	"eventfd", "eventfd2", "exit", "exit_group", "faccessat", "faccessat2", "fstat", "fstat64",
	"fstatat64", "fstatfs", "fstatfs64", "futex", "futex_time64", "get_robust_list", "getcpu",
	"getcwd", "getdents", "getdents64", "getegid", "getegid32", "geteuid", "geteuid32",
	"getgid", "getgid32", "getgroups", "getgroups32", "getpeername", "getpgid", "getpgrp",
	"getpid", "getppid", "getrandom", "getresgid", "getresgid32", "getresuid", "getresuid32",
	"getrlimit", "getrusage", "getsid", "getsockname", "getsockopt", "gettid", "gettimeofday",
	"getuid", "getuid32", "inotify_add_watch", "inotify_init", "inotify_init1",
	"inotify_rm_watch", "lseek", "lstat", "lstat64", "madvise", "membarrier", "mremap",
	"munmap", "nanosleep", "pause", "newfstatat", "open", "openat", "pipe", "pipe2", "poll",
	"ppoll", "ppoll_time64", "pread64", "preadv", "pselect6", "pselect6_time64", "pwrite64",
	"pwritev", "read", "readlink", "readlinkat", "readv", "recv", "recvfrom", "recvmmsg",
	"recvmmsg_time64", "recvmsg", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending",
	"rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
	"rt_sigtimedwait_time64", "sched_getaffinity", "sched_yield", "select", "send", "sendmmsg",
	"sendmsg", "sendto", "set_robust_list", "set_tid_address", "shutdown", "sigaltstack",
	"signalfd", "signalfd4", "sigreturn", "stat", "stat64", "statfs", "statfs64", "statx",
	"sysinfo", "time", "timerfd_create", "timerfd_gettime", "timerfd_gettime64",
	"timerfd_settime", "timerfd_settime64", "times", "ugetrlimit", "umask", "uname", "write",
	"writev", NULL };

static const struct rule common_rules[] = {
	{ "fcntl", { 1, LOW_WORD, F_DUPFD } }, { "fcntl", { 1, LOW_WORD, F_DUPFD_CLOEXEC } },
	{ "fcntl", { 1, LOW_WORD, F_GETFD } }, { "fcntl", { 1, LOW_WORD, F_SETFD } },
	{ "fcntl", { 1, LOW_WORD, F_GETFL } }, { "fcntl", { 1, LOW_WORD, F_SETFL } },
	{ "fcntl", { 1, LOW_WORD, F_GETLK } }, { "fcntl", { 1, LOW_WORD, F_SETLK } },
	{ "fcntl", { 1, LOW_WORD, F_SETLKW } }, { "fcntl", { 1, LOW_WORD, F_OFD_GETLK } },
	{ "fcntl", { 1, LOW_WORD, F_OFD_SETLK } }, { "fcntl", { 1, LOW_WORD, F_OFD_SETLKW } },
	{ "ioctl", { 1, LOW_WORD, FIONREAD } }, { "ioctl", { 1, LOW_WORD, TCGETS } },
	{ "prctl", { 0, LOW_WORD, PR_GET_NAME } }, { "prctl", { 0, LOW_WORD, PR_SET_NAME } },
	{ "prctl", { 0, LOW_WORD, PR_SET_VMA } },
	{ "prlimit64", { 2, ANY_BIT, 0 } }, /* no new limit is given: it only reads */
};

static const struct filter_refusal common_refusals[] = {
	{ "clone3", ENOSYS },     /* a filter cannot see its flags; libc then calls clone */
	{ "pidfd_open", ENOSYS }, /* sd-event then watches children by SIGCHLD */
	{ "fchown", EPERM },      /* SQLite calls it as root, and ignores a failure */
};

/* The engine also writes its own files. It can make no socket, no process and no executable memory.
 */
static const char *const engine_calls[] = { "fadvise64", "fadvise64_64", "fallocate", "fchmod",
	"fdatasync", "flock", "fsync", "ftruncate", "ftruncate64", "mkdir", "mkdirat", "msync",
	"rename", "renameat", "renameat2", "rmdir", "unlink", "unlinkat", NULL };

static const struct rule engine_rules[] = {
	{ "ioctl", { 1, LOW_WORD, FS_IOC_GETVERSION } },
	{ "mmap", { 2, PROT_EXEC, 0 } },
	{ "mmap2", { 2, PROT_EXEC, 0 } },
	{ "mprotect", { 2, PROT_EXEC, 0 } },
	{ "setsockopt", { 1, LOW_WORD, SOL_SOCKET } },
};

/* Notifier and delivery also look up names and talk to servers. They may load libraries (NSS, AUTH
 * plugins), so memory may be executable, but not writable and executable at once. They get no
 * socket of AF_UNIX, by which they could talk to any daemon of the host: names come from files and
 * by DNS. A module of NSS that asks a daemon fails as if the daemon were away, and the next one is
 * asked. The pair between a notifier and its delivery is no such socket: unlike one of SOCK_DGRAM,
 * it cannot be connected to anything else. */
static const char *const network_calls[] = { "bind", "connect", "setsockopt", NULL };

static const struct rule network_rules[] = {
	{ "ioctl", { 1, LOW_WORD, FIONBIO } },
	{ "ioctl", { 1, LOW_WORD, SIOCGIFINDEX } }, /* for fe80::1%eth0 */
	{ "mmap", { 2, PROT_EXEC, 0 } },
	{ "mmap", { 2, PROT_WRITE, 0 } },
	{ "mmap2", { 2, PROT_EXEC, 0 } },
	{ "mmap2", { 2, PROT_WRITE, 0 } },
	{ "mprotect", { 2, PROT_EXEC, 0 } },
	{ "socket", { 0, LOW_WORD, AF_INET } },
	{ "socket", { 0, LOW_WORD, AF_INET6 } },
	{ "socket", { 0, LOW_WORD, AF_NETLINK } }, /* see exclusions */
	{ "socketpair", { 1, TYPE_MASK, SOCK_SEQPACKET } },
};

/* The notifier also starts deliveries, which then confine themselves further. */
static const char *const notifier_calls[] = { "alarm", "capget", "execve", "fork",
	"landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self",
	"pidfd_send_signal", "seccomp", "setitimer", "vfork", "wait4", "waitid", NULL };

static const struct rule notifier_rules[] = {
	{ "clone", { 0, CLONE_FOREIGN, 0 } },
	{ "prlimit64", { 0, LOW_WORD, 0 } },           /* its own limits (pid 0) */
	{ "prctl", { 0, LOW_WORD, PR_CAPBSET_READ } }, /* libcap calls it when it is loaded */
	{ "prctl", { 0, LOW_WORD, PR_GET_SECCOMP } },
	{ "prctl", { 0, LOW_WORD, PR_SET_NO_NEW_PRIVS } },
	{ "prctl", { 0, LOW_WORD, PR_SET_PDEATHSIG } },
	{ "prctl", { 0, LOW_WORD, PR_SET_SECCOMP } },
	{ "prctl", { 0, LOW_WORD, PR_SET_DUMPABLE } }, /* see exclusions */
};

/* The role is not opened to its siblings again. */
static const struct exclusion exclude_dumpable = { "prctl", 2,
	{ { 0, SCMP_CMP_MASKED_EQ, LOW_WORD, PR_SET_DUMPABLE }, { 1, SCMP_CMP_NE, 0, 0 } } };

static const struct exclusion exclusions[] = {
	{ "socket", 2,
		{ { 0, SCMP_CMP_MASKED_EQ, LOW_WORD, AF_NETLINK },
			{ 2, SCMP_CMP_NE, NETLINK_ROUTE, 0 } } },
	{ "socketpair", 1, { { 0, SCMP_CMP_NE, AF_UNIX, 0 } } },
};

enum { LIST_COMMON, LIST_ENGINE, LIST_NETWORK, LIST_NOTIFIER, LISTS };

static const struct filter_list lists[LISTS] = {
	[LIST_COMMON] = { common_calls, common_rules,
		sizeof(common_rules) / sizeof(common_rules[0]) },
	[LIST_ENGINE] = { engine_calls, engine_rules,
		sizeof(engine_rules) / sizeof(engine_rules[0]) },
	[LIST_NETWORK] = { network_calls, network_rules,
		sizeof(network_rules) / sizeof(network_rules[0]) },
	[LIST_NOTIFIER] = { notifier_calls, notifier_rules,
		sizeof(notifier_rules) / sizeof(notifier_rules[0]) },
};

/* The lists of each role; the firewall role has no allow-list. */
static const bool allowed[][LISTS] = {
	[SANDBOX_ENGINE] = { [LIST_COMMON] = true, [LIST_ENGINE] = true },
	[SANDBOX_NOTIFIER] = { [LIST_COMMON] = true,
		[LIST_NETWORK] = true,
		[LIST_NOTIFIER] = true },
	[SANDBOX_DELIVERY] = { [LIST_COMMON] = true, [LIST_NETWORK] = true },
};

/* number: a result of libseccomp, a negative errno value. */
static int filter_error(struct error *err, int number, const char *what)
{
	return error_errno(err, -number, "seccomp: cannot add %s", what);
}

/* Adds one rule. A name that libseccomp does not know at all is a mistake in our tables; one that
 * only this architecture lacks is known. */
static int filter_add(scmp_filter_ctx filter, uint32_t action, const char *call,
	const struct scmp_arg_cmp *compare, unsigned int n_compare, struct error *err)
{
	int number = seccomp_syscall_resolve_name(call);
	int rc;

	if (number == __NR_SCMP_ERROR)
		return error_set(err, "seccomp: unknown system call %s", call);
	rc = seccomp_rule_add_array(filter, action, number, n_compare, compare);
	return rc < 0 ? filter_error(err, rc, call) : 0;
}

static int filter_add_check(scmp_filter_ctx filter, uint32_t action, const char *call,
	const struct filter_check *check, struct error *err)
{
	const struct scmp_arg_cmp compare = { .arg = check->argument,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = check->mask,
		.datum_b = check->value };

	return filter_add(filter, action, call, &compare, 1, err);
}

static int filter_exclude(scmp_filter_ctx filter, const struct exclusion *exclusion,
	struct error *err)
{
	return filter_add(filter, SCMP_ACT_ERRNO(EPERM), exclusion->call, exclusion->compare,
		exclusion->n_compare, err);
}

/* Allows a call: with any arguments in the outer filter, and as the check says in the inner one. */
static int filter_allow(scmp_filter_ctx filter, const char *call, const struct filter_check *check,
	bool inner, struct error *err)
{
	if (inner)
		return filter_add_check(filter, SCMP_ACT_ALLOW, call, check, err);
	return filter_add(filter, SCMP_ACT_ALLOW, call, NULL, 0, err);
}

static int filter_add_names(scmp_filter_ctx filter, uint32_t action, const char *const *calls,
	struct error *err)
{
	for (; *calls; calls++)
		if (filter_add(filter, action, *calls, NULL, 0, err) < 0)
			return -1;
	return 0;
}

static int filter_add_rules(scmp_filter_ctx filter, const struct filter_list *list, bool inner,
	struct error *err)
{
	for (size_t i = 0; i < list->n_rules; i++)
		if (filter_allow(filter, list->rules[i].call, &list->rules[i].check, inner, err) <
			0)
			return -1;
	return 0;
}

/* Allows signals to the own process, for abort() and raise(). */
static int filter_add_kill(scmp_filter_ctx filter, bool inner, struct error *err)
{
	const struct filter_check own = { 0, LOW_WORD, (uint32_t)getpid() };

	if (filter_allow(filter, "kill", &own, inner, err) < 0)
		return -1;
	return filter_allow(filter, "tgkill", &own, inner, err);
}

static scmp_filter_ctx filter_start(uint32_t action, struct error *err)
{
	scmp_filter_ctx filter = seccomp_init(action);
	int rc;

	if (!filter) {
		error_set(err, "seccomp: cannot make a filter");
		return NULL;
	}
	/* CTL_NNP 0: no_new_privs is set already. ACT_BADARCH: we make no calls of another ABI
	 * (32-bit, x32). CTL_OPTIMIZE 2: a binary tree, because the lists have 150 names. */
	rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc < 0) {
		filter_error(err, rc, "an attribute");
		seccomp_release(filter);
		return NULL;
	}
	return filter;
}

static int filter_add_refusals(scmp_filter_ctx filter, bool inner, struct error *err)
{
	for (size_t i = 0; i < sizeof(common_refusals) / sizeof(common_refusals[0]); i++) {
		const struct filter_refusal *refusal = &common_refusals[i];

		/* EPERM is what the inner filter does anyway, and libseccomp refuses such a rule.
		 */
		if (inner && refusal->number == EPERM)
			continue;
		if (filter_add(filter, SCMP_ACT_ERRNO((uint32_t)refusal->number), refusal->call,
			    NULL, 0, err) < 0)
			return -1;
	}
	return 0;
}

static scmp_filter_ctx filter_build(enum sandbox_role role, bool inner, struct error *err)
{
	scmp_filter_ctx filter = filter_start(inner ? SCMP_ACT_ERRNO(EPERM) : SANDBOX_BLOCKED, err);
	int rc;

	if (!filter)
		return NULL;
	rc = filter_add_kill(filter, inner, err);
	for (int i = 0; rc == 0 && i < LISTS; i++) {
		if (!allowed[role][i])
			continue;
		rc = filter_add_names(filter, SCMP_ACT_ALLOW, lists[i].calls, err);
		if (rc == 0)
			rc = filter_add_rules(filter, &lists[i], inner, err);
	}
	if (rc == 0)
		rc = filter_add_refusals(filter, inner, err);
	if (rc < 0) {
		seccomp_release(filter);
		return NULL;
	}
	return filter;
}

static int filter_load(scmp_filter_ctx filter, struct error *err)
{
	int rc = seccomp_load(filter);

	return rc < 0 ? error_errno(err, -rc, "seccomp: cannot load the filter") : 0;
}

static int load_exclusions(struct error *err)
{
	scmp_filter_ctx filter = filter_start(SCMP_ACT_ALLOW, err);
	int rc;

	if (!filter)
		return -1;
	rc = filter_exclude(filter, &exclude_dumpable, err);
	for (size_t i = 0; rc == 0 && i < sizeof(exclusions) / sizeof(exclusions[0]); i++)
		rc = filter_exclude(filter, &exclusions[i], err);
	if (rc == 0)
		rc = filter_load(filter, err);
	seccomp_release(filter);
	return rc;
}

/* Loads the inner filter before the outer one. It allows the system call seccomp, with which the
 * outer one is loaded; the outer one then forbids it, except to the notifier. */
static int load_allow_list(enum sandbox_role role, struct error *err)
{
	scmp_filter_ctx inner = filter_build(role, true, err);
	scmp_filter_ctx outer = inner ? filter_build(role, false, err) : NULL;
	int rc = -1;

	if (outer && filter_add(inner, SCMP_ACT_ALLOW, "seccomp", NULL, 0, err) == 0 &&
		load_exclusions(err) == 0 && filter_load(inner, err) == 0)
		rc = filter_load(outer, err);
	if (inner)
		seccomp_release(inner);
	if (outer)
		seccomp_release(outer);
	return rc;
}

/* Denies new namespaces; clone3, whose flags a filter cannot see, makes libc call clone. */
static int filter_add_clone(scmp_filter_ctx filter, struct error *err)
{
	static const uint64_t flags[] = { CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
		CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET };

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		const struct filter_check check = { 0, flags[i], flags[i] };

		if (filter_add_check(filter, SCMP_ACT_ERRNO(EPERM), "clone", &check, err) < 0)
			return -1;
	}
	return filter_add(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", NULL, 0, err);
}

static int load_deny_list(struct error *err)
{
	/* TIOCSTI would type commands into the terminal from which the daemon was started. */
	const struct filter_check terminal = { 1, LOW_WORD, TIOCSTI };
	scmp_filter_ctx filter = filter_start(SCMP_ACT_ALLOW, err);
	int rc;

	if (!filter)
		return -1;
	rc = filter_add_names(filter, SCMP_ACT_ERRNO(EPERM), denied_calls, err);
	if (rc == 0)
		rc = filter_add_clone(filter, err);
	if (rc == 0)
		rc = filter_add_check(filter, SCMP_ACT_ERRNO(EPERM), "ioctl", &terminal, err);
	if (rc == 0)
		rc = filter_exclude(filter, &exclude_dumpable, err);
	if (rc == 0)
		rc = filter_load(filter, err);
	seccomp_release(filter);
	return rc;
}

int seccomp_enter(enum sandbox_role role, bool *ret_loaded, struct error *err)
{
	bool has_seccomp = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 || errno != EINVAL;
	int rc = 0;

	if (has_seccomp)
		rc = role == SANDBOX_FIREWALL ? load_deny_list(err) : load_allow_list(role, err);
	if (rc == 0)
		*ret_loaded = has_seccomp;
	return rc;
}
