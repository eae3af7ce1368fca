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
 * those that rotation left behind, rotated.c looks for these, file.c reads one file.
 *
 * Rotation renames a log, after which a new file gets its name (log becomes log.1), or copies it
 * and truncates it then, so that the copy is another file with the same bytes ("copytruncate").
 * Either way the log may hold lines that nobody has read yet, and they come before those of the
 * file that has the log's name now. */

enum {
	TAIL_WORDS = TAIL_PATTERNS_MAX / 64,
	TAIL_OLD_MAX = 4, /* files of one path that were rotated away; of more the oldest goes */
	/* A file that was rotated away is let go when it was quiet for so many scans: beside a file
	 * that has its name now, since then its writer writes there; and without such a file. */
	TAIL_OLD_IDLE_SCANS = 60,
	TAIL_LOST_IDLE_SCANS = 3600
};

/* A file followed. The file `before` is read to its end before this one: it is an older one of the
 * same path, or the copy of what this one held before it was truncated. There is never a cycle. */
struct tail_entry {
	struct tail *tail;      /* borrowed; it owns this entry */
	struct tail_file *file; /* owned */
	char *path;             /* owned; the name under which its lines are handed over */
	char *place;            /* owned; where it lies when no name leads to it, or NULL */
	char *key;              /* owned; path of the last position told, or NULL */
	uint64_t patterns[TAIL_WORDS];
	struct tail_entry *before;
	/* This file is a copy of that one, as far as that was read: its lines were handed over
	 * there. */
	struct tail_entry *copy_of;
	int64_t first_read_end; /* lines before this offset are first_read */
	/* Rotated files born later than this may hold lines that nobody has read: it is the time of
	 * the file's last change when it was opened or truncated, and all copies that were made of
	 * it before are older. */
	int64_t unread_after_ns;
	int64_t size_bytes; /* the greatest seen since it was last truncated */
	uint32_t idle_scans;
	uint32_t mark; /* see struct line */
	int wd;
	bool named; /* a pattern leads to it */
	bool final; /* a copy: nobody writes into it any more */
	/* copytruncate has replaced the content of this copy by another log's: the entry no longer
	 * describes the file of that name. */
	bool overwritten;
	bool dirty;     /* to be read */
	bool begun;     /* its first line has been handed over, or passed over */
	bool moved;     /* it was read further since its position was last told */
	bool gap;       /* lines of it are lost, which was told */
	bool truncated; /* what it began with is gone */
	bool failed;    /* reading gave an error, which was told */
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
	bool gap;                 /* for the entry, when there is one */
};

struct tail_pattern {
	char *text; /* owned */
	bool from_head;
	bool known;
	bool seen; /* a scan has looked for its files */
};

/* A position of an earlier run, whose file is to be found. */
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
	size_t n_names;
	struct tail_name *names; /* owned; sorted by path */
	size_t n_entries;
	struct tail_entry **entries; /* owned */
	size_t n_stored;
	struct tail_stored *stored; /* owned; until the first scan */
	size_t n_forgotten;
	char **forgotten; /* owned; keys whose files are done with */
	size_t next;      /* entry that the next reconcile reads first */
	uint64_t cut_lines;
	bool want_scan; /* a name may have come or gone */
	bool told_too_many;
	unsigned char *buffer; /* owned; see struct tail_file_sink */
};

#endif
