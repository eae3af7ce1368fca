#ifndef VG_TEMPLATE_H
#define VG_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "date/instant.h"

struct error;
struct pattern;
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
		char field; /* as in date/letters.h */
		unsigned group;
	} fields[DATE_FIELDS_MAX];
	size_t n_fields;
	bool is_anchored; /* it can hit in one place only: at the start of the line */
	/* Which bytes may touch the piece that is cut out of the line. None if it always is at the
	 * start of the line: then nothing stands before it, and no text spans it. */
	bool before[256];
	bool behind[256];
};

/* The date of a line. */
struct date_sighting {
	size_t start; /* of what is cut out */
	size_t length;
	struct date_parts parts; /* says nothing if that is empty */
};

/* built_in: one of our own formats, which never touch a word character. -1: *ret_offset is where in
 * the pattern. The caller calls date_template_done in any case. */
int date_template_init(struct date_template *template, const char *pattern, enum date_anchor anchor,
	bool built_in, size_t *ret_offset, struct error *err);
void date_template_done(struct date_template *template);

/* Adds the regex of a built-in format, without fields, to be one of several alternatives. */
void date_template_shape(const char *pattern, struct pattern *out);

/* False: the line has no date of this shape. */
bool date_template_find(const struct date_template *template, const char *line, size_t length,
	struct date_sighting *ret_sighting);

#endif
