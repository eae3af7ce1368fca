#ifndef VG_TIMES_H
#define VG_TIMES_H

#include <stdbool.h>
#include <stdint.h>

/* Lengths of time (duration_), points in time as text (utc_), and days of the calendar
 * (calendar_). */

struct error;

/* About 3000 years: longer than anybody needs, and small enough that a sum with the clock cannot
 * overflow an int64_t. */
static const int64_t DURATION_LONGEST_S = 100000000000;

/* Bytes of the longest text of duration_format(), and its NUL. */
enum { DURATION_TEXT_MAX = 48 };

/* Reads fail2ban's time strings: "600", "10m", "1h 30m", "1y6mo", "1year-6mo", "24*60*60".
 * Neighbouring terms are added; + - * / and blanks are allowed, * and / bind first. Units, in any
 * case: y is 31557600 s, mo 2629800 s, then w, d, h, m, s, and longer forms such as "minutes". A
 * bare number is seconds. Words and numbers are those of fail2ban's manual jail.conf(5) and of
 * str2seconds in its server/utils. The result may be negative (bantime -1: permanent), is rounded
 * down, and |result| < DURATION_LONGEST_S. -1: text is no time, err says so. */
int duration_parse(const char *text, int64_t *ret_s, struct error *err);

/* Writes "1d 2h", "10m" or "0s": the two largest units that are not 0, so that what two units
 * cannot say is left out. Returns out. */
const char *duration_format(int64_t duration_s, char out[DURATION_TEXT_MAX]);

/* "2026-11-23T08:51:05Z" and NUL; with milliseconds "2026-11-23T08:51:05.686Z". */
enum { UTC_TEXT_MAX = 40 };

/* Write the time in UTC as in RFC 3339. at_s is seconds, at_ms milliseconds since the epoch; ""
 * outside of the years 0 to 9999. utc_format_ms leaves out milliseconds that are 0. Return out. */
const char *utc_format(int64_t at_s, char out[UTC_TEXT_MAX]);
const char *utc_format_ms(int64_t at_ms, char out[UTC_TEXT_MAX]);

/* The Gregorian calendar, without time zones. A day is its number, counted from 1970-01-01 (day
 * 0). */

bool calendar_is_leap(int year);
/* The number of a day. month is 1 to 12; day 1 is the first, and day may run over its month:
 * calendar_day(2026, 1, 32) is February 1st. */
int64_t calendar_day(int year, int month, int day);
int calendar_month_days(int year, int month);
/* 0 for Monday to 6 for Sunday. */
int calendar_weekday(int64_t day);
void calendar_civil(int64_t day, int *ret_year, int *ret_month, int *ret_day);

#endif
