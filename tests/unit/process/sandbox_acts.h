#ifndef VG_SANDBOX_ACTS_H
#define VG_SANDBOX_ACTS_H

/* For sandbox_test: what a confined process tries. Each act returns an exit status. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/error.h"
#include "process/sandbox.h"

/* Exit statuses of the confined children. */
enum { DONE = 0, REFUSED = 1, WRONG = 2, NO_ENTRY = 3, NO_USER = 4, NO_LANDLOCK = 5 };

enum { PATH_BYTES = 256 };

static char root[PATH_BYTES];    /* rwx for the test's user, outside the domain */
static char logs[PATH_BYTES];    /* in the domain, read only */
static char state[PATH_BYTES];   /* in the domain, to write */
static char outside[PATH_BYTES]; /* a file in none */
static pid_t victim;             /* same uid as the confined process */
static uint16_t listening[2];    /* ports on the loopback */

static struct sandbox_report report;

static void join(char *out, const char *dir, const char *name)
{
	int length = snprintf(out, PATH_BYTES, "%s/%s", dir, name);

	if (length < 0 || length >= PATH_BYTES)
		abort();
}

static int errno_is(long rc, int number)
{
	return rc < 0 && errno == number ? DONE : WRONG;
}

/* 0, or the errno of connecting to a port of the loopback. */
static int connect_to(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	rc = fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

static int write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, "line\n", 5) != 5)
		return WRONG;
	return close(fd) == 0 ? DONE : WRONG;
}

static int read_file(const char *path)
{
	char bytes[8];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == EACCES ? REFUSED : WRONG;
	if (read(fd, bytes, sizeof(bytes)) != 5)
		return WRONG;
	return close(fd) == 0 ? DONE : WRONG;
}

static int do_read_log(void)
{
	char path[PATH_BYTES];
	unsigned int generation;
	int fd;

	join(path, logs, "messages");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* tmpfs knows no generation: ENOTTY; only the filter answers EPERM. */
	if (fd < 0 || (ioctl(fd, FS_IOC_GETVERSION, &generation) < 0 && errno == EPERM))
		return WRONG;
	return read_file(path);
}

static int do_write_log(void)
{
	char path[PATH_BYTES];

	join(path, logs, "new");
	return errno_is(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), EACCES);
}

static int do_read_outside(void)
{
	return read_file(outside) == REFUSED ? DONE : WRONG;
}

static int do_list(void)
{
	DIR *dir = opendir(logs);
	int n = 0;

	if (!dir)
		return WRONG;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n >= 3 ? DONE : WRONG;
}

static int do_rotate_state(void)
{
	char from[PATH_BYTES], to[PATH_BYTES];

	join(from, state, "a");
	join(to, state, "b");
	if (write_file(from) || rename(from, to) || write_file(from) || truncate(to, 0) == 0)
		return WRONG;
	return unlink(to) == 0 ? DONE : WRONG;
}

static int do_files(void)
{
	char path[PATH_BYTES], other[PATH_BYTES];

	join(path, state, "a");
	join(other, state, "b");
	if (write_file(path) || rename(path, other) || write_file(path))
		return WRONG;
	return unlink(other) == 0 && read_file(path) == DONE ? DONE : WRONG;
}

static int do_sqlite(void)
{
	char path[PATH_BYTES];
	sqlite3 *db = NULL;
	int rc;

	join(path, state, "db");
	rc = sqlite3_open(path, &db);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db,
			"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(a);"
			"INSERT INTO t VALUES(1); SELECT * FROM t; PRAGMA wal_checkpoint(TRUNCATE)",
			NULL, NULL, NULL);
	return sqlite3_close(db) == SQLITE_OK && rc == SQLITE_OK ? DONE : WRONG;
}

static int do_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return WRONG;
	return errno_is(setrlimit(RLIMIT_NOFILE, &limit), EPERM);
}

static int do_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int do_raw_socket(void)
{
	return errno_is(socket(AF_PACKET, SOCK_RAW, 0), EPERM);
}

static int do_sockets(void)
{
	static const int families[] = { AF_INET, AF_INET6, AF_NETLINK };

	/* A family the kernel lacks is none of the filter's business. */
	for (int i = 0; i < 3; i++) {
		int fd = socket(families[i], SOCK_DGRAM, 0);

		if (fd < 0 && errno != EAFNOSUPPORT)
			return WRONG;
	}
	return DONE;
}

static int do_map_code(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? errno_is(-1, EPERM) : WRONG;
}

static int do_map_writable_code(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? errno_is(-1, EPERM) : WRONG;
}

static int do_make_code(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return WRONG;
	return errno_is(mprotect(memory, 4096, PROT_READ | PROT_EXEC), EPERM);
}

static int do_map_library(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? WRONG : DONE;
}

static int do_exec(void)
{
	execl("/bin/true", "true", NULL);
	return WRONG;
}

static int do_exec_other(void)
{
	execl("/bin/true", "true", NULL);
	return errno == EACCES ? DONE : WRONG;
}

static int do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? WRONG : DONE;
}

static int do_namespace(void)
{
	return errno_is(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), EPERM);
}

static int do_ptrace(void)
{
	return errno_is(ptrace(PTRACE_ATTACH, victim, NULL, NULL), EPERM);
}

static int do_setns(void)
{
	return errno_is(syscall(SYS_unshare, 0), EPERM);
}

static int do_read_memory(void)
{
	struct iovec iov = { &victim, sizeof(victim) };

	return errno_is(syscall(SYS_process_vm_readv, victim, &iov, 1, &iov, 1, 0), EPERM);
}

static int do_kill_other(void)
{
	if (errno_is(kill(victim, 0), EPERM) || errno_is(kill(-1, 0), EPERM))
		return WRONG;
	return errno_is(syscall(SYS_tgkill, victim, victim, 0), EPERM);
}

static int do_kill_any(void)
{
	return kill(victim, 0) == 0 ? DONE : WRONG;
}

static int do_kill_self(void)
{
	return kill(getpid(), 0) == 0 && syscall(SYS_tgkill, getpid(), gettid(), 0) == 0 ? DONE
											 : WRONG;
}

static int do_signal_by_file(void)
{
	int ends[2];

	if (pipe(ends) < 0)
		return WRONG;
	if (errno_is(fcntl(ends[0], F_SETOWN, victim), EPERM))
		return WRONG;
	return errno_is(fcntl(ends[0], F_SETSIG, SIGKILL), EPERM);
}

static int do_pidfd_of_other(void)
{
	return errno_is(syscall(SYS_pidfd_open, victim, 0), ENOSYS);
}

static int do_pidfd_by_proc(void)
{
	char path[PATH_BYTES];

	(void)snprintf(path, sizeof(path), "/proc/%d", victim);
	return errno_is(open(path, O_RDONLY | O_DIRECTORY), EACCES);
}

static int do_signal_queue(void)
{
	siginfo_t info = { .si_code = SI_QUEUE };

	return (int)syscall(SYS_rt_sigqueueinfo, getpid(), SIGCONT, &info);
}

static int do_dumpable(void)
{
	struct stat status;

	/* The kernel gives /proc/PID of a closed process to root. */
	if (stat("/proc/self/mem", &status) < 0)
		return WRONG;
	return status.st_uid == 0 ? DONE : WRONG;
}

static int run_program(const char *mode, int *ret_status)
{
	int pidfd = -1;
	pid_t pid = sandbox_fork(&pidfd);

	if (pid < 0 || (pid > 0 && pidfd < 0))
		return -1;
	if (pid == 0) {
		execl("/proc/self/exe", "sandbox_test", mode, logs, state, NULL);
		_exit(WRONG);
	}
	if (strcmp(mode, "hang") == 0 && sandbox_kill(pidfd, SIGKILL) < 0)
		return -1;
	return waitpid(pid, ret_status, 0) == pid ? 0 : -1;
}

static int do_deliver(void)
{
	int status;

	if (run_program("deliver", &status) < 0)
		return WRONG;
	return WIFEXITED(status) ? WEXITSTATUS(status) : WRONG;
}

static int do_end_delivery(void)
{
	int status;

	if (run_program("hang", &status) < 0)
		return WRONG;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? DONE : WRONG;
}

static int do_start_engine(void)
{
	int status;

	if (run_program("engine", &status) < 0)
		return WRONG;
	return WIFEXITED(status) ? WEXITSTATUS(status) : WRONG;
}

static int do_names(void)
{
	/* nsswitch.conf and passwd, which enter() names, and libraries, opened late */
	return getpwuid(0) ? DONE : WRONG;
}

static int do_read_etc(void)
{
	return errno_is(open("/etc/group", O_RDONLY | O_CLOEXEC), EACCES);
}

/* One port of two that listen; nobody listens on a third. */
static int do_limit_ports(void)
{
	const uint16_t port = listening[0];
	struct error err;

	if (connect_to(listening[0]) != 0 || connect_to(listening[1]) != 0)
		return WRONG;
	if (sandbox_limit_ports(&port, 1, &err) < 0)
		return WRONG;
	if (report.landlock_abi < 4)
		return NO_LANDLOCK;
	if (connect_to(listening[0]) != 0 || connect_to(listening[1]) != EACCES)
		return WRONG;
	return connect_to(listening[1] + 1) == EACCES ? DONE : WRONG;
}

static int do_bind(void)
{
	const struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (report.landlock_abi < 4)
		return NO_LANDLOCK;
	return errno_is(bind(fd, (const struct sockaddr *)&any, sizeof(any)), EACCES);
}

static int do_report(void)
{
	bool same =
		report.landlock == LANDLOCK_ON ? report.landlock_abi > 0 : report.landlock_abi == 0;

	return report.seccomp && same ? DONE : WRONG;
}

static int do_no_new_privs(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? DONE : WRONG;
}

#endif
