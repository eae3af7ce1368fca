#include "decide/parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/error.h"
#include "base/protected.h"
#include "base/times.h"
#include "config/config.h"
#include "decide/counter.h"
#include "decide/history.h"
#include "match/filter.h"
#include "state/store.h"

/* Makes the ban, its row in the database and its mail. A ban can be over already, when an old log
 * is being read: it is then made as an expired one, so that lines stamped inside it only add to the
 * totals, as they would have done at that time. NULL: the table is full, and of bans that this one
 * may not end (bans_overflow). */
static struct ban *ban_begin(struct guard *guard, const struct ban *wanted,
	const struct counter_window *window, int64_t now_s)
{
	struct guard_jail *jail = &guard->jails[wanted->jail];
	struct ban *old = bans_find(guard->bans, wanted->jail, &wanted->ip);
	bool over = wanted->until_s && wanted->until_s <= now_s;
	bool inside = old && (!old->until_s || old->until_s > wanted->since_s);
	bool stands = inside && !old->expired;
	bool full = guard_is_full(guard, wanted->jail, wanted->proven);
	bool widens = inside && full && !guard_is_full(guard, wanted->jail, old->proven);
	struct ban *ban;

	if (!old)
		old = bans_overflow(guard->bans, wanted->proven);
	if (old && !old->expired)
		guard_record_ban(guard, old, STORE_BAN_ENDED);
	if (old && (!ip_equal(&old->ip, &wanted->ip) || old->jail != wanted->jail))
		bans_end(guard->bans, old, true);
	ban = bans_add(guard->bans, wanted);
	if (!ban)
		return NULL;
	ban->row = 0;
	guard_count_ban(guard, ban, stands && !widens);
	guard_record_ban(guard, ban, over ? STORE_BAN_ENDED : STORE_BAN_ACTIVE);
	guard_record_marker(guard, ban->jail, &ban->ip, ban->since_s, STORE_BAN, !full,
		ban->until_s ? ban->until_s - ban->since_s : -1);
	if (!over) /* before the window that it shows is emptied */
		waiting_letters_add(guard, ban, window, now_s);
	if (full)
		counter_clear(guard->counter, ban->jail, &ban->ip);
	else
		counter_clear_unproven(guard->counter, ban->jail, &ban->ip);
	if (over) {
		bans_expire(guard->bans, ban);
		return ban;
	}
	jail->bans_total += !widens;
	guard_record_totals(guard, jail);
	guard_note_ban(guard, ban, widens ? "proven: widened the ban of" : "banned");
	return ban;
}

/* window NULL: its failures are too old by now. */
static void ban_reached(struct guard *guard, size_t number, const struct ip *unit,
	const struct hit *hit, const struct counter_window *window, int64_t since_s, int64_t now_s)
{
	const struct config_jail *config = guard->jails[number].config;
	struct ban ban = { .ip = *unit, .jail = (uint32_t)number, .since_s = since_s };
	int64_t length_s = config->bantime_s;

	ban.failures = window ? window->failures : config->maxretry;
	ban.proven = window && window->proven;
	if (guard_is_full(guard, number, ban.proven))
		length_s = guard_ban_length(guard, number, unit, since_s);
	ban.until_s = length_s < 0 ? 0 : since_s + length_s;
	(void)snprintf(ban.account, sizeof(ban.account), "%.*s",
		(int)(hit->account_length < sizeof(ban.account) ? hit->account_length
								: sizeof(ban.account) - 1),
		hit->account ? hit->account : ""); /* cut */
	(void)ban_begin(guard, &ban, window, now_s);
}

/* The window of a unit has reached maxretry. */
static void window_full(struct guard *guard, size_t number, const struct ip *unit,
	const struct hit *hit, int64_t reached_s, int64_t now_s)
{
	const char *because = protected_find(guard->protected, &hit->ip);
	const struct config_jail *config = guard->jails[number].config;
	struct counter_window window;
	bool known = counter_get(guard->counter, (uint32_t)number, unit, reached_s, &window);
	bool full = guard_is_full(guard, number, known && window.proven);

	if (!config->bans)
		return;
	if (because || (!full && config->unproven == UNPROVEN_ALERT))
		spared_reached(guard, (uint32_t)number, unit, because, reached_s, now_s);
	else
		ban_reached(guard, number, unit, hit, known ? &window : NULL, reached_s, now_s);
}

void guard_count_hit(struct guard *guard, size_t number, const struct line *line,
	const struct hit *hit, int64_t now_s)
{
	struct guard_jail *jail = &guard->jails[number];
	int64_t at_s = hit->has_time ? hit->at_ms / 1000 : now_s;
	struct guard_offence offence = { .unit = guard_unit(guard, &hit->ip),
		.jail = (uint32_t)number,
		.at_ms = hit->has_time ? hit->at_ms : now_s * 1000,
		.session = hit->session,
		.event = hit->event,
		.proven = hit->proof == HIT_PROVEN };
	struct counter_evidence evidence = { .line = line->text,
		.line_length = line->length,
		.account = hit->account,
		.account_length = hit->account_length,
		.rule = filter_rule_text(jail->filter, hit->rule),
		.proven = hit->proof == HIT_PROVEN };
	const struct ban *standing;
	uint32_t weight;
	int64_t reached_s;

	if (line->first_read && at_s < now_s - jail->config->findtime_s)
		return;
	if (attempts_join(guard, &offence))
		return;
	jail->failures_total++;
	guard_record_totals(guard, jail);
	standing = bans_find(guard->bans, offence.jail, &offence.unit);
	/* A line from before the ban, out of a file that is read later, is taken as one inside it:
	 * it must not move the ban's end. If the ban is of an address that may be forged, what is
	 * proven counts on, for one that closes more. */
	if (standing && (standing->until_s == 0 || at_s < standing->until_s) &&
		(!evidence.proven || guard_is_full(guard, number, standing->proven))) {
		attempts_count(guard, &offence, 0);
		return;
	}
	weight = guard_failure_weight(guard, number, &offence.unit, at_s);
	attempts_count(guard, &offence, weight);
	if (counter_add(guard->counter, offence.jail, &offence.unit, at_s, weight, &evidence,
		    &reached_s))
		window_full(guard, number, &offence.unit, hit, reached_s, now_s);
}

/* Counts each hit whose host name has been looked up, once for each address of the name. */
static void count_resolved(struct guard *guard, int64_t now_s)
{
	struct unresolved_hit *resolved;
	const struct ip *addresses;
	size_t count;

	while ((resolved = unresolved_take(guard->unresolved, &addresses, &count))) {
		struct line line = { .text = resolved->line,
			.length = resolved->line_length,
			.first_read = resolved->first_read };

		if (!count)
			guard->jails[resolved->jail].unresolved++;
		for (size_t i = 0; i < count; i++) {
			resolved->hit.ip = addresses[i];
			guard_count_hit(guard, resolved->jail, &line, &resolved->hit, now_s);
		}
		free(resolved);
	}
}

void guard_resolved(struct guard *guard, const char *name, bool found, const struct ip *addresses,
	size_t count, int64_t now_s)
{
	unresolved_answer(guard->unresolved, name, found, addresses, count, now_s);
	count_resolved(guard, now_s);
}

static bool jail_wants(const struct guard_jail *jail, const struct line *line)
{
	for (size_t i = 0; i < TAIL_PATTERNS_MAX / 64; i++)
		if (jail->patterns[i] & line->patterns[i])
			return true;
	return false;
}

static void line_judged(struct guard *guard, size_t number, const struct line *line,
	enum filter_result result, const struct hit *hit, int64_t now_s)
{
	switch (result) {
	case FILTER_HIT:
		if (hit->proof == HIT_DOUBTFUL)
			break; /* the filter has counted it as such */
		if (hit->ip.family) {
			guard_count_hit(guard, number, line, hit, now_s);
		} else {
			unresolved_hit(guard, number, line, hit, now_s);
			count_resolved(guard, now_s);
		}
		break;
	case FILTER_IGNORED:
		guard->jails[number].ignored++;
		break;
	case FILTER_MISS:
		break;
	}
}

void guard_entry(struct guard *guard, size_t jail, const struct line *line, int64_t now_s)
{
	struct filter *filter = guard->jails[jail].filter;
	enum filter_result result;
	struct hit hit;

	if (!filter)
		return;
	result = filter_match(filter, line, now_s, &hit);
	if (result == FILTER_HIT && hit.proof == HIT_UNPROVEN &&
		guard->jails[jail].config->doubts && guard->events.prove &&
		guard->events.prove(guard->events.context, &hit, now_s))
		hit.proof = HIT_PROVEN;
	line_judged(guard, jail, line, result, &hit, now_s);
	blind_count(guard, jail, line, now_s);
}

void guard_line(struct guard *guard, const struct line *line, int64_t now_s)
{
	for (size_t i = 0; i < guard->n_jails; i++)
		if (jail_wants(&guard->jails[i], line))
			guard_entry(guard, i, line, now_s);
}

/* ---- time ---- */

void guard_tick(struct guard *guard, int64_t now_s, bool caught_up)
{
	struct ban *ban;

	while ((ban = bans_first_end(guard->bans)) && ban->until_s <= now_s)
		guard_end_ban(guard, ban, caught_up);
	if (caught_up)
		bans_drop_expired(guard->bans);
	waiting_letters_tick(guard, now_s);
	unresolved_tick(guard, now_s);
	count_resolved(guard, now_s);
	/* expired windows stay until the logs are caught up: an unread line may complete one */
	if (caught_up && now_s >= guard->next_expire_s) {
		/* what exceeds EXPIRE_MAX goes the next time */
		(void)counter_expire(guard->counter, now_s, EXPIRE_MAX);
		(void)history_expire(guard->history, now_s, EXPIRE_MAX);
		guard->next_expire_s = now_s + EXPIRE_EVERY_S;
	}
}

/* ---- by hand ---- */

int guard_ban(struct guard *guard, const struct ip *ip, const char *jail, int64_t for_s,
	const char *note, int64_t now_s, struct error *err)
{
	int number = guard_named_jail(guard, jail ? jail : "manual", err);
	struct ban ban = { .ip = guard_unit(guard, ip), .since_s = now_s, .proven = true };
	const char *because = protected_find(guard->protected, &ban.ip);
	char address[IP_TEXT_MAX];

	if (number < 0)
		return -1;
	if (because)
		return error_set(err, "%s is protected: %s", ip_format(&ban.ip, address), because);
	ban.jail = (uint32_t)number;
	if (for_s == 0 && guard->jails[number].config)
		for_s = guard_ban_length(guard, (size_t)number, &ban.ip, now_s);
	if (for_s == 0)
		for_s = MANUAL_BANTIME_S;
	if (for_s > DURATION_LONGEST_S)
		return error_set(err, "a ban of more than 3000 years: say -1 for a permanent one");
	ban.until_s = for_s < 0 ? 0 : now_s + for_s;
	(void)snprintf(ban.note, sizeof(ban.note), "%s", note ? note : ""); /* cut */
	if (!ban_begin(guard, &ban, NULL, now_s))
		return error_set(err, "the ban table is full (%d bans)", BANS_MAX);
	return 0;
}

/* ---- the kernel side ---- */

void guard_held(struct guard *guard, uint8_t scope, const struct ip *ip, bool lift, int failure,
	int64_t now_s)
{
	bool was_awaited = bans_held(guard->bans, scope, ip, lift, failure);

	if (failure == EPERM && !lift) /* the firewall role protects this address */
		guard_admin_lift(guard, scope, ip);
	if (was_awaited) /* also if another jail keeps the element: it was shortened then */
		guard_lift_answered(guard, ip);
	if (!lift)
		waiting_letters_answered(guard, ip, now_s);
}

static bool jail_closes(const struct guard_jail *jail, uint8_t scope)
{
	return memchr(jail->scopes.list, scope, jail->scopes.count) ||
	       memchr(jail->narrow.list, scope, jail->narrow.count);
}

static int jail_of_scope(const struct guard *guard, uint8_t scope)
{
	for (size_t i = 0; i < guard->n_jails; i++) {
		const struct guard_jail *jail = &guard->jails[i];

		if ((jail->filter || i == guard->manual) && jail_closes(jail, scope))
			return (int)i;
	}
	return -1;
}

/* A jail with this scope has banned the address, and the ban closes other ports: it was widened
 * just before a crash, or the key `unproven` was another one. */
static bool is_left_over(const struct guard *guard, uint8_t scope, const struct ip *ip)
{
	for (uint32_t i = 0; i < guard->n_jails; i++) {
		const struct ban *ban = bans_find(guard->bans, i, ip);

		if (ban && !ban->expired && jail_closes(&guard->jails[i], scope))
			return true;
	}
	return false;
}

void guard_adopt(struct guard *guard, uint8_t scope, const struct ip *ip, int64_t ttl_s,
	int64_t now_s)
{
	int number = jail_of_scope(guard, scope);
	struct ban ban = { .ip = *ip, .since_s = now_s };
	struct ban *made;

	if (number < 0 || bans_of_element(guard->bans, scope, ip))
		return;
	if (is_left_over(guard, scope, ip)) {
		bans_lift_element(guard->bans, scope, ip);
		return;
	}
	ban.jail = (uint32_t)number;
	ban.until_s = ttl_s ? now_s + ttl_s : 0;
	ban.proven =
		!memchr(guard->jails[number].narrow.list, scope, guard->jails[number].narrow.count);
	(void)snprintf(ban.note, sizeof(ban.note), "found in the kernel"); /* fits */
	made = bans_add(guard->bans, &ban);
	if (!made)
		return;
	guard_count_ban(guard, made, false);
	guard_record_ban(guard, made, STORE_BAN_ACTIVE);
	guard_note_ban(guard, made, "took over the kernel's ban of");
	if (protected_find(guard->protected, ip))
		guard_lift_ban(guard, made);
}
