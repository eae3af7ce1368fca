#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/times.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400, WEEK = 604800, MONTH = 2629800, YEAR = 31557600 };

static int64_t parsed(const char *text)
{
	struct error err = { "" };
	int64_t got_s = 0;

	if (duration_parse(text, &got_s, &err) < 0)
		fail_msg("%s", err.text);
	return got_s;
}

/* The words of the manual, in three spellings of case and with and without a blank. */
static void test_units(void **state)
{
	static const struct {
		const char *words[8];
		int64_t seconds;
	} rows[] = {
		{ { "y", "yy", "yea", "year", "years" }, YEAR },
		{ { "mo", "mon", "month", "months" }, MONTH },
		{ { "w", "ww", "wee", "week", "weeks" }, WEEK },
		{ { "d", "dd", "da", "day", "days" }, DAY },
		{ { "h", "hh", "hou", "hour", "hours" }, HOUR },
		{ { "m", "mm", "mi", "min", "minute", "minutes" }, MINUTE },
		{ { "s", "ss", "se", "sec", "second", "seconds" }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t k = 0; k < 8 && rows[i].words[k]; k++) {
			const char *word = rows[i].words[k];
			char upper[16] = "";
			char text[64];

			for (size_t n = 0; word[n]; n++)
				upper[n] = (char)(word[n] - 'a' + 'A');
			(void)snprintf(text, sizeof(text), "3%s", word);
			assert_int_equal(parsed(text), 3 * rows[i].seconds);
			(void)snprintf(text, sizeof(text), " 3 %s ", upper);
			assert_int_equal(parsed(text), 3 * rows[i].seconds);
			(void)snprintf(text, sizeof(text), "3%c%s", upper[0], word + 1);
			assert_int_equal(parsed(text), 3 * rows[i].seconds);
		}
	}
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} rows[] = {
		{ "0", 0 },
		{ "600", 600 },
		{ "+600", 600 },
		{ "-1", -1 },
		{ "- 1", -1 },
		{ "0600", 600 },
		{ "1e3", 1000 },
		{ "\t10m\n", 600 },
		{ "1h 30m", 5400 },
		{ "1h30m", 5400 },
		{ "1h\n30m", 5400 },
		{ "1h + 30m", 5400 },
		{ "1d12h30m15s", DAY + 12 * HOUR + 30 * MINUTE + 15 },
		{ "1y6mo", YEAR + 6 * MONTH },
		{ "1year-6mo", YEAR - 6 * MONTH },
		{ "1 year - 6 months", YEAR - 6 * MONTH },
		{ "-1h30m", -HOUR + 30 * MINUTE },
		{ "24*60*60", DAY },
		{ "24 * 60m", DAY },
		{ "1h*2", 2 * HOUR },
		{ "1d/2", DAY / 2 },
		{ "1d / 24 / 60", 60 },
		{ "1d/4*2", DAY / 2 },
		{ "10+2*5", 20 },
		{ "2*5+10", 20 },
		{ "100-10/2", 95 },
		{ "10 20", 30 },
		{ "2*1h 30m", 2 * HOUR + 30 * MINUTE },
		{ "1.5h", 5400 },
		{ ".5h", 1800 },
		{ "0.5", 0 },
		{ "1.9", 1 },
		{ "-0.5", -1 },
		{ "-1.5", -2 },
		{ "-2.0", -2 },
		{ "7/2", 3 },
		{ "-7/2", -4 },
		{ "99999999999", 99999999999 },
		{ "-99999999999", -99999999999 },
		{ "100000000000-1", 99999999999 },
		{ "3000y", 3000LL * YEAR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (parsed(rows[i].text) != rows[i].seconds)
			fail_msg("'%s': %lld", rows[i].text, (long long)parsed(rows[i].text));
}

static void test_errors(void **state)
{
	static const char *const texts[] = { "", " ", "+", "-", "m", "forever", "10x", "10 xyz",
		"1hx", "1secondss", "1yeard", "1moy", "1e", "0x10", "0X10m", "1..5", ".", "1,5",
		"1h,", "1h;", "--1", "+-1", "1--1", "1+", "1-", "1*", "1/", "*1", "/1", "1**2",
		"1//2", "1*-1", "1/0", "1h/0m", "1/0.0", "0/0", "(1)", "1h 30m x", "inf", "nan",
		"1inf", "1e400", "1e400-1e400", "1e200*1e200", "100000000000", "-100000000000",
		"4000y", "1h\r", "10m\x01",
		"\xc2\xa0"
		"1m",
		"1\xc3\xa4" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct error err = { "" };
		int64_t got_s = 4711;

		if (duration_parse(texts[i], &got_s, &err) != -1)
			fail_msg("'%s': %lld", texts[i], (long long)got_s);
		assert_int_equal(got_s, 4711);
		assert_true(err.text[0]);
		assert_int_equal(duration_parse(texts[i], &got_s, NULL), -1);
	}
}

static void test_error_text(void **state)
{
	struct error err = { "" };
	int64_t got_s;

	(void)state;
	assert_int_equal(duration_parse("1\033[2J", &got_s, &err), -1);
	assert_non_null(strstr(err.text, "'1\\x1b[2J'"));
}

/* There is a limit to the number of terms, and it is an error to be over it. */
static void test_many_terms(void **state)
{
	static const char *const terms[] = { "1+", "1*" };
	struct error err;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t n = 0; n < 500; n++) {
			char text[1024] = "";
			int64_t got_s = 0;
			int rc;

			for (size_t k = 0; k < n; k++)
				memcpy(text + 2 * k, terms[i], 2);
			text[2 * n] = '1';
			rc = duration_parse(text, &got_s, &err);
			assert_true(rc == 0 || n > 32);
			if (rc == 0)
				assert_int_equal(got_s, i == 0 ? n + 1 : 1);
			if (n == 499)
				assert_int_equal(rc, -1);
		}
	}
}

static void test_format(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
		{ 0, "0s" },
		{ 1, "1s" },
		{ 59, "59s" },
		{ 60, "1m" },
		{ 61, "1m 1s" },
		{ 600, "10m" },
		{ 3600, "1h" },
		{ 5400, "1h 30m" },
		{ 3601, "1h 1s" },
		{ 3661, "1h 1m" },
		{ DAY - 1, "23h 59m" },
		{ DAY, "1d" },
		{ DAY + 2 * HOUR, "1d 2h" },
		{ DAY + 60, "1d 1m" },
		{ 7 * DAY, "7d" },
		{ 400LL * DAY + HOUR + 59, "400d 1h" },
		{ -1, "-1s" },
		{ -5400, "-1h 30m" },
		{ 99999999999, "1157407d 9h" },
		{ INT64_MAX, "106751991167300d 15h" },
		{ INT64_MIN, "-106751991167300d 15h" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[DURATION_TEXT_MAX];

		assert_ptr_equal(duration_format(rows[i].seconds, out), out);
		assert_string_equal(out, rows[i].text);
	}
}

/* What was exact is read back as it was. */
static void test_round_trip(void **state)
{
	static const int64_t units[] = { DAY, HOUR, MINUTE, 1 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (size_t k = i + 1; k < 4; k++) {
			for (int64_t n = 0; n < 23; n++) {
				int64_t seconds = n * units[i] + (n % 7) * units[k];
				char out[DURATION_TEXT_MAX];

				assert_int_equal(parsed(duration_format(seconds, out)), seconds);
			}
		}
	}
}

/* The zone of the process is none of its business. */
static int set_zone(void **state)
{
	(void)state;
	(void)setenv("TZ", "CET-01CEST-02,M3.5.0,M10.5.0", 1);
	tzset();
	return 0;
}

static void test_utc_seconds(void **state)
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

static void test_utc_milliseconds(void **state)
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
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_error_text),
		cmocka_unit_test(test_many_terms),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_utc_seconds),
		cmocka_unit_test(test_utc_milliseconds),
	};

	return cmocka_run_group_tests(tests, set_zone, NULL);
}
