#include "commands/unban_offline.h"

#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/ip.h"
#include "base/protected.h"
#include "commands/client.h"
#include "config/config.h"
#include "decide/bans.h"
#include "decide/guard.h"
#include "firewall/nft_table.h"
#include "process/dirs.h"
#include "process/launch.h"
#include "state/store.h"

static void print_note(void *context, int priority, const char *text)
{
	(void)context, (void)priority;
	(void)client_say(EXIT_NO, "%s", text);
}

static void load_row(void *context, enum store_table table, const union store_row *row)
{
	if (table == STORE_FAILURES)
		guard_load_failure(context, &row->failure);
	else if (table == STORE_BANS)
		guard_load_ban(context, &row->ban, clock_wall_s());
	else if (table == STORE_TOTALS)
		guard_load_total(context, &row->total);
}

/* Sends the queued lifts to the kernel. The bans of the database are queued, too, but the kernel
 * has them already: they are passed over. */
static int lifts_apply(struct guard *guard, struct error *err)
{
	const struct scope *scopes;
	struct ban_change change;
	struct nft *nft = NULL;
	size_t n_scopes;
	int rc = nft_open(&nft, err);

	scopes = guard_scopes(guard, &n_scopes);
	for (size_t i = 0; rc == 0 && i < n_scopes; i++)
		rc = nft_scope(nft, (uint8_t)i, &scopes[i], err);
	while (rc == 0 && bans_peek(guard_bans(guard), clock_wall_s(), &change)) {
		struct nft_change lift = { .op = NFT_LIFT, .scope = change.scope, .ip = change.ip };

		bans_sent(guard_bans(guard));
		if (!change.lift)
			continue;
		rc = nft_apply(nft, &lift, 1, err);
		guard_held(guard, change.scope, &change.ip, true, lift.failure, clock_wall_s());
	}
	nft_close(nft);
	return rc;
}

static int bans_lift(struct guard *guard, struct store *store, const struct ip *ip,
	const char *jail, struct error *err)
{
	int64_t now_s = clock_wall_s();
	uint32_t lifted;
	int rc;

	guard_attach(guard, store);
	if (store_load(store, load_row, guard, err) < 0)
		return -1;
	rc = guard_unban(guard, ip, jail, now_s, &lifted, err);
	/* the rows say LIFTING before the kernel lifts: if we are killed in between, the next start
	 * of the daemon lifts them */
	if (rc == 0)
		rc = store_commit(store, 0, err);
	if (rc == 0)
		rc = lifts_apply(guard, err);
	if (rc == 0)
		rc = store_commit(store, 0, err);
	return rc;
}

int unban_offline(const struct run_options *options, const struct ip *ip, const char *jail)
{
	cleanup_free char *database = alloc_format("%s/state.db", options->state_dir);
	const struct guard_events events = { .note = print_note };
	struct protected *protected = protected_new();
	struct findings findings = { 0 };
	struct config *config = NULL;
	struct store *store = NULL;
	struct guard *guard = NULL;
	cleanup_free char *note = NULL;
	cleanup_close int lock_fd = -1;
	struct error err;
	int rc = -1;

	/* the lock: a daemon that is starting or ending does not answer, but has the bans in its
	 * memory */
	if (access(database, R_OK | W_OK) < 0)
		(void)error_errno(&err, errno, "no daemon runs, and %s cannot be used", database);
	else if (dirs_lock(options->state_dir, &lock_fd, &err) < 0)
		(void)error_set(&err, "the daemon is starting or ending: try again");
	else if (config_load(options->config_dir, NULL, &config, &findings) < 0)
		(void)error_set(&err, "no daemon runs, and %s cannot be read", options->config_dir);
	else
		rc = store_open(options->state_dir, clock_wall_s(), &store, &note, &err);
	if (note)
		(void)client_say(EXIT_NO, "%s", note);
	if (rc == 0) {
		guard = guard_new(config, protected, false, &events, &findings);
		rc = bans_lift(guard, store, ip, jail, &err);
	}
	store_close(store);
	guard_free(guard);
	config_free(config);
	protected_free(protected);
	findings_done(&findings);
	return rc < 0 ? client_say(EXIT_NO, "%s", err.text) : EXIT_DONE;
}
