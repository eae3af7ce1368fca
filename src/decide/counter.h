#ifndef VG_COUNTER_H
#define VG_COUNTER_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The exact sliding window of the last failures of each (jail, address), with what a person wants
 * to know about them. Time is an argument; nothing here reads a clock. */
struct counter;

enum {
	COUNTER_WINDOWS_MAX = 1000000,                 /* all jails together */
	COUNTER_LINES_MAX = 100,                       /* log lines kept of a window, the newest */
	COUNTER_LINE_BYTES_MAX = 600,                  /* of each, cut beyond */
	COUNTER_EVIDENCE_BYTES_MAX = 32 * 1024 * 1024, /* of all lines and accounts */
	COUNTER_ACCOUNTS_MAX = 8,
	COUNTER_ACCOUNT_BYTES_MAX = 64,
	COUNTER_RETRY_MAX = 1000, /* largest maxretry */
	COUNTER_JAILS_MAX = 4096, /* jail numbers are below it */
};

/* What is known of one failure besides who and when; bytes as in the log, not rendered. rule is
 * borrowed and outlives the counter (the filter's), the rest is copied. */
struct counter_evidence {
	const char *line;
	size_t line_length;
	const char *account;
	size_t account_length;
	const char *rule;
	bool proven;
};

/* A look at one window; pointers are valid until the next counter call. Texts are raw bytes
 * behind a NUL-ended copy: render before showing. */
struct counter_window {
	struct ip ip;
	uint32_t jail;
	uint32_t failures; /* in the window at the time asked */
	uint32_t counted;  /* what they count as, at most maxretry */
	int64_t first_s;
	int64_t last_s;
	bool proven;      /* every failure in it was proven */
	const char *rule; /* of the last failure, "" if unknown */
	const char *lines[COUNTER_LINES_MAX];
	size_t line_lengths[COUNTER_LINES_MAX];
	size_t n_lines;
	const char *accounts[COUNTER_ACCOUNTS_MAX]; /* distinct, NUL-ended copies, the last tried
						       last */
	size_t n_accounts;
};

struct counter *counter_new(void);
void counter_free(struct counter *counter);

/* A jail is a small number; maxretry (1..COUNTER_RETRY_MAX) and findtime_s may change later
 * (reload): windows keep their newest failures. maxmatches: log lines kept of a window, at most
 * COUNTER_LINES_MAX; 0: none, as in fail2ban. */
void counter_jail(struct counter *counter, uint32_t jail, uint32_t maxretry, int64_t findtime_s,
	uint32_t maxmatches);

/* Counts one failure at at_s as `weight` of them, 1..maxretry (more is taken as maxretry); lines
 * may come out of order by a little: the window stays sorted. A failure counts while
 * t - at <= findtime, t = the newest failure of the window. Returns true if the window now counts
 * maxretry; ret_reached_s is then the time of the maxretry-th, in order of time. evidence may be
 * NULL (replay).
 *
 * When COUNTER_WINDOWS_MAX windows exist, one goes: windows are ranked by what they count (1 to 7,
 * 8 and more), and of the lowest rank that holds more than a sixteenth of the table the window
 * that was touched longest ago goes. So a flood of addresses with one failure each evicts only
 * its like; to wash out a window with k failures takes k failures from each of 62 500 other
 * addresses, all later than its last; and windows with many failures cannot crowd out newcomers,
 * who keep their sixteenth. A full table is about 150 MB, whatever comes.
 *
 * Evidence beyond COUNTER_EVIDENCE_BYTES_MAX: all of the window touched longest ago goes; its
 * failures stay. */
bool counter_add(struct counter *counter, uint32_t jail, const struct ip *ip, int64_t at_s,
	uint32_t weight, const struct counter_evidence *evidence, int64_t *ret_reached_s);

/* Makes an unproven failure at at_s, which counts as `weight`, a proven one; none there: nothing.
 */
void counter_prove(struct counter *counter, uint32_t jail, const struct ip *ip, int64_t at_s,
	uint32_t weight);

/* False: no failure within findtime of now_s. */
bool counter_get(const struct counter *counter, uint32_t jail, const struct ip *ip, int64_t now_s,
	struct counter_window *ret_window);
/* Empties the window (a ban, an unban). */
void counter_clear(struct counter *counter, uint32_t jail, const struct ip *ip);
/* Drops windows whose last failure is older than findtime; at most limit of them, oldest first.
 * Returns how many. */
size_t counter_expire(struct counter *counter, int64_t now_s, size_t limit);
/* Addresses with at least one failure within findtime of now_s. */
uint32_t counter_current(const struct counter *counter, uint32_t jail, int64_t now_s);

#endif
