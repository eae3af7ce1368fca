#ifndef VG_FAIL2BAN_DB_H
#define VG_FAIL2BAN_DB_H

#include <stdbool.h>
#include <stdint.h>

struct error;

/* A ban in the database of fail2ban; the texts are as they stand there, and live until the callback
 * returns. */
struct fail2ban_ban {
	const char *jail;
	const char *ip;
	int64_t since_s;   /* wall seconds, 0 to FAIL2BAN_TIME_MAX_S */
	int64_t bantime_s; /* seconds, up to FAIL2BAN_TIME_MAX_S; -1: permanent */
	/* fail2ban has not lifted it; it may be over by the clock all the same */
	bool stands;
};

/* Reads the SQLite file of fail2ban 0.11 or later (tables bans and bips), which is not changed.
 * Calls back for bans of the past first, then for those that stand, both oldest first; of each at
 * most FAIL2BAN_ROWS_MAX, the newest. If fail2ban is writing, waits up to a second. -1: it cannot
 * be read, or is no such file. */
enum { FAIL2BAN_ROWS_MAX = 100000 };
/* The greatest since_s and bantime_s: about 3000 years, in seconds. */
static const int64_t FAIL2BAN_TIME_MAX_S = 100000000000;
int fail2ban_db_read(const char *path, void (*each)(void *context, const struct fail2ban_ban *ban),
	void *context, struct error *err);

#endif
