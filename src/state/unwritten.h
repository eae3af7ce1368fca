#ifndef VG_UNWRITTEN_H
#define VG_UNWRITTEN_H

#include "state/rows.h"

/* The "dirty" rows of a store, which no commit has written yet. They are in memory only. {0} is an
 * empty one. */

/* The rows of one kind, in the order in which they came. */
struct unwritten_list {
	void *rows; /* owned, with the texts in them; names of jails belong to struct unwritten */
	size_t count;
	size_t room;
};

struct unwritten {
	struct unwritten_list lists[ROW_KINDS];
	char **jails; /* owned; each name once, until unwritten_done */
	size_t n_jails;
	size_t jails_room;
	uint64_t lost; /* rows that were dropped because their list was full */
};

/* Adds a copy of the row and of its texts (NULL becomes ""). row_layouts says when a list is full,
 * and which row a new one replaces. */
void unwritten_add(struct unwritten *unwritten, enum row_kind kind, const void *row);
/* The row at index in its list; valid until the list changes. */
void *unwritten_row(const struct unwritten *unwritten, enum row_kind kind, size_t index);
/* Drops count rows from index first on; those behind move to their place. */
void unwritten_remove(struct unwritten *unwritten, enum row_kind kind, size_t first, size_t count);
/* Drops all rows: a commit has written them. */
void unwritten_clear(struct unwritten *unwritten);
/* Frees all; `lost` stays. */
void unwritten_done(struct unwritten *unwritten);

#endif
