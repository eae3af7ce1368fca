/* How a ban ends: when its time is over, by hand, because its address is protected now, or because
 * somebody has deleted it from the kernel's set with nft. */
#include "decide/parts.h"

#include <syslog.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "decide/counter.h"
#include "decide/history.h"
#include "state/store.h"

void guard_end_ban(struct guard *guard, struct ban *ban, bool caught_up)
{
	if (!ban->expired)
		guard_record_ban(guard, ban, STORE_BAN_ENDED);
	if (caught_up)
		bans_end(guard->bans, ban, false);
	else
		bans_expire(guard->bans, ban);
}

/* The kernel has acknowledged the lift: no change of an element of the ban is waiting any more. */
static bool is_lifted(const struct guard *guard, const struct ban *ban)
{
	const struct guard_jail *jail = &guard->jails[ban->jail];

	for (size_t i = 0; i < jail->scopes.count; i++)
		if (bans_has_change(guard->bans, jail->scopes.list[i], &ban->ip))
			return false;
	for (size_t i = 0; i < jail->narrow.count; i++)
		if (bans_has_change(guard->bans, jail->narrow.list[i], &ban->ip))
			return false;
	return true;
}

void guard_lift_answered(struct guard *guard, const struct ip *ip)
{
	for (size_t i = 0; i < guard->n_lifting;) {
		struct ban *ban = &guard->lifting[i];

		if (!ip_equal(&ban->ip, ip) || !is_lifted(guard, ban)) {
			i++;
			continue;
		}
		guard_record_ban(guard, ban, STORE_BAN_ENDED);
		*ban = guard->lifting[--guard->n_lifting];
	}
}

void guard_lift_ban(struct guard *guard, struct ban *ban)
{
	struct ip ip = ban->ip;

	ban->row_number = 0;
	history_forget(guard->history, ban->jail, &ip);
	guard_record_ban(guard, ban, STORE_BAN_LIFTING);
	guard_record_marker(guard, ban->jail, &ip, ban->since_s, STORE_UNBAN, false, 0);
	counter_clear(guard->counter, ban->jail, &ip);
	guard_note_ban(guard, ban, "unbanned");
	guard->lifting = alloc_grow(guard->lifting, guard->n_lifting + 1, sizeof(*guard->lifting));
	guard->lifting[guard->n_lifting++] = *ban;
	bans_end(guard->bans, ban, true);
	guard_lift_answered(guard, &ip);
}

/* Lifts the bans that overlap ip (NULL: all bans) of one jail (-1: of all jails); returns how many.
 * With ret_wider, a ban of a network that holds more than ip is not lifted but written there:
 * 192.0.2.1 is not to lift a ban of 192.0.2.0/24. */
static uint32_t lift_matching(struct guard *guard, const struct ip *ip, int only_jail,
	struct ip *ret_wider)
{
	uint32_t lifted = 0;
	size_t cursor = 0;
	struct ban *ban;

	while ((ban = bans_next(guard->bans, &cursor))) {
		if (ban->expired || (only_jail >= 0 && ban->jail != (uint32_t)only_jail) ||
			(ip && !ip_overlaps(&ban->ip, ip)))
			continue;
		if (ip && ret_wider && !ip_contains(ip, &ban->ip)) {
			*ret_wider = ban->ip;
			continue;
		}
		guard_lift_ban(guard, ban);
		lifted++;
	}
	return lifted;
}

/* Empties the windows of an address in one jail (-1: in all jails). */
static void forget_failures(struct guard *guard, const struct ip *unit, int only_jail,
	int64_t now_s)
{
	struct counter_window window;

	for (uint32_t i = 0; i < guard->n_jails; i++) {
		if ((only_jail >= 0 && i != (uint32_t)only_jail) ||
			!counter_get(guard->counter, i, unit, now_s, &window))
			continue;
		counter_clear(guard->counter, i, unit);
		guard_record_marker(guard, i, unit, now_s, STORE_UNBAN, false, 0);
	}
}

int guard_unban(struct guard *guard, const struct ip *ip, const char *jail, int64_t now_s,
	uint32_t *ret_lifted, struct error *err)
{
	int number = jail ? guard_named_jail(guard, jail, err) : -1;
	struct ip wider = { 0 };
	struct ip unit;
	char address[IP_TEXT_MAX];
	char held_by[IP_TEXT_MAX];

	if (jail && number < 0)
		return -1;
	if (!ip) {
		*ret_lifted = lift_matching(guard, NULL, number, NULL);
		return 0;
	}
	unit = guard_unit(guard, ip);
	forget_failures(guard, &unit, number, now_s);
	*ret_lifted = lift_matching(guard, &unit, number, &wider);
	if (wider.family)
		return error_set(err, "%s is still banned: it lies in %s, unban that",
			ip_format(ip, address), ip_format(&wider, held_by));
	if (!*ret_lifted)
		return error_set(err, "%s is not banned%s%s", ip_format(ip, address),
			jail ? " by jail " : "", text_shown_string(jail ? jail : "").text);
	return 0;
}

void guard_lift_protected(struct guard *guard, const struct ip *ip, const char *because)
{
	char address[IP_TEXT_MAX];

	if (lift_matching(guard, ip, -1, NULL))
		guard_note(guard, LOG_NOTICE, "bans of %s are lifted: %s", ip_format(ip, address),
			because);
}

void guard_admin_lift(struct guard *guard, uint8_t scope, const struct ip *ip)
{
	struct ban *ban;

	while ((ban = bans_of_element(guard->bans, scope, ip)))
		guard_lift_ban(guard, ban);
}
