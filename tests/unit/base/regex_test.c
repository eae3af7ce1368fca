/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/regex.h"

static struct regex *regex_of(const char *pattern, bool ignore_case)
{
	struct regex *regex = NULL;
	struct error err = { "" };
	size_t offset = 0;

	if (regex_new(pattern, ignore_case, &regex, &offset, &err))
		fail_msg("%s: %s at %zu", pattern, err.text, offset);
	return regex;
}

static void matches(void **state)
{
	static const struct {
		const char *pattern;
		const char *subject;
		size_t length; /* 0: strlen */
		bool ignore_case;
		enum regex_result result;
	} rows[] = {
		{ "a$", "ba\n", 0, false, REGEX_HIT },
		{ "a\\n$", "ba\n", 0, false, REGEX_HIT },
		{ "^a.c$", "a\nc", 0, false, REGEX_MISS },
		{ "abc", "ABC", 0, false, REGEX_MISS },
		{ "abc", "ABC", 0, true, REGEX_HIT },
		{ "^\\xff?.*x(\\d+)$", "\xc3\xa4 x12", 0, false, REGEX_HIT },
		{ "x(\\d+)$", "\xff\xfe\x80 x12", 0, false, REGEX_HIT },
		{ "a.b",
			"a\xff"
			"b",
			0, false, REGEX_HIT },
		{ "^[^x]*\\.$", "\xed\xa0\x80\xc3.", 0, false, REGEX_HIT },
		{ "a[\\w\\s]b",
			"a\xff"
			"b",
			0, false, REGEX_MISS },
		{ "a\\x00b", "a\0b", 3, false, REGEX_HIT },
		{ "^\\w$", "\xc3\xa4", 0, false, REGEX_MISS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct regex *regex = regex_of(rows[i].pattern, rows[i].ignore_case);
		size_t length = rows[i].length ? rows[i].length : strlen(rows[i].subject);

		if (regex_match(regex, rows[i].subject, length) != rows[i].result)
			fail_msg("row %zu: %s", i, rows[i].pattern);
		regex_free(regex);
	}
}

static void groups(void **state)
{
	struct regex *regex = regex_of("(?<b>x)?(?<a>y)(z)?", false);
	size_t start = 99;
	size_t length = 99;
	unsigned group = 0;

	(void)state;
	assert_int_equal(regex_match(regex, "..y", 3), REGEX_HIT);
	assert_int_equal(regex_group_number(regex, "a"), 2);
	assert_int_equal(regex_group_number(regex, "nobody"), 0);
	assert_int_equal(regex_name_count(regex), 2);
	assert_string_equal(regex_name(regex, 1, &group), "b");
	assert_int_equal(group, 1);
	assert_false(regex_group(regex, 1, &start, &length));
	assert_false(regex_group(regex, 3, &start, &length));
	assert_false(regex_group(regex, 77, &start, &length));
	assert_true(regex_group(regex, 2, &start, &length));
	assert_int_equal(start, 2);
	assert_int_equal(length, 1);
	regex_free(regex);
}

static void limit(void **state)
{
	struct regex *regex = regex_of("^(?:a+)+$", false);
	char subject[200];

	(void)state;
	memset(subject, 'a', sizeof(subject));
	subject[sizeof(subject) - 1] = 'b';
	assert_int_equal(regex_match(regex, subject, sizeof(subject)), REGEX_LIMIT);
	assert_int_equal(regex_match(regex, subject, 20), REGEX_HIT);
	regex_free(regex);
}

/* What is said of the start of a text is true of the whole: regex_match agrees for some rest, and
 * REGEX_OPEN has rests for both. */
static void heads(void **state)
{
	static const struct {
		const char *pattern;
		const char *head;
		enum regex_result result;
	} rows[] = {
		{ "^a (b+) c", "a bb c and so on", REGEX_HIT },
		{ "a (b+) c", "1 a bb c and so on", REGEX_HIT },
		{ "^a (b+) c", "a bb c", REGEX_OPEN }, /* of which the last byte is not asked */
		{ "^a (b+) c", "a bb", REGEX_OPEN },
		{ "^a (b+) c", "a bd c", REGEX_MISS },
		{ "a (b+) c", "a bd c", REGEX_OPEN },
		{ "^a (b+)", "a bbc", REGEX_HIT },
		{ "^a (b+)", "a bbb", REGEX_OPEN },
		{ "^a b$", "a b", REGEX_OPEN },
		{ "^a b\\b", "a b", REGEX_OPEN },
		{ "^a b.*$", "a b c", REGEX_OPEN },
		{ "^a b.*", "a b c", REGEX_OPEN },
		{ "^a b(?!.*x)", "a b c", REGEX_OPEN },
		{ "^(?!.*x)a b", "a b c", REGEX_OPEN },
		{ "^a b(?!x)", "a b c", REGEX_HIT },
		{ "^a b(?!x)", "a bxc", REGEX_MISS },
		{ "^a(?:.*z)? b", "a b c", REGEX_OPEN },
		{ "^(?:a|b$)", "bc", REGEX_MISS },
		{ "^a|b", "bc", REGEX_HIT },
		{ "^a|b", "c", REGEX_OPEN },
		{ "", "c", REGEX_HIT },
		{ "^a \xc3\xbc", "a \xc3\xbc x", REGEX_HIT },
		{ "^a [^x]", "a \xc3", REGEX_OPEN }, /* half a character */
		{ "^(?:a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", REGEX_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct regex *regex = regex_of(rows[i].pattern, false);
		enum regex_result result =
			regex_match_head(regex, rows[i].head, strlen(rows[i].head));

		if (result != rows[i].result)
			fail_msg("%s on %s: %d", rows[i].pattern, rows[i].head, result);
		regex_free(regex);
	}
}

/* One pass over a text has steps enough, however long it is. */
static void linear(void **state)
{
	static const char pattern[] = "^(?:\\\\.)*+x";
	struct regex *regex = regex_of(pattern, false);
	static char subject[100001];

	(void)state;
	memset(subject, '\\', sizeof(subject));
	subject[sizeof(subject) - 1] = 'x';
	assert_int_equal(regex_match(regex, subject, sizeof(subject)), REGEX_HIT);
	subject[sizeof(subject) - 1] = 'y';
	assert_int_equal(regex_match(regex, subject, sizeof(subject)), REGEX_MISS);
	assert_int_equal(regex_match_head(regex, subject, sizeof(subject)), REGEX_MISS);
	regex_free(regex);
}

static void refused(void **state)
{
	static const struct {
		const char *pattern;
		size_t offset;
	} rows[] = { { "ab(c", 4 }, { "[a", 2 }, { "a**b{2,1}", 9 }, { "(?<a>x)(?<a>y)", 11 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct regex *regex = NULL;
		struct error err = { "" };
		size_t offset = 0;

		assert_int_equal(regex_new(rows[i].pattern, false, &regex, &offset, &err), -1);
		assert_null(regex);
		assert_true(strlen(err.text) > 5);
		if (offset > strlen(rows[i].pattern) || (i < 2 && offset != rows[i].offset))
			fail_msg("%s: offset %zu", rows[i].pattern, offset);
	}
}

/* A subject of ASCII only and the same behind a character that is not: both kinds of code agree. */
static void twins(void **state)
{
	static const char *const patterns[] = { "\\bK(\\w+)\\W*$", "[^\\d\\s]+(x?)$",
		"(?i)[k-\\x{e4}]+(s)", "a\\x{e4}?(b)", "[^\\x{e4}](.)$", "(\\x{100}|.)$",
		"(\\p{Lu})\\p{Ll}", "(\\X)$", "([[:alpha:]]+)(?<=k)", "(?=.*(s).?$)k",
		"\\N{U+6B}(.)", "a\xc3\xa4?(b)", "[\xc3\xa4k](.)" };
	static const char *const subjects[] = { "Kangaroo!", "12 ks", "ab", "kS 9x", "k", "s~\x7f",
		"" };

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(patterns) / sizeof(*patterns); i++) {
		struct regex *regex = regex_of(patterns[i / 2], i % 2);

		for (size_t j = 0; j < sizeof(subjects) / sizeof(*subjects); j++) {
			char wide[64] = "\xe2\x82\xac ";
			size_t start = 0;
			size_t size = 0;
			size_t wide_start = 0;
			size_t wide_size = 0;
			enum regex_result result;
			bool in_wide;

			strcat(wide, subjects[j]);
			result = regex_match(regex, subjects[j], strlen(subjects[j]));
			if (result == REGEX_HIT)
				(void)regex_group(regex, 1, &start, &size);
			in_wide = regex_match(regex, wide, strlen(wide)) == REGEX_HIT;
			if (in_wide)
				(void)regex_group(regex, 1, &wide_start, &wide_size);
			/* a hit may also begin in what stands before */
			if ((result == REGEX_HIT) > in_wide ||
				(result == REGEX_HIT && wide_start != start + 4 &&
					wide_start > 3) ||
				(result != REGEX_HIT && in_wide && wide_start > 4))
				fail_msg("%s: %s", patterns[i / 2], subjects[j]);
		}
		regex_free(regex);
	}
}

/* What is said of a pattern that does not match. */
static void reaches(void **state)
{
	static const struct {
		const char *pattern;
		const char *subject;
		size_t at;      /* offset in pattern */
		size_t matched; /* offset in subject */
		bool is_whole;
	} rows[] = {
		{ "^abc \\d+ end$", "abc 12 and\n", 9, 7, false },
		{ "^abc", "xbc", 1, 0, false },
		{ "b+c", "aabbd", 2, 4, false },
		{ "^a(?! from x)b", "a from x", 2, 1, false }, /* what is forbidden is no way on */
		{ "^a(?<!za)[(]b\\)c", "a(b)d", 15, 4, false },
		{ "^abc$", "abc\n", 5, 3, true },
		{ "", "x", 0, 0, true },
		{ "(?i)", "x", 4, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct regex *regex = NULL;
		struct regex_reach reach;
		struct error err = { "" };
		size_t offset = 0;

		if (regex_new_traced(rows[i].pattern, false, &regex, &offset, &err))
			fail_msg("row %zu: %s", i, err.text);
		regex_reach(regex, rows[i].subject, strlen(rows[i].subject), &reach);
		assert_true(reach.pattern + reach.item <= strlen(rows[i].pattern));
		if (reach.pattern != rows[i].at || reach.subject != rows[i].matched ||
			reach.is_whole != rows[i].is_whole)
			fail_msg("row %zu: at %zu, %zu bytes, whole %d", i, reach.pattern,
				reach.subject, reach.is_whole);
		regex_free(regex);
	}
}

/* It ends at the limit and says how far it came. */
static void reach_is_bounded(void **state)
{
	struct regex *regex = NULL;
	struct regex_reach reach;
	struct error err;
	char subject[4096];
	size_t offset;

	(void)state;
	memset(subject, 'a', sizeof(subject));
	assert_int_equal(regex_new_traced("^(?:a+a+)+b", false, &regex, &offset, &err), 0);
	regex_reach(regex, subject, sizeof(subject), &reach);
	assert_false(reach.is_whole);
	assert_true(reach.subject > 0);
	assert_int_equal(regex_new_traced("(a", false, &regex, &offset, &err), -1);
	assert_int_equal(offset, 2);
	regex_free(regex);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(matches), cmocka_unit_test(groups),
		cmocka_unit_test(limit), cmocka_unit_test(heads), cmocka_unit_test(linear),
		cmocka_unit_test(refused), cmocka_unit_test(twins), cmocka_unit_test(reaches),
		cmocka_unit_test(reach_is_bounded) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
