#include "state/store.h"

#include <string.h>

#include <sqlite3.h>

#include "base/error.h"
#include "base/text.h"
#include "state/db.h"

enum {
	EXPIRE_ROWS = 5000, /* failures looked at in one commit: at 10 commits a second, 50 000 */
	SWEEP_IDS = 256,    /* bans looked at in one commit */
};

/* ---- reading ---- */

/* The table that is being read, and who gets its rows. */
struct loading {
	void (*each)(void *context, enum store_table table, const union store_row *row);
	void *context;
	enum store_table table;
};

static const enum row_kind table_kinds[STORE_TABLES] = {
	[STORE_ALLOWED_NAMES] = ROW_ALLOWED_NAME,
	[STORE_NAMES] = ROW_NAME,
	[STORE_FAILURES] = ROW_FAILURE,
	[STORE_BANS] = ROW_BAN,
	[STORE_POSITIONS] = ROW_POSITION,
	[STORE_PATTERNS] = ROW_PATTERN,
	[STORE_TOTALS] = ROW_TOTAL,
	[STORE_ALERTS] = ROW_ALERT,
	[STORE_ALLOWS] = ROW_ALLOW,
};

static void load_row(struct store *store, struct sqlite3_stmt *statement, void *context)
{
	const struct loading *loading = context;
	enum store_table table = loading->table;
	union store_row row;

	(void)store;
	if (row_read(table_kinds[table], statement, &row) &&
		(table != STORE_FAILURES || row.failure.kind <= STORE_JOINED) &&
		(table != STORE_BANS || row.ban.state <= STORE_BAN_ENDED))
		loading->each(loading->context, table, &row);
}

int store_load(struct store *store,
	void (*each)(void *context, enum store_table table, const union store_row *row),
	void *context, struct error *err)
{
	struct loading loading = { .each = each, .context = context };

	for (; loading.table < STORE_TABLES; loading.table++)
		if (db_read(store, row_layouts[table_kinds[loading.table]].select, load_row,
			    &loading, err) < 0)
			return -1;
	return 0;
}

int store_read_cursor(struct store *store, const char *jail, char ret_cursor[STORE_CURSOR_MAX],
	struct error *err)
{
	sqlite3_stmt *statement = store->statements[GET_CURSOR];
	int rc;

	ret_cursor[0] = '\0';
	(void)sqlite3_bind_text(statement, 1, jail, -1, SQLITE_STATIC);
	rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW && sqlite3_column_bytes(statement, 0) < STORE_CURSOR_MAX)
		text_format(ret_cursor, STORE_CURSOR_MAX, "%s",
			(const char *)sqlite3_column_text(statement, 0));
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return 0;
	return db_error(store, "cannot read it", err);
}

/* ---- what is to be written ---- */

void store_failure(struct store *store, const struct store_failure *failure)
{
	unwritten_add(&store->unwritten, ROW_FAILURE, failure);
}

/* A new ban that no commit has written yet, or NULL. Their ids have no gaps, so the id tells the
 * place. */
static struct store_ban *find_new_ban(const struct store *store, int64_t id)
{
	size_t count = store->unwritten.lists[ROW_BAN].count;
	const struct store_ban *first = unwritten_row(&store->unwritten, ROW_BAN, 0);

	if (!count || id < first->id || id - first->id >= (int64_t)count)
		return NULL;
	return unwritten_row(&store->unwritten, ROW_BAN, (size_t)(id - first->id));
}

int64_t store_ban(struct store *store, const struct store_ban *ban)
{
	struct store_ban update = { .id = ban->id,
		.until_s = ban->until_s,
		.failures = ban->failures,
		.state = ban->state,
		.number = ban->number };
	struct store_ban row = *ban;
	struct store_ban *new_one;

	if (!ban->id) {
		row.id = store->next_ban_id++;
		unwritten_add(&store->unwritten, ROW_BAN, &row);
		return row.id;
	}
	new_one = find_new_ban(store, ban->id);
	if (new_one) {
		new_one->until_s = ban->until_s;
		new_one->failures = ban->failures;
		new_one->state = ban->state;
		new_one->number = ban->number;
	} else {
		unwritten_add(&store->unwritten, ROW_BAN_UPDATE, &update);
	}
	return ban->id;
}

void store_position(struct store *store, const struct tail_position *position)
{
	unwritten_add(&store->unwritten, ROW_POSITION, position);
}

void store_cursor(struct store *store, const char *jail, const char *cursor)
{
	if (strlen(cursor) < STORE_CURSOR_MAX)
		unwritten_add(&store->unwritten, ROW_CURSOR,
			&(struct row_cursor){ .jail = jail, .cursor = cursor });
}

void store_pattern(struct store *store, const char *jail, const char *pattern)
{
	unwritten_add(&store->unwritten, ROW_PATTERN,
		&(struct store_pattern){ .jail = jail, .pattern = pattern });
}

void store_total(struct store *store, const char *jail, uint64_t failures, uint64_t bans)
{
	unwritten_add(&store->unwritten, ROW_TOTAL,
		&(struct store_total){ .jail = jail, .failures = failures, .bans = bans });
}

int64_t store_alert(struct store *store, const struct store_alert *alert)
{
	struct store_alert row = *alert;

	row.id = store->next_alert_id++;
	unwritten_add(&store->unwritten, ROW_ALERT, &row);
	return row.id;
}

void store_alert_sent(struct store *store, int64_t id)
{
	for (size_t i = 0; i < store->unwritten.lists[ROW_ALERT].count; i++) {
		const struct store_alert *alert = unwritten_row(&store->unwritten, ROW_ALERT, i);

		if (alert->id == id) {
			unwritten_remove(&store->unwritten, ROW_ALERT, i, 1);
			return;
		}
	}
	unwritten_add(&store->unwritten, ROW_ALERT_SENT, &id);
}

void store_allow(struct store *store, const struct store_allow *allow)
{
	unwritten_add(&store->unwritten, allow->name ? ROW_ALLOWED_NAME : ROW_ALLOW, allow);
}

void store_name(struct store *store, const struct store_name *name)
{
	unwritten_add(&store->unwritten, ROW_NAME, name);
}

bool store_is_dirty(const struct store *store)
{
	for (int kind = 0; kind < ROW_KINDS; kind++)
		if (kind != ROW_POSITION && kind != ROW_CURSOR &&
			store->unwritten.lists[kind].count)
			return true;
	return false;
}

uint64_t store_lost(const struct store *store)
{
	return store->unwritten.lost;
}

/* ---- a commit ---- */

/* Runs a statement whose columns are bound. A bind that failed has left NULL, which the NOT NULL
 * columns refuse: then the step fails. */
static int statement_run(struct store *store, enum statement which, struct error *err)
{
	sqlite3_stmt *statement = store->statements[which];
	int result = 0;

	if (sqlite3_step(statement) != SQLITE_DONE)
		result = db_error(store, "cannot write", err);
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return result;
}

static int statement_run_numbers(struct store *store, enum statement which, const int64_t *numbers,
	int n, struct error *err)
{
	for (int i = 0; i < n; i++)
		(void)sqlite3_bind_int64(store->statements[which], i + 1, numbers[i]);
	return statement_run(store, which, err);
}

/* Deletes the addresses that the name had and writes those that it has. */
static int write_name(struct store *store, const struct store_name *name, struct error *err)
{
	struct store_name one = { .name = name->name };

	row_bind(ROW_NAME, name, 1, store->statements[DROP_NAME]);
	if (statement_run(store, DROP_NAME, err) < 0)
		return -1;
	for (size_t i = 0; i < name->count; i++) {
		one.addresses[0] = name->addresses[i];
		row_bind(ROW_NAME, &one, ROW_COLUMNS_MAX, store->statements[ADD_NAME]);
		if (statement_run(store, ADD_NAME, err) < 0)
			return -1;
	}
	return 0;
}

static int write_row(struct store *store, enum row_kind kind, const void *row, struct error *err)
{
	bool forget = row_is_forgotten(kind, row);
	enum statement which = forget ? row_layouts[kind].forget : row_layouts[kind].write;

	if (kind == ROW_NAME)
		return write_name(store, row, err);
	row_bind(kind, row, forget ? 1 : ROW_COLUMNS_MAX, store->statements[which]);
	return statement_run(store, which, err);
}

static int write_rows(struct store *store, struct error *err)
{
	for (int kind = 0; kind < ROW_KINDS; kind++)
		for (size_t i = 0; i < store->unwritten.lists[kind].count; i++) {
			const void *row = unwritten_row(&store->unwritten, kind, i);

			if (write_row(store, kind, row, err) < 0)
				return -1;
		}
	return 0;
}

/* Deletes the oldest alerts beyond STORE_ALERTS_MAX, which only a new one can bring. */
static int alerts_cap(struct store *store, struct error *err)
{
	int64_t capped = store->next_alert_id - 1 - STORE_ALERTS_MAX;

	if (!store->unwritten.lists[ROW_ALERT].count)
		return 0;
	return statement_run_numbers(store, CAP_ALERTS, &capped, 1, err);
}

/* Deletes failures from the front of the table, in the order of ids, which is the order of
 * counting: first what is beyond STORE_FAILURES_MAX, then rows with at < before_s up to the first
 * that is not old. So a row whose stamp is in the future holds back those behind it until the cap
 * deletes it. */
static int failures_expire(struct store *store, int64_t before_s, struct error *err)
{
	sqlite3_stmt *ids = store->statements[FAILURE_IDS];
	sqlite3_stmt *old = store->statements[OLD_FAILURES];
	int rc = sqlite3_step(ids);
	int64_t first = sqlite3_column_int64(ids, 0);
	int64_t kept = sqlite3_column_int64(ids, 1) - STORE_FAILURES_MAX;
	int64_t last = kept >= first ? kept : first - 1;
	bool any = sqlite3_column_type(ids, 0) != SQLITE_NULL;

	(void)sqlite3_reset(ids); /* repeats the error of the step */
	if (rc != SQLITE_ROW)
		return db_error(store, "cannot read it", err);
	if (!any)
		return 0;
	(void)sqlite3_bind_int64(old, 1, last);
	(void)sqlite3_bind_int64(old, 2, EXPIRE_ROWS);
	while ((rc = sqlite3_step(old)) == SQLITE_ROW && sqlite3_column_int64(old, 1) < before_s)
		last = sqlite3_column_int64(old, 0);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		(void)db_error(store, "cannot read it", err);
	(void)sqlite3_reset(old); /* repeats the error of the step */
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return -1;
	return last >= first ? statement_run_numbers(store, DROP_FAILURES, &last, 1, err) : 0;
}

/* Deletes old bans among the next SWEEP_IDS ids; after the last id the next commit begins at the
 * first again. */
static int bans_sweep(struct store *store, int64_t before_s, struct error *err)
{
	int64_t numbers[] = { store->swept_id, store->swept_id + SWEEP_IDS,
		before_s - store->keep_bans_s, store->next_ban_id - 1 - STORE_BANS_MAX };

	if (statement_run_numbers(store, SWEEP_BANS, numbers, 4, err) < 0)
		return -1;
	store->swept_id = numbers[1] < store->next_ban_id ? numbers[1] : 0;
	return 0;
}

int store_commit(struct store *store, int64_t expire_before_s, struct error *err)
{
	if (!store_is_dirty(store) && !store->unwritten.lists[ROW_POSITION].count &&
		!store->unwritten.lists[ROW_CURSOR].count)
		return 0;
	if (statement_run(store, BEGIN, err) < 0)
		return -1;
	if (write_rows(store, err) < 0 || alerts_cap(store, err) < 0 ||
		failures_expire(store, expire_before_s, err) < 0 ||
		bans_sweep(store, expire_before_s, err) < 0 ||
		statement_run(store, COMMIT, err) < 0) {
		/* after some errors (a full disk is one) SQLite has rolled back by itself */
		if (!sqlite3_get_autocommit(store->db))
			(void)statement_run(store, ROLLBACK, NULL);
		return -1;
	}
	unwritten_clear(&store->unwritten);
	return 0;
}

void store_keep_bans(struct store *store, int64_t keep_s)
{
	store->keep_bans_s = keep_s;
}

const uint8_t *store_key(const struct store *store)
{
	return store->key;
}
