#ifndef VG_INOTIFY_H
#define VG_INOTIFY_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* inotify: it watches directories for names that come and go, and followed files for writing. What
 * cannot be watched (no room, no permission) is left to the check every second. */
enum { TAIL_WATCH_DIRECTORIES_MAX = 1024 };

struct tail_watch_directory {
	int wd;     /* inotify's number of the watch */
	char *path; /* owned */
	bool wanted;
};

struct tail_watch {
	int fd;
	size_t n_directories;
	struct tail_watch_directory *directories; /* owned */
};

struct tail_watch_events {
	void (*modified)(void *context, int wd);
	void (*gone)(void *context, int wd); /* the watch of a file has ended */
	void (*named)(void *context, const char *directory, const char *name); /* came or went */
	void (*lost)(void *context); /* events are missing: everything is to be looked at */
	void *context;
};

int tail_watch_open(struct tail_watch *watch, struct error *err);
void tail_watch_close(struct tail_watch *watch);

/* Between begin and end every directory is named that is wanted; the others are let go. A path that
 * does not exist stands for its nearest ancestor that does. */
void tail_watch_begin(struct tail_watch *watch);
void tail_watch_directory(struct tail_watch *watch, const char *path);
void tail_watch_end(struct tail_watch *watch);

/* Returns the watch's number or -1. */
int tail_watch_file(struct tail_watch *watch, const char *path);
void tail_watch_forget(struct tail_watch *watch, int wd);

/* Calls back for what happened; true: the bound on one call was reached, and there may be more. */
bool tail_watch_drain(struct tail_watch *watch, const struct tail_watch_events *events);

#endif
