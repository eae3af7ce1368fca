#include "protect/parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/alloc.h"
#include "base/ipmap.h"
#include "base/protected.h"
#include "base/text.h"
#include "config/config.h"
#include "decide/guard.h"
#include "state/store.h"

enum {
	TELL_MAX = 64, /* addresses a call: each passes over all bans */
	SHOWN_MAX = 80,
	NOTE_MAX = 512,
};

void ignore_note(const struct ignore *ignore, int priority, const char *format, ...)
{
	char text[NOTE_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* cut */
	va_end(args);
	ignore->events.note(ignore->events.context, priority, text);
}

/* ---- protecting ---- */

/* False: the firewall role has heard of it, for no shorter a time; or nobody has room for it. */
static bool is_news(struct ignore *ignore, const struct ip *ip, int64_t until_s)
{
	struct ignore_known *known = ipmap_get(ignore->known, ip, 0);

	if (!known) {
		known = alloc_zero(sizeof(*known));
		known->until_s = until_s;
		if (ipmap_put(ignore->known, ip, 0, known))
			return true;
		free(known);
		return false;
	}
	if (!known->until_s || (until_s && until_s <= known->until_s))
		return false;
	known->until_s = until_s;
	return true;
}

void ignore_protect(struct ignore *ignore, const struct ip *ip, const char *because,
	unsigned source, int64_t until_s)
{
	struct ignore_telling *telling;

	if (ip_is_special(ip))
		return; /* always protected */
	if (!protected_add(ignore->protected, ip, because, source))
		ignore->is_full = true;
	if (!is_news(ignore, ip, until_s))
		return;
	ignore->telling =
		alloc_grow(ignore->telling, ignore->n_telling + 1, sizeof(*ignore->telling));
	telling = &ignore->telling[ignore->n_telling++];
	telling->ip = *ip;
	telling->source = source;
	telling->until_s = until_s;
	(void)snprintf(telling->because, sizeof(telling->because), "%s", because); /* cut */
}

/* 0: for ever. What is over by now was to be told for a moment. */
static int64_t ttl_of(const struct ignore_telling *telling, int64_t now_s)
{
	if (!telling->until_s)
		return 0;
	return telling->until_s > now_s ? telling->until_s - now_s : 1;
}

bool ignore_flush(struct ignore *ignore, int64_t now_s)
{
	for (size_t i = 0; i < TELL_MAX && ignore->n_told < ignore->n_telling; i++) {
		const struct ignore_telling *next = &ignore->telling[ignore->n_told];

		if (!ignore->events.tell(ignore->events.context, &next->ip, next->because,
			    ttl_of(next, now_s)))
			return false;
		if (protected_find(ignore->protected, &next->ip)) /* not gone again: its bans end */
			guard_protect(ignore->guard, &next->ip, next->because, next->source, now_s);
		ignore->n_told++;
	}
	if (ignore->n_told < ignore->n_telling)
		return false;
	ignore->n_told = ignore->n_telling = 0;
	return true;
}

static void protect_host(struct ignore *ignore, const struct ignore_host *host)
{
	char because[PROTECTED_BECAUSE_MAX];
	char shown[SHOWN_MAX];

	(void)snprintf(because, sizeof(because), "%s %s",
		host->wanted ? "ignoreip" : "allowed by hand:",
		text_render_string(shown, sizeof(shown), host->name)); /* fits */
	for (size_t i = 0; i < host->n_addresses; i++)
		ignore_protect(ignore, &host->addresses[i].ip, because, IGNORE_NAME_SOURCE,
			host->wanted ? 0 : host->until_s);
}

void ignore_protect_again(struct ignore *ignore)
{
	protected_clear(ignore->protected, IGNORE_NAME_SOURCE);
	for (size_t i = 0; i < ignore->n_hosts; i++)
		protect_host(ignore, &ignore->hosts[i]);
}

static void file_add(struct ignore *ignore, const char *path)
{
	for (size_t i = 0; i < ignore->n_files; i++)
		if (strcmp(ignore->files[i].path, path) == 0)
			return;
	if (ignore->n_files == IGNORE_FILES_MAX)
		ignore_note(ignore, LOG_ERR, "ignoreip: more than %d files: %s is left out",
			IGNORE_FILES_MAX, path);
	else
		ignore->files[ignore->n_files++].path = path;
}

struct ignore *ignore_new(const struct config *config, struct guard *guard,
	struct protected *protected, const struct ignore_events *events)
{
	struct ignore *ignore = alloc_zero(sizeof(*ignore));

	ignore->config = config;
	ignore->guard = guard;
	ignore->protected = protected;
	ignore->events = *events;
	ignore->known = ipmap_new(PROTECTED_MAX);
	for (size_t i = 0; i < config->n_jails; i++)
		for (size_t k = 0; config->jails[i].enabled && k < config->jails[i].n_ignores; k++)
			if (config->jails[i].ignores[k].is_file)
				file_add(ignore, config->jails[i].ignores[k].text);
	(void)ignore_files_read(ignore); /* names are collected in any case */
	ignore_hosts_collect(ignore);
	if (ignore->n_left_out)
		ignore_note(ignore, LOG_ERR, "ignoreip: more than %d names: %zu are left out",
			IGNORE_NAMES_MAX, ignore->n_left_out);
	return ignore;
}

static void known_free(struct ipmap *known)
{
	size_t cursor = 0;
	void *one;

	while ((one = ipmap_next(known, &cursor)))
		free(one);
	ipmap_free(known);
}

void ignore_free(struct ignore *ignore)
{
	if (!ignore)
		return;
	ignore_hosts_done(ignore);
	ignore_files_done(ignore);
	known_free(ignore->known);
	free(ignore->telling);
	free(ignore);
}

/* ---- the database ---- */

void ignore_attach(struct ignore *ignore, struct store *store)
{
	ignore->store = store;
}

void ignore_load(struct ignore *ignore, const char *name, const struct ip *ip, int64_t now_s)
{
	struct ignore_host *host = ignore_host_find(ignore, name);

	(void)now_s; /* however old: nobody has said otherwise since */
	if (!host) {
		if (ignore->store)
			store_name(ignore->store, &(struct store_name){ .name = name });
		return;
	}
	if (host->n_addresses == IGNORE_HOST_ADDRESSES_MAX)
		return;
	host->addresses[host->n_addresses++] = (struct ignore_address){ .ip = *ip };
	protect_host(ignore, host);
}

static void record(const struct ignore *ignore, const struct ignore_host *host)
{
	struct store_name row = { .name = host->name };

	for (size_t i = 0; i < host->n_addresses && row.count < STORE_ADDRESSES_MAX; i++)
		if (!host->addresses[i].until_s)
			row.addresses[row.count++] = host->addresses[i].ip;
	if (ignore->store)
		store_name(ignore->store, &row);
}

/* ---- answers ---- */

static struct ignore_address *address_find(struct ignore_host *host, const struct ip *ip)
{
	for (size_t i = 0; i < host->n_addresses; i++)
		if (ip_equal(&host->addresses[i].ip, ip))
			return &host->addresses[i];
	return NULL;
}

/* A new place, or that of the former address that would go first. NULL: all are of this answer. */
static struct ignore_address *address_place(struct ignore_host *host)
{
	struct ignore_address *first = NULL;

	if (host->n_addresses < IGNORE_HOST_ADDRESSES_MAX)
		return &host->addresses[host->n_addresses++];
	for (size_t i = 0; i < host->n_addresses; i++) {
		struct ignore_address *address = &host->addresses[i];

		if (address->until_s && (!first || address->until_s < first->until_s))
			first = address;
	}
	return first;
}

/* True if the addresses are not the same as before. */
static bool host_update(struct ignore_host *host, const struct message_name *answer,
	int64_t former_until_s)
{
	bool is_current[IGNORE_HOST_ADDRESSES_MAX] = { false };
	bool changed = false;

	for (uint32_t i = 0; i < answer->count; i++) {
		struct ignore_address *address = address_find(host, &answer->addresses[i]);

		if (address)
			is_current[address - host->addresses] = true;
	}
	for (size_t i = 0; i < host->n_addresses; i++)
		if (!is_current[i] && !host->addresses[i].until_s) {
			host->addresses[i].until_s = former_until_s;
			changed = true;
		}
	for (uint32_t i = 0; i < answer->count; i++) {
		struct ignore_address *address = address_find(host, &answer->addresses[i]);

		if (address && !address->until_s)
			continue;
		if (!address)
			address = address_place(host);
		if (address)
			*address = (struct ignore_address){ .ip = answer->addresses[i] };
		changed = true;
	}
	return changed;
}

/* Says what went wrong, once until it has gone well again. */
static void host_failed(const struct ignore *ignore, struct ignore_host *host,
	enum message_name_outcome outcome)
{
	char shown[SHOWN_MAX];

	if (host->last == outcome)
		return;
	host->last = outcome;
	ignore_note(ignore, host->n_addresses ? LOG_WARNING : LOG_ERR, "'%s' %s: %s",
		text_render_string(shown, sizeof(shown), host->name),
		outcome == MESSAGE_NAME_NONE ? "has no address" : "could not be looked up",
		host->n_addresses ? "its last addresses stay protected"
				  : "nobody is protected by it");
}

static int64_t bounded_ttl(uint32_t ttl_s)
{
	if (ttl_s < IGNORE_TTL_MIN_S)
		return IGNORE_TTL_MIN_S;
	return ttl_s > IGNORE_TTL_MAX_S ? IGNORE_TTL_MAX_S : ttl_s;
}

static void host_found(struct ignore *ignore, struct ignore_host *host,
	const struct message_name *answer, int64_t now_s)
{
	char address[IP_TEXT_MAX];
	char shown[SHOWN_MAX];

	if (host->last != MESSAGE_NAME_FOUND)
		ignore_note(ignore, LOG_NOTICE, "'%s' is answered again",
			text_render_string(shown, sizeof(shown), host->name));
	host->last = MESSAGE_NAME_FOUND;
	host->next_ask_s = now_s + bounded_ttl(answer->ttl_s);
	if (!host_update(host, answer, now_s + 2 * bounded_ttl(answer->ttl_s)))
		return;
	ignore_note(ignore, LOG_INFO, "'%s' is %s%s: protected",
		text_render_string(shown, sizeof(shown), host->name),
		ip_format(&answer->addresses[0], address), answer->count > 1 ? " and more" : "");
	protect_host(ignore, host);
	record(ignore, host);
}

void ignore_answer(struct ignore *ignore, const struct message_name *answer, int64_t now_s)
{
	struct ignore_host *host = ignore_host_find(ignore, answer->name);

	if (!host || !host->serial || host->serial != answer->serial)
		return;
	host->serial = 0;
	if (answer->outcome == MESSAGE_NAME_FOUND) {
		host_found(ignore, host, answer, now_s);
		(void)ignore_flush(ignore, now_s); /* the rest when there is room */
		return;
	}
	host->next_ask_s = now_s + IGNORE_RETRY_S;
	host_failed(ignore, host, (enum message_name_outcome)answer->outcome);
}

/* ---- time ---- */

/* Whether the host may be asked for now. A clock that was set back asks early, never late. */
static bool is_due(const struct ignore_host *host, int64_t now_s)
{
	return !host->serial &&
	       (host->next_ask_s <= now_s || host->next_ask_s > now_s + IGNORE_TTL_MAX_S);
}

static void ask_due(struct ignore *ignore, int64_t now_s)
{
	size_t asked = 0;

	for (size_t i = 0; i < ignore->n_hosts; i++) {
		struct ignore_host *host = &ignore->hosts[i];

		if (host->serial &&
			(host->lost_s <= now_s || host->lost_s > now_s + MESSAGE_NAME_WAIT_S)) {
			host->serial = 0;
			host->next_ask_s = now_s;
			host_failed(ignore, host, MESSAGE_NAME_NO_ANSWER);
		}
		asked += host->serial != 0;
	}
	for (size_t i = 0; i < ignore->n_hosts && asked < IGNORE_ASKED_MAX; i++) {
		struct ignore_host *host = &ignore->hosts[i];
		struct message_name question = { .kind = MESSAGE_NAME_PROTECT,
			.serial = ignore->last_serial + 1 };

		if (!is_due(host, now_s))
			continue;
		(void)snprintf(question.name, sizeof(question.name), "%s", host->name); /* fits */
		if (!ignore->events.ask(ignore->events.context, &question))
			return; /* the next tick tries again */
		host->serial = ++ignore->last_serial;
		host->lost_s = now_s + MESSAGE_NAME_WAIT_S;
		asked++;
	}
}

static void let_go(struct ignore *ignore, int64_t now_s)
{
	bool any = false;

	for (size_t i = 0; i < ignore->n_hosts; i++) {
		struct ignore_host *host = &ignore->hosts[i];
		size_t kept = 0;

		for (size_t k = 0; k < host->n_addresses; k++)
			if (!host->addresses[k].until_s || host->addresses[k].until_s > now_s)
				host->addresses[kept++] = host->addresses[k];
		any = any || kept < host->n_addresses;
		host->n_addresses = kept;
	}
	if (any)
		ignore_protect_again(ignore);
}

void ignore_tick(struct ignore *ignore, int64_t now_s)
{
	if (now_s >= ignore->next_files_s || ignore->next_files_s > now_s + IGNORE_FILES_EVERY_S) {
		ignore->next_files_s = now_s + IGNORE_FILES_EVERY_S;
		if (ignore->n_files && ignore_files_read(ignore))
			ignore_hosts_collect(ignore);
	}
	ignore_allowed_expire(ignore, now_s);
	let_go(ignore, now_s);
	ask_due(ignore, now_s);
	(void)ignore_flush(ignore, now_s); /* the rest when there is room */
}

void ignore_joined(struct ignore *ignore, int64_t now_s)
{
	for (size_t i = 0; i < ignore->n_hosts; i++)
		if (ignore->hosts[i].serial) {
			ignore->hosts[i].serial = 0;
			ignore->hosts[i].next_ask_s = now_s;
		}
	ask_due(ignore, now_s);
}

/* ---- health ---- */

bool ignore_is_well(const struct ignore *ignore, char *ret_text, size_t text_bytes)
{
	char shown[SHOWN_MAX];

	ret_text[0] = '\0';
	for (size_t i = 0; i < ignore->n_files && !ret_text[0]; i++)
		(void)snprintf(ret_text, text_bytes, "%s", ignore->files[i].trouble); /* cut */
	for (size_t i = 0; i < ignore->n_hosts && !ret_text[0]; i++) {
		const struct ignore_host *host = &ignore->hosts[i];

		if (host->n_addresses && host->last != MESSAGE_NAME_NONE)
			continue;
		(void)snprintf(ret_text, text_bytes, "'%s' %s",
			text_render_string(shown, sizeof(shown), host->name),
			host->n_addresses ? "has no address any more: its last stay protected"
			: host->last == MESSAGE_NAME_NONE
				? "has no address: nobody is protected by it"
				: "has not been answered yet: nobody is protected by it"); /* cut */
	}
	if (!ret_text[0] && (ignore->is_full || ignore->n_left_out))
		(void)snprintf(ret_text, text_bytes,
			"ignoreip: more than %d addresses or %d names: the rest is not protected",
			PROTECTED_MAX, IGNORE_NAMES_MAX); /* cut */
	return !ret_text[0];
}
