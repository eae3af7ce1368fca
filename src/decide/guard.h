#ifndef VG_GUARD_H
#define VG_GUARD_H

#include "asterisk/reader.h"
#include "base/ip.h"
#include "base/ports.h"
#include "decide/bans.h"
#include "follow/tail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct error;
struct filter;
struct findings;
struct guard;
struct letter;
struct line;
struct protected;
struct store;
struct store_ban;
struct store_failure;

/* The policy: hit, count, ban, record, alert; expiry; bans by hand. The only file that decides.
 * Time is an argument: now_s is the wall clock. */

/* What the guard wants done; called from inside guard functions. */
struct guard_events {
	/* A mail for dest (never NULL); sender may be NULL. */
	void (*alert)(void *context, int64_t now_s, const char *dest, const char *sender,
		const struct letter *letter);
	/* One sentence for the journal: a ban, an unban. */
	void (*note)(void *context, int priority, const char *text);
	/* A host name of a log to be looked up; answered by guard_resolved, or never. Returns false
	 * if it cannot be asked now. NULL: names are looked up by nobody. */
	bool (*resolve)(void *context, const char *name);
	void *context;
};

/* Compiles every filter of every enabled jail. Errors are findings; a jail with one is left out.
 * config and protected are borrowed and outlive the guard. */
struct guard *guard_new(const struct config *config, struct protected *protected, bool dry_run,
	const struct guard_events *events, struct findings *findings);
void guard_free(struct guard *guard);

/* Enabled jails that run. */
size_t guard_active_jails(const struct guard *guard);

/* The distinct scopes of all jails, number = index; number 0 is "all". */
const struct scope *guard_scopes(const struct guard *guard, size_t *ret_count);

/* From here on changes are recorded in store (borrowed), and what it holds is taken in. Call the
 * three loaders from store_load, then guard_loaded. */
void guard_attach(struct guard *guard, struct store *store);
void guard_load_failure(struct guard *guard, const struct store_failure *failure);
void guard_load_ban(struct guard *guard, const struct store_ban *ban, int64_t now_s);
void guard_load_total(struct guard *guard, const char *jail, uint64_t failures, uint64_t bans);

/* Pattern number `pattern` of the tail belongs to jail number `jail`. */
void guard_add_pattern(struct guard *guard, size_t jail, int pattern);

/* One line of a log, for the jails whose patterns match its path. More than GUARD_BLIND_LINES that
 * a parser gave up on, within a jail's findtime: a note and a mail, at most once in that time.
 * Lines read for the first time, which may be old, are counted but raise nothing. A restart forgets
 * the times. */
enum { GUARD_BLIND_LINES = 20 };
void guard_line(struct guard *guard, const struct line *line, int64_t now_s);
/* The answer to `resolve`: the name's addresses, of which GUARD_NAME_ADDRESSES_MAX count; found
 * false: nobody could say, and it may be asked again soon. The hits that waited for it are counted
 * for each address, at their own time. */
enum {
	GUARD_NAME_ADDRESSES_MAX = 4, /* more, and one line would ban a whole pool */
	GUARD_NAMES_MAX = 1000,       /* known or asked */
	GUARD_NAME_HITS_MAX = 1000,   /* waiting; more are counted for nobody */
	GUARD_NAME_KEPT_S = 300,      /* an answer, whatever its TTL: fail2ban keeps one as long */
	GUARD_NAME_RETRY_S = 30,      /* after no answer */
	GUARD_NAME_WAIT_S = 30,       /* then nobody answers any more */
	GUARD_NAME_QUEUED_S = 60,     /* not asked by then: as not answered */
	GUARD_NAME_RATE = 20,         /* questions a second: outsiders choose the names */
};
void guard_resolved(struct guard *guard, const char *name, bool found, const struct ip *addresses,
	size_t count, int64_t now_s);
/* Hits that wait for an answer: they are lost when the guard ends (see unresolved.c). */
size_t guard_waiting_hits(const struct guard *guard);
/* One entry of the journal, for jail number `jail`. */
void guard_entry(struct guard *guard, size_t jail, const struct line *line, int64_t now_s);
/* Ends what is over, writes letters that waited for the kernel. caught_up: no unread lines. */
void guard_tick(struct guard *guard, int64_t now_s, bool caught_up);
/* Another program's ban of the past enters the history, oldest first. Returns the number for its
 * row, 0: this ban, or a later one, is known. */
uint32_t guard_take_ban(struct guard *guard, size_t jail, const struct ip *unit, int64_t since_s,
	int64_t until_s);

/* What is banned for an address: see protected_unit. */
struct ip guard_unit(const struct guard *guard, const struct ip *ip);

/* By hand; an IPv6 address means its /64, as everywhere. jail NULL: "manual", or for an unban:
 * every jail. for_s 0: the jail's bantime, < 0 permanent. ip NULL: all bans are lifted. -1 with a
 * sentence: protected, unknown jail, nothing to lift. */
int guard_ban(struct guard *guard, const struct ip *ip, const char *jail, int64_t for_s,
	const char *note, int64_t now_s, struct error *err);
int guard_unban(struct guard *guard, const struct ip *ip, const char *jail, int64_t now_s,
	uint32_t *ret_lifted, struct error *err);

/* The address is protected: lifts the bans that overlap it, and says so. */
void guard_lift_protected(struct guard *guard, const struct ip *ip, const char *because);

/* The kernel side. */
struct bans *guard_bans(struct guard *guard);
void guard_held(struct guard *guard, uint8_t scope, const struct ip *ip, bool lift, int failure,
	int64_t now_s);
void guard_adopt(struct guard *guard, uint8_t scope, const struct ip *ip, int64_t ttl_s,
	int64_t now_s);
void guard_admin_lift(struct guard *guard, uint8_t scope, const struct ip *ip);

/* For status. */
struct guard_jail_info {
	const char *name;
	bool active;
	bool broken;
	bool manual;
	uint32_t maxretry;
	int64_t findtime_s;
	int64_t bantime_s; /* < 0: permanent */
	uint32_t failures_current;
	uint64_t failures_total;
	uint64_t bans_total;
	uint64_t ignored;
	uint64_t unresolved; /* hits of host names, counted for nobody; since the start */
	uint64_t unsound[ASTERISK_KINDS]; /* lines that the parser gave up on, by kind */
	const struct filter *filter;      /* NULL: reads no lines */
	const uint64_t *patterns;
	bool journal;              /* reads the journal, and no file */
	const struct ip *ignoreip; /* as configured */
	size_t n_ignoreip;
	size_t n_scopes;
	const struct scope *scopes[BAN_JAIL_SCOPES_MAX];
};
size_t guard_jails(const struct guard *guard);
void guard_jail_info(const struct guard *guard, size_t jail, int64_t now_s,
	struct guard_jail_info *ret_info);
/* -1: no such jail. */
int guard_find_jail(const struct guard *guard, const char *name);
/* The same, with a sentence. */
int guard_named_jail(const struct guard *guard, const char *name, struct error *err);

/* One sentence for the journal. */
void guard_note(const struct guard *guard, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
