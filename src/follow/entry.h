#ifndef VG_ENTRY_H
#define VG_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stat;
struct tail;
struct tail_entry;
struct tail_file;
struct tail_identity;

/* The files followed, and those that rotation left behind. */

/* Tells a sentence, such as "'/var/log/a' gives an error when read" of path and what. */
void tail_entry_note(struct tail *tail, int priority, const char *path, const char *what);

/* The entry of that file, NULL: none. Device and inode are enough for the first, since the entry
 * holds its file open. */
struct tail_entry *tail_entry_by_status(const struct tail *tail, const struct stat *status);
struct tail_entry *tail_entry_by_identity(const struct tail *tail,
	const struct tail_identity *identity);
bool tail_entry_is_known(const void *tail, const struct tail_identity *identity);
/* The youngest entry of that path, or NULL. */
struct tail_entry *tail_entry_latest(const struct tail *tail, const char *path);

/* Takes file and follows it under path, behind `before` (may be NULL). */
struct tail_entry *tail_entry_add(struct tail *tail, struct tail_file *file, const char *path,
	const uint64_t *patterns, struct tail_entry *before);
/* The position under that key (owned, may be NULL) is to be forgotten. Takes key. */
void tail_entry_forget(struct tail *tail, char *key);
/* Follows the files of entry's path that came after entry->before and went again unseen: they are
 * read between the two. */
void tail_entry_adopt(struct tail *tail, struct tail_entry *entry);

/* Reads what those before entry and entry itself hold, until *budget_bytes is used up. true: there
 * may be more. */
bool tail_entry_read(struct tail *tail, struct tail_entry *entry, size_t *budget_bytes);
/* Once a second: lets go of files that rotation left behind and that stay quiet. */
void tail_entry_retire(struct tail *tail);
/* Where the file lies now, NULL: it has no name any more. Kept in entry->place. */
const char *tail_entry_place(struct tail_entry *entry);
void tail_entry_free_all(struct tail *tail);

#endif
