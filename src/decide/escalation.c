/* bantime.increment: the more often an address has been banned, the longer is its next ban, and the
 * fewer failures lead to it. All of this is computed from the times of the lines, the bans in the
 * database and a key that is kept there, so that reading the same lines again after a crash decides
 * the same. */
#include "decide/parts.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/siphash.h"
#include "config/config.h"
#include "decide/history.h"

enum {
	POWER_MAX = 20, /* FORMULA_DOUBLE multiplies bantime by at most 2^20 * factor */
	PURGE_AGE_S = 86400,
};

/* The longest ban that ends: 570 years, since nftables refuses with ERANGE the timeout of an
 * element that is longer than 213 000 days (583 years). */
static const int64_t TIMEOUT_LONGEST_S = 18000000000;

int64_t guard_purge_age_s(const struct guard *guard)
{
	return guard->config->dbpurgeage_s > 0 ? guard->config->dbpurgeage_s : PURGE_AGE_S;
}

const struct config_increment *guard_increment(const struct guard *guard, size_t jail)
{
	const struct config_jail *config = guard->jails[jail].config;

	return config && config->increment.on ? &config->increment : NULL;
}

uint32_t guard_earlier_bans(const struct guard *guard, size_t jail, const struct ip *ip,
	int64_t at_s)
{
	const struct config_increment *increment = guard_increment(guard, jail);

	return history_count(guard->history,
		increment && increment->all_jails ? HISTORY_ALL_JAILS : (uint32_t)jail, ip, at_s);
}

uint32_t guard_failure_weight(const struct guard *guard, size_t jail, const struct ip *ip,
	int64_t at_s)
{
	uint32_t maxretry = guard_increment(guard, jail) ? guard->jails[jail].config->maxretry : 1;
	uint32_t n = maxretry > 1 ? guard_earlier_bans(guard, jail, ip, at_s) : 0;
	uint32_t weight;

	if (!n)
		return 1;
	weight = (1U << (n < POWER_MAX ? n : POWER_MAX)) / 2 + 1;
	return weight < maxretry ? weight : maxretry;
}

/* A number of 0..limit_s seconds. It is always the same for the same ban, so that a replay agrees,
 * and nobody can predict it without the key. */
static int64_t random_part(const struct guard *guard, size_t jail, const struct ip *ip,
	int64_t since_s, int64_t limit_s)
{
	const char *name = guard->jails[jail].name;
	size_t length = strlen(name);
	size_t size = sizeof(since_s) + 2 + sizeof(ip->bytes) + length;
	cleanup_free uint8_t *bytes = alloc_zero(size);
	uint8_t *at = bytes;

	for (size_t i = 0; i < sizeof(since_s); i++)
		*at++ = (uint8_t)((uint64_t)since_s >> (8 * i));
	*at++ = ip->family;
	*at++ = ip->bits;
	memcpy(at, ip->bytes, sizeof(ip->bytes));
	memcpy(at + sizeof(ip->bytes), name, length);
	return (int64_t)(siphash(store_key(guard->store), bytes, size) % ((uint64_t)limit_s + 1));
}

static double grown_length(const struct config_increment *increment, double base, uint32_t n)
{
	double factor = increment->factor;
	double grown;
	size_t last;

	switch (increment->formula) {
	case FORMULA_DOUBLE:
		grown = ldexp(base, (int)(n < POWER_MAX ? n : POWER_MAX)) * factor;
		return grown > base ? grown : base;
	case FORMULA_EXPONENTIAL:
		return base * exp((double)n * factor);
	case FORMULA_MULTIPLIERS:
		if (!increment->n_multipliers)
			return base * factor;
		last = increment->n_multipliers - 1;
		return base * factor * increment->multipliers[n < last ? n : last];
	}
	return base;
}

int64_t guard_ban_length(const struct guard *guard, size_t jail, const struct ip *ip,
	int64_t since_s)
{
	const struct config_increment *increment = guard_increment(guard, jail);
	int64_t base_s = guard->jails[jail].config->bantime_s;
	uint32_t n = increment ? guard_earlier_bans(guard, jail, ip, since_s) : 0;
	double grown;
	int64_t length_s;

	if (!n || base_s < 0)
		return base_s;
	grown = grown_length(increment, (double)base_s, n);
	/* a NaN, and what is less than the shortest timeout, becomes 1 */
	length_s = grown >= (double)TIMEOUT_LONGEST_S ? TIMEOUT_LONGEST_S
		   : grown >= 1                       ? (int64_t)grown
						      : 1;
	if (increment->maxtime_s > 0 && length_s > increment->maxtime_s)
		length_s = increment->maxtime_s;
	if (increment->rndtime_s > 0 && increment->rndtime_s < TIMEOUT_LONGEST_S)
		length_s += random_part(guard, jail, ip, since_s, increment->rndtime_s);
	return length_s < TIMEOUT_LONGEST_S ? length_s : TIMEOUT_LONGEST_S;
}

uint32_t guard_take_ban(struct guard *guard, size_t jail, const struct ip *unit, int64_t since_s,
	int64_t until_s)
{
	if (history_has(guard->history, (uint32_t)jail, unit, since_s))
		return 0;
	return history_add(guard->history, (uint32_t)jail, unit, since_s, until_s);
}

void guard_count_ban(struct guard *guard, struct ban *ban, bool replaces)
{
	uint32_t earlier = guard_earlier_bans(guard, ban->jail, &ban->ip, ban->since_s);

	ban->number = 0;
	ban->row_number = 1; /* not 0, which says that the ban was lifted */
	if (!guard_is_full(guard, ban->jail, ban->proven))
		return;
	ban->row_number =
		replaces ? history_extend(guard->history, ban->jail, &ban->ip, ban->until_s) : 0;
	if (!ban->row_number) {
		ban->row_number = history_add(guard->history, ban->jail, &ban->ip, ban->since_s,
			ban->until_s);
		earlier++;
	}
	ban->number = guard_increment(guard, ban->jail) ? earlier : 0;
}
