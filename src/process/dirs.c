#include "process/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "process/launch.h"
#include "process/sandbox.h"

enum { STATE_MODE = 0700, RUN_MODE = 0755, SOCKET_MODE = 0660 };

/* As mkdir -p: the parents get mode 0755. A directory that exists is left as it is. */
static int make_directory(const char *path, mode_t mode, struct error *err)
{
	cleanup_free char *copy = alloc_string(path);
	size_t length = strlen(copy);
	struct stat info;

	/* so that the loop does not take "/a/b/" for a parent of itself */
	while (length > 1 && copy[length - 1] == '/')
		copy[--length] = '\0';
	for (char *at = copy + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return error_errno(err, errno, "cannot make %s", copy);
		*at = '/';
	}
	if (mkdir(copy, mode) == 0) /* chmod, since the umask may have taken bits away */
		return chmod(copy, mode) == 0
			       ? 0
			       : error_errno(err, errno, "cannot set the mode of %s", path);
	if (errno != EEXIST)
		return error_errno(err, errno, "cannot make %s", path);
	if (stat(path, &info) < 0 || !S_ISDIR(info.st_mode))
		return error_set(err, "%s is not a directory", path);
	return 0;
}

/* Gives the directory and the database's files to the user; an earlier run may have made them as
 * another one. */
static int own_directory(const char *path, uid_t uid, gid_t gid, struct error *err)
{
	static const char *const files[] = { "", "/state.db", "/state.db-wal", "/state.db-shm" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		cleanup_free char *file = alloc_format("%s%s", path, files[i]);
		cleanup_close int fd = open(file, O_PATH | O_CLOEXEC | (i ? O_NOFOLLOW : 0));
		struct stat info;

		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || fstat(fd, &info) < 0)
			return error_errno(err, errno, "cannot look at %s", file);
		/* the daemon's user can put anything into the directory: a link to a file of root
		 * must not be given to him */
		if (!S_ISDIR(info.st_mode) && (!S_ISREG(info.st_mode) || info.st_nlink != 1))
			continue;
		if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
			return error_errno(err, errno, "cannot give %s to the daemon's user", file);
	}
	return 0;
}

int dirs_lock(const char *state_dir, int *ret_fd, struct error *err)
{
	int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, errno, "cannot use the state directory %s", state_dir);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*ret_fd = fd;
		return 0;
	}
	if (errno == EWOULDBLOCK)
		(void)error_set(err, "another voipguard is running with the state of %s",
			state_dir);
	else
		(void)error_errno(err, errno, "cannot lock %s", state_dir);
	(void)close(fd); /* it holds no lock */
	return -1;
}

int dirs_state(const char *state_dir, int *ret_lock_fd, struct error *err)
{
	if (make_directory(state_dir, STATE_MODE, err) < 0)
		return -1;
	return dirs_lock(state_dir, ret_lock_fd, err);
}

int dirs_give_back(const char *state_dir, struct error *err)
{
	struct stat info;

	if (stat(state_dir, &info) < 0)
		return error_errno(err, errno, "cannot look at %s", state_dir);
	return own_directory(state_dir, info.st_uid, info.st_gid, err);
}

static int find_user(const char *name, struct passwd *ret_user, struct error *err)
{
	static char storage[4096];
	struct passwd *found = NULL;
	int rc = getpwnam_r(name, ret_user, storage, sizeof(storage), &found);

	if (rc == 0 && !found)
		return error_set(err, "there is no user '%s' (see --user)", name);
	if (rc != 0)
		return error_errno(err, rc, "cannot look up user '%s'", name);
	if (ret_user->pw_uid == 0)
		return error_set(err, "the daemon does not run as root: name another --user");
	return 0;
}

/* Whether a running daemon listens at this path; a socket file that an earlier run left refuses the
 * connection. EAGAIN: somebody listens, and the backlog is full. */
static bool socket_answers(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool answers;

	if (fd < 0)
		return false;
	answers = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
		  errno == EAGAIN;
	(void)close(fd); /* nothing was sent */
	return answers;
}

static int bind_socket(const char *path, uid_t uid, gid_t gid, bool as_root, int *ret_fd,
	struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat info;
	mode_t mask;
	int fd;
	int rc;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(err, "the path of the control socket is too long: %s", path);
	memcpy(address.sun_path, path, strlen(path));
	if (socket_answers(&address))
		return error_set(err, "another voipguard is running at %s", path);
	if (lstat(path, &info) == 0 && !S_ISSOCK(info.st_mode))
		return error_set(err, "%s is there and is no socket", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(err, errno, "cannot remove the old socket %s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_errno(err, errno, "cannot make the control socket");
	mask = umask((mode_t)~SOCKET_MODE & 0777);
	rc = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	(void)umask(mask); /* cannot fail */
	if (rc == 0 && as_root)
		rc = lchown(path, uid, gid);
	if (rc < 0) {
		(void)error_errno(err, errno, "cannot make the control socket %s", path);
		(void)close(fd);
		return -1;
	}
	*ret_fd = fd;
	return 0;
}

int dirs_prepare(const struct run_options *options, int *ret_listen_fd, struct error *err)
{
	cleanup_free char *socket_copy = alloc_string(options->socket_path);
	const char *run_dir = dirname(socket_copy);
	bool as_root = geteuid() == 0;
	struct passwd user = { .pw_uid = geteuid(), .pw_gid = getegid() };
	bool need_net_admin = !options->dry_run;
	bool new_run_dir = access(run_dir, F_OK) < 0;
	int lock_fd;

	if (as_root) {
		if (find_user(options->user, &user, err) < 0 ||
			make_directory(options->state_dir, STATE_MODE, err) < 0 ||
			own_directory(options->state_dir, user.pw_uid, user.pw_gid, err) < 0 ||
			make_directory(run_dir, RUN_MODE, err) < 0)
			return -1;
		if (new_run_dir && lchown(run_dir, user.pw_uid, user.pw_gid) < 0)
			return error_errno(err, errno, "cannot give %s to '%s'", run_dir,
				options->user);
	} else if (access(options->state_dir, R_OK | W_OK | X_OK) < 0) {
		return error_errno(err, errno, "cannot use the state directory %s",
			options->state_dir);
	}
	/* lock_fd stays open until this process ends. The lock comes before the socket, because a
	 * daemon that is still starting holds it and does not answer yet. */
	if (dirs_lock(options->state_dir, &lock_fd, err) < 0)
		return -1;
	if (bind_socket(options->socket_path, user.pw_uid, user.pw_gid, as_root, ret_listen_fd,
		    err) < 0)
		return -1;
	if (sandbox_become(user.pw_uid, user.pw_gid, options->user, need_net_admin, err) == 0)
		return 0;
	(void)close(*ret_listen_fd); /* nobody can have connected: it is not listening */
	return -1;
}
