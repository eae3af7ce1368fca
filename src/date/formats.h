#ifndef VG_FORMATS_H
#define VG_FORMATS_H

#include <stdbool.h>
#include <stddef.h>

#include "date/template.h"

struct error;
struct regex;

/* Where a format is looked for; one format may have several places. */
enum date_place {
	DATE_LEADING = 1,  /* at the start of the line */
	DATE_ANYWHERE = 2, /* in the line: the leftmost, of several there the first of the list */
	DATE_INSIDE = 4,   /* where {DATE} stands in a pattern */
	DATE_LAST = 8,     /* anywhere in a line in which the other places find nothing */
};

/* DATE_SHAPE_FORMATS formats are the alternatives of one regex. PCRE2 takes far longer to compile a
 * regex of more (17 at once: 10 ms, in fours: 2 ms), and a search is about as fast. */
enum { DATE_FORMATS_MAX = 32, DATE_SHAPE_FORMATS = 4 };
enum { DATE_SHAPES_MAX = DATE_FORMATS_MAX / DATE_SHAPE_FORMATS };

/* The built-in formats of one place. */
struct date_formats {
	struct date_template *templates; /* owned */
	size_t count;
	/* owned; each is the regex of a few formats: it finds which of them matches. Format i is
	 * group groups[i] of shapes[i / DATE_SHAPE_FORMATS]. */
	struct regex *shapes[DATE_SHAPES_MAX];
	unsigned groups[DATE_FORMATS_MAX];
	size_t hint; /* index of the format that matched last */
};

/* Compiles the formats of one place. -1: one does not compile, err says why. The caller calls
 * date_formats_done in any case. */
int date_formats_init(struct date_formats *formats, enum date_place place, struct error *err);
void date_formats_done(struct date_formats *formats);

/* Finds the date of the line. False: it has none in these formats. */
bool date_formats_find(struct date_formats *formats, const char *line, size_t length,
	struct date_sighting *ret_sighting);

/* The pattern of format number `index`, from 0, of a place; NULL: there are no more. */
const char *date_formats_pattern(enum date_place place, size_t index);

#endif
