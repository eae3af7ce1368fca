#include "state/fail2ban_db.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/error.h"

enum { BUSY_MS = 1000 }; /* for a lock of fail2ban, which holds it for milliseconds */

/* Both give the newest ?1 rows, the oldest of them first. The first query: bans of the past, those
 * in table bans that bips has not got. The second: table bips, the bans that stand. */
static const char *const queries[] = {
	"SELECT * FROM (SELECT jail, ip, timeofban, bantime FROM bans AS b WHERE NOT EXISTS"
	" (SELECT 1 FROM bips AS a WHERE a.jail = b.jail AND a.ip = b.ip"
	" AND a.timeofban = b.timeofban) ORDER BY timeofban DESC LIMIT ?1) ORDER BY 3",
	"SELECT * FROM (SELECT jail, ip, timeofban, bantime FROM bips"
	" ORDER BY timeofban DESC LIMIT ?1) ORDER BY 3",
};

/* Limits a number of the file to [min, FAIL2BAN_TIME_MAX_S]: a damaged one must not overflow when
 * times are added. */
static int64_t within(int64_t value, int64_t min)
{
	if (value < min)
		return min;
	return value > FAIL2BAN_TIME_MAX_S ? FAIL2BAN_TIME_MAX_S : value;
}

static int read_rows(sqlite3 *db, int query, void (*each)(void *, const struct fail2ban_ban *),
	void *context)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(db, queries[query], -1, &statement, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int(statement, 1, FAIL2BAN_ROWS_MAX);
	while (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
		struct fail2ban_ban ban = {
			.jail = (const char *)sqlite3_column_text(statement, 0),
			.ip = (const char *)sqlite3_column_text(statement, 1),
			.since_s = within(sqlite3_column_int64(statement, 2), 0),
			.bantime_s = within(sqlite3_column_int64(statement, 3), -1),
			.stands = query == 1,
		};

		if (ban.jail && ban.ip)
			each(context, &ban);
		rc = SQLITE_OK;
	}
	(void)sqlite3_finalize(statement); /* repeats the error of the step */
	return rc == SQLITE_DONE ? 0 : -1;
}

static int failed(sqlite3 *db, const char *path, struct error *err)
{
	if (sqlite3_errcode(db) == SQLITE_BUSY)
		return error_set(err, "cannot read %s: %s", path, sqlite3_errmsg(db));
	return error_set(err, "%s is not a database of fail2ban 0.11 or later: %s", path,
		sqlite3_errmsg(db));
}

int fail2ban_db_read(const char *path, void (*each)(void *context, const struct fail2ban_ban *ban),
	void *context, struct error *err)
{
	sqlite3 *db = NULL;
	struct stat info;
	int rc;

	if (access(path, R_OK) < 0 || stat(path, &info) < 0)
		return error_errno(err, errno, "cannot read %s", path);
	if (!S_ISREG(info.st_mode)) /* opening a FIFO would wait for a writer, perhaps for ever */
		return error_set(err, "%s is not a regular file", path);
	rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK ? 0 : -1;
	/* without it a lock of fail2ban would be an error at once */
	(void)sqlite3_busy_timeout(db, BUSY_MS);
	for (int query = 0; rc == 0 && query < 2; query++)
		rc = read_rows(db, query, each, context);
	if (rc < 0)
		(void)failed(db, path, err);
	(void)sqlite3_close(db); /* nothing was written */
	return rc;
}
