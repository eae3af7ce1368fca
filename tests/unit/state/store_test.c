#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/alloc.h"
#include "base/error.h"
#include "state/store.h"

enum { NOW_S = 1700000000 };

static char dir[64];

static int entry_remove(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	(void)info;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/store_test.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return nftw(dir, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse_prefix(text, &ip, NULL), 0);
	return ip;
}

static struct store *open_store(bool with_note)
{
	struct store *store = NULL;
	struct error err = { "" };
	char *note = NULL;

	if (store_open(dir, NOW_S, &store, &note, &err) < 0)
		fail_msg("%s", err.text);
	if (with_note != (note != NULL))
		fail_msg("note: %s", note ? note : "none");
	free(note);
	return store;
}

static void commit(struct store *store, int64_t before_s)
{
	struct error err = { "" };

	if (store_commit(store, before_s, &err) < 0)
		fail_msg("%s", err.text);
	assert_false(store_is_dirty(store));
}

/* What store_load says, as one text. */
static char loaded[16384];
static size_t n_failures;

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	size_t used = strlen(loaded);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(loaded + used, sizeof(loaded) - used, format, args);
	va_end(args);
}

static void say_failure(const struct store_failure *row)
{
	char text[IP_TEXT_MAX];

	n_failures++;
	say("F %s %s %lld %d %llx %lld %d %d\n", row->jail, ip_format(&row->ip, text),
		(long long)row->at_s, (int)row->kind, (unsigned long long)row->session,
		(long long)row->value, row->proven, row->ms);
}

static void say_ban(const struct store_ban *row)
{
	char text[IP_TEXT_MAX];

	say("B %lld %s %s %lld %lld %u %d %d '%s' '%s' %u\n", (long long)row->id, row->jail,
		ip_format(&row->ip, text), (long long)row->since_s, (long long)row->until_s,
		row->failures, row->proven, (int)row->state, row->account, row->note, row->number);
}

static void say_position(const struct tail_position *row)
{
	say("P %s %llx %llx %llx %lld %lld %llx %u\n", row->path,
		(unsigned long long)row->identity.device, (unsigned long long)row->identity.inode,
		(unsigned long long)row->identity.generation, (long long)row->identity.born_ns,
		(long long)row->offset, (unsigned long long)row->hash, row->mark);
}

static void say_total(const struct store_total *row)
{
	say("T %s %llu %llu\n", row->jail, (unsigned long long)row->failures,
		(unsigned long long)row->bans);
}

static void say_alert(const struct store_alert *row)
{
	say("A %lld %lld %s %s %s %s\n", (long long)row->id, (long long)row->at_s, row->dest,
		row->sender, row->subject, row->body);
}

static void say_allow(const struct store_allow *row)
{
	char text[IP_TEXT_MAX];

	say("W %s %lld %lld %s\n", row->name ? row->name : ip_format(&row->ip, text),
		(long long)row->at_s, (long long)row->until_s, row->note);
}

static void say_row(void *context, enum store_table table, const union store_row *row)
{
	char text[IP_TEXT_MAX];

	(void)context;
	switch (table) {
	case STORE_FAILURES:
		say_failure(&row->failure);
		break;
	case STORE_BANS:
		say_ban(&row->ban);
		break;
	case STORE_POSITIONS:
		say_position(&row->position);
		break;
	case STORE_PATTERNS:
		say("G %s %s\n", row->pattern.jail, row->pattern.pattern);
		break;
	case STORE_TOTALS:
		say_total(&row->total);
		break;
	case STORE_ALERTS:
		say_alert(&row->alert);
		break;
	case STORE_ALLOWED_NAMES:
	case STORE_ALLOWS:
		say_allow(&row->allow);
		break;
	case STORE_NAMES:
		say("N %s %s\n", row->name.name, ip_format(row->name.addresses, text));
		break;
	case STORE_TABLES:
		fail();
	}
}

static void load(struct store *store)
{
	loaded[0] = '\0';
	n_failures = 0;
	assert_int_equal(store_load(store, say_row, NULL, NULL), 0);
}

static void add_failure(struct store *store, const char *ip, int64_t at_s, enum store_kind kind)
{
	store_failure(store, &(struct store_failure){ "asterisk", ip_of(ip), at_s, kind, 7, -3,
				     at_s == 10, (int16_t)(at_s == 10 ? 999 : -999) });
}

static int64_t add_ban(struct store *store, const char *jail, const char *ip, int64_t since_s)
{
	return store_ban(store, &(struct store_ban){ .jail = jail,
					.ip = ip_of(ip),
					.since_s = since_s,
					.until_s = since_s + 600,
					.failures = 5,
					.account = "1\xff",
					.note = "",
					.number = 4 });
}

static void everything_comes_back(void **state)
{
	struct tail_position position = { "/var/log/a\xff", { UINT64_MAX, 2, 3, -4 }, 5,
		UINT64_MAX - 1, 22 };
	struct store_alert alert = { 0, 9, "d", "s", "sub", "body" };
	struct store *store = open_store(false);
	int64_t ban;
	int64_t sent;

	(void)state;
	assert_false(store_is_dirty(store));
	store_position(store, &position);
	assert_false(store_is_dirty(store));
	position.path = "/gone";
	store_position(store, &position);
	commit(store, 0);
	store_position(store, &(struct tail_position){ .path = "/gone", .offset = -1 });
	add_failure(store, "192.0.2.1", 10, STORE_FAILURE);
	assert_true(store_is_dirty(store));
	add_failure(store, "2001:db8::/64", 9, STORE_UNBAN);
	add_failure(store, "198.51.100.0/24", -8, STORE_BAN);
	ban = add_ban(store, "asterisk", "2001:db8::1", 100);
	(void)add_ban(store, "manual", "192.0.2.7", 101);
	commit(store, -10);
	store_ban(store, &(struct store_ban){ .id = ban,
				 .failures = 6,
				 .state = STORE_BAN_LIFTING,
				 .number = 5 });
	store_ban(store, &(struct store_ban){ .id = ban + 1, .state = STORE_BAN_ENDED });
	store_pattern(store, "asterisk", "/var/log/*");
	store_pattern(store, "asterisk", "/var/log/*");
	store_total(store, "asterisk", 1, 1);
	store_total(store, "asterisk", 1000, 2);
	sent = store_alert(store, &alert);
	(void)store_alert(store, &alert);
	commit(store, -10);
	store_alert_sent(store, sent);
	store_allow(store,
		&(struct store_allow){ ip_of("192.0.2.0/24"), 5, 0, "office \xff", NULL, false });
	store_allow(store, &(struct store_allow){ ip_of("192.0.2.7"), 6, 0, "gone", NULL, false });
	store_allow(store, &(struct store_allow){ ip_of("2001:db8::7"), 7, 0, "", NULL, false });
	store_pattern(store, "asterisk", "/var/log/*");
	commit(store, -10);
	store_allow(store,
		&(struct store_allow){ ip_of("2001:db8::7"), 8, 99, "again", NULL, false });
	store_allow(store, &(struct store_allow){ .ip = ip_of("192.0.2.7"), .forget = true });
	commit(store, -10);
	store_close(store);
	store = open_store(false);
	load(store);
	assert_string_equal(loaded,
		"F asterisk 192.0.2.1 10 0 7 -3 1 999\n"
		"F asterisk 2001:db8::/64 9 1 7 -3 0 -999\n"
		"F asterisk 198.51.100.0/24 -8 2 7 -3 0 -999\n"
		"B 1 asterisk 2001:db8::1 100 0 6 0 1 '1\xff' '' 5\n"
		"B 2 manual 192.0.2.7 101 0 0 0 2 '1\xff' '' 0\n"
		"P /var/log/a\xff ffffffffffffffff 2 3 -4 5 fffffffffffffffe 22\n"
		"G asterisk /var/log/*\n"
		"T asterisk 1000 2\n"
		"A 2 9 d s sub body\n"
		"W 192.0.2.0/24 5 0 office \xff\n"
		"W 2001:db8::7 8 99 again\n");
	assert_int_equal(add_ban(store, "asterisk", "192.0.2.9", 1), 3);
	store_close(store);
}

static void old_failures_go_from_the_front(void **state)
{
	struct store *store = open_store(false);

	(void)state;
	add_failure(store, "192.0.2.1", 1, STORE_FAILURE);
	add_failure(store, "192.0.2.2", 5, STORE_FAILURE);
	add_failure(store, "192.0.2.3", 2, STORE_FAILURE);
	commit(store, 5);
	load(store);
	assert_int_equal(n_failures, 2);
	store_total(store, "asterisk", 1, 1);
	commit(store, 6);
	load(store);
	assert_int_equal(n_failures, 0);
	store_close(store);
}

/* Ended bans go keep_s before what expires, and not when nothing expires; others stay. */
static void ended_bans_go_when_they_are_old(void **state)
{
	struct store *store = open_store(false);
	int64_t ended;

	(void)state;
	store_keep_bans(store, 1000);
	ended = add_ban(store, "a", "192.0.2.1", 100); /* until 700 */
	store_ban(store,
		&(struct store_ban){ .id = ended, .until_s = 700, .state = STORE_BAN_ENDED });
	(void)add_ban(store, "a", "192.0.2.2", 100);
	commit(store, 0);
	store_total(store, "a", 1, 1);
	commit(store, 1700);
	load(store);
	assert_non_null(strstr(loaded, "192.0.2.1 "));
	store_total(store, "a", 1, 2);
	commit(store, 1701);
	load(store);
	assert_null(strstr(loaded, "192.0.2.1 "));
	assert_non_null(strstr(loaded, "192.0.2.2 "));
	store_close(store);
}

static void exec_sql(const char *sql)
{
	cleanup_free char *path = alloc_format("%s/state.db", dir);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void the_key_stays(void **state)
{
	struct store *store = open_store(false);
	uint8_t key[16];

	(void)state;
	memcpy(key, store_key(store), sizeof(key));
	store_close(store);
	store = open_store(false);
	assert_memory_equal(key, store_key(store), sizeof(key));
	store_close(store);
	exec_sql("DELETE FROM secret");
	store = open_store(false);
	assert_memory_not_equal(key, store_key(store), sizeof(key));
	store_close(store);
}

/* Nothing is taken out of a database whose tables may mean something else. */
static void other_schemas_are_set_aside(void **state)
{
	static const char *const versions[] = { "PRAGMA user_version = 1",
		"PRAGMA user_version = 6", "PRAGMA user_version = 8", "PRAGMA user_version = -1",
		"PRAGMA user_version = 0" };
	char name[STORE_ASIDE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		struct store *store = open_store(false);

		add_failure(store, "192.0.2.1", 10, STORE_FAILURE);
		commit(store, 0);
		store_close(store);
		exec_sql(versions[i]);
		store = open_store(true);
		load(store);
		assert_string_equal(loaded, "");
		assert_int_equal(store_find_aside(dir, name), i + 1);
		store_close(store);
	}
}

static void dirty_rows_are_capped(void **state)
{
	struct store *store = open_store(false);

	(void)state;
	for (int64_t i = 0; i < STORE_DIRTY_MAX + 1; i++)
		add_failure(store, "192.0.2.1", i, STORE_FAILURE);
	assert_int_equal(store_lost(store), STORE_DIRTY_MAX / 16);
	commit(store, 0);
	load(store);
	assert_int_equal(n_failures, STORE_DIRTY_MAX + 1 - STORE_DIRTY_MAX / 16);
	assert_int_equal(strncmp(loaded, "F asterisk 192.0.2.1 12500 ", 27), 0);
	store_close(store);
}

enum damage { DAMAGE_HEADER, DAMAGE_MIDDLE, DAMAGE_CUT, DAMAGE_VERSION, DAMAGE_TABLE };

static void damage(enum damage how, const char *path)
{
	static const char *const sql[] = { [DAMAGE_VERSION] = "PRAGMA user_version = 9",
		[DAMAGE_TABLE] = "DROP TABLE totals" };
	char garbage[16384];
	struct stat info;
	sqlite3 *db;
	int fd;

	if (how >= DAMAGE_VERSION) {
		assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, sql[how], NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_close(db), SQLITE_OK);
		return;
	}
	memset(garbage, 0xa5, sizeof(garbage));
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &info), 0);
	if (how == DAMAGE_CUT)
		assert_int_equal(ftruncate(fd, info.st_size / 2), 0);
	else
		assert_int_equal(pwrite(fd, garbage, sizeof(garbage),
					 how == DAMAGE_HEADER ? 0 : info.st_size / 2),
			sizeof(garbage));
	assert_int_equal(close(fd), 0);
}

static void unusable_is_set_aside(void **state)
{
	cleanup_free char *path = alloc_format("%s/state.db", dir);
	cleanup_free char *wal = alloc_format("%s.corrupt-20991231T000000Z-wal", path);
	char name[STORE_ASIDE_MAX];
	int fd;

	(void)state;
	assert_int_equal(store_find_aside(dir, name), 0);
	assert_string_equal(name, "");
	fd = open(wal, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && close(fd) == 0);
	assert_int_equal(store_find_aside(dir, name), 0);
	assert_int_equal(store_find_aside(wal, name), 0); /* no directory */
	for (int how = DAMAGE_HEADER; how <= DAMAGE_TABLE; how++) {
		cleanup_free char *aside =
			how ? alloc_format("%s.corrupt-20231114T221320Z-%d", path, how + 1)
			    : alloc_format("%s.corrupt-20231114T221320Z", path);
		struct store *store = open_store(false);

		for (int i = 0; i < 5000; i++)
			add_failure(store, "192.0.2.1", i, STORE_FAILURE);
		commit(store, 0);
		store_close(store);
		damage((enum damage)how, path);
		store = open_store(true);
		assert_int_equal(access(aside, F_OK), 0);
		assert_int_equal(store_find_aside(dir, name), how + 1);
		assert_string_equal(name, aside + strlen(dir) + 1);
		load(store);
		assert_string_equal(loaded, "");
		add_failure(store, "192.0.2.1", 1, STORE_FAILURE);
		commit(store, 0);
		store_close(store);
	}
}

/* The last cursor of each jail; one that is too long keeps the one before. */
static void cursors_come_back(void **state)
{
	static char longer[STORE_CURSOR_MAX + 1];
	struct store *store = open_store(false);
	char cursor[STORE_CURSOR_MAX];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	store_cursor(store, "sshd", "s=1;i=1");
	store_cursor(store, "asterisk", "s=1;i=5");
	store_cursor(store, "sshd", "s=1;i=2");
	store_cursor(store, "sshd", longer);
	assert_false(store_is_dirty(store));
	commit(store, 0);
	store_close(store);
	store = open_store(false);
	assert_int_equal(store_read_cursor(store, "sshd", cursor, NULL), 0);
	assert_string_equal(cursor, "s=1;i=2");
	assert_int_equal(store_read_cursor(store, "asterisk", cursor, NULL), 0);
	assert_string_equal(cursor, "s=1;i=5");
	assert_int_equal(store_read_cursor(store, "none", cursor, NULL), 0);
	assert_string_equal(cursor, "");
	store_close(store);
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
	struct store *store = NULL;
	struct error err = { "" };
	char *note = NULL;

	(void)state;
	assert_int_equal(store_open("/nonexistent", NOW_S, &store, &note, &err), -1);
	assert_non_null(strstr(err.text, "/nonexistent/state.db"));
	assert_null(note);
}

/* In a mount namespace of its own. Exit status 0: nothing was lost, all was written at last. */
static int full_disk(void)
{
	cleanup_free char *ballast = alloc_format("%s/ballast", dir);
	struct store *store = NULL;
	char *note = NULL;
	int failed = 0;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("none", dir, "tmpfs", 0, "size=2m") < 0)
		return 77;
	if (store_open(dir, NOW_S, &store, &note, NULL) < 0)
		return 1;
	for (int i = 0; i < 100000; i++) {
		add_failure(store, "192.0.2.1", i, STORE_FAILURE);
		if (i % 10000 == 9999)
			failed += store_commit(store, 0, NULL) < 0;
	}
	if (!failed || !store_is_dirty(store) || store_lost(store))
		return 2;
	if (mount("none", dir, "tmpfs", MS_REMOUNT, "size=64m") < 0)
		return 3;
	if (store_commit(store, 0, NULL) < 0 || store_is_dirty(store))
		return 4;
	load(store);
	store_close(store);
	return n_failures == 100000 ? 0 : 5;
}

static void full_disk_keeps_all_dirty(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("SKIP: needs root for a small file system\n");
		skip();
	}
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(full_disk());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("SKIP: no mount namespace here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Commits two rows at a time and says so with one byte, until killed. */
static void commit_until_killed(int fd, int64_t start_s)
{
	struct store *store = NULL;
	char *note = NULL;

	if (store_open(dir, NOW_S, &store, &note, NULL) < 0)
		_exit(1);
	for (int64_t i = 0; i < 100000; i++) {
		add_failure(store, "192.0.2.1", start_s + 2 * i, STORE_FAILURE);
		add_failure(store, "192.0.2.1", start_s + 2 * i + 1, STORE_FAILURE);
		if (store_commit(store, 0, NULL) < 0 || write(fd, "", 1) != 1)
			_exit(1);
	}
	_exit(1);
}

static void nothing_acknowledged_is_lost_by_a_kill(void **state)
{
	size_t expected = 0;

	(void)state;
	for (unsigned round = 0; round < 12; round++) {
		char bytes[1];
		size_t acknowledged = 0;
		struct store *store;
		int status;
		int fds[2];
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			commit_until_killed(fds[1], (int64_t)expected);
		assert_int_equal(close(fds[1]), 0);
		while (acknowledged < 1 + round * 61 % 300 && read(fds[0], bytes, 1) == 1)
			acknowledged++;
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		while (read(fds[0], bytes, 1) == 1)
			acknowledged++;
		assert_int_equal(close(fds[0]), 0);
		store = open_store(false);
		load(store);
		/* one transaction more may have ended before its byte was written */
		assert_in_range(n_failures, expected + 2 * acknowledged,
			expected + 2 * acknowledged + 2);
		assert_int_equal(n_failures % 2, 0);
		expected = n_failures;
		store_close(store);
	}
}

#define with_dir(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static struct store_name name_of(const char *name, const char *first, const char *second)
{
	struct store_name row = { .name = name };

	if (first)
		row.addresses[row.count++] = ip_of(first);
	if (second)
		row.addresses[row.count++] = ip_of(second);
	return row;
}

/* A name has the addresses of its last row; names allowed by hand come before all of them. */
static void host_names_come_back(void **state)
{
	struct store *store = open_store(false);
	struct store_name row = name_of("a.example", "192.0.2.1", "2001:db8::1");

	(void)state;
	store_name(store, &row);
	row = name_of("b.example", "192.0.2.2", NULL);
	store_name(store, &row);
	assert_true(store_is_dirty(store));
	commit(store, 0);
	row = name_of("a.example", "192.0.2.9", NULL);
	store_name(store, &row);
	row = name_of("a.example", "192.0.2.3", NULL); /* of two dirty rows the later counts */
	store_name(store, &row);
	row = name_of("b.example", NULL, NULL);
	store_name(store, &row);
	store_allow(store, &(struct store_allow){ { 0 }, 5, 9, "van", "v.example", false });
	store_allow(store, &(struct store_allow){ { 0 }, 6, 0, "", "w.example", false });
	store_allow(store, &(struct store_allow){ .name = "w.example", .forget = true });
	commit(store, 0);
	store_close(store);
	store = open_store(false);
	load(store);
	assert_string_equal(loaded, "W v.example 5 9 van\nN a.example 192.0.2.3\n");
	store_allow(store, &(struct store_allow){ .name = "v.example", .forget = true });
	commit(store, 0);
	load(store);
	assert_string_equal(loaded, "N a.example 192.0.2.3\n");
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_dir(everything_comes_back),
		with_dir(old_failures_go_from_the_front),
		with_dir(ended_bans_go_when_they_are_old),
		with_dir(the_key_stays),
		with_dir(other_schemas_are_set_aside),
		with_dir(dirty_rows_are_capped),
		with_dir(unusable_is_set_aside),
		with_dir(host_names_come_back),
		with_dir(cursors_come_back),
		with_dir(a_directory_that_is_not_there_is_an_error),
		with_dir(full_disk_keeps_all_dirty),
		with_dir(nothing_acknowledged_is_lost_by_a_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
