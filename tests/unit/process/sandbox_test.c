/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "process/sandbox_acts.h"

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
	{ "notifier does not read all of /etc", SANDBOX_NOTIFIER, do_read_etc, 0, true },
	{ "notifier connects to few ports", SANDBOX_NOTIFIER, do_limit_ports, 0, true },
	{ "notifier binds no port", SANDBOX_NOTIFIER, do_bind, 0, true },
	{ "delivery makes sockets", SANDBOX_DELIVERY, do_sockets, 0, false },
	{ "delivery does not read all of /etc", SANDBOX_DELIVERY, do_read_etc, 0, true },
	{ "delivery binds no port", SANDBOX_DELIVERY, do_bind, 0, true },
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
		{ "/etc/nsswitch.conf", false },
		{ "/etc/passwd", false },
	};
	struct error err;

	if (sandbox_enter(role, paths, sizeof(paths) / sizeof(paths[0]), &report, &err) == 0)
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

static void described(void **unused)
{
	static const struct {
		struct sandbox_report report;
		const char *text;
	} rows[] = {
		{ { LANDLOCK_ON, 4, true }, "confined by seccomp and Landlock (ABI 4)" },
		{ { LANDLOCK_ON, 3, true },
			"confined by seccomp and Landlock (ABI 3); the kernel cannot limit ports" },
		{ { LANDLOCK_MISSING, 0, true }, "confined by seccomp; the kernel lacks Landlock" },
		{ { LANDLOCK_BLOCKED, 0, true },
			"confined by seccomp; Landlock is blocked by a filter" },
	};
	char text[128];

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sandbox_describe(&rows[i].report, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
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

static int listen_on_loopback(uint16_t *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t length = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 8) < 0 ||
		getsockname(fd, (struct sockaddr *)&at, &length) < 0)
		return -1;
	*ret_port = ntohs(at.sin_port);
	return 0;
}

static int make_tree(void **unused)
{
	char path[PATH_BYTES];

	(void)unused;
	(void)snprintf(root, sizeof(root), "/tmp/sandbox_test.XXXXXX");
	if (!mkdtemp(root) || chmod(root, 0755) < 0)
		return -1;
	if (listen_on_loopback(&listening[0]) < 0 || listen_on_loopback(&listening[1]) < 0)
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
		cmocka_unit_test(described),
		cmocka_unit_test(user),
	};

	if (argc == 4) {
		(void)snprintf(logs, sizeof(logs), "%s", argv[2]);
		(void)snprintf(state, sizeof(state), "%s", argv[3]);
		_exit(program(argv[1]));
	}
	return cmocka_run_group_tests(tests, make_tree, drop_tree);
}
