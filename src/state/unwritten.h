#ifndef VG_UNWRITTEN_H
#define VG_UNWRITTEN_H

#include "state/rows.h"

/* The rows of a store that no commit has written yet: memory only, no database. Zero is empty. */

/* In the order they came. */
struct unwritten_list {
	void *rows; /* owned, and the texts in them but the jails */
	size_t count;
	size_t room;
};

struct unwritten {
	struct unwritten_list lists[ROW_KINDS];
	char **jails; /* owned; each once, for as long as the store lives */
	size_t n_jails;
	size_t jails_room;
	uint64_t lost; /* rows that went because their list was full */
};

/* Copies the row and its texts (NULL: ""). What the list is full of and what it replaces is in
 * row_layouts. */
void unwritten_add(struct unwritten *unwritten, enum row_kind kind, const void *row);
void *unwritten_row(const struct unwritten *unwritten, enum row_kind kind, size_t index);
void unwritten_remove(struct unwritten *unwritten, enum row_kind kind, size_t index);
/* Rows of all kinds but positions and cursors, which wait for others. */
size_t unwritten_count(const struct unwritten *unwritten);
/* After a commit: nothing is unwritten. */
void unwritten_clear(struct unwritten *unwritten);
void unwritten_done(struct unwritten *unwritten);

#endif
