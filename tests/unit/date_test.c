/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <stdio.h>
#include <time.h>

#include "date.h"
#include "error.h"

/* 2026-11-25 12:00:00 UTC */
static const int64_t now_s = 1795608000;

struct row {
	const char *pattern; /* NULL: built-in formats */
	const char *line;
	const char *cut; /* NULL: no date */
	int64_t at_ms;
};

static void row_check(const struct row *row)
{
	struct date *date = NULL;
	struct date_found found = { 0 };
	struct error err = { "" };
	size_t bad = 0;
	bool has;

	if (date_new(&row->pattern, row->pattern != NULL, &date, &bad, &err))
		fail_msg("%s: %s", row->pattern, err.text);
	has = date_find(date, row->line, strlen(row->line), now_s, &found);
	if (has != (row->cut != NULL))
		fail_msg("%s: date %d", row->line, has);
	if (has && (found.cut_length != strlen(row->cut) ||
			   strncmp(row->line + found.cut_start, row->cut, found.cut_length) != 0))
		fail_msg("%s: cut '%.*s'", row->line, (int)found.cut_length,
			row->line + found.cut_start);
	if (has && found.at_ms != row->at_ms)
		fail_msg("%s: %lld", row->line, (long long)found.at_ms);
	date_free(date);
}

static void zone_set(const char *zone)
{
	(void)setenv("TZ", zone, 1);
	tzset();
}

static void formats(void **state)
{
	static const struct row rows[] = {
		{ NULL, "[2026-11-23 08:51:05] x", "2026-11-23 08:51:05", 1795423865000 },
		{ NULL, "[2026-11-23 09:36:05.160] x", "2026-11-23 09:36:05.160", 1795426565160 },
		{ NULL, "[2026-11-23T15:06:05.160+0530] x", "2026-11-23T15:06:05.160+0530",
			1795426565160 },
		{ NULL, "2026-11-23T15:06:05,16Z x", "2026-11-23T15:06:05,16Z", 1795446365160 },
		{ NULL, "[Nov 23 08:51:05] x", "Nov 23 08:51:05", 1795423865000 },
		{ NULL, "[Nov  3 08:51:05] x", "Nov  3 08:51:05", 1793695865000 },
		/* more than a day ahead: last year's */
		{ NULL, "[Dec 31 23:59:59] x", "Dec 31 23:59:59", 1767225599000 },
		{ NULL, "[Nov 26 11:59:59] x", "Nov 26 11:59:59", 1795694399000 },
		{ NULL, "Sep 21 10:54:04 16907 sshd", "Sep 21 10:54:04", 1789988044000 },
		{ NULL, "Mon Sep 21 10:54:04 2026 x", "Mon Sep 21 10:54:04 2026", 1789988044000 },
		{ NULL, "Mon Sep 21 10:54:04 CEST 2026 x", "Mon Sep 21 10:54:04 CEST 2026",
			1789980844000 },
		{ NULL, "2012/12/08 13:10:18 [error]", "2012/12/08 13:10:18", 1354972218000 },
		{ NULL, "192.0.2.1 - - [08/Dec/2012:13:10:18 +0100] \"GET",
			"08/Dec/2012:13:10:18 +0100", 1354968618000 },
		{ NULL, "08-12-2012 13:10:18 x", "08-12-2012 13:10:18", 1354972218000 },
		{ NULL, "1354972218.123 x", "1354972218.123", 1354972218123 },
		{ NULL, "[1354972218] x", "1354972218", 1354972218000 },
		{ NULL, "audit(1354972218.123:45): x", "1354972218.123", 1354972218123 },
		{ NULL, "call 1354972218 x", NULL, 0 },
		{ NULL, "<12/08/12@13:10:18> x", "<12/08/12@13:10:18>", 1354972218000 },
		{ NULL, "Dec 08, 2012 01:10:18 PM x", "Dec 08, 2012 01:10:18 PM", 1354972218000 },
		{ NULL, "20121208T131018 x", "20121208T131018", 1354972218000 },
		{ NULL, "11:59:00 x", "11:59:00", 1795607940000 },
		{ NULL, "13:00:00 x", "13:00:00", 1795525200000 },
		/* the leftmost */
		{ NULL, "a b [2012-12-08 13:10:18] 2026/11/23 08:51:05", "2012-12-08 13:10:18",
			1354972218000 },
		{ NULL, "no date at all", NULL, 0 },
		{ NULL, "", NULL, 0 },
	};

	(void)state;
	zone_set("UTC");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		row_check(&rows[i]);
}

static void patterns(void **state)
{
	static const struct row rows[] = {
		{ "{^LN-BEG}%Y-%m-%d %H:%M:%S", "[2012-12-08 13:10:18] x", "2012-12-08 13:10:18",
			1354972218000 },
		{ "{^LN-BEG}%Y-%m-%d %H:%M:%S", "abc 2012-12-08 13:10:18", NULL, 0 },
		{ "{^LN-BEG}", "abc 2012-12-08 13:10:18", NULL, 0 },
		{ "{^LN-BEG}", "2012-12-08 13:10:18", "2012-12-08 13:10:18", 1354972218000 },
		{ "{NONE}", "2012-12-08 13:10:18", NULL, 0 },
		{ "^x=({DATE})", "x=2012-12-08 13:10:18", "2012-12-08 13:10:18", 1354972218000 },
		{ "T=\"(%Y-%m-%dT%H:%M:%S\\.%f%z)\"", "a T=\"2012-12-08T13:10:18.5-0100\" b",
			"2012-12-08T13:10:18.5-0100", 1354975818500 },
		{ "EPOCH", "x 1354972218 y", "1354972218", 1354972218000 },
		{ "^t={EPOCH}", "t=1354972218.5", "t=1354972218", 1354972218000 },
		{ "LEPOCH", "1354972218123", "1354972218123", 1354972218123 },
		{ "LEPOCH", "1354972218123456", "1354972218123456", 1354972218123 },
		{ "TAI64N", "@4000000050c33cfa12345678 x", "@4000000050c33cfa12345678",
			1354972410000 },
		{ "%d %b %Y", "on 08 dec 2012", "08 dec 2012", 1354924800000 },
		{ "%Y %j", "2012 343", "2012 343", 1354924800000 },
		{ "%d/%m/%y %l:%M%p", "08/12/12  1:10pm", "08/12/12  1:10pm", 1354972200000 },
		{ "%Y-%m-%d", "x2012-12-08", NULL, 0 },
		{ "**%Y-%m-%d**", "x2012-12-08y", "2012-12-08", 1354924800000 },
		{ "{UNB}%Y-%m-%d", "x2012-12-08y", "2012-12-08", 1354924800000 },
		{ "^(%F %T)?", "x", NULL, 0 },
		{ "^((?:%F %T)?) x", " x", "", 1795608000000 },
	};

	(void)state;
	zone_set("UTC");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		row_check(&rows[i]);
}

static void zones(void **state)
{
	static const struct row rows[] = {
		{ NULL, "2026-10-25 00:59:59", "2026-10-25 00:59:59", 1792882799000 },
		{ NULL, "2026-10-25 03:00:00", "2026-10-25 03:00:00", 1792893600000 },
		{ NULL, "2026-07-01 12:00:00", "2026-07-01 12:00:00", 1782900000000 },
		{ NULL, "2026-12-01 12:00:00", "2026-12-01 12:00:00", 1796122800000 },
		{ NULL, "2026-12-01 12:00:00Z", "2026-12-01 12:00:00Z", 1796126400000 },
	};

	(void)state;
	zone_set("CET-1CEST,M3.5.0,M10.5.0/3");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		row_check(&rows[i]);
	zone_set("UTC");
}

/* A line's order and the format that hit before do not change the result. */
static void one_object(void **state)
{
	static const char *const lines[] = { "Nov 23 08:51:05 x", "2026-11-23 08:51:05",
		"[Nov 23 08:51:05] x", "2026/11/23 08:51:05" };
	struct date *date = NULL;
	struct date_found found;
	struct error err;
	size_t bad;

	(void)state;
	zone_set("UTC");
	assert_int_equal(date_new(NULL, 0, &date, &bad, &err), 0);
	for (size_t i = 0; i < 12; i++) {
		const char *line = lines[i % 4];

		assert_true(date_find(date, line, strlen(line), now_s, &found));
		assert_int_equal(found.at_ms, 1795423865000);
	}
	date_free(date);
}

static void borders(void **state)
{
	static const char *const quoted[] = { "^a=\"(%Y-%m-%d)\"" };
	static const char *const open[] = { "(%Y-%m-%d)x?" };
	struct date *date = NULL;
	struct error err;
	size_t bad;

	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		bool before[256] = { false };
		bool behind[256] = { false };

		assert_int_equal(date_new(kind == 1 ? open : quoted, kind < 2, &date, &bad, &err),
			0);
		date_borders(date, before, behind);
		assert_int_equal(before['"'], true);
		assert_int_equal(before['['], kind != 0);
		assert_int_equal(behind['"'], true);
		assert_int_equal(behind[' '], kind != 0);
		assert_int_equal(behind['a'], kind == 1);
		date_free(date);
	}
}

static void refused(void **state)
{
	static const char *const rows[] = { "%Y-%m", "(%Y" };
	struct date *date = NULL;
	struct error err = { "" };
	size_t bad = 99;

	(void)state;
	assert_int_equal(date_new(rows, 2, &date, &bad, &err), -1);
	assert_int_equal(bad, 1);
	assert_null(date);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(formats), cmocka_unit_test(patterns),
		cmocka_unit_test(zones), cmocka_unit_test(one_object), cmocka_unit_test(borders),
		cmocka_unit_test(refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
