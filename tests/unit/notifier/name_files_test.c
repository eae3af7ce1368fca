/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "notifier/name_files.h"
#include "process/sandbox.h"

enum { DONE = 0, WRONG = 1, NO_ENTRY = 2, NO_LANDLOCK = 3 };

static char dir[] = "/tmp/name_files_test.XXXXXX";

static void write_file(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static bool is_told(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1;
}

static int confine(struct name_files *files)
{
	const struct passwd *nobody = getpwnam("nobody");
	struct sandbox_report report;
	struct error err;

	if (geteuid() == 0 && (!nobody || sandbox_become(nobody->pw_uid, nobody->pw_gid, "nobody",
						  false, &err) < 0))
		return NO_ENTRY;
	name_files_init(files, files->paths, files->count);
	if (sandbox_enter(SANDBOX_NOTIFIER, files->paths, files->count, &report, &err) < 0)
		return NO_ENTRY;
	return report.landlock == LANDLOCK_ON ? DONE : NO_LANDLOCK;
}

/* Is stale once the parent has changed the files, and not before. */
static int watch(const struct sandbox_path *paths, size_t count, int request, int answer)
{
	struct name_files files = { .paths = paths, .count = count };
	int rc = confine(&files);

	if (rc != DONE)
		return rc;
	if (name_files_are_stale(&files) || write(answer, "x", 1) != 1 || !is_told(request))
		return WRONG;
	return name_files_are_stale(&files) ? DONE : WRONG;
}

/* change: called between both looks. */
static void run(const struct sandbox_path *paths, size_t count, void (*change)(const char *path))
{
	int request[2];
	int answer[2];
	int status;
	pid_t pid;

	assert_int_equal(pipe2(request, O_CLOEXEC), 0);
	assert_int_equal(pipe2(answer, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(answer[0]);
		_exit(watch(paths, count, request[0], answer[1]));
	}
	close(answer[1]);
	if (is_told(answer[0])) {
		change(paths[count - 1].path);
		assert_int_equal(write(request[1], "x", 1), 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(request[0]);
	close(request[1]);
	close(answer[0]);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_LANDLOCK) {
		print_message("skipped: the kernel has no Landlock\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), DONE);
}

static void replace(const char *path)
{
	char other[128];

	(void)snprintf(other, sizeof(other), "%s.new", path);
	write_file(other, 0644);
	assert_int_equal(rename(other, path), 0);
}

static void appear(const char *path)
{
	write_file(path, 0644);
}

/* As DHCP clients do; with a file beside it that could never be read. */
static void replaced(void **unused)
{
	char resolv[64];
	char closed[64];
	const struct sandbox_path paths[] = { { closed, false }, { resolv, false } };

	(void)unused;
	(void)snprintf(resolv, sizeof(resolv), "%s/resolv.conf", dir);
	(void)snprintf(closed, sizeof(closed), "%s/closed", dir);
	write_file(resolv, 0644);
	write_file(closed, 0000);
	run(paths, 2, replace);
}

static void appeared(void **unused)
{
	char late[64];
	const struct sandbox_path paths[] = { { late, false } };

	(void)unused;
	(void)snprintf(late, sizeof(late), "%s/late", dir);
	run(paths, 1, appear);
}

static int make_dir(void **unused)
{
	(void)unused;
	return mkdtemp(dir) && chmod(dir, 0755) == 0 ? 0 : -1;
}

static int drop_dir(void **unused)
{
	static const char *const names[] = { "resolv.conf", "closed", "late" };
	char path[64];

	(void)unused;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replaced),
		cmocka_unit_test(appeared),
	};

	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
