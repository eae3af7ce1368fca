#include "state/store.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/alloc.h"
#include "base/error.h"
#include "state/db.h"

enum {
	EXPIRE_ROWS = 5000, /* failures looked at a commit, 50 000 a second */
	SWEEP_IDS = 256,    /* bans looked at a commit */
};

int store_open(const char *dir, int64_t now_s, struct store **ret_store, char **ret_note,
	struct error *err)
{
	return store_db_open(dir, now_s, ret_store, ret_note, err);
}

void store_close(struct store *store)
{
	store_db_close(store);
}

static int bind_bytes(sqlite3_stmt *statement, int column, const char *text)
{
	return sqlite3_bind_blob64(statement, column, text, strlen(text), SQLITE_STATIC);
}

static int bind_jail(sqlite3_stmt *statement, int column, const char *jail)
{
	return sqlite3_bind_text(statement, column, jail, -1, SQLITE_STATIC);
}

/* NUL-ended; the caller frees. */
static char *column_bytes(sqlite3_stmt *statement, int column)
{
	const void *bytes = sqlite3_column_blob(statement, column);

	return alloc_bytes(bytes, (size_t)sqlite3_column_bytes(statement, column));
}

static const char *column_jail(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	return text ? (const char *)text : "";
}

static void load_failure(struct store *store, struct sqlite3_stmt *statement, void *context)
{
	const struct store_loader *loader = context;
	struct store_failure failure = {
		.jail = column_jail(statement, 0),
		.ip = store_db_ip(statement, 1),
		.at_s = sqlite3_column_int64(statement, 2),
		.kind = (enum store_kind)sqlite3_column_int(statement, 3),
		.session = (uint64_t)sqlite3_column_int64(statement, 4),
		.value = sqlite3_column_int64(statement, 5),
		.proven = sqlite3_column_int(statement, 6) != 0,
		.ms = (int16_t)sqlite3_column_int(statement, 7),
	};

	(void)store;
	/* a flipped bit in a page that is otherwise whole */
	if (!failure.ip.family || failure.kind > STORE_JOINED)
		return;
	loader->failure(loader->context, &failure);
}

static void load_ban(struct store *store, struct sqlite3_stmt *statement, void *context)
{
	const struct store_loader *loader = context;
	cleanup_free char *account = column_bytes(statement, 8);
	cleanup_free char *note = column_bytes(statement, 9);
	struct store_ban ban = {
		.id = sqlite3_column_int64(statement, 0),
		.jail = column_jail(statement, 1),
		.ip = store_db_ip(statement, 2),
		.since_s = sqlite3_column_int64(statement, 3),
		.until_s = sqlite3_column_int64(statement, 4),
		.failures = (uint32_t)sqlite3_column_int64(statement, 5),
		.proven = sqlite3_column_int(statement, 6) != 0,
		.state = (enum store_ban_state)sqlite3_column_int(statement, 7),
		.account = account,
		.note = note,
		.number = (uint32_t)sqlite3_column_int64(statement, 10),
	};

	(void)store;
	if (!ban.ip.family || ban.state > STORE_BAN_ENDED)
		return;
	loader->ban(loader->context, &ban);
}

static void load_position(struct store *store, struct sqlite3_stmt *statement, void *context)
{
	const struct store_loader *loader = context;
	cleanup_free char *path = column_bytes(statement, 0);
	struct tail_position position = {
		.path = path,
		.identity = {
			.device = (uint64_t)sqlite3_column_int64(statement, 1),
			.inode = (uint64_t)sqlite3_column_int64(statement, 2),
			.generation = (uint64_t)sqlite3_column_int64(statement, 3),
			.born_ns = sqlite3_column_int64(statement, 4),
		},
		.offset = sqlite3_column_int64(statement, 5),
		.hash = (uint64_t)sqlite3_column_int64(statement, 6),
		.mark = (uint32_t)sqlite3_column_int64(statement, 7),
	};

	(void)store;
	loader->position(loader->context, &position);
}

static void load_pattern(struct store *store, struct sqlite3_stmt *statement, void *context)
{
	const struct store_loader *loader = context;
	cleanup_free char *pattern = column_bytes(statement, 1);

	(void)store;
	loader->pattern(loader->context, column_jail(statement, 0), pattern);
}

static void load_total(struct store *store, struct sqlite3_stmt *statement, void *context)
{
	const struct store_loader *loader = context;

	(void)store;
	loader->total(loader->context, column_jail(statement, 0),
		(uint64_t)sqlite3_column_int64(statement, 1),
		(uint64_t)sqlite3_column_int64(statement, 2));
}

static void load_alert(struct store *store, struct sqlite3_stmt *statement, void *context)
{
	const struct store_loader *loader = context;
	cleanup_free char *dest = column_bytes(statement, 2);
	cleanup_free char *sender = column_bytes(statement, 3);
	cleanup_free char *subject = column_bytes(statement, 4);
	cleanup_free char *body = column_bytes(statement, 5);
	struct store_alert alert = {
		.id = sqlite3_column_int64(statement, 0),
		.at_s = sqlite3_column_int64(statement, 1),
		.dest = dest,
		.sender = sender,
		.subject = subject,
		.body = body,
	};

	(void)store;
	loader->alert(loader->context, &alert);
}

static void load_allow(struct store *store, struct sqlite3_stmt *statement, void *context)
{
	const struct store_loader *loader = context;
	cleanup_free char *note = column_bytes(statement, 3);
	struct store_allow allow = {
		.ip = store_db_ip(statement, 0),
		.at_s = sqlite3_column_int64(statement, 1),
		.until_s = sqlite3_column_int64(statement, 2),
		.note = note,
	};

	(void)store;
	if (allow.ip.family && loader->allow)
		loader->allow(loader->context, &allow);
}

static void load_allowed_name(struct store *store, struct sqlite3_stmt *statement, void *context)
{
	const struct store_loader *loader = context;
	cleanup_free char *note = column_bytes(statement, 3);
	struct store_allow allow = {
		.name = column_jail(statement, 0),
		.at_s = sqlite3_column_int64(statement, 1),
		.until_s = sqlite3_column_int64(statement, 2),
		.note = note,
	};

	(void)store;
	if (loader->allow)
		loader->allow(loader->context, &allow);
}

static void load_name(struct store *store, struct sqlite3_stmt *statement, void *context)
{
	const struct store_loader *loader = context;
	struct ip ip = store_db_ip(statement, 1);

	(void)store;
	if (loader->name && ip.family)
		loader->name(loader->context, column_jail(statement, 0), &ip);
}

int store_load(struct store *store, const struct store_loader *loader, struct error *err)
{
	static const struct {
		const char *sql;
		void (*each)(struct store *store, struct sqlite3_stmt *statement, void *context);
	} tables[] = {
		/* names before their addresses, and both before bans */
		{ "SELECT * FROM allowed_names ORDER BY at", load_allowed_name },
		{ "SELECT * FROM names", load_name },
		{ "SELECT jail, address, at, kind, session, value, proven, ms FROM failures"
		  " ORDER BY id",
			load_failure },
		{ "SELECT * FROM bans ORDER BY id", load_ban },
		{ "SELECT * FROM positions", load_position },
		{ "SELECT * FROM patterns", load_pattern },
		{ "SELECT * FROM totals", load_total },
		{ "SELECT * FROM alerts ORDER BY id", load_alert },
		{ "SELECT * FROM allows ORDER BY at", load_allow },
	};
	struct store_loader copy = *loader;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (store_db_read(store, tables[i].sql, tables[i].each, &copy, err) < 0)
			return -1;
	return 0;
}

void store_failure(struct store *store, const struct store_failure *failure)
{
	store_queue_failure(&store->queue, failure);
}

int64_t store_ban(struct store *store, const struct store_ban *ban)
{
	struct store_ban row = *ban;

	if (row.id) {
		store_queue_ban_update(&store->queue, &row);
		return row.id;
	}
	row.id = store->next_ban_id++;
	store_queue_ban(&store->queue, &row);
	return row.id;
}

void store_position(struct store *store, const struct tail_position *position)
{
	store_queue_position(&store->queue, position, false);
}

void store_forget_position(struct store *store, const char *path)
{
	store_queue_position(&store->queue, &(struct tail_position){ .path = path }, true);
}

void store_pattern(struct store *store, const char *jail, const char *pattern)
{
	store_queue_pattern(&store->queue, jail, pattern);
}

void store_total(struct store *store, const char *jail, uint64_t failures, uint64_t bans)
{
	store_queue_total(&store->queue,
		&(struct store_queue_total){ .jail = jail, .failures = failures, .bans = bans });
}

int64_t store_alert(struct store *store, const struct store_alert *alert)
{
	struct store_alert row = *alert;

	row.id = store->next_alert_id++;
	store_queue_alert(&store->queue, &row);
	return row.id;
}

void store_forget_allowed_name(struct store *store, const char *name)
{
	store_queue_allow(&store->queue, &(struct store_allow){ .name = name }, true);
}

void store_name(struct store *store, const struct store_name *name)
{
	store_queue_host(&store->queue, name);
}

void store_alert_sent(struct store *store, int64_t id)
{
	store_queue_alert_sent(&store->queue, id);
}

void store_allow(struct store *store, const struct store_allow *allow)
{
	store_queue_allow(&store->queue, allow, false);
}

void store_forget_allow(struct store *store, const struct ip *ip)
{
	store_queue_allow(&store->queue, &(struct store_allow){ .ip = *ip }, true);
}

bool store_is_dirty(const struct store *store)
{
	return store_queue_count(&store->queue) > 0;
}

uint64_t store_lost(const struct store *store)
{
	return store->queue.lost;
}

/* A bind that failed is remembered by the handle: the step would work on NULL and hit NOT NULL. */
static int run(struct store *store, enum statement which, struct error *err)
{
	sqlite3_stmt *statement = store->statements[which];
	int result = 0;

	if (sqlite3_step(statement) != SQLITE_DONE)
		result = store_db_error(store, "cannot write", err);
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return result;
}

static int run_numbers(struct store *store, enum statement which, const int64_t *numbers, int n,
	struct error *err)
{
	for (int i = 0; i < n; i++)
		(void)sqlite3_bind_int64(store->statements[which], i + 1, numbers[i]);
	return run(store, which, err);
}

static int write_failures(struct store *store, struct error *err)
{
	sqlite3_stmt *statement = store->statements[ADD_FAILURE];

	for (size_t i = 0; i < store->queue.n_failures; i++) {
		const struct store_failure *row = &store->queue.failures[i];

		(void)bind_jail(statement, 1, row->jail);
		(void)store_db_bind_ip(statement, 2, &row->ip);
		(void)sqlite3_bind_int64(statement, 3, row->at_s);
		(void)sqlite3_bind_int(statement, 4, (int)row->kind);
		(void)sqlite3_bind_int64(statement, 5, (int64_t)row->session);
		(void)sqlite3_bind_int64(statement, 6, row->value);
		(void)sqlite3_bind_int(statement, 7, row->proven);
		(void)sqlite3_bind_int(statement, 8, row->ms);
		if (run(store, ADD_FAILURE, err) < 0)
			return -1;
	}
	return 0;
}

static int write_bans(struct store *store, struct error *err)
{
	sqlite3_stmt *statement = store->statements[ADD_BAN];

	for (size_t i = 0; i < store->queue.n_bans; i++) {
		const struct store_ban *row = &store->queue.bans[i];

		(void)sqlite3_bind_int64(statement, 1, row->id);
		(void)bind_jail(statement, 2, row->jail);
		(void)store_db_bind_ip(statement, 3, &row->ip);
		(void)sqlite3_bind_int64(statement, 4, row->since_s);
		(void)sqlite3_bind_int64(statement, 5, row->until_s);
		(void)sqlite3_bind_int64(statement, 6, row->failures);
		(void)sqlite3_bind_int(statement, 7, row->proven);
		(void)sqlite3_bind_int(statement, 8, (int)row->state);
		(void)bind_bytes(statement, 9, row->account);
		(void)bind_bytes(statement, 10, row->note);
		(void)sqlite3_bind_int64(statement, 11, row->number);
		if (run(store, ADD_BAN, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < store->queue.n_updates; i++) {
		const struct store_ban *row = &store->queue.updates[i];
		int64_t numbers[] = { row->id, row->until_s, row->failures, row->state,
			row->number };

		if (run_numbers(store, UPDATE_BAN, numbers, 5, err) < 0)
			return -1;
	}
	return 0;
}

static int write_positions(struct store *store, struct error *err)
{
	for (size_t i = 0; i < store->queue.n_positions; i++) {
		const struct tail_position *row = &store->queue.positions[i].position;
		bool forget = store->queue.positions[i].forget;
		enum statement which = forget ? DROP_POSITION : SET_POSITION;
		sqlite3_stmt *statement = store->statements[which];

		(void)bind_bytes(statement, 1, row->path);
		if (!forget) {
			(void)sqlite3_bind_int64(statement, 2, (int64_t)row->identity.device);
			(void)sqlite3_bind_int64(statement, 3, (int64_t)row->identity.inode);
			(void)sqlite3_bind_int64(statement, 4, (int64_t)row->identity.generation);
			(void)sqlite3_bind_int64(statement, 5, row->identity.born_ns);
			(void)sqlite3_bind_int64(statement, 6, row->offset);
			(void)sqlite3_bind_int64(statement, 7, (int64_t)row->hash);
			(void)sqlite3_bind_int64(statement, 8, row->mark);
		}
		if (run(store, which, err) < 0)
			return -1;
	}
	return 0;
}

static int write_jails(struct store *store, struct error *err)
{
	for (size_t i = 0; i < store->queue.n_patterns; i++) {
		(void)bind_jail(store->statements[ADD_PATTERN], 1, store->queue.patterns[i].jail);
		(void)bind_bytes(store->statements[ADD_PATTERN], 2,
			store->queue.patterns[i].pattern);
		if (run(store, ADD_PATTERN, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < store->queue.n_totals; i++) {
		const struct store_queue_total *row = &store->queue.totals[i];
		sqlite3_stmt *statement = store->statements[SET_TOTAL];

		(void)bind_jail(statement, 1, row->jail);
		(void)sqlite3_bind_int64(statement, 2, (int64_t)row->failures);
		(void)sqlite3_bind_int64(statement, 3, (int64_t)row->bans);
		if (run(store, SET_TOTAL, err) < 0)
			return -1;
	}
	return 0;
}

static int write_alerts(struct store *store, struct error *err)
{
	sqlite3_stmt *statement = store->statements[ADD_ALERT];
	int64_t capped = store->next_alert_id - 1 - STORE_ALERTS_MAX;

	for (size_t i = 0; i < store->queue.n_alerts; i++) {
		const struct store_alert *row = &store->queue.alerts[i];

		(void)sqlite3_bind_int64(statement, 1, row->id);
		(void)sqlite3_bind_int64(statement, 2, row->at_s);
		(void)bind_bytes(statement, 3, row->dest);
		(void)bind_bytes(statement, 4, row->sender);
		(void)bind_bytes(statement, 5, row->subject);
		(void)bind_bytes(statement, 6, row->body);
		if (run(store, ADD_ALERT, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < store->queue.n_sent; i++)
		if (run_numbers(store, DROP_ALERT, &store->queue.sent[i], 1, err) < 0)
			return -1;
	return store->queue.n_alerts ? run_numbers(store, CAP_ALERTS, &capped, 1, err) : 0;
}

static int write_allows(struct store *store, struct error *err)
{
	for (size_t i = 0; i < store->queue.n_allows; i++) {
		const struct store_allow *row = &store->queue.allows[i].allow;
		bool forget = store->queue.allows[i].forget;
		enum statement which = forget ? DROP_ALLOW : SET_ALLOW;

		if (row->name) {
			which = forget ? DROP_ALLOWED_NAME : SET_ALLOWED_NAME;
			(void)bind_jail(store->statements[which], 1, row->name);
		} else {
			(void)store_db_bind_ip(store->statements[which], 1, &row->ip);
		}
		if (!forget) {
			(void)sqlite3_bind_int64(store->statements[which], 2, row->at_s);
			(void)sqlite3_bind_int64(store->statements[which], 3, row->until_s);
			(void)bind_bytes(store->statements[which], 4, row->note);
		}
		if (run(store, which, err) < 0)
			return -1;
	}
	return 0;
}

static int write_names(struct store *store, struct error *err)
{
	sqlite3_stmt *add = store->statements[ADD_NAME];

	for (size_t i = 0; i < store->queue.n_hosts; i++) {
		const struct store_name *row = &store->queue.hosts[i];

		(void)bind_jail(store->statements[DROP_NAME], 1, row->name);
		if (run(store, DROP_NAME, err) < 0)
			return -1;
		for (size_t k = 0; k < row->count; k++) {
			(void)bind_jail(add, 1, row->name);
			(void)store_db_bind_ip(add, 2, &row->addresses[k]);
			if (run(store, ADD_NAME, err) < 0)
				return -1;
		}
	}
	return 0;
}

/* Deletes a prefix of ids: what is beyond the cap, then what is old, up to the first row that is
 * not (a stamp in the future holds back those behind it until the cap takes it). */
static int expire_failures(struct store *store, int64_t before_s, struct error *err)
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
		return store_db_error(store, "cannot read it", err);
	if (!any)
		return 0;
	(void)sqlite3_bind_int64(old, 1, last);
	(void)sqlite3_bind_int64(old, 2, EXPIRE_ROWS);
	while ((rc = sqlite3_step(old)) == SQLITE_ROW && sqlite3_column_int64(old, 1) < before_s)
		last = sqlite3_column_int64(old, 0);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		(void)store_db_error(store, "cannot read it", err);
	(void)sqlite3_reset(old); /* repeats the error of the step */
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return -1;
	return last >= first ? run_numbers(store, DROP_FAILURES, &last, 1, err) : 0;
}

/* Looks at the next few bans, round and round. */
static int sweep_bans(struct store *store, int64_t before_s, struct error *err)
{
	int64_t numbers[] = { store->swept_id, store->swept_id + SWEEP_IDS,
		before_s - store->keep_bans_s, store->next_ban_id - 1 - STORE_BANS_MAX };

	if (run_numbers(store, SWEEP_BANS, numbers, 4, err) < 0)
		return -1;
	store->swept_id = numbers[1] < store->next_ban_id ? numbers[1] : 0;
	return 0;
}

int store_commit(struct store *store, int64_t expire_before_s, struct error *err)
{
	if (!store_is_dirty(store) && !store->queue.n_positions && !store->queue.n_cursors)
		return 0;
	if (run(store, BEGIN, err) < 0)
		return -1;
	if (write_failures(store, err) < 0 || write_bans(store, err) < 0 ||
		write_positions(store, err) < 0 || store_cursors_write(store, err) < 0 ||
		write_jails(store, err) < 0 || write_alerts(store, err) < 0 ||
		write_allows(store, err) < 0 || write_names(store, err) < 0 ||
		expire_failures(store, expire_before_s, err) < 0 ||
		sweep_bans(store, expire_before_s, err) < 0 || run(store, COMMIT, err) < 0) {
		/* SQLite itself rolls back after some errors, a full disk among them */
		if (!sqlite3_get_autocommit(store->db))
			(void)run(store, ROLLBACK, NULL);
		return -1;
	}
	store_queue_clear(&store->queue);
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
