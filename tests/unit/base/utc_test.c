#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "base/utc.h"

/* The zone of the process is none of its business. */
static int set_zone(void **state)
{
	(void)state;
	(void)setenv("TZ", "CET-01CEST-02,M3.5.0,M10.5.0", 1);
	tzset();
	return 0;
}

static void test_seconds(void **state)
{
	static const struct {
		int64_t at_s;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ -1, "1969-12-31T23:59:59Z" },
		{ 1795423865, "2026-11-23T08:51:05Z" },
		{ 951782399, "2000-02-28T23:59:59Z" },
		{ 951782400, "2000-02-29T00:00:00Z" },
		{ 4102444799, "2099-12-31T23:59:59Z" },
		{ 253402300799, "9999-12-31T23:59:59Z" },
		{ 253402300800, "" },
		{ -62135596800, "0001-01-01T00:00:00Z" },
		{ -62167219200, "0000-01-01T00:00:00Z" },
		{ -62167219201, "" },
		{ -30610224000, "1000-01-01T00:00:00Z" },
		{ -30610224001, "0999-12-31T23:59:59Z" },
		{ INT64_MAX, "" },
		{ INT64_MIN, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[UTC_TEXT_MAX];

		assert_ptr_equal(utc_format(rows[i].at_s, out), out);
		assert_string_equal(out, rows[i].text);
	}
}

static void test_milliseconds(void **state)
{
	static const struct {
		int64_t at_ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 1000, "1970-01-01T00:00:01Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ 999, "1970-01-01T00:00:00.999Z" },
		{ 1795423865686, "2026-11-23T08:51:05.686Z" },
		{ 1795423865050, "2026-11-23T08:51:05.050Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -999, "1969-12-31T23:59:59.001Z" },
		{ -1000, "1969-12-31T23:59:59Z" },
		{ -1001, "1969-12-31T23:59:58.999Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
		{ 253402300800000, "" },
		{ -62167219200000, "0000-01-01T00:00:00Z" },
		{ -62167219200001, "" },
		{ INT64_MAX, "" },
		{ INT64_MIN, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[UTC_TEXT_MAX];

		assert_ptr_equal(utc_format_ms(rows[i].at_ms, out), out);
		assert_string_equal(out, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_milliseconds),
	};

	return cmocka_run_group_tests(tests, set_zone, NULL);
}
