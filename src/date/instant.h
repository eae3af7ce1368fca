#ifndef VG_INSTANT_H
#define VG_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

#include "date/zone.h"

/* Which days belong to week 1. */
enum date_week {
	DATE_WEEK_SUNDAY, /* %U: from the first Sunday on */
	DATE_WEEK_MONDAY, /* %W: from the first Monday on */
	DATE_WEEK_ISO,    /* %V: the week of January 4th, from Monday on */
};

/* What a line says of its time; -1 where it says nothing. */
struct date_parts {
	int year;
	int month; /* 1 to 12 */
	int day;
	int day_of_year;
	int week;
	enum date_week week_kind;
	int weekday; /* 0 Monday to 6 Sunday */
	int hour;    /* 0 to 23 */
	int hour_12; /* 0 to 11, of %I; is_pm then says the half of the day */
	bool is_pm;
	int minute;
	int second;
	int ms;
	bool has_zone;
	int zone_s;       /* east of UTC */
	int64_t epoch_ms; /* if it is given, the rest does not count */
};

/* A zone and what was last computed of it. Offsets from UTC change on quarters of an hour only, so
 * those of the quarter that was last asked for are kept. */
struct date_clock {
	struct date_zone zone; /* owned; that of lines which name none */
	int64_t quarter;       /* number of the quarter since 1970 if local time were UTC */
	int early_s;           /* the offset then: that of the day before, */
	int late_s;            /* and that of the day after, should both hold */
	bool known;
	int64_t now_quarter; /* when a date without year or day was last completed, */
	int64_t today;       /* and the local day then */
	bool today_known;
};

/* Wall clock of parts in ms. No year: this one, or an earlier one if that is more than a day after
 * now_s or has no such day. No day: today, or yesterday if that is after now_s. An hour that the
 * clock shows twice: the second one unless that is after now_s; one that it leaves out counts by
 * the offset before. False: there is no such day. */
bool date_clock_ms(struct date_clock *clock, const struct date_parts *parts, int64_t now_s,
	int64_t *ret_ms);

#endif
