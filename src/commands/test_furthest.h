#ifndef VG_TEST_FURTHEST_H
#define VG_TEST_FURTHEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/findings.h"

struct filter_def;
struct test_furthest;

/* How far one rule came in one line. */
struct test_stop {
	unsigned rule;      /* index of the failregex, from 1; 0: prefregex */
	struct position at; /* where in the file it stopped */
	const char *text;   /* the rule from there on; borrowed from the def */
	size_t share;       /* of the rule's bytes, in 1/1000, that are behind it */
	size_t matched;     /* bytes of the input that are behind it */
	bool is_whole;      /* it matches: what it found is no address, or is not enough alone */
};

/* Why a line is no hit. */
struct test_why {
	bool has_date;
	size_t date_start; /* the piece of the line that is the date */
	size_t date_length;
	int64_t at_ms;
	const char *input; /* what the rules are given; owned by the test_furthest until the next
			      call */
	size_t input_length;
	struct test_stop best; /* the rule that came furthest */
};

/* def is borrowed and outlives it; its rules have been compiled by filter_new. */
struct test_furthest *test_furthest_new(const struct filter_def *def);
void test_furthest_free(struct test_furthest *furthest);

/* Where in the line its date stands. False: it has none. */
bool test_furthest_date(struct test_furthest *furthest, const char *line, size_t length,
	int64_t now_s, struct test_why *ret_why);
/* Tries every rule, slowly: a line, number of its file, that filter_match turned down. */
void test_furthest_line(struct test_furthest *furthest, uint64_t number, const char *line,
	size_t length, int64_t now_s, struct test_why *ret_why);

/* Of all lines tried, the one in which rule (failregex from 1; 0: prefregex) came furthest: its
 * number, 0 if none was tried, and in ret_matched the text it had matched, rendered. */
uint64_t test_furthest_best(const struct test_furthest *furthest, unsigned rule,
	struct test_stop *ret_stop, const char **ret_matched);

#endif
