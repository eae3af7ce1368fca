#ifndef VG_JOURNAL_H
#define VG_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct journal;
struct line;

/* Follows the systemd journal: one reader a jail, each with its own matches and its own place,
 * kept as a cursor. An entry is handed over as one line in fail2ban's shape,
 * "HOST IDENTIFIER[PID]: MESSAGE", with line breaks as the two characters \n. Pieces of a line that
 * journald has broken are passed over: whoever can make the line long chose where. */
enum {
	JOURNAL_READERS_MAX = 256,
	JOURNAL_LINE_MAX = 16384, /* longer entries are cut there */
	JOURNAL_CURSOR_MAX = 512, /* bytes with the NUL; systemd 252 needs about 150 */
	JOURNAL_BATCH = 1000,     /* entries of one reader before the next one's turn */
};

/* What a reader reads; borrowed. Files before path before namespace, as said first. */
struct journal_source {
	const char *path;         /* a directory; NULL */
	const char *const *files; /* globs */
	size_t n_files;
	int flags;                /* SD_JOURNAL_*; -1: the system's own journal, SYSTEM_ONLY */
	const char *namespace;    /* NULL: the default one */
	const char *const *words; /* "FIELD=value" or "+", see struct config_journal */
	size_t n_words;
};

struct journal_callbacks {
	void (*entry)(void *context, int reader, const struct line *line);
	/* A sentence for the operator's log, once per change. */
	void (*note)(void *context, int priority, const char *text);
	void *context;
};

int journal_new(const struct journal_callbacks *callbacks, struct journal **ret_journal,
	struct error *err);
void journal_free(struct journal *journal);

/* Returns the reader's number (from 0) or -1. cursor: behind this entry; NULL, or one that is no
 * cursor: from since_ms on. */
int journal_add(struct journal *journal, const struct journal_source *source, const char *cursor,
	int64_t since_ms, struct error *err);

/* An epoll descriptor; readable: call journal_read. It is to be called every second too, where a
 * file system sends no events. */
int journal_fd(const struct journal *journal);
/* Hands over what is there, JOURNAL_BATCH entries a reader. True: there is more. */
bool journal_read(struct journal *journal);

/* Calls back for every reader that moved since the last call. */
void journal_cursors(struct journal *journal,
	void (*each)(void *context, int reader, const char *cursor), void *context);
/* In a sentence why a reader sees nothing (no rights, no journal), "" if all is well. */
const char *journal_trouble(const struct journal *journal);

/* The directories that must be readable, for confinement. */
void journal_roots(const struct journal_source *source,
	void (*each)(void *context, const char *directory), void *context);

#endif
