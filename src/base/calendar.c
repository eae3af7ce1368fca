#include "base/calendar.h"

#include <time.h>

enum { DAY_S = 86400 };

bool date_is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int64_t date_day(int year, int month, int day)
{
	static const int before_month[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int64_t last = (int64_t)year - 1;
	int64_t days = last * 365 + last / 4 - last / 100 + last / 400;

	days += before_month[month - 1] + (month > 2 && date_is_leap(year)) + day - 1;
	return days - 719162; /* day number of 1970-01-01 by the same count */
}

int date_month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && date_is_leap(year));
}

int date_weekday(int64_t day)
{
	return (int)(((day + 3) % 7 + 7) % 7); /* day 0 was a Thursday */
}

void date_civil(int64_t day, int *ret_year, int *ret_month, int *ret_day)
{
	time_t at = (time_t)(day * DAY_S);
	struct tm tm = { .tm_mday = 1, .tm_year = 70 };

	(void)gmtime_r(&at, &tm); /* fails beyond some 10^9 years only */
	*ret_year = tm.tm_year + 1900;
	*ret_month = tm.tm_mon + 1;
	*ret_day = tm.tm_mday;
}
