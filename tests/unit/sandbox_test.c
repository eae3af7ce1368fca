/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
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

#include "error.h"
#include "sandbox.h"

/* Exit statuses of the confined children. */
enum { DONE = 0, REFUSED = 1, WRONG = 2, NO_ENTRY = 3, NO_USER = 4, NO_LANDLOCK = 5 };

enum { PATH_BYTES = 256 };

static char root[PATH_BYTES];    /* rwx for the test's user, outside the domain */
static char logs[PATH_BYTES];    /* in the domain, read only */
static char state[PATH_BYTES];   /* in the domain, to write */
static char outside[PATH_BYTES]; /* a file in none */
static pid_t victim;             /* same uid as the confined process */

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
	static const int families[] = { AF_INET, AF_INET6, AF_UNIX, AF_NETLINK };

	/* A family the kernel lacks is none of the filter's business. */
	for (int i = 0; i < 4; i++) {
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
	/* nsswitch.conf, its libraries and a file of /etc, opened late */
	return getpwuid(0) ? DONE : WRONG;
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

static const struct confined_case {
	const char *name;
	enum sandbox_role role;
	int (*act)(void);
	int signal; /* SIGSYS: the act ends the process */
	bool needs_landlock;
} cases[] = {
	{ "engine reads a log", SANDBOX_ENGINE, do_read_log, 0, false },
	{ "engine lists a directory", SANDBOX_ENGINE, do_list, 0, false },
	{ "engine does not write a log", SANDBOX_ENGINE, do_write_log, 0, true },
	{ "engine does not read elsewhere", SANDBOX_ENGINE, do_read_outside, 0, true },
	{ "engine writes its state", SANDBOX_ENGINE, do_files, 0, false },
	{ "engine has no truncate by name", SANDBOX_ENGINE, do_rotate_state, SIGSYS, false },
	{ "engine keeps a database", SANDBOX_ENGINE, do_sqlite, 0, false },
	{ "engine reads limits only", SANDBOX_ENGINE, do_limits, 0, false },
	{ "engine makes no socket", SANDBOX_ENGINE, do_socket, SIGSYS, false },
	{ "engine maps no code", SANDBOX_ENGINE, do_map_code, 0, false },
	{ "engine makes no code", SANDBOX_ENGINE, do_make_code, 0, false },
	{ "engine executes nothing", SANDBOX_ENGINE, do_exec, SIGSYS, false },
	{ "engine does not fork", SANDBOX_ENGINE, do_fork, SIGSYS, false },
	{ "engine does not trace", SANDBOX_ENGINE, do_ptrace, SIGSYS, false },
	{ "engine signals no other", SANDBOX_ENGINE, do_kill_other, 0, false },
	{ "engine signals itself", SANDBOX_ENGINE, do_kill_self, 0, false },
	{ "engine queues no signal", SANDBOX_ENGINE, do_signal_queue, SIGSYS, false },
	{ "engine signals by no file", SANDBOX_ENGINE, do_signal_by_file, 0, false },
	{ "engine: report", SANDBOX_ENGINE, do_report, 0, false },
	{ "notifier: report", SANDBOX_NOTIFIER, do_report, 0, false },
	{ "notifier makes sockets", SANDBOX_NOTIFIER, do_sockets, 0, false },
	{ "notifier makes no raw socket", SANDBOX_NOTIFIER, do_raw_socket, 0, false },
	{ "notifier resolves", SANDBOX_NOTIFIER, do_names, 0, false },
	{ "notifier maps a library", SANDBOX_NOTIFIER, do_map_library, 0, false },
	{ "notifier maps no writable code", SANDBOX_NOTIFIER, do_map_writable_code, 0, false },
	{ "notifier makes no code", SANDBOX_NOTIFIER, do_make_code, 0, false },
	{ "notifier forks", SANDBOX_NOTIFIER, do_fork, 0, false },
	{ "notifier makes no namespace", SANDBOX_NOTIFIER, do_namespace, 0, false },
	{ "notifier starts a delivery", SANDBOX_NOTIFIER, do_deliver, 0, false },
	{ "notifier ends a delivery", SANDBOX_NOTIFIER, do_end_delivery, 0, false },
	{ "notifier executes nothing else", SANDBOX_NOTIFIER, do_exec_other, 0, true },
	{ "notifier signals no other", SANDBOX_NOTIFIER, do_kill_other, 0, false },
	{ "notifier gets no foreign pidfd", SANDBOX_NOTIFIER, do_pidfd_of_other, 0, false },
	{ "notifier has no /proc", SANDBOX_NOTIFIER, do_pidfd_by_proc, 0, true },
	{ "notifier does not trace", SANDBOX_NOTIFIER, do_ptrace, SIGSYS, false },
	{ "notifier does not read elsewhere", SANDBOX_NOTIFIER, do_read_outside, 0, true },
	{ "delivery makes sockets", SANDBOX_DELIVERY, do_sockets, 0, false },
	{ "delivery does not fork", SANDBOX_DELIVERY, do_fork, SIGSYS, false },
	{ "delivery executes nothing", SANDBOX_DELIVERY, do_exec, SIGSYS, false },
	{ "delivery signals no other", SANDBOX_DELIVERY, do_kill_other, 0, false },
	{ "firewall gains nothing by exec", SANDBOX_FIREWALL, do_no_new_privs, 0, false },
	{ "firewall is closed", SANDBOX_FIREWALL, do_dumpable, 0, false },
	{ "firewall does not trace", SANDBOX_FIREWALL, do_ptrace, 0, false },
	{ "firewall reads no memory", SANDBOX_FIREWALL, do_read_memory, 0, false },
	{ "firewall leaves no namespace", SANDBOX_FIREWALL, do_setns, 0, false },
	{ "firewall makes no namespace", SANDBOX_FIREWALL, do_namespace, 0, false },
	{ "firewall signals its children", SANDBOX_FIREWALL, do_kill_any, 0, false },
	{ "firewall's child confines itself", SANDBOX_FIREWALL, do_start_engine, 0, false },
	{ "firewall: report", SANDBOX_FIREWALL, do_report, 0, false },
};

static const struct passwd *nobody(void)
{
	const struct passwd *entry = getpwnam("nobody");

	if (!entry)
		abort();
	return entry;
}

static int become_nobody(bool net_admin)
{
	struct error err;

	if (geteuid() != 0)
		return 0;
	if (sandbox_become(nobody()->pw_uid, nobody()->pw_gid, "nobody", net_admin, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	return 0;
}

static int enter(enum sandbox_role role)
{
	const struct sandbox_path paths[] = {
		{ logs, false },
		{ state, true },
		{ "/nonexistent/voipguard", false },
	};
	struct error err;

	if (sandbox_enter(role, paths, 3, &report, &err) == 0)
		return 0;
	fprintf(stderr, "%s\n", err.text);
	return -1;
}

static int confined(const struct confined_case *it)
{
	if (become_nobody(false) < 0)
		return NO_USER;
	if (enter(it->role) < 0)
		return NO_ENTRY;
	if (it->needs_landlock && report.landlock != LANDLOCK_ON)
		return NO_LANDLOCK;
	return it->act();
}

static int wait_child(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static pid_t start_victim(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (become_nobody(false) < 0)
			_exit(NO_USER);
		pause();
		_exit(DONE);
	}
	return pid;
}

/* Returns whether the case came out as its row says. */
static bool case_holds(const struct confined_case *it)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(confined(it));
	status = wait_child(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_LANDLOCK) {
		print_message("skipped: %s: the kernel has no Landlock\n", it->name);
		return true;
	}
	if (it->signal ? WIFSIGNALED(status) && WTERMSIG(status) == it->signal
		       : WIFEXITED(status) && WEXITSTATUS(status) == DONE)
		return true;
	print_error("%s: wait status %#x\n", it->name, (unsigned int)status);
	return false;
}

static void roles(void **unused)
{
	int n_failed = 0;

	(void)unused;
	victim = start_victim();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		n_failed += !case_holds(&cases[i]);
	assert_int_equal(kill(victim, SIGKILL), 0);
	wait_child(victim);
	assert_int_equal(n_failed, 0);
}

static int send_byte(int fd)
{
	return write(fd, "x", 1) == 1 ? 0 : -1;
}

static int wait_byte(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1 ? 0 : -1;
}

/* The directory's rule stands on its parent, as the engine sets it. */
static int follow(int request, int answer)
{
	char path[PATH_BYTES];

	join(path, logs, "sub/messages");
	if (become_nobody(false) < 0 || enter(SANDBOX_ENGINE) < 0)
		return NO_ENTRY;
	for (int i = 0; i < 3; i++) {
		if (wait_byte(request) < 0 || read_file(path) != DONE || send_byte(answer) < 0)
			return WRONG;
	}
	return DONE;
}

static void rotation(void **unused)
{
	char dir[PATH_BYTES], old_dir[PATH_BYTES], file[PATH_BYTES], old_file[PATH_BYTES];
	int request[2], answer[2];
	pid_t pid;

	(void)unused;
	join(dir, logs, "sub");
	join(old_dir, logs, "old");
	join(file, dir, "messages");
	join(old_file, dir, "messages.1");
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(write_file(file), DONE);
	assert_int_equal(pipe(request), 0);
	assert_int_equal(pipe(answer), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(answer[0]);
		_exit(follow(request[0], answer[1]));
	}
	close(answer[1]);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(send_byte(request[1]), 0);
		assert_int_equal(wait_byte(answer[0]), 0);
		if (i == 0)
			assert_int_equal(rename(file, old_file), 0);
		if (i == 1) {
			assert_int_equal(rename(dir, old_dir), 0);
			assert_int_equal(mkdir(dir, 0755), 0);
		}
		assert_int_equal(write_file(file), DONE);
	}
	assert_int_equal(wait_child(pid), 0);
	close(request[0]);
	close(request[1]);
	close(answer[0]);
}

static int become_and_look(bool net_admin)
{
	struct error err;
	int status;
	pid_t pid;

	if (become_nobody(net_admin) < 0)
		return NO_USER;
	/* A child of the same user: without sandbox_drop_ambient() it would be refused. */
	pid = fork();
	if (pid == 0) {
		if (sandbox_drop_ambient() == 0)
			execl("/proc/self/exe", "sandbox_test", "engine", logs, state, NULL);
		_exit(WRONG);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		return WRONG;
	if (getuid() == 0 || setuid(0) == 0 || cap_get_bound(CAP_SYS_ADMIN) != 0)
		return WRONG;
	if (cap_get_ambient(CAP_NET_ADMIN) != net_admin)
		return WRONG;
	/* Again, as started by the unit: holds, or says what is missing. */
	if ((sandbox_become(0, 0, "root", true, &err) == 0) != net_admin)
		return WRONG;
	return enter(SANDBOX_ENGINE) < 0 ? NO_ENTRY : DONE;
}

static void user(void **unused)
{
	struct error err;

	(void)unused;
	if (geteuid() != 0) {
		print_message("skipped: changing the user needs root\n");
		skip();
	}
	assert_int_equal(sandbox_become(0, 0, "root", true, &err), -1);
	for (int net_admin = 0; net_admin < 2; net_admin++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(become_and_look(net_admin != 0));
		/* A process with a capability may not become the engine. */
		assert_int_equal(WEXITSTATUS(wait_child(pid)), net_admin ? NO_ENTRY : DONE);
	}
}

static void remove_tree(const char *path, int depth)
{
	DIR *dir = depth < 4 ? opendir(path) : NULL;
	char inner[PATH_BYTES];

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		join(inner, path, entry->d_name);
		if (unlink(inner) < 0)
			remove_tree(inner, depth + 1);
	}
	if (dir)
		closedir(dir);
	(void)rmdir(path);
}

static int make_tree(void **unused)
{
	char path[PATH_BYTES];

	(void)unused;
	(void)snprintf(root, sizeof(root), "/tmp/sandbox_test.XXXXXX");
	if (!mkdtemp(root) || chmod(root, 0755) < 0)
		return -1;
	join(logs, root, "log");
	join(state, root, "state");
	join(outside, root, "outside");
	if (mkdir(logs, 0755) < 0 || mkdir(state, 0777) < 0 || chmod(state, 0777) < 0)
		return -1;
	join(path, logs, "messages");
	return write_file(path) == DONE && write_file(outside) == DONE ? 0 : -1;
}

static int drop_tree(void **unused)
{
	(void)unused;
	remove_tree(root, 0);
	return 0;
}

/* What run_program() starts: a role after exec, under the filter of the one that started it. */
static int program(const char *mode)
{
	char path[PATH_BYTES];

	if (strcmp(mode, "hang") == 0) {
		pause();
		return WRONG;
	}
	if (strcmp(mode, "deliver") == 0) {
		if (enter(SANDBOX_DELIVERY) < 0)
			return NO_ENTRY;
		return do_sockets() == DONE && do_names() == DONE ? do_report() : WRONG;
	}
	if (enter(SANDBOX_ENGINE) < 0)
		return NO_ENTRY;
	join(path, logs, "messages");
	return read_file(path) == DONE && do_kill_self() == DONE ? do_report() : WRONG;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roles),
		cmocka_unit_test(rotation),
		cmocka_unit_test(user),
	};

	if (argc == 4) {
		(void)snprintf(logs, sizeof(logs), "%s", argv[2]);
		(void)snprintf(state, sizeof(state), "%s", argv[3]);
		_exit(program(argv[1]));
	}
	return cmocka_run_group_tests(tests, make_tree, drop_tree);
}
