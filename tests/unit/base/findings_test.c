#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/findings.h"

static void format_names_the_place(void **state)
{
	struct findings findings = { 0 };
	struct position at = { "jail.local", 6, 12 };
	struct position whole = { "jail.local", 0, 0 };
	char *text;

	(void)state;
	assert_int_equal(finding_error(&findings, &at, "bad %s", "value"), -1);
	finding_warning(&findings, &whole, "odd");
	assert_int_equal(findings.count, 2);
	assert_int_equal(findings.errors, 1);
	text = finding_format(&findings.list[0]);
	assert_string_equal(text, "jail.local:6:12: error: bad value");
	free(text);
	text = finding_format(&findings.list[1]);
	assert_string_equal(text, "jail.local: warning: odd");
	free(text);
	findings_done(&findings);
	assert_int_equal(findings.count, 0);
}

/* One finding is one line, and no terminal obeys a file's name. */
static void format_renders_the_file(void **state)
{
	static const struct {
		const char *file;
		const char *wanted;
	} rows[] = {
		{ "jail.d/a\nb.conf", "jail.d/a\\x0ab.conf:1:2: warning: odd" },
		{ "jail.d/\x1b[31m.conf", "jail.d/\\x1b[31m.conf:1:2: warning: odd" },
		{ "\xff\xff\xff\xff\xff", "\\xff\\xff\\xff\\xff\\xff:1:2: warning: odd" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct findings findings = { 0 };
		struct position at = { rows[i].file, 1, 2 };
		char *text;

		finding_warning(&findings, &at, "odd");
		text = finding_format(&findings.list[0]);
		assert_string_equal(text, rows[i].wanted);
		free(text);
		findings_done(&findings);
	}
}

static void the_same_is_told_once(void **state)
{
	struct findings findings = { 0 };
	struct position at = { "a", 1, 1 };

	(void)state;
	assert_int_equal(finding_error(&findings, &at, "x"), -1);
	assert_int_equal(finding_error(&findings, &at, "x"), -1);
	finding_warning(&findings, &at, "x");
	assert_int_equal(findings.count, 2);
	assert_int_equal(findings.errors, 1);
	findings_done(&findings);
}

static void sorted_by_place(void **state)
{
	static const struct position places[] = { { "b", 1, 1 }, { "a", 2, 1 }, { "a", 1, 9 },
		{ "a", 1, 2 }, { "a", 0, 0 }, { "a", 1, 2 } };
	static const char *const wanted[] = { "4", "3", "5", "2", "1", "0" };
	struct findings findings = { 0 };

	(void)state;
	findings_sort(&findings);
	for (unsigned i = 0; i < 6; i++)
		finding_warning(&findings, &places[i], "%u", i);
	findings_sort(&findings);
	for (unsigned i = 0; i < 6; i++)
		assert_string_equal(findings.list[i].text, wanted[i]);
	findings_done(&findings);
}

static void the_list_is_bounded(void **state)
{
	struct findings findings = { 0 };
	struct position at = { "a", 0, 1 };

	(void)state;
	for (unsigned i = 0; i < FINDINGS_MAX + 7; i++) {
		at.line = i + 1;
		(void)finding_error(&findings, &at, "x");
	}
	assert_int_equal(findings.count, FINDINGS_MAX);
	assert_int_equal(findings.dropped, 7);
	assert_int_equal(findings.errors, FINDINGS_MAX + 7);
	findings_done(&findings);
}

static void rows_have_guesses(void **state)
{
	static const char *const list[] = { "maxretry", "port", "enabled" };
	static const struct {
		const char *word;
		const char *guess;
	} rows[] = { { "maxrety", "maxretry" }, { "enabeld", "enabled" }, { "ports", "port" },
		{ "prot", "port" }, { "colour", NULL }, { "", NULL }, { "maxre", NULL } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *guess = guess_word(rows[i].word, list, 3);

		if (rows[i].guess)
			assert_string_equal(guess, rows[i].guess);
		else
			assert_null(guess);
	}
}

static void a_very_long_word_has_none(void **state)
{
	static const char *const list[] = { "port" };
	char word[200];

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_null(guess_word(word, list, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format_names_the_place),
		cmocka_unit_test(format_renders_the_file),
		cmocka_unit_test(the_same_is_told_once),
		cmocka_unit_test(sorted_by_place),
		cmocka_unit_test(the_list_is_bounded),
		cmocka_unit_test(rows_have_guesses),
		cmocka_unit_test(a_very_long_word_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
