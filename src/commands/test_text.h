#ifndef VG_TEST_TEXT_H
#define VG_TEST_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct filter;
struct filter_def;
struct hit;
struct test_furthest;
struct test_tally;

/* Prints what `voipguard test` shows to people. Texts from outside are rendered. number: of the
 * line, from 1. */

/* For so many missed lines it is said why: each costs a slow run of every rule. */
enum { TEST_EXPLAINED_MAX = 1000 };

struct test_text {
	FILE *out;                      /* borrowed */
	const struct filter_def *def;   /* borrowed */
	struct test_furthest *furthest; /* borrowed */
	int64_t now_s;
	uint64_t explained;
	bool has_names; /* a hit had a host name, which is no address */
};

/* Two rows: whom, when and by which rule; then the date as it stands in the line, and the file and
 * line of the rule. */
void test_text_hit(struct test_text *text, uint64_t number, const char *line, size_t length,
	const struct hit *hit, bool ignored);
/* The line, and how far the best rule came in `seen`, which is what the rules were given of it.
 * held: the number of the rule that keeps the line for its session, of which more lines decide; 0:
 * none does. */
void test_text_missed(struct test_text *text, uint64_t number, unsigned held, const char *line,
	size_t length, const char *seen, size_t seen_length);
/* A line that the parser gave up on, so that no rule has seen it, and why. */
void test_text_unsound(struct test_text *text, uint64_t number, const char *line, size_t length,
	const char *kind, const char *why);
/* The sums, then each rule with the number of its hits. */
void test_text_summary(struct test_text *text, const struct test_tally *tally,
	const struct filter *filter);

#endif
