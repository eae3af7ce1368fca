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

/* Who gets the rows of the database: the part that keeps them. */
struct loading {
	struct start_state *state; /* borrowed */
	struct guard *guard;       /* borrowed */
	struct protect *protect;   /* borrowed */
	int64_t now_s;
	char **known; /* owned; log patterns of an earlier run, as "JAIL\nPATTERN" */
	size_t n_known;
};

static void load_row(void *context, enum store_table table, const union store_row *row)
{
	struct loading *loading = context;

	switch (table) {
	case STORE_FAILURES:
		guard_load_failure(loading->guard, &row->failure);
		break;
	case STORE_BANS:
		guard_load_ban(loading->guard, &row->ban, loading->now_s);
		break;
	case STORE_POSITIONS:
		tail_restore(loading->state->tail, &row->position);
		break;
	case STORE_PATTERNS:
		loading->known = alloc_grow(loading->known, loading->n_known + 1, sizeof(char *));
		loading->known[loading->n_known++] =
			alloc_format("%s\n%s", row->pattern.jail, row->pattern.pattern);
		break;
	case STORE_TOTALS:
		guard_load_total(loading->guard, &row->total);
		break;
	case STORE_ALERTS:
		outbox_load(loading->state->outbox, &row->alert, loading->now_s);
		break;
	case STORE_ALLOWED_NAMES:
	case STORE_ALLOWS:
		protect_load_allow(loading->protect, &row->allow, loading->now_s);
		break;
	case STORE_NAMES:
		protect_load_address(loading->protect, row->name.name, row->name.addresses);
		break;
	case STORE_TABLES:
		break;
	}
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
		rc = store_load(ret_state->store, load_row, &loading, err);
	if (rc == 0)
		rc = follow_logs(&loading, config, err);
	for (size_t i = 0; i < loading.n_known; i++)
		free(loading.known[i]);
	free(loading.known);
	return rc;
}
