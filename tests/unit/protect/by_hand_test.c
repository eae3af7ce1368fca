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

	return ban && !ban->ghost;
}

static void allow(const struct world *world, const char *address, int64_t for_s, int64_t now_s)
{
	struct ip ip = ip_of(address);
	struct error err = { "" };

	if (guard_allow(world->guard, &ip, for_s, "a note\n", now_s, &err) < 0)
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
	struct store_allow row;
	struct error err = { "" };

	(void)state;
	world_new(&world);
	allow(&world, "192.0.2.1", 10, NOW_S);
	allow(&world, "192.0.2.2", 20, NOW_S);
	allow(&world, "192.0.2.3", 0, NOW_S);
	world_commit(&world);
	guard_tick(world.guard, NOW_S + 9, true);
	world_fail(&world, TWIN, "192.0.2.1", NOW_S + 9, NOW_S + 9);
	assert_false(is_banned(&world, "192.0.2.1"));
	guard_tick(world.guard, NOW_S + 10, true);
	assert_non_null(strstr(world.note, "192.0.2.1 is no longer allowed"));
	world_fail(&world, TWIN, "192.0.2.1", NOW_S + 10, NOW_S + 10);
	assert_true(is_banned(&world, "192.0.2.1"));
	world_restart(&world, NOW_S + 20);
	assert_true(guard_allowed(world.guard, 0, &row));
	assert_true(ip_equal(&row.ip, &ip));
	assert_string_equal(row.note, "a note\n");
	assert_false(guard_allowed(world.guard, 1, &row));
	assert_int_equal(guard_disallow(world.guard, &ip, &err), 0);
	assert_int_equal(guard_disallow(world.guard, &ip, &err), -1);
	assert_string_equal(err.text, "192.0.2.3 is not allowed by hand");
	world_fail(&world, TWIN, "192.0.2.3", NOW_S + 20, NOW_S + 20);
	assert_true(is_banned(&world, "192.0.2.3"));
	world_commit(&world);
	world_restart(&world, NOW_S + 21);
	assert_false(guard_allowed(world.guard, 0, &row));
	world_done(&world);
}

/* The firewall role hears of each entry once, what is said again included, in rendered words. */
static void test_peek(void **state)
{
	struct world world = { 0 };
	const char *because;
	int64_t ttl_s;
	struct ip ip;

	(void)state;
	world_new(&world);
	assert_false(guard_allow_peek(world.guard, NOW_S, &ip, &ttl_s, &because));
	allow(&world, "192.0.2.1", 0, NOW_S);
	allow(&world, "192.0.2.2", 30, NOW_S);
	assert_true(guard_allow_peek(world.guard, NOW_S, &ip, &ttl_s, &because));
	assert_true(ip_equal(&ip, &(struct ip){ 4, 32, { 192, 0, 2, 1 } }));
	assert_int_equal(ttl_s, 0);
	assert_string_equal(because, "allowed by hand: a note\\x0a");
	guard_allow_sent(world.guard);
	assert_true(guard_allow_peek(world.guard, NOW_S + 10, &ip, &ttl_s, &because));
	assert_int_equal(ttl_s, 20);
	guard_allow_sent(world.guard);
	assert_false(guard_allow_peek(world.guard, NOW_S, &ip, &ttl_s, &because));
	allow(&world, "192.0.2.1", 60, NOW_S + 10);
	assert_true(guard_allow_peek(world.guard, NOW_S + 10, &ip, &ttl_s, &because));
	assert_int_equal(ttl_s, 60);
	guard_allow_sent(world.guard);
	assert_false(guard_allow_peek(world.guard, NOW_S, &ip, &ttl_s, &because));
	world_done(&world);
}

static void test_cap(void **state)
{
	struct ip ip = ip_of("10.0.0.0");
	struct world world = { 0 };
	struct error err = { "" };

	(void)state;
	world_new(&world);
	for (int i = 0; i <= GUARD_ALLOWS_MAX; i++) {
		ip.bytes[2] = (uint8_t)(i / 256);
		ip.bytes[3] = (uint8_t)(i % 256);
		assert_int_equal(guard_allow(world.guard, &ip, 0, NULL, NOW_S, &err),
			i < GUARD_ALLOWS_MAX ? 0 : -1);
	}
	assert_non_null(strstr(err.text, "1000"));
	world_done(&world);
}

/* A time that does not fit is no time, and changes nothing. */
static void test_too_long(void **state)
{
	struct ip ip = ip_of("192.0.2.3");
	struct world world = { 0 };
	struct store_allow row;
	struct error err = { "" };

	(void)state;
	world_new(&world);
	allow(&world, "192.0.2.3", 10, NOW_S);
	assert_int_equal(guard_allow(world.guard, &ip, INT64_MAX, NULL, NOW_S, &err), -1);
	assert_non_null(strstr(err.text, "3000 years"));
	assert_int_equal(guard_allow(world.guard, &ip, -1, NULL, NOW_S, &err), -1);
	assert_non_null(strstr(err.text, "over before it begins"));
	assert_true(guard_allowed(world.guard, 0, &row));
	assert_int_equal(row.until_s, NOW_S + 10);
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
	struct store_allow row;

	(void)state;
	world_new(&world);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = { "" };
		struct ip ip;
		int rc;

		assert_int_equal(ip_parse_prefix(rows[i].prefix, &ip, &err), 0);
		rc = guard_allow(world.guard, &ip, 0, NULL, NOW_S, &err);
		if ((rc < 0) != rows[i].is_wide)
			fail_msg("%s: %d", rows[i].prefix, rc);
		assert_true(rc == 0 || strstr(err.text, "ignoreip = "));
		assert_true(guard_allowed(world.guard, 0, &row) != rows[i].is_wide);
		if (rc == 0)
			assert_int_equal(guard_disallow(world.guard, &ip, &err), 0);
	}
	world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allow),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_peek),
		cmocka_unit_test(test_cap),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_too_wide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
