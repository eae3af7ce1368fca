#ifndef VG_DB_H
#define VG_DB_H

#include "state/store.h"
#include "state/unwritten.h"

struct sqlite3;
struct sqlite3_stmt;

/* The database under a store: its file, schema and statements. Only store.c and db.c know
 * this header. */
enum { STORE_KEY_BYTES = 16 };

struct store {
	struct sqlite3 *db;
	struct sqlite3_stmt *statements[STATEMENTS];
	struct unwritten unwritten;
	int64_t next_ban_id;
	int64_t next_alert_id;
	int64_t swept_id; /* bans up to here were looked at in this round */
	int64_t keep_bans_s;
	uint8_t key[STORE_KEY_BYTES];
};

/* Renames the database at path and its WAL, so that both still belong together. *ret_aside: the new
 * path, the caller frees it. */
int aside_move(const char *path, int64_t now_s, char **ret_aside, struct error *err);

/* Writes "state database: what: why" and returns -1. */
int db_error(const struct store *store, const char *what, struct error *err);
/* Calls back for every row of a query. */
int db_read(struct store *store, const char *sql,
	void (*each)(struct store *store, struct sqlite3_stmt *statement, void *context),
	void *context, struct error *err);

#endif
