#include "base/clock.h"

#include <time.h>

enum { US_PER_S = 1000 * 1000, US_PER_MS = 1000, NS_PER_US = 1000 };

int64_t clock_wall_s(void)
{
	return (int64_t)time(NULL);
}

uint64_t clock_boot_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now); /* cannot fail from Linux 2.6.39 on */
	return (uint64_t)now.tv_sec * US_PER_S + (uint64_t)now.tv_nsec / NS_PER_US;
}

int64_t clock_boot_ms(void)
{
	return (int64_t)(clock_boot_us() / US_PER_MS);
}

int64_t clock_boot_s(void)
{
	return (int64_t)(clock_boot_us() / US_PER_S);
}
