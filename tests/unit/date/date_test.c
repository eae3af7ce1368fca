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
#include <unistd.h>

#include "base/error.h"
#include "date/date.h"

/* 2026-11-25 12:00:00 UTC */
static const int64_t now_s = 1795608000;

struct row {
	const char *pattern; /* NULL: built-in formats */
	const char *line;
	const char *cut; /* NULL: no date */
	int64_t at_ms;
};

/* zone: logtimezone; NULL: local time */
static void row_check(const struct row *row, const char *zone)
{
	struct date *date = NULL;
	struct date_found found = { 0 };
	struct error err = { "" };
	struct date_fault fault = { 0 };
	bool has;

	if (date_new(&row->pattern, row->pattern != NULL, zone, &date, &fault, &err))
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
		/* a zone in the middle stays, as in fail2ban */
		{ NULL, "Mon Sep 21 10:54:04 CEST 2026 x", "Mon Sep 21 10:54:04", 1789988044000 },
		{ NULL, "CEST Mon Sep 21 10:54:04 2026 x", "CEST Mon Sep 21 10:54:04 2026",
			1789980844000 },
		{ NULL, "-02:00 Sep 21 10:54:04 x", "-02:00 Sep 21 10:54:04", 1789995244000 },
		/* a word that is no zone, and a host name that looks like no year of a log */
		{ NULL, "sshd Sep 21 10:54:04 x", "Sep 21 10:54:04", 1789988044000 },
		{ NULL, "Sep 21 10:54:04 1999 x", "Sep 21 10:54:04", 1789988044000 },
		{ NULL, "Sep 21 2026 10:54:04.5 x", "Sep 21 2026 10:54:04.5", 1789988044500 },
		/* of Debian's daemons: rsyslog, nginx, apache, Asterisk's dateformats */
		{ NULL, "2026-11-23T09:51:05.160123+01:00 pbx asterisk[1]: x",
			"2026-11-23T09:51:05.160123+01:00", 1795423865160 },
		{ NULL, "192.0.2.1 - - [23/Nov/2026:08:51:05 +0000] \"GET",
			"23/Nov/2026:08:51:05 +0000", 1795423865000 },
		{ NULL, "[Mon Nov 23 08:51:05.123456 2026] [error] x",
			"Mon Nov 23 08:51:05.123456 2026", 1795423865123 },
		{ NULL, "[2026-11-23 08:51:05.160 +0000] x", "2026-11-23 08:51:05.160 +0000",
			1795423865160 },
		{ NULL, "[Nov 23 08:51:05.160] x", "Nov 23 08:51:05.160", 1795423865160 },
		{ NULL, "[23.11.2026 08:51:05] x", NULL, 0 },
		{ NULL, "Nov-23-26 08:51:05 x", "Nov-23-26 08:51:05", 1795423865000 },
		{ NULL, "x Nov-23-26 08:51:05 x", NULL, 0 },
		{ NULL, "261123  8:51:05 x", "261123  8:51:05", 1795423865000 },
		{ NULL, "20261123 08:51:05Z x", "20261123 08:51:05Z", 1795423865000 },
		{ NULL, "23/11/26 08:51:05 x", "23/11/26 08:51:05", 1795423865000 },
		{ NULL, "@400000006a02c7f912345678 x", "@400000006a02c7f912345678", 1778567161305 },
		/* only where fail2ban finds nothing */
		{ NULL, "x Mon, 23 Nov 2026 08:51:05 +0100", "Mon, 23 Nov 2026 08:51:05 +0100",
			1795420265000 },
		{ NULL, "23 Nov 2026 08:51:05 at Nov 22 08:51:05", "Nov 22 08:51:05",
			1795337465000 },
		{ NULL, "2012/12/08 13:10:18 [error]", "2012/12/08 13:10:18", 1354972218000 },
		{ NULL, "192.0.2.1 - - [08/Dec/2012:13:10:18 +0100] \"GET",
			"08/Dec/2012:13:10:18 +0100", 1354968618000 },
		{ NULL, "08-12-2012 13:10:18 x", "08-12-2012 13:10:18", 1354972218000 },
		{ NULL, "1354972218.123 x", "1354972218.123", 1354972218123 },
		{ NULL, "[1354972218] x", "1354972218", 1354972218000 },
		{ NULL, "audit(1354972218.123:45): x", "1354972218.123", 1354972218123 },
		{ NULL, "call 1354972218 x", NULL, 0 },
		{ NULL, "1354972218.12 x", "1354972218", 1354972218000 },
		{ NULL, "1354972218.123.5 x", "1354972218.123", 1354972218123 },
		{ NULL, "1354972218x", NULL, 0 },
		{ NULL, "[[[1354972218] x", NULL, 0 },
		{ NULL, "xaudit(1354972218.123:45): x", NULL, 0 },
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
		row_check(&rows[i], NULL);
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
		/* as a word alone only where lines begin and in audit's records */
		{ "EPOCH", "x 1354972218 y", NULL, 0 },
		{ "EPOCH", "[1354972218 y", "1354972218", 1354972218000 },
		{ "epoch", "1354972218 y", "1354972218", 1354972218000 },
		{ "EPOCH", " 1354972218 y", NULL, 0 },
		{ "^EPOCH", " [1354972218 y", "1354972218", 1354972218000 },
		{ "{^LN-BEG}EPOCH", " [1354972218 y", "1354972218", 1354972218000 },
		{ "EPOCH", "msg=audit(1354972218.5:1)", "1354972218", 1354972218000 },
		{ "{EPOCH}", "x 1354972218 y", "1354972218", 1354972218000 },
		{ "t=EPOCH", "t=1354972218", NULL, 0 },
		{ "t=({lepoch})", "t=1354972218123.456", "1354972218123.456", 1354972218123 },
		{ "^TAI64N", "x @4000000050c33cfa12345678", NULL, 0 },
		{ "{^ln-beg}{date}", "[2012-12-08 13:10:18] x", "2012-12-08 13:10:18",
			1354972218000 },
		{ "{DATE}", "x2012-12-08 13:10:18", "13:10:18", 1795525818000 },
		{ "x{DATE}", "x2012-12-08 13:10:18", "x2012-12-08 13:10:18", 1354972218000 },
		{ "^x {DATE}", "x 1354972218", NULL, 0 },
		{ "^t={EPOCH}", "t=1354972218.5", "t=1354972218", 1354972218000 },
		{ "LEPOCH", "1354972218123", "1354972218123", 1354972218123 },
		{ "LEPOCH", "1354972218123456", "1354972218123456", 1354972218123 },
		{ "TAI64N", "@4000000050c33cfa12345678 x", "@4000000050c33cfa12345678",
			1354972410305 },
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
		row_check(&rows[i], NULL);
}

/* Each letter by itself; 2026-11-25 is a Wednesday. */
static void letters(void **state)
{
	static const struct row rows[] = {
		{ "%Y-%m-%d %H:%M:%S", "2026-1-5 1:2:3", "2026-1-5 1:2:3", 1767574923000 },
		{ "%ExY-%Exm-%Exd", "2026-01-05", "2026-01-05", 1767571200000 },
		{ "%ExY-%Exm-%Exd", "2026-1-5", NULL, 0 },
		{ "%Y-%m-%d %ExH:%ExM:%ExS", "2026-01-05 01:02:03", "2026-01-05 01:02:03",
			1767574923000 },
		{ "%Y-%m-%d %ExH:%ExM:%ExS", "2026-01-05 1:02:03", NULL, 0 },
		{ "%Y-%m-%d (?:at)?%k:%M", "2026-01-05 at 1:02", "2026-01-05 at 1:02",
			1767574920000 },
		{ "%Y-%m-%d %Exk:%M", "2026-01-05 07:02", "2026-01-05 07:02", 1767596520000 },
		{ "%Y-%m-%d %I:%M %p", "2026-01-05 12:02 AM", "2026-01-05 12:02 AM",
			1767571320000 },
		{ "%Y-%m-%d %I:%M %p", "2026-01-05 12:02 pm", "2026-01-05 12:02 pm",
			1767614520000 },
		{ "%Y-%m-%d %Exl:%M %p", "2026-01-05  1:02 PM", "2026-01-05  1:02 PM",
			1767618120000 },
		{ "%Y-%m-%d %I:%M", "2026-01-05 12:02", "2026-01-05 12:02", 1767571320000 },
		/* %p says nothing of 24 hours */
		{ "%Y-%m-%d %H:%M %p", "2026-01-05 01:02 PM", "2026-01-05 01:02 PM",
			1767574920000 },
		{ "%Y-%m-%d %H:%M:%S\\.%f", "2026-01-05 01:02:03.0456789",
			"2026-01-05 01:02:03.0456789", 1767574923045 },
		{ "%d %B %Y", "5 january 2026", "5 january 2026", 1767571200000 },
		{ "%A %d %b %Y", "MONDAY 5 JAN 2026", "MONDAY 5 JAN 2026", 1767571200000 },
		{ "%c", "Mon Jan  5 01:02:03 2026", "Mon Jan  5 01:02:03 2026", 1767574923000 },
		{ "%Y %j", "2026 005", "2026 005", 1767571200000 },
		{ "%Y %j", "2025 366", "2025 366", 1795608000000 },
		{ "%Y %U %a", "2026 01 Mon", "2026 01 Mon", 1767571200000 },
		{ "%Y %W %a", "2026 01 Mon", "2026 01 Mon", 1767571200000 },
		{ "%Y %U %w", "2026 01 0", "2026 01 0", 1767484800000 },
		{ "%Y %W %w", "2026 01 0", "2026 01 0", 1768089600000 },
		{ "%G-W%V-%u", "2026-W02-1", "2026-W02-1", 1767571200000 },
		{ "%G-W%V-%u", "2026-W01-1", "2026-W01-1", 1766966400000 },
		/* a week without its day is today */
		{ "%Y %U", "2026 01", "2026 01", 1795564800000 },
		{ "%Y%%%m", "2026%01", "2026%01", 1767225600000 },
		{ "(?P<Y>\\d{4})-(?P<m>\\d\\d)-%d", "2026-01-05", "2026-01-05", 1767571200000 },
		{ "(?:%Y-%m-%d|%d/%m/%Y)", "05/01/2026", "05/01/2026", 1767571200000 },
		{ "^(\\w+) %Y-%m-%d", "aa 2026-01-05", "aa", 1767571200000 },
		{ "^\\w+ (?P<n>%Y-%m-%d)", "aa 2026-01-05", "aa 2026-01-05", 1767571200000 },
	};

	(void)state;
	zone_set("UTC");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		row_check(&rows[i], NULL);
}

/* What the line does not say. */
static void guesses(void **state)
{
	static const struct row rows[] = {
		{ NULL, "Feb 29 12:00:00 x", "Feb 29 12:00:00", 1709208000000 },
		{ NULL, "2026-02-29 12:00:00 x", "2026-02-29 12:00:00", 1795608000000 },
		{ NULL, "2026-04-31 12:00:00 x", "2026-04-31 12:00:00", 1795608000000 },
		{ NULL, "2016-12-31 23:59:60 x", "2016-12-31 23:59:60", 1483228800000 },
		{ "%d %H:%M", "24 10:00", "24 10:00", 1795514400000 },
		{ "%d %H:%M", "28 10:00", "28 10:00", 1793181600000 },
		{ "%Y %H:%M", "2025 10:00", "2025 10:00", 1764064800000 },
		{ "%b %Y", "Jan 2026", "Jan 2026", 1767225600000 },
		{ "%y-%m-%d", "99-01-02", "99-01-02", 4070995200000 },
		{ "%H:%M", "12:01", "12:01", 1795521660000 },
		{ "%H:%M %z", "12:01 +0100", "12:01 +0100", 1795604460000 },
		{ "%H:%M %z", "13:01 +0100", "13:01 +0100", 1795521660000 },
		{ "%Y-%m-%d", "0000-01-01", "0000-01-01", 1795608000000 },
	};

	(void)state;
	zone_set("UTC");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		row_check(&rows[i], NULL);
}

static void zones(void **state)
{
	static const struct row rows[] = {
		{ NULL, "2026-10-25 00:59:59", "2026-10-25 00:59:59", 1792882799000 },
		{ NULL, "2026-10-25 03:00:00", "2026-10-25 03:00:00", 1792893600000 },
		{ NULL, "2026-07-01 12:00:00", "2026-07-01 12:00:00", 1782900000000 },
		{ NULL, "2026-12-01 12:00:00", "2026-12-01 12:00:00", 1796122800000 },
		{ NULL, "2026-12-01 12:00:00Z", "2026-12-01 12:00:00Z", 1796126400000 },
		/* left out in March, twice in October: the later one that is not ahead of now */
		{ NULL, "2026-03-29 01:59:59", "2026-03-29 01:59:59", 1774745999000 },
		{ NULL, "2026-03-29 02:30:00", "2026-03-29 02:30:00", 1774747800000 },
		{ NULL, "2026-03-29 03:00:00", "2026-03-29 03:00:00", 1774746000000 },
		{ NULL, "2026-10-25 02:30:00", "2026-10-25 02:30:00", 1792891800000 },
		{ NULL, "2027-10-31 02:30:00", "2027-10-31 02:30:00", 1824942600000 },
		/* in later years than the zone file lists */
		{ NULL, "2041-07-01 12:00:00", "2041-07-01 12:00:00", 2256285600000 },
		{ NULL, "2041-12-01 12:00:00", "2041-12-01 12:00:00", 2269508400000 },
		{ NULL, "00:30:00", "00:30:00", 1795563000000 },
		{ "%Y-%m-%d %H:%M %Z", "2026-12-01 12:00 NZST", "2026-12-01 12:00 NZST",
			1796083200000 },
		{ "%Y-%m-%d %H:%M %Z", "2026-12-01 12:00 nzst", NULL, 0 },
		{ "%Y-%m-%d %H:%M %Z", "2026-12-01 12:00 QQQ", NULL, 0 },
		{ "%Y-%m-%d %H:%M %Z", "2026-12-01 12:00 A", NULL, 0 },
		{ "%Y-%m-%d %H:%M %ExZ", "2026-12-01 12:00 A", "2026-12-01 12:00 A",
			1796122800000 },
		{ "%Y-%m-%d %H:%M %Exz", "2026-12-01 12:00 CET-02:30", "2026-12-01 12:00 CET-02:30",
			1796131800000 },
		{ "%Y-%m-%d %H:%M %Exz", "2026-12-01 12:00 +02", "2026-12-01 12:00 +02",
			1796119200000 },
		{ "%Y-%m-%d %H:%M %z", "2026-12-01 12:00 gmt", NULL, 0 },
	};
	static const struct {
		const char *zone;
		struct row row;
	} given[] = {
		{ "UTC", { NULL, "2026-12-01 12:00:00", "2026-12-01 12:00:00", 1796126400000 } },
		{ "UTC+0200",
			{ NULL, "2026-12-01 12:00:00", "2026-12-01 12:00:00", 1796119200000 } },
		{ "-02:30", { NULL, "2026-12-01 12:00:00", "2026-12-01 12:00:00", 1796135400000 } },
		{ "CET+01", { NULL, "2026-12-01 12:00:00", "2026-12-01 12:00:00", 1796119200000 } },
		{ "CET", { NULL, "2026-07-01 12:00:00", "2026-07-01 12:00:00", 1782903600000 } },
		{ "CET", { NULL, "2026-07-01 12:00:00 +0530", "2026-07-01 12:00:00 +0530",
				 1782887400000 } },
		{ "CET", { NULL, "13:30:00", "13:30:00", 1795523400000 } },
	};

	(void)state;
	for (int named = 0; named < 2; named++) {
		/* by the process's zone, and by name while that is another */
		zone_set(named ? "EST5" : "CET-1CEST,M3.5.0,M10.5.0/3");
		if (named && access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0) {
			print_message("no /usr/share/zoneinfo: named zones not tried\n");
			break;
		}
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
			row_check(&rows[i], named ? "Europe/Berlin" : NULL);
		assert_string_equal(getenv("TZ"), named ? "EST5" : "CET-1CEST,M3.5.0,M10.5.0/3");
	}
	for (size_t i = 0; i < sizeof(given) / sizeof(*given); i++)
		row_check(&given[i].row, given[i].zone);
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
	struct date_fault fault;

	(void)state;
	zone_set("UTC");
	assert_int_equal(date_new(NULL, 0, NULL, &date, &fault, &err), 0);
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
	struct date_fault fault;

	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		bool before[256] = { false };
		bool behind[256] = { false };

		assert_int_equal(date_new(kind == 1 ? open : quoted, kind < 2, NULL, &date, &fault,
					 &err),
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

/* Which of several patterns counts: as in fail2ban, see date.c. */
static void several(void **state)
{
	static const struct {
		const char *patterns[4];
		size_t count;
		const char *line;
		const char *cut;
	} rows[] = {
		/* the leftmost */
		{ { "%Y-%m-%d", "%H:%M:%S", "^never" }, 3, "aaa 10:00:00 bbb 2005-08-14",
			"10:00:00" },
		{ { "%H:%M:%S", "%Y-%m-%d", "^never" }, 3, "aaa 10:00:00 bbb 2005-08-14",
			"10:00:00" },
		/* at one place the first */
		{ { "%Y-%m-%d", "%Y-%m-%d %H:%M", "^never" }, 3, "aaa 2005-08-13 10:00",
			"2005-08-13" },
		{ { "%Y-%m-%d %H:%M", "%Y-%m-%d", "^never" }, 3, "aaa 2005-08-13 10:00",
			"2005-08-13 10:00" },
		/* the last of all wins */
		{ { "%Y-%m-%d", "%Y-%m-%d %H:%M" }, 2, "aaa 2005-08-13 10:00", "2005-08-13 10:00" },
		{ { "%H:%M:%S", "%Y-%m-%d" }, 2, "aaa 10:00:00 bbb 2005-08-14", "2005-08-14" },
		/* but not over one at the start */
		{ { "%Y-%m-%d", "%Y-%m-%d %H:%M" }, 2, "(2005-08-13 10:00", "2005-08-13" },
		{ { "^aaa %H:%M", "%Y-%m-%d" }, 2, "aaa 10:00 2005-08-14", "aaa 10:00" },
		/* the built-in ones come last */
		{ { "%Y-%m-%d", "{DEFAULT}" }, 2, "Aug 13 10:00:00 2005-08-14", "2005-08-14" },
		{ { "{DEFAULT}", "%Y-%m-%d" }, 2, "Aug 13 10:00:00 2005-8-x",
			"Aug 13 10:00:00 2005" },
	};

	(void)state;
	zone_set("UTC");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct date *date = NULL;
		struct date_found found = { 0 };
		struct date_fault fault;
		struct error err = { "" };

		assert_int_equal(date_new(rows[i].patterns, rows[i].count, NULL, &date, &fault,
					 &err),
			0);
		for (int again = 0; again < 3; again++)
			if (!date_find(date, rows[i].line, strlen(rows[i].line), now_s, &found) ||
				found.cut_length != strlen(rows[i].cut) ||
				strncmp(rows[i].line + found.cut_start, rows[i].cut,
					found.cut_length) != 0)
				fail_msg("row %zu: cut '%.*s'", i, (int)found.cut_length,
					rows[i].line + found.cut_start);
		date_free(date);
	}
}

/* An empty date part: the last date while that is fresh, else now. */
static void empty_part(void **state)
{
	static const char *const patterns[] = { "^(%Y-%m-%d %H:%M:%S)", "^more:()" };
	static const char dated[] = "2026-11-25 11:59:30 x";
	struct date *date = NULL;
	struct date_found found = { 0 };
	struct date_fault fault;
	struct error err;

	(void)state;
	zone_set("UTC");
	assert_int_equal(date_new(patterns, 2, NULL, &date, &fault, &err), 0);
	assert_true(date_find(date, "more: y", 7, now_s, &found));
	assert_int_equal(found.at_ms, now_s * 1000);
	assert_int_equal(found.cut_start, 5);
	assert_int_equal(found.cut_length, 0);
	assert_true(date_find(date, dated, strlen(dated), now_s, &found));
	assert_true(date_find(date, "more: y", 7, now_s, &found));
	assert_int_equal(found.at_ms, (now_s - 30) * 1000);
	assert_true(date_find(date, "more: y", 7, now_s + 30, &found));
	assert_int_equal(found.at_ms, (now_s + 30) * 1000);
	date_free(date);
}

static void refused(void **state)
{
	static const struct {
		const char *pattern;
		size_t offset; /* that PCRE2 says up to 10.46, */
		size_t newer;  /* and later */
		const char *text;
	} rows[] = {
		{ "(%Y", 3, 3, "missing closing parenthesis" },
		{ "{^LN-BEG}%Y-%Q", 12, 12, "'%Q' is no part of a date" },
		{ "100%", 3, 3, "a single % at the end" },
		{ "%Y-%m-%d [z-a]", 12, 13, "range out of order" },
		{ "^{DATE} (x", 10, 10, "missing closing parenthesis" },
		{ "%T %R (x", 8, 8, "missing closing parenthesis" },
		{ "%T\\d%Q", 4, 4, "'%Q' is no part of a date" },
		{ "^x* ?{DATE}", 0, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *const patterns[] = { "%Y-%m", rows[i].pattern };
		struct date *date = NULL;
		struct error err = { "" };
		struct date_fault fault = { 99, 99 };
		int rc = date_new(patterns, 2, NULL, &date, &fault, &err);

		if (!rows[i].text) {
			assert_int_equal(rc, 0);
			date_free(date);
			continue;
		}
		assert_int_equal(rc, -1);
		assert_null(date);
		assert_int_equal(fault.pattern, 1);
		if (fault.offset != rows[i].offset && fault.offset != rows[i].newer)
			fail_msg("%s: %zu: %s", rows[i].pattern, fault.offset, err.text);
		assert_non_null(strstr(err.text, rows[i].text));
	}
}

static void zone_refused(void **state)
{
	static const char *const zones[] = { "UTC+2", "Nowhere/Town", "../passwd", "/etc/localtime",
		"utc", "XYZ", "+2500", "Europe", "UTC+02:60", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		struct date *date = NULL;
		struct date_fault fault = { 99, 99 };
		struct error err = { "" };

		if (!date_new(NULL, 0, zones[i], &date, &fault, &err))
			fail_msg("zone '%s' is taken", zones[i]);
		assert_int_equal(fault.pattern, 0);
		assert_non_null(strstr(err.text, "logtimezone: "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(formats), cmocka_unit_test(patterns),
		cmocka_unit_test(letters), cmocka_unit_test(zones), cmocka_unit_test(guesses),
		cmocka_unit_test(one_object), cmocka_unit_test(several),
		cmocka_unit_test(empty_part), cmocka_unit_test(borders), cmocka_unit_test(refused),
		cmocka_unit_test(zone_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
