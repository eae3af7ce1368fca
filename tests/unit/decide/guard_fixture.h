#ifndef VG_GUARD_FIXTURE_H
#define VG_GUARD_FIXTURE_H

/* A guard over a configuration and a store in a temporary directory. Included behind cmocka.h. */

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/findings.h"
#include "base/protected.h"
#include "base/times.h"
#include "config/config.h"
#include "decide/bans.h"
#include "decide/guard.h"
#include "decide/letter.h"
#include "follow/line.h"
#include "protect/protect.h"
#include "state/store.h"

enum { NOW_S = 1700000000 };

/* Every jail reads the pattern of its own number. */
#define WORLD_JAILS                                                                                \
	"[DEFAULT]\nfilter = plain\nlogpath = /var/log/x\nenabled = true\n"                        \
	"maxretry = 3\nfindtime = 60\nbantime = 100\n"                                             \
	"[mail]\ndest = root@example.org\n"                                                        \
	"[sip]\nport = 5060,5061\nprotocol = udp\nignoreip = 198.51.100.0/24\n"                    \
	"action = nftables\n    sendmail[dest=admin@example.org]\n"                                \
	"[ever]\nmaxretry = 2\nfindtime = 600\nbantime = -1\n"                                     \
	"action = nftables-allports\n"                                                             \
	"[count]\naction = sendmail[dest=admin@example.org]\n"                                     \
	"[off]\nenabled = false\n"                                                                 \
	"[bad]\nfilter = bad\n"                                                                    \
	"[twin]\nport = 5060,5061\nprotocol = udp\nbantime = 1000\nmaxretry = 1\n"                 \
	"action = nftables\n"                                                                      \
	"[two]\nport = 5060\nprotocol = tcp,udp\nmaxretry = 1\naction = nftables\n"

enum { SIP, EVER, COUNT, OFF, BAD, TWIN, TWO, MANUAL, WORLD_JAILS_COUNT };

struct world {
	char dir[64];
	char shipped[80];
	struct config *config;
	struct findings findings;
	struct protected *protected;
	struct store *store;
	struct guard *guard;
	struct protect *protect; /* asks nobody; tells whom it has room for */
	size_t room;
	struct ip told; /* the last */
	int64_t told_ttl_s;
	char told_because[128];
	bool dry_run;
	void (*tune)(struct config *config); /* NULL: as it was read */
	bool (*prove)(void *context, const struct hit *hit, int64_t now_s);
	unsigned alerts;
	unsigned notes;
	struct letter letter; /* the last */
	char dest[64];
	char note[512];        /* the last */
	char notes_text[4096]; /* all, cut */
};

static inline void world_put(const struct world *world, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", world->dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline void world_on_alert(void *context, int64_t now_s, const char *dest,
	const char *sender, const struct letter *letter)
{
	struct world *world = context;

	(void)now_s;
	(void)sender;
	assert_non_null(dest);
	world->alerts++;
	world->letter = *letter;
	(void)snprintf(world->dest, sizeof(world->dest), "%s", dest);
}

static inline void world_on_note(void *context, int priority, const char *text)
{
	struct world *world = context;

	(void)priority;
	world->notes++;
	(void)snprintf(world->note, sizeof(world->note), "%s", text);
	(void)snprintf(world->notes_text + strlen(world->notes_text),
		sizeof(world->notes_text) - strlen(world->notes_text), "%s\n", text);
}

static inline bool world_on_ask(void *context, const struct message_name *question)
{
	(void)context;
	(void)question;
	return false;
}

static inline bool world_on_tell(void *context, const struct ip *ip, const char *because,
	int64_t ttl_s)
{
	struct world *world = context;

	if (!world->room)
		return false;
	world->room--;
	world->told = *ip;
	world->told_ttl_s = ttl_s;
	(void)snprintf(world->told_because, sizeof(world->told_because), "%s", because);
	return true;
}

struct world_loading {
	struct world *world;
	int64_t now_s;
};

static inline void world_load_row(void *context, enum store_table table, const union store_row *row)
{
	const struct world_loading *loading = context;
	struct world *world = loading->world;

	if (table == STORE_FAILURES)
		guard_load_failure(world->guard, &row->failure);
	else if (table == STORE_BANS)
		guard_load_ban(world->guard, &row->ban, loading->now_s);
	else if (table == STORE_TOTALS)
		guard_load_total(world->guard, &row->total);
	else if (table == STORE_ALLOWS || table == STORE_ALLOWED_NAMES)
		protect_load_allow(world->protect, &row->allow, loading->now_s);
}

/* Starts the guard over what is in the directory. */
static inline void world_start(struct world *world, int64_t now_s)
{
	struct guard_events events = { .alert = world_on_alert,
		.note = world_on_note,
		.prove = world->prove,
		.context = world };
	struct protect_events protect_events = { .ask = world_on_ask,
		.tell = world_on_tell,
		.context = world };
	struct world_loading loading = { world, now_s };
	struct error err = { "" };
	char *note = NULL;

	if (config_load(world->dir, world->shipped, &world->config, &world->findings) < 0 ||
		store_open(world->dir, now_s, &world->store, &note, &err) < 0)
		fail_msg("cannot start: %s", err.text);
	assert_null(note);
	if (world->tune)
		world->tune(world->config);
	world->protected = protected_new();
	world->guard = guard_new(world->config, world->protected, world->dry_run, &events,
		&world->findings);
	world->protect =
		protect_new(world->config, world->guard, world->protected, &protect_events);
	guard_attach(world->guard, world->store);
	protect_attach(world->protect, world->store);
	assert_int_equal(store_load(world->store, world_load_row, &loading, &err), 0);
	for (size_t i = 0; i < guard_jails(world->guard) && i < TAIL_PATTERNS_MAX; i++)
		guard_add_pattern(world->guard, i, (int)i);
}

/* An empty directory: in memory where there is such a place, since fsync costs most of a run on a
 * disk. */
static inline void world_dir(struct world *world)
{
	(void)snprintf(world->dir, sizeof(world->dir), "%s/guard_test.XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(world->dir));
	(void)snprintf(world->shipped, sizeof(world->shipped), "%s", world->dir);
}

static inline void world_new_with(struct world *world, const char *jails)
{
	*world = (struct world){ .dry_run = world->dry_run, .tune = world->tune };
	world_dir(world);
	world_put(world, "jail.local", jails);
	world_put(world, "plain.conf",
		"[Definition]\n"
		"failregex = ^\\s*fail (?:via <F-TRANSPORT>\\w+</F-TRANSPORT> )?"
		"(?:as <F-USER>\\S+</F-USER> )?from <HOST>$\n"
		"ignoreregex = as nobody \n"
		"datepattern = ^%%Y-%%m-%%dT%%H:%%M:%%S%%z\n"); /* one, not all templates */
	world_put(world, "bad.conf", "[Definition]\nfailregex = from ((<HOST>$\n");
	world_start(world, NOW_S);
}

static inline void world_new(struct world *world)
{
	world_new_with(world, WORLD_JAILS);
}

static inline void world_commit(const struct world *world)
{
	struct error err = { "" };

	if (store_commit(world->store, 0, &err) < 0)
		fail_msg("%s", err.text);
}

/* What was not committed is gone. */
static inline void world_stop(struct world *world)
{
	protect_free(world->protect);
	guard_free(world->guard);
	protected_free(world->protected);
	store_close(world->store);
	config_free(world->config);
	findings_done(&world->findings);
	world->findings = (struct findings){ 0 };
}

static inline void world_restart(struct world *world, int64_t now_s)
{
	world_stop(world);
	world_start(world, now_s);
}

static inline int world_remove(const char *path, const struct stat *info, int kind,
	struct FTW *walk)
{
	(void)info;
	(void)kind;
	(void)walk;
	return remove(path);
}

static inline void world_done(struct world *world)
{
	bans_check(guard_bans(world->guard));
	world_stop(world);
	assert_int_equal(nftw(world->dir, world_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void world_line(struct world *world, size_t jail, const char *text, bool first_read,
	int64_t now_s)
{
	uint64_t patterns[TAIL_PATTERNS_MAX / 64] = { [0] = UINT64_C(1) << jail };
	struct line line = { .text = text,
		.length = strlen(text),
		.path = "/var/log/x",
		.patterns = patterns,
		.first_read = first_read };

	guard_line(world->guard, &line, now_s);
}

/* One failure of `address` in the log of jail number `jail`, read at now_s. */
static inline void world_fail(struct world *world, size_t jail, const char *address, int64_t at_s,
	int64_t now_s)
{
	char stamp[UTC_TEXT_MAX];
	char text[256];

	(void)snprintf(text, sizeof(text), "%s fail from %s", utc_format(at_s, stamp), address);
	world_line(world, jail, text, false, now_s);
}

static inline struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse_prefix(text, &ip, NULL), 0);
	return ip;
}

/* NULL: no ban that is shown. */
static inline struct ban *world_ban(const struct world *world, size_t jail, const char *address)
{
	struct ip ip = ip_of(address);
	struct ban *ban = bans_find(guard_bans(world->guard), (uint32_t)jail, &ip);

	return ban && !ban->expired ? ban : NULL;
}

static inline struct guard_jail_info world_info(const struct world *world, size_t jail,
	int64_t now_s)
{
	struct guard_jail_info info;

	guard_jail_info(world->guard, jail, now_s, &info);
	return info;
}

/* Sends all that is queued and answers it as the kernel would. Returns how many changes. */
static inline unsigned world_flush(struct world *world, int failure, int64_t now_s)
{
	struct bans *bans = guard_bans(world->guard);
	struct ban_change change;
	unsigned count = 0;

	for (; count < 1000 && bans_peek(bans, now_s, &change); count++) {
		bans_sent(bans);
		guard_held(world->guard, change.scope, &change.ip, change.lift,
			change.lift ? 0 : failure, now_s);
	}
	return count;
}

#endif
