#ifndef VG_CLOCK_H
#define VG_CLOCK_H

#include <stdint.h>

/* The clocks, which only the loops of the roles and the commands read: everything below them takes
 * the time as an argument. */

/* Seconds since the epoch, as logs and the database write them; an administrator may set it. */
int64_t clock_wall_s(void);

/* Since the machine started, suspend included (CLOCK_BOOTTIME): for intervals. Never set. */
int64_t clock_boot_s(void);
int64_t clock_boot_ms(void);
uint64_t clock_boot_us(void);

#endif
