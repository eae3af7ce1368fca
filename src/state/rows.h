#ifndef VG_ROWS_H
#define VG_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ip;
struct sqlite3_stmt;

/* What a row of each kind looks like, in memory and in the database: one table for keeping, writing
 * and reading them. Addresses are blobs: 4 or 16 bytes for a host, one byte of prefix length behind
 * them for a network. Raw bytes from outside (accounts, paths, notes) are blobs too. */

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

/* In the order in which a commit writes them. */
enum row_kind {
	ROW_FAILURE,      /* struct store_failure */
	ROW_BAN,          /* struct store_ban, a new one */
	ROW_BAN_UPDATE,   /* struct store_ban of a row in the database: no texts, no address */
	ROW_POSITION,     /* struct tail_position; offset < 0: forget it */
	ROW_CURSOR,       /* struct row_cursor */
	ROW_PATTERN,      /* struct row_pattern */
	ROW_TOTAL,        /* struct row_total */
	ROW_ALERT,        /* struct store_alert, a new one */
	ROW_ALERT_SENT,   /* int64_t, the id of one in the database */
	ROW_ALLOW,        /* struct store_allow of an address */
	ROW_ALLOWED_NAME, /* struct store_allow of a name */
	ROW_NAME,         /* struct store_name */
	ROW_KINDS,
};

struct row_cursor {
	const char *jail;
	const char *cursor;
};

struct row_pattern {
	const char *jail;
	const char *pattern;
};

struct row_total {
	const char *jail;
	uint64_t failures;
	uint64_t bans;
};

enum column_type {
	COLUMN_NONE,
	COLUMN_INT64,
	COLUMN_UINT32, /* an enum too */
	COLUMN_INT16,
	COLUMN_BOOL,
	COLUMN_IP,
	COLUMN_JAIL,  /* text; each is kept once */
	COLUMN_TEXT,  /* text, UTF-8 */
	COLUMN_BYTES, /* blob */
};

enum { ROW_COLUMNS_MAX = 12 };

struct row_layout {
	size_t bytes;
	size_t max;            /* rows that wait; 0: the caller or the configuration bounds them */
	size_t dropped;        /* beyond max, the oldest go, so many at once */
	size_t keys;           /* a later row whose first columns are these takes the place of an
				* earlier one; 0: all are kept */
	enum statement write;  /* columns are bound in their order */
	enum statement forget; /* only the first column is bound */
	const char *select;    /* of the columns in their order; NULL: not read */
	/* The last is COLUMN_NONE. */
	struct {
		enum column_type type;
		size_t offset;
	} columns[ROW_COLUMNS_MAX];
};

extern const struct row_layout row_layouts[ROW_KINDS];

/* The row asks for what it names to be forgotten. */
bool row_is_forgotten(enum row_kind kind, const void *row);
/* Binds the first n columns. A bind that fails leaves NULL, which the step refuses. */
void row_bind(enum row_kind kind, const void *row, size_t n, struct sqlite3_stmt *statement);
/* The row a statement stands on. Texts live until its next step. False: an address is none, as
 * where a bit has flipped in a page that is otherwise whole. */
bool row_read(enum row_kind kind, struct sqlite3_stmt *statement, void *ret_row);
/* The text of a column of type jail, text or bytes; NULL: it has another type. */
const char **row_text(enum row_kind kind, void *row, size_t column);

#endif
