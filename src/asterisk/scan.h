#ifndef VG_SCAN_H
#define VG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "asterisk/reader.h"

/* Steps over a text from left to right, by exact words and by bytes of one alphabet. */

/* The rest of a text: [at, end). A step moves `at`. */
struct asterisk_cursor {
	const char *at;
	const char *end;
};

/* Steps over text, or stays where it is and returns false. */
bool asterisk_take(struct asterisk_cursor *c, const char *text);
/* Steps over bytes that fit; false: they are fewer than `least`. ret may be NULL. */
bool asterisk_take_run(struct asterisk_cursor *c, bool (*fits)(char), size_t least,
	struct asterisk_piece *ret);
/* Steps over ,NAME="value" with a value of bytes that fit. ret may be NULL. */
bool asterisk_take_field(struct asterisk_cursor *c, const char *name, bool (*fits)(char),
	struct asterisk_piece *ret);

bool asterisk_is_digit(char c);
bool asterisk_is_word(char c);  /* letters, digits, _ and - */
bool asterisk_is_stamp(char c); /* what EventTV is written with: digits, T : . + - */
bool asterisk_is(struct asterisk_piece piece, const char *text);

/* Where text first stands in [at, end), NULL: nowhere. */
const char *asterisk_find(const char *at, const char *end, const char *text);

#endif
