#ifndef VG_LITERALS_H
#define VG_LITERALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rule;

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
struct literals_cut {
	bool before[256];
	bool behind[256];
};

/* Finds up to LITERALS_MAX literals, the longest first, each of which is in every line that
 * `pattern` (PCRE2) can match after a cut; returns how many. A literal that joins over the cut
 * would not stand in the whole line, so runs are split wherever a cut could have been. In doubt:
 * none. */
size_t literals_extract(const char *pattern, const struct literals_cut *cut,
	struct literal ret_literals[LITERALS_MAX]);
void literals_done_one(struct literal *literal);

/* Where the literal first stands in text; length: nowhere. */
size_t literals_find(const struct literal *literal, const char *text, size_t length);
bool literals_has(const struct literal *literal, const char *text, size_t length);

/* A search string that several rules may share, with its answer for the current text. */
struct literals_entry {
	const struct literal *literal; /* borrowed from a rule */
	size_t users;                  /* rules that need it */
	uint64_t text_number;          /* the text that `found` is of */
	bool found;
};

/* The literals of all rules of one filter. Zero is empty. */
struct literals {
	struct literals_entry *list; /* owned */
	size_t count;
	uint64_t text_number;
};

void literals_add(struct literals *needles, struct rule *rules, size_t count);
/* After the last literals_add: a rule asks first for what most rules need, since one search
 * then turns a line down for all. */
void literals_order(const struct literals *needles, struct rule *rules, size_t count);
void literals_done(struct literals *needles);

/* From here on the rules are asked about another text. */
void literals_next(struct literals *needles);
/* False: the text lacks a literal of the rule, so that it cannot match. */
bool literals_allow(struct literals *needles, const struct rule *rule, const char *text,
	size_t length);

/* The rule has the literal, or one that holds it; all of them do. */
bool literals_rule_needs(const struct rule *rule, const struct literal *literal);
bool literals_rules_need(const struct rule *rules, size_t count, const struct literal *literal);

#endif
