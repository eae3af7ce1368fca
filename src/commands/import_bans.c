#include "base/clock.h"
#include "commands/import_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/findings.h"
#include "base/ip.h"
#include "base/protected.h"
#include "base/text.h"
#include "commands/client.h"
#include "config/config.h"
#include "decide/bans.h"
#include "decide/guard.h"
#include "process/dirs.h"
#include "process/launch.h"
#include "state/fail2ban_db.h"
#include "state/store.h"

/* One run. If a daemon runs, it is asked to ban each address; else the bans are written into its
 * database. */
struct moving {
	const struct import_options *options;
	const struct config *config;
	struct protected *protected; /* owned; ignoreip of every enabled jail */
	struct store *store;         /* owned; NULL: a daemon runs, or this is a dry run */
	/* owned; NULL as store; has the bans that the store holds already */
	struct guard *guard;
	int64_t now_s;
	size_t taken;
	size_t past;
	size_t dropped;
	bool failed;
};

static void ban_drop(struct moving *moving, const struct fail2ban_ban *ban, const char *why)
{
	moving->dropped++;
	(void)printf("dropped    ban of %s in jail %s: %s\n", text_shown_string(ban->ip).text,
		text_shown_string(ban->jail).text, why);
}

static int64_t ban_end(const struct fail2ban_ban *ban)
{
	return ban->bantime_s < 0 ? 0 : ban->since_s + ban->bantime_s;
}

static bool ask_daemon(const struct moving *moving, const struct ip *ip,
	const struct fail2ban_ban *ban)
{
	char address[IP_TEXT_MAX];
	json_int_t for_s = ban->bantime_s < 0 ? -1 : ban_end(ban) - moving->now_s;
	json_t *answer = NULL;
	int status = client_ask(moving->options->run->socket_path,
		json_pack("{s:s, s:s, s:s, s:I, s:s}", "command", "ban", "address",
			ip_format(ip, address), "jail", ban->jail, "for_s", for_s, "note",
			"from fail2ban"),
		&answer);

	json_decref(answer);
	return status == EXIT_DONE;
}

/* Writes one ban into the store, unless it is there already from an earlier import. */
static void ban_store(struct moving *moving, const struct ip *ip, const struct fail2ban_ban *ban,
	bool stands)
{
	int number = guard_find_jail(moving->guard, ban->jail);
	struct ip unit = guard_unit(moving->guard, ip);
	struct store_ban row = { .jail = ban->jail,
		.ip = unit,
		.since_s = ban->since_s,
		.until_s = ban_end(ban),
		.state = stands ? STORE_BAN_ACTIVE : STORE_BAN_ENDED,
		.account = "",
		.note = "from fail2ban" };

	if (stands && bans_find(guard_bans(moving->guard), (uint32_t)number, &unit)) {
		ban_drop(moving, ban, "it is banned already");
		return;
	}
	row.number = guard_take_ban(moving->guard, (size_t)number, &unit, row.since_s, row.until_s);
	if (!stands && !row.number)
		return; /* an earlier import took it over */
	if (!row.number)
		row.number = 1; /* it stands; a later one is known, and has ended */
	(void)store_ban(moving->store, &row);
	moving->taken += stands;
	moving->past += !stands;
}

/* Why a ban cannot be taken over, NULL: it can; *ret_ip is then its address. */
static const char *obstacle(const struct moving *moving, const struct fail2ban_ban *ban,
	bool stands, struct ip *ret_ip)
{
	const struct config_jail *jail = config_find(moving->config, ban->jail);

	if (ip_parse_prefix(ban->ip, ret_ip, NULL) < 0 || !ip_is_host(ret_ip))
		return "it is not one address";
	if (!jail || !jail->enabled || jail->broken)
		return "there is no such jail any more";
	return stands ? protected_find(moving->protected, ret_ip) : NULL;
}

/* For fail2ban_db_read: takes one ban over, or prints why not. A ban of the past that cannot be
 * taken over is passed over silently. */
static void ban_take(void *context, const struct fail2ban_ban *ban)
{
	struct moving *moving = context;
	bool stands = ban->stands && (ban->bantime_s < 0 || ban_end(ban) > moving->now_s);
	const char *why;
	struct ip ip;

	if (!stands && !moving->guard)
		return; /* the control protocol has no command for a ban of the past */
	why = obstacle(moving, ban, stands, &ip);
	if (why) {
		if (stands)
			ban_drop(moving, ban, why);
	} else if (moving->guard) {
		ban_store(moving, &ip, ban, stands);
	} else if (moving->options->run->dry_run || ask_daemon(moving, &ip, ban)) {
		moving->taken++;
	} else {
		moving->failed = true;
		ban_drop(moving, ban, "the daemon refuses it");
	}
}

/* ---- what the store holds ---- */

static void load_row(void *context, enum store_table table, const union store_row *row)
{
	const struct moving *moving = context;

	if (table == STORE_BANS)
		guard_load_ban(moving->guard, &row->ban, moving->now_s);
}

static int open_store(struct moving *moving, struct findings *findings, struct error *err)
{
	const struct guard_events events = { 0 };
	cleanup_free char *note = NULL;

	if (store_open(moving->options->run->state_dir, moving->now_s, &moving->store, &note, err) <
		0)
		return -1;
	if (note)
		(void)client_say(EXIT_NO, "%s", note);
	moving->guard = guard_new(moving->config, moving->protected, true, &events, findings);
	return store_load(moving->store, load_row, moving, err);
}

static void protect_ignored(const struct moving *moving)
{
	for (size_t i = 0; i < moving->config->n_jails; i++) {
		const struct config_jail *jail = &moving->config->jails[i];

		for (size_t k = 0; jail->enabled && k < jail->n_ignoreip; k++)
			/* if the list is full, the firewall role still refuses */
			(void)protected_add(moving->protected, &jail->ignoreip[k],
				"it is in ignoreip", PROTECTED_BY_CONFIG);
	}
}

/* Gives the database to the user of the daemon, also if the import failed: a file of root's would
 * keep the daemon from starting. rc: the result so far, which is returned unless this fails. */
static int give_back(const char *state_dir, int rc, struct error *err)
{
	struct error last;

	if (dirs_give_back(state_dir, &last) == 0)
		return rc;
	if (rc == 0)
		*err = last;
	return -1;
}

int import_bans(const struct import_options *options, const struct config *config)
{
	struct moving moving = { .options = options,
		.config = config,
		.protected = protected_new(),
		.now_s = clock_wall_s() };
	bool daemon = options->run->dry_run || client_reaches(options->run->socket_path);
	const char *state_dir = options->run->state_dir;
	struct findings findings = { 0 };
	cleanup_close int lock_fd = -1;
	struct error err;
	int rc = 0;

	protect_ignored(&moving);
	if (!daemon)
		rc = dirs_state(state_dir, &lock_fd, &err);
	if (rc == 0 && !daemon)
		rc = open_store(&moving, &findings, &err);
	if (rc == 0)
		rc = fail2ban_db_read(options->database, ban_take, &moving, &err);
	if (rc == 0 && moving.store)
		rc = store_commit(moving.store, 0, &err);
	store_close(moving.store);
	if (lock_fd >= 0)
		rc = give_back(state_dir, rc, &err);
	if (rc < 0)
		(void)client_say(EXIT_NO, "%s", err.text);
	else
		(void)printf("%-10s %zu bans that stand, %zu of the past; %zu dropped\n",
			options->run->dry_run ? "would take" : "taken", moving.taken, moving.past,
			moving.dropped);
	guard_free(moving.guard);
	protected_free(moving.protected);
	findings_done(&findings);
	return rc < 0 || moving.failed ? EXIT_NO : EXIT_DONE;
}
