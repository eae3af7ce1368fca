#include "protect/parts.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/alloc.h"
#include "base/ipmap.h"
#include "base/text.h"
#include "config/config.h"
#include "decide/guard.h"
#include "state/store.h"

static void file_add(struct protect *protect, const char *path)
{
	for (size_t i = 0; i < protect->n_files; i++)
		if (strcmp(protect->files[i].path, path) == 0)
			return;
	if (protect->n_files == PROTECT_FILES_MAX)
		guard_note(protect->guard, LOG_ERR, "ignoreip: more than %d files: %s is left out",
			PROTECT_FILES_MAX, path);
	else
		protect->files[protect->n_files++].path = path;
}

struct protect *protect_new(const struct config *config, struct guard *guard,
	struct protected *protected, const struct protect_events *events)
{
	struct protect *protect = alloc_zero(sizeof(*protect));

	protect->config = config;
	protect->guard = guard;
	protect->protected = protected;
	protect->events = *events;
	protect->known = ipmap_new(PROTECTED_MAX);
	for (size_t i = 0; i < config->n_jails; i++)
		for (size_t k = 0; config->jails[i].enabled && k < config->jails[i].n_ignores; k++)
			if (config->jails[i].ignores[k].is_file)
				file_add(protect, config->jails[i].ignores[k].text);
	(void)ignore_files_read(protect); /* whether a file was read or not, names are collected */
	hosts_collect(protect);
	if (protect->n_left_out)
		guard_note(protect->guard, LOG_ERR,
			"ignoreip: more than %d names: %zu are left out", PROTECT_NAMES_MAX,
			protect->n_left_out);
	return protect;
}

void protect_free(struct protect *protect)
{
	if (!protect)
		return;
	hosts_done(protect);
	ignore_files_done(protect);
	pbx_trunks_done(protect);
	by_hand_done(protect);
	telling_done(protect);
	free(protect);
}

/* ---- the database ---- */

void protect_attach(struct protect *protect, struct store *store)
{
	protect->store = store;
}

void protect_load_address(struct protect *protect, const char *name, const struct ip *ip)
{
	struct protect_host *host = hosts_find(protect, name);

	if (!host) {
		if (protect->store)
			store_name(protect->store, &(struct store_name){ .name = name });
		return;
	}
	if (host->n_addresses == PROTECT_HOST_ADDRESSES_MAX)
		return;
	host->addresses[host->n_addresses++] = (struct protect_address){ .ip = *ip };
	hosts_protect(protect, host);
}

/* Records the addresses of the last good answer, without former ones. */
static void host_record(const struct protect *protect, const struct protect_host *host)
{
	struct store_name row = { .name = host->name };

	for (size_t i = 0; i < host->n_addresses && row.count < STORE_ADDRESSES_MAX; i++)
		if (!host->addresses[i].until_s)
			row.addresses[row.count++] = host->addresses[i].ip;
	if (protect->store)
		store_name(protect->store, &row);
}

/* ---- answers ---- */

static struct protect_address *address_find(struct protect_host *host, const struct ip *ip)
{
	for (size_t i = 0; i < host->n_addresses; i++)
		if (ip_equal(&host->addresses[i].ip, ip))
			return &host->addresses[i];
	return NULL;
}

/* A new place, or that of the former address that would be let go first. NULL: all places hold
 * addresses of the current answer. */
static struct protect_address *address_place(struct protect_host *host)
{
	struct protect_address *first = NULL;

	if (host->n_addresses < PROTECT_HOST_ADDRESSES_MAX)
		return &host->addresses[host->n_addresses++];
	for (size_t i = 0; i < host->n_addresses; i++) {
		struct protect_address *address = &host->addresses[i];

		if (address->until_s && (!first || address->until_s < first->until_s))
			first = address;
	}
	return first;
}

/* Makes the host's addresses those of the answer. Addresses that the answer lacks become former
 * ones, which stay until former_until_s. True: something has changed. */
static bool host_update(struct protect_host *host, const struct message_name *answer,
	int64_t former_until_s)
{
	bool is_current[PROTECT_HOST_ADDRESSES_MAX] = { false };
	bool changed = false;

	for (uint32_t i = 0; i < answer->count; i++) {
		struct protect_address *address = address_find(host, &answer->addresses[i]);

		if (address)
			is_current[address - host->addresses] = true;
	}
	for (size_t i = 0; i < host->n_addresses; i++)
		if (!is_current[i] && !host->addresses[i].until_s) {
			host->addresses[i].until_s = former_until_s;
			changed = true;
		}
	for (uint32_t i = 0; i < answer->count; i++) {
		struct protect_address *address = address_find(host, &answer->addresses[i]);

		if (address && !address->until_s)
			continue;
		if (!address)
			address = address_place(host);
		if (address)
			*address = (struct protect_address){ .ip = answer->addresses[i] };
		changed = true;
	}
	return changed;
}

/* Logs why the host has no new answer: once for each outcome, and again only after another one came
 * in between. */
static void host_failed(const struct protect *protect, struct protect_host *host,
	enum message_name_outcome outcome)
{
	if (host->last == outcome)
		return;
	host->last = outcome;
	guard_note(protect->guard, host->n_addresses ? LOG_WARNING : LOG_ERR, "'%s' %s: %s",
		text_shown_string(host->name).text,
		outcome == MESSAGE_NAME_NONE ? "has no address" : "could not be looked up",
		host->n_addresses ? "its last addresses stay protected"
				  : "nobody is protected by it");
}

static int64_t bounded_ttl(uint32_t ttl_s)
{
	if (ttl_s < PROTECT_TTL_MIN_S)
		return PROTECT_TTL_MIN_S;
	return ttl_s > PROTECT_TTL_MAX_S ? PROTECT_TTL_MAX_S : ttl_s;
}

static void host_found(struct protect *protect, struct protect_host *host,
	const struct message_name *answer, int64_t now_s)
{
	char address[IP_TEXT_MAX];

	if (host->last != MESSAGE_NAME_FOUND)
		guard_note(protect->guard, LOG_NOTICE, "'%s' is answered again",
			text_shown_string(host->name).text);
	host->last = MESSAGE_NAME_FOUND;
	host->next_ask_s = now_s + bounded_ttl(answer->ttl_s);
	if (!host_update(host, answer, now_s + 2 * bounded_ttl(answer->ttl_s)))
		return;
	guard_note(protect->guard, LOG_INFO, "'%s' is %s%s: protected",
		text_shown_string(host->name).text, ip_format(&answer->addresses[0], address),
		answer->count > 1 ? " and more" : "");
	hosts_protect(protect, host);
	host_record(protect, host);
}

void protect_answer(struct protect *protect, const struct message_name *answer, int64_t now_s)
{
	struct protect_host *host = hosts_find(protect, answer->name);

	if (!host || !host->serial || host->serial != answer->serial)
		return;
	host->serial = 0;
	if (answer->outcome == MESSAGE_NAME_FOUND) {
		host_found(protect, host, answer, now_s);
		(void)protect_flush(protect, now_s); /* the next tick tells the rest */
		return;
	}
	host->next_ask_s = now_s + PROTECT_RETRY_S;
	host_failed(protect, host, (enum message_name_outcome)answer->outcome);
}

/* ---- time ---- */

/* Whether the host is to be asked for now. A time that is too far ahead comes from a clock that was
 * set back: the host is then asked for at once, rather than hours late. */
static bool host_is_due(const struct protect_host *host, int64_t now_s)
{
	return !host->serial &&
	       (host->next_ask_s <= now_s || host->next_ask_s > now_s + PROTECT_TTL_MAX_S);
}

/* Gives up on questions that are lost, and asks for the hosts that are due. */
static void hosts_ask(struct protect *protect, int64_t now_s)
{
	size_t asked = 0;

	for (size_t i = 0; i < protect->n_hosts; i++) {
		struct protect_host *host = &protect->hosts[i];

		if (host->serial &&
			(host->lost_s <= now_s || host->lost_s > now_s + MESSAGE_NAME_WAIT_S)) {
			host->serial = 0;
			host->next_ask_s = now_s;
			host_failed(protect, host, MESSAGE_NAME_NO_ANSWER);
		}
		asked += host->serial != 0;
	}
	for (size_t i = 0; i < protect->n_hosts && asked < PROTECT_ASKED_MAX; i++) {
		struct protect_host *host = &protect->hosts[i];
		struct message_name question = { .kind = MESSAGE_NAME_PROTECT,
			.serial = protect->last_serial + 1 };

		if (!host_is_due(host, now_s))
			continue;
		text_format(question.name, sizeof(question.name), "%s", host->name);
		if (!protect->events.ask(protect->events.context, &question))
			return; /* the next tick tries again */
		host->serial = ++protect->last_serial;
		host->lost_s = now_s + MESSAGE_NAME_WAIT_S;
		asked++;
	}
}

/* Lets go the former addresses whose time is over. */
static void addresses_let_go(struct protect *protect, int64_t now_s)
{
	bool any = false;

	for (size_t i = 0; i < protect->n_hosts; i++) {
		struct protect_host *host = &protect->hosts[i];
		size_t kept = 0;

		for (size_t k = 0; k < host->n_addresses; k++)
			if (!host->addresses[k].until_s || host->addresses[k].until_s > now_s)
				host->addresses[kept++] = host->addresses[k];
		any = any || kept < host->n_addresses;
		host->n_addresses = kept;
	}
	if (any)
		hosts_protect_again(protect);
}

void protect_tick(struct protect *protect, int64_t now_s)
{
	if (now_s >= protect->next_files_s ||
		protect->next_files_s > now_s + PROTECT_FILES_EVERY_S) {
		protect->next_files_s = now_s + PROTECT_FILES_EVERY_S;
		if (protect->n_files && ignore_files_read(protect))
			hosts_collect(protect);
		pbx_trunks_read(protect);
	}
	by_hand_tick(protect, now_s);
	addresses_let_go(protect, now_s);
	hosts_ask(protect, now_s);
	(void)protect_flush(protect, now_s); /* the next tick tells the rest */
}

void protect_joined(struct protect *protect, int64_t now_s)
{
	for (size_t i = 0; i < protect->n_hosts; i++)
		if (protect->hosts[i].serial) {
			protect->hosts[i].serial = 0;
			protect->hosts[i].next_ask_s = now_s;
		}
	hosts_ask(protect, now_s);
}

/* ---- health ---- */

bool protect_is_well(const struct protect *protect, char *ret_text, size_t text_bytes)
{
	text_format(ret_text, text_bytes, "%s", protect->pbx_trouble);
	for (size_t i = 0; i < protect->n_files && !ret_text[0]; i++)
		text_format(ret_text, text_bytes, "%s", protect->files[i].trouble);
	for (size_t i = 0; i < protect->n_hosts && !ret_text[0]; i++) {
		const struct protect_host *host = &protect->hosts[i];

		if (!host->wanted && !host->allowed)
			continue; /* only a trunk's */
		if (host->n_addresses && host->last != MESSAGE_NAME_NONE)
			continue;
		text_format(ret_text, text_bytes, "'%s' %s", text_shown_string(host->name).text,
			host->n_addresses ? "has no address any more: its last stay protected"
			: host->last == MESSAGE_NAME_NONE
				? "has no address: nobody is protected by it"
				: "has not been answered yet: nobody is protected by it");
	}
	if (!ret_text[0] && (protect->is_full || protect->n_left_out))
		text_format(ret_text, text_bytes,
			"more than %d protected addresses or %d names: the rest is not protected",
			PROTECTED_MAX, PROTECT_NAMES_MAX);
	return !ret_text[0];
}
