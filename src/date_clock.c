#include "date_clock.h"

#include <stdlib.h>
#include <time.h>

enum { DAY_S = 86400, QUARTER_S = 900 };

/* Days from 1970-01-01 to a day of the Gregorian calendar; day may run over its month. */
static int64_t day_number(int year, int month, int day)
{
	static const int before_month[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int64_t last = (int64_t)year - 1;
	int64_t days = last * 365 + last / 4 - last / 100 + last / 400;

	days += before_month[month - 1] + (month > 2 && is_leap) + day - 1;
	return days - 719162; /* day number of 1970-01-01 by the same count */
}

void date_clock_init(struct date_clock *clock)
{
	*clock = (struct date_clock){ 0 };
	/* without TZ, libc looks at the file again at each conversion */
	(void)setenv("TZ", ":/etc/localtime", 0);
	tzset();
}

/* local_s: the time as if it were UTC. */
static int64_t local_to_wall(struct date_clock *clock, int64_t local_s)
{
	int64_t quarter = (local_s - (local_s < 0 ? QUARTER_S - 1 : 0)) / QUARTER_S;
	time_t start_s = (time_t)(quarter * QUARTER_S);
	struct tm tm = { 0 };

	if (!clock->known || clock->local_quarter != quarter) {
		(void)gmtime_r(&start_s, &tm);
		tm.tm_isdst = -1;
		clock->start_s = mktime(&tm);
		clock->local_quarter = quarter;
		clock->known = true;
	}
	return clock->start_s + (local_s - quarter * QUARTER_S);
}

static int64_t parts_to_wall(struct date_clock *clock, const struct date_parts *parts, int64_t day)
{
	int64_t hour = parts->hour < 0 ? 0 : parts->hour;
	int64_t minute = parts->minute < 0 ? 0 : parts->minute;
	int64_t second = parts->second < 0 ? 0 : parts->second;
	int64_t s = day * DAY_S + hour * 3600 + minute * 60 + second;

	return parts->has_zone ? s - parts->zone_s : local_to_wall(clock, s);
}

static int64_t year_to_wall(struct date_clock *clock, const struct date_parts *parts, int year)
{
	int month = parts->month < 1 ? 1 : parts->month;
	int day = parts->day < 1 ? 1 : parts->day;

	if (parts->month < 1 && parts->day_of_year > 0)
		day = parts->day_of_year;
	return parts_to_wall(clock, parts, day_number(year, month, day));
}

int64_t date_clock_ms(struct date_clock *clock, const struct date_parts *parts, int64_t now_s)
{
	time_t now = (time_t)now_s + (parts->has_zone ? parts->zone_s : 0);
	struct tm today = { 0 };
	int64_t at_s;

	if (parts->epoch_ms >= 0)
		return parts->epoch_ms;
	if (parts->year > 0) {
		at_s = year_to_wall(clock, parts, parts->year);
	} else {
		if (parts->has_zone)
			(void)gmtime_r(&now, &today);
		else
			(void)localtime_r(&now, &today);
		if (parts->month < 1 && parts->day < 1 && parts->day_of_year < 1) {
			int64_t day =
				day_number(today.tm_year + 1900, today.tm_mon + 1, today.tm_mday);

			at_s = parts_to_wall(clock, parts, day);
			if (at_s > now_s)
				at_s = parts_to_wall(clock, parts, day - 1);
		} else {
			at_s = year_to_wall(clock, parts, today.tm_year + 1900);
			if (at_s > now_s + DAY_S)
				at_s = year_to_wall(clock, parts, today.tm_year + 1899);
		}
	}
	return at_s * 1000 + (parts->ms > 0 ? parts->ms : 0);
}
