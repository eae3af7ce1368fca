#ifndef VG_PATTERN_H
#define VG_PATTERN_H

#include <stddef.h>

/* Takes the text of a regex apart, and rewrites it while remembering where each byte came from. */

/* Length in bytes of the piece at text: an escape such as \d (2), a whole class such as [a-z] (5),
 * or any other single byte (1); 0 at the end. A ']' that comes first in a class is a character. A
 * class that nothing closes reaches to the end of the text. [:alpha:] and the like are not known:
 * to Python's re they are characters, and dialect/python_regex.c writes them so for PCRE2. */
size_t pattern_piece(const char *text);
/* Length in bytes of the group at text, from its '(' to the matching ')', or to the end if nothing
 * closes it. */
size_t pattern_group(const char *text);

/* A regex that is being rewritten. Each byte knows its offset in the original text (its origin), so
 * that an error which PCRE2 reports in the result can be shown in the original. All zero is an
 * empty one. */
struct pattern {
	char *bytes;     /* owned, NUL-ended once something was added */
	size_t *origins; /* owned; length + 1 of them: the NUL has one too */
	size_t length;
	size_t room;
};

/* Adds length bytes that replace something in the original: each of them, and the NUL behind them,
 * has the same origin. */
void pattern_add(struct pattern *pattern, const char *bytes, size_t length, size_t origin);
/* The same for a NUL-ended string. */
void pattern_add_string(struct pattern *pattern, const char *text, size_t origin);
/* Adds length bytes that are copied from the original: the first has the given origin, the next
 * origin + 1, and so on. */
void pattern_copy(struct pattern *pattern, const char *bytes, size_t length, size_t origin);
void pattern_done(struct pattern *pattern);

#endif
