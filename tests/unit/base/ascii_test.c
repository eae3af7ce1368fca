/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>

#include "base/ascii.h"

/* Against the C library, in its own locale; beyond ASCII nothing is anything. */
static void bytes(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		bool is_ascii = byte < 0x80;

		assert_int_equal(ascii_is_digit((char)byte), is_ascii && isdigit(byte));
		assert_int_equal(ascii_is_letter((char)byte), is_ascii && isalpha(byte));
		assert_int_equal(ascii_is_word((char)byte),
			is_ascii && (isalnum(byte) || byte == '_'));
		assert_int_equal((unsigned char)ascii_lower((char)byte),
			is_ascii ? tolower(byte) : byte);
	}
}

static void strings(void **state)
{
	char text[] = "[Az]\xc3\x84 @Z`";

	(void)state;
	assert_string_equal(ascii_lower_string(text), "[az]\xc3\x84 @z`");
	assert_string_equal(text, "[az]\xc3\x84 @z`");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(bytes), cmocka_unit_test(strings) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
