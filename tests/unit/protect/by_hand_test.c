#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/guard_fixture.h"

static bool is_banned(const struct world *world, const char *address)
{
	struct ip ip = ip_of(address);
	struct ip unit = guard_unit(world->guard, &ip);
	const struct ban *ban = bans_find(guard_bans(world->guard), TWIN, &unit);

	return ban && !ban->expired;
}

static void allow(const struct world *world, const char *address, int64_t for_s, int64_t now_s)
{
	struct error err = { "" };

	if (protect_allow(world->protect, address, for_s, "a note\n", now_s, &err) < 0)
		fail_msg("%s", err.text);
}

/* A ban that stands is lifted, later failures count for nobody, both over a restart. */
static void test_allow(void **state)
{
	struct world world = { 0 };

	(void)state;
	world_new(&world);
	world_fail(&world, TWIN, "192.0.2.1", NOW_S, NOW_S);
	assert_true(is_banned(&world, "192.0.2.1"));
	allow(&world, "192.0.2.0/24", 0, NOW_S);
	assert_false(is_banned(&world, "192.0.2.1"));
	for (int round = 0; round < 2; round++) {
		world_fail(&world, TWIN, "192.0.2.1", NOW_S + 1, NOW_S + 1);
		world_fail(&world, TWIN, "198.51.101.1", NOW_S + 1, NOW_S + 1);
		assert_false(is_banned(&world, "192.0.2.1"));
		assert_true(is_banned(&world, "198.51.101.1"));
		world_commit(&world);
		world_restart(&world, NOW_S + 2);
	}
	world_done(&world);
}

/* An entry ends by its time, also while the daemon is down; disallow ends it at once. */
static void test_end(void **state)
{
	struct ip ip = ip_of("192.0.2.3");
	struct world world = { 0 };
	const struct store_allow *row;
	struct error err = { "" };

	(void)state;
	world_new(&world);
	allow(&world, "192.0.2.1", 10, NOW_S);
	allow(&world, "192.0.2.2", 20, NOW_S);
	allow(&world, "192.0.2.3", 0, NOW_S);
	world_commit(&world);
	protect_tick(world.protect, NOW_S + 9);
	world_fail(&world, TWIN, "192.0.2.1", NOW_S + 9, NOW_S + 9);
	assert_false(is_banned(&world, "192.0.2.1"));
	protect_tick(world.protect, NOW_S + 10);
	assert_non_null(strstr(world.note, "192.0.2.1 is no longer allowed"));
	world_fail(&world, TWIN, "192.0.2.1", NOW_S + 10, NOW_S + 10);
	assert_true(is_banned(&world, "192.0.2.1"));
	world_restart(&world, NOW_S + 20);
	row = protect_allowed(world.protect, 0);
	assert_non_null(row);
	assert_true(ip_equal(&row->ip, &ip));
	assert_string_equal(row->note, "a note\n");
	assert_null(protect_allowed(world.protect, 1));
	assert_int_equal(protect_disallow(world.protect, "192.0.2.3", &err), 0);
	assert_int_equal(protect_disallow(world.protect, "192.0.2.3", &err), -1);
	assert_string_equal(err.text, "192.0.2.3 is not allowed by hand");
	world_fail(&world, TWIN, "192.0.2.3", NOW_S + 20, NOW_S + 20);
	assert_true(is_banned(&world, "192.0.2.3"));
	world_commit(&world);
	world_restart(&world, NOW_S + 21);
	assert_null(protect_allowed(world.protect, 0));
	world_done(&world);
}

/* The firewall role hears of each entry once, what is said again included, in rendered words. */
static void test_telling(void **state)
{
	struct world world = { 0 };

	(void)state;
	world_new(&world);
	assert_true(protect_flush(world.protect, NOW_S));
	allow(&world, "192.0.2.1", 0, NOW_S);
	allow(&world, "192.0.2.2", 30, NOW_S);
	world.room = 1;
	assert_false(protect_flush(world.protect, NOW_S));
	assert_true(ip_equal(&world.told, &(struct ip){ 4, 32, { 192, 0, 2, 1 } }));
	assert_int_equal(world.told_ttl_s, 0);
	assert_string_equal(world.told_because, "allowed by hand: a note\\x0a");
	world.room = 1;
	assert_true(protect_flush(world.protect, NOW_S + 10));
	assert_int_equal(world.told_ttl_s, 20);
	assert_true(protect_flush(world.protect, NOW_S));
	allow(&world, "192.0.2.1", 60, NOW_S + 10);
	world.room = 1;
	assert_true(protect_flush(world.protect, NOW_S + 10));
	assert_int_equal(world.room, 0);
	assert_int_equal(world.told_ttl_s, 60);
	world.room = 1;
	assert_true(protect_flush(world.protect, NOW_S));
	assert_int_equal(world.room, 1);
	world_done(&world);
}

static void test_cap(void **state)
{
	char address[32];
	struct world world = { 0 };
	struct error err = { "" };

	(void)state;
	world_new(&world);
	for (int i = 0; i <= PROTECT_ALLOWS_MAX; i++) {
		(void)snprintf(address, sizeof(address), "10.0.%d.%d", i / 256, i % 256);
		assert_int_equal(protect_allow(world.protect, address, 0, NULL, NOW_S, &err),
			i < PROTECT_ALLOWS_MAX ? 0 : -1);
	}
	assert_non_null(strstr(err.text, "1000"));
	world_done(&world);
}

/* A time that does not fit is no time, and changes nothing. */
static void test_too_long(void **state)
{
	struct world world = { 0 };
	struct error err = { "" };

	(void)state;
	world_new(&world);
	allow(&world, "192.0.2.3", 10, NOW_S);
	assert_int_equal(protect_allow(world.protect, "192.0.2.3", INT64_MAX, NULL, NOW_S, &err),
		-1);
	assert_non_null(strstr(err.text, "3000 years"));
	assert_int_equal(protect_allow(world.protect, "192.0.2.3", -1, NULL, NOW_S, &err), -1);
	assert_non_null(strstr(err.text, "over before it begins"));
	assert_non_null(protect_allowed(world.protect, 0));
	assert_int_equal(protect_allowed(world.protect, 0)->until_s, NOW_S + 10);
	world_done(&world);
}

/* What would protect nearly everybody is refused, with what to write instead. */
static void test_too_wide(void **state)
{
	static const struct {
		const char *prefix;
		bool is_wide;
	} rows[] = {
		{ "0.0.0.0/0", true },
		{ "198.0.0.0/7", true },
		{ "198.0.0.0/8", false },
		{ "::/0", true },
		{ "2000::/15", true },
		{ "2001::/16", false },
		{ "::ffff:0:0/96", true },
		{ "::ffff:198.0.0.0/104", false },
	};
	struct world world = { 0 };

	(void)state;
	world_new(&world);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *prefix = rows[i].prefix;
		struct error err = { "" };
		int rc = protect_allow(world.protect, prefix, 0, NULL, NOW_S, &err);

		if ((rc < 0) != rows[i].is_wide)
			fail_msg("%s: %d", prefix, rc);
		assert_true(rc == 0 || strstr(err.text, "ignoreip = "));
		assert_true((protect_allowed(world.protect, 0) != NULL) != rows[i].is_wide);
		if (rc == 0)
			assert_int_equal(protect_disallow(world.protect, prefix, &err), 0);
	}
	world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allow),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_telling),
		cmocka_unit_test(test_cap),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_too_wide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
