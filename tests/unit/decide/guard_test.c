#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/counter.h"
#include "decide/guard_fixture.h"

/* Failures (seconds after NOW_S, each read at once) of 192.0.2.1 in jail sip: 3 within 60 s,
 * 100 s of ban. since -1: no ban. */
static const struct {
	int at[8];
	int n;
	int since;
	int total;
	int current;
} windows[] = {
	{ { 0, 0 }, 2, -1, 2, 1 },
	{ { 0, 0, 0 }, 3, 0, 3, 0 },
	{ { 0, 30, 60 }, 3, 60, 3, 0 },     /* the first is exactly findtime old: counts */
	{ { 0, 30, 61 }, 3, -1, 3, 1 },     /* and one second more: not */
	{ { 0, 30, 61, 62 }, 4, 62, 4, 0 }, /* it slides */
	{ { 0, 50, 100, 150 }, 4, -1, 4, 1 },
	{ { 10, 20, 5 }, 3, 20, 3, 0 }, /* out of order: the third in time */
	{ { 0, 1, 2, 3, 50, 101 }, 6, 2, 6, 0 },
};

static void test_sliding_window(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		struct world world = { 0 };
		struct guard_jail_info info;
		const struct ban *ban;
		int last = 0;

		world_new(&world);
		for (int k = 0; k < windows[i].n; k++) {
			last = windows[i].at[k] > last ? windows[i].at[k] : last;
			world_fail(&world, SIP, "192.0.2.1", NOW_S + windows[i].at[k],
				NOW_S + last);
		}
		ban = world_ban(&world, SIP, "192.0.2.1");
		info = world_info(&world, SIP, NOW_S + last);
		if ((ban ? ban->since_s - NOW_S : -1) != windows[i].since ||
			(ban && ban->until_s != ban->since_s + 100) ||
			(ban && ban->failures != 3) ||
			(int)info.failures_total != windows[i].total ||
			(int)info.failures_current != windows[i].current ||
			info.bans_total != (ban != NULL))
			fail_msg("row %zu: since %d, total %d, current %d", i,
				ban ? (int)(ban->since_s - NOW_S) : -1, (int)info.failures_total,
				(int)info.failures_current);
		world_done(&world);
	}
}

/* A line is charged to whom? One failure is enough in jail twin. */
static const struct {
	const char *address;
	const char *unit; /* NULL: nobody */
} units[] = {
	{ "192.0.2.7", "192.0.2.7" },
	{ "::ffff:192.0.2.8", "192.0.2.8" },
	{ "2001:db8:1:2:3::9", "2001:db8:1:2::/64" },
	{ "2001:db8:5::9", "2001:db8:5::9" }, /* its /64 is protected in part */
	{ "2001:db8:5::1", NULL },
	{ "198.51.100.9", NULL }, /* ignoreip of another jail protects too */
	{ "127.0.0.1", NULL },
	{ "::1", NULL },
	{ "fe80::1", NULL },
	{ "224.0.0.1", NULL },
	{ "203.0.113.77", NULL },
};

static void protect(const struct world *world, const struct ip *ip, const char *because)
{
	assert_true(protected_add(world->protected, ip, because, PROTECTED_BY_HOST));
	guard_lift_protected(world->guard, ip, because);
}

static void test_units_and_protection(void **state)
{
	struct ip host = ip_of("2001:db8:5::1");
	struct ip net = ip_of("203.0.113.0/24");
	struct world world = { 0 };
	size_t banned = 0;

	(void)state;
	world_new(&world);
	protect(&world, &host, "gateway");
	protect(&world, &net, "office");
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		world_fail(&world, TWIN, units[i].address, NOW_S, NOW_S);
		banned += units[i].unit != NULL;
		if (units[i].unit && !world_ban(&world, TWIN, units[i].unit))
			fail_msg("%s: no ban of %s", units[i].address, units[i].unit);
		if (bans_count(guard_bans(world.guard), TWIN) != banned)
			fail_msg("%s: %u bans", units[i].address,
				bans_count(guard_bans(world.guard), TWIN));
	}
	assert_int_equal(world_info(&world, TWIN, NOW_S).failures_total,
		sizeof(units) / sizeof(units[0]));
	assert_int_equal(world_info(&world, TWIN, NOW_S).ignored, 0);
	world_done(&world);
}

static void fail_thrice(struct world *world, const char *address, int64_t at_s)
{
	for (int i = 0; i < 3; i++)
		world_fail(world, SIP, address, at_s + i, at_s + i);
}

/* They count like others. Instead of the ban there is one note and one mail within findtime, also
 * over a restart, and the window begins anew. */
static void test_protected_are_counted(void **state)
{
	struct ip unit = ip_of("198.51.100.9");
	struct counter_window window;
	struct world world = { 0 };

	(void)state;
	world_new(&world);
	world_fail(&world, SIP, "198.51.100.9", NOW_S, NOW_S);
	assert_true(guard_window(world.guard, SIP, &unit, NOW_S, &window));
	assert_int_equal(window.failures, 1);
	world_fail(&world, SIP, "198.51.100.9", NOW_S, NOW_S);
	assert_int_equal(world.alerts + world.notes, 0);
	world_fail(&world, SIP, "198.51.100.9", NOW_S + 2, NOW_S + 2);
	assert_null(world_ban(&world, SIP, "198.51.100.9"));
	assert_int_equal(world.alerts, 1);
	assert_int_equal(world.notes, 1);
	assert_string_equal(world.dest, "admin@example.org");
	assert_non_null(strstr(world.note,
		"sip: 198.51.100.9 has failed 3 times within 1m and"
		" would have been banned, but is protected: ignoreip of jail sip"));
	assert_non_null(strstr(world.letter.subject, "198.51.100.9 is protected, it would have"));
	assert_non_null(strstr(world.letter.body, "fail from 198.51.100.9"));
	assert_false(guard_window(world.guard, SIP, &unit, NOW_S + 2, &window));
	fail_thrice(&world, "198.51.100.9", NOW_S + 10);
	assert_int_equal(world.alerts + world.notes, 2);
	world_commit(&world);
	world_restart(&world, NOW_S + 20);
	fail_thrice(&world, "198.51.100.9", NOW_S + 20);
	assert_int_equal(world.alerts + world.notes, 2);
	fail_thrice(&world, "198.51.100.8", NOW_S + 30);
	assert_int_equal(world.alerts + world.notes, 4);
	fail_thrice(&world, "198.51.100.9", NOW_S + 61);
	assert_int_equal(world.alerts + world.notes, 6);
	assert_int_equal(world_info(&world, SIP, NOW_S + 63).failures_total, 15);
	assert_int_equal(world_info(&world, SIP, NOW_S + 63).bans_total, 0);
	assert_int_equal(bans_waiting(guard_bans(world.guard)), 0);
	world_done(&world);
}

/* An old log raises no alarm, and a jail that only counts bans nobody anyway. */
static void test_protected_without_an_alarm(void **state)
{
	struct world world = { 0 };

	(void)state;
	world_new(&world);
	for (int i = 0; i < 3; i++) {
		world_fail(&world, SIP, "198.51.100.9", NOW_S, NOW_S + 100);
		world_fail(&world, COUNT, "198.51.100.9", NOW_S, NOW_S);
	}
	assert_int_equal(world.alerts + world.notes, 0);
	assert_int_equal(world_info(&world, COUNT, NOW_S).failures_current, 1);
	world_done(&world);
}

/* Protection that comes later frees at once, whatever banned, and the database agrees. */
static void test_protect_lifts(void **state)
{
	struct ip net = ip_of("192.0.2.0/24");
	struct world world = { 0 };
	struct error err;

	(void)state;
	world_new(&world);
	world_fail(&world, TWIN, "192.0.2.1", NOW_S, NOW_S);
	world_fail(&world, TWIN, "203.0.113.1", NOW_S, NOW_S);
	assert_int_equal(guard_ban(world.guard, &net, NULL, 0, NULL, NOW_S, &err), 0);
	(void)world_flush(&world, 0, NOW_S);
	protect(&world, &(struct ip){ 4, 32, { 192, 0, 2, 1 } }, "admin");
	assert_null(world_ban(&world, TWIN, "192.0.2.1"));
	assert_null(world_ban(&world, MANUAL, "192.0.2.0/24"));
	assert_non_null(world_ban(&world, TWIN, "203.0.113.1"));
	assert_non_null(strstr(world.note, "admin"));
	assert_int_equal(guard_ban(world.guard, &net, NULL, 0, NULL, NOW_S, &err), -1);
	assert_non_null(strstr(err.text, "protected"));
	(void)world_flush(&world, 0, NOW_S);
	world_commit(&world);
	world_restart(&world, NOW_S);
	assert_null(world_ban(&world, TWIN, "192.0.2.1"));
	assert_null(world_ban(&world, MANUAL, "192.0.2.0/24"));
	assert_non_null(world_ban(&world, TWIN, "203.0.113.1"));
	world_done(&world);
}

/* Later lines never move the end; those inside enter the totals only. */
static void test_standing_ban(void **state)
{
	struct world world = { 0 };

	(void)state;
	world_new(&world);
	for (int i = 0; i < 3; i++)
		world_fail(&world, SIP, "192.0.2.1", NOW_S + i, NOW_S + i);
	for (int i = 3; i < 102; i++)
		world_fail(&world, SIP, "192.0.2.1", NOW_S + i, NOW_S + i);
	assert_int_equal(world_ban(&world, SIP, "192.0.2.1")->until_s, NOW_S + 102);
	assert_int_equal(world_info(&world, SIP, NOW_S + 101).failures_total, 102);
	assert_int_equal(world_info(&world, SIP, NOW_S + 101).failures_current, 0);
	assert_int_equal(world_info(&world, SIP, NOW_S + 101).bans_total, 1);
	guard_tick(world.guard, NOW_S + 101, true);
	assert_non_null(world_ban(&world, SIP, "192.0.2.1"));
	guard_tick(world.guard, NOW_S + 102, true);
	assert_null(world_ban(&world, SIP, "192.0.2.1"));
	/* a line stamped at its end is outside */
	for (int i = 0; i < 3; i++)
		world_fail(&world, SIP, "192.0.2.1", NOW_S + 102, NOW_S + 102);
	assert_int_equal(world_ban(&world, SIP, "192.0.2.1")->since_s, NOW_S + 102);
	assert_int_equal(world_info(&world, SIP, NOW_S + 102).bans_total, 2);
	world_done(&world);
}

/* Lines of a second file, stamped before a standing ban, do not shorten it. */
static void test_earlier_lines_do_not_move_the_end(void **state)
{
	struct world world = { 0 };

	(void)state;
	world_new(&world);
	for (int i = 0; i < 3; i++)
		world_fail(&world, SIP, "192.0.2.1", NOW_S + 30, NOW_S + 30);
	for (int i = 0; i < 3; i++)
		world_fail(&world, SIP, "192.0.2.1", NOW_S + 10, NOW_S + 30);
	assert_int_equal(world_ban(&world, SIP, "192.0.2.1")->since_s, NOW_S + 30);
	assert_int_equal(world_ban(&world, SIP, "192.0.2.1")->until_s, NOW_S + 130);
	assert_int_equal(world_info(&world, SIP, NOW_S + 30).bans_total, 1);
	assert_int_equal(world_info(&world, SIP, NOW_S + 30).failures_total, 6);
	world_done(&world);
}

/* A ban that is over when its lines are read is not made, but swallows what lies inside it. */
static void test_ghost(void **state)
{
	struct world world = { 0 };
	struct ban_change change;
	int64_t now_s = NOW_S + 500;

	(void)state;
	world_new(&world);
	for (int at = 0; at < 6; at++)
		world_fail(&world, SIP, "192.0.2.1", NOW_S + at, now_s);
	assert_null(world_ban(&world, SIP, "192.0.2.1"));
	assert_int_equal(world_info(&world, SIP, NOW_S + 5).failures_current, 0);
	assert_int_equal(world_info(&world, SIP, now_s).bans_total, 0);
	assert_int_equal(world_info(&world, SIP, now_s).failures_total, 6);
	assert_int_equal(bans_count(guard_bans(world.guard), SIP), 0);
	while (bans_peek(guard_bans(world.guard), now_s, &change)) {
		assert_true(change.lift);
		bans_sent(guard_bans(world.guard));
	}
	guard_tick(world.guard, now_s, false);
	for (int i = 0; i < 3; i++)
		world_fail(&world, SIP, "192.0.2.1", NOW_S + 101, now_s);
	assert_int_equal(world_info(&world, SIP, NOW_S + 101).failures_current, 0);
	guard_tick(world.guard, now_s, true);
	world_fail(&world, SIP, "192.0.2.1", NOW_S + 101, now_s);
	assert_int_equal(world_info(&world, SIP, NOW_S + 101).failures_current, 1);
	assert_int_equal(world.alerts, 0);
	world_done(&world);
}

/* A ban that ends by the clock while lines are unread goes on swallowing. */
static void test_ban_becomes_ghost(void **state)
{
	struct world world = { 0 };

	(void)state;
	world_new(&world);
	for (int i = 0; i < 3; i++)
		world_fail(&world, SIP, "192.0.2.1", NOW_S, NOW_S + 50);
	assert_non_null(world_ban(&world, SIP, "192.0.2.1"));
	guard_tick(world.guard, NOW_S + 100, false);
	assert_null(world_ban(&world, SIP, "192.0.2.1"));
	for (int i = 0; i < 3; i++)
		world_fail(&world, SIP, "192.0.2.1", NOW_S + 99, NOW_S + 100);
	assert_int_equal(world_info(&world, SIP, NOW_S + 100).failures_current, 0);
	for (int i = 0; i < 3; i++)
		world_fail(&world, SIP, "192.0.2.1", NOW_S + 100, NOW_S + 100);
	assert_int_equal(world_ban(&world, SIP, "192.0.2.1")->until_s, NOW_S + 200);
	assert_int_equal(world_info(&world, SIP, NOW_S + 100).bans_total, 2);
	world_done(&world);
}

static void test_first_read_and_future(void **state)
{
	char stamp[UTC_TEXT_MAX];
	struct world world = { 0 };
	char text[128];

	(void)state;
	world_new(&world);
	for (int age = 58; age <= 63; age++) {
		(void)snprintf(text, sizeof(text), "%s fail from 192.0.2.1",
			utc_format(NOW_S - age, stamp));
		world_line(&world, SIP, text, true, NOW_S);
		world_line(&world, COUNT, text, false, NOW_S);
	}
	/* 58, 59 and 60 counted, older ones not */
	assert_int_equal(world_info(&world, SIP, NOW_S).failures_total, 3);
	assert_int_equal(world_info(&world, COUNT, NOW_S).failures_total, 6);
	for (int i = 0; i < 3; i++)
		world_fail(&world, SIP, "192.0.2.2", NOW_S + 3600 * i, NOW_S);
	assert_int_equal(world_ban(&world, SIP, "192.0.2.2")->since_s, NOW_S);
	world_line(&world, TWIN, "fail from 192.0.2.3", false, NOW_S + 7);
	assert_int_equal(world_ban(&world, TWIN, "192.0.2.3")->since_s, NOW_S + 7);
	world_done(&world);
}

/* ignoreregex, cut lines, lines of other patterns, hosts without an address, a counting jail. */
static void test_what_does_not_count(void **state)
{
	uint64_t patterns[TAIL_PATTERNS_MAX / 64] = { [0] = UINT64_C(1) << TWIN };
	struct line cut = { .text = "fail from 192.0.2.1",
		.length = 19,
		.path = "/x",
		.patterns = patterns,
		.cut = true };
	struct world world = { 0 };

	(void)state;
	world_new(&world);
	guard_line(world.guard, &cut, NOW_S);
	world_line(&world, TWIN, "fail as nobody from 192.0.2.1", false, NOW_S);
	world_line(&world, TWIN, "all is well at 192.0.2.1", false, NOW_S);
	world_line(&world, 20, "fail from 192.0.2.1", false, NOW_S);
	world_line(&world, OFF, "fail from 192.0.2.1", false, NOW_S);
	world_line(&world, BAD, "fail from 192.0.2.1", false, NOW_S);
	assert_int_equal(world_info(&world, TWIN, NOW_S).ignored, 1);
	for (int i = 0; i < 9; i++)
		world_fail(&world, COUNT, "192.0.2.1", NOW_S, NOW_S);
	assert_int_equal(world_info(&world, COUNT, NOW_S).failures_current, 1);
	assert_int_equal(world_info(&world, COUNT, NOW_S).failures_total, 9);
	for (uint32_t jail = 0; jail < WORLD_JAILS_COUNT; jail++) {
		assert_int_equal(bans_count(guard_bans(world.guard), jail), 0);
		assert_int_equal(world_info(&world, jail, NOW_S).failures_total,
			jail == COUNT ? 9 : 0);
	}
	assert_false(store_is_dirty(world.store) && world.alerts);
	world_done(&world);
}

static void test_jails_and_scopes(void **state)
{
	const struct scope *scopes;
	struct world world = { 0 };
	size_t count;

	(void)state;
	world_new(&world);
	assert_int_equal(guard_jails(world.guard), WORLD_JAILS_COUNT);
	assert_int_equal(guard_active_jails(world.guard), 5);
	for (size_t i = 0; i < WORLD_JAILS_COUNT; i++)
		assert_int_equal(world_info(&world, i, NOW_S).broken, i == BAD);
	assert_true(world.findings.errors > 0);
	assert_int_equal(guard_find_jail(world.guard, "twin"), TWIN);
	assert_int_equal(guard_find_jail(world.guard, "manual"), MANUAL);
	assert_int_equal(guard_find_jail(world.guard, "Twin"), -1);
	assert_true(world_info(&world, MANUAL, NOW_S).manual);
	assert_true(world_info(&world, BAD, NOW_S).broken);
	assert_false(world_info(&world, OFF, NOW_S).active);
	assert_false(world_info(&world, OFF, NOW_S).broken);
	assert_true(world_info(&world, EVER, NOW_S).bantime_s < 0);
	scopes = guard_scopes(world.guard, &count);
	assert_int_equal(scopes[0].protocol, 0);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			assert_false(scope_equal(&scopes[i], &scopes[k]));
	/* two jails with the same ports share the scope */
	assert_ptr_equal(world_info(&world, SIP, 0).scopes[true][0],
		world_info(&world, TWIN, 0).scopes[true][0]);
	assert_int_equal(world_info(&world, TWO, 0).n_scopes[true], 2);
	assert_ptr_equal(world_info(&world, MANUAL, 0).scopes[true][0], &scopes[0]);
	world_done(&world);
}

/* More than tail can follow: the jails that are too many are left out, with a place. */
static void test_too_many_logpaths(void **state)
{
	static const size_t counts[] = { 256, 200, 57, 56 };
	struct world world = { 0 };
	char *jails = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&jails, &length);

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		(void)fprintf(out, "[j%zu]\nenabled = true\nfilter = plain\nlogpath =", i);
		for (size_t k = 0; k < counts[i]; k++)
			(void)fprintf(out, " /var/log/%zu-%zu\n", i, k);
	}
	assert_int_equal(fclose(out), 0);
	world_new_with(&world, jails);
	free(jails);
	assert_int_equal(guard_active_jails(world.guard), 3);
	assert_true(world_info(&world, 2, NOW_S).broken);
	assert_int_equal(world.findings.errors, 1);
	world_done(&world);
}

static void test_dry_run(void **state)
{
	struct world world = { .dry_run = true };
	struct error err;
	struct ip ip = ip_of("192.0.2.9");

	(void)state;
	world_new(&world);
	assert_true(world.dry_run);
	for (int i = 0; i < 3; i++)
		world_fail(&world, SIP, "192.0.2.1", NOW_S, NOW_S);
	assert_non_null(world_ban(&world, SIP, "192.0.2.1"));
	assert_int_equal(world.alerts, 1); /* waits for no kernel */
	assert_non_null(strstr(world.letter.subject, "dry run"));
	assert_non_null(strstr(world.note, "dry run"));
	assert_int_equal(guard_ban(world.guard, &ip, NULL, -1, NULL, NOW_S, &err), 0);
	world_commit(&world);
	world.dry_run = false;
	world_restart(&world, NOW_S);
	assert_null(world_ban(&world, SIP, "192.0.2.1"));
	assert_null(world_ban(&world, MANUAL, "192.0.2.9"));
	assert_int_equal(bans_waiting(guard_bans(world.guard)), 0);
	world_done(&world);
}

/* The first element of 4 bytes of transport tells whether the source is proven. */
static void test_proof_and_account(void **state)
{
	static const struct {
		const char *text;
		const char *address;
		bool proven;
		const char *account;
	} rows[] = {
		{ "fail via UDP as 100 from 192.0.2.1", "192.0.2.1", false, "100" },
		{ "fail via TCP as 101 from 192.0.2.2", "192.0.2.2", true, "101" },
		{ "fail via TLS from 192.0.2.3", "192.0.2.3", true, "" },
		{ "fail from 192.0.2.4", "192.0.2.4", false, "" },
	};
	struct world world = { 0 };

	(void)state;
	world_new(&world);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ban *ban;

		world_line(&world, TWIN, rows[i].text, false, NOW_S);
		ban = world_ban(&world, TWIN, rows[i].address);
		assert_non_null(ban);
		assert_int_equal(ban->proven, rows[i].proven);
		assert_string_equal(ban->account, rows[i].account);
	}
	/* one unproven among three: unproven */
	world_line(&world, SIP, "fail via TCP as a from 192.0.2.9", false, NOW_S);
	world_line(&world, SIP, "fail via UDP as b from 192.0.2.9", false, NOW_S);
	world_line(&world, SIP, "fail via TCP as c from 192.0.2.9", false, NOW_S);
	assert_false(world_ban(&world, SIP, "192.0.2.9")->proven);
	assert_string_equal(world_ban(&world, SIP, "192.0.2.9")->account, "c");
	world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sliding_window),
		cmocka_unit_test(test_units_and_protection),
		cmocka_unit_test(test_protected_are_counted),
		cmocka_unit_test(test_protected_without_an_alarm),
		cmocka_unit_test(test_protect_lifts),
		cmocka_unit_test(test_standing_ban),
		cmocka_unit_test(test_earlier_lines_do_not_move_the_end),
		cmocka_unit_test(test_ghost),
		cmocka_unit_test(test_ban_becomes_ghost),
		cmocka_unit_test(test_first_read_and_future),
		cmocka_unit_test(test_what_does_not_count),
		cmocka_unit_test(test_jails_and_scopes),
		cmocka_unit_test(test_too_many_logpaths),
		cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_proof_and_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
