/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "match/literals.h"

static void literals(void **state)
{
	static const struct {
		const char *pattern;
		const char *first; /* NULL: none */
		const char *second;
	} rows[] = {
		{ "^abc\\.def \\d+ghi$", "abc.def ", "ghi" },
		{ "abc|def", NULL, NULL },
		{ "(?i)abcdef", NULL, NULL },
		{ "(?:abcdef)?ghi", "ghi", NULL },
		{ "abcdef(?:x|y)*z", "abcdef", NULL },
		{ "abcdx?efg", "abcd", "efg" },
		{ "abcd{2}efg", "abc", "efg" },
		{ "abc{x}def", "x}def", NULL },
		{ "ab\xc3\xa4?cde", "cde", NULL },
		{ "abc\\x41defg", NULL, NULL },
		{ "abc\\Qdefg", NULL, NULL },
		{ "[abc]def[]x]ghij", "ghij", "def" },
		{ "a(?#comment)bcdef", NULL, NULL },
		{ "say \"\" twice", " twice", "say " },
		{ "(?P<x>[)])abcdef", "abcdef", NULL },
		{ "[[:alpha:]]abcdef", NULL, NULL },
		{ "[\\[:alpha:]abcdef", "abcdef", NULL },
		{ "ab", NULL, NULL },
	};
	/* as where a date in quotes is cut out */
	static const struct literals_cut cut = { .before = { ['"'] = true },
		.behind = { ['"'] = true } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct literals set = { 0 };
		struct literals_needed needed;
		const char *first = "";
		const char *second = "";

		literals_add(&set, rows[i].pattern, &cut, &needed);
		if (needed.count)
			first = set.list[needed.numbers[0]].literal.bytes;
		if (needed.count > 1)
			second = set.list[needed.numbers[1]].literal.bytes;
		/* "say \"" and "\" twice": the quotes stay, the pair is split */
		first += rows[i].first && *first == '"';
		if (!rows[i].first != !needed.count ||
			(needed.count && strncmp(first, rows[i].first, strlen(rows[i].first))))
			fail_msg("%s: '%s'", rows[i].pattern, first);
		if (rows[i].second && strncmp(second, rows[i].second, strlen(rows[i].second)))
			fail_msg("%s: second '%s'", rows[i].pattern, second);
		literals_done(&set);
	}
}

/* Against memmem() over all short strings of a small alphabet. */
static void search(void **state)
{
	static const struct literals_cut cut = { 0 };
	static const char *const patterns[] = { "aab", "aba", "aaa", "abab", "baab", "abcabc" };

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		struct literals set = { 0 };
		struct literals_needed needed;

		literals_add(&set, patterns[i], &cut, &needed);
		assert_int_equal(needed.count, 1);
		for (unsigned n = 0; n < 59049; n++) {
			char text[10];
			unsigned rest = n;

			for (size_t j = 0; j < sizeof(text); j++, rest /= 3)
				text[j] = (char)('a' + rest % 3);
			literals_next(&set);
			if (literals_allow(&set, &needed, text, sizeof(text)) !=
				(memmem(text, sizeof(text), patterns[i], strlen(patterns[i])) !=
					NULL))
				fail_msg("%s in %.10s", patterns[i], text);
		}
		literals_next(&set);
		assert_false(literals_allow(&set, &needed, "ab", 2));
		literals_next(&set);
		assert_false(literals_allow(&set, &needed, "", 0));
		literals_done(&set);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(literals), cmocka_unit_test(search) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
