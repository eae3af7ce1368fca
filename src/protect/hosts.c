#include "protect/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/text.h"
#include "config/config.h"
#include "decide/guard.h"
#include "state/store.h"

enum { SHOWN_MAX = 80 };

struct protect_host *hosts_find(const struct protect *protect, const char *name)
{
	for (size_t i = 0; i < protect->n_hosts; i++)
		if (strcmp(protect->hosts[i].name, name) == 0)
			return &protect->hosts[i];
	return NULL;
}

/* The name's host, a new one if need be. NULL: there is no room. */
static struct protect_host *host_get(struct protect *protect, const char *text)
{
	cleanup_free char *name = ascii_lower_string(alloc_string(text));
	struct protect_host *host = hosts_find(protect, name);

	if (host)
		return host;
	if (protect->n_hosts == PROTECT_NAMES_MAX || strlen(name) >= MESSAGE_NAME_BYTES_MAX)
		return NULL;
	protect->hosts =
		alloc_grow(protect->hosts, protect->n_hosts + 1, sizeof(protect->hosts[0]));
	host = &protect->hosts[protect->n_hosts++];
	*host = (struct protect_host){ .name = name, .last = MESSAGE_NAME_FOUND };
	name = NULL;
	return host;
}

static void host_want(struct protect *protect, const char *text)
{
	struct protect_host *host = host_get(protect, text);

	if (host)
		host->wanted = true;
	else
		protect->n_left_out++;
}

static void host_done(struct protect_host *host)
{
	free(host->name);
	free(host->note);
}

/* What nobody names any more goes. */
static void hosts_sweep(struct protect *protect)
{
	size_t kept = 0;

	for (size_t i = 0; i < protect->n_hosts; i++) {
		struct protect_host *host = &protect->hosts[i];

		if (host->wanted || host->allowed) {
			protect->hosts[kept++] = *host;
			continue;
		}
		if (protect->store)
			store_name(protect->store, &(struct store_name){ .name = host->name });
		host_done(host);
	}
	protect->n_hosts = kept;
	protect_names_again(protect); /* what is left may last longer than it did, or be less */
}

void hosts_collect(struct protect *protect)
{
	for (size_t i = 0; i < protect->n_hosts; i++)
		protect->hosts[i].wanted = false;
	protect->n_left_out = 0;
	for (size_t i = 0; i < protect->config->n_jails; i++) {
		const struct config_jail *jail = &protect->config->jails[i];

		for (size_t k = 0; jail->enabled && k < jail->n_ignores; k++)
			if (!jail->ignores[k].is_file)
				host_want(protect, jail->ignores[k].text);
	}
	for (size_t i = 0; i < protect->n_files; i++)
		for (size_t k = 0; k < protect->files[i].list.n_names; k++)
			host_want(protect, protect->files[i].list.names[k]);
	hosts_sweep(protect);
}

void hosts_done(struct protect *protect)
{
	for (size_t i = 0; i < protect->n_hosts; i++)
		host_done(&protect->hosts[i]);
	free(protect->hosts);
}

/* ---- by hand ---- */

static struct protect_host *take_allow(struct protect *protect, const struct store_allow *allow)
{
	struct protect_host *host = host_get(protect, allow->name);

	if (!host)
		return NULL;
	free(host->note);
	host->allowed = true;
	host->at_s = allow->at_s;
	host->until_s = allow->until_s;
	host->note = alloc_string(allow->note ? allow->note : "");
	return host;
}

int protect_allow(struct protect *protect, const char *name, int64_t for_s, const char *note_text,
	int64_t now_s, struct error *err)
{
	struct store_allow allow = { .name = name, .at_s = now_s, .note = note_text };
	enum ignore_words_kind kind;
	struct protect_host *host;
	struct ip ip;

	if (ignore_words_word(name, &kind, &ip, err) < 0 ||
		guard_allow_until(for_s, now_s, &allow.until_s, err) < 0)
		return -1;
	if (kind != IGNORE_WORDS_NAME)
		return error_set(err, "this is no host name");
	host = take_allow(protect, &allow);
	if (!host)
		return error_set(err, "%d names are protected: that is the most",
			PROTECT_NAMES_MAX);
	allow.name = host->name;
	allow.note = host->note;
	protect_names_again(protect); /* for another time, if it is known already */
	if (protect->store)
		store_allow(protect->store, &allow);
	return 0; /* the next tick asks */
}

static void disallow(const struct protect *protect, struct protect_host *host)
{
	host->allowed = false;
	if (protect->store)
		store_forget_allowed_name(protect->store, host->name);
}

int protect_disallow(struct protect *protect, const char *text, struct error *err)
{
	cleanup_free char *name = ascii_lower_string(alloc_string(text));
	struct protect_host *host = hosts_find(protect, name);
	char shown[SHOWN_MAX];

	if (!host || !host->allowed)
		return error_set(err, "%s is not allowed by hand",
			text_render_string(shown, sizeof(shown), text));
	disallow(protect, host);
	hosts_sweep(protect);
	return 0;
}

void protect_load_allow(struct protect *protect, const struct store_allow *allow, int64_t now_s)
{
	if (allow->until_s && allow->until_s <= now_s) {
		if (protect->store)
			store_forget_allowed_name(protect->store, allow->name);
	} else if (!take_allow(protect, allow)) {
		protect->n_left_out++;
	}
}

void hosts_expire(struct protect *protect, int64_t now_s)
{
	char shown[SHOWN_MAX];
	bool any = false;

	for (size_t i = 0; i < protect->n_hosts; i++) {
		struct protect_host *host = &protect->hosts[i];

		if (!host->allowed || !host->until_s || host->until_s > now_s)
			continue;
		protect_note(protect, LOG_NOTICE,
			"%s is no longer allowed by hand: its time is over",
			text_render_string(shown, sizeof(shown), host->name));
		disallow(protect, host);
		any = true;
	}
	if (any)
		hosts_sweep(protect);
}

bool protect_allowed(const struct protect *protect, size_t index, struct store_allow *ret_allow)
{
	for (size_t i = 0; i < protect->n_hosts; i++) {
		const struct protect_host *host = &protect->hosts[i];

		if (!host->allowed || index-- > 0)
			continue;
		*ret_allow = (struct store_allow){ .name = host->name,
			.at_s = host->at_s,
			.until_s = host->until_s,
			.note = host->note };
		return true;
	}
	return false;
}
