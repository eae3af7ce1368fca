/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "process/sandbox.h"

/* What the kernel answers to calls of each role: the filters are tested as libseccomp has compiled
 * them, not as our tables ask for them. The arguments are such that the kernel by itself would
 * answer otherwise than the filter. */

/* The answer of a row besides an errno value and 0, which is any success. */
enum { KILLED = -1, UNTRIED = -2 };

/* Arguments that are known at run time only. */
enum { OWN_PID = 0x7f000001, VICTIM, PAGE, LIMIT };

enum { PAGE_BYTES = 4096, WRONG_TYPE = 15, UNKNOWN = 9999 };

/* The kernel takes an int: what stands above it must not mislead a comparison. */
#define ABOVE(value) ((1L << 32) | (value))
#define TEXT(text) ((long)(text))
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)

static const struct row {
	const char *name;
	long number;
	int answers[4]; /* by enum sandbox_role */
	long arguments[6];
} rows[] = {
	/* The role stays closed to its siblings. */
	{ "prctl(DUMPABLE, 0)", SYS_prctl, { 0, EPERM, 0, EPERM }, { PR_SET_DUMPABLE, 0 } },
	{ "prctl(DUMPABLE, 1)", SYS_prctl, { EPERM, EPERM, EPERM, EPERM }, { PR_SET_DUMPABLE, 1 } },
	{ "prctl(DUMPABLE, 2)", SYS_prctl, { EPERM, EPERM, EPERM, EPERM }, { PR_SET_DUMPABLE, 2 } },
	{ "prctl(DUMPABLE, 1 << 32)", SYS_prctl, { EPERM, EPERM, EPERM, EPERM },
		{ PR_SET_DUMPABLE, ABOVE(0) } },
	{ "prctl(above | DUMPABLE, 1)", SYS_prctl, { EPERM, EPERM, EPERM, EPERM },
		{ ABOVE(PR_SET_DUMPABLE), 1 } },
	{ "prctl(NAME)", SYS_prctl, { 0, 0, 0, 0 }, { PR_SET_NAME, TEXT("name") } },
	{ "prctl(KEEPCAPS)", SYS_prctl, { 0, EPERM, EPERM, EPERM }, { PR_SET_KEEPCAPS, 1 } },
	{ "prctl(PDEATHSIG)", SYS_prctl, { 0, EPERM, 0, EPERM }, { PR_SET_PDEATHSIG, 0 } },
	{ "prctl(NO_NEW_PRIVS)", SYS_prctl, { 0, EPERM, 0, EPERM }, { PR_SET_NO_NEW_PRIVS, 1 } },
	{ "prctl(SECCOMP)", SYS_prctl, { EINVAL, EPERM, EINVAL, EPERM },
		{ PR_SET_SECCOMP, UNKNOWN } },
	{ "prctl(AMBIENT)", SYS_prctl, { 0, EPERM, EPERM, EPERM },
		{ PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL } },
	{ "prctl(unknown)", SYS_prctl, { EINVAL, EPERM, EPERM, EPERM }, { UNKNOWN } },
	{ "ptrace", SYS_ptrace, { EPERM, KILLED, KILLED, KILLED }, { PTRACE_PEEKUSER, OWN_PID } },
	{ "process_vm_readv", SYS_process_vm_readv, { EPERM, KILLED, KILLED, KILLED },
		{ OWN_PID } },
	{ "process_vm_writev", SYS_process_vm_writev, { EPERM, KILLED, KILLED, KILLED },
		{ OWN_PID } },
	{ "pidfd_getfd", SYS_pidfd_getfd, { EPERM, KILLED, KILLED, KILLED }, { -1 } },
	{ "pidfd_open", SYS_pidfd_open, { 0, ENOSYS, ENOSYS, ENOSYS }, { OWN_PID } },
	{ "kcmp", SYS_kcmp, { EPERM, KILLED, KILLED, KILLED }, { OWN_PID, OWN_PID } },

	/* Signals */
	{ "kill(self)", SYS_kill, { 0, 0, 0, 0 }, { OWN_PID, 0 } },
	{ "kill(other)", SYS_kill, { 0, EPERM, EPERM, EPERM }, { VICTIM, 0 } },
	{ "kill(all)", SYS_kill, { 0, EPERM, EPERM, EPERM }, { -1, 0 } },
	{ "kill(group)", SYS_kill, { 0, EPERM, EPERM, EPERM }, { 0, 0 } },
	{ "tgkill(self)", SYS_tgkill, { 0, 0, 0, 0 }, { OWN_PID, OWN_PID, 0 } },
	{ "tgkill(other)", SYS_tgkill, { 0, EPERM, EPERM, EPERM }, { VICTIM, VICTIM, 0 } },
	{ "tkill(other)", SYS_tkill, { 0, KILLED, KILLED, KILLED }, { VICTIM, 0 } },
	{ "rt_sigqueueinfo", SYS_rt_sigqueueinfo, { EFAULT, KILLED, KILLED, KILLED }, { VICTIM } },
	{ "pidfd_send_signal", SYS_pidfd_send_signal, { EBADF, KILLED, EBADF, KILLED }, { -1 } },
	{ "fcntl(GETFL)", SYS_fcntl, { EBADF, EBADF, EBADF, EBADF }, { -1, F_GETFL } },
	{ "fcntl(SETOWN)", SYS_fcntl, { EBADF, EPERM, EPERM, EPERM }, { -1, F_SETOWN, VICTIM } },
	{ "fcntl(above | SETOWN)", SYS_fcntl, { EBADF, EPERM, EPERM, EPERM },
		{ -1, ABOVE(F_SETOWN), VICTIM } },
	{ "fcntl(SETSIG)", SYS_fcntl, { EBADF, EPERM, EPERM, EPERM }, { -1, F_SETSIG, SIGKILL } },
	{ "ioctl(FIOSETOWN)", SYS_ioctl, { EBADF, EPERM, EPERM, EPERM }, { -1, FIOSETOWN } },
	{ "ioctl(FIONREAD)", SYS_ioctl, { EBADF, EBADF, EBADF, EBADF }, { -1, FIONREAD } },
	{ "ioctl(TIOCSTI)", SYS_ioctl, { EPERM, EPERM, EPERM, EPERM }, { -1, TIOCSTI } },
	{ "ioctl(above | TIOCSTI)", SYS_ioctl, { EPERM, EPERM, EPERM, EPERM },
		{ -1, ABOVE(TIOCSTI) } },
	{ "ioctl(GETVERSION)", SYS_ioctl, { EBADF, EBADF, EPERM, EPERM },
		{ -1, FS_IOC_GETVERSION } },
	{ "ioctl(FIONBIO)", SYS_ioctl, { EBADF, EPERM, EBADF, EBADF }, { -1, FIONBIO } },
	{ "ioctl(SIOCGIFINDEX)", SYS_ioctl, { EBADF, EPERM, EBADF, EBADF }, { -1, SIOCGIFINDEX } },

	/* Sockets; of a wrong type, where the kernel might refuse the family. */
	{ "socket(UNIX)", SYS_socket, { 0, KILLED, EPERM, EPERM }, { AF_UNIX, SOCK_STREAM } },
	{ "socketpair(SEQPACKET)", SYS_socketpair, { EFAULT, KILLED, EFAULT, EFAULT },
		{ AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC } },
	{ "socketpair(DGRAM)", SYS_socketpair, { EFAULT, KILLED, EPERM, EPERM },
		{ AF_UNIX, SOCK_DGRAM } },
	{ "socketpair(TIPC)", SYS_socketpair, { UNTRIED, KILLED, EPERM, EPERM },
		{ AF_TIPC, SOCK_SEQPACKET } },
	{ "socket(INET)", SYS_socket, { 0, KILLED, 0, 0 }, { AF_INET, SOCK_STREAM } },
	{ "socket(INET6)", SYS_socket, { EINVAL, KILLED, EINVAL, EINVAL },
		{ AF_INET6, WRONG_TYPE } },
	{ "socket(NETLINK, ROUTE)", SYS_socket, { 0, KILLED, 0, 0 },
		{ AF_NETLINK, SOCK_RAW, NETLINK_ROUTE } },
	{ "socket(NETLINK, NETFILTER)", SYS_socket, { EINVAL, KILLED, EPERM, EPERM },
		{ AF_NETLINK, WRONG_TYPE, NETLINK_NETFILTER } },
	/* protocols with the numbers of families that are allowed */
	{ "socket(NETLINK, 1)", SYS_socket, { EINVAL, KILLED, EPERM, EPERM },
		{ AF_NETLINK, WRONG_TYPE, AF_UNIX } },
	{ "socket(NETLINK, 2)", SYS_socket, { EINVAL, KILLED, EPERM, EPERM },
		{ AF_NETLINK, WRONG_TYPE, AF_INET } },
	{ "socket(NETLINK, 10)", SYS_socket, { EINVAL, KILLED, EPERM, EPERM },
		{ AF_NETLINK, WRONG_TYPE, AF_INET6 } },
	{ "socket(PACKET)", SYS_socket, { EINVAL, KILLED, EPERM, EPERM },
		{ AF_PACKET, WRONG_TYPE } },
	{ "socket(above | PACKET)", SYS_socket, { EINVAL, KILLED, EPERM, EPERM },
		{ ABOVE(AF_PACKET), WRONG_TYPE } },
	{ "socket(VSOCK)", SYS_socket, { EINVAL, KILLED, EPERM, EPERM }, { AF_VSOCK, WRONG_TYPE } },
	{ "socket(ALG)", SYS_socket, { EINVAL, KILLED, EPERM, EPERM }, { AF_ALG, WRONG_TYPE } },
	{ "connect", SYS_connect, { EBADF, KILLED, EBADF, EBADF }, { -1 } },
	{ "bind", SYS_bind, { EBADF, KILLED, EBADF, EBADF }, { -1 } },
	{ "listen", SYS_listen, { EBADF, KILLED, KILLED, KILLED }, { -1 } },
	{ "accept", SYS_accept, { EBADF, KILLED, KILLED, KILLED }, { -1 } },
	{ "setsockopt(SOCKET)", SYS_setsockopt, { EBADF, EBADF, EBADF, EBADF },
		{ -1, SOL_SOCKET, SO_RCVBUF } },
	{ "setsockopt(IP)", SYS_setsockopt, { EBADF, EPERM, EBADF, EBADF }, { -1, SOL_IP, 1 } },

	/* Processes and programs */
	{ "execve", SYS_execve, { EFAULT, KILLED, EFAULT, KILLED }, { 0 } },
	{ "execveat", SYS_execveat, { EFAULT, KILLED, KILLED, KILLED }, { -1 } },
	{ "clone", SYS_clone, { 0, KILLED, 0, KILLED }, { SIGCHLD } },
	{ "clone(NEWUSER)", SYS_clone, { EPERM, KILLED, EPERM, KILLED },
		{ CLONE_NEWUSER | SIGCHLD } },
	{ "clone(NEWNET)", SYS_clone, { EPERM, KILLED, EPERM, KILLED },
		{ CLONE_NEWNET | SIGCHLD } },
	{ "clone(NEWNS)", SYS_clone, { EPERM, KILLED, EPERM, KILLED }, { CLONE_NEWNS | SIGCHLD } },
	{ "clone(NEWPID)", SYS_clone, { EPERM, KILLED, EPERM, KILLED },
		{ CLONE_NEWPID | SIGCHLD } },
	{ "clone(THREAD)", SYS_clone, { EINVAL, KILLED, EPERM, KILLED }, { CLONE_THREAD } },
	{ "clone3", SYS_clone3, { ENOSYS, ENOSYS, ENOSYS, ENOSYS }, { 0 } },
	{ "prlimit64(read)", SYS_prlimit64, { 0, 0, 0, 0 }, { 0, RLIMIT_NOFILE, 0 } },
	{ "prlimit64(read other)", SYS_prlimit64, { 0, 0, 0, 0 }, { VICTIM, RLIMIT_NOFILE, 0 } },
	{ "prlimit64(write)", SYS_prlimit64, { 0, EPERM, 0, EPERM }, { 0, RLIMIT_NOFILE, LIMIT } },
	{ "prlimit64(other)", SYS_prlimit64, { 0, EPERM, EPERM, EPERM },
		{ VICTIM, RLIMIT_NOFILE, LIMIT } },
	{ "seccomp", SYS_seccomp, { EINVAL, KILLED, EINVAL, KILLED }, { UNKNOWN } },
	{ "landlock_restrict_self", SYS_landlock_restrict_self, { UNTRIED, KILLED, EBADF, KILLED },
		{ -1 } },

	/* Memory that is executable */
	{ "mmap(write)", SYS_mmap, { 0, 0, 0, 0 },
		{ 0, PAGE_BYTES, PROT_READ | PROT_WRITE, PRIVATE, -1 } },
	{ "mmap(exec)", SYS_mmap, { 0, EPERM, 0, 0 },
		{ 0, PAGE_BYTES, PROT_READ | PROT_EXEC, PRIVATE, -1 } },
	{ "mmap(write, exec)", SYS_mmap, { 0, EPERM, EPERM, EPERM },
		{ 0, PAGE_BYTES, PROT_WRITE | PROT_EXEC, PRIVATE, -1 } },
	{ "mprotect(read)", SYS_mprotect, { 0, 0, 0, 0 }, { PAGE, PAGE_BYTES, PROT_READ } },
	{ "mprotect(exec)", SYS_mprotect, { 0, EPERM, EPERM, EPERM },
		{ PAGE, PAGE_BYTES, PROT_READ | PROT_EXEC } },
	{ "pkey_mprotect", SYS_pkey_mprotect, { 0, KILLED, KILLED, KILLED },
		{ PAGE, PAGE_BYTES, PROT_READ | PROT_EXEC, -1 } },
	{ "memfd_create", SYS_memfd_create, { 0, KILLED, KILLED, KILLED }, { TEXT("x") } },
	{ "shmat", SYS_shmat, { EINVAL, KILLED, KILLED, KILLED }, { -1 } },
	{ "personality", SYS_personality, { EPERM, KILLED, KILLED, KILLED }, { 0xffffffff } },

	/* Files. Where the engine may, the kernel gives an error that is not the filter's. */
	{ "openat", SYS_openat, { EBADF, EBADF, EBADF, EBADF }, { -1, TEXT("x") } },
	{ "unlinkat", SYS_unlinkat, { EFAULT, EFAULT, KILLED, KILLED }, { -1 } },
	{ "renameat", SYS_renameat, { EFAULT, EFAULT, KILLED, KILLED }, { -1 } },
	{ "mkdirat", SYS_mkdirat, { EFAULT, EFAULT, KILLED, KILLED }, { -1 } },
	{ "ftruncate", SYS_ftruncate, { EBADF, EBADF, KILLED, KILLED }, { -1 } },
	{ "fchmod", SYS_fchmod, { EBADF, EBADF, KILLED, KILLED }, { -1 } },
	{ "fchown", SYS_fchown, { EBADF, EPERM, EPERM, EPERM }, { -1 } },
	{ "truncate", SYS_truncate, { EFAULT, KILLED, KILLED, KILLED }, { 0 } },
	{ "fchmodat", SYS_fchmodat, { EFAULT, KILLED, KILLED, KILLED }, { -1 } },
	{ "fchownat", SYS_fchownat, { EFAULT, KILLED, KILLED, KILLED }, { -1 } },
	{ "linkat", SYS_linkat, { EFAULT, KILLED, KILLED, KILLED }, { -1 } },
	{ "symlinkat", SYS_symlinkat, { EFAULT, KILLED, KILLED, KILLED }, { 0, -1 } },
	{ "mknodat", SYS_mknodat, { EFAULT, KILLED, KILLED, KILLED }, { -1, 0, 0010000 } },
	{ "setxattr", SYS_setxattr, { EFAULT, KILLED, KILLED, KILLED }, { 0 } },

	/* Other rights */
	{ "setuid", SYS_setuid, { EINVAL, KILLED, KILLED, KILLED }, { -1 } },
	{ "setresuid", SYS_setresuid, { 0, KILLED, KILLED, KILLED }, { -1, -1, -1 } },
	{ "setgid", SYS_setgid, { EINVAL, KILLED, KILLED, KILLED }, { -1 } },
	{ "capset", SYS_capset, { EFAULT, KILLED, KILLED, KILLED }, { 0 } },
	{ "setpriority", SYS_setpriority, { EINVAL, KILLED, KILLED, KILLED }, { UNKNOWN } },
};

#define DENIED(call)                                                                               \
	{                                                                                          \
#call, SYS_##call                                                                  \
	}

/* EPERM for the firewall role and its descendants; the end of any other role. */
static const struct {
	const char *name;
	long number;
} denied[] = { DENIED(add_key), DENIED(adjtimex), DENIED(bpf), DENIED(chroot),
	DENIED(clock_settime), DENIED(delete_module), DENIED(finit_module), DENIED(fsmount),
	DENIED(fsopen), DENIED(init_module), DENIED(io_uring_setup), DENIED(keyctl),
	DENIED(kexec_load), DENIED(mount), DENIED(mount_setattr), DENIED(move_mount),
	DENIED(name_to_handle_at), DENIED(open_by_handle_at), DENIED(open_tree),
	DENIED(perf_event_open), DENIED(pivot_root), DENIED(process_madvise), DENIED(reboot),
	DENIED(request_key), DENIED(setns), DENIED(sethostname), DENIED(swapon), DENIED(syslog),
	DENIED(umount2), DENIED(unshare), DENIED(userfaultfd) };

static const char *const role_names[] = { "firewall", "engine", "notifier", "delivery" };

enum { AS_STATED = 0, OTHERWISE = 100, NO_ENTRY = 101 };

static pid_t victim; /* same user as the confined process */

static int become_nobody(void)
{
	const struct passwd *nobody = getpwnam("nobody");
	struct error err;

	if (geteuid() != 0)
		return 0;
	return nobody ? sandbox_become(nobody->pw_uid, nobody->pw_gid, "nobody", false, &err) : -1;
}

/* Fills in what a row leaves open. */
static void fill_arguments(const struct row *row, long ret_arguments[6])
{
	static struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		abort();
	for (int i = 0; i < 6; i++) {
		long value = row->arguments[i];

		if (value == OWN_PID)
			value = getpid();
		else if (value == VICTIM)
			value = victim;
		else if (value == LIMIT)
			value = (long)&limit;
		else if (value == PAGE)
			value = (long)mmap(NULL, PAGE_BYTES, PROT_READ, PRIVATE, -1, 0);
		ret_arguments[i] = value;
	}
}

/* In a child: makes the call, and returns an exit status. */
static int make_call(const struct row *row, enum sandbox_role role)
{
	struct sandbox_report report;
	struct error err;
	long with[6];
	long rc;

	if (become_nobody() < 0)
		return NO_ENTRY;
	fill_arguments(row, with);
	if (sandbox_enter(role, NULL, 0, &report, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return NO_ENTRY;
	}
	errno = 0;
	rc = syscall(row->number, with[0], with[1], with[2], with[3], with[4], with[5]);
	if ((rc == -1 ? errno : 0) == row->answers[role])
		return AS_STATED;
	return rc == -1 && errno < OTHERWISE && errno > 0 ? errno : OTHERWISE;
}

/* Returns whether the kernel answers as the row says. */
static bool holds(const struct row *row, enum sandbox_role role)
{
	pid_t pid;
	int status;

	if (row->answers[role] == UNTRIED)
		return true;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(make_call(row, role));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (row->answers[role] == KILLED ? WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS
					 : WIFEXITED(status) && WEXITSTATUS(status) == AS_STATED)
		return true;
	print_error("%s: %s: expected %d, wait status %#x\n", role_names[role], row->name,
		row->answers[role], (unsigned int)status);
	return false;
}

static int n_wrong(const struct row *row)
{
	int count = 0;

	for (int role = SANDBOX_FIREWALL; role <= SANDBOX_DELIVERY; role++)
		count += !holds(row, (enum sandbox_role)role);
	return count;
}

static void answers(void **unused)
{
	int count = 0;

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		count += n_wrong(&rows[i]);
	assert_int_equal(count, 0);
}

static void denials(void **unused)
{
	int count = 0;

	(void)unused;
	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
		const struct row row = { denied[i].name, denied[i].number,
			{ EPERM, KILLED, KILLED, KILLED }, { 0 } };

		count += n_wrong(&row);
	}
	assert_int_equal(count, 0);
}

static int start_victim(void **unused)
{
	int ready[2];
	char byte;

	(void)unused;
	if (pipe(ready) < 0)
		return -1;
	victim = fork();
	if (victim == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (become_nobody() < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		(void)pause();
		_exit(0);
	}
	return victim > 0 && read(ready[0], &byte, 1) == 1 ? 0 : -1;
}

static int end_victim(void **unused)
{
	(void)unused;
	return kill(victim, SIGKILL) == 0 && waitpid(victim, NULL, 0) == victim ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(denials),
	};

	return cmocka_run_group_tests(tests, start_victim, end_victim);
}
