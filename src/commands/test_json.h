#ifndef VG_TEST_JSON_H
#define VG_TEST_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/times.h"

struct filter;
struct hit;
struct test_tally;
struct test_why;

/* Prints hits as lines of JSON. {0} with `out` set is a valid start. */
struct test_json {
	FILE *out;      /* borrowed */
	int64_t minute; /* the minute since 1970 that `stamp` is of */
	/* "2026-11-23T08:51:00Z"; kept, as most hits are of the same minute as the one before */
	char stamp[UTC_TEXT_MAX];
	bool has_stamp;
};

/* Writes {"line":1,"host":"192.0.2.1",...} and a newline. Texts are rendered first. number: of the
 * line, from 1. ignored: an ignoreregex matched. If writing fails, ferror(out) tells, here as
 * below. */
void test_json_hit(struct test_json *state, uint64_t number, const struct hit *hit, bool ignored);
/* Writes {"missed":{"line":4,"text":"...","date":"..."|null,"rule":2|null (prefregex),
 * "at":"FILE:LINE:COL","matched":"...","stopped":"..."}}: the rule that came furthest, the end of
 * the text that it had matched, and the rule from there on, each cut to HIT_TEXT_MAX bytes. why
 * NULL: only line and text. */
void test_json_missed(struct test_json *state, uint64_t number, const char *line, size_t length,
	const struct test_why *why);
/* Writes {"missed":{"line":4,"text":"...","kind":"cut","why":"..."}}: a line that the parser gave
 * up on, so that no rule has seen it. */
void test_json_unsound(struct test_json *state, uint64_t number, const char *line, size_t length,
	const char *kind, const char *why);
/* Writes {"summary":{"lines":...,"missed":...}}, with "unsound":{"cut":1,...} if the parser gave up
 * on lines. */
void test_json_summary(struct test_json *state, const struct test_tally *tally,
	const struct filter *filter);

#endif
