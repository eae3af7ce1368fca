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

struct ignore_host *ignore_host_find(const struct ignore *ignore, const char *name)
{
	for (size_t i = 0; i < ignore->n_hosts; i++)
		if (strcmp(ignore->hosts[i].name, name) == 0)
			return &ignore->hosts[i];
	return NULL;
}

/* The name's host, a new one if need be. NULL: there is no room. */
static struct ignore_host *host_get(struct ignore *ignore, const char *text)
{
	cleanup_free char *name = ascii_lower_string(alloc_string(text));
	struct ignore_host *host = ignore_host_find(ignore, name);

	if (host)
		return host;
	if (ignore->n_hosts == IGNORE_NAMES_MAX || strlen(name) >= MESSAGE_NAME_BYTES_MAX)
		return NULL;
	ignore->hosts = alloc_grow(ignore->hosts, ignore->n_hosts + 1, sizeof(ignore->hosts[0]));
	host = &ignore->hosts[ignore->n_hosts++];
	*host = (struct ignore_host){ .name = name, .last = MESSAGE_NAME_FOUND };
	name = NULL;
	return host;
}

static void host_want(struct ignore *ignore, const char *text)
{
	struct ignore_host *host = host_get(ignore, text);

	if (host)
		host->wanted = true;
	else
		ignore->n_left_out++;
}

static void host_done(struct ignore_host *host)
{
	free(host->name);
	free(host->note);
}

/* What nobody names any more goes. */
static void hosts_sweep(struct ignore *ignore)
{
	size_t kept = 0;

	for (size_t i = 0; i < ignore->n_hosts; i++) {
		struct ignore_host *host = &ignore->hosts[i];

		if (host->wanted || host->allowed) {
			ignore->hosts[kept++] = *host;
			continue;
		}
		if (ignore->store)
			store_name(ignore->store, &(struct store_name){ .name = host->name });
		host_done(host);
	}
	ignore->n_hosts = kept;
	ignore_protect_again(ignore); /* what is left may last longer than it did, or be less */
}

void ignore_hosts_collect(struct ignore *ignore)
{
	for (size_t i = 0; i < ignore->n_hosts; i++)
		ignore->hosts[i].wanted = false;
	ignore->n_left_out = 0;
	for (size_t i = 0; i < ignore->config->n_jails; i++) {
		const struct config_jail *jail = &ignore->config->jails[i];

		for (size_t k = 0; jail->enabled && k < jail->n_ignores; k++)
			if (!jail->ignores[k].is_file)
				host_want(ignore, jail->ignores[k].text);
	}
	for (size_t i = 0; i < ignore->n_files; i++)
		for (size_t k = 0; k < ignore->files[i].list.n_names; k++)
			host_want(ignore, ignore->files[i].list.names[k]);
	hosts_sweep(ignore);
}

void ignore_hosts_done(struct ignore *ignore)
{
	for (size_t i = 0; i < ignore->n_hosts; i++)
		host_done(&ignore->hosts[i]);
	free(ignore->hosts);
}

/* ---- by hand ---- */

static struct ignore_host *take_allow(struct ignore *ignore, const struct store_allow *allow)
{
	struct ignore_host *host = host_get(ignore, allow->name);

	if (!host)
		return NULL;
	free(host->note);
	host->allowed = true;
	host->at_s = allow->at_s;
	host->until_s = allow->until_s;
	host->note = alloc_string(allow->note ? allow->note : "");
	return host;
}

int ignore_allow(struct ignore *ignore, const char *name, int64_t for_s, const char *note_text,
	int64_t now_s, struct error *err)
{
	struct store_allow allow = { .name = name, .at_s = now_s, .note = note_text };
	enum ignore_words_kind kind;
	struct ignore_host *host;
	struct ip ip;

	if (ignore_words_word(name, &kind, &ip, err) < 0 ||
		guard_allow_until(for_s, now_s, &allow.until_s, err) < 0)
		return -1;
	if (kind != IGNORE_WORDS_NAME)
		return error_set(err, "this is no host name");
	host = take_allow(ignore, &allow);
	if (!host)
		return error_set(err, "%d names are protected: that is the most", IGNORE_NAMES_MAX);
	allow.name = host->name;
	allow.note = host->note;
	ignore_protect_again(ignore); /* for another time, if it is known already */
	if (ignore->store)
		store_allow(ignore->store, &allow);
	return 0; /* the next tick asks */
}

static void disallow(const struct ignore *ignore, struct ignore_host *host)
{
	host->allowed = false;
	if (ignore->store)
		store_forget_allowed_name(ignore->store, host->name);
}

int ignore_disallow(struct ignore *ignore, const char *text, struct error *err)
{
	cleanup_free char *name = ascii_lower_string(alloc_string(text));
	struct ignore_host *host = ignore_host_find(ignore, name);
	char shown[SHOWN_MAX];

	if (!host || !host->allowed)
		return error_set(err, "%s is not allowed by hand",
			text_render_string(shown, sizeof(shown), text));
	disallow(ignore, host);
	hosts_sweep(ignore);
	return 0;
}

void ignore_load_allow(struct ignore *ignore, const struct store_allow *allow, int64_t now_s)
{
	if (allow->until_s && allow->until_s <= now_s) {
		if (ignore->store)
			store_forget_allowed_name(ignore->store, allow->name);
	} else if (!take_allow(ignore, allow)) {
		ignore->n_left_out++;
	}
}

void ignore_allowed_expire(struct ignore *ignore, int64_t now_s)
{
	char shown[SHOWN_MAX];
	bool any = false;

	for (size_t i = 0; i < ignore->n_hosts; i++) {
		struct ignore_host *host = &ignore->hosts[i];

		if (!host->allowed || !host->until_s || host->until_s > now_s)
			continue;
		ignore_note(ignore, LOG_NOTICE, "%s is no longer allowed by hand: its time is over",
			text_render_string(shown, sizeof(shown), host->name));
		disallow(ignore, host);
		any = true;
	}
	if (any)
		hosts_sweep(ignore);
}

bool ignore_allowed(const struct ignore *ignore, size_t index, struct store_allow *ret_allow)
{
	for (size_t i = 0; i < ignore->n_hosts; i++) {
		const struct ignore_host *host = &ignore->hosts[i];

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
