#ifndef VG_POSITIONS_H
#define VG_POSITIONS_H

struct tail;
struct tail_entry;

/* Positions across runs. The key of a file that its name still leads to is that name; of one that
 * rotation left behind: the name, "//", and where it lies now. */

/* Finds the file of each position added, under its name, beside it or under another name that a
 * pattern leads to, and follows it from there. Once, before names are resolved. */
void tail_restore_find(struct tail *tail);
/* The key of entry's position now; NULL: it has no name, or is stale: a later run could not find
 * it. The caller's. */
char *tail_restore_key(struct tail_entry *entry);

#endif
