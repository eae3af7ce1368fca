/* Takes what an earlier run has recorded in the database back into the guard. */
#include "decide/parts.h"

#include <stdio.h>

#include "base/protected.h"
#include "config/config.h"
#include "decide/counter.h"
#include "decide/history.h"
#include "state/store.h"

void guard_attach(struct guard *guard, struct store *store)
{
	guard->store = store;
	for (size_t i = 0; i < guard->n_jails; i++)
		if (guard_increment(guard, i))
			store_keep_bans(store, guard_purge_age_s(guard));
}

/* Makes the ban that a STORE_BAN row tells of, as an expired one: lines stamped inside it may still
 * be unread, and must not count. If the ban has not ended, its own row comes later and replaces the
 * expired one. */
static void load_expired(struct guard *guard, uint32_t jail, const struct store_failure *marker)
{
	int64_t bantime_s = marker->value ? marker->value : guard->jails[jail].config->bantime_s;
	struct ban expired = { .ip = marker->ip,
		.jail = jail,
		.since_s = marker->at_s,
		.until_s = bantime_s < 0 ? 0 : marker->at_s + bantime_s,
		.proven = !marker->proven,
		.expired = true };

	(void)bans_add(guard->bans, &expired); /* no room: lines inside it may count */
}

static void load_counted(struct guard *guard, uint32_t jail, const struct store_failure *row)
{
	bool sane = row->value > 1 && row->value <= COUNTER_RETRY_MAX;
	uint32_t weight = sane ? (uint32_t)row->value : 1;
	int64_t reached_s;

	/* the ban that it may have led to has a STORE_BAN row of its own */
	(void)counter_add(guard->counter, jail, &row->ip, row->at_s, weight, NULL, &reached_s);
	if (row->proven)
		counter_prove(guard->counter, jail, &row->ip, row->at_s, weight);
}

static void load_emptied(struct guard *guard, uint32_t jail, const struct store_failure *marker)
{
	if (marker->proven)
		counter_clear_unproven(guard->counter, jail, &marker->ip);
	else
		counter_clear(guard->counter, jail, &marker->ip);
}

void guard_load_failure(struct guard *guard, const struct store_failure *failure)
{
	int number = guard_find_jail(guard, failure->jail);
	struct ban *expired;

	if (number < 0 || !guard->jails[number].config)
		return;
	switch (failure->kind) {
	case STORE_FAILURE:
		load_counted(guard, (uint32_t)number, failure);
		attempts_load(guard, (uint32_t)number, failure);
		break;
	case STORE_INSIDE:
	case STORE_JOINED:
		attempts_load(guard, (uint32_t)number, failure);
		break;
	case STORE_BAN:
		load_emptied(guard, (uint32_t)number, failure);
		load_expired(guard, (uint32_t)number, failure);
		break;
	case STORE_UNBAN:
		load_emptied(guard, (uint32_t)number, failure);
		spared_load(guard, (uint32_t)number, failure);
		expired = bans_find(guard->bans, (uint32_t)number, &failure->ip);
		if (expired)
			bans_end(guard->bans, expired, false);
		break;
	}
}

void guard_load_ban(struct guard *guard, const struct store_ban *row, int64_t now_s)
{
	int number = guard_find_jail(guard, row->jail);
	struct ban ban = { .ip = row->ip,
		.since_s = row->since_s,
		.until_s = row->until_s,
		.failures = row->failures,
		.proven = row->proven,
		.row_number = row->number,
		.row = row->id };
	bool over = row->until_s && row->until_s <= now_s;
	struct ban *made;
	bool keep;

	/* one that is not full was not counted; number 0: but it was lifted */
	if (number >= 0 && (!row->number || guard_is_full(guard, (size_t)number, row->proven)))
		history_restore(guard->history, (uint32_t)number, &row->ip, row->number,
			row->since_s, row->until_s);
	if (row->state == STORE_BAN_ENDED)
		return;
	if (number < 0 && guard->n_jails < GUARD_JAILS_MAX) {
		number = (int)guard->n_jails;
		(void)guard_jail_add(guard, row->jail, NULL, NULL);
	}
	if (number < 0)
		return;
	ban.jail = (uint32_t)number;
	(void)snprintf(ban.account, sizeof(ban.account), "%s", row->account); /* cut */
	(void)snprintf(ban.note, sizeof(ban.note), "%s", row->note);          /* cut */
	made = bans_add(guard->bans, &ban);
	if (!made)
		return;
	if (over) {
		guard_end_ban(guard, made, false);
		return;
	}
	/* The bans of a jail that is disabled or gone are lifted. Those of a jail that is left out
	 * because of an error stay: a slip in the configuration must not free attackers. */
	keep = (size_t)number == guard->manual || guard->jails[number].filter ||
	       guard->jails[number].broken;
	if (row->state == STORE_BAN_LIFTING || !keep || protected_find(guard->protected, &ban.ip))
		guard_lift_ban(guard, made);
}

void guard_load_total(struct guard *guard, const struct store_total *total)
{
	int number = guard_find_jail(guard, total->jail);

	if (number < 0)
		return;
	guard->jails[number].failures_total = total->failures;
	guard->jails[number].bans_total = total->bans;
}
