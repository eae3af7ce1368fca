#ifndef VG_HISTORY_H
#define VG_HISTORY_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How often each (jail, address) has been banned. It lives in memory, and is restored at the start
 * from the rows of the bans in the database. Times are arguments, those of the lines, in seconds
 * since the epoch.
 *
 * A count is remembered as a whole until keep_s after the end of the last ban (fail2ban's
 * dbpurgeage); a ban after that is the first one again.
 *
 * When there are HISTORY_MAX records, a new one evicts another: see ranked.h; records are ranked by
 * their bans. To have an address with k bans evicted, an attacker needs k bans of each of 31 250
 * other addresses, all later than its last: whoever can spend so many addresses does not need the
 * old one. A full table takes about 65 MB at most. */
struct history;

enum { HISTORY_MAX = 500000 };

/* Instead of a jail's number: the sum over all jails. */
static const uint32_t HISTORY_ALL_JAILS = UINT32_MAX;

/* keep_s: seconds, from 0. */
struct history *history_new(int64_t keep_s);
void history_free(struct history *history);

/* How many bans before at_s are remembered at at_s. jail may be HISTORY_ALL_JAILS. */
uint32_t history_count(const struct history *history, uint32_t jail, const struct ip *ip,
	int64_t at_s);
/* Adds a ban; until_s 0: permanent. Returns which one of (jail, address) it is, from 1. A ban that
 * began no later than the newest known one has been counted before: it changes nothing. */
uint32_t history_add(struct history *history, uint32_t jail, const struct ip *ip, int64_t since_s,
	int64_t until_s);
/* Whether a ban that began at since_s or later is known. */
bool history_has(const struct history *history, uint32_t jail, const struct ip *ip,
	int64_t since_s);
/* The last ban has got another end, and is still the same ban. Returns which one of (jail, address)
 * it is; 0: none is known. */
uint32_t history_extend(struct history *history, uint32_t jail, const struct ip *ip,
	int64_t until_s);
/* Takes in a row of the database, oldest first: this ban was number `number`. 0: it was lifted,
 * which makes this and all earlier bans of (jail, address) forgotten. */
void history_restore(struct history *history, uint32_t jail, const struct ip *ip, uint32_t number,
	int64_t since_s, int64_t until_s);
/* Forgets all bans of (jail, address). */
void history_forget(struct history *history, uint32_t jail, const struct ip *ip);
/* Frees records that are not remembered any more at now_s, at most `limit`; returns how many. Each
 * rank is searched from its oldest ban on only up to the first that is still remembered: a very
 * long ban may keep younger, shorter ones from being freed for a while. */
size_t history_expire(struct history *history, int64_t now_s, size_t limit);
/* How many records there are. */
size_t history_size(const struct history *history);

/* Asserts the invariants; for tests. */
void history_check(const struct history *history);

#endif
