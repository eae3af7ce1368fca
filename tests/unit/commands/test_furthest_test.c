#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "commands/test_furthest.h"
#include "config/config.h"

enum { NOW_S = 1795423865 };

static struct config_text rules[] = {
	{ .text = (char *)"^\\s*failed \\w+ from <ADDR>$",
		.at = { .file = "x.conf", .line = 2, .column = 13 } },
	{ .text = (char *)"^\\s*refused (?! by )<F-ID/> now$",
		.at = { .file = "x.conf", .line = 3, .column = 13 } },
};

static struct filter_def def(void)
{
	return (struct filter_def){ .name = (char *)"x",
		.failregex = rules,
		.n_failregex = 2,
		.maxlines = 1,
		.usedns = USEDNS_YES };
}

/* The best rule, the column where it stopped, the text it had matched. */
static void lines(void **state)
{
	static const struct {
		const char *line;
		unsigned rule;
		unsigned column;
		const char *matched;
		const char *rest; /* of the rule */
		const char *date; /* NULL: none */
		bool is_whole;
	} rows[] = {
		{ "2026-11-23T08:51:05Z failed bob by 192.0.2.1", 1, 13 + 15, " failed bob ",
			"from <ADDR>$", "2026-11-23T08:51:05Z", false },
		{ "failed bob from 192.0.2", 1, 13 + 20, "failed bob from ", "<ADDR>$", NULL,
			false },
		{ "refused me then", 2, 13 + 28, "refused me ", "now$", NULL, false },
		{ "failed bob from 192.0.2.300", 1, 13 + 27, "failed bob from 192.0.2.300", "",
			NULL, true },
	};
	struct filter_def used = def();
	struct test_furthest *reach = test_furthest_new(&used);
	struct test_why why;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		test_furthest_line(reach, i + 1, rows[i].line, strlen(rows[i].line), NOW_S, &why);
		if (why.best.rule != rows[i].rule || why.best.at.column != rows[i].column ||
			why.best.is_whole != rows[i].is_whole)
			fail_msg("row %zu: rule %u, column %u, whole %d", i, why.best.rule,
				why.best.at.column, why.best.is_whole);
		assert_string_equal(why.best.text, rows[i].rest);
		assert_int_equal(why.best.matched, strlen(rows[i].matched));
		assert_memory_equal(why.input, rows[i].matched, why.best.matched);
		assert_int_equal(why.has_date, rows[i].date != NULL);
		if (rows[i].date)
			assert_memory_equal(rows[i].line + why.date_start, rows[i].date,
				why.date_length);
	}
	test_furthest_free(reach);
}

/* Over all lines, the one in which a rule came furthest. */
static void best_of_all_lines(void **state)
{
	static const char *const tried[] = { "refused", "refused me", "nothing" };
	struct filter_def used = def();
	struct test_furthest *reach = test_furthest_new(&used);
	struct test_stop stop;
	struct test_why why;
	const char *matched;

	(void)state;
	assert_int_equal(test_furthest_best(reach, 2, &stop, &matched), 0);
	for (size_t i = 0; i < sizeof(tried) / sizeof(*tried); i++)
		test_furthest_line(reach, i + 1, tried[i], strlen(tried[i]), NOW_S, &why);
	assert_int_equal(test_furthest_best(reach, 2, &stop, &matched), 2);
	assert_string_equal(matched, "refused me");
	assert_string_equal(stop.text, " now$");
	assert_int_equal(test_furthest_best(reach, 1, &stop, &matched), 1);
	assert_string_equal(matched, "");
	assert_int_equal(test_furthest_best(reach, 0, &stop, &matched), 0);
	test_furthest_free(reach);
}

/* Where prefregex does not match, no failregex is tried; where it does, they see its content. */
static void prefix(void **state)
{
	struct filter_def used = def();
	struct test_furthest *reach;
	struct test_why why;

	(void)state;
	used.prefregex = (struct config_text){ .text = (char *)"^app: <F-CONTENT>.+</F-CONTENT>$",
		.at = { .file = "x.conf", .line = 1, .column = 13 } };
	reach = test_furthest_new(&used);
	test_furthest_line(reach, 1, "apk: failed bob", 15, NOW_S, &why);
	assert_int_equal(why.best.rule, 0);
	assert_int_equal(why.best.at.line, 1);
	assert_int_equal(why.best.at.column, 13 + 3);
	test_furthest_line(reach, 2, "app: failed bob", 15, NOW_S, &why);
	assert_int_equal(why.best.rule, 1);
	assert_int_equal(why.input_length, strlen("failed bob"));
	assert_memory_equal(why.input, "failed bob", why.input_length);
	test_furthest_free(reach);
}

/* An entry of the journal keeps what looks like a date. */
static void journal(void **state)
{
	static const char line[] = "2026-11-23T08:51:05Z refused me";
	struct filter_def used = def();
	struct test_furthest *reach;
	struct test_why why;

	(void)state;
	used.journal = true;
	reach = test_furthest_new(&used);
	test_furthest_line(reach, 1, line, strlen(line), NOW_S, &why);
	assert_false(why.has_date);
	assert_memory_equal(why.input, line, strlen(line));
	test_furthest_free(reach);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(best_of_all_lines),
		cmocka_unit_test(prefix),
		cmocka_unit_test(journal),
	};

	(void)setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
