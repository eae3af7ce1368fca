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

/* What `voipguard test` shows to people. All texts go through text_render(). */

/* More lines that no rule matched are shown without the reason: each costs a slow run of every
 * rule. */
enum { TEST_EXPLAINED_MAX = 1000 };

struct test_text {
	FILE *out;                      /* borrowed */
	const struct filter_def *def;   /* borrowed */
	struct test_furthest *furthest; /* borrowed */
	int64_t now_s;
	uint64_t explained;
	bool has_names; /* a hit named a host that is no address */
};

/* Two rows: whom, when and which rule; then the date as it stands, where the rule stands. */
void test_text_hit(struct test_text *text, uint64_t number, const char *line, size_t length,
	const struct hit *hit, bool ignored);
/* The line, and how far the best rule came in what the rules see of it; held: the rule that took it
 * for a session and waits for more, 0: none did. */
void test_text_missed(struct test_text *text, uint64_t number, unsigned held, const char *line,
	size_t length, const char *seen, size_t seen_length);
/* A line that the parser gave up on, and why. */
void test_text_unsound(struct test_text *text, uint64_t number, const char *line, size_t length,
	const char *kind, const char *why);
/* The sums, then each rule with its hits. */
void test_text_summary(struct test_text *text, const struct test_tally *tally,
	const struct filter *filter);

#endif
