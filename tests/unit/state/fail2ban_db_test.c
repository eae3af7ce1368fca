#include "state/fail2ban_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/error.h"

enum { ROWS_MAX = 8 };

struct seen {
	size_t count;
	int64_t since_s[ROWS_MAX];
	int64_t bantime_s[ROWS_MAX];
};

static char dir[32];
static char path[64];

static int begin(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/fail2ban_test.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/db", dir);
	return 0;
}

static int end(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static sqlite3 *make(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "CREATE TABLE bans(jail, ip, timeofban, bantime);"
				 "CREATE TABLE bips(jail, ip, timeofban, bantime)",
				 NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static void on_ban(void *context, const struct fail2ban_ban *ban)
{
	struct seen *seen = context;

	assert_true(seen->count < ROWS_MAX);
	seen->since_s[seen->count] = ban->since_s;
	seen->bantime_s[seen->count++] = ban->bantime_s;
}

/* since + bantime must not overflow, whatever stands there. */
static void times_are_bounded(void **state)
{
	static const struct {
		const char *since;
		const char *bantime;
		int64_t wanted_since_s;
		int64_t wanted_bantime_s;
	} rows[] = {
		{ "1000", "600", 1000, 600 },
		{ "1000", "-1", 1000, -1 },
		{ "1000", "-9223372036854775808", 1000, -1 },
		{ "1000", "9223372036854775807", 1000, FAIL2BAN_TIME_MAX_S },
		{ "9223372036854775807", "600", FAIL2BAN_TIME_MAX_S, 600 },
		{ "-9223372036854775808", "600", 0, 600 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen seen = { 0 };
		struct error err;
		char sql[256];

		(void)snprintf(sql, sizeof(sql),
			"INSERT INTO bips VALUES('a', '192.0.2.1', %s, %s)", rows[i].since,
			rows[i].bantime);
		assert_int_equal(sqlite3_close(make(sql)), SQLITE_OK);
		assert_int_equal(fail2ban_db_read(path, on_ban, &seen, &err), 0);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.since_s[0], rows[i].wanted_since_s);
		assert_int_equal(seen.bantime_s[0], rows[i].wanted_bantime_s);
		assert_int_equal(end(state), 0);
		assert_int_equal(begin(state), 0);
	}
}

static void check_refusal(const char *wanted)
{
	struct seen seen = { 0 };
	struct error err;

	assert_int_equal(fail2ban_db_read(path, on_ban, &seen, &err), -1);
	if (!strstr(err.text, wanted))
		fail_msg("'%s' is not in '%s'", wanted, err.text);
}

static void what_cannot_be_read_is_named(void **state)
{
	sqlite3 *db;

	check_refusal("No such file");
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)alarm(10); /* opening it would never end */
	check_refusal("is not a regular file");
	(void)alarm(0);
	assert_int_equal(end(state), 0);
	assert_int_equal(begin(state), 0);
	db = make("BEGIN EXCLUSIVE");
	check_refusal("cannot read /tmp/fail2ban_test.");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(times_are_bounded, begin, end),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_named, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
