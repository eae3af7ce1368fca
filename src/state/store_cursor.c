/* How far the journal has been read. */
#include "state/db.h"

#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "base/error.h"

void store_cursor(struct store *store, const char *jail, const char *cursor)
{
	if (strlen(cursor) < STORE_CURSOR_MAX)
		store_queue_cursor(&store->queue, jail, cursor);
}

int store_cursors_write(struct store *store, struct error *err)
{
	sqlite3_stmt *statement = store->statements[SET_CURSOR];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < store->queue.n_cursors; i++) {
		const struct store_queue_cursor *row = &store->queue.cursors[i];

		/* a bind that failed leaves NULL, which the step refuses */
		(void)sqlite3_bind_text(statement, 1, row->jail, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(statement, 2, row->text, -1, SQLITE_STATIC);
		if (sqlite3_step(statement) != SQLITE_DONE)
			rc = store_db_error(store, "cannot write", err);
		(void)sqlite3_reset(statement); /* repeats the error of the step */
	}
	return rc;
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
		(void)snprintf(ret_cursor, STORE_CURSOR_MAX, "%s",
			(const char *)sqlite3_column_text(statement, 0)); /* fits */
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return 0;
	return store_db_error(store, "cannot read it", err);
}
