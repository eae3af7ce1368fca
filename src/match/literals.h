#ifndef VG_LITERALS_H
#define VG_LITERALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filter_rule;

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

/* A search string that several rules may share, with its answer for the current text. */
struct filter_needle {
	const struct literal *literal; /* borrowed from a rule */
	size_t users;                  /* rules that need it */
	uint64_t text_number;          /* the text that `found` is of */
	bool found;
};

/* The literals of all rules of one filter. Zero is empty. */
struct filter_needles {
	struct filter_needle *list; /* owned */
	size_t count;
	uint64_t text_number;
};

void filter_needles_add(struct filter_needles *needles, struct filter_rule *rules, size_t count);
/* After the last filter_needles_add: a rule asks first for what most rules need, since one search
 * then turns a line down for all. */
void filter_needles_order(const struct filter_needles *needles, struct filter_rule *rules,
	size_t count);
void filter_needles_done(struct filter_needles *needles);

/* From here on the rules are asked about another text. */
void filter_needles_next(struct filter_needles *needles);
/* False: the text lacks a literal of the rule, so that it cannot match. */
bool filter_needles_allow(struct filter_needles *needles, const struct filter_rule *rule,
	const char *text, size_t length);

/* The rule has the literal, or one that holds it; all of them do. */
bool filter_rule_needs(const struct filter_rule *rule, const struct literal *literal);
bool filter_rules_need(const struct filter_rule *rules, size_t count,
	const struct literal *literal);

#endif
