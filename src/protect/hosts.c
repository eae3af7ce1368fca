/* The protected host names (of ignoreip, of its files, of trunks, or by hand) and the addresses
 * they have. */
#include "protect/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/protected.h"
#include "base/text.h"
#include "config/config.h"
#include "pbx/pbx.h"
#include "state/store.h"

enum { SHOWN_MAX = 80 };

void hosts_protect(struct protect *protect, const struct protect_host *host)
{
	char because[PROTECTED_BECAUSE_MAX];
	char shown[SHOWN_MAX];

	text_render_string(shown, sizeof(shown), host->name);
	if (host->wanted || !host->trunk)
		text_format(because, sizeof(because), "%s %s",
			host->wanted ? "ignoreip" : "allowed by hand:", shown);
	else
		text_format(because, sizeof(because), "%s: %s", host->trunk, shown);
	for (size_t i = 0; i < host->n_addresses; i++)
		telling_protect(protect, &host->addresses[i].ip, because, PROTECTED_BY_NAME,
			host->wanted || host->trunk ? 0 : host->allowed_until_s);
}

void hosts_protect_again(struct protect *protect)
{
	protected_clear(protect->protected, PROTECTED_BY_NAME);
	for (size_t i = 0; i < protect->n_hosts; i++)
		hosts_protect(protect, &protect->hosts[i]);
}

struct protect_host *hosts_find(const struct protect *protect, const char *name)
{
	for (size_t i = 0; i < protect->n_hosts; i++)
		if (strcmp(protect->hosts[i].name, name) == 0)
			return &protect->hosts[i];
	return NULL;
}

/* The host of that name, which is added if it is new. NULL: there is no room, or it is too long. */
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

static void trunk_want(struct protect *protect, const struct pbx_trunk *trunk)
{
	struct protect_host *host = host_get(protect, trunk->name);

	if (host)
		host->trunk = trunk->because;
	else
		protect->n_left_out++;
}

bool hosts_allow(struct protect *protect, const char *name, int64_t until_s)
{
	struct protect_host *host = host_get(protect, name);

	if (!host)
		return false;
	host->allowed = true;
	host->allowed_until_s = until_s;
	hosts_protect(protect, host); /* if its addresses are known already, for the new time */
	return true;
}

void hosts_disallow(struct protect *protect, const char *name)
{
	struct protect_host *host = hosts_find(protect, name);

	if (host)
		host->allowed = false;
}

void hosts_sweep(struct protect *protect)
{
	size_t kept = 0;

	for (size_t i = 0; i < protect->n_hosts; i++) {
		struct protect_host *host = &protect->hosts[i];

		if (host->wanted || host->allowed || host->trunk) {
			protect->hosts[kept++] = *host;
			continue;
		}
		if (protect->store)
			store_name(protect->store, &(struct store_name){ .name = host->name });
		free(host->name);
	}
	protect->n_hosts = kept;
	hosts_protect_again(protect); /* some may have gone, or last longer than before */
}

void hosts_collect(struct protect *protect)
{
	for (size_t i = 0; i < protect->n_hosts; i++) {
		protect->hosts[i].wanted = false;
		protect->hosts[i].trunk = NULL;
	}
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
	for (size_t i = 0; protect->pbx && i < protect->pbx->n_trunks; i++)
		if (protect->pbx->trunks[i].name)
			trunk_want(protect, &protect->pbx->trunks[i]);
	hosts_sweep(protect);
}

void hosts_done(struct protect *protect)
{
	for (size_t i = 0; i < protect->n_hosts; i++)
		free(protect->hosts[i].name);
	free(protect->hosts);
}
