#ifndef VG_CLOCK_H
#define VG_CLOCK_H

#include <stdint.h>

/* The system's clocks. Only the main loops of the roles (firewall, engine, notifier) and the
 * commands read them: every other function gets the time as an argument, so that a test can choose
 * it. */

/* Seconds since the epoch (1970-01-01 00:00 UTC), the time that logs and the database hold. It can
 * jump in either direction, when an administrator or NTP sets the clock. */
int64_t clock_wall_s(void);

/* Time since the machine started, time in suspend included (CLOCK_BOOTTIME). Nobody can set it, so
 * that the difference of two readings is a true interval. */
int64_t clock_boot_s(void);
int64_t clock_boot_ms(void);
uint64_t clock_boot_us(void);

#endif
