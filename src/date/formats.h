#ifndef VG_FORMATS_H
#define VG_FORMATS_H

#include <stdbool.h>
#include <stddef.h>

#include "date/template.h"

struct error;
struct regex;

/* Where a format is looked for. */
enum date_place {
	DATE_LEADING = 1,  /* at the start of the line */
	DATE_ANYWHERE = 2, /* in the line: the leftmost, of several there the first of the list */
	DATE_INSIDE = 4,   /* as {DATE} in a pattern */
	DATE_LAST = 8,     /* in lines that have none of the others */
};

/* DATE_SHAPE_FORMATS formats are the alternatives of one regex. With more, PCRE2 takes out of
 * proportion long to compile it (17 at once: 10 ms, in fours: 2 ms); a search takes about as long.
 */
enum { DATE_FORMATS_MAX = 32, DATE_SHAPE_FORMATS = 4 };
enum { DATE_SHAPES_MAX = DATE_FORMATS_MAX / DATE_SHAPE_FORMATS };

/* The built-in formats of one place. */
struct date_formats {
	struct date_template *templates; /* owned */
	size_t count;
	/* owned; each finds which of a few formats hits: format i is group groups[i] of
	 * shapes[i / DATE_SHAPE_FORMATS] */
	struct regex *shapes[DATE_SHAPES_MAX];
	unsigned groups[DATE_FORMATS_MAX];
	size_t hint; /* index of the one that hit last */
};

/* -1: a format does not compile. The caller calls date_formats_done in any case. */
int date_formats_init(struct date_formats *formats, enum date_place place, struct error *err);
void date_formats_done(struct date_formats *formats);

/* Finds the date that counts in line. False: there is none of these formats. */
bool date_formats_find(struct date_formats *formats, const char *line, size_t length,
	struct date_sighting *ret_sighting);

/* The pattern of format number `index` of a place; NULL: there are no more. */
const char *date_formats_pattern(enum date_place place, size_t index);

#endif
