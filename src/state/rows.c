#include "state/store.h"

#include <stdint.h>
#include <string.h>

#include <sqlite3.h>

#include "state/rows.h"

enum { ADDRESS_BYTES_MAX = 17, DROP_PART = 16 };

const struct row_layout row_layouts[ROW_KINDS] = {
	[ROW_FAILURE] = { .bytes = sizeof(struct store_failure),
		.max = STORE_DIRTY_MAX,
		/* dropped rarely, so that moving the rest to the front is cheap */
		.dropped = STORE_DIRTY_MAX / DROP_PART,
		.write = ADD_FAILURE,
		.select = "SELECT jail, address, at, kind, session, value, proven, ms"
			  " FROM failures ORDER BY id",
		.columns = { { COLUMN_JAIL, offsetof(struct store_failure, jail) },
			{ COLUMN_IP, offsetof(struct store_failure, ip) },
			{ COLUMN_INT64, offsetof(struct store_failure, at_s) },
			{ COLUMN_UINT32, offsetof(struct store_failure, kind) },
			{ COLUMN_INT64, offsetof(struct store_failure, session) },
			{ COLUMN_INT64, offsetof(struct store_failure, value) },
			{ COLUMN_BOOL, offsetof(struct store_failure, proven) },
			{ COLUMN_INT16, offsetof(struct store_failure, ms) } } },
	[ROW_BAN] = { .bytes = sizeof(struct store_ban),
		.max = STORE_DIRTY_MAX,
		.dropped = STORE_DIRTY_MAX / DROP_PART,
		.write = ADD_BAN,
		.select = "SELECT * FROM bans ORDER BY id",
		.columns = { { COLUMN_INT64, offsetof(struct store_ban, id) },
			{ COLUMN_JAIL, offsetof(struct store_ban, jail) },
			{ COLUMN_IP, offsetof(struct store_ban, ip) },
			{ COLUMN_INT64, offsetof(struct store_ban, since_s) },
			{ COLUMN_INT64, offsetof(struct store_ban, until_s) },
			{ COLUMN_UINT32, offsetof(struct store_ban, failures) },
			{ COLUMN_BOOL, offsetof(struct store_ban, proven) },
			{ COLUMN_UINT32, offsetof(struct store_ban, state) },
			{ COLUMN_BYTES, offsetof(struct store_ban, account) },
			{ COLUMN_BYTES, offsetof(struct store_ban, note) },
			{ COLUMN_UINT32, offsetof(struct store_ban, number) } } },
	[ROW_BAN_UPDATE] = { .bytes = sizeof(struct store_ban),
		.max = STORE_DIRTY_MAX,
		.dropped = STORE_DIRTY_MAX / DROP_PART,
		.write = UPDATE_BAN,
		.columns = { { COLUMN_INT64, offsetof(struct store_ban, id) },
			{ COLUMN_INT64, offsetof(struct store_ban, until_s) },
			{ COLUMN_UINT32, offsetof(struct store_ban, failures) },
			{ COLUMN_UINT32, offsetof(struct store_ban, state) },
			{ COLUMN_UINT32, offsetof(struct store_ban, number) } } },
	[ROW_POSITION] = { .bytes = sizeof(struct tail_position),
		.max = STORE_POSITIONS_MAX,
		.dropped = 1,
		.keys = 1,
		.write = SET_POSITION,
		.forget = DROP_POSITION,
		.select = "SELECT * FROM positions",
		.columns = { { COLUMN_BYTES, offsetof(struct tail_position, path) },
			{ COLUMN_INT64, offsetof(struct tail_position, identity.device) },
			{ COLUMN_INT64, offsetof(struct tail_position, identity.inode) },
			{ COLUMN_INT64, offsetof(struct tail_position, identity.generation) },
			{ COLUMN_INT64, offsetof(struct tail_position, identity.born_ns) },
			{ COLUMN_INT64, offsetof(struct tail_position, offset) },
			{ COLUMN_INT64, offsetof(struct tail_position, hash) },
			{ COLUMN_UINT32, offsetof(struct tail_position, mark) } } },
	[ROW_CURSOR] = { .bytes = sizeof(struct row_cursor),
		.keys = 1,
		.write = SET_CURSOR,
		.columns = { { COLUMN_JAIL, offsetof(struct row_cursor, jail) },
			{ COLUMN_TEXT, offsetof(struct row_cursor, cursor) } } },
	[ROW_PATTERN] = { .bytes = sizeof(struct store_pattern),
		.keys = 2,
		.write = ADD_PATTERN,
		.select = "SELECT * FROM patterns",
		.columns = { { COLUMN_JAIL, offsetof(struct store_pattern, jail) },
			{ COLUMN_BYTES, offsetof(struct store_pattern, pattern) } } },
	[ROW_TOTAL] = { .bytes = sizeof(struct store_total),
		.keys = 1,
		.write = SET_TOTAL,
		.select = "SELECT * FROM totals",
		.columns = { { COLUMN_JAIL, offsetof(struct store_total, jail) },
			{ COLUMN_INT64, offsetof(struct store_total, failures) },
			{ COLUMN_INT64, offsetof(struct store_total, bans) } } },
	[ROW_ALERT] = { .bytes = sizeof(struct store_alert),
		.max = STORE_ALERTS_MAX,
		.dropped = 1,
		.write = ADD_ALERT,
		.select = "SELECT * FROM alerts ORDER BY id",
		.columns = { { COLUMN_INT64, offsetof(struct store_alert, id) },
			{ COLUMN_INT64, offsetof(struct store_alert, at_s) },
			{ COLUMN_BYTES, offsetof(struct store_alert, dest) },
			{ COLUMN_BYTES, offsetof(struct store_alert, sender) },
			{ COLUMN_BYTES, offsetof(struct store_alert, subject) },
			{ COLUMN_BYTES, offsetof(struct store_alert, body) } } },
	[ROW_ALERT_SENT] = { .bytes = sizeof(int64_t),
		.max = STORE_ALERTS_MAX,
		.dropped = 1,
		.write = DROP_ALERT,
		.columns = { { COLUMN_INT64, 0 } } },
	[ROW_ALLOW] = { .bytes = sizeof(struct store_allow),
		.max = STORE_ALLOWS_MAX,
		.dropped = 1,
		.write = SET_ALLOW,
		.forget = DROP_ALLOW,
		.select = "SELECT * FROM allows ORDER BY at",
		.columns = { { COLUMN_IP, offsetof(struct store_allow, ip) },
			{ COLUMN_INT64, offsetof(struct store_allow, at_s) },
			{ COLUMN_INT64, offsetof(struct store_allow, until_s) },
			{ COLUMN_BYTES, offsetof(struct store_allow, note) } } },
	[ROW_ALLOWED_NAME] = { .bytes = sizeof(struct store_allow),
		.max = STORE_ALLOWS_MAX,
		.dropped = 1,
		.write = SET_ALLOWED_NAME,
		.forget = DROP_ALLOWED_NAME,
		.select = "SELECT * FROM allowed_names ORDER BY at",
		.columns = { { COLUMN_TEXT, offsetof(struct store_allow, name) },
			{ COLUMN_INT64, offsetof(struct store_allow, at_s) },
			{ COLUMN_INT64, offsetof(struct store_allow, until_s) },
			{ COLUMN_BYTES, offsetof(struct store_allow, note) } } },
	/* one row in memory with all addresses, one row an address in the database */
	[ROW_NAME] = { .bytes = sizeof(struct store_name),
		.keys = 1,
		.write = ADD_NAME,
		.forget = DROP_NAME,
		.select = "SELECT * FROM names",
		.columns = { { COLUMN_TEXT, offsetof(struct store_name, name) },
			{ COLUMN_IP, offsetof(struct store_name, addresses) } } },
};

bool row_is_forgotten(enum row_kind kind, const void *row)
{
	if (kind == ROW_POSITION)
		return ((const struct tail_position *)row)->offset < 0;
	if (kind == ROW_ALLOW || kind == ROW_ALLOWED_NAME)
		return ((const struct store_allow *)row)->forget;
	return false;
}

static void bind_ip(struct sqlite3_stmt *statement, int column, const struct ip *ip)
{
	uint8_t bytes[ADDRESS_BYTES_MAX];
	int length = ip->family == 4 ? 4 : 16;

	memcpy(bytes, ip->bytes, (size_t)length);
	if (!ip_is_host(ip))
		bytes[length++] = ip->bits;
	(void)sqlite3_bind_blob(statement, column, bytes, length, SQLITE_TRANSIENT);
}

/* The address in a column, canonical; family 0: there is none. */
static struct ip column_ip(struct sqlite3_stmt *statement, int column)
{
	const uint8_t *bytes = sqlite3_column_blob(statement, column);
	int length = sqlite3_column_bytes(statement, column);
	uint8_t family = length == 4 || length == 5 ? 4 : 6;
	struct ip ip = { 0 };

	if (!bytes || (family == 6 && length != 16 && length != 17))
		return ip;
	ip = ip_from_bytes(family, bytes);
	if ((length == 5 || length == 17) && bytes[length - 1] <= ip.bits)
		ip = ip_mask(&ip, bytes[length - 1]);
	return ip;
}

void row_bind(enum row_kind kind, const void *row, size_t n, struct sqlite3_stmt *statement)
{
	const struct row_layout *layout = &row_layouts[kind];

	for (size_t i = 0; i < n && layout->columns[i].type; i++) {
		const void *at = (const char *)row + layout->columns[i].offset;
		int column = (int)i + 1;

		switch (layout->columns[i].type) {
		case COLUMN_INT64:
			(void)sqlite3_bind_int64(statement, column, *(const int64_t *)at);
			break;
		case COLUMN_UINT32:
			(void)sqlite3_bind_int64(statement, column, *(const uint32_t *)at);
			break;
		case COLUMN_INT16:
			(void)sqlite3_bind_int(statement, column, *(const int16_t *)at);
			break;
		case COLUMN_BOOL:
			(void)sqlite3_bind_int(statement, column, *(const bool *)at);
			break;
		case COLUMN_IP:
			bind_ip(statement, column, at);
			break;
		case COLUMN_JAIL:
		case COLUMN_TEXT:
			(void)sqlite3_bind_text(statement, column, *(const char *const *)at, -1,
				SQLITE_STATIC);
			break;
		case COLUMN_BYTES:
			(void)sqlite3_bind_blob64(statement, column, *(const char *const *)at,
				strlen(*(const char *const *)at), SQLITE_STATIC);
			break;
		case COLUMN_NONE:
			break;
		}
	}
}

bool row_read(enum row_kind kind, struct sqlite3_stmt *statement, void *ret_row)
{
	const struct row_layout *layout = &row_layouts[kind];
	bool is_sound = true;

	memset(ret_row, 0, layout->bytes);
	for (size_t i = 0; i < ROW_COLUMNS_MAX; i++) {
		void *at = (char *)ret_row + layout->columns[i].offset;
		int column = (int)i;
		const unsigned char *text;

		switch (layout->columns[i].type) {
		case COLUMN_INT64:
			*(int64_t *)at = sqlite3_column_int64(statement, column);
			break;
		case COLUMN_UINT32:
			*(uint32_t *)at = (uint32_t)sqlite3_column_int64(statement, column);
			break;
		case COLUMN_INT16:
			*(int16_t *)at = (int16_t)sqlite3_column_int(statement, column);
			break;
		case COLUMN_BOOL:
			*(bool *)at = sqlite3_column_int(statement, column) != 0;
			break;
		case COLUMN_IP:
			*(struct ip *)at = column_ip(statement, column);
			is_sound = is_sound && ((struct ip *)at)->family;
			break;
		case COLUMN_JAIL:
		case COLUMN_TEXT:
		case COLUMN_BYTES: /* SQLite ends a blob that is read as text with a NUL, too */
			text = sqlite3_column_text(statement, column);
			*(const char **)at = text ? (const char *)text : "";
			break;
		case COLUMN_NONE:
			return is_sound;
		}
	}
	return is_sound;
}

const char **row_text(enum row_kind kind, void *row, size_t column)
{
	enum column_type type = row_layouts[kind].columns[column].type;

	if (type != COLUMN_JAIL && type != COLUMN_TEXT && type != COLUMN_BYTES)
		return NULL;
	return (const char **)(void *)((char *)row + row_layouts[kind].columns[column].offset);
}
