#ifndef VG_DATE_CLOCK_H
#define VG_DATE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* What a line says of its time. -1: it says nothing of it. */
struct date_parts {
	int year;
	int month; /* 1 to 12 */
	int day;
	int day_of_year;
	int hour; /* 0 to 23 */
	int minute;
	int second;
	int ms;
	bool has_zone;
	int zone_s;       /* east of UTC */
	int64_t epoch_ms; /* says it all */
};

/* The last local quarter of an hour converted: mktime() is slow, lines come in order, and no zone
 * changes its offset within a quarter. */
struct date_clock {
	int64_t local_quarter; /* number of the quarter since 1970 if local time were UTC */
	int64_t start_s;
	bool known;
};

/* Reads the zone of this process for good: later the zone files are out of reach. */
void date_clock_init(struct date_clock *clock);

/* Wall clock of parts in ms. No year: this one, or the last if that is more than a day after
 * now_s. No day: today, or yesterday if that is after now_s. */
int64_t date_clock_ms(struct date_clock *clock, const struct date_parts *parts, int64_t now_s);

#endif
