/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/findings.h"
#include "config/config.h"
#include "follow/line.h"
#include "match/filter.h"
#include "match/multiline.h"

static const int64_t now_s = 1795608000; /* 2026-11-25 12:00:00 UTC */

enum { STEPS_MAX = 10, RULES_MAX = 5 };

static void joined_is(struct multiline *lines, const char *expected)
{
	size_t length;
	const char *text = multiline_join(lines, &length);

	if (length != strlen(expected) || memcmp(text, expected, length) != 0)
		fail_msg("'%.*s', expected '%s'", (int)length, text, expected);
}

static void bounds(void **state)
{
	struct multiline *lines = multiline_new(3);
	char *big = calloc(1, MULTILINE_BYTES_MAX);
	size_t length;

	(void)state;
	joined_is(lines, "\n");
	multiline_add(lines, "a", 1);
	multiline_add(lines, "", 0);
	multiline_add(lines, "c", 1);
	joined_is(lines, "a\n\nc\n");
	multiline_add(lines, "d", 1);
	joined_is(lines, "\nc\nd\n");
	/* bytes count too, with the newlines: c and d go */
	multiline_add(lines, big, MULTILINE_BYTES_MAX - 1);
	(void)multiline_join(lines, &length);
	assert_int_equal(length, MULTILINE_BYTES_MAX);
	multiline_add(lines, "f", 1);
	joined_is(lines, "f\n");
	/* the newest stays whatever it weighs */
	multiline_add(lines, big, MULTILINE_BYTES_MAX);
	(void)multiline_join(lines, &length);
	assert_int_equal(length, MULTILINE_BYTES_MAX + 1);
	multiline_replace(lines, "g", 1);
	joined_is(lines, "g\n");
	free(big);
	multiline_free(lines);
}

/* Four lines "a" "bb" "a" "c" in the buffer: "a\nbb\na\nc\n". */
static void taking(void **state)
{
	static const struct {
		struct multiline_span match;
		struct multiline_span skipped;
		const char *taken;
		const char *rest;
	} rows[] = {
		{ { 2, 4 }, { 0, 0 }, "bb\n", "a\na\nc\n" },
		{ { 0, 9 }, { 0, 0 }, "a\nbb\na\nc\n", "\n" },
		/* from a newline on, up to one */
		{ { 1, 5 }, { 0, 0 }, "bb\n", "a\na\nc\n" },
		{ { 3, 6 }, { 0, 0 }, "bb\na\n", "a\nc\n" },
		/* the skipped line is the one of that text in the match */
		{ { 0, 8 }, { 2, 5 }, "a\na\nc\n", "bb\n" },
		{ { 0, 8 }, { 2, 7 }, "a\nc\n", "bb\na\n" },
		{ { 2, 8 }, { 5, 7 }, "bb\nc\n", "a\na\n" },
		{ { 7, 8 }, { 0, 0 }, "c\n", "a\nbb\na\n" },
		{ { 8, 8 }, { 0, 0 }, "", "a\nbb\na\nc\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct multiline *lines = multiline_new(4);
		const char *text;
		const char *taken;
		size_t length;

		multiline_add(lines, "a", 1);
		multiline_add(lines, "bb", 2);
		multiline_add(lines, "a", 1);
		multiline_add(lines, "c", 1);
		text = multiline_join(lines, &length);
		(void)multiline_take(lines, text, length, rows[i].match, &rows[i].skipped,
			rows[i].skipped.end > 0, &taken, &length);
		if (length != strlen(rows[i].taken) || memcmp(taken, rows[i].taken, length) != 0)
			fail_msg("row %zu: '%.*s'", i, (int)length, taken);
		joined_is(lines, rows[i].rest);
		multiline_free(lines);
	}
}

/* Logs through filter_match; expected is "RULE HOST LINES", NULL: no hit. Those answers are
 * fail2ban 1.0.2's. */
static void logs(void **state)
{
	static const struct {
		const char *rules[RULES_MAX];
		const char *prefix;
		const char *ignore;
		struct {
			const char *line;
			const char *expected;
		} steps[STEPS_MAX];
		uint32_t maxlines;
	} rows[] = {
		/* what lies between is put back, and can be another hit */
		{ { "^ A(?P<_n>\\d)<SKIPLINES> B(?P=_n) <HOST>$" }, NULL, NULL,
			{ { "100 A1", NULL }, { "101 A2", NULL }, { "102 x", NULL },
				{ "103 B1 192.0.2.1", "1 192.0.2.1 2" }, { "104 y", NULL },
				{ "105 B2 192.0.2.2", "1 192.0.2.2 2" },
				{ "106 B2 192.0.2.2", NULL } },
			5 },
		/* out of reach */
		{ { "^ A<SKIPLINES> B <HOST>$" }, NULL, NULL,
			{ { "100 A", NULL }, { "101 x", NULL }, { "102 x", NULL },
				{ "103 B 192.0.2.1", NULL } },
			3 },
		/* ^ and $ hold at each line, lines of their own too */
		{ { "^ H <HOST>$" }, NULL, NULL,
			{ { "100 x", NULL }, { "101 H 192.0.2.1", "1 192.0.2.1 1" },
				{ "102 x", NULL }, { "H 192.0.2.1", NULL },
				{ " H 192.0.2.2", "1 192.0.2.2 1" } },
			3 },
		/* what was ignored is gone as well */
		{ { "^ A<SKIPLINES> B <HOST>$" }, NULL, "good",
			{ { "100 A good", NULL }, { "101 A", NULL }, { "101 x", NULL },
				{ "102 B 192.0.2.1", "1 192.0.2.1 2" }, { "103 A", NULL },
				{ "104 B 192.0.2.9", "1 192.0.2.9 2" } },
			5 },
		{ { "^ A[^\\n]*<SKIPLINES> B <HOST>$" }, NULL, "good",
			{ { "100 A good", NULL }, { "102 B 192.0.2.1", NULL },
				{ "103 B 192.0.2.1", NULL } },
			5 },
		/* a prefregex sees the whole buffer from its start; its content takes its place */
		{ { "^A<SKIPLINES>B <HOST>$", "^C <HOST>" }, "^ p: <F-CONTENT>.+</F-CONTENT>$",
			NULL,
			{ { "100 p: C 192.0.2.1", "2 192.0.2.1 1" }, { "101 p: x", NULL },
				{ "102 p: C 192.0.2.1", NULL } },
			3 },
		/* the literals are looked for in all lines together */
		{ { "^ Failed one<SKIPLINES> Closed two <HOST>$" }, NULL, NULL,
			{ { "100 Failed one", NULL }, { "101 noise", NULL },
				{ "102 Closed two 192.0.2.1", "1 192.0.2.1 2" } },
			5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct config_text rules[RULES_MAX] = { 0 };
		struct config_text ignore = { .text = (char *)(uintptr_t)rows[i].ignore };
		struct config_text date = { .text = (char *)(uintptr_t) "^(\\d{3})\\b" };
		struct filter_def def = { .path = (char *)(uintptr_t) "test",
			.failregex = rules,
			.ignoreregex = &ignore,
			.n_ignoreregex = rows[i].ignore != NULL,
			.prefregex = { .text = (char *)(uintptr_t)rows[i].prefix },
			.datepattern = &date,
			.n_datepattern = 1,
			.maxlines = rows[i].maxlines };
		struct findings findings = { 0 };
		struct filter *filter;

		for (size_t k = 0; k < RULES_MAX && rows[i].rules[k]; k++)
			rules[def.n_failregex++].text = (char *)(uintptr_t)rows[i].rules[k];
		filter = filter_new(&def, &findings);
		assert_non_null(filter);
		for (size_t k = 0; k < STEPS_MAX && rows[i].steps[k].line; k++) {
			const char *line = rows[i].steps[k].line;
			const char *expected = rows[i].steps[k].expected;
			struct hit hit;
			char got[100] = "";

			if (filter_match(filter,
				    &(struct line){ .text = line, .length = strlen(line) }, now_s,
				    &hit) == FILTER_HIT)
				(void)snprintf(got, sizeof(got), "%u %.*s %u", hit.rule,
					(int)hit.host_length, hit.host, hit.n_lines);
			if (strcmp(got, expected ? expected : "") != 0)
				fail_msg("row %zu, '%s': '%s'", i, line, got);
		}
		filter_free(filter);
		findings_done(&findings);
	}
}

/* A hit has the time of the line that completes it, or of the one before if that has none and was
 * less than a minute ago. */
static void times(void **state)
{
	static const struct {
		const char *lines[2];
		int64_t at_s;
		bool has_time;
	} rows[] = {
		{ { "2026-11-25 11:59:10 A", "2026-11-25 11:59:20 B 192.0.2.1" }, -40, true },
		{ { "2026-11-25 11:59:10 A", " B 192.0.2.1" }, -50, true },
		{ { "2026-11-25 11:58:10 A", " B 192.0.2.1" }, 0, false },
		{ { " A", " B 192.0.2.1" }, 0, false },
		{ { "2026-11-25 12:00:10 A", " B 192.0.2.1" }, 0, true },
	};
	struct config_text rule = { .text = (char *)(uintptr_t) "^ A<SKIPLINES> B <HOST>$" };
	struct filter_def def = { .path = (char *)(uintptr_t) "test",
		.failregex = &rule,
		.n_failregex = 1,
		.maxlines = 2 };

	(void)state;
	(void)setenv("TZ", "UTC", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct findings findings = { 0 };
		struct filter *filter = filter_new(&def, &findings);
		struct hit hit;

		assert_non_null(filter);
		assert_int_equal(filter_match(filter,
					 &(struct line){ .text = rows[i].lines[0],
						 .length = strlen(rows[i].lines[0]) },
					 now_s, &hit),
			FILTER_MISS);
		assert_int_equal(filter_match(filter,
					 &(struct line){ .text = rows[i].lines[1],
						 .length = strlen(rows[i].lines[1]) },
					 now_s, &hit),
			FILTER_HIT);
		assert_int_equal(hit.at_ms, (now_s + rows[i].at_s) * 1000);
		assert_int_equal(hit.has_time, rows[i].has_time);
		filter_free(filter);
		findings_done(&findings);
	}
}

/* With one line a time <SKIPLINES> is a slip; of ignoreregex and prefregex too. */
static void told(void **state)
{
	struct config_text rule = { .text = (char *)(uintptr_t) "A<SKIPLINES> <HOST>",
		.at = { "test.conf", 7, 13 } };
	struct filter_def def = { .path = (char *)(uintptr_t) "test",
		.failregex = &rule,
		.n_failregex = 1,
		.maxlines = 1 };
	struct findings findings = { 0 };

	(void)state;
	filter_free(filter_new(&def, &findings));
	assert_int_equal(findings.errors, 0);
	assert_int_equal(findings.count, 1);
	assert_int_equal(findings.list[0].column, 14);
	def.maxlines = 2;
	filter_free(filter_new(&def, &findings));
	assert_int_equal(findings.count, 1);
	findings_done(&findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(bounds), cmocka_unit_test(taking),
		cmocka_unit_test(logs), cmocka_unit_test(times), cmocka_unit_test(told) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
