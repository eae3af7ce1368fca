#ifndef VG_LITERALS_H
#define VG_LITERALS_H

#include <stdbool.h>
#include <stddef.h>

/* Literals that a regex cannot match without. */
enum { LITERALS_MAX = 3, LITERAL_BYTES_MIN = 3, LITERAL_BYTES_MAX = 200 };

/* A byte string prepared for searching. */
struct literal {
	char *bytes; /* owned, NUL-ended */
	size_t length;
	size_t rare[2]; /* rare[0] < rare[1] < length: bytes of it that few lines hold so far apart
			 */
};

/* Bytes that may stand right before and behind a piece cut out of the line before matching. */
struct prefilter_cut {
	bool before[256];
	bool behind[256];
};

/* Finds up to LITERALS_MAX literals, the longest first, each of which is in every line that
 * `pattern` (PCRE2) can match after a cut; returns how many. A literal that joins over the cut
 * would not stand in the whole line, so runs are split wherever a cut could have been. In doubt:
 * none. */
size_t prefilter_literals(const char *pattern, const struct prefilter_cut *cut,
	struct literal ret_literals[LITERALS_MAX]);
void prefilter_literal_done(struct literal *literal);

/* Where the literal first stands in text; length: nowhere. */
size_t prefilter_find(const struct literal *literal, const char *text, size_t length);
bool prefilter_has(const struct literal *literal, const char *text, size_t length);

#endif
