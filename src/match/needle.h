#ifndef VG_NEEDLE_H
#define VG_NEEDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filter_rule;
struct literal;

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
