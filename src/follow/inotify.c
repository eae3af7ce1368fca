#include "follow/inotify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

enum {
	EVENT_BYTES = 16384,
	/* 4096 reads of 16 KiB are more than four full default queues */
	DRAIN_READS_MAX = 4096
};

static const uint32_t directory_mask = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
				       IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR;

int tail_watch_open(struct tail_watch *watch, struct error *err)
{
	*watch = (struct tail_watch){ .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC) };
	if (watch->fd < 0)
		return error_errno(err, errno, "inotify_init1");
	return 0;
}

void tail_watch_close(struct tail_watch *watch)
{
	for (size_t i = 0; i < watch->n_directories; i++)
		free(watch->directories[i].path);
	free(watch->directories);
	if (watch->fd >= 0)
		(void)close(watch->fd); /* nothing is written to it */
	*watch = (struct tail_watch){ .fd = -1 };
}

void tail_watch_begin(struct tail_watch *watch)
{
	for (size_t i = 0; i < watch->n_directories; i++)
		watch->directories[i].wanted = false;
}

static void directory_add(struct tail_watch *watch, int wd, const char *path)
{
	for (size_t i = 0; i < watch->n_directories; i++) {
		struct tail_watch_directory *directory = &watch->directories[i];

		if (strcmp(directory->path, path) == 0 && directory->wd == wd) {
			directory->wanted = true;
			return;
		}
	}
	if (watch->n_directories == TAIL_WATCH_DIRECTORIES_MAX)
		return;
	watch->directories = alloc_grow(watch->directories, watch->n_directories + 1,
		sizeof(*watch->directories));
	watch->directories[watch->n_directories++] = (struct tail_watch_directory){ .wd = wd,
		.path = alloc_string(path),
		.wanted = true };
}

void tail_watch_directory(struct tail_watch *watch, const char *path)
{
	cleanup_free char *existing = alloc_string(path);
	char *slash;
	int wd;

	for (;;) {
		wd = inotify_add_watch(watch->fd, *existing ? existing : "/", directory_mask);
		if (wd >= 0 || (errno != ENOENT && errno != ENOTDIR))
			break;
		slash = strrchr(existing, '/');
		if (!slash || !*existing)
			break;
		*slash = '\0';
	}
	if (wd >= 0)
		directory_add(watch, wd, existing);
}

static bool is_used(const struct tail_watch *watch, int wd)
{
	for (size_t i = 0; i < watch->n_directories; i++)
		if (watch->directories[i].wd == wd)
			return true;
	return false;
}

void tail_watch_end(struct tail_watch *watch)
{
	struct tail_watch_directory gone;
	size_t i = 0;

	while (i < watch->n_directories) {
		if (watch->directories[i].wanted) {
			i++;
			continue;
		}
		gone = watch->directories[i];
		watch->directories[i] = watch->directories[--watch->n_directories];
		free(gone.path);
		if (!is_used(watch, gone.wd))
			tail_watch_forget(watch, gone.wd);
	}
}

int tail_watch_file(struct tail_watch *watch, const char *path)
{
	return inotify_add_watch(watch->fd, path, IN_MODIFY);
}

void tail_watch_forget(struct tail_watch *watch, int wd)
{
	if (wd >= 0)
		(void)inotify_rm_watch(watch->fd, wd); /* EINVAL: the kernel was first */
}

static void event_tell(struct tail_watch *watch, const struct inotify_event *event,
	const struct tail_watch_events *events)
{
	bool found = false;

	if (event->mask & IN_Q_OVERFLOW)
		events->lost(events->context);
	for (size_t i = 0; i < watch->n_directories; i++) {
		if (watch->directories[i].wd != event->wd)
			continue;
		found = true;
		if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT))
			events->lost(events->context);
		else if (event->len)
			events->named(events->context, watch->directories[i].path, event->name);
	}
	if (!found && event->mask & IN_MODIFY)
		events->modified(events->context, event->wd);
	if (!found && event->mask & IN_IGNORED)
		events->gone(events->context, event->wd);
}

bool tail_watch_drain(struct tail_watch *watch, const struct tail_watch_events *events)
{
	_Alignas(struct inotify_event) char buffer[EVENT_BYTES];
	struct inotify_event *event;
	ssize_t n;
	size_t at;

	for (int i = 0; i < DRAIN_READS_MAX; i++) {
		n = read(watch->fd, buffer, sizeof(buffer));
		if (n <= 0)
			return false;
		for (at = 0; at < (size_t)n; at += sizeof(*event) + event->len) {
			event = (void *)(buffer + at);
			event_tell(watch, event, events);
		}
	}
	return true;
}
