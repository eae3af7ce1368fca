#ifndef VG_CALENDAR_H
#define VG_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

/* The Gregorian calendar, without zones. Days are counted from 1970-01-01. */

bool date_is_leap(int year);
/* month 1 to 12; day may run over its month. */
int64_t date_day(int year, int month, int day);
int date_month_days(int year, int month);
/* 0 Monday to 6 Sunday. */
int date_weekday(int64_t day);
void date_civil(int64_t day, int *ret_year, int *ret_month, int *ret_day);

#endif
