#include "decide/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/protected.h"
#include "base/text.h"
#include "config/config.h"
#include "decide/counter.h"
#include "decide/history.h"
#include "match/filter.h"
#include "match/records.h"

/* The number of this scope, which is added if it is new; SIZE_MAX: there are too many. */
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

/* False: there are too many scopes. */
static bool scopes_take(struct guard *guard, const struct scope *scopes, size_t count,
	struct ban_scopes *ret_numbers)
{
	for (size_t i = 0; i < count; i++) {
		size_t number = scope_number(guard, &scopes[i]);

		if (number == SIZE_MAX)
			return false;
		ret_numbers->list[ret_numbers->count++] = (uint8_t)number;
	}
	return true;
}

struct guard_jail *guard_jail_add(struct guard *guard, const char *name,
	const struct config_jail *config, struct findings *findings)
{
	struct guard_jail *jail = &guard->jails[guard->n_jails];

	jail->name = alloc_string(name);
	jail->config = config;
	if (!config)
		jail->scopes.count = jail->narrow.count = 1; /* number 0 */
	else if (!scopes_take(guard, config->scopes, config->n_scopes, &jail->scopes) ||
		 !scopes_take(guard, config->narrow, config->n_narrow, &jail->narrow)) {
		(void)finding_error(findings, &config->at, "more than %d different port lists",
			GUARD_SCOPES_MAX);
		jail->broken = true;
	}
	bans_jail(guard->bans, (uint32_t)guard->n_jails, &jail->scopes, &jail->narrow);
	if (config)
		counter_jail(guard->counter, (uint32_t)guard->n_jails, config->maxretry,
			config->findtime_s, config->maxmatches);
	guard->n_jails++;
	return jail;
}

/* The findings have an error in the line of `new` already. A line holds one rule, and a second
 * error in it often only follows from the first. */
static bool is_told(const struct findings *findings, const struct finding *new)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *old = &findings->list[i];

		if (old->is_error && old->line == new->line &&strcmp(old->file, new->file) == 0)
			return true;
	}
	return false;
}

/* Checks the rules of a jail that is left out because of another error, so that a person sees all
 * errors at once and not one after each repair. */
static void check_rules(const struct config_jail *jail, struct findings *findings)
{
	struct findings more = { 0 };

	filter_free(filter_new(&jail->filter, &more));
	for (size_t i = 0; i < more.count; i++) {
		const struct finding *new = &more.list[i];
		struct position at = { .file = new->file,
			.line = new->line,
			.column = new->column };

		if (new->is_error && !is_told(findings, new))
			(void)finding_error(findings, &at, "%s", new->text);
	}
	findings_done(&more);
}

static void jail_compile(struct guard_jail *jail, struct findings *findings)
{
	const struct config_jail *config = jail->config;

	if (!config->enabled)
		return;
	if (!config->broken && !jail->broken)
		jail->filter = filter_new(&config->filter, findings);
	else if (config->filter.n_failregex)
		check_rules(config, findings);
	jail->broken = jail->filter == NULL;
}

/* Leaves out a jail whose log files would exceed what the tail can follow. It is found here, where
 * the finding can name the jail's line, and the other jails run. */
static void take_logpaths(struct guard_jail *jail, size_t *io_count, struct findings *findings)
{
	if (!jail->filter)
		return;
	*io_count += jail->config->n_logpaths;
	if (*io_count <= TAIL_PATTERNS_MAX)
		return;
	*io_count -= jail->config->n_logpaths;
	(void)finding_error(findings, &jail->config->at,
		"more than %d paths in logpath, of all jails: this one is left out",
		TAIL_PATTERNS_MAX);
	filter_free(jail->filter);
	jail->filter = NULL;
	jail->broken = true;
}

static void protect_ignored(struct guard *guard, const struct config_jail *jail)
{
	char because[PROTECTED_BECAUSE_MAX];
	char shown[48];

	(void)snprintf(because, sizeof(because), "ignoreip of jail %s",
		text_render_string(shown, sizeof(shown), jail->name)); /* may be cut */
	for (size_t i = 0; i < jail->n_ignoreip; i++)
		(void)protected_add(guard->protected, &jail->ignoreip[i], because,
			0); /* capped there */
}

struct guard *guard_new(const struct config *config, struct protected *protected, bool dry_run,
	const struct guard_events *events, struct findings *findings)
{
	struct guard *guard = alloc_zero(sizeof(*guard));
	struct scope all = { 0 };
	size_t n_logpaths = 0;
	struct utsname names;

	guard->config = config;
	guard->protected = protected;
	guard->dry_run = dry_run;
	guard->events = *events;
	guard->counter = counter_new();
	guard->history = history_new(guard_purge_age_s(guard));
	guard->unresolved = unresolved_new();
	guard->attempts = attempts_new();
	guard->spared = spared_new();
	guard->bans = bans_new();
	TAILQ_INIT(&guard->letters);
	(void)scope_number(guard, &all); /* becomes number 0 */
	for (size_t i = 0; i < config->n_jails; i++) {
		const struct config_jail *jail = &config->jails[i];

		struct guard_jail *added = guard_jail_add(guard, jail->name, jail, findings);

		jail_compile(added, findings);
		take_logpaths(added, &n_logpaths, findings);
		if (jail->enabled)
			protect_ignored(guard, jail);
	}
	guard->manual = guard->n_jails;
	(void)guard_jail_add(guard, "manual", NULL, findings);
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
	waiting_letters_done(guard);
	free(guard->lifting);
	unresolved_free(guard->unresolved);
	attempts_free(guard->attempts);
	spared_free(guard->spared);
	counter_free(guard->counter);
	history_free(guard->history);
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

int guard_named_jail(const struct guard *guard, const char *name, struct error *err)
{
	int number = guard_find_jail(guard, name);

	return number >= 0 ? number
			   : error_set(err, "there is no jail '%s'", text_shown_string(name).text);
}

size_t guard_jails(const struct guard *guard)
{
	return guard->n_jails;
}

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
		.unresolved = jail->unresolved,
		.filter = jail->filter,
		.patterns = jail->patterns,
		.journal = config && config->backend == BACKEND_JOURNAL,
		.ignoreip = config ? config->ignoreip : NULL,
		.n_ignoreip = config ? config->n_ignoreip : 0,
		.n_scopes = { jail->narrow.count, jail->scopes.count } };
	for (int kind = 0; jail->filter && kind < ASTERISK_KINDS; kind++)
		if (kind != ASTERISK_OTHER && kind != ASTERISK_RECORD)
			ret_info->unsound[kind] = filter_records(jail->filter)->lines[kind];
	for (size_t i = 0; i < jail->narrow.count; i++)
		ret_info->scopes[false][i] = &guard->scopes[jail->narrow.list[i]];
	for (size_t i = 0; i < jail->scopes.count; i++)
		ret_info->scopes[true][i] = &guard->scopes[jail->scopes.list[i]];
}

struct ip guard_unit(const struct guard *guard, const struct ip *ip)
{
	return protected_unit(guard->protected, ip);
}

const char *guard_protected(const struct guard *guard, const struct ip *ip)
{
	return protected_find(guard->protected, ip);
}

bool guard_window(const struct guard *guard, size_t jail, const struct ip *unit, int64_t now_s,
	struct counter_window *ret_window)
{
	return counter_get(guard->counter, (uint32_t)jail, unit, now_s, ret_window);
}
