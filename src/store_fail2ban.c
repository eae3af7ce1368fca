#include "store_fail2ban.h"

#include <errno.h>
#include <unistd.h>

#include <sqlite3.h>

#include "error.h"

static const char *const queries[] = {
	"SELECT * FROM (SELECT jail, ip, timeofban, bantime FROM bans AS b WHERE NOT EXISTS"
	" (SELECT 1 FROM bips AS a WHERE a.jail = b.jail AND a.ip = b.ip"
	" AND a.timeofban = b.timeofban) ORDER BY timeofban DESC LIMIT ?1) ORDER BY 3",
	"SELECT * FROM (SELECT jail, ip, timeofban, bantime FROM bips"
	" ORDER BY timeofban DESC LIMIT ?1) ORDER BY 3",
};

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
			.since_s = sqlite3_column_int64(statement, 2),
			.bantime_s = sqlite3_column_int64(statement, 3),
			.stands = query == 1,
		};

		if (ban.jail && ban.ip)
			each(context, &ban);
		rc = SQLITE_OK;
	}
	(void)sqlite3_finalize(statement); /* repeats the error of the step */
	return rc == SQLITE_DONE ? 0 : -1;
}

int store_fail2ban_read(const char *path,
	void (*each)(void *context, const struct fail2ban_ban *ban), void *context,
	struct error *err)
{
	sqlite3 *db = NULL;
	int rc;

	if (access(path, R_OK) < 0)
		return error_errno(err, errno, "cannot read %s", path);
	rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK ? 0 : -1;
	for (int query = 0; rc == 0 && query < 2; query++)
		rc = read_rows(db, query, each, context);
	if (rc < 0)
		(void)error_set(err, "%s is not a database of fail2ban 0.11 or later: %s", path,
			sqlite3_errmsg(db));
	(void)sqlite3_close(db); /* nothing was written */
	return rc;
}
