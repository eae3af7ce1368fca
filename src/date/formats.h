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

/* Formats that are alternatives of one regex: PCRE2 takes longer than in proportion to compile
 * many (17 at once 10 ms, in fours 2 ms) and about as long to search. */
enum { DATE_FORMATS_MAX = 32, DATE_SHAPE_FORMATS = 4 };
enum { DATE_SHAPES_MAX = DATE_FORMATS_MAX / DATE_SHAPE_FORMATS };

/* The built-in formats of one place. */
struct date_formats {
	struct date_template *templates; /* owned */
	size_t count;
	/* owned; each finds which of a few formats hits: number i is the alternative of
	 * shapes[i / DATE_SHAPE_FORMATS] in groups[i] */
	struct regex *shapes[DATE_SHAPES_MAX];
	unsigned groups[DATE_FORMATS_MAX];
	size_t hint; /* index of the one that hit last */
};

int date_formats_init(struct date_formats *formats, enum date_place place, struct error *err);
void date_formats_done(struct date_formats *formats);

bool date_formats_find(struct date_formats *formats, const char *line, size_t length,
	struct date_sighting *ret_sighting);

/* The pattern of format number `index` of a place; NULL: there are no more. */
const char *date_formats_pattern(enum date_place place, size_t index);

#endif
