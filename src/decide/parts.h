#ifndef VG_DECIDE_PARTS_H
#define VG_DECIDE_PARTS_H

/* What the files of the guard share with each other and nobody else. The guard (guard.h) is one
 * object in several files, and each file calls only those above it in this list.
 *
 *   record           writes to the database and to the journal; tells full bans
 *   escalation       earlier bans of an address make its next one longer
 *   attempts         which lines of Asterisk belong to one attempt and count once
 *   unresolved       hits whose host name is being looked up
 *   waiting_letters  mails that wait for the kernel's answer
 *   spared           tells of those who would have been banned
 *   jails            makes, finds and describes the jails
 *   blind            the alarm about attempts that show no address
 *   lift             how a ban ends
 *   replay           takes in what the database held
 *   guard            from a line to a hit to a ban
 *
 * Below them are objects of their own, which know nothing of the guard: counter (failures), bans,
 * history (earlier bans) and letter (the text of mails); and below these, heap (what ends first)
 * and ranked (what leaves a full table first). */

#include "decide/guard.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
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
	MANUAL_BANTIME_S = 86400, /* of a ban by hand without a time */
	EXPIRE_EVERY_S = 60,
	EXPIRE_MAX = 10000, /* windows, and records of the history, that one tick frees */
};

/* blind.c: attempts in lines that the parser of Asterisk's records gave up on. at_s is a ring of
 * the times at which the last of them were read, 0: none yet. at_s[next] is the oldest, and if that
 * is within findtime, there were more than BLIND_LINES. */
enum { BLIND_LINES = 20 };
struct blind {
	uint64_t lines;     /* so many of records->blind have been counted here */
	bool versions_told; /* see struct records, oldest_version */
	int64_t at_s[BLIND_LINES + 1];
	size_t next;
	int64_t told_s; /* of the last alarm; 0: none yet */
};

struct guard_jail {
	char *name;                       /* owned */
	const struct config_jail *config; /* borrowed; NULL: "manual", or only in the database */
	struct filter *filter;            /* owned; NULL: the jail reads no lines */
	bool broken;                      /* enabled, but left out because of an error */
	uint64_t patterns[TAIL_PATTERNS_MAX / 64]; /* a set of bits, see guard_add_pattern */
	struct ban_scopes scopes;                  /* numbers of guard->scopes */
	struct ban_scopes narrow;                  /* the same, of an unproven ban */
	uint64_t failures_total;
	uint64_t bans_total;
	uint64_t ignored;
	uint64_t unresolved; /* hits of host names without an address */
	struct blind blind;
};

/* jails[manual] is the jail of bans by hand. After guard_new no jail changes its number or goes;
 * jails that only the database knows are appended. */
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
	struct counter *counter; /* owned */
	struct history *history; /* owned */
	struct bans *bans;       /* owned */
	TAILQ_HEAD(waiting_letters, waiting_letter)
	letters; /* owned, oldest first; see waiting_letters.c */
	size_t n_letters;
	struct ban *lifting; /* owned; copies of lifted bans, whose rows are marked as ended when
			      * the kernel has acknowledged the lift */
	size_t n_lifting;
	struct unresolved *unresolved; /* owned */
	struct attempts *attempts;     /* owned */
	struct spared *spared;         /* owned */
	int64_t next_expire_s;
	char host[sizeof(((struct utsname *)0)->nodename)];
};

/* A failure of somebody in a jail, as one line of a log tells it. */
struct guard_offence {
	struct ip unit; /* see guard_unit */
	uint32_t jail;
	int64_t at_ms;
	uint64_t session; /* as in struct hit; 0: none */
	enum hit_event event;
	bool proven;
};

/* attempts.c: one attempt counts once, though Asterisk writes several lines about it.
 *
 * When a client sends credentials for an unknown account, or is refused by an ACL, Asterisk writes
 * up to three lines for the one exchange: two of that kind (InvalidAccountID, FailedACL) and a
 * ChallengeResponseFailed. The first one counts at once. A second one within ATTEMPTS_MS joins
 * it, and so does one ChallengeResponseFailed, which ends the attempt. Lines that join add nothing,
 * neither to the window nor to the totals; every other line counts. Lines of one attempt have the
 * same jail, unit and SessionID. If a line that joins is proven, its failure is proven from then
 * on; a ban that the first line has already brought stays as it was decided. Times are those of the
 * lines, so that lines in two files, or a crash between them, make no difference. Lines in an
 * unusual order may count for more than one attempt, never for less.
 *
 * The SessionID is that of PJSIP, the Call-ID that the client chose; lines of other services join
 * nothing. Reusing a Call-ID does not hide password guesses: a ChallengeResponseFailed that finds
 * nothing to join counts, whatever its SessionID, and one that joins takes the only place in an
 * attempt that has counted. So there are never more guesses than counts, over any number of
 * dialogs. All that a client gains by reusing one is to try a second account name without a count.
 * Without a SessionID (a Call-ID with an escape character can make it unreadable) each line counts:
 * no phone sends such a thing.
 *
 * The last ATTEMPTS_MAX attempts of all jails together are remembered; a new one replaces the
 * one that began first. Further lines of a replaced attempt then count as attempts of their own. So
 * a flood makes nobody count for less, and making somebody count for more (three times at most)
 * takes 4096 new attempts during one exchange of his that failed anyway. If such lines were not
 * counted, a flood would hide guesses. */
enum { ATTEMPTS_MAX = 4096, ATTEMPTS_MS = 2000 };

struct attempts *attempts_new(void);
void attempts_free(struct attempts *attempts);
/* Asserts the invariants; for tests. */
void attempts_check(const struct attempts *attempts);
/* Returns true if the line belongs to an attempt that has counted: it has been recorded, and the
 * caller counts nothing. */
bool attempts_join(struct guard *guard, const struct guard_offence *offence);
/* Records a line that did not join an attempt, and remembers the attempt that it may begin. weight:
 * what its failure counts as; 0: it happened inside a ban and counts for no window. */
void attempts_count(struct guard *guard, const struct guard_offence *offence, uint32_t weight);
/* Takes in a row that one of these two has recorded; rows come in the order of recording. */
void attempts_load(struct guard *guard, uint32_t jail, const struct store_failure *row);

/* unresolved.c: a hit that shows a host name and no address, waiting for the name's addresses. */
enum {
	UNRESOLVED_LINE_MAX = 1000,   /* bytes of the line that are kept for the mail */
	UNRESOLVED_ACCOUNT_MAX = 128, /* bytes of the account that are kept */
	UNRESOLVED_ADDRESSES_MAX = 4, /* with more of them one line could ban a whole pool */
	UNRESOLVED_NAMES_MAX = 1000,  /* that are known or being asked for */
	UNRESOLVED_HITS_MAX = 1000,   /* that wait for an answer; more are counted for nobody */
	UNRESOLVED_KEPT_S = 300,  /* an answer is kept so long, as in fail2ban, whatever its TTL */
	UNRESOLVED_RETRY_S = 30,  /* a name without an answer is not asked for again before */
	UNRESOLVED_WAIT_S = 30,   /* a question without an answer by then has failed */
	UNRESOLVED_QUEUED_S = 60, /* a name that could not be asked for by then has failed */
	UNRESOLVED_RATE = 20,     /* questions a second: clients choose the names */
};
struct unresolved_hit {
	struct known_name *name; /* borrowed; it stays in its table while a hit waits for it */
	size_t jail;
	struct hit hit; /* its account points to `account` below; host and fields are empty */
	bool first_read;
	size_t line_length;
	char account[UNRESOLVED_ACCOUNT_MAX];
	char line[UNRESOLVED_LINE_MAX];
	TAILQ_ENTRY(unresolved_hit) others;
};

struct unresolved *unresolved_new(void);
void unresolved_free(struct unresolved *unresolved);
/* Keeps the hit until its name is known; without room it only adds to the jail's `unresolved`. */
void unresolved_hit(struct guard *guard, size_t number, const struct line *line,
	const struct hit *hit, int64_t now_s);
/* Takes the answer about a name: see guard_resolved. */
void unresolved_answer(struct unresolved *unresolved, const char *name, bool found,
	const struct ip *addresses, size_t count, int64_t now_s);
/* Asks for names that could not be asked for before, and gives up on those without an answer. */
void unresolved_tick(struct guard *guard, int64_t now_s);
/* Takes out the oldest hit whose name is known now; NULL: there is none. The caller frees it; the
 * addresses are valid until the next call of an unresolved_ function. After each of the three
 * functions above it is to be called until it returns NULL. */
struct unresolved_hit *unresolved_take(struct unresolved *unresolved,
	const struct ip **ret_addresses, size_t *ret_count);

/* Counts a failure of hit->ip in jail number `number`, and bans if that was one too many. */
void guard_count_hit(struct guard *guard, size_t number, const struct line *line,
	const struct hit *hit, int64_t now_s);

/* To whom, and from whom, mails about this jail go; NULL: to nobody, or from the default sender. */
const char *guard_jail_dest(const struct guard *guard, const struct guard_jail *jail);
const char *guard_jail_sender(const struct guard *guard, const struct guard_jail *jail);

/* Counts the lines on which the parser of jail number `number` has given up with this one: a record
 * that never ended is noticed with a later line. When there are too many within findtime, a note
 * and a mail say so. Old lines, from before findtime or from a file that is read for the first
 * time, raise no alarm. That its logs name different versions of Asterisk is noted once. */
void blind_count(struct guard *guard, size_t number, const struct line *line, int64_t now_s);

/* Writes to the journal: "asterisk: banned 192.0.2.1 for 10m"; what is "banned" here. */
void guard_note_ban(const struct guard *guard, const struct ban *ban, const char *what);
/* Writes the ban with this state to the database, as a new row or over its own, and sets ban->row.
 * In a dry run the row says that the ban has ended. */
void guard_record_ban(struct guard *guard, struct ban *ban, enum store_ban_state state);
/* Records a row that empties a window (STORE_BAN, STORE_UNBAN). keeps_proven: only of its unproven
 * failures. value: see struct store_failure. */
void guard_record_marker(struct guard *guard, uint32_t jail, const struct ip *ip, int64_t at_s,
	enum store_kind kind, bool keeps_proven, int64_t value);
/* Records the jail's totals of failures and bans. */
void guard_record_totals(struct guard *guard, const struct guard_jail *jail);

/* Writes the mail about a new ban. It leaves when the kernel has answered, or after a few seconds
 * without an answer. window NULL: nothing is known but the ban itself. */
void waiting_letters_add(struct guard *guard, const struct ban *ban,
	const struct counter_window *window, int64_t now_s);
/* The firewall role has answered about a ban of ip: sends the mails that waited for that. */
void waiting_letters_answered(struct guard *guard, const struct ip *ip, int64_t now_s);
/* Sends the mails that have waited long enough. */
void waiting_letters_tick(struct guard *guard, int64_t now_s);
/* Frees all mails that wait, unsent. */
void waiting_letters_done(struct guard *guard);

/* spared.c: the last SPARED_MAX addresses that were not banned, and that somebody was told of. When
 * one more comes, the one that has been there for longest is forgotten, and may be told of again.
 */
enum { SPARED_MAX = 4096 };

struct spared *spared_new(void);
void spared_free(struct spared *spared);
/* The window of a unit that is not banned has reached maxretry with its failure at reached_s. It
 * begins anew, and a note and a mail say so, once for each unit within findtime. because: what
 * protects it; NULL: its address may be forged, and the jail bans nobody for that (`unproven =
 * alert`). The window keeps its proven failures then. */
void spared_reached(struct guard *guard, uint32_t number, const struct ip *unit,
	const char *because, int64_t reached_s, int64_t now_s);
/* Takes in a row that this has recorded: of whom somebody was told. */
void spared_load(struct guard *guard, uint32_t jail, const struct store_failure *row);

/* Whether a ban of this jail is one like any other. If not, its address may be forged: the ban
 * closes jail->narrow, is no ground for longer ones, and proven failures widen it. */
bool guard_is_full(const struct guard *guard, size_t jail, bool proven);
/* Appends a jail; config NULL: "manual", or one that only the database knows. */
struct guard_jail *guard_jail_add(struct guard *guard, const char *name,
	const struct config_jail *config, struct findings *findings);
/* Ends a ban whose time is over. Unless the logs are caught up, it stays as an expired one. */
void guard_end_ban(struct guard *guard, struct ban *ban, bool caught_up);
/* Lifts a ban before its time. Its row says "lifting" until the kernel has acknowledged, so that a
 * crash in between cannot bring the ban back. The address has a clean record then: its earlier bans
 * of this jail do not count for bantime.increment any more. Frees ban. */
void guard_lift_ban(struct guard *guard, struct ban *ban);
/* The firewall role has answered about ip: the rows of the bans that it has lifted become ended
 * ones. */
void guard_lift_answered(struct guard *guard, const struct ip *ip);

/* For how many seconds after its end a ban is remembered (dbpurgeage). */
int64_t guard_purge_age_s(const struct guard *guard);
/* The jail's bantime.increment; NULL: its bans do not grow. */
const struct config_increment *guard_increment(const struct guard *guard, size_t jail);
/* How many earlier bans the address has at at_s, as the jail's bantime.increment counts them: of
 * this jail, or of all (bantime.overalljails). */
uint32_t guard_earlier_bans(const struct guard *guard, size_t jail, const struct ip *ip,
	int64_t at_s);
/* As how many failures one counts: 1, or more if the address has been banned before. */
uint32_t guard_failure_weight(const struct guard *guard, size_t jail, const struct ip *ip,
	int64_t at_s);
/* How many seconds a full ban that begins at since_s lasts; < 0: permanent. The jail must have a
 * configuration. */
int64_t guard_ban_length(const struct guard *guard, size_t jail, const struct ip *ip,
	int64_t since_s);
/* Adds the ban to the history, if it is full, and fills in its number and row_number. replaces: a
 * full ban of the same jail and address has not ended; it only gets another end and is not counted
 * again. */
void guard_count_ban(struct guard *guard, struct ban *ban, bool replaces);

#endif
