#include "date/instant.h"

#include "base/times.h"

enum { DAY_S = 86400, QUARTER_S = 900 };
/* How far back a year is looked for: a date of February 29th is found, since two leap years are at
 * most 8 years apart. */
enum { YEARS_BACK_MAX = 8 };

/* Two functions instead of one with a parameter, so that each divides by a constant: this runs for
 * each line. Both round down, for times before 1970, too. */
static int64_t quarter_of(int64_t s)
{
	return (s - (s < 0 ? QUARTER_S - 1 : 0)) / QUARTER_S;
}

static int64_t day_of(int64_t s)
{
	return (s - (s < 0 ? DAY_S - 1 : 0)) / DAY_S;
}

/* Seconds since the epoch at a local time. local_s is what the local clock shows, in seconds since
 * 1970-01-01 00:00 on that same clock. */
static int64_t local_to_wall(struct date_clock *clock, int64_t local_s, int64_t now_s)
{
	int64_t quarter = quarter_of(local_s);

	if (!clock->known || clock->quarter != quarter) {
		int64_t start_s = quarter * QUARTER_S;
		int before_s = date_zone_at(&clock->zone, start_s - DAY_S);
		int after_s = date_zone_at(&clock->zone, start_s + DAY_S);
		bool before_holds = date_zone_at(&clock->zone, start_s - before_s) == before_s;
		bool after_holds = date_zone_at(&clock->zone, start_s - after_s) == after_s;

		clock->early_s = before_holds || !after_holds ? before_s : after_s;
		clock->late_s = after_holds ? after_s : clock->early_s;
		clock->quarter = quarter;
		clock->known = true;
	}
	if (local_s - clock->late_s <= now_s)
		return local_s - clock->late_s;
	return local_s - clock->early_s;
}

static int64_t day_to_wall(struct date_clock *clock, const struct date_parts *parts, int64_t day,
	int64_t now_s)
{
	int64_t hour = parts->hour < 0 ? 0 : parts->hour;
	int64_t minute = parts->minute < 0 ? 0 : parts->minute;
	int64_t second = parts->second < 0 ? 0 : parts->second;
	int64_t s = day * DAY_S + hour * 3600 + minute * 60 + second;

	return parts->has_zone ? s - parts->zone_s : local_to_wall(clock, s, now_s);
}

/* The number of the day (calendar_day) that year, week and weekday name. */
static int64_t week_day(const struct date_parts *parts, int year)
{
	int64_t first = calendar_day(year, 1, parts->week_kind == DATE_WEEK_ISO ? 4 : 1);
	int sunday_first = (parts->weekday + 1) % 7;

	switch (parts->week_kind) {
	case DATE_WEEK_ISO:
		return first - calendar_weekday(first) + 7 * (parts->week - 1) + parts->weekday;
	case DATE_WEEK_MONDAY:
		first += (7 - calendar_weekday(first)) % 7;
		return first + 7 * (parts->week - 1) + parts->weekday;
	case DATE_WEEK_SUNDAY:
		first += (6 - calendar_weekday(first) + 7) % 7;
		return first + 7 * (parts->week - 1) + sunday_first;
	}
	return first;
}

static bool has_week(const struct date_parts *parts)
{
	return parts->week >= 0 && parts->weekday >= 0;
}

/* Finds the number of the day that parts name in this year. False: the year has no such day. */
static bool year_to_day(const struct date_parts *parts, int year, int64_t *ret_day)
{
	int month = parts->month < 1 ? 1 : parts->month;
	int day = parts->day < 1 ? 1 : parts->day;

	if (parts->month < 1 && parts->day_of_year > 0) {
		*ret_day = calendar_day(year, 1, parts->day_of_year);
		return parts->day_of_year <= 365 + calendar_is_leap(year);
	}
	if (parts->month < 1 && parts->day < 1 && has_week(parts)) {
		*ret_day = week_day(parts, year);
		return true;
	}
	*ret_day = calendar_day(year, month, day);
	return day <= 28 || day <= calendar_month_days(year, month);
}

static bool guess_year(struct date_clock *clock, const struct date_parts *parts, int this_year,
	int64_t now_s, int64_t *ret_s)
{
	int64_t day;

	for (int year = this_year; year >= this_year - YEARS_BACK_MAX; year--) {
		if (!year_to_day(parts, year, &day))
			continue;
		*ret_s = day_to_wall(clock, parts, day, now_s);
		if (*ret_s <= now_s + DAY_S)
			return true;
	}
	return false;
}

/* The number of the local day at now_s. */
static int64_t today_of(struct date_clock *clock, const struct date_parts *parts, int64_t now_s)
{
	int64_t quarter = quarter_of(now_s);

	if (parts->has_zone)
		return day_of(now_s + parts->zone_s);
	if (!clock->today_known || clock->now_quarter != quarter) {
		clock->today = day_of(now_s + date_zone_at(&clock->zone, now_s));
		clock->now_quarter = quarter;
		clock->today_known = true;
	}
	return clock->today;
}

/* Completes parts without year, or without day (has_day false), and without an epoch. */
static bool guess(struct date_clock *clock, const struct date_parts *parts, bool has_day,
	int64_t now_s, int64_t *ret_s)
{
	int64_t today = today_of(clock, parts, now_s);
	struct date_parts full = *parts;
	int year;
	int month;
	int day;

	calendar_civil(today, &year, &month, &day);
	if (has_day) {
		if (parts->month < 1 && parts->day > 0) /* of this month or the last */
			full.month = parts->day <= day + 1 ? month : (month + 10) % 12 + 1;
		return guess_year(clock, &full, year, now_s, ret_s);
	}
	if (parts->year > 0)
		today = calendar_day(parts->year, month, day);
	*ret_s = day_to_wall(clock, parts, today, now_s);
	if (*ret_s > now_s)
		*ret_s = day_to_wall(clock, parts, today - 1, now_s);
	return true;
}

bool date_clock_ms(struct date_clock *clock, const struct date_parts *parts, int64_t now_s,
	int64_t *ret_ms)
{
	bool has_day =
		parts->month > 0 || parts->day > 0 || parts->day_of_year > 0 || has_week(parts);
	int64_t at_s;
	int64_t day;

	if (parts->epoch_ms >= 0) {
		*ret_ms = parts->epoch_ms;
		return true;
	}
	if (parts->year == 0)
		return false;
	if (has_day && parts->year > 0) {
		if (!year_to_day(parts, parts->year, &day))
			return false;
		at_s = day_to_wall(clock, parts, day, now_s);
	} else if (!guess(clock, parts, has_day, now_s, &at_s)) {
		return false;
	}
	*ret_ms = at_s * 1000 + (parts->ms > 0 ? parts->ms : 0);
	return true;
}
