#ifndef VG_DECIDE_PARTS_H
#define VG_DECIDE_PARTS_H

/* Inside the guard: guard.c decides, guard_jails.c knows the jails, guard_record.c writes to the
 * database and reads it back, guard_history.c knows what earlier bans do, guard_attempt.c which
 * lines are one attempt. */

#include "decide/guard.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/utsname.h>

#include "base/ports.h"
#include "decide/bans.h"
#include "decide/letter.h"
#include "follow/line.h"
#include "follow/tail.h"
#include "match/filter.h"
#include "process/messages.h"
#include "state/store.h"

enum {
	GUARD_JAILS_MAX = BAN_JAILS_MAX,
	GUARD_SCOPES_MAX = 64,
	MANUAL_BANTIME_S = 86400,
	LETTERS_MAX = 1000, /* waiting for the kernel's word; beyond, they leave without it */
	LETTER_WAIT_S = 5,
	EXPIRE_EVERY_S = 60,
	EXPIRE_MAX = 10000, /* windows a tick */
};

struct guard_jail {
	char *name;                       /* owned */
	const struct config_jail *config; /* borrowed; NULL: manual, or known from the past only */
	struct filter *filter;            /* owned; NULL: reads no lines */
	bool broken;
	uint64_t patterns[TAIL_PATTERNS_MAX / 64];
	uint8_t scopes[BAN_JAIL_SCOPES_MAX];
	size_t n_scopes;
	uint64_t failures_total;
	uint64_t bans_total;
	uint64_t ignored;
	uint64_t unresolved;       /* hits of host names that were counted for nobody */
	struct guard_blind *blind; /* owned; NULL: no unsound line yet */
	uint64_t blind_seen;       /* of records_blind */
};

/* A mail about a ban that waits for the kernel's answer. */
struct waiting_letter {
	struct ip ip;
	uint32_t jail;
	int64_t deadline_s;
	struct letter letter;
	struct waiting_letter *next;
};

/* An unban whose row goes when the kernel has acknowledged. */
struct lifting {
	struct ban ban; /* a copy: the ban itself has ended */
};

/* Entries by hand, oldest first; those before `sent` are known to the firewall role. */
struct guard_allows {
	struct store_allow *list; /* owned, as the notes are */
	size_t count;
	size_t sent;
	char because[MESSAGE_TEXT_MAX];
};

/* jails[manual] is the jail of bans by hand. Jails never change after guard_new but for names
 * found in the database, which are appended. */
struct guard {
	const struct config *config; /* borrowed */
	struct protected *protected; /* borrowed */
	struct store *store;         /* borrowed; NULL before guard_attach */
	struct guard_events events;
	bool dry_run;
	struct guard_jail jails[GUARD_JAILS_MAX];
	size_t n_jails;
	size_t manual;
	struct scope scopes[GUARD_SCOPES_MAX];
	size_t n_scopes;
	struct counter *counter;        /* owned */
	struct history *history;        /* owned */
	struct bans *bans;              /* owned */
	struct waiting_letter *letters; /* owned list, oldest first */
	struct waiting_letter **letters_end;
	size_t n_letters;
	struct lifting *lifting; /* owned */
	size_t n_lifting;
	struct guard_allows allows;
	struct guard_names *names;       /* owned */
	struct guard_attempts *attempts; /* owned */
	int64_t next_expire_s;
	char host[sizeof(((struct utsname *)0)->nodename)];
};

/* A line that tells of a failure, and of whom. */
struct guard_offence {
	struct ip unit;
	uint32_t jail;
	int64_t at_ms;
	uint64_t session; /* as in struct hit */
	enum hit_event event;
	bool proven;
};

/* guard_attempt.c: one attempt, one count.
 *
 * With credentials for an unknown account, or against an ACL, one exchange with Asterisk writes two
 * lines of that kind and a ChallengeResponseFailed. The first counts, at once; a second within
 * GUARD_ATTEMPT_MS joins it, and so does one ChallengeResponseFailed, which ends it: they add
 * nothing, neither to the window nor to the totals. Any other line counts. The lines have the jail,
 * the unit and the SessionID in common, and one that joins and is proven proves the failure (not a
 * ban that the first line has brought: that stands as it was decided). Times are those of the
 * lines, so that two files, or a crash in between, make no difference; lines in another order may
 * count for more, never for less than one.
 *
 * The SessionID is the caller's Call-ID: PJSIP's; lines of other services join nothing. A
 * ChallengeResponseFailed that finds nothing to join counts, whatever its SessionID, and one that
 * joins takes the only place in an attempt that has counted: guesses are never more than counts,
 * over any number of dialogs. All that a Call-ID used again gains is the name of a second account
 * to look for. Without one (an ESC can eat it) each line counts, which is the cost of what no phone
 * does.
 *
 * The last GUARD_ATTEMPTS_MAX attempts are known, of all jails together; the one that began first
 * goes. Its lines to come then count as attempts of their own: so nobody is counted for less by a
 * flood, his own or another's, and to have somebody counted for more (at most three times) takes
 * 4096 new attempts within one exchange of his, which failed anyway. The other way round a flood
 * would hide guesses. */
enum { GUARD_ATTEMPTS_MAX = 4096, GUARD_ATTEMPT_MS = 2000 };

struct guard_attempts *guard_attempts_new(void);
void guard_attempts_free(struct guard_attempts *attempts);
/* Asserts the invariants; for tests. */
void guard_attempts_check(const struct guard_attempts *attempts);
/* True: the line belongs to an attempt that has counted; it is recorded, and nothing is left to
 * do. */
bool guard_attempt_joins(struct guard *guard, const struct guard_offence *offence);
/* A line that did not join, recorded: a failure that counts as `weight`, or (0) one inside a ban.
 */
void guard_attempt_count(struct guard *guard, const struct guard_offence *offence, uint32_t weight);
/* A row of either, in the order they were recorded. */
void guard_attempt_load(struct guard *guard, uint32_t jail, const struct store_failure *row);

/* Counts a failure of hit->ip, and bans. */
void guard_count_hit(struct guard *guard, size_t number, const struct line *line,
	const struct hit *hit, int64_t now_s);
/* guard_names.c: a hit that names a host and no address. */
struct guard_names *guard_names_new(void);
void guard_names_free(struct guard_names *names);
void guard_names_hit(struct guard *guard, size_t number, const struct line *line,
	const struct hit *hit, int64_t now_s);
void guard_names_tick(struct guard *guard, int64_t now_s);

/* Where mails about this jail go; NULL: nowhere. */
const char *guard_jail_dest(const struct guard *guard, const struct guard_jail *jail);
const char *guard_jail_sender(const struct guard *guard, const struct guard_jail *jail);

/* guard_unsound.c: a line of jail number `number` that its parser gave up on, in a file that is not
 * read for the first time. */
void guard_unsound(struct guard *guard, size_t number, int64_t now_s);

/* A sentence for the journal: "JAIL: WHAT ADDRESS for TIME". */
void guard_note_ban(const struct guard *guard, const struct ban *ban, const char *what);
/* A new row, or the state of the ban's row; in a dry run the row is of a ban that has ended. */
void guard_record_ban(struct guard *guard, struct ban *ban, enum store_ban_state state);
/* value: see struct store_failure. */
void guard_record_marker(struct guard *guard, uint32_t jail, const struct ip *ip, int64_t at_s,
	enum store_kind kind, int64_t value);
void guard_record_totals(struct guard *guard, const struct guard_jail *jail);

/* Ends entries by hand whose time is over. */
void guard_allow_tick(struct guard *guard, int64_t now_s);
void guard_allow_done(struct guard *guard);

/* Appends a jail; config NULL: manual, or of the past. */
struct guard_jail *guard_jail_add(struct guard *guard, const char *name,
	const struct config_jail *config, struct findings *findings);
/* Ends a ban that is over; until the log is caught up it stays as a ghost. */
void guard_end_ban(struct guard *guard, struct ban *ban, bool caught_up);
/* Lifts a ban: recorded first, gone when the kernel has acknowledged. Whoever is lifted has a clean
 * record: his bans do not count for bantime.increment any more. */
void guard_lift_ban(struct guard *guard, struct ban *ban);

/* How long bans are remembered. */
int64_t guard_purge_age_s(const struct guard *guard);
/* NULL: this jail's bans do not grow. */
const struct config_increment *guard_increment(const struct guard *guard, size_t jail);
/* Bans that began before at_s, as the jail's bantime.increment counts them. */
uint32_t guard_earlier_bans(const struct guard *guard, size_t jail, const struct ip *ip,
	int64_t at_s);
/* How many failures one failure counts as: 1, or more for an address known as bad. */
uint32_t guard_failure_weight(const struct guard *guard, size_t jail, const struct ip *ip,
	int64_t at_s);
/* The seconds a ban by this jail (one with a configuration) that begins at since_s lasts;
 * -1: permanent. */
int64_t guard_ban_length(const struct guard *guard, size_t jail, const struct ip *ip,
	int64_t since_s);
/* Takes the ban into the history and gives it its numbers. replaces: one of the same jail and
 * address stands and only gets another end. */
void guard_count_ban(struct guard *guard, struct ban *ban, bool replaces);

#endif
