#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/guard_fixture.h"
#include "decide/parts.h"

/* bantime.increment: how long the n-th ban lasts, what a failure of a known address counts as. */

static const char jails[] = "[DEFAULT]\nfilter = plain\nlogpath = /var/log/x\nenabled = true\n"
			    "maxretry = 10\nfindtime = 600\nbantime = 100\n"
			    "[mail]\ndest = root@example.org\n"
			    "[sip]\naction = nftables-allports\n    sendmail\n"
			    "[web]\naction = nftables-allports\n";

enum { SIP_JAIL, WEB_JAIL, BANS_OF_A_ROW = 5 };

static const struct config_increment *increment; /* of both jails */
static int64_t bantime_s;
static uint32_t maxretry;
static int64_t purge_s;

static void tune(struct config *config)
{
	config->dbpurgeage_s = purge_s;
	for (size_t i = 0; i < config->n_jails; i++) {
		struct config_increment *own = &config->jails[i].increment;
		size_t bytes = increment->n_multipliers * sizeof(*own->multipliers);

		free(own->multipliers);
		*own = *increment;
		own->multipliers = bytes ? malloc(bytes) : NULL; /* the configuration's to free */
		if (bytes)
			memcpy(own->multipliers, increment->multipliers, bytes);
		config->jails[i].bantime_s = bantime_s;
		config->jails[i].maxretry = maxretry;
	}
}

static void begin(struct world *world, const struct config_increment *of, int64_t bantime)
{
	increment = of;
	bantime_s = bantime;
	maxretry = 10;
	purge_s = 0;
	*world = (struct world){ .tune = tune };
	world_new_with(world, jails);
}

/* Fails until there is a ban: returns how many it took, and sets *at_s to the end of the ban. */
static int fail_until_banned(struct world *world, size_t jail, const char *address, int64_t *at_s,
	int64_t *ret_length_s)
{
	const struct ban *ban = NULL;
	int count = 0;

	guard_tick(world->guard, *at_s, true);
	while (!ban && count < 100) {
		world_fail(world, jail, address, *at_s, *at_s);
		count++;
		ban = world_ban(world, jail, address);
	}
	assert_non_null(ban);
	assert_int_equal(ban->failures, count);
	*ret_length_s = ban->until_s ? ban->until_s - ban->since_s : -1;
	*at_s = ban->until_s ? ban->until_s : *at_s + 1;
	return count;
}

static double listed[] = { 77, 2, 0.5, 6 };
static double enormous[] = { 1, 1e300 };

/* The lengths of the first bans of an address. */
static const struct {
	struct config_increment increment;
	int64_t bantime_s;
	int64_t length_s[BANS_OF_A_ROW];
} lengths[] = {
	{ { .on = false, .factor = 1 }, 100, { 100, 100, 100, 100, 100 } },
	{ { .on = true, .factor = 1 }, 100, { 100, 200, 400, 800, 1600 } },
	{ { .on = true, .factor = 0.25 }, 100, { 100, 100, 100, 200, 400 } },
	{ { .on = true, .factor = 3, .maxtime_s = 1500 }, 100, { 100, 600, 1200, 1500, 1500 } },
	{ { .on = true, .factor = 1, .maxtime_s = 50 }, 100, { 100, 50, 50, 50, 50 } },
	{ { .on = true, .factor = 1e300 }, 100, { 100, 18000000000 } },
	{ { .on = true, .factor = 1e300, .maxtime_s = 3600 }, 100,
		{ 100, 3600, 3600, 3600, 3600 } },
	{ { .on = true, .factor = 1 }, -1, { -1 } },
	{ { .on = true, .formula = FORMULA_EXPONENTIAL, .factor = 1 }, 100,
		{ 100, 271, 738, 2008, 5459 } },
	{ { .on = true, .formula = FORMULA_EXPONENTIAL, .factor = 5000 }, 100,
		{ 100, 18000000000 } },
	{ { .on = true,
		  .formula = FORMULA_MULTIPLIERS,
		  .factor = 1,
		  .multipliers = listed,
		  .n_multipliers = 4 },
		100, { 100, 200, 50, 600, 600 } },
	{ { .on = true,
		  .formula = FORMULA_MULTIPLIERS,
		  .factor = 2,
		  .multipliers = listed,
		  .n_multipliers = 1 },
		100, { 100, 15400, 15400, 15400, 15400 } },
	{ { .on = true,
		  .formula = FORMULA_MULTIPLIERS,
		  .factor = 0.001,
		  .multipliers = listed,
		  .n_multipliers = 4 },
		100, { 100, 1, 1, 1, 1 } },
	{ { .on = true,
		  .formula = FORMULA_MULTIPLIERS,
		  .factor = 1e300,
		  .multipliers = enormous,
		  .n_multipliers = 2 },
		100, { 100, 18000000000 } },
};

static void test_lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct world world;
		int64_t at_s = NOW_S;

		begin(&world, &lengths[i].increment, lengths[i].bantime_s);
		for (int k = 0; k < BANS_OF_A_ROW && lengths[i].length_s[k]; k++) {
			int64_t length_s;

			(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
			if (length_s != lengths[i].length_s[k])
				fail_msg("row %zu, ban %d: %lld s", i, k + 1, (long long)length_s);
			world_commit(&world);
			if (k % 2)
				world_restart(&world, at_s);
		}
		world_done(&world);
	}
}

static const struct config_increment doubled = { .on = true, .factor = 1 };

/* Fewer failures each time: 1, 2, 3, 5, 9 and at last maxretry at once. */
static void test_weights(void **state)
{
	static const int needed[] = { 10, 5, 4, 2, 2, 1, 1 };
	struct world world;
	int64_t at_s = NOW_S;
	int64_t length_s;

	(void)state;
	begin(&world, &doubled, 100);
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		int count = fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);

		if (count != needed[i])
			fail_msg("ban %zu after %d failures", i + 1, count);
	}
	world_done(&world);
}

/* Half the failures before a restart count after it as they did before. */
static void test_weights_are_kept(void **state)
{
	struct world world;
	int64_t at_s = NOW_S;
	int64_t length_s;
	int count;

	(void)state;
	begin(&world, &doubled, 100);
	(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
	(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
	world_fail(&world, SIP_JAIL, "192.0.2.1", at_s, at_s); /* 3 */
	world_fail(&world, SIP_JAIL, "192.0.2.1", at_s, at_s); /* 6 */
	world_commit(&world);
	world_restart(&world, at_s);
	for (count = 0; !world_ban(&world, SIP_JAIL, "192.0.2.1") && count < 20; count++)
		world_fail(&world, SIP_JAIL, "192.0.2.1", at_s, at_s);
	assert_int_equal(count, 2);
	assert_int_equal(world_ban(&world, SIP_JAIL, "192.0.2.1")->failures, 4);
	world_done(&world);
}

static void test_jails_together(void **state)
{
	static const struct config_increment together = { .on = true,
		.factor = 1,
		.all_jails = true };
	struct world world;
	int64_t at_s = NOW_S;
	int64_t length_s;

	(void)state;
	for (int all = 0; all < 2; all++) {
		at_s = NOW_S;
		begin(&world, all ? &together : &doubled, 100);
		(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
		(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
		(void)fail_until_banned(&world, WEB_JAIL, "192.0.2.1", &at_s, &length_s);
		assert_int_equal(length_s, all ? 400 : 100);
		(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
		assert_int_equal(length_s, all ? 800 : 400);
		(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.2", &at_s, &length_s);
		assert_int_equal(length_s, 100);
		world_done(&world);
	}
}

/* dbpurgeage after its last ban the address is a new one, for the table as for the database. */
static void test_purge(void **state)
{
	static const struct {
		int64_t pause_s;
		int64_t length_s;
	} rows[] = { { 1000, 400 }, { 1001, 100 }, { 100000, 100 } };
	struct ip ip = ip_of("192.0.2.1");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int restart = 0; restart < 2; restart++) {
			struct world world;
			int64_t at_s = NOW_S;
			int64_t length_s;

			begin(&world, &doubled, 100);
			purge_s = 1000;
			world_restart(&world, NOW_S);
			(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
			(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
			at_s += rows[i].pause_s;
			world_commit(&world);
			if (restart)
				world_restart(&world, at_s);
			else
				guard_tick(world.guard, at_s, true);
			assert_int_equal(guard_earlier_bans(world.guard, SIP_JAIL, &ip, at_s),
				rows[i].pause_s > 1000 ? 0 : 2);
			(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
			if (length_s != rows[i].length_s)
				fail_msg("row %zu: %lld s", i, (long long)length_s);
			world_done(&world);
		}
	}
}

/* Whoever was unbanned begins anew, also after a restart. */
static void test_unban_forgives(void **state)
{
	struct ip ip = ip_of("192.0.2.1");
	struct world world;
	int64_t at_s = NOW_S;
	int64_t length_s;
	uint32_t lifted;

	(void)state;
	for (int restart = 0; restart < 2; restart++) {
		at_s = NOW_S;
		begin(&world, &doubled, 100);
		(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
		(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
		assert_int_equal(guard_unban(world.guard, &ip, NULL, at_s - 1, &lifted, NULL), 0);
		(void)world_flush(&world, 0, at_s - 1);
		world_commit(&world);
		if (restart)
			world_restart(&world, at_s);
		assert_int_equal(fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s),
			10);
		assert_int_equal(length_s, 100);
		world_done(&world);
	}
}

/* Within bounds, not the same for all, and the same again for the same ban. */
static void test_random_part(void **state)
{
	static const struct config_increment random = { .on = true,
		.factor = 1,
		.maxtime_s = 150,
		.rndtime_s = 30 };
	bool seen[31] = { false };
	unsigned different = 0;
	struct world world;

	(void)state;
	begin(&world, &random, 100);
	maxretry = 2;
	world_restart(&world, NOW_S);
	for (int i = 1; i <= 50; i++) {
		char address[32];
		int64_t at_s = NOW_S;
		int64_t again_s = 0;
		int64_t first_s;
		int64_t length_s;

		(void)snprintf(address, sizeof(address), "192.0.2.%d", i);
		(void)fail_until_banned(&world, SIP_JAIL, address, &at_s, &first_s);
		assert_int_equal(first_s, 100);
		world_commit(&world);
		for (int k = 0; k < 2; k++) {
			at_s = NOW_S + 100;
			(void)fail_until_banned(&world, SIP_JAIL, address, &at_s, &length_s);
			assert_in_range(length_s, 150, 180);
			if (k)
				assert_int_equal(length_s, again_s);
			again_s = length_s;
			if (!k) /* what was not committed is decided again */
				world_restart(&world, NOW_S + 100);
		}
		different += !seen[length_s - 150];
		seen[length_s - 150] = true;
		world_restart(&world, NOW_S);
	}
	assert_true(different > 10);
	world_done(&world);
}

/* The same ban read again, after its end: nothing changes. */
static void test_the_same_ban_again(void **state)
{
	struct ip ip = ip_of("192.0.2.1");
	struct world world;
	int64_t at_s = NOW_S;
	int64_t length_s;

	(void)state;
	begin(&world, &doubled, 100);
	(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
	guard_tick(world.guard, at_s, true);
	for (int i = 0; i < 30; i++)
		world_fail(&world, SIP_JAIL, "192.0.2.1", NOW_S, at_s);
	guard_tick(world.guard, at_s, true);
	assert_int_equal(guard_earlier_bans(world.guard, SIP_JAIL, &ip, at_s), 1);
	(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
	assert_int_equal(length_s, 200);
	world_done(&world);
}

static void test_texts(void **state)
{
	static const struct config_increment off = { .on = false, .factor = 1 };
	struct world world;
	int64_t at_s = NOW_S;
	int64_t length_s;

	(void)state;
	begin(&world, &doubled, 100);
	(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
	assert_string_equal(world.note, "sip: banned 192.0.2.1 for 1m 40s, ban 1 of this address");
	(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
	assert_string_equal(world.note, "sip: banned 192.0.2.1 for 3m 20s, ban 2 of this address");
	(void)world_flush(&world, 0, at_s - 1);
	assert_non_null(strstr(world.letter.body, "this is ban 2 of this address"));
	assert_non_null(strstr(world.letter.body, "5 failures within 10m (maxretry 10)"));
	assert_non_null(strstr(world.letter.body, "that count as 10"));
	world_done(&world);
	at_s = NOW_S;
	begin(&world, &off, 100);
	(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
	assert_string_equal(world.note, "sip: banned 192.0.2.1 for 1m 40s");
	world_done(&world);
}

/* By hand: the jail's own time grows, a time that was said does not; a ban that stands stays the
 * same ban. */
static void test_by_hand(void **state)
{
	struct ip ip = ip_of("192.0.2.1");
	struct world world;
	int64_t at_s = NOW_S;
	int64_t length_s;

	(void)state;
	begin(&world, &doubled, 100);
	(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
	guard_tick(world.guard, at_s, true);
	assert_int_equal(guard_ban(world.guard, &ip, "sip", 0, NULL, at_s, NULL), 0);
	assert_int_equal(world_ban(&world, SIP_JAIL, "192.0.2.1")->until_s, at_s + 200);
	assert_int_equal(guard_ban(world.guard, &ip, "sip", 50, NULL, at_s + 1, NULL), 0);
	assert_int_equal(world_ban(&world, SIP_JAIL, "192.0.2.1")->until_s, at_s + 51);
	assert_int_equal(guard_earlier_bans(world.guard, SIP_JAIL, &ip, at_s + 2), 2);
	world_done(&world);
}

/* A dry run tells what would be, and leaves nothing that a real run would count. */
static void test_dry_run(void **state)
{
	struct world world;
	int64_t at_s = NOW_S;
	int64_t length_s;

	(void)state;
	begin(&world, &doubled, 100);
	(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
	world_commit(&world);
	world.dry_run = true;
	world_restart(&world, at_s);
	(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
	assert_int_equal(length_s, 200);
	(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.1", &at_s, &length_s);
	assert_int_equal(length_s, 400);
	(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.2", &at_s, &length_s);
	guard_tick(world.guard, at_s, true);
	world_commit(&world);
	world.dry_run = false;
	world_restart(&world, at_s);
	(void)fail_until_banned(&world, SIP_JAIL, "192.0.2.2", &at_s, &length_s);
	assert_int_equal(length_s, 100);
	world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_weights_are_kept),
		cmocka_unit_test(test_jails_together),
		cmocka_unit_test(test_purge),
		cmocka_unit_test(test_unban_forgives),
		cmocka_unit_test(test_random_part),
		cmocka_unit_test(test_the_same_ban_again),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_dry_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
