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
		{ "ab", NULL, NULL },
	};
	/* as where a date in quotes is cut out */
	static const struct literals_cut cut = { .before = { ['"'] = true },
		.behind = { ['"'] = true } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct literal found[LITERALS_MAX] = { 0 };
		size_t count = literals_extract(rows[i].pattern, &cut, found);
		/* "say \"" and "\" twice": the quotes stay, the pair is split */
		const char *first = found[0].bytes ? found[0].bytes : "";
		const char *second = count > 1 ? found[1].bytes : "";

		first += rows[i].first && *first == '"';
		if (!rows[i].first != !count ||
			(count && strncmp(first, rows[i].first, strlen(rows[i].first))))
			fail_msg("%s: '%s'", rows[i].pattern, first);
		if (rows[i].second && strncmp(second, rows[i].second, strlen(rows[i].second)))
			fail_msg("%s: second '%s'", rows[i].pattern, second);
		for (size_t j = 0; j < count; j++)
			literals_done_one(&found[j]);
	}
}

/* Against memmem() over all short strings of a small alphabet. */
static void search(void **state)
{
	static const struct literals_cut cut = { 0 };
	static const char *const patterns[] = { "aab", "aba", "aaa", "abab", "baab", "abcabc" };

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		struct literal found[LITERALS_MAX] = { 0 };

		assert_int_equal(literals_extract(patterns[i], &cut, found), 1);
		for (unsigned n = 0; n < 59049; n++) {
			char text[10];
			unsigned rest = n;

			for (size_t j = 0; j < sizeof(text); j++, rest /= 3)
				text[j] = (char)('a' + rest % 3);
			if (literals_has(&found[0], text, sizeof(text)) !=
				(memmem(text, sizeof(text), patterns[i], strlen(patterns[i])) !=
					NULL))
				fail_msg("%s in %.10s", patterns[i], text);
		}
		assert_false(literals_has(&found[0], "ab", 2));
		assert_false(literals_has(&found[0], "", 0));
		literals_done_one(&found[0]);
	}
}

/* Against memmem() at every place of texts round the length of one and more windows, among bytes
 * that look like the literal's rare ones. */
static void places(void **state)
{
	static const struct literals_cut cut = { 0 };
	static const char *const patterns[] = { "abc", "Sev=Err",
		",Severity=Error,Service=", "aaa" };

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		size_t size = strlen(patterns[i]);
		struct literal found[LITERALS_MAX] = { 0 };

		assert_int_equal(literals_extract(patterns[i], &cut, found), 1);
		for (size_t length = 0; length < 200; length++) {
			char *text = malloc(length + 1);

			for (size_t at = 0; at <= length; at++) {
				char *real;

				for (size_t k = 0; k < length; k++)
					text[k] = patterns[i][(k * 7 + k / 5) % (size - 1)];
				if (at + size <= length)
					memcpy(text + at, patterns[i], size);
				real = memmem(text, length, patterns[i], size);
				assert_int_equal(literals_find(&found[0], text, length),
					real ? (size_t)(real - text) : length);
			}
			free(text);
		}
		literals_done_one(&found[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(literals), cmocka_unit_test(search),
		cmocka_unit_test(places) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
