#include "decide/parts.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <syslog.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/protected.h"
#include "base/text.h"
#include "base/times.h"
#include "config/config.h"
#include "decide/counter.h"
#include "decide/history.h"
#include "decide/letter.h"
#include "match/filter.h"
#include "match/records.h"
#include "state/store.h"

void guard_end_ban(struct guard *guard, struct ban *ban, bool caught_up)
{
	if (!ban->ghost)
		guard_record_ban(guard, ban, STORE_BAN_ENDED);
	if (caught_up)
		bans_end(guard->bans, ban, false);
	else
		bans_make_ghost(guard->bans, ban);
}

/* ---- letters ---- */

const char *guard_jail_dest(const struct guard *guard, const struct guard_jail *jail)
{
	return jail->config ? jail->config->mail_dest : guard->config->mail.dest;
}

const char *guard_jail_sender(const struct guard *guard, const struct guard_jail *jail)
{
	return jail->config ? jail->config->mail_sender : guard->config->mail.sender;
}

/* Takes the first letter of *link out of the list, completes it and hands it on. */
static void letter_leave(struct guard *guard, struct waiting_letter **link, int failure,
	int64_t now_s)
{
	struct waiting_letter *waiting = *link;
	const struct guard_jail *jail = &guard->jails[waiting->jail];
	struct ban ban = { .ip = waiting->ip };

	if (!guard->dry_run)
		letter_add_kernel(&waiting->letter, &ban, failure, now_s);
	guard->events.alert(guard->events.context, now_s, guard_jail_dest(guard, jail),
		guard_jail_sender(guard, jail), &waiting->letter);
	*link = waiting->next;
	if (!*link)
		guard->letters_end = link;
	guard->n_letters--;
	free(waiting);
}

static void letter_begin(struct guard *guard, const struct ban *ban,
	const struct counter_window *window, int64_t now_s)
{
	const struct guard_jail *jail = &guard->jails[ban->jail];
	struct waiting_letter *waiting;

	if (!guard_jail_dest(guard, jail) || (jail->config && !jail->config->bans))
		return;
	waiting = alloc_zero(sizeof(*waiting));
	waiting->ip = ban->ip;
	waiting->jail = ban->jail;
	waiting->deadline_s = now_s + LETTER_WAIT_S;
	letter_ban(&waiting->letter, jail->name, jail->config, ban, window, guard->host,
		guard->dry_run);
	*guard->letters_end = waiting;
	guard->letters_end = &waiting->next;
	guard->n_letters++;
	if (guard->dry_run || guard->n_letters > LETTERS_MAX)
		letter_leave(guard, &guard->letters, -1, now_s);
}

/* ---- counting and banning ---- */

/* Makes the ban, its record and its letter. A ban that is over already becomes a ghost: lines
 * stamped inside it enter the totals only, as they would have then. */
static struct ban *ban_begin(struct guard *guard, const struct ban *wanted,
	const struct counter_window *window, int64_t now_s)
{
	struct guard_jail *jail = &guard->jails[wanted->jail];
	struct ban *old = bans_find(guard->bans, wanted->jail, &wanted->ip);
	bool over = wanted->until_s && wanted->until_s <= now_s;
	bool stands = old && !old->ghost && (!old->until_s || old->until_s > wanted->since_s);
	struct ban *ban;

	if (!old)
		old = bans_overflow(guard->bans);
	if (old && !old->ghost)
		guard_record_ban(guard, old, STORE_BAN_ENDED);
	if (old && (!ip_equal(&old->ip, &wanted->ip) || old->jail != wanted->jail))
		bans_end(guard->bans, old, true);
	ban = bans_add(guard->bans, wanted);
	if (!ban)
		return NULL;
	ban->row = 0;
	guard_count_ban(guard, ban, stands);
	guard_record_ban(guard, ban, over ? STORE_BAN_ENDED : STORE_BAN_ACTIVE);
	guard_record_marker(guard, ban->jail, &ban->ip, ban->since_s, STORE_BAN,
		ban->until_s ? ban->until_s - ban->since_s : -1);
	if (!over) /* before the window it shows is emptied */
		letter_begin(guard, ban, window, now_s);
	counter_clear(guard->counter, ban->jail, &ban->ip);
	if (over) {
		bans_make_ghost(guard->bans, ban);
		return ban;
	}
	jail->bans_total++;
	guard_record_totals(guard, jail);
	guard_note_ban(guard, ban, "banned");
	return ban;
}

static void ban_reached(struct guard *guard, size_t number, const struct ip *unit,
	const struct hit *hit, int64_t since_s, int64_t now_s)
{
	const struct config_jail *config = guard->jails[number].config;
	struct ban ban = { .ip = *unit, .jail = (uint32_t)number, .since_s = since_s };
	struct counter_window window;
	int64_t length_s;
	bool known;

	known = counter_get(guard->counter, ban.jail, unit, since_s, &window);
	length_s = guard_ban_length(guard, number, unit, since_s);
	ban.until_s = length_s < 0 ? 0 : since_s + length_s;
	ban.failures = known ? window.failures : config->maxretry;
	ban.proven = known && window.proven;
	(void)snprintf(ban.account, sizeof(ban.account), "%.*s",
		(int)(hit->account_length < sizeof(ban.account) ? hit->account_length
								: sizeof(ban.account) - 1),
		hit->account ? hit->account : ""); /* cut */
	(void)ban_begin(guard, &ban, known ? &window : NULL, now_s);
}

void guard_count_hit(struct guard *guard, size_t number, const struct line *line,
	const struct hit *hit, int64_t now_s)
{
	struct guard_jail *jail = &guard->jails[number];
	int64_t at_s = hit->has_time ? hit->at_ms / 1000 : now_s;
	struct guard_offence offence = { .unit = protected_unit(guard->protected, &hit->ip),
		.jail = (uint32_t)number,
		.at_ms = hit->has_time ? hit->at_ms : now_s * 1000,
		.session = hit->session,
		.event = hit->event,
		.proven = hit->proven };
	struct counter_evidence evidence = { .line = line->text,
		.line_length = line->length,
		.account = hit->account,
		.account_length = hit->account_length,
		.rule = filter_rule_text(jail->filter, hit->rule),
		.proven = hit->proven };
	const struct ban *standing;
	uint32_t weight;
	int64_t reached_s;

	if (line->first_read && at_s < now_s - jail->config->findtime_s)
		return;
	if (protected_find(guard->protected, &hit->ip)) {
		jail->ignored++;
		return;
	}
	if (guard_attempt_joins(guard, &offence))
		return;
	jail->failures_total++;
	guard_record_totals(guard, jail);
	standing = bans_find(guard->bans, offence.jail, &offence.unit);
	/* also lines of another file from before it: they do not move its end */
	if (standing && (standing->until_s == 0 || at_s < standing->until_s)) {
		guard_attempt_count(guard, &offence, 0);
		return;
	}
	weight = guard_failure_weight(guard, number, &offence.unit, at_s);
	guard_attempt_count(guard, &offence, weight);
	if (counter_add(guard->counter, offence.jail, &offence.unit, at_s, weight, &evidence,
		    &reached_s) &&
		jail->config->bans)
		ban_reached(guard, number, &offence.unit, hit, reached_s, now_s);
}

static bool jail_wants(const struct guard_jail *jail, const struct line *line)
{
	for (size_t i = 0; i < TAIL_PATTERNS_MAX / 64; i++)
		if (jail->patterns[i] & line->patterns[i])
			return true;
	return false;
}

/* A line was read by the jail's filter: that may have given up some. What is old news raises no
 * alarm. */
static void count_blind(struct guard *guard, size_t number, const struct line *line, int64_t now_s)
{
	struct guard_jail *jail = &guard->jails[number];
	uint64_t blind = records_blind(filter_records(jail->filter));
	bool is_old = line->first_read ||
		      (line->dated && line->at_ms / 1000 < now_s - jail->config->findtime_s);

	for (; jail->blind_seen < blind; jail->blind_seen++)
		if (!is_old)
			guard_unsound(guard, number, now_s);
}

static void take(struct guard *guard, size_t number, const struct line *line,
	enum filter_result result, const struct hit *hit, int64_t now_s)
{
	switch (result) {
	case FILTER_HIT:
		if (hit->doubtful)
			break; /* and counted as such */
		if (hit->ip.family)
			guard_count_hit(guard, number, line, hit, now_s);
		else
			guard_names_hit(guard, number, line, hit, now_s);
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
	struct hit hit;

	if (!filter)
		return;
	take(guard, jail, line, filter_match(filter, line, now_s, &hit), &hit, now_s);
	count_blind(guard, jail, line, now_s);
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
		bans_drop_ghosts(guard->bans);
	while (guard->letters && guard->letters->deadline_s <= now_s)
		letter_leave(guard, &guard->letters, -1, now_s);
	guard_allow_tick(guard, now_s);
	guard_names_tick(guard, now_s);
	/* a window that is old by the clock may be completed by a line that is not read yet */
	if (caught_up && now_s >= guard->next_expire_s) {
		/* the rest next time */
		(void)counter_expire(guard->counter, now_s, EXPIRE_MAX);
		(void)history_expire(guard->history, now_s, EXPIRE_MAX);
		guard->next_expire_s = now_s + EXPIRE_EVERY_S;
	}
}

int64_t guard_next_s(const struct guard *guard)
{
	const struct ban *ban = bans_first_end(guard->bans);
	int64_t next_s = guard->next_expire_s;

	if (ban && ban->until_s < next_s)
		next_s = ban->until_s;
	if (guard->letters && guard->letters->deadline_s < next_s)
		next_s = guard->letters->deadline_s;
	return next_s;
}

/* ---- by hand ---- */

uint32_t guard_ban_count(const struct guard *guard, size_t jail, const struct ip *unit,
	int64_t now_s)
{
	return guard_earlier_bans(guard, jail, unit, now_s);
}

struct ip guard_unit(const struct guard *guard, const struct ip *ip)
{
	return protected_unit(guard->protected, ip);
}

int guard_ban(struct guard *guard, const struct ip *ip, const char *jail, int64_t for_s,
	const char *note, int64_t now_s, struct error *err)
{
	int number = guard_find_jail(guard, jail ? jail : "manual");
	struct ban ban = { .ip = protected_unit(guard->protected, ip),
		.since_s = now_s,
		.proven = true };
	char address[IP_TEXT_MAX];
	char shown[128];
	const char *because;

	ip_format(&ban.ip, address);
	if (number < 0)
		return error_set(err, "there is no jail '%s'",
			text_render_string(shown, sizeof(shown), jail));
	because = protected_find(guard->protected, &ban.ip);
	if (because)
		return error_set(err, "%s is protected: %s", address, because);
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

/* The row goes when no change for the kernel is waiting any more. */
static bool lifting_is_done(const struct guard *guard, const struct lifting *lifting)
{
	const struct guard_jail *jail = &guard->jails[lifting->ban.jail];

	for (size_t i = 0; i < jail->n_scopes; i++)
		if (bans_has_change(guard->bans, jail->scopes[i], &lifting->ban.ip))
			return false;
	return true;
}

static void lifting_finish(struct guard *guard, const struct ip *ip)
{
	for (size_t i = 0; i < guard->n_lifting;) {
		struct lifting *lifting = &guard->lifting[i];

		if (!ip_equal(&lifting->ban.ip, ip) || !lifting_is_done(guard, lifting)) {
			i++;
			continue;
		}
		guard_record_ban(guard, &lifting->ban, STORE_BAN_ENDED);
		guard->lifting[i] = guard->lifting[--guard->n_lifting];
	}
}

void guard_lift_ban(struct guard *guard, struct ban *ban)
{
	struct lifting lifting;

	ban->row_number = 0;
	history_forget(guard->history, ban->jail, &ban->ip);
	guard_record_ban(guard, ban, STORE_BAN_LIFTING);
	guard_record_marker(guard, ban->jail, &ban->ip, ban->since_s, STORE_UNBAN, 0);
	counter_clear(guard->counter, ban->jail, &ban->ip);
	guard_note_ban(guard, ban, "unbanned");
	lifting.ban = *ban;
	bans_end(guard->bans, ban, true);
	guard->lifting = alloc_grow(guard->lifting, guard->n_lifting + 1, sizeof(*guard->lifting));
	guard->lifting[guard->n_lifting++] = lifting;
	lifting_finish(guard, &lifting.ban.ip);
}

/* The bans inside ip, or all (NULL). *ret_wider (may be NULL): a ban that holds ip and more. */
static uint32_t lift_matching(struct guard *guard, const struct ip *ip, int only_jail,
	struct ip *ret_wider)
{
	uint32_t lifted = 0;
	size_t cursor = 0;
	struct ban *ban;

	while ((ban = bans_next(guard->bans, &cursor))) {
		if (ban->ghost || (only_jail >= 0 && ban->jail != (uint32_t)only_jail) ||
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

static int lift_jail(const struct guard *guard, const char *jail, int *ret_number,
	struct error *err)
{
	char shown[128];

	*ret_number = -1;
	if (!jail)
		return 0;
	*ret_number = guard_find_jail(guard, jail);
	if (*ret_number >= 0)
		return 0;
	return error_set(err, "there is no jail '%s'",
		text_render_string(shown, sizeof(shown), jail));
}

int guard_unban(struct guard *guard, const struct ip *ip, const char *jail, int64_t now_s,
	uint32_t *ret_lifted, struct error *err)
{
	struct ip unit = protected_unit(guard->protected, ip);
	struct ip wider = { 0 };
	char address[IP_TEXT_MAX];
	char held_by[IP_TEXT_MAX];
	char shown[128];
	int number;

	if (lift_jail(guard, jail, &number, err) < 0)
		return -1;
	for (uint32_t i = 0; i < guard->n_jails; i++) {
		struct counter_window window;

		if ((number >= 0 && i != (uint32_t)number) ||
			!counter_get(guard->counter, i, &unit, now_s, &window))
			continue;
		counter_clear(guard->counter, i, &unit);
		guard_record_marker(guard, i, &unit, now_s, STORE_UNBAN, 0);
	}
	*ret_lifted = lift_matching(guard, &unit, number, &wider);
	if (wider.family)
		return error_set(err, "%s is still banned: it lies in %s, unban that",
			ip_format(ip, address), ip_format(&wider, held_by));
	if (!*ret_lifted)
		return error_set(err, "%s is not banned%s%s", ip_format(ip, address),
			jail ? " by jail " : "",
			text_render_string(shown, sizeof(shown), jail ? jail : ""));
	return 0;
}

int guard_unban_all(struct guard *guard, const char *jail, int64_t now_s, uint32_t *ret_lifted,
	struct error *err)
{
	int number;

	(void)now_s; /* bans of every age */
	if (lift_jail(guard, jail, &number, err) < 0)
		return -1;
	*ret_lifted = lift_matching(guard, NULL, number, NULL);
	return 0;
}

void guard_protect(struct guard *guard, const struct ip *ip, const char *because, unsigned source,
	int64_t now_s)
{
	char address[IP_TEXT_MAX];
	char text[256];

	(void)now_s; /* a protected address is free at once, whenever it was banned */
	(void)protected_add(guard->protected, ip, because,
		source); /* the firewall role says "full" */
	if (lift_matching(guard, ip, -1, NULL) == 0)
		return;
	(void)snprintf(text, sizeof(text), "bans of %s are lifted: %s", ip_format(ip, address),
		because); /* fits */
	guard->events.note(guard->events.context, LOG_NOTICE, text);
}

/* ---- the kernel side ---- */

void guard_held(struct guard *guard, uint8_t scope, const struct ip *ip, bool lift, int failure,
	int64_t now_s)
{
	struct waiting_letter **link = &guard->letters;
	bool waited = bans_held(guard->bans, scope, ip, lift, failure);
	struct ban *refused_ban;

	while (failure == EPERM && !lift && (refused_ban = bans_of_element(guard->bans, scope, ip)))
		guard_lift_ban(guard, refused_ban); /* the firewall role knows it as protected */
	if (waited) /* an element that another jail keeps is shortened, not lifted */
		lifting_finish(guard, ip);
	while (*link && !lift) {
		struct waiting_letter *waiting = *link;
		const struct ban *ban = bans_find(guard->bans, waiting->jail, ip);
		int refused = 0;

		if (ip_equal(&waiting->ip, ip) &&
			(!ban || bans_in_kernel(guard->bans, ban, &refused) || refused))
			letter_leave(guard, link, ban ? refused : EPERM, now_s);
		else
			link = &waiting->next;
	}
}

static int jail_of_scope(const struct guard *guard, uint8_t scope)
{
	for (size_t i = 0; i < guard->n_jails; i++) {
		const struct guard_jail *jail = &guard->jails[i];

		if ((jail->filter || i == guard->manual) &&
			memchr(jail->scopes, scope, jail->n_scopes))
			return (int)i;
	}
	return -1;
}

void guard_adopt(struct guard *guard, uint8_t scope, const struct ip *ip, int64_t ttl_s,
	int64_t now_s)
{
	int number = jail_of_scope(guard, scope);
	struct ban ban = { .ip = *ip, .since_s = now_s };
	struct ban *made;

	if (number < 0 || bans_of_element(guard->bans, scope, ip))
		return;
	ban.jail = (uint32_t)number;
	ban.until_s = ttl_s ? now_s + ttl_s : 0;
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

void guard_admin_lift(struct guard *guard, uint8_t scope, const struct ip *ip, int64_t now_s)
{
	struct ban *ban;

	(void)now_s; /* the ban ends whenever it would have */
	while ((ban = bans_of_element(guard->bans, scope, ip)))
		guard_lift_ban(guard, ban);
}
