#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "process/dirs.h"
#include "process/launch.h"

enum { PATH_BYTES = 256 };

static char root[64];
static char state_dir[PATH_BYTES];
static char run_dir[PATH_BYTES];
static char socket_path[PATH_BYTES];
static struct passwd nobody;

static void remove_tree(const char *path, int depth)
{
	DIR *dir = depth < 4 ? opendir(path) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char inner[PATH_BYTES * 2];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (unlink(inner) < 0)
			remove_tree(inner, depth + 1);
	}
	if (dir)
		(void)closedir(dir);
	(void)rmdir(path);
}

static int make_root(void **state)
{
	const struct passwd *found = getpwnam("nobody");

	(void)state;
	(void)snprintf(root, sizeof(root), "/tmp/place_test.XXXXXX");
	if (!found || !mkdtemp(root) || chmod(root, 0755) < 0)
		return -1;
	nobody = *found;
	(void)snprintf(state_dir, sizeof(state_dir), "%s/var/lib", root);
	(void)snprintf(run_dir, sizeof(run_dir), "%s/run/vg", root);
	(void)snprintf(socket_path, sizeof(socket_path), "%s/run/vg/control", root);
	return 0;
}

static int drop_root(void **state)
{
	(void)state;
	remove_tree(root, 0);
	return 0;
}

static struct run_options options(void)
{
	return (struct run_options){ .state_dir = state_dir,
		.user = "nobody",
		.socket_path = socket_path,
		.config_dir = "/c",
		.dry_run = true };
}

/* 0: connects; else errno. */
static int connects(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int number;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	number = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
	(void)close(fd);
	return number;
}

/* In a child, since it gives up its user. "": it held; else the sentence. */
static const char *prepare(const struct run_options *used, bool as_nobody, int (*look)(int fd))
{
	static char text[ERROR_TEXT_MAX];
	struct error err = { "" };
	int status = -1;
	int ends[2];
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = -2;
		int rc;

		if (as_nobody && (setgid(nobody.pw_gid) < 0 || setuid(nobody.pw_uid) < 0))
			_exit(9);
		rc = dirs_prepare(used, &fd, &err);
		if (rc < 0)
			(void)!write(ends[1], err.text, strlen(err.text));
		_exit(rc < 0 ? 1 : look ? look(fd) : 0);
	}
	(void)close(ends[1]);
	got = read(ends[0], text, sizeof(text) - 1);
	text[got < 0 ? 0 : got] = '\0';
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), text[0] ? 1 : 0);
	return text;
}

static void assert_place(const char *path, mode_t mode, uid_t uid)
{
	struct stat info;

	if (lstat(path, &info) < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(info.st_mode & 07777, mode);
	assert_int_equal(info.st_uid, uid);
}

static void need_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("needs root\n");
	skip();
}

/* The socket is bound, not listening, and the user is the other. */
static int look_at_new(int fd)
{
	int listening = 1;
	socklen_t size = sizeof(listening);

	if (getuid() != nobody.pw_uid || geteuid() != nobody.pw_uid || getgid() != nobody.pw_gid)
		return 2;
	if (setuid(0) == 0)
		return 3;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0 || listening)
		return 4;
	if (connects(socket_path) != ECONNREFUSED || listen(fd, 4) < 0 || connects(socket_path))
		return 5;
	return fcntl(fd, F_GETFD) & FD_CLOEXEC && fcntl(fd, F_GETFL) & O_NONBLOCK ? 0 : 6;
}

static void test_new(void **state)
{
	struct run_options used = options();
	char path[PATH_BYTES * 2];

	(void)state;
	need_root();
	assert_string_equal(prepare(&used, false, look_at_new), "");
	assert_place(state_dir, 0700, nobody.pw_uid);
	assert_place(run_dir, 0755, nobody.pw_uid);
	assert_place(socket_path, 0660, nobody.pw_uid);
	(void)snprintf(path, sizeof(path), "%s/var", root);
	assert_place(path, 0755, 0);
	(void)snprintf(path, sizeof(path), "%s/run", root);
	assert_place(path, 0755, 0);
}

/* Slashes at the end change nothing. */
static void test_slashes(void **state)
{
	struct run_options used = options();
	char path[PATH_BYTES + 2];

	(void)state;
	need_root();
	(void)snprintf(path, sizeof(path), "%s//", state_dir);
	used.state_dir = path;
	assert_string_equal(prepare(&used, false, NULL), "");
	assert_place(state_dir, 0700, nobody.pw_uid);
}

/* What is there stays, but is given to the user; an old socket is replaced. */
static void test_again(void **state)
{
	struct run_options used = options();
	char file[PATH_BYTES * 2];
	char link[PATH_BYTES * 2];
	char hard[PATH_BYTES * 2];
	char other[PATH_BYTES];
	FILE *out;

	(void)state;
	need_root();
	assert_string_equal(prepare(&used, false, NULL), "");
	(void)snprintf(other, sizeof(other), "%s/other", root);
	out = fopen(other, "w");
	assert_non_null(out);
	assert_int_equal(fclose(out), 0);
	(void)snprintf(file, sizeof(file), "%s/state.db", state_dir);
	out = fopen(file, "w");
	assert_non_null(out);
	assert_true(fputs("kept", out) >= 0);
	assert_int_equal(fclose(out), 0);
	(void)snprintf(link, sizeof(link), "%s/state.db-wal", state_dir);
	assert_int_equal(symlink(other, link), 0);
	(void)snprintf(hard, sizeof(hard), "%s/state.db-shm", state_dir);
	assert_int_equal(linkat(AT_FDCWD, other, AT_FDCWD, hard, 0), 0);
	assert_int_equal(chown(run_dir, 0, 0), 0);
	assert_string_equal(prepare(&used, false, look_at_new), "");
	assert_place(file, 0644, nobody.pw_uid);
	assert_place(run_dir, 0755, 0); /* another's: only a new one is given away */
	assert_place(socket_path, 0660, nobody.pw_uid);
	assert_place(other, 0644, 0); /* a link in the user's directory leads nowhere */
}

static void test_running(void **state)
{
	struct run_options used = options();
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *text;

	(void)state;
	need_root();
	assert_string_equal(prepare(&used, false, NULL), "");
	assert_int_equal(unlink(socket_path), 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", socket_path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 0), 0);
	text = prepare(&used, false, NULL);
	assert_non_null(strstr(text, "another voipguard is running"));
	/* and again, now that its backlog is full */
	assert_non_null(strstr(prepare(&used, false, NULL), "another voipguard is running"));
	assert_int_equal(access(socket_path, F_OK), 0);
	(void)close(fd);
	assert_string_equal(prepare(&used, false, NULL), "");
}

/* The socket of a daemon that starts does not answer yet: the state tells. */
static void test_locked(void **state)
{
	struct run_options used = options();
	struct error err = { "" };
	int again = -1;
	int fd = -1;

	(void)state;
	need_root();
	assert_int_equal(dirs_lock(state_dir, &fd, &err), -1);
	assert_non_null(strstr(err.text, "cannot use the state directory"));
	assert_string_equal(prepare(&used, false, NULL), ""); /* has ended: so has its lock */
	assert_int_equal(dirs_lock(state_dir, &fd, &err), 0);
	assert_int_equal(dirs_lock(state_dir, &again, &err), -1);
	assert_int_equal(again, -1);
	assert_non_null(strstr(prepare(&used, false, NULL), "running with the state of"));
	assert_int_equal(access(socket_path, F_OK), 0); /* perhaps the other's */
	(void)close(fd);
	assert_string_equal(prepare(&used, false, NULL), "");
}

static void test_no_socket(void **state)
{
	struct run_options used = options();

	(void)state;
	need_root();
	assert_string_equal(prepare(&used, false, NULL), "");
	assert_int_equal(unlink(socket_path), 0);
	assert_int_equal(close(open(socket_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	assert_non_null(strstr(prepare(&used, false, NULL), "is no socket"));
	assert_int_equal(access(socket_path, F_OK), 0);
}

static void test_errors(void **state)
{
	struct run_options used = options();
	char path[PATH_BYTES];
	FILE *out;

	(void)state;
	need_root();
	used.user = "no-such-user";
	assert_non_null(strstr(prepare(&used, false, NULL), "no user 'no-such-user'"));
	assert_int_equal(access(state_dir, F_OK), -1);
	used.user = "root";
	assert_non_null(strstr(prepare(&used, false, NULL), "does not run as root"));
	used = options();
	(void)snprintf(path, sizeof(path), "%s/%0200d", root, 1);
	used.socket_path = path;
	assert_non_null(strstr(prepare(&used, false, NULL), "too long"));
	used = options();
	(void)snprintf(path, sizeof(path), "%s/file", root);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fclose(out), 0);
	used.state_dir = path;
	assert_non_null(strstr(prepare(&used, false, NULL), "is not a directory"));
	(void)snprintf(path, sizeof(path), "%s/file/below", root);
	assert_non_null(strstr(prepare(&used, false, NULL), "cannot make"));
}

/* As another user nothing is made but the socket. */
static void test_unprivileged(void **state)
{
	struct run_options used = options();
	char path[PATH_BYTES * 2];

	(void)state;
	need_root();
	assert_non_null(strstr(prepare(&used, true, NULL), "cannot use the state directory"));
	assert_int_equal(access(state_dir, F_OK), -1);
	(void)snprintf(path, sizeof(path), "%s/mine", root);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chown(path, nobody.pw_uid, nobody.pw_gid), 0);
	used.state_dir = path;
	(void)snprintf(socket_path, sizeof(socket_path), "%s/mine/control", root);
	assert_string_equal(prepare(&used, true, NULL), "");
	assert_place(used.socket_path, 0660, nobody.pw_uid);
	used.dry_run = false;
	assert_true(prepare(&used, true, NULL)[0]); /* it has no CAP_NET_ADMIN */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new, make_root, drop_root),
		cmocka_unit_test_setup_teardown(test_slashes, make_root, drop_root),
		cmocka_unit_test_setup_teardown(test_again, make_root, drop_root),
		cmocka_unit_test_setup_teardown(test_running, make_root, drop_root),
		cmocka_unit_test_setup_teardown(test_locked, make_root, drop_root),
		cmocka_unit_test_setup_teardown(test_no_socket, make_root, drop_root),
		cmocka_unit_test_setup_teardown(test_errors, make_root, drop_root),
		cmocka_unit_test_setup_teardown(test_unprivileged, make_root, drop_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
