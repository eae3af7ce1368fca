#ifndef VG_FORMATS_H
#define VG_FORMATS_H

#include <stddef.h>

/* Where a format is looked for; one format may have several places. */
enum date_place {
	DATE_LEADING = 1,  /* at the start of the line */
	DATE_ANYWHERE = 2, /* in the line: the leftmost, of several there the first of the list */
	DATE_INSIDE = 4,   /* where {DATE} stands in a pattern */
	DATE_LAST = 8,     /* anywhere in a line in which the other places find nothing */
};

/* The pattern of the built-in format number `index`, from 0, of a place; NULL: there are no
 * more. */
const char *date_formats_pattern(enum date_place place, size_t index);

#endif
