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
struct counter_window;
struct error;
struct filter;
struct findings;
struct guard;
struct hit;
struct letter;
struct line;
struct protected;
struct store;
struct store_ban;
struct store_failure;
struct store_total;

/* The guard decides: it turns hits into counts and counts into bans, records them, writes the mails
 * about them, ends bans that are over, and bans and unbans by hand. Nothing else decides who is
 * banned. Time is an argument: now_s is the wall clock, in seconds. */

/* What the guard wants others to do. These are called from inside guard functions. Each may be
 * NULL: then no mail is sent, nothing is written, no name is looked up, nothing more is proven. */
struct guard_events {
	/* Sends a mail to dest (never NULL); sender NULL: the default one. letter is borrowed. */
	void (*alert)(void *context, int64_t now_s, const char *dest, const char *sender,
		const struct letter *letter);
	/* Writes one sentence to the journal, with a priority of syslog.h. */
	void (*note)(void *context, int priority, const char *text);
	/* Has a host name looked up. The answer comes by guard_resolved, or never. Returns false if
	 * it cannot be asked now. */
	bool (*resolve)(void *context, const char *name);
	/* Asked once for each hit of a jail that doubts (struct config_jail) whose source the log
	 * alone does not prove: whether something else does, as what the kernel has seen. */
	bool (*prove)(void *context, const struct hit *hit, int64_t now_s);
	void *context;
};

/* Makes a guard and compiles the filters of all enabled jails. Errors become findings, and a jail
 * with an error is left out. Protects what ignoreip of the enabled jails names. config and
 * protected are borrowed and outlive the guard; events is copied. dry_run: bans are recorded as
 * ended ones. */
struct guard *guard_new(const struct config *config, struct protected *protected, bool dry_run,
	const struct guard_events *events, struct findings *findings);
void guard_free(struct guard *guard);

/* How many enabled jails run: those without an error. */
size_t guard_active_jails(const struct guard *guard);

/* The distinct scopes (port lists) of all jails. A scope's number is its index; number 0 is "all
 * ports". The array is the guard's. */
const struct scope *guard_scopes(const struct guard *guard, size_t *ret_count);

/* From here on changes are recorded in store (borrowed). The three loaders below are callbacks for
 * store_load: they take in what an earlier run has recorded, row by row. */
void guard_attach(struct guard *guard, struct store *store);
void guard_load_failure(struct guard *guard, const struct store_failure *failure);
void guard_load_ban(struct guard *guard, const struct store_ban *ban, int64_t now_s);
void guard_load_total(struct guard *guard, const struct store_total *total);

/* Says that lines of files that match the tail's pattern number `pattern` (below TAIL_PATTERNS_MAX)
 * are for jail number `jail`. */
void guard_add_pattern(struct guard *guard, size_t jail, int pattern);

/* Takes one line of a log, for all jails whose patterns match its path. When a jail's parser gives
 * up on more than BLIND_LINES (parts.h) within findtime, the guard writes a note and a mail about
 * it, at most once in each findtime. Old lines, and lines of a file that is read for the first
 * time, are counted but raise no such alarm. A restart forgets when such lines came. */
void guard_line(struct guard *guard, const struct line *line, int64_t now_s);
/* Takes the answer to `resolve`: the addresses of the name, of which the first
 * UNRESOLVED_ADDRESSES_MAX (parts.h) count. found false: no server could tell, and the name is
 * asked for again soon. The hits that waited for the name are counted for each address, at the time
 * of their line. */
void guard_resolved(struct guard *guard, const char *name, bool found, const struct ip *addresses,
	size_t count, int64_t now_s);
/* How many hits wait for an answer: they are lost when the guard ends (see unresolved.c). */
size_t guard_waiting_hits(const struct guard *guard);
/* Takes one entry of the journal, for jail number `jail`. */
void guard_entry(struct guard *guard, size_t jail, const struct line *line, int64_t now_s);
/* Ends bans that are over, and sends mails that have waited long enough for the kernel's answer.
 * caught_up: all logs have been read to their end. */
void guard_tick(struct guard *guard, int64_t now_s, bool caught_up);
/* Adds a past ban of another program (fail2ban's, when importing) to the history; to be called with
 * the oldest first. Times are seconds, until_s 0: permanent. Returns the number for the ban's row;
 * 0: this ban, or a later one, is known already. */
uint32_t guard_take_ban(struct guard *guard, size_t jail, const struct ip *unit, int64_t since_s,
	int64_t until_s);

/* What is counted and banned for an address, 2001:db8::/64 for 2001:db8::1: see protected_unit. */
struct ip guard_unit(const struct guard *guard, const struct ip *ip);

/* Bans and unbans by hand. An IPv6 address means its /64, as everywhere. jail NULL: the ban is of
 * the jail "manual", the unban of all jails. for_s: how long, 0: the jail's bantime, < 0:
 * permanent. note may be NULL. ip NULL (unban only): all bans are lifted. *ret_lifted: how many
 * were lifted. Returns -1 with a sentence in err if the address is protected, the jail unknown,
 * for_s more than 3000 years, the table full, or if there is nothing to lift or only a ban of a
 * wider network. */
int guard_ban(struct guard *guard, const struct ip *ip, const char *jail, int64_t for_s,
	const char *note, int64_t now_s, struct error *err);
int guard_unban(struct guard *guard, const struct ip *ip, const char *jail, int64_t now_s,
	uint32_t *ret_lifted, struct error *err);

/* Lifts all bans that overlap ip, since it is protected now, and says so in the journal. */
void guard_lift_protected(struct guard *guard, const struct ip *ip, const char *because);

/* The ban table, from which the engine takes changes for the firewall role. It is the guard's. */
struct bans *guard_bans(struct guard *guard);
/* The firewall role has answered a change: see bans_held. EPERM on a ban means that the address is
 * protected there: the ban is lifted. */
void guard_held(struct guard *guard, uint8_t scope, const struct ip *ip, bool lift, int failure,
	int64_t now_s);
/* The kernel held this element when the engine started, for ttl_s more (0: permanent): if no ban
 * wants it, a jail with that scope takes it over as a ban; but if that jail has banned the address
 * already, and closes other ports, the element is deleted. */
void guard_adopt(struct guard *guard, uint8_t scope, const struct ip *ip, int64_t ttl_s,
	int64_t now_s);
/* Somebody has deleted the element with nft: the bans that want it are lifted, as by hand. */
void guard_admin_lift(struct guard *guard, uint8_t scope, const struct ip *ip);

/* What status shows of a jail. Pointers are the guard's or the configuration's. */
struct guard_jail_info {
	const char *name;
	bool active; /* it runs */
	bool broken; /* it is left out because of an error */
	bool manual; /* the jail of bans by hand */
	uint32_t maxretry;
	int64_t findtime_s;
	int64_t bantime_s;         /* < 0: permanent */
	uint32_t failures_current; /* addresses with failures within findtime */
	uint64_t failures_total;   /* over restarts */
	uint64_t bans_total;       /* over restarts */
	uint64_t ignored;          /* hits that ignoreregex has stopped */
	uint64_t unresolved;       /* hits of host names without an address, since the start */
	uint64_t unsound[ASTERISK_KINDS]; /* lines that the parser gave up on, by kind */
	const struct filter *filter;      /* NULL: the jail reads no lines */
	const uint64_t *patterns;         /* set of the tail's patterns, see guard_add_pattern */
	bool journal;                     /* it reads the journal instead of files */
	const struct ip *ignoreip;        /* as configured */
	size_t n_ignoreip;
	/* what a ban closes, an unproven and [true] a proven one */
	size_t n_scopes[2];
	const struct scope *scopes[2][BAN_JAIL_SCOPES_MAX];
};
/* Why the address, or a part of the network, is protected; NULL: it is not. Valid until the list of
 * the protected changes. */
const char *guard_protected(const struct guard *guard, const struct ip *ip);
/* What jail number `jail` has counted for a unit (guard_unit) within findtime of now_s. False:
 * nothing. *ret_window is valid until the guard changes. */
bool guard_window(const struct guard *guard, size_t jail, const struct ip *unit, int64_t now_s,
	struct counter_window *ret_window);
/* How many jails there are; their numbers are 0 to one less. */
size_t guard_jails(const struct guard *guard);
void guard_jail_info(const struct guard *guard, size_t jail, int64_t now_s,
	struct guard_jail_info *ret_info);
/* The number of the jail of that name; -1: there is none. */
int guard_find_jail(const struct guard *guard, const char *name);
/* The same, with a sentence in err if there is none. */
int guard_named_jail(const struct guard *guard, const char *name, struct error *err);

/* Writes one sentence to the journal; it is cut if it is too long. priority: of syslog.h. */
void guard_note(const struct guard *guard, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
