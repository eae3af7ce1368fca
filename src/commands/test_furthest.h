#ifndef VG_TEST_FURTHEST_H
#define VG_TEST_FURTHEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/findings.h"

struct filter_def;
struct test_furthest;

/* How far one rule came in one line before it failed. Example: of "login from <HOST>", the line
 * "login by 192.0.2.1" matches "login ", so text is "from <HOST>" and matched is 6. */
struct test_stop {
	unsigned rule;      /* number of the failregex, from 1; 0: prefregex */
	struct position at; /* where in the file it stopped */
	const char *text;   /* the rule from there on; borrowed from the filter_def */
	size_t share;       /* how much of the rule was passed: 0 to 999 thousandths of its bytes */
	size_t matched;     /* bytes of the input that were matched then */
	/* the rule matches: but what it found is no address, or is no failure by itself */
	bool is_whole;
};

/* Why a line is no hit: what the rules were given, and the rule that came furthest in it. */
struct test_why {
	bool has_date;
	size_t date_start; /* the bytes of the line that are its date */
	size_t date_length;
	int64_t at_ms;
	/* what the rules are given; owned by the test_furthest, valid until its next call */
	const char *input;
	size_t input_length;
	struct test_stop best; /* the rule that came furthest */
};

/* def is borrowed and outlives the test_furthest. filter_new has compiled its rules without errors.
 */
struct test_furthest *test_furthest_new(const struct filter_def *def);
void test_furthest_free(struct test_furthest *furthest);

/* Finds the date in the line. False: it has none. now_s as in filter_match. */
bool test_furthest_date(struct test_furthest *furthest, const char *line, size_t length,
	int64_t now_s, struct test_why *ret_why);
/* Tries every rule on a line that filter_match calls a miss. number: of the line in its file, from
 * 1. That is slow: each rule runs in the interpreter of PCRE2. */
void test_furthest_line(struct test_furthest *furthest, uint64_t number, const char *line,
	size_t length, int64_t now_s, struct test_why *ret_why);

/* The number of the line, of all that were tried, in which the rule (number of the failregex from
 * 1; 0: prefregex) came furthest; 0: none was tried. *ret_matched is the text that it had matched
 * there, rendered and borrowed. */
uint64_t test_furthest_best(const struct test_furthest *furthest, unsigned rule,
	struct test_stop *ret_stop, const char **ret_matched);

#endif
