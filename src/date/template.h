#ifndef VG_TEMPLATE_H
#define VG_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "date/instant.h"

struct error;
struct regex;

enum { DATE_FIELDS_MAX = 24 };

/* How a template holds on to the line. */
enum date_anchor {
	DATE_WORD,  /* not inside a word; the pattern's own ^ or ** come first */
	DATE_START, /* behind at most two non-word characters at the start of the line */
	DATE_FREE,  /* anywhere */
};

/* One pattern with strftime letters as a regex. */
struct date_template {
	struct regex *regex; /* owned */
	unsigned cut_group;
	struct {
		char field; /* as in date_letters.h */
		unsigned group;
	} fields[DATE_FIELDS_MAX];
	size_t n_fields;
	bool is_anchored; /* it can hit in one place only: at the start of the line */
	bool before[256]; /* what may stand right before and behind the cut */
	bool behind[256];
};

/* built_in: one of our own formats, never beside a word character. -1: *ret_offset is where in
 * the pattern. */
int date_template_init(struct date_template *template, const char *pattern, enum date_anchor anchor,
	bool built_in, size_t *ret_offset, struct error *err);
void date_template_done(struct date_template *template);

/* The regex of a built-in format with no field in it, to be one of several alternatives. Caller
 * frees. */
char *date_template_shape(const char *pattern);

/* False: no date of this shape. ret_parts says nothing if the pattern's date part is empty. */
bool date_template_find(const struct date_template *template, const char *line, size_t length,
	size_t *ret_start, size_t *ret_length, struct date_parts *ret_parts);

#endif
