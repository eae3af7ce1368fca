#ifndef VG_STORE_H
#define VG_STORE_H

#include "base/ip.h"
#include "follow/tail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct store;

/* The state database: SQLite in WAL mode with synchronous=FULL, so that what a commit has written
 * survives a power failure. The tables that guard are in memory; the database is their log, read at
 * the start only. A change is first a "dirty" row in memory (state/unwritten.h), until store_commit
 * writes all of those in one transaction; the engine calls it on a timer. Rows name jails by name,
 * since their numbers may differ in the next run. Times are wall seconds. */
enum {
	/* rows in the table; of more, those with the lowest ids are deleted */
	STORE_FAILURES_MAX = 2000000,
	/* dirty failures, and bans, while the disk is full; of more, the oldest are dropped and
	 * counted in store_lost */
	STORE_DIRTY_MAX = 200000,
	STORE_NAME_MAX = 64, /* longest jail name */
	/* rows in the table, roughly; of more, the oldest that have ended are deleted */
	STORE_BANS_MAX = 1000000,
	/* dirty, and rows in the table; of more, the oldest are deleted */
	STORE_ALERTS_MAX = 1000,
	STORE_ALLOWS_MAX = 1000, /* dirty rows; callers keep no more entries than that */
	/* dirty rows; of more, the oldest are dropped and their files read again */
	STORE_POSITIONS_MAX = 4 * TAIL_FILES_MAX,
	/* addresses of one host name; more are left out */
	STORE_ADDRESSES_MAX = 32,
};

/* What a row of `failures` says. On start the windows (failures of an address in one jail within
 * findtime) are counted again from these rows. */
enum store_kind {
	STORE_FAILURE = 0,
	/* A person lifted the ban, or the address would have been banned and was spared: the
	 * window of (jail, address) is empty from here on. */
	STORE_UNBAN = 1,
	STORE_BAN = 2, /* a ban began: its failures count no longer, the window is empty, too */
	/* The next two count in no window. They are kept for later lines of the same login attempt,
	 * which must not be counted as another attempt. */
	STORE_INSIDE = 3, /* began an attempt while a ban stood: counts in the totals only */
	STORE_JOINED = 4, /* one more line of an attempt that a row with this session began */
};

struct store_failure {
	const char *jail;
	struct ip ip;
	int64_t at_s;
	enum store_kind kind;
	uint64_t session; /* of the attempt that the row begins or joins; 0: none */
	/* STORE_FAILURE: how many failures it counts as. STORE_BAN: its seconds, -1: permanent, 0:
	 * not known. STORE_JOINED: 1: it was the last line of its attempt. STORE_UNBAN: 1:
	 * somebody was told that the address would have been banned. */
	int64_t value;
	/* Of a failure. STORE_BAN, STORE_UNBAN: true: the window keeps its proven failures. */
	bool proven;
	/* of a row with a session: milliseconds after at_s; 0 or negative before 1970 */
	int16_t ms;
};

/* ACTIVE: the ban stands. LIFTING: a person has lifted it, and the kernel has not acknowledged
 * that. ENDED: it is history. */
enum store_ban_state { STORE_BAN_ACTIVE = 0, STORE_BAN_LIFTING = 1, STORE_BAN_ENDED = 2 };

struct store_ban {
	int64_t id; /* id of the row; 0: new, store_ban gives it one */
	const char *jail;
	struct ip ip;
	int64_t since_s;
	int64_t until_s; /* 0: permanent */
	uint32_t failures;
	bool proven;
	enum store_ban_state state;
	/* 1 for the first ban of (jail, address), 2 for the next; 0: neither it nor those before it
	 * count for bantime.increment */
	uint32_t number;
	/* the account that was tried last, raw bytes up to the NUL; "": none */
	const char *account;
	const char *note; /* of a ban by hand; "": none */
};

/* A mail that has not been delivered yet. */
struct store_alert {
	int64_t id; /* 0: new, store_alert gives it one */
	int64_t at_s;
	const char *dest;
	const char *sender;
	const char *subject;
	const char *body;
};

/* An address, a prefix or a host name that a person has protected by `allow`. */
struct store_allow {
	struct ip ip; /* family 0: a name */
	int64_t at_s;
	int64_t until_s; /* 0: for ever */
	const char *note;
	const char *name; /* NULL: an address */
	/* delete the row of this address or name; times and note do not matter */
	bool forget;
};

/* The addresses that a host name of ignoreip or `allow` had in its last good answer. */
struct store_name {
	const char *name;
	size_t count; /* 0: delete all rows of the name */
	struct ip addresses[STORE_ADDRESSES_MAX];
};

/* A log pattern that a jail follows. */
struct store_pattern {
	const char *jail;
	const char *pattern;
};

/* All failures and bans of a jail since its database was made. */
struct store_total {
	const char *jail;
	uint64_t failures;
	uint64_t bans;
};

/* Opens dir/state.db, or makes it; dir must exist. A database that is damaged or has another schema
 * is renamed, with its -wal file, to state.db.corrupt-DATE (UTC of now_s, as in
 * state.db.corrupt-20261123T085100Z), and a new one is made; *ret_note is a sentence that says so
 * (the caller frees it), else NULL. PRAGMA quick_check runs here and takes 0.3 s for 2 million
 * failures. Only one process may write at a time, as ids are counted in memory. -1: it cannot be
 * opened or made. */
int store_open(const char *dir, int64_t now_s, struct store **ret_store, char **ret_note,
	struct error *err);
/* How many databases lie in dir because they could not be used, and the file name of the newest,
 * rendered ("": none). They stay until a person removes them. */
enum { STORE_ASIDE_MAX = 80 };
size_t store_find_aside(const char *dir, char ret_name[STORE_ASIDE_MAX]);
/* Closes the database and drops what is dirty: the caller commits first. store may be NULL. */
void store_close(struct store *store);

/* The tables that store_load reads, in this order: a name is known before its addresses, and whom
 * to protect before bans. */
enum store_table {
	STORE_ALLOWED_NAMES, /* allow, with a name */
	STORE_NAMES,         /* name: count is 0, and addresses[0] is one of its addresses */
	STORE_FAILURES,      /* failure, in the order in which they were counted */
	STORE_BANS,          /* ban, also ended ones; oldest first */
	STORE_POSITIONS,
	STORE_PATTERNS,
	STORE_TOTALS,
	STORE_ALERTS,
	STORE_ALLOWS, /* allow, with an address */
	STORE_TABLES,
};

union store_row {
	struct store_failure failure;
	struct store_ban ban;
	struct tail_position position;
	struct store_pattern pattern;
	struct store_total total;
	struct store_alert alert;
	struct store_allow allow;
	struct store_name name;
};

/* Calls back for every committed row. What it points to lives until the callback returns. A row
 * that cannot be right is left out. -1: the database cannot be read. */
int store_load(struct store *store,
	void (*each)(void *context, enum store_table table, const union store_row *row),
	void *context, struct error *err);

/* These functions only make dirty rows, and copy all text; they cannot fail. */
void store_failure(struct store *store, const struct store_failure *failure);
/* id 0: a new ban; returns the id of its row. Else updates until_s, failures, state and number of
 * that row and returns its id. */
int64_t store_ban(struct store *store, const struct store_ban *ban);
/* How far a log has been read. offset < 0: deletes the row of the path. */
void store_position(struct store *store, const struct tail_position *position);
/* The next run reads files that have appeared under the pattern in between from their start. */
void store_pattern(struct store *store, const char *jail, const char *pattern);
void store_total(struct store *store, const char *jail, uint64_t failures, uint64_t bans);
/* Returns the id of the new row, which store_alert_sent deletes. */
int64_t store_alert(struct store *store, const struct store_alert *alert);
void store_allow(struct store *store, const struct store_allow *allow);
void store_alert_sent(struct store *store, int64_t id);

/* Replaces all addresses of the name. The caller limits the number of names. */
void store_name(struct store *store, const struct store_name *name);

/* How far a jail has read the journal. As a position, a cursor does not make the store dirty: it is
 * written with the next commit. */
enum { STORE_CURSOR_MAX = 512 }; /* bytes with the NUL; a longer cursor is dropped */
void store_cursor(struct store *store, const char *jail, const char *cursor);
/* The committed cursor of the jail, "" if it has none. -1: the database cannot be read. */
int store_read_cursor(struct store *store, const char *jail, char ret_cursor[STORE_CURSOR_MAX],
	struct error *err);

/* A row waits for a commit. Positions and cursors do not count: at worst a few lines are read
 * again. */
bool store_is_dirty(const struct store *store);
/* Writes all dirty rows in one transaction. -1: nothing was written, all stays dirty and the next
 * call tries it again. The same transaction deletes a bounded number of old rows: failures with
 * at_s < expire_before_s from the front of the table (0: none), and ended bans, see
 * store_keep_bans. Does nothing if no row of any kind waits. */
int store_commit(struct store *store, int64_t expire_before_s, struct error *err);
/* How many rows were dropped since store_open because too many were dirty. */
uint64_t store_lost(const struct store *store);
/* Ended bans are kept until keep_s seconds before the expire_before_s of store_commit; 400 days
 * unless set. */
void store_keep_bans(struct store *store, int64_t keep_s);
/* 16 random bytes that are made with the database and stay the same. Borrowed from the store. */
const uint8_t *store_key(const struct store *store);

#endif
