#ifndef VG_ROWS_H
#define VG_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ip;
struct sqlite3_stmt;

/* What a row of each kind looks like, in memory and in the database: one table, row_layouts, from
 * which rows are copied, written and read. An address is a blob: 4 or 16 bytes for a host, and one
 * more with the prefix length for a network, so 192.0.2.0/24 is c0 00 02 00 18. Raw bytes from
 * outside (accounts, paths, notes) are blobs, too, as they need not be UTF-8. */

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

/* The kinds of unwritten rows, in the order in which a commit writes them. */
enum row_kind {
	ROW_FAILURE,      /* struct store_failure */
	ROW_BAN,          /* struct store_ban of a new ban */
	ROW_BAN_UPDATE,   /* struct store_ban of a ban in the database: only what may change */
	ROW_POSITION,     /* struct tail_position; offset < 0: delete it */
	ROW_CURSOR,       /* struct row_cursor */
	ROW_PATTERN,      /* struct store_pattern */
	ROW_TOTAL,        /* struct store_total */
	ROW_ALERT,        /* struct store_alert of a new alert */
	ROW_ALERT_SENT,   /* int64_t: the id of an alert in the database, to be deleted */
	ROW_ALLOW,        /* struct store_allow of an address */
	ROW_ALLOWED_NAME, /* struct store_allow of a name */
	ROW_NAME,         /* struct store_name */
	ROW_KINDS,
};

struct row_cursor {
	const char *jail;
	const char *cursor;
};

enum column_type {
	COLUMN_NONE,
	COLUMN_INT64,
	COLUMN_UINT32, /* also for an enum */
	COLUMN_INT16,
	COLUMN_BOOL,
	COLUMN_IP,
	COLUMN_JAIL,  /* text, UTF-8; a name that all rows of the jail share */
	COLUMN_TEXT,  /* text, UTF-8 */
	COLUMN_BYTES, /* blob of raw bytes; a string without NUL inside */
};

enum { ROW_COLUMNS_MAX = 12 };

/* How rows of one kind are kept while they wait, and which statements write and read them. */
struct row_layout {
	size_t bytes;
	/* rows that may wait; 0: the caller or the configuration limits them */
	size_t max;
	size_t dropped; /* so many of the oldest are dropped at once when max is reached */
	/* a new row replaces the one that waits with the same texts in the first `keys` columns; 0:
	 * all rows are kept */
	size_t keys;
	enum statement write;  /* its parameters are the columns, in their order */
	enum statement forget; /* deletes a row; its parameter is the first column */
	const char *select;    /* reads all rows, the columns in their order; NULL: never read */
	/* offset: of the field in the struct, in bytes. Ends with a COLUMN_NONE. */
	struct {
		enum column_type type;
		size_t offset;
	} columns[ROW_COLUMNS_MAX];
};

extern const struct row_layout row_layouts[ROW_KINDS];

/* Whether the row does not hold values, but asks for the row of its first column to be deleted. */
bool row_is_forgotten(enum row_kind kind, const void *row);
/* Binds the first n columns to the parameters 1 to n. If a bind fails, the parameter stays NULL,
 * and the step fails, as every column is NOT NULL. The texts must live until the step. */
void row_bind(enum row_kind kind, const void *row, size_t n, struct sqlite3_stmt *statement);
/* Reads the row that the statement stands on. Its texts live until the next step. False: its
 * address is none, as when a bit has flipped in a page that is sound otherwise. */
bool row_read(enum row_kind kind, struct sqlite3_stmt *statement, void *ret_row);
/* Where the row keeps the text of a column of type jail, text or bytes; NULL: the column has
 * another type. */
const char **row_text(enum row_kind kind, void *row, size_t column);

#endif
