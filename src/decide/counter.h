#ifndef VG_COUNTER_H
#define VG_COUNTER_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Counts failures: for each (jail, address) an exact sliding window of the last ones, with the
 * evidence (log lines, accounts, rule) that a person wants to see. Times are seconds since the
 * epoch and come as arguments: nothing here reads a clock. */
struct counter;

enum {
	COUNTER_WINDOWS_MAX = 1000000, /* all jails together */
	COUNTER_LINES_MAX = 100,       /* newest log lines that are kept for a window */
	COUNTER_LINE_BYTES_MAX = 600,  /* a longer line is cut */
	COUNTER_EVIDENCE_BYTES_MAX = 32 * 1024 * 1024, /* lines and accounts of all windows */
	COUNTER_ACCOUNTS_MAX = 8,       /* distinct ones of a window; of more the oldest go */
	COUNTER_ACCOUNT_BYTES_MAX = 64, /* a longer one is cut */
	COUNTER_RETRY_MAX = 1000,       /* largest maxretry */
	COUNTER_JAILS_MAX = 512,        /* jail numbers are smaller */
};

/* What is known of one failure besides who and when. Texts are bytes as in the log, not rendered;
 * line and account may be NULL. rule is borrowed (it is the filter's) and outlives the counter; the
 * rest is copied. */
struct counter_evidence {
	const char *line;
	size_t line_length;
	const char *account;
	size_t account_length;
	const char *rule;
	bool proven;
};

struct counter_text {
	char *bytes; /* NUL-ended */
	size_t length;
};

/* What one window holds. Its pointers are valid until the next call that changes the counter. Lines
 * and accounts hold whatever bytes a client has sent: they have to be rendered to be shown. */
struct counter_window {
	struct ip ip;
	uint32_t jail;
	uint32_t failures; /* within findtime of the time asked for, among the newest maxretry */
	uint32_t counted;  /* the sum of their weights, at most maxretry */
	int64_t first_s;   /* time of the first of them */
	int64_t last_s;    /* time of the last */
	bool proven;       /* all of them came from sources that cannot be forged */
	const char *rule;  /* that matched the last failure; "": not known */
	const struct counter_text *lines;    /* oldest first */
	size_t n_lines;                      /* <= COUNTER_LINES_MAX */
	const struct counter_text *accounts; /* distinct; the one tried last is the last */
	size_t n_accounts;                   /* <= COUNTER_ACCOUNTS_MAX */
};

struct counter *counter_new(void);
void counter_free(struct counter *counter);

/* Sets what a jail (a number below COUNTER_JAILS_MAX) counts by; to be called before its first
 * failure. maxretry is 1..COUNTER_RETRY_MAX. A later call changes the values, and windows then keep
 * their newest failures. maxmatches: how many log lines are kept for a window; more than
 * COUNTER_LINES_MAX mean that many, and 0 means none, as in fail2ban. */
void counter_jail(struct counter *counter, uint32_t jail, uint32_t maxretry, int64_t findtime_s,
	uint32_t maxmatches);

/* Counts one failure at at_s, as `weight` failures (from 1; more than maxretry mean maxretry).
 * Lines may come a little out of order: the window is sorted by time. A failure counts while it is
 * at most findtime older than the newest one of the window. Returns true if the window now counts
 * maxretry; *ret_reached_s is then the time of the newest failure. evidence may be NULL: a failure
 * out of the database has none.
 *
 * When there are COUNTER_WINDOWS_MAX windows, a new one evicts another: see ranked.h; windows are
 * ranked by what they count. To have a window with k failures evicted, an attacker needs k failures
 * from each of 62 500 other addresses, all later than its last. A full table takes about 150 MB at
 * most.
 *
 * When there is more evidence than COUNTER_EVIDENCE_BYTES_MAX, that of the window that was touched
 * longest ago is dropped as a whole; its failures stay. */
bool counter_add(struct counter *counter, uint32_t jail, const struct ip *ip, int64_t at_s,
	uint32_t weight, const struct counter_evidence *evidence, int64_t *ret_reached_s);

/* Makes an unproven failure at at_s, which was counted with that weight, a proven one. If there is
 * none, nothing happens. */
void counter_prove(struct counter *counter, uint32_t jail, const struct ip *ip, int64_t at_s,
	uint32_t weight);

/* Describes the window as it is at now_s. False: it has no failure within findtime of now_s. */
bool counter_get(const struct counter *counter, uint32_t jail, const struct ip *ip, int64_t now_s,
	struct counter_window *ret_window);
/* Empties the window: after a ban or an unban counting starts anew. */
void counter_clear(struct counter *counter, uint32_t jail, const struct ip *ip);
/* Takes the unproven failures out of the window: after an unproven ban only the proven ones count
 * on. Of the lines and accounts the newest stay. */
void counter_clear_unproven(struct counter *counter, uint32_t jail, const struct ip *ip);
/* Frees windows whose last failure is older than findtime at now_s, at most `limit`, oldest first.
 * Returns how many it freed. */
size_t counter_expire(struct counter *counter, int64_t now_s, size_t limit);
/* How many addresses have at least one failure within findtime of now_s. */
uint32_t counter_current(const struct counter *counter, uint32_t jail, int64_t now_s);

#endif
