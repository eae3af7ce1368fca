#include "guard.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <syslog.h>

#include "alloc.h"
#include "config.h"
#include "counter.h"
#include "duration.h"
#include "error.h"
#include "filter.h"
#include "letter.h"
#include "protect.h"
#include "store.h"
#include "text.h"

enum {
	GUARD_JAILS_MAX = BAN_JAILS_MAX,
	GUARD_SCOPES_MAX = 64,
	MANUAL_BANTIME_S = 86400,
	LETTERS_MAX = 1000, /* waiting for the kernel's word; beyond, they leave without it */
	LETTER_WAIT_S = 5,
	EXPIRE_EVERY_S = 60,
	EXPIRE_MAX = 10000, /* windows a tick */
};

struct guard_jail {
	char *name; /* owned */
	const struct config_jail *config; /* borrowed; NULL: manual, or known from the past only */
	struct filter *filter; /* owned; NULL: reads no lines */
	bool broken;
	uint64_t patterns[TAIL_PATTERNS_MAX / 64];
	uint8_t scopes[BAN_JAIL_SCOPES_MAX];
	size_t n_scopes;
	uint64_t failures_total;
	uint64_t bans_total;
	uint64_t ignored;
};

/* A mail about a ban that waits for the kernel's answer. */
struct waiting_letter {
	struct ip ip;
	uint32_t jail;
	int64_t deadline_s;
	struct letter letter;
	struct waiting_letter *next;
};

/* An unban whose row goes when the kernel has acknowledged. */
struct lifting {
	struct ban ban; /* a copy: the ban itself has ended */
};

/* jails[manual] is the jail of bans by hand. Jails never change after guard_new but for names
 * found in the database, which are appended. */
struct guard {
	const struct config *config; /* borrowed */
	struct protect *protect; /* borrowed */
	struct store *store; /* borrowed; NULL before guard_attach */
	struct guard_events events;
	bool dry_run;
	struct guard_jail jails[GUARD_JAILS_MAX];
	size_t n_jails;
	size_t manual;
	struct scope scopes[GUARD_SCOPES_MAX];
	size_t n_scopes;
	struct counter *counter; /* owned */
	struct bans *bans; /* owned */
	struct waiting_letter *letters; /* owned list, oldest first */
	struct waiting_letter **letters_end;
	size_t n_letters;
	struct lifting *lifting; /* owned */
	size_t n_lifting;
	int64_t next_expire_s;
	char host[sizeof(((struct utsname *)0)->nodename)];
};

/* ---- set-up ---- */

/* The number of an equal scope, or of a new one; SIZE_MAX: too many. */
static size_t scope_number(struct guard *guard, const struct scope *scope)
{
	for (size_t i = 0; i < guard->n_scopes; i++)
		if (scope_equal(&guard->scopes[i], scope))
			return i;
	if (guard->n_scopes == GUARD_SCOPES_MAX)
		return SIZE_MAX;
	guard->scopes[guard->n_scopes] = *scope;
	return guard->n_scopes++;
}

static struct guard_jail *jail_add(struct guard *guard, const char *name,
	const struct config_jail *config, struct findings *findings)
{
	struct guard_jail *jail = &guard->jails[guard->n_jails];

	jail->name = alloc_string(name);
	jail->config = config;
	for (size_t i = 0; config && i < config->n_scopes; i++) {
		size_t number = scope_number(guard, &config->scopes[i]);

		if (number == SIZE_MAX) {
			(void)finding_error(findings, &config->at,
				"more than %d different port lists", GUARD_SCOPES_MAX);
			jail->broken = true;
			break;
		}
		jail->scopes[jail->n_scopes++] = (uint8_t)number;
	}
	if (!config)
		jail->scopes[jail->n_scopes++] = 0;
	bans_jail(guard->bans, (uint32_t)guard->n_jails, jail->scopes, jail->n_scopes);
	if (config)
		counter_jail(guard->counter, (uint32_t)guard->n_jails, config->maxretry,
			config->findtime_s);
	guard->n_jails++;
	return jail;
}

static void jail_compile(struct guard_jail *jail, struct findings *findings)
{
	if (!jail->config->enabled)
		return;
	if (!jail->config->broken && !jail->broken)
		jail->filter = filter_new(&jail->config->filter, findings);
	jail->broken = jail->filter == NULL;
}

static void protect_ignored(struct guard *guard, const struct config_jail *jail)
{
	char because[PROTECT_BECAUSE_MAX];
	char shown[48];

	(void)snprintf(because, sizeof(because), "ignoreip of jail %s",
		text_render_string(shown, sizeof(shown), jail->name)); /* may be cut */
	for (size_t i = 0; i < jail->n_ignoreip; i++)
		(void)protect_add(guard->protect, &jail->ignoreip[i], because, 0); /* capped there */
}

struct guard *guard_new(const struct config *config, struct protect *protect, bool dry_run,
	const struct guard_events *events, struct findings *findings)
{
	struct guard *guard = alloc_zero(sizeof(*guard));
	struct scope all = { 0 };
	struct utsname names;

	guard->config = config;
	guard->protect = protect;
	guard->dry_run = dry_run;
	guard->events = *events;
	guard->counter = counter_new();
	guard->bans = bans_new();
	guard->letters_end = &guard->letters;
	(void)scope_number(guard, &all); /* number 0 */
	for (size_t i = 0; i < config->n_jails; i++) {
		const struct config_jail *jail = &config->jails[i];

		jail_compile(jail_add(guard, jail->name, jail, findings), findings);
		if (jail->enabled)
			protect_ignored(guard, jail);
	}
	guard->manual = guard->n_jails;
	(void)jail_add(guard, "manual", NULL, findings);
	if (uname(&names) == 0)
		memcpy(guard->host, names.nodename, sizeof(guard->host));
	return guard;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	for (size_t i = 0; i < guard->n_jails; i++) {
		filter_free(guard->jails[i].filter);
		free(guard->jails[i].name);
	}
	while (guard->letters) {
		struct waiting_letter *next = guard->letters->next;

		free(guard->letters);
		guard->letters = next;
	}
	free(guard->lifting);
	counter_free(guard->counter);
	bans_free(guard->bans);
	free(guard);
}

size_t guard_active_jails(const struct guard *guard)
{
	size_t count = 0;

	for (size_t i = 0; i < guard->n_jails; i++)
		count += guard->jails[i].filter != NULL;
	return count;
}

size_t guard_broken_jails(const struct guard *guard)
{
	size_t count = 0;

	for (size_t i = 0; i < guard->n_jails; i++)
		count += guard->jails[i].broken;
	return count;
}

const struct scope *guard_scopes(const struct guard *guard, size_t *ret_count)
{
	*ret_count = guard->n_scopes;
	return guard->scopes;
}

struct bans *guard_bans(struct guard *guard)
{
	return guard->bans;
}

void guard_add_pattern(struct guard *guard, size_t jail, int pattern)
{
	guard->jails[jail].patterns[pattern / 64] |= UINT64_C(1) << (pattern % 64);
}

int guard_find_jail(const struct guard *guard, const char *name)
{
	for (size_t i = 0; i < guard->n_jails; i++)
		if (strcmp(guard->jails[i].name, name) == 0)
			return (int)i;
	return -1;
}

size_t guard_jails(const struct guard *guard)
{
	return guard->n_jails;
}

/* ---- records ---- */

static void note_ban(const struct guard *guard, const struct ban *ban, const char *what)
{
	char address[IP_TEXT_MAX];
	char left[DURATION_TEXT_MAX];
	char name[128];
	char text[512];

	text_render_string(name, sizeof(name), guard->jails[ban->jail].name);
	ip_format(&ban->ip, address);
	if (ban->until_s)
		duration_format(ban->until_s - ban->since_s, left);
	(void)snprintf(text, sizeof(text), "%s: %s %s%s%s%s", name, what, address,
		ban->until_s ? " for " : " for good", ban->until_s ? left : "",
		guard->dry_run ? " (dry run)" : ""); /* fits */
	guard->events.note(guard->events.context, LOG_NOTICE, text);
}

static void record_ban(struct guard *guard, struct ban *ban, enum store_ban_state state)
{
	struct store_ban row = {
		.id = ban->row,
		.jail = guard->jails[ban->jail].name,
		.ip = ban->ip,
		.since_s = ban->since_s,
		.until_s = ban->until_s,
		.failures = ban->failures,
		.proven = ban->proven,
		.state = state,
		.account = ban->account,
		.note = ban->note,
	};

	if (guard->dry_run)
		row.state = STORE_BAN_ENDED; /* a later real run must not act on it */
	ban->row = store_ban(guard->store, &row);
}

static void record_marker(struct guard *guard, uint32_t jail, const struct ip *ip, int64_t at_s,
	enum store_kind kind)
{
	struct store_failure row = {
		.jail = guard->jails[jail].name, .ip = *ip, .at_s = at_s, .kind = kind };

	store_failure(guard->store, &row);
}

static void record_totals(struct guard *guard, const struct guard_jail *jail)
{
	store_total(guard->store, jail->name, jail->failures_total, jail->bans_total);
}

static void end_ban(struct guard *guard, struct ban *ban, bool caught_up)
{
	if (!ban->ghost)
		record_ban(guard, ban, STORE_BAN_ENDED);
	if (caught_up)
		bans_end(guard->bans, ban, false);
	else
		bans_make_ghost(guard->bans, ban);
}

/* ---- letters ---- */

static const char *jail_dest(const struct guard *guard, const struct guard_jail *jail)
{
	return jail->config ? jail->config->mail_dest : guard->config->mail.dest;
}

static const char *jail_sender(const struct guard *guard, const struct guard_jail *jail)
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
	guard->events.alert(guard->events.context, now_s, jail_dest(guard, jail),
		jail_sender(guard, jail), &waiting->letter);
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

	if (!jail_dest(guard, jail) || (jail->config && !jail->config->bans))
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
	struct ban *ban;

	if (!old)
		old = bans_overflow(guard->bans);
	if (old && !old->ghost)
		record_ban(guard, old, STORE_BAN_ENDED);
	if (old && !ip_equal(&old->ip, &wanted->ip))
		bans_end(guard->bans, old, true);
	ban = bans_add(guard->bans, wanted);
	if (!ban)
		return NULL;
	ban->row = 0;
	record_ban(guard, ban, over ? STORE_BAN_ENDED : STORE_BAN_ACTIVE);
	record_marker(guard, ban->jail, &ban->ip, ban->since_s, STORE_BAN);
	if (!over) /* before the window it shows is emptied */
		letter_begin(guard, ban, window, now_s);
	counter_clear(guard->counter, ban->jail, &ban->ip);
	if (over) {
		bans_make_ghost(guard->bans, ban);
		return ban;
	}
	jail->bans_total++;
	record_totals(guard, jail);
	note_ban(guard, ban, "banned");
	return ban;
}

static void ban_reached(struct guard *guard, size_t number, const struct ip *unit,
	const struct hit *hit, int64_t since_s, int64_t now_s)
{
	const struct config_jail *config = guard->jails[number].config;
	struct ban ban = { .ip = *unit, .jail = (uint32_t)number, .since_s = since_s };
	struct counter_window window;
	bool known;

	known = counter_get(guard->counter, ban.jail, unit, since_s, &window);
	ban.until_s = config->bantime_s < 0 ? 0 : since_s + config->bantime_s;
	ban.failures = known ? window.failures : config->maxretry;
	ban.proven = known && window.proven;
	(void)snprintf(ban.account, sizeof(ban.account), "%.*s",
		(int)(hit->account_length < sizeof(ban.account) ? hit->account_length :
								   sizeof(ban.account) - 1),
		hit->account ? hit->account : ""); /* cut */
	(void)ban_begin(guard, &ban, known ? &window : NULL, now_s);
}

/* Records over TCP, TLS, WebSocket come from a source that answered a handshake. */
static bool hit_is_proven(const struct hit *hit)
{
	for (size_t i = 0; i < hit->n_fields; i++)
		if (strcmp(hit->fields[i].name, "transport") == 0)
			return !(hit->fields[i].length == 3 &&
				 memcmp(hit->fields[i].value, "UDP", 3) == 0);
	return false;
}

static void count_hit(struct guard *guard, size_t number, const struct tail_line *line,
	const struct hit *hit, int64_t now_s)
{
	struct guard_jail *jail = &guard->jails[number];
	int64_t at_s = hit->has_time ? hit->at_ms / 1000 : now_s;
	struct counter_evidence evidence = { .line = line->line, .line_length = line->length,
		.account = hit->account, .account_length = hit->account_length,
		.rule = filter_rule_text(jail->filter, hit->rule), .proven = hit_is_proven(hit) };
	struct ip unit = protect_unit(guard->protect, &hit->ip);
	const struct ban *standing;
	int64_t reached_s;

	if (line->first_read && at_s < now_s - jail->config->findtime_s)
		return;
	if (protect_find(guard->protect, &hit->ip)) {
		jail->ignored++;
		return;
	}
	jail->failures_total++;
	record_totals(guard, jail);
	standing = bans_find(guard->bans, (uint32_t)number, &unit);
	if (standing && at_s >= standing->since_s &&
		(standing->until_s == 0 || at_s < standing->until_s))
		return;
	record_marker(guard, (uint32_t)number, &unit, at_s, STORE_FAILURE);
	if (counter_add(guard->counter, (uint32_t)number, &unit, at_s, &evidence, &reached_s) &&
		jail->config->bans)
		ban_reached(guard, number, &unit, hit, reached_s, now_s);
}

static bool jail_wants(const struct guard_jail *jail, const struct tail_line *line)
{
	for (size_t i = 0; i < TAIL_PATTERNS_MAX / 64; i++)
		if (jail->patterns[i] & line->patterns[i])
			return true;
	return false;
}

void guard_line(struct guard *guard, const struct tail_line *line, int64_t now_s)
{
	struct hit hit;

	if (line->cut)
		return; /* counted by tail; a rule must not read half a line */
	for (size_t i = 0; i < guard->n_jails; i++) {
		struct guard_jail *jail = &guard->jails[i];

		if (!jail->filter || !jail_wants(jail, line))
			continue;
		switch (filter_match(jail->filter, line->line, line->length, now_s, &hit)) {
		case FILTER_HIT:
			if (hit.ip.family)
				count_hit(guard, i, line, &hit, now_s);
			break;
		case FILTER_IGNORED:
			jail->ignored++;
			break;
		case FILTER_MISS:
			break;
		}
	}
}

/* ---- time ---- */

void guard_tick(struct guard *guard, int64_t now_s, bool caught_up)
{
	struct ban *ban;

	while ((ban = bans_first_end(guard->bans)) && ban->until_s <= now_s)
		end_ban(guard, ban, caught_up);
	if (caught_up)
		bans_drop_ghosts(guard->bans);
	while (guard->letters && guard->letters->deadline_s <= now_s)
		letter_leave(guard, &guard->letters, -1, now_s);
	if (now_s >= guard->next_expire_s) {
		(void)counter_expire(guard->counter, now_s, EXPIRE_MAX); /* the rest next time */
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

int guard_ban(struct guard *guard, const struct ip *ip, const char *jail, int64_t for_s,
	const char *note, int64_t now_s, struct error *err)
{
	int number = guard_find_jail(guard, jail ? jail : "manual");
	struct ban ban = { .ip = *ip, .since_s = now_s, .proven = true };
	char address[IP_TEXT_MAX];
	char shown[128];
	const char *because;

	ip_format(ip, address);
	if (number < 0)
		return error_set(err, "there is no jail '%s'",
			text_render_string(shown, sizeof(shown), jail));
	because = protect_find(guard->protect, ip);
	if (because)
		return error_set(err, "%s is protected: %s", address, because);
	ban.jail = (uint32_t)number;
	if (for_s == 0 && guard->jails[number].config)
		for_s = guard->jails[number].config->bantime_s;
	if (for_s == 0)
		for_s = MANUAL_BANTIME_S;
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
		record_ban(guard, &lifting->ban, STORE_BAN_ENDED);
		guard->lifting[i] = guard->lifting[--guard->n_lifting];
	}
}

static void ban_lift(struct guard *guard, struct ban *ban)
{
	struct lifting lifting;

	record_ban(guard, ban, STORE_BAN_LIFTING);
	record_marker(guard, ban->jail, &ban->ip, ban->since_s, STORE_UNBAN);
	counter_clear(guard->counter, ban->jail, &ban->ip);
	note_ban(guard, ban, "unbanned");
	lifting.ban = *ban;
	bans_end(guard->bans, ban, true);
	guard->lifting =
		alloc_grow(guard->lifting, guard->n_lifting + 1, sizeof(*guard->lifting));
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
		ban_lift(guard, ban);
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
	struct ip unit = protect_unit(guard->protect, ip);
	struct ip wider = { 0 };
	char address[IP_TEXT_MAX];
	char held_by[IP_TEXT_MAX];
	int number;

	if (lift_jail(guard, jail, &number, err) < 0)
		return -1;
	for (uint32_t i = 0; i < guard->n_jails; i++) {
		struct counter_window window;

		if ((number >= 0 && i != (uint32_t)number) ||
			!counter_get(guard->counter, i, &unit, now_s, &window))
			continue;
		counter_clear(guard->counter, i, &unit);
		record_marker(guard, i, &unit, now_s, STORE_UNBAN);
	}
	*ret_lifted = lift_matching(guard, &unit, number, &wider);
	if (wider.family)
		return error_set(err, "%s is still banned: it lies in %s, unban that",
			ip_format(ip, address), ip_format(&wider, held_by));
	if (!*ret_lifted)
		return error_set(err, "%s is not banned%s%s", ip_format(ip, address),
			jail ? " by jail " : "", jail ? jail : "");
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
	(void)protect_add(guard->protect, ip, because, source); /* the firewall role says "full" */
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

	if (waited && lift)
		lifting_finish(guard, ip);
	while (*link && !lift) {
		struct waiting_letter *waiting = *link;
		const struct ban *ban = bans_find(guard->bans, waiting->jail, ip);
		int refused = 0;

		if (ip_equal(&waiting->ip, ip) &&
			(!ban || bans_in_kernel(guard->bans, ban, &refused) || refused))
			letter_leave(guard, link, ban ? refused : -1, now_s);
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
	record_ban(guard, made, STORE_BAN_ACTIVE);
	note_ban(guard, made, "took over the kernel's ban of");
	if (protect_find(guard->protect, ip))
		ban_lift(guard, made);
}

void guard_admin_lift(struct guard *guard, uint8_t scope, const struct ip *ip, int64_t now_s)
{
	struct ban *ban;

	(void)now_s; /* the ban ends whenever it would have */
	while ((ban = bans_of_element(guard->bans, scope, ip)))
		ban_lift(guard, ban);
}

/* ---- the database ---- */

void guard_attach(struct guard *guard, struct store *store)
{
	guard->store = store;
}

void guard_load_failure(struct guard *guard, const struct store_failure *failure)
{
	int number = guard_find_jail(guard, failure->jail);
	int64_t reached_s;

	if (number < 0 || !guard->jails[number].config)
		return;
	if (failure->kind == STORE_FAILURE)
		(void)counter_add(guard->counter, (uint32_t)number, &failure->ip, failure->at_s,
			NULL, &reached_s); /* what it led to is in the bans table */
	else
		counter_clear(guard->counter, (uint32_t)number, &failure->ip);
}

void guard_load_ban(struct guard *guard, const struct store_ban *row, int64_t now_s)
{
	int number = guard_find_jail(guard, row->jail);
	struct ban ban = { .ip = row->ip, .since_s = row->since_s, .until_s = row->until_s,
		.failures = row->failures, .proven = row->proven, .row = row->id };
	bool over = row->until_s && row->until_s <= now_s;
	struct ban *made;
	bool keep;

	if (number < 0 && guard->n_jails < GUARD_JAILS_MAX) {
		number = (int)guard->n_jails;
		(void)jail_add(guard, row->jail, NULL, NULL);
	}
	if (number < 0)
		return;
	ban.jail = (uint32_t)number;
	(void)snprintf(ban.account, sizeof(ban.account), "%s", row->account); /* cut */
	(void)snprintf(ban.note, sizeof(ban.note), "%s", row->note); /* cut */
	made = bans_add(guard->bans, &ban);
	if (!made)
		return;
	if (over) {
		end_ban(guard, made, false);
		return;
	}
	/* a jail that was switched off or is gone lifts; one that is only broken keeps */
	keep = (size_t)number == guard->manual || guard->jails[number].filter ||
	       guard->jails[number].broken;
	if (row->state == STORE_BAN_LIFTING || !keep || protect_find(guard->protect, &ban.ip))
		ban_lift(guard, made);
}

void guard_load_total(struct guard *guard, const char *jail, uint64_t failures, uint64_t bans)
{
	int number = guard_find_jail(guard, jail);

	if (number < 0)
		return;
	guard->jails[number].failures_total = failures;
	guard->jails[number].bans_total = bans;
}

/* ---- status ---- */

void guard_jail_info(const struct guard *guard, size_t number, int64_t now_s,
	struct guard_jail_info *ret_info)
{
	const struct guard_jail *jail = &guard->jails[number];
	const struct config_jail *config = jail->config;

	*ret_info = (struct guard_jail_info){ .name = jail->name,
		.active = jail->filter != NULL,
		.broken = jail->broken,
		.manual = number == guard->manual,
		.maxretry = config ? config->maxretry : 0,
		.findtime_s = config ? config->findtime_s : 0,
		.bantime_s = config ? config->bantime_s : MANUAL_BANTIME_S,
		.failures_current =
			config ? counter_current(guard->counter, (uint32_t)number, now_s) : 0,
		.failures_total = jail->failures_total,
		.bans_total = jail->bans_total,
		.ignored = jail->ignored,
		.limit_hits = jail->filter ? filter_limit_hits(jail->filter) : 0,
		.patterns = jail->patterns,
		.n_scopes = jail->n_scopes };
	for (size_t i = 0; i < jail->n_scopes; i++)
		ret_info->scopes[i] = &guard->scopes[jail->scopes[i]];
}
