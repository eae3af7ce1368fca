#ifndef VG_FAIL2BAN_DB_H
#define VG_FAIL2BAN_DB_H

#include <stdbool.h>
#include <stdint.h>

struct error;

/* A row of fail2ban's database; texts as they stand there. */
struct fail2ban_ban {
	const char *jail;
	const char *ip;
	int64_t since_s;   /* not negative */
	int64_t bantime_s; /* -1: permanent */
	bool stands;       /* not unbanned; its time may be over all the same */
};

/* Reads fail2ban's SQLite file (schema of 0.11 and later: tables bans and bips), which stays as it
 * is: first the bans of the past, then those that stand, each by time. At most
 * FAIL2BAN_ROWS_MAX of each, the newest. A file that fail2ban is writing is waited for, a second at
 * most. */
enum { FAIL2BAN_ROWS_MAX = 100000 };
/* No since_s and no bantime_s is greater: 3000 years. */
static const int64_t FAIL2BAN_TIME_MAX_S = 100000000000;
int fail2ban_db_read(const char *path, void (*each)(void *context, const struct fail2ban_ban *ban),
	void *context, struct error *err);

#endif
