#ifndef VG_INSTANT_H
#define VG_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

#include "date/zone.h"

/* Where week 1 of a year begins. */
enum date_week {
	DATE_WEEK_SUNDAY, /* %U: at the first Sunday of the year */
	DATE_WEEK_MONDAY, /* %W: at the first Monday of the year */
	DATE_WEEK_ISO,    /* %V: it is the week, Monday to Sunday, that has January 4th */
};

/* The parts of a date as a line has them; -1: the line does not have this part. */
struct date_parts {
	int year;
	int month; /* 1 to 12 */
	int day;
	int day_of_year;
	int week;
	enum date_week week_kind;
	int weekday; /* 0 Monday to 6 Sunday */
	int hour;    /* 0 to 23 */
	int hour_12; /* 0 to 11, from %I; is_pm says which half of the day */
	bool is_pm;
	int minute;
	int second;
	int ms;
	bool has_zone;
	int zone_s;       /* seconds east of UTC: 3600 is UTC+01:00 */
	int64_t epoch_ms; /* milliseconds since the epoch; if given, no other part counts */
};

/* A time zone, and what was last computed for it. A zone changes its offset from UTC only at a full
 * quarter of an hour, so that the offset of the quarter that was last asked for can be kept. */
struct date_clock {
	struct date_zone zone; /* owned; that of lines which name no zone */
	int64_t quarter;       /* quarters of local time since 1970-01-01 00:00 on that clock */
	int early_s;           /* its offset by the rule of the day before, */
	int late_s;            /* and of the day after, if both are possible */
	bool known;
	int64_t now_quarter; /* the quarter since 1970 (UTC) in which `today` was computed, */
	int64_t today;       /* and the local day then */
	bool today_known;
};

/* Computes the time of parts in milliseconds since the epoch. Without a year it is this one, or an
 * earlier one if the date would be more than a day after now_s or does not exist in this year.
 * Without a day it is today, or yesterday if that would be after now_s. Of an hour that the clock
 * shows twice (when summer time ends) it is the second one, unless that is after now_s; an hour
 * that the clock leaves out is read by the offset that held before. now_s is in seconds since the
 * epoch. False: there is no such day. */
bool date_clock_ms(struct date_clock *clock, const struct date_parts *parts, int64_t now_s,
	int64_t *ret_ms);

#endif
