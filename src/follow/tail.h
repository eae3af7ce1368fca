#ifndef VG_TAIL_H
#define VG_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct line;
struct tail;

/* Follows the files of a set of glob patterns. Events are hints, the files are the truth: inotify,
 * the overflow of its queue and the check every second all lead to tail_reconcile(). */
enum {
	/* Bytes; see struct line. As many as a line of nginx's access log has up to the status, if
	 * all of a name and a path of 8 KiB each is written as \xNN. */
	TAIL_LINE_MAX = 61440,
	TAIL_HEAD_MAX = 1024,   /* bytes of an only_head line */
	TAIL_AHEAD_BYTES = 512, /* see struct line */
	TAIL_FILES_MAX = 1024,
	TAIL_PATTERNS_MAX = 512
};

/* Which file it is, whatever its name. An inode number does not tell: ext4 hands it out again at
 * once. */
struct tail_identity {
	uint64_t device;
	uint64_t inode;
	uint64_t generation; /* FS_IOC_GETVERSION, 0 where the file system has none */
	int64_t born_ns;     /* statx birth time, 0 where there is none */
};

/* How far a file has been read: offset stands behind the last line that was handed over, or inside
 * one that was cut, whose rest comes then. hash is of the (at most 4096) bytes before it.
 * mark: see struct line. */
struct tail_position {
	const char *path; /* borrowed */
	struct tail_identity identity;
	int64_t offset;
	uint64_t hash;
	uint32_t mark;
};

enum tail_state { TAIL_FOLLOWING, TAIL_WAITING, TAIL_UNREADABLE, TAIL_GAP };

struct tail_file_info {
	const char *path; /* for a pattern without any file yet: the pattern (TAIL_WAITING) */
	enum tail_state state;
	int64_t offset;
	int64_t lag_bytes;                         /* size - offset */
	uint64_t patterns[TAIL_PATTERNS_MAX / 64]; /* bit n: pattern n wants it */
};

/* A callback must not call back into tail. */
struct tail_callbacks {
	/* An only_head line comes if it is no longer than TAIL_HEAD_MAX. */
	void (*line)(void *context, const struct line *line);
	/* A sentence for the operator's log: a gap, a truncation, a file that cannot be read
	 * (with the group that could), once per change. priority as in syslog. */
	void (*note)(void *context, int priority, const char *text);
	void *context;
};

int tail_new(const struct tail_callbacks *callbacks, struct tail **ret_tail, struct error *err);
void tail_free(struct tail *tail);

/* Before the first reconcile: a position from the database. */
void tail_restore(struct tail *tail, const struct tail_position *position);

/* Adds pattern and returns its number (from 0) or -1. known: an earlier run followed this pattern,
 * so that a file without a position has appeared since, and is read from its first byte; otherwise
 * a file that exists now is read from its end, or with from_head from its first byte too. */
int tail_add(struct tail *tail, const char *pattern, bool from_head, bool known, struct error *err);

/* The inotify descriptor, for the loop. Readable: call tail_reconcile. */
int tail_fd(const struct tail *tail);

/* Drains inotify, finds files that are new, renamed, truncated or gone, reads what is there and
 * hands over its lines; at most about budget_bytes a call (0: no limit). scan: looks at every file
 * and directory even if no event said so (the check every second, and the first call). Returns true
 * if there is more to read at once. Idempotent. */
bool tail_reconcile(struct tail *tail, bool scan, size_t budget_bytes);

/* Calls back with the position of every file followed, or (only_moved) of those that were read
 * further since the last call. Each is to be kept under its path, which for a file that was rotated
 * away and is still read is a name of our own ("/var/log/a//var/log/a.1"). offset -1: what is kept
 * under that path is to be forgotten. */
void tail_positions(struct tail *tail, bool only_moved,
	void (*each)(void *context, const struct tail_position *position), void *context);
/* Calls back for every file and every pattern that waits for one. */
void tail_files(const struct tail *tail,
	void (*each)(void *context, const struct tail_file_info *info), void *context);

uint64_t tail_cut_lines(const struct tail *tail);

/* The directories that must be readable for all this, as absolute paths, for confinement: the
 * parent of the longest directory without wildcards, or its nearest ancestor that exists, and the
 * directories of files that symbolic links lead to. Works before tail_new. */
void tail_roots(const char *pattern, void (*each)(void *context, const char *directory),
	void *context);

#endif
