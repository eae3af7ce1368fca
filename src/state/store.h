#ifndef VG_STORE_H
#define VG_STORE_H

#include "base/ip.h"
#include "follow/tail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct store;

/* The state database (SQLite, WAL, synchronous=FULL). Memory is the index, this is the log: every
 * change is first kept as a dirty row in memory; store_commit writes all of them in one
 * transaction. Jails are named here, so that numbers may change between runs. */
enum {
	STORE_FAILURES_MAX = 2000000, /* rows kept; beyond, a prefix of ids is deleted */
	STORE_DIRTY_MAX = 200000,     /* disk full: beyond, the oldest dirty failures go and are
				       * counted in store_lost */
	STORE_NAME_MAX = 64,          /* longest jail name */
	STORE_BANS_MAX = 1000000,     /* rows kept, about: of the oldest, ended ones go */
	STORE_ALERTS_MAX = 1000,      /* outbox, in memory and on disk: the oldest go */
	STORE_ALLOWS_MAX = 1000,      /* dirty ones; the caller keeps no more */
	STORE_POSITIONS_MAX = 4 * TAIL_FILES_MAX, /* dirty ones: the oldest go, files are reread */
	STORE_ADDRESSES_MAX = 32,                 /* of a host name; more are left out */
};

enum store_kind {
	STORE_FAILURE = 0,
	STORE_UNBAN = 1, /* empties the window of (jail, address) */
	STORE_BAN = 2,   /* empties it too: the ban took the failures */
	/* These two count for no window; they are kept for the lines of their attempt that follow.
	 */
	STORE_INSIDE = 3, /* began an attempt while a ban stood: in the totals alone */
	STORE_JOINED = 4, /* joined the attempt of its session */
};

struct store_failure {
	const char *jail;
	struct ip ip;
	int64_t at_s;
	enum store_kind kind;
	uint64_t session; /* of the attempt that it begins or joins, 0: none */
	int64_t value;    /* of a failure: how many it counts as; of a ban: for how long, -1
			   * permanent; 0: not known; of a joined line: 1 if it was the last */
	bool proven;
	int16_t ms; /* behind at_s, of a row with a session; not above 0 before 1970 */
};

enum store_ban_state { STORE_BAN_ACTIVE = 0, STORE_BAN_LIFTING = 1, STORE_BAN_ENDED = 2 };

struct store_ban {
	int64_t id; /* row id; 0 for a new one, set by store_ban */
	const char *jail;
	struct ip ip;
	int64_t since_s;
	int64_t until_s; /* 0: permanent */
	uint32_t failures;
	bool proven;
	enum store_ban_state state;
	uint32_t number;     /* which one of (jail, address) it is; 0: it and those before it do not
			      * count any more */
	const char *account; /* last account tried, raw bytes up to the NUL, "" if none */
	const char *note;    /* by hand: the note; "" if none */
};

struct store_alert {
	int64_t id; /* 0 for a new one */
	int64_t at_s;
	const char *dest;
	const char *sender;
	const char *subject;
	const char *body;
};

/* An address, or a host name, that a person has protected. */
struct store_allow {
	struct ip ip; /* family 0: a name */
	int64_t at_s;
	int64_t until_s; /* 0: for ever */
	const char *note;
	const char *name; /* NULL: an address */
	bool forget;      /* address or name, whose row goes: nothing else counts */
};

/* The addresses that a host name had when it was last answered. */
struct store_name {
	const char *name;
	size_t count; /* 0: forget the name */
	struct ip addresses[STORE_ADDRESSES_MAX];
};

/* Opens or makes dir/state.db. A database that is corrupt or of another schema is set aside as
 * state.db.corrupt-DATE (DATE from now_s) with its -wal, a new one is made, and ret_note (caller
 * frees, NULL if nothing to say) says so. dir must exist. One process at a time writes: ids are
 * given out in memory. PRAGMA quick_check runs here: 0.3 s for 2 M failures. */
int store_open(const char *dir, int64_t now_s, struct store **ret_store, char **ret_note,
	struct error *err);
/* Databases that lie aside in dir: how many, and the newest one's name, rendered ("": none). They
 * stay until a person has taken them away. */
enum { STORE_ASIDE_MAX = 80 };
size_t store_find_aside(const char *dir, char ret_name[STORE_ASIDE_MAX]);
/* Commits nothing: the caller commits first. */
void store_close(struct store *store);

/* What is NULL is not wanted. */
struct store_loader {
	void (*failure)(void *context, const struct store_failure *failure);
	void (*ban)(void *context, const struct store_ban *ban); /* ended ones too, oldest first */
	void (*position)(void *context, const struct tail_position *position);
	void (*pattern)(void *context, const char *jail, const char *pattern);
	void (*total)(void *context, const char *jail, uint64_t failures, uint64_t bans);
	void (*alert)(void *context, const struct store_alert *alert);
	void (*allow)(void *context, const struct store_allow *allow);
	/* One address of a name; before all bans. */
	void (*name)(void *context, const char *name, const struct ip *ip);
	void *context;
};
/* Calls back for every row, failures in the order they were counted. */
int store_load(struct store *store, const struct store_loader *loader, struct error *err);

/* These only make dirty rows; all text is copied. */
void store_failure(struct store *store, const struct store_failure *failure);
/* New if id is 0 (returns the id it will have), else updates until, failures, state. */
int64_t store_ban(struct store *store, const struct store_ban *ban);
/* offset < 0: forget the path. */
void store_position(struct store *store, const struct tail_position *position);
void store_pattern(struct store *store, const char *jail, const char *pattern);
void store_total(struct store *store, const char *jail, uint64_t failures, uint64_t bans);
int64_t store_alert(struct store *store, const struct store_alert *alert);
void store_allow(struct store *store, const struct store_allow *allow);
void store_forget_allow(struct store *store, const struct ip *ip);
void store_forget_allowed_name(struct store *store, const char *name);
void store_alert_sent(struct store *store, int64_t id);

/* Replaces what is kept for the name. The caller bounds the number of names. */
void store_name(struct store *store, const struct store_name *name);

/* How far a jail has read the journal. Written with positions, and no more dirty than they are. */
enum { STORE_CURSOR_MAX = 512 }; /* bytes with the NUL; longer ones are not kept */
void store_cursor(struct store *store, const char *jail, const char *cursor);
/* "" if there is none. What has not been committed is not seen. */
int store_read_cursor(struct store *store, const char *jail, char ret_cursor[STORE_CURSOR_MAX],
	struct error *err);

/* Something other than positions waits for a commit. */
bool store_is_dirty(const struct store *store);
/* One transaction with all dirty rows. -1: nothing was written, everything stays dirty and is
 * tried again by the next call. expire_before_s: failures with at < it may be deleted from the
 * front of the table (a bounded number a call); ended bans too, see store_keep_bans. */
int store_commit(struct store *store, int64_t expire_before_s, struct error *err);
uint64_t store_lost(const struct store *store);
/* Ended bans stay for keep_s before what store_commit expires; 400 days unless set. */
void store_keep_bans(struct store *store, int64_t keep_s);
/* 16 random bytes, the same for the life of the database. */
const uint8_t *store_key(const struct store *store);

#endif
