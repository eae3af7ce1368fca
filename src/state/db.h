#ifndef VG_DB_H
#define VG_DB_H

#include "state/unwritten.h"

struct sqlite3;
struct sqlite3_stmt;

/* The database under a store: its file, schema and statements. Only store.c and store_db.c know
 * this header. Times are seconds, addresses blobs: 4 or 16 bytes for a host, one byte of prefix
 * length behind them for a network. Raw bytes from outside (accounts, paths, notes) are blobs. */
enum { STORE_KEY_BYTES = 16 };

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	ADD_FAILURE,
	FAILURE_IDS,
	OLD_FAILURES,
	DROP_FAILURES,
	ADD_BAN,
	UPDATE_BAN,
	SWEEP_BANS,
	SET_POSITION,
	DROP_POSITION,
	SET_CURSOR,
	GET_CURSOR,
	ADD_PATTERN,
	SET_TOTAL,
	ADD_ALERT,
	DROP_ALERT,
	CAP_ALERTS,
	SET_ALLOW,
	DROP_ALLOW,
	SET_ALLOWED_NAME,
	DROP_ALLOWED_NAME,
	DROP_NAME,
	ADD_NAME,
	STATEMENTS,
};

struct store {
	struct sqlite3 *db;
	struct sqlite3_stmt *statements[STATEMENTS];
	struct store_queue queue;
	int64_t next_ban_id;
	int64_t next_alert_id;
	int64_t swept_id; /* bans up to here were looked at in this round */
	int64_t keep_bans_s;
	uint8_t key[STORE_KEY_BYTES];
};

/* store_open and store_close of store.h. */
int store_db_open(const char *dir, int64_t now_s, struct store **ret_store, char **ret_note,
	struct error *err);
void store_db_close(struct store *store);

/* Renames the database at path and its WAL, so that both still belong together. *ret_aside: the new
 * path, the caller frees it. */
int store_aside_move(const char *path, int64_t now_s, char **ret_aside, struct error *err);

/* All dirty cursors, inside the transaction of a commit. */
int store_cursors_write(struct store *store, struct error *err);

/* Writes "state database: what: why" and returns -1. */
int store_db_error(const struct store *store, const char *what, struct error *err);
/* Calls back for every row of a query. */
int store_db_read(struct store *store, const char *sql,
	void (*each)(struct store *store, struct sqlite3_stmt *row, void *context), void *context,
	struct error *err);
/* An SQLite result code. */
int store_db_bind_ip(struct sqlite3_stmt *statement, int column, const struct ip *ip);
/* family 0: no address. */
struct ip store_db_ip(struct sqlite3_stmt *row, int column);

#endif
