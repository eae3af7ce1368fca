#ifndef VG_PATTERN_H
#define VG_PATTERN_H

#include <stddef.h>

/* The text of a regex: where its pieces end, and how it is rewritten. */

/* Length of the piece at text: an escape (two bytes), a class from its '[', or one byte; 0 at the
 * end. A ']' that comes first in a class is a character. A class that nothing closes reaches to the
 * end of the text. [:alpha:] and the like are not known: to Python's re they are characters, and
 * dialect/python_regex.c writes them so for PCRE2. */
size_t pattern_piece(const char *text);
/* Length of the group at text, from its '(' to its ')', or to the end if nothing closes it. */
size_t pattern_group(const char *text);

/* A regex while it is rewritten: each byte knows where it stood in the text that it comes from.
 * Zero is empty. */
struct pattern {
	char *bytes;     /* owned, NUL-ended once something was added */
	size_t *origins; /* owned; one more than length: that of the NUL */
	size_t length;
	size_t room;
};

/* Adds length bytes. They, and the NUL behind them, stand for what is at origin. */
void pattern_add(struct pattern *pattern, const char *bytes, size_t length, size_t origin);
/* The same for a string. */
void pattern_add_string(struct pattern *pattern, const char *text, size_t origin);
/* Adds length bytes of which each stands for its own place, the first for origin. */
void pattern_copy(struct pattern *pattern, const char *bytes, size_t length, size_t origin);
void pattern_done(struct pattern *pattern);

#endif
