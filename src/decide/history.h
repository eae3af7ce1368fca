#ifndef VG_HISTORY_H
#define VG_HISTORY_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How often each (jail, address) has been banned. Memory is the index; the rows of the bans in the
 * database are what it is restored from. Time is an argument: that of the lines.
 *
 * A count is remembered as a whole until keep_s after the end of the last ban, as fail2ban's
 * dbpurgeage has it; a ban after that is a first one again.
 *
 * When HISTORY_MAX records exist, one goes: records are ranked by their bans (1 to 7, 8 and more),
 * and of the lowest rank that holds more than a sixteenth of the table the one whose last ban came
 * longest ago goes. To wash out an address with k bans takes k bans of each of 31 250 others, all
 * later than its last: whoever has so many addresses to burn has no need of the old one. A full
 * table is about 65 MB, whatever comes. */
struct history;

enum { HISTORY_MAX = 500000 };

/* Instead of a jail's number: the sum over all jails. */
static const uint32_t HISTORY_ALL_JAILS = UINT32_MAX;

struct history *history_new(int64_t keep_s);
void history_free(struct history *history);

/* Bans that began before at_s and are remembered then. */
uint32_t history_count(const struct history *history, uint32_t jail, const struct ip *ip,
	int64_t at_s);
/* A ban began; until_s 0: permanent. Returns which one of (jail, address) it is, from 1. One that
 * began no later than the newest known changes nothing: it has been counted. */
uint32_t history_add(struct history *history, uint32_t jail, const struct ip *ip, int64_t since_s,
	int64_t until_s);
/* A ban that began no earlier is known. */
bool history_has(const struct history *history, uint32_t jail, const struct ip *ip,
	int64_t since_s);
/* The last ban got another end; it is still the same ban. Returns which one it is; 0: none known.
 */
uint32_t history_extend(struct history *history, uint32_t jail, const struct ip *ip,
	int64_t until_s);
/* From the database, oldest first: the ban was number `number`; 0: what was known is forgotten. */
void history_restore(struct history *history, uint32_t jail, const struct ip *ip, uint32_t number,
	int64_t since_s, int64_t until_s);
void history_forget(struct history *history, uint32_t jail, const struct ip *ip);
/* Frees what is not remembered any more, at most limit; one that ends late may hold back others
 * for a while. Returns how many. */
size_t history_expire(struct history *history, int64_t now_s, size_t limit);
size_t history_size(const struct history *history);

/* Asserts the invariants; for tests. */
void history_check(const struct history *history);

#endif
