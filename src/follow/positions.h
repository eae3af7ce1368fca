#ifndef VG_POSITIONS_H
#define VG_POSITIONS_H

struct tail;
struct tail_entry;

/* Positions across runs. A position is kept under a key: the name of the file, or of one that
 * rotation left behind its former name, a slash, and where it lies now ("/var/log/a//var/log/a.1").
 */

/* Finds the file of each position added, under its name, beside it or under another name that a
 * pattern leads to, and follows it from there. Once, before names are resolved. */
void tail_restore_find(struct tail *tail);
/* The key of entry's position now, for the caller to free; NULL: the file has no name or was
 * overwritten, so that a later run could not find it. */
char *tail_restore_key(struct tail_entry *entry);

#endif
