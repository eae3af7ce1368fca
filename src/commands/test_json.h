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

/* Hits as lines of JSON. Zero but for out is a valid start. */
struct test_json {
	FILE *out;                /* borrowed */
	int64_t minute;           /* number of the minute since 1970 that `stamp` is of */
	char stamp[UTC_TEXT_MAX]; /* its text; hits come in order, so most share it */
	bool has_stamp;
};

/* Writes {"line":1,"host":"192.0.2.1",...} and a newline. Texts have gone through text_render().
 * A failure stays with the stream. */
void test_json_hit(struct test_json *state, uint64_t number, const struct hit *hit, bool ignored);
/* Writes {"missed":{"line":4,"text":"...","date":"..."|null,"rule":2|null (prefregex),
 * "at":"FILE:LINE:COL","matched":"...","stopped":"..."}}: the rule that came furthest, the text it
 * had matched and its own from there on, each cut to HIT_TEXT_MAX bytes. why NULL: line and text
 * only. */
void test_json_missed(struct test_json *state, uint64_t number, const char *line, size_t length,
	const struct test_why *why);
/* Writes {"missed":{"line":4,"text":"...","kind":"cut","why":"..."}}: the parser gave it up. */
void test_json_unsound(struct test_json *state, uint64_t number, const char *line, size_t length,
	const char *kind, const char *why);
/* Writes {"summary":{"lines":...,"missed":...}}; if a parser gave up lines also
 * "unsound":{"cut":1,...}. */
void test_json_summary(struct test_json *state, const struct test_tally *tally,
	const struct filter *filter);

#endif
