#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/guess.h"

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
		cmocka_unit_test(rows_have_guesses),
		cmocka_unit_test(a_very_long_word_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
