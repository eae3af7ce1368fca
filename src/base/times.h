#ifndef VG_TIMES_H
#define VG_TIMES_H

#include <stdbool.h>
#include <stdint.h>

/* Lengths of time (duration_), moments as text (utc_), and days (calendar_). */

struct error;

/* 3000 years: wider than any sense, and far from the end of int64_t in sums with the clock. */
static const int64_t DURATION_LONGEST_S = 100000000000;

/* Longest duration_format() text and NUL. */
enum { DURATION_TEXT_MAX = 48 };

/* Reads fail2ban's time strings: "600", "10m", "1h 30m", "1y6mo", "1year-6mo", "24*60*60".
 * Adjacent terms add; + - * / and blanks are allowed, * and / first. Units (any case): year
 * 31557600 s, mo 2629800 s, w, d, h, m, s and their longer forms. A bare number is seconds.
 * Source of words and numbers: fail2ban's manual jail.conf(5), server/utils str2seconds.
 * Result may be negative (bantime -1: permanent), is rounded down, and
 * |result| < DURATION_LONGEST_S. */
int duration_parse(const char *text, int64_t *ret_s, struct error *err);

/* "1d 2h", "10m", "0s": at most the two largest units, exact if they suffice. Returns out. */
const char *duration_format(int64_t duration_s, char out[DURATION_TEXT_MAX]);

/* "2026-11-23T08:51:05Z" and NUL; with milliseconds "2026-11-23T08:51:05.686Z". */
enum { UTC_TEXT_MAX = 40 };

/* RFC 3339 in UTC. at_s: seconds since the epoch, years 0 to 9999, else "". Returns out. */
const char *utc_format(int64_t at_s, char out[UTC_TEXT_MAX]);
const char *utc_format_ms(int64_t at_ms, char out[UTC_TEXT_MAX]);

/* The Gregorian calendar, without zones. Days are counted from 1970-01-01. */

bool calendar_is_leap(int year);
/* month 1 to 12; day may run over its month. */
int64_t calendar_day(int year, int month, int day);
int calendar_month_days(int year, int month);
/* 0 Monday to 6 Sunday. */
int calendar_weekday(int64_t day);
void calendar_civil(int64_t day, int *ret_year, int *ret_month, int *ret_day);

#endif
