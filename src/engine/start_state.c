#include "engine/start_state.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/alloc.h"
#include "base/log.h"
#include "config/config.h"
#include "decide/guard.h"
#include "engine/outbox.h"
#include "follow/tail.h"
#include "protect/protect.h"
#include "state/store.h"

/* The context of the callbacks that give each row of the database to the part that keeps it. */
struct loading {
	struct start_state *state; /* borrowed */
	struct guard *guard;       /* borrowed */
	struct protect *protect;   /* borrowed */
	int64_t now_s;
	char **known; /* owned; log patterns of an earlier run, as "JAIL\nPATTERN" */
	size_t n_known;
};

static void load_failure(void *context, const struct store_failure *failure)
{
	const struct loading *loading = context;

	guard_load_failure(loading->guard, failure);
}

static void load_ban(void *context, const struct store_ban *ban)
{
	const struct loading *loading = context;

	guard_load_ban(loading->guard, ban, loading->now_s);
}

static void load_position(void *context, const struct tail_position *position)
{
	const struct loading *loading = context;

	tail_restore(loading->state->tail, position);
}

static void load_pattern(void *context, const char *jail, const char *pattern)
{
	struct loading *loading = context;

	loading->known = alloc_grow(loading->known, loading->n_known + 1, sizeof(char *));
	loading->known[loading->n_known++] = alloc_format("%s\n%s", jail, pattern);
}

static void load_total(void *context, const char *jail, uint64_t failures, uint64_t bans)
{
	const struct loading *loading = context;

	guard_load_total(loading->guard, jail, failures, bans);
}

static void load_alert(void *context, const struct store_alert *alert)
{
	const struct loading *loading = context;

	outbox_load(loading->state->outbox, alert, loading->now_s);
}

static void load_allow(void *context, const struct store_allow *allow)
{
	const struct loading *loading = context;

	protect_load_allow(loading->protect, allow, loading->now_s);
}

static void load_name(void *context, const char *name, const struct ip *ip)
{
	const struct loading *loading = context;

	protect_load_address(loading->protect, name, ip);
}

static bool is_known(const struct loading *loading, const char *jail, const char *pattern)
{
	cleanup_free char *both = alloc_format("%s\n%s", jail, pattern);

	for (size_t i = 0; i < loading->n_known; i++)
		if (strcmp(loading->known[i], both) == 0)
			return true;
	return false;
}

/* Has the tail follow every log of every jail that runs. Files go on from the positions in the
 * database. A file without one has appeared while nobody looked if an earlier run knew the pattern,
 * and is read from its first byte; under a new pattern it is read from its end, or from its first
 * byte if the jail asks for that. */
static int follow_logs(const struct loading *loading, const struct config *config,
	struct error *err)
{
	for (size_t i = 0; i < config->n_jails; i++) {
		const struct config_jail *jail = &config->jails[i];
		int number = guard_find_jail(loading->guard, jail->name);
		struct guard_jail_info info;

		guard_jail_info(loading->guard, (size_t)number, loading->now_s, &info);
		for (size_t k = 0; info.active && k < jail->n_logpaths; k++) {
			const struct config_logpath *path = &jail->logpaths[k];
			int pattern = tail_add(loading->state->tail, path->pattern, path->from_head,
				is_known(loading, jail->name, path->pattern), err);

			if (pattern < 0)
				return -1;
			guard_add_pattern(loading->guard, (size_t)number, pattern);
			store_pattern(loading->state->store, jail->name, path->pattern);
		}
	}
	return 0;
}

int start_state(const char *state_dir, const struct config *config, struct guard *guard,
	struct protect *protect, const struct tail_callbacks *callbacks, int64_t now_s,
	struct start_state *ret_state, struct error *err)
{
	struct loading loading = { .state = ret_state,
		.guard = guard,
		.protect = protect,
		.now_s = now_s };
	struct store_loader loader = { .failure = load_failure,
		.ban = load_ban,
		.position = load_position,
		.pattern = load_pattern,
		.total = load_total,
		.alert = load_alert,
		.allow = load_allow,
		.name = load_name,
		.context = &loading };
	cleanup_free char *note = NULL;
	int rc;

	if (store_open(state_dir, now_s, &ret_state->store, &note, err) < 0)
		return -1;
	if (note)
		log_line(LOG_ERR, "%s", note);
	ret_state->outbox = outbox_new(&config->mail, ret_state->store);
	guard_attach(guard, ret_state->store);
	protect_attach(protect, ret_state->store);
	rc = tail_new(callbacks, &ret_state->tail, err);
	if (rc == 0)
		rc = store_load(ret_state->store, &loader, err);
	if (rc == 0)
		rc = follow_logs(&loading, config, err);
	for (size_t i = 0; i < loading.n_known; i++)
		free(loading.known[i]);
	free(loading.known);
	return rc;
}
