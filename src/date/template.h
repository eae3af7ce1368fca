#ifndef VG_TEMPLATE_H
#define VG_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "date/instant.h"

struct error;
struct regex;

enum { DATE_FIELDS_MAX = 24 };

/* Where in the line a template may match. */
enum date_anchor {
	DATE_WORD,  /* anywhere but inside a word; a ^ or ** of the pattern replaces that rule */
	DATE_START, /* at the start of the line, behind at most two non-word characters */
	DATE_FREE,  /* anywhere, inside of words, too */
};

/* One date pattern, compiled: its letters have become groups of a regex. */
struct date_template {
	struct regex *regex; /* owned */
	unsigned cut_group;
	struct {
		char field; /* as in date/letters.h */
		unsigned group;
	} fields[DATE_FIELDS_MAX];
	size_t n_fields;
	bool is_anchored; /* it can match in one place only: at the start of the line */
	/* Which bytes may stand directly before and behind the piece that is cut out of the line.
	 * None, if that piece is always at the start of the line: nothing stands before it then,
	 * and the cut joins no two texts. */
	bool before[256];
	bool behind[256];
};

/* A date as it stands in a line. */
struct date_sighting {
	size_t start; /* offset and length of the piece to cut out */
	size_t length;
	struct date_parts parts; /* no part is given if the match is empty */
};

/* Compiles one pattern. built_in says that it is one of the daemon's own, which never touch a word
 * character. -1: err says what is wrong, *ret_offset where in the pattern. The caller calls
 * date_template_done in any case. */
int date_template_init(struct date_template *template, const char *pattern, enum date_anchor anchor,
	bool built_in, size_t *ret_offset, struct error *err);
void date_template_done(struct date_template *template);

/* Searches the line. False: it has no date of this pattern. */
bool date_template_find(const struct date_template *template, const char *line, size_t length,
	struct date_sighting *ret_sighting);

#endif
