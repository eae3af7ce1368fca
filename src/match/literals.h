#ifndef VG_LITERALS_H
#define VG_LITERALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Literals: byte strings that a regex cannot match without, such as "failed for" of
 * ^.* failed for <HOST>$. Nearly every line of a log lacks them, and a search of memory costs
 * little beside a regex. */
enum { LITERALS_MAX = 3 /* of one regex */, LITERAL_BYTES_MIN = 3, LITERAL_BYTES_MAX = 200 };

struct literal {
	char *bytes; /* owned, NUL-ended */
	size_t length;
};

/* The literals of all regexes of one filter, each once, and which of them the current text holds.
 * Zero is an empty set. */
struct literals {
	struct literals_entry {
		struct literal literal;
		size_t users;         /* number of regexes that need it */
		uint64_t text_number; /* number of the text for which `found` was computed */
		bool found;
	} * list; /* owned */
	size_t count;
	uint64_t text_number; /* of the current text */
};

/* The literals that one regex needs, by their index in the set. */
struct literals_needed {
	size_t numbers[LITERALS_MAX];
	size_t count;
};

/* Bytes that may stand right before and right behind a piece that is cut out of the line before a
 * regex sees it. */
struct literals_cut {
	bool before[256];
	bool behind[256];
};

/* Adds up to LITERALS_MAX literals, the longest first, each of which stands in every line that
 * `pattern` (PCRE2) can match after a cut. A literal that the cut has joined would not stand in the
 * whole line, so it is split wherever a cut could have been. In doubt: none. */
void literals_add(struct literals *set, const char *pattern, const struct literals_cut *cut,
	struct literals_needed *ret_needed);
/* After the last literals_add: those that most regexes need come first, since one search then turns
 * a line down for all of them. */
void literals_order(const struct literals *set, struct literals_needed *needed);
void literals_done(struct literals *set);

/* Begins another text: the answers about the last one are forgotten. */
void literals_next(struct literals *set);
/* False: the text lacks a literal that is needed, so the regex cannot match. */
bool literals_allow(struct literals *set, const struct literals_needed *needed, const char *text,
	size_t length);
#endif
