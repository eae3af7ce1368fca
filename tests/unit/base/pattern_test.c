/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/pattern.h"

static void pieces(void **state)
{
	static const struct {
		const char *text;
		size_t length;
	} rows[] = {
		{ "", 0 },
		{ "ab", 1 },
		{ "(a)", 1 },
		{ "\\d+", 2 },
		{ "\\", 1 },
		{ "\\\\", 2 },
		{ "\\[a]", 2 },
		{ "[ab]c", 4 },
		{ "[]a]b]", 4 },
		{ "[^]a]b]", 5 },
		{ "[^a]", 4 },
		{ "[a\\]b]c", 6 },
		{ "[a[b]c", 5 },
		{ "[(]", 3 },
		{ "[[:alpha:]]", 10 },
		{ "[a", 2 },
		{ "[", 1 },
		{ "[]", 2 },
		{ "[a\\", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (pattern_piece(rows[i].text) != rows[i].length)
			fail_msg("%s: %zu", rows[i].text, pattern_piece(rows[i].text));
}

static void groups(void **state)
{
	static const struct {
		const char *text;
		size_t length;
	} rows[] = {
		{ "(a)b", 3 },
		{ "()", 2 },
		{ "(a(b)c)d)", 7 },
		{ "(a\\)b)c", 6 },
		{ "([)]a)b", 6 },
		{ "([^])]a)b", 8 },
		{ "(?:a|(?!b))c", 11 },
		{ "(a", 2 },
		{ "(a[)", 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (pattern_group(rows[i].text) != rows[i].length)
			fail_msg("%s: %zu", rows[i].text, pattern_group(rows[i].text));
}

/* Each byte knows its place, and the NUL that of what was added last. */
static void places(void **state)
{
	static const size_t origins[] = { 0, 1, 2, 2, 2, 5, 6, 9 };
	struct pattern pattern = { 0 };

	(void)state;
	pattern_copy(&pattern, "ab", 2, 0);
	assert_int_equal(pattern.origins[2], 2);
	pattern_add_string(&pattern, "xyz", 2);
	assert_int_equal(pattern.origins[5], 2);
	pattern_copy(&pattern, "cd", 2, 5);
	pattern_add(&pattern, "", 0, 9);
	assert_string_equal(pattern.bytes, "abxyzcd");
	assert_int_equal(pattern.length, 7);
	assert_memory_equal(pattern.origins, origins, sizeof(origins));
	for (size_t i = 0; i < 1000; i++)
		pattern_add(&pattern, "0123456789", 10, i);
	assert_int_equal(pattern.length, 10007);
	assert_int_equal(strlen(pattern.bytes), 10007);
	assert_int_equal(pattern.origins[10007], 999);
	pattern_done(&pattern);
	assert_null(pattern.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(pieces), cmocka_unit_test(groups),
		cmocka_unit_test(places) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
