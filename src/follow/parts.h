#ifndef VG_FOLLOW_PARTS_H
#define VG_FOLLOW_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "follow/inotify.h"
#include "follow/tail.h"

struct stat;
struct tail_file;

/* Inside tail: tail.c is the API and the way of one reconcile, names.c goes from patterns to files,
 * positions.c finds the files of an earlier run, entry.c reads the files followed together with
 * those that rotation left behind, rotated.c looks for these, file.c reads one file. */

enum {
	TAIL_WORDS = TAIL_PATTERNS_MAX / 64,
	TAIL_OLD_MAX = 4,           /* files of one path that were rotated away; the oldest goes */
	TAIL_OLD_IDLE_SCANS = 60,   /* quiet so long beside a successor: its writer has moved on */
	TAIL_LOST_IDLE_SCANS = 3600 /* the same without a successor: it was put away */
};

/* A file followed. before: is read to its end before this one (an older one of the same path, or
 * the copy with what this one held before it was truncated); never a cycle. */
struct tail_entry {
	struct tail_file *file; /* owned */
	char *path;             /* owned; the name under which its lines are handed over */
	char *place;            /* owned; where it lies when no name leads to it, or NULL */
	char *key;              /* owned; path of the last position told, or NULL */
	uint64_t patterns[TAIL_WORDS];
	struct tail_entry *before;
	struct tail_entry *copy_of; /* as far as read a copy of that file: handed over there */
	int64_t first_read_end;     /* lines before this offset are first_read */
	/* Rotated files born later than this may hold what nobody has read. All copies made of
	 * it before are older than its last change, when it was opened or was truncated. */
	int64_t unread_after_ns;
	int64_t size_bytes; /* the greatest seen since it was last truncated */
	uint32_t idle_scans;
	uint32_t mark; /* see struct line */
	int wd;
	bool named; /* a pattern leads to it */
	bool final; /* a copy: nobody writes into it any more */
	bool stale; /* a copy that another one has overwritten: not this file any more */
	bool dirty; /* to be read */
	bool begun; /* it has been read from */
	bool moved; /* since its position was last told */
	bool gap;
	bool truncated; /* what it began with is gone */
	bool failed;    /* reading gave an error that was told */
};

/* A path that a pattern leads to. */
struct tail_name {
	char *path; /* owned */
	uint64_t patterns[TAIL_WORDS];
	struct tail_entry *entry; /* or NULL: not open */
	char *told;               /* owned; why it is not open, or NULL */
	int64_t begin;            /* size when first seen, -1: not yet */
	bool found;               /* by the patterns in this scan */
	bool restored;            /* an earlier run read a file of this name */
	bool gap;
};

struct tail_pattern {
	char *text; /* owned */
	bool from_head;
	bool known;
	bool seen; /* a scan has looked for its files */
};

struct tail_stored {
	char *path;  /* owned; the name it was followed under */
	char *place; /* owned; where it lay when rotated away, or NULL */
	struct tail_position position;
};

struct tail {
	struct tail_callbacks callbacks;
	struct tail_watch watch;
	size_t n_patterns;
	struct tail_pattern patterns[TAIL_PATTERNS_MAX];
	size_t n_names; /* sorted by path */
	struct tail_name *names;
	size_t n_entries;
	struct tail_entry **entries;
	size_t n_stored;
	struct tail_stored *stored; /* until the first scan */
	size_t n_forgotten;
	char **forgotten; /* owned; keys whose files are done with */
	size_t next;      /* entry that the next reconcile reads first */
	uint64_t cut_lines;
	bool want_scan;
	bool told_too_many;
	unsigned char *buffer;
};

#endif
