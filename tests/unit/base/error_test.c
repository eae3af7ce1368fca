#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"

/* A text that is one byte longer than fits, and what is left of it. */
static char long_text[ERROR_TEXT_MAX + 1];

static int fill(void **state)
{
	(void)state;
	memset(long_text, 'x', ERROR_TEXT_MAX);
	return 0;
}

static void test_set(void **state)
{
	struct error err = { "before" };

	(void)state;
	assert_int_equal(error_set(&err, "%s: %d", "jail", 7), -1);
	assert_string_equal(err.text, "jail: 7");
	assert_int_equal(error_set(&err, "%s", ""), -1);
	assert_string_equal(err.text, "");
}

static void test_no_error(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, "%d", 1), -1);
	assert_int_equal(error_errno(NULL, ENOENT, "%d", 1), -1);
	assert_int_equal(error_prefix(NULL, "%d", 1), -1);
}

static void test_errno(void **state)
{
	struct error err = { "" };

	(void)state;
	errno = EPERM;
	assert_int_equal(error_errno(&err, ENOENT, "cannot open %s", "a.conf"), -1);
	assert_string_equal(err.text, "cannot open a.conf: No such file or directory");
}

static void test_prefix(void **state)
{
	struct error err = { "" };

	(void)state;
	(void)error_set(&err, "no such thing");
	assert_int_equal(error_prefix(&err, "line %d", 3), -1);
	assert_int_equal(error_prefix(&err, "a.conf"), -1);
	assert_string_equal(err.text, "a.conf: line 3: no such thing");
}

static void test_cut(void **state)
{
	struct error err = { "" };

	(void)state;
	assert_int_equal(error_set(&err, "%s", long_text), -1);
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
	assert_memory_equal(err.text, long_text, ERROR_TEXT_MAX - 1);
	assert_int_equal(error_errno(&err, ENOENT, "%s", long_text), -1);
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
	assert_int_equal(error_prefix(&err, "ab"), -1);
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
	assert_memory_equal(err.text, "ab: xxx", 7);
	assert_int_equal(error_prefix(&err, "%s", long_text), -1);
	assert_memory_equal(err.text, long_text, ERROR_TEXT_MAX - 1);
	assert_int_equal(err.text[ERROR_TEXT_MAX - 1], '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_no_error),
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
