#include "state/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/alloc.h"
#include "base/error.h"

enum {
	KEEP_BANS_S = 400 * 24 * 3600,
	/* an administrator who has the file open in sqlite3 may hold up the loop this long */
	BUSY_MS = 200,
};

static const char pragmas[] =
	"PRAGMA cell_size_check = ON;"
	"PRAGMA trusted_schema = OFF;"
	"PRAGMA temp_store = MEMORY;" /* the sandbox lets us write nowhere but in dir */
	"PRAGMA secure_delete = OFF;"
	"PRAGMA synchronous = FULL;"
	/* pages, 4 MiB: then a checkpoint, which takes some milliseconds */
	"PRAGMA wal_autocheckpoint = 1000;"
	/* bytes: after a burst, the WAL file is made smaller again */
	"PRAGMA journal_size_limit = 16777216;";

/* A database with another schema version is not converted: it is set aside. */
enum { SCHEMA_VERSION = 7 };

static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE failures(id INTEGER PRIMARY KEY, jail TEXT NOT NULL, address BLOB NOT NULL,"
	" at INTEGER NOT NULL, kind INTEGER NOT NULL, session INTEGER NOT NULL,"
	" value INTEGER NOT NULL, proven INTEGER NOT NULL, ms INTEGER NOT NULL) STRICT;"
	"CREATE TABLE bans(id INTEGER PRIMARY KEY, jail TEXT NOT NULL, address BLOB NOT NULL,"
	" since INTEGER NOT NULL, until INTEGER NOT NULL, failures INTEGER NOT NULL,"
	" proven INTEGER NOT NULL, state INTEGER NOT NULL, account BLOB NOT NULL,"
	" note BLOB NOT NULL, number INTEGER NOT NULL) STRICT;"
	"CREATE TABLE positions(path BLOB PRIMARY KEY, device INTEGER NOT NULL,"
	" inode INTEGER NOT NULL, generation INTEGER NOT NULL, born INTEGER NOT NULL,"
	" offset INTEGER NOT NULL, hash INTEGER NOT NULL, mark INTEGER NOT NULL) STRICT,"
	" WITHOUT ROWID;"
	"CREATE TABLE cursors(jail TEXT PRIMARY KEY, cursor TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE patterns(jail TEXT NOT NULL, pattern BLOB NOT NULL,"
	" PRIMARY KEY(jail, pattern)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE totals(jail TEXT PRIMARY KEY, failures INTEGER NOT NULL,"
	" bans INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE alerts(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, dest BLOB NOT NULL,"
	" sender BLOB NOT NULL, subject BLOB NOT NULL, body BLOB NOT NULL) STRICT;"
	"CREATE TABLE allows(address BLOB PRIMARY KEY, at INTEGER NOT NULL,"
	" until INTEGER NOT NULL, note BLOB NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE allowed_names(name TEXT PRIMARY KEY, at INTEGER NOT NULL,"
	" until INTEGER NOT NULL, note BLOB NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE names(name TEXT NOT NULL, address BLOB NOT NULL,"
	" PRIMARY KEY(name, address)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE secret(id INTEGER PRIMARY KEY, key BLOB NOT NULL) STRICT;"
	"PRAGMA user_version = 7;"
	"COMMIT";

/* Reads every page, and in STRICT tables also looks whether each value has the type of its column.
 * The first row is "ok" if all is well. It cannot be the table pragma_quick_check(1), since from
 * SQLite 3.46 on that takes the 1 for the name of a table. */
static const char soundness[] = "PRAGMA quick_check(1)";

static const char *const statement_texts[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[ADD_FAILURE] = "INSERT INTO failures(jail, address, at, kind, session, value,"
			" proven, ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	/* SQLite finds min or max alone in the index, but both in one SELECT by reading the whole
	 * table */
	[FAILURE_IDS] = "SELECT (SELECT min(id) FROM failures), (SELECT max(id) FROM failures)",
	[OLD_FAILURES] = "SELECT id, at FROM failures WHERE id > ?1 ORDER BY id LIMIT ?2",
	[DROP_FAILURES] = "DELETE FROM failures WHERE id <= ?1",
	[ADD_BAN] = "INSERT OR REPLACE INTO bans VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
		    " ?11)",
	[UPDATE_BAN] = "UPDATE bans SET until = ?2, failures = ?3, state = ?4, number = ?5"
		       " WHERE id = ?1",
	[SWEEP_BANS] = "DELETE FROM bans WHERE id > ?1 AND id <= ?2 AND state = 2"
		       " AND (max(since, until) < ?3 OR id <= ?4)",
	[SET_POSITION] = "INSERT OR REPLACE INTO positions VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SET_CURSOR] = "INSERT OR REPLACE INTO cursors VALUES(?1, ?2)",
	[GET_CURSOR] = "SELECT cursor FROM cursors WHERE jail = ?1",
	[DROP_POSITION] = "DELETE FROM positions WHERE path = ?1",
	[ADD_PATTERN] = "INSERT OR IGNORE INTO patterns VALUES(?1, ?2)",
	[SET_TOTAL] = "INSERT OR REPLACE INTO totals VALUES(?1, ?2, ?3)",
	[ADD_ALERT] = "INSERT OR REPLACE INTO alerts VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[DROP_ALERT] = "DELETE FROM alerts WHERE id = ?1",
	[CAP_ALERTS] = "DELETE FROM alerts WHERE id <= ?1",
	[SET_ALLOW] = "INSERT OR REPLACE INTO allows VALUES(?1, ?2, ?3, ?4)",
	[DROP_ALLOW] = "DELETE FROM allows WHERE address = ?1",
	[SET_ALLOWED_NAME] = "INSERT OR REPLACE INTO allowed_names VALUES(?1, ?2, ?3, ?4)",
	[DROP_ALLOWED_NAME] = "DELETE FROM allowed_names WHERE name = ?1",
	[DROP_NAME] = "DELETE FROM names WHERE name = ?1",
	[ADD_NAME] = "INSERT OR IGNORE INTO names VALUES(?1, ?2)",
};

/* FAILED: it could not be tried (no rights, disk full, locked). UNUSABLE: it is damaged or not
 * ours, and is set aside. */
enum start { START_OK, START_FAILED, START_UNUSABLE };

int db_error(const struct store *store, const char *what, struct error *err)
{
	int number = sqlite3_system_errno(store->db);

	if (number && sqlite3_errcode(store->db) != SQLITE_CORRUPT)
		return error_errno(err, number, "state database: %s: %s", what,
			sqlite3_errmsg(store->db));
	return error_set(err, "state database: %s: %s", what, sqlite3_errmsg(store->db));
}

static int store_exec(const struct store *store, const char *sql, struct error *err)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_error(store, "cannot set it up", err);
	return 0;
}

int db_read(struct store *store, const char *sql,
	void (*each)(struct store *store, struct sqlite3_stmt *statement, void *context),
	void *context, struct error *err)
{
	struct sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);

	if (rc == SQLITE_OK)
		while ((rc = sqlite3_step(statement)) == SQLITE_ROW)
			each(store, statement, context);
	if (rc != SQLITE_DONE)
		(void)db_error(store, "cannot read it", err);
	(void)sqlite3_finalize(statement); /* repeats the error of the step */
	return rc == SQLITE_DONE ? 0 : -1;
}

static void number_read(struct store *store, struct sqlite3_stmt *statement, void *context)
{
	(void)store;
	*(int64_t *)context = sqlite3_column_int64(statement, 0);
}

static void soundness_read(struct store *store, struct sqlite3_stmt *statement, void *context)
{
	const char *answer = (const char *)sqlite3_column_text(statement, 0);

	(void)store;
	*(bool *)context = answer && strcmp(answer, "ok") != 0;
}

static void key_read(struct store *store, struct sqlite3_stmt *statement, void *context)
{
	bool *found = context;

	if (sqlite3_column_bytes(statement, 0) != STORE_KEY_BYTES)
		return;
	memcpy(store->key, sqlite3_column_blob(statement, 0), STORE_KEY_BYTES);
	*found = true;
}

/* Reads the key of the database, or makes one if it has none. */
static int key_make(struct store *store, struct error *err)
{
	struct sqlite3_stmt *statement = NULL;
	bool found = false;
	int rc;

	if (db_read(store, "SELECT key FROM secret WHERE id = 1", key_read, &found, err) < 0)
		return -1;
	if (found)
		return 0;
	if (getrandom(store->key, sizeof(store->key), 0) != sizeof(store->key))
		return error_errno(err, errno, "no random bytes");
	rc = sqlite3_prepare_v2(store->db, "INSERT OR REPLACE INTO secret VALUES(1, ?1)", -1,
		&statement, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob(statement, 1, store->key, sizeof(store->key), SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc != SQLITE_DONE)
		(void)db_error(store, "cannot write", err);
	(void)sqlite3_finalize(statement); /* repeats the error of the step */
	return rc == SQLITE_DONE ? 0 : -1;
}

static enum start start_failed(const struct store *store)
{
	int rc = sqlite3_errcode(store->db);

	/* SQLITE_ERROR: a statement names a table or column that this database lacks */
	return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB || rc == SQLITE_ERROR ? START_UNUSABLE
										 : START_FAILED;
}

static enum start schema_check(struct store *store, struct error *err)
{
	int64_t version = 0;
	int64_t tables = 0;

	if (db_read(store, "PRAGMA user_version", number_read, &version, err) < 0 ||
		db_read(store, "SELECT count(*) FROM sqlite_schema", number_read, &tables, err) < 0)
		return start_failed(store);
	if (version != SCHEMA_VERSION && (version || tables)) {
		(void)error_set(err, "schema version %lld, this program knows %d",
			(long long)version, SCHEMA_VERSION);
		return START_UNUSABLE;
	}
	if (store_exec(store, "PRAGMA journal_mode = WAL", err) < 0)
		return start_failed(store);
	if (!version && store_exec(store, schema, err) < 0)
		return start_failed(store);
	return START_OK;
}

static enum start rows_check(struct store *store, struct error *err)
{
	bool damaged = false;
	int64_t ban = 0;
	int64_t alert = 0;

	if (db_read(store, soundness, soundness_read, &damaged, err) < 0 ||
		db_read(store, "SELECT max(id) FROM bans", number_read, &ban, err) < 0 ||
		db_read(store, "SELECT max(id) FROM alerts", number_read, &alert, err) < 0)
		return start_failed(store);
	if (damaged) {
		(void)error_set(err, "it is damaged");
		return START_UNUSABLE;
	}
	if (key_make(store, err) < 0)
		return start_failed(store);
	store->next_ban_id = ban + 1;
	store->next_alert_id = alert + 1;
	return START_OK;
}

static enum start store_start(struct store *store, const char *path, struct error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	enum start start;

	if (sqlite3_open_v2(path, &store->db, flags, NULL) != SQLITE_OK) {
		(void)db_error(store, "cannot open it", err);
		return start_failed(store);
	}
	(void)sqlite3_busy_timeout(store->db, BUSY_MS);
	if (store_exec(store, pragmas, err) < 0)
		return start_failed(store);
	start = schema_check(store, err);
	if (start == START_OK)
		start = rows_check(store, err);
	for (size_t i = 0; start == START_OK && i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(store->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
			    &store->statements[i], NULL) != SQLITE_OK) {
			(void)db_error(store, "cannot prepare", err);
			start = start_failed(store);
		}
	return start;
}

static struct store *store_new(void)
{
	struct store *store = alloc_zero(sizeof(*store));

	store->keep_bans_s = KEEP_BANS_S;
	return store;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < STATEMENTS; i++)
		/* it only repeats an error that is reported already */
		(void)sqlite3_finalize(store->statements[i]);
	/* if its checkpoint fails, the WAL stays, and nothing is lost */
	(void)sqlite3_close(store->db);
	unwritten_done(&store->unwritten);
	free(store);
}

int store_open(const char *dir, int64_t now_s, struct store **ret_store, char **ret_note,
	struct error *err)
{
	cleanup_free char *path = alloc_format("%s/state.db", dir);
	cleanup_free char *aside = NULL;
	struct error reason = { "" };
	struct store *store = store_new();
	enum start start = store_start(store, path, &reason);

	*ret_note = NULL;
	if (start == START_UNUSABLE) {
		/* closing would copy the WAL into the damaged file: of the two, it may be the one
		 * that is sound */
		(void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		store_close(store);
		if (aside_move(path, now_s, &aside, err) < 0)
			return -1;
		*ret_note = alloc_format("%s cannot be used (%s): set aside as %s, a new one made",
			path, reason.text, aside);
		store = store_new();
		start = store_start(store, path, &reason);
	}
	if (start != START_OK) {
		free(*ret_note);
		*ret_note = NULL;
		store_close(store);
		return error_set(err, "%s: %s", path, reason.text);
	}
	*ret_store = store;
	return 0;
}
