#ifndef VG_DB_H
#define VG_DB_H

#include "state/store.h"
#include "state/unwritten.h"

struct sqlite3;
struct sqlite3_stmt;

/* The database of a store: file, schema, prepared statements. Only the files of this folder include
 * this header. */
enum { STORE_KEY_BYTES = 16 };

struct store {
	struct sqlite3 *db;
	struct sqlite3_stmt *statements[STATEMENTS];
	struct unwritten unwritten;
	int64_t next_ban_id;
	int64_t next_alert_id;
	/* bans_sweep has looked at the bans with ids up to this one in this round */
	int64_t swept_id;
	int64_t keep_bans_s;
	uint8_t key[STORE_KEY_BYTES];
};

/* Renames the database at path and its -wal file alike, so that SQLite still finds both as one, and
 * removes the -shm file. *ret_aside: the new path; the caller frees it. -1: something could not be
 * renamed. */
int aside_move(const char *path, int64_t now_s, char **ret_aside, struct error *err);

/* Fills err with "state database: WHAT: WHY", where WHY is SQLite's last error, and returns -1. */
int db_error(const struct store *store, const char *what, struct error *err);
/* Calls back for every row of a query; the statement stands on it. -1: the database cannot be read.
 */
int db_read(struct store *store, const char *sql,
	void (*each)(struct store *store, struct sqlite3_stmt *statement, void *context),
	void *context, struct error *err);

#endif
