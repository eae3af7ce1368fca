#ifndef VG_BORDERS_H
#define VG_BORDERS_H

#include <stdbool.h>
#include <stddef.h>

struct date_template;

/* Fills before and behind of template: which bytes may touch the cut, from the text around its
 * group, which opens and closes at these offsets of pattern (equal: the whole is cut). None if
 * it always is at the start of the line.
 * starts_bare: nothing but non-word characters stands before the pattern. built_in: no word
 * character touches the cut. */
void date_borders_set(struct date_template *template, const char *pattern, size_t open,
	size_t close, bool starts_bare, bool built_in);

#endif
