#ifndef VG_DECIDE_PARTS_H
#define VG_DECIDE_PARTS_H

/* Inside the guard, each file uses those before it:
 *   record         writes to the database and to the journal
 *   escalation     what earlier bans of an address make of the next one
 *   attempts       which lines are one attempt
 *   unresolved     hits whose host name is being looked up
 *   waiting_letters  mails that wait for the kernel's answer
 *   jails          the jails: made, found, described
 *   blind          alarm about lines that name nobody
 *   lift           how a ban ends
 *   replay         what the database held
 *   guard          a line, a hit, a ban */

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
#include "state/store.h"

enum {
	GUARD_JAILS_MAX = BAN_JAILS_MAX,
	GUARD_SCOPES_MAX = 64,
	MANUAL_BANTIME_S = 86400,
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
	struct waiting_letter *letters; /* owned list, oldest first; see waiting_letters.c */
	struct waiting_letter **letters_end;
	size_t n_letters;
	struct ban *lifting; /* owned copies of bans that have ended and whose rows go when the
			      * kernel has acknowledged */
	size_t n_lifting;
	struct unresolved *unresolved;   /* owned */
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

/* attempts.c: one attempt, one count.
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

/* unresolved.c: a hit that names a host and no address, on its way to its addresses. */
enum {
	UNRESOLVED_LINE_MAX = 1000,   /* bytes of the line that are kept, for the letter */
	UNRESOLVED_ACCOUNT_MAX = 128, /* bytes of its account */
};
struct unresolved_hit {
	struct known_name *name; /* stays in its table while a hit waits for it */
	size_t jail;
	struct hit hit; /* account points here, host and fields are empty */
	bool first_read;
	size_t line_length;
	char account[UNRESOLVED_ACCOUNT_MAX];
	char line[UNRESOLVED_LINE_MAX];
	struct unresolved_hit *next;
};

struct unresolved *unresolved_new(void);
void unresolved_free(struct unresolved *unresolved);
/* Keeps the hit until its name is known, or counts it among the jail's unresolved ones. */
void unresolved_hit(struct guard *guard, size_t number, const struct line *line,
	const struct hit *hit, int64_t now_s);
/* See guard_resolved. */
void unresolved_answer(struct unresolved *unresolved, const char *name, bool found,
	const struct ip *addresses, size_t count, int64_t now_s);
/* Asks for names, gives up on those that nobody answers. */
void unresolved_tick(struct guard *guard, int64_t now_s);
/* The oldest hit whose name is known now (caller frees; the addresses live until the next call of
 * this family), NULL: none. To be called until then after each of the three above. */
struct unresolved_hit *unresolved_take(struct unresolved *unresolved,
	const struct ip **ret_addresses, size_t *ret_count);

/* Counts a failure of hit->ip, and bans. */
void guard_count_hit(struct guard *guard, size_t number, const struct line *line,
	const struct hit *hit, int64_t now_s);

/* Where mails about this jail go; NULL: nowhere. */
const char *guard_jail_dest(const struct guard *guard, const struct guard_jail *jail);
const char *guard_jail_sender(const struct guard *guard, const struct guard_jail *jail);

/* blind.c: a line of jail number `number` that its parser gave up on, in a file that is not
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

/* Writes the mail about a new ban; it leaves when the kernel has answered, or soon without. */
void waiting_letters_add(struct guard *guard, const struct ban *ban,
	const struct counter_window *window, int64_t now_s);
/* The firewall role has answered about a ban of ip. */
void waiting_letters_answered(struct guard *guard, const struct ip *ip, int64_t now_s);
void waiting_letters_tick(struct guard *guard, int64_t now_s);
void waiting_letters_done(struct guard *guard);

/* Appends a jail; config NULL: manual, or of the past. */
struct guard_jail *guard_jail_add(struct guard *guard, const char *name,
	const struct config_jail *config, struct findings *findings);
/* Ends a ban that is over; until the log is caught up it stays as an expired one. */
void guard_end_ban(struct guard *guard, struct ban *ban, bool caught_up);
/* Lifts a ban: recorded first, gone when the kernel has acknowledged. Whoever is lifted has a clean
 * record: his bans do not count for bantime.increment any more. */
void guard_lift_ban(struct guard *guard, struct ban *ban);
/* The firewall role has answered about ip: the rows go of what it has lifted. */
void guard_lift_answered(struct guard *guard, const struct ip *ip);

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
