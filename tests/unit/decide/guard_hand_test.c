#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "decide/guard_fixture.h"

/* Bans by hand: what is banned in which jail until when, or a part of the refusal. */
static const struct {
	const char *address;
	const char *jail;
	int64_t for_s;
	const char *unit;
	size_t number;
	int64_t until_s;
	const char *refusal;
} by_hand[] = {
	{ "192.0.2.1", NULL, 0, "192.0.2.1", MANUAL, NOW_S + 86400, NULL },
	{ "192.0.2.1", NULL, 60, "192.0.2.1", MANUAL, NOW_S + 60, NULL },
	{ "192.0.2.1", NULL, -1, "192.0.2.1", MANUAL, 0, NULL },
	{ "192.0.2.1", "sip", 0, "192.0.2.1", SIP, NOW_S + 100, NULL },
	{ "192.0.2.1", "ever", 0, "192.0.2.1", EVER, 0, NULL },
	{ "192.0.2.1", "ever", 5, "192.0.2.1", EVER, NOW_S + 5, NULL },
	{ "2001:db8::1", NULL, 0, "2001:db8::/64", MANUAL, NOW_S + 86400, NULL },
	{ "192.0.2.0/24", NULL, 0, "192.0.2.0/24", MANUAL, NOW_S + 86400, NULL },
	{ "2001:db8::/48", NULL, 0, "2001:db8::/48", MANUAL, NOW_S + 86400, NULL },
	{ "192.0.2.1", "si\001p", 0, NULL, 0, 0, "no jail 'si\\x01p'" },
	{ "198.51.100.1", NULL, 0, NULL, 0, 0, "198.51.100.1 is protected: ignoreip of jail sip" },
	{ "198.51.0.0/16", NULL, 0, NULL, 0, 0, "is protected" },
	{ "127.0.0.1", NULL, 0, NULL, 0, 0, "is protected" },
};

static void test_ban_by_hand(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(by_hand) / sizeof(by_hand[0]); i++) {
		struct ip ip = ip_of(by_hand[i].address);
		struct world world = { 0 };
		struct error err = { "" };
		int rc;

		world_new(&world);
		rc = guard_ban(world.guard, &ip, by_hand[i].jail, by_hand[i].for_s, "a note", NOW_S,
			&err);
		if (rc != (by_hand[i].refusal ? -1 : 0) ||
			(by_hand[i].refusal && !strstr(err.text, by_hand[i].refusal)))
			fail_msg("row %zu: %d %s", i, rc, err.text);
		if (rc == 0) {
			const struct ban *ban =
				world_ban(&world, by_hand[i].number, by_hand[i].unit);

			if (!ban || ban->until_s != by_hand[i].until_s || ban->since_s != NOW_S ||
				strcmp(ban->note, "a note") != 0)
				fail_msg("row %zu: not that ban", i);
		}
		world_done(&world);
	}
}

/* A second ban of the same jail replaces the first, in the database too. */
static void test_ban_again(void **state)
{
	struct ip ip = ip_of("192.0.2.1");
	struct world world = { 0 };
	struct error err;

	(void)state;
	world_new(&world);
	assert_int_equal(guard_ban(world.guard, &ip, NULL, -1, "first", NOW_S, &err), 0);
	assert_int_equal(guard_ban(world.guard, &ip, NULL, 50, "second", NOW_S + 1, &err), 0);
	assert_int_equal(bans_count(guard_bans(world.guard), MANUAL), 1);
	world_commit(&world);
	world_restart(&world, NOW_S + 2);
	assert_int_equal(bans_count(guard_bans(world.guard), MANUAL), 1);
	assert_int_equal(world_ban(&world, MANUAL, "192.0.2.1")->until_s, NOW_S + 51);
	assert_string_equal(world_ban(&world, MANUAL, "192.0.2.1")->note, "second");
	assert_int_equal(world_info(&world, MANUAL, NOW_S).bans_total, 2);
	world_done(&world);
}

static void test_unban_resets_counters(void **state)
{
	struct ip ip = ip_of("192.0.2.1");
	struct world world = { 0 };
	uint32_t lifted = 7;
	struct error err;

	(void)state;
	world_new(&world);
	world_fail(&world, SIP, "192.0.2.1", NOW_S, NOW_S);
	world_fail(&world, SIP, "192.0.2.1", NOW_S, NOW_S);
	world_fail(&world, EVER, "192.0.2.1", NOW_S, NOW_S);
	world_fail(&world, TWIN, "192.0.2.1", NOW_S, NOW_S);
	assert_int_equal(guard_unban(world.guard, &ip, NULL, NOW_S, &lifted, &err), 0);
	assert_int_equal(lifted, 1);
	assert_null(world_ban(&world, TWIN, "192.0.2.1"));
	assert_int_equal(world_info(&world, SIP, NOW_S).failures_current, 0);
	world_commit(&world);
	world_restart(&world, NOW_S); /* the reset is in the database as well */
	assert_int_equal(world_info(&world, SIP, NOW_S).failures_current, 0);
	world_fail(&world, SIP, "192.0.2.1", NOW_S, NOW_S);
	world_fail(&world, EVER, "192.0.2.1", NOW_S, NOW_S);
	assert_null(world_ban(&world, SIP, "192.0.2.1"));
	assert_null(world_ban(&world, EVER, "192.0.2.1"));
	/* nothing to lift is said, the counters are reset all the same */
	assert_int_equal(guard_unban(world.guard, &ip, "sip", NOW_S, &lifted, &err), -1);
	assert_int_equal(world_info(&world, SIP, NOW_S).failures_current, 0);
	assert_int_equal(world_info(&world, EVER, NOW_S).failures_current, 1);
	assert_int_equal(guard_unban(world.guard, &ip, "nosuch", NOW_S, &lifted, &err), -1);
	assert_non_null(strstr(err.text, "nosuch"));
	world_done(&world);
}

static void test_unban_and_wider_bans(void **state)
{
	static const char *const inner[] = { "192.0.2.1", "192.0.2.200", "192.0.3.1" };
	struct ip net = ip_of("192.0.2.0/24");
	struct ip host = ip_of("192.0.2.1");
	struct world world = { 0 };
	uint32_t lifted;
	struct error err;

	(void)state;
	world_new(&world);
	for (size_t i = 0; i < 3; i++)
		world_fail(&world, TWIN, inner[i], NOW_S, NOW_S);
	assert_int_equal(guard_ban(world.guard, &net, NULL, 0, NULL, NOW_S, &err), 0);
	/* a host inside a banned network is refused, and the sentence names the network */
	assert_int_equal(guard_unban(world.guard, &host, NULL, NOW_S, &lifted, &err), -1);
	assert_non_null(strstr(err.text, "192.0.2.0/24"));
	assert_non_null(world_ban(&world, MANUAL, "192.0.2.0/24"));
	/* the network lifts what lies in it and nothing else */
	assert_int_equal(guard_unban(world.guard, &net, NULL, NOW_S, &lifted, &err), 0);
	assert_true(lifted >= 2);
	assert_null(world_ban(&world, MANUAL, "192.0.2.0/24"));
	assert_null(world_ban(&world, TWIN, "192.0.2.1"));
	assert_null(world_ban(&world, TWIN, "192.0.2.200"));
	assert_non_null(world_ban(&world, TWIN, "192.0.3.1"));
	assert_int_equal(guard_unban(world.guard, NULL, "sip", NOW_S, &lifted, &err), 0);
	assert_int_equal(lifted, 0);
	assert_int_equal(guard_unban(world.guard, NULL, NULL, NOW_S, &lifted, &err), 0);
	assert_int_equal(lifted, 1);
	assert_null(world_ban(&world, TWIN, "192.0.3.1"));
	world_done(&world);
}

/* A lifted ban stays `lifting` until the kernel has acknowledged: a crash before that lifts again,
 * one after it finds nothing. */
static void test_lifting_survives(void **state)
{
	struct ip ip = ip_of("192.0.2.1");
	struct world world = { 0 };
	struct ban_change change;
	uint32_t lifted;
	struct error err;

	(void)state;
	world_new(&world);
	world_fail(&world, TWIN, "192.0.2.1", NOW_S, NOW_S);
	(void)world_flush(&world, 0, NOW_S);
	assert_int_equal(guard_unban(world.guard, &ip, NULL, NOW_S, &lifted, &err), 0);
	world_commit(&world);
	world_restart(&world, NOW_S);
	assert_null(world_ban(&world, TWIN, "192.0.2.1"));
	assert_true(bans_peek(guard_bans(world.guard), NOW_S, &change));
	assert_true(change.lift);
	assert_int_equal(world_flush(&world, 0, NOW_S), 1);
	world_commit(&world);
	world_restart(&world, NOW_S);
	assert_false(bans_peek(guard_bans(world.guard), NOW_S, &change));
	world_done(&world);
}

/* Two jails close the same ports for one address. Lifting the longer ban only shortens the element;
 * the kernel's word for that ends the lifting too. */
static void test_lifting_beside_another_jail(void **state)
{
	struct ip ip = ip_of("192.0.2.1");
	struct world world = { 0 };
	struct ban_change change;
	uint32_t lifted;
	struct error err;

	(void)state;
	world_new(&world);
	world_fail(&world, TWIN, "192.0.2.1", NOW_S, NOW_S);
	assert_int_equal(guard_ban(world.guard, &ip, "sip", 0, NULL, NOW_S, &err), 0);
	(void)world_flush(&world, 0, NOW_S);
	assert_int_equal(guard_unban(world.guard, &ip, "twin", NOW_S, &lifted, &err), 0);
	assert_true(bans_peek(guard_bans(world.guard), NOW_S, &change));
	assert_false(change.lift);
	assert_int_equal(change.ttl_s, 100);
	(void)world_flush(&world, 0, NOW_S);
	assert_non_null(world_ban(&world, SIP, "192.0.2.1"));
	world_commit(&world);
	world.notes = 0;
	world_restart(&world, NOW_S);
	assert_non_null(world_ban(&world, SIP, "192.0.2.1"));
	assert_int_equal(world.notes, 0); /* nothing is lifted a second time */
	world_done(&world);
}

static void test_adopt(void **state)
{
	const struct scope *scopes;
	struct ip ip = ip_of("192.0.2.1");
	struct ip mine = ip_of("198.51.100.1");
	struct world world = { 0 };
	size_t count;
	size_t udp;

	(void)state;
	world_new(&world);
	scopes = guard_scopes(world.guard, &count);
	udp = (size_t)(world_info(&world, SIP, 0).scopes[true][0] - scopes);
	guard_adopt(world.guard, (uint8_t)udp, &ip, 77, NOW_S);
	assert_int_equal(world_ban(&world, SIP, "192.0.2.1")->until_s, NOW_S + 77);
	guard_adopt(world.guard, (uint8_t)udp, &ip, 99, NOW_S); /* known: nothing changes */
	assert_int_equal(world_ban(&world, SIP, "192.0.2.1")->until_s, NOW_S + 77);
	guard_adopt(world.guard, 0, &ip, 0, NOW_S);
	assert_int_equal(world_ban(&world, EVER, "192.0.2.1")->until_s, 0);
	guard_adopt(world.guard, (uint8_t)udp, &mine, 50, NOW_S);
	assert_null(world_ban(&world, SIP, "198.51.100.1")); /* protected: lifted */
	assert_true(bans_has_change(guard_bans(world.guard), (uint8_t)udp, &mine));
	(void)world_flush(&world, 0, NOW_S);
	world_commit(&world);
	world_restart(&world, NOW_S + 5);
	assert_int_equal(world_ban(&world, SIP, "192.0.2.1")->until_s, NOW_S + 77);
	assert_non_null(world_ban(&world, EVER, "192.0.2.1"));
	assert_null(world_ban(&world, SIP, "198.51.100.1"));
	world_done(&world);
}

/* Somebody deleted the element: all bans that wanted it end, others stay. */
static void test_admin_lift(void **state)
{
	struct ip ip = ip_of("192.0.2.1");
	const struct scope *scopes;
	struct world world = { 0 };
	struct error err;
	size_t count;

	(void)state;
	world_new(&world);
	scopes = guard_scopes(world.guard, &count);
	world_fail(&world, TWIN, "192.0.2.1", NOW_S, NOW_S);
	assert_int_equal(guard_ban(world.guard, &ip, "sip", 0, NULL, NOW_S, &err), 0);
	assert_int_equal(guard_ban(world.guard, &ip, NULL, 0, NULL, NOW_S, &err), 0);
	(void)world_flush(&world, 0, NOW_S);
	guard_admin_lift(world.guard,
		(uint8_t)(world_info(&world, TWIN, 0).scopes[true][0] - scopes), &ip);
	assert_null(world_ban(&world, TWIN, "192.0.2.1"));
	assert_null(world_ban(&world, SIP, "192.0.2.1"));
	assert_non_null(world_ban(&world, MANUAL, "192.0.2.1"));
	(void)world_flush(&world, 0, NOW_S);
	world_commit(&world);
	world_restart(&world, NOW_S);
	assert_null(world_ban(&world, TWIN, "192.0.2.1"));
	assert_non_null(world_ban(&world, MANUAL, "192.0.2.1"));
	world_done(&world);
}

/* Bans of a jail that is gone or was switched off are lifted at start, a broken one's stay. */
static void test_jails_of_the_past(void **state)
{
	struct ip ip = ip_of("192.0.2.1");
	struct world world = { 0 };
	struct ban_change change;
	uint32_t changes = 0;
	struct error err;

	(void)state;
	world_new(&world);
	world_fail(&world, TWIN, "192.0.2.1", NOW_S, NOW_S);
	assert_int_equal(guard_ban(world.guard, &ip, "sip", 0, NULL, NOW_S, &err), 0);
	assert_int_equal(guard_ban(world.guard, &ip, "ever", 0, NULL, NOW_S, &err), 0);
	world_commit(&world);
	world_put(&world, "jail.local",
		"[DEFAULT]\nfilter = plain\nlogpath = /var/log/x\nenabled = true\n"
		"[sip]\nfilter = bad\n[ever]\nenabled = false\n");
	world_restart(&world, NOW_S + 1);
	assert_non_null(world_ban(&world, 0, "192.0.2.1")); /* sip */
	assert_null(world_ban(&world, 1, "192.0.2.1"));     /* ever */
	assert_int_equal(guard_find_jail(world.guard, "twin"), 3);
	assert_null(world_ban(&world, 3, "192.0.2.1"));
	assert_false(world_info(&world, 3, NOW_S).active);
	for (; changes < 9 && bans_peek(guard_bans(world.guard), NOW_S, &change); changes++) {
		bans_sent(guard_bans(world.guard));
		guard_held(world.guard, change.scope, &change.ip, change.lift, 0, NOW_S);
	}
	assert_true(changes >= 1);
	world_commit(&world);
	world_put(&world, "jail.local", WORLD_JAILS);
	world_restart(&world, NOW_S + 2);
	assert_non_null(world_ban(&world, SIP, "192.0.2.1"));
	assert_null(world_ban(&world, EVER, "192.0.2.1"));
	assert_null(world_ban(&world, TWIN, "192.0.2.1"));
	world_done(&world);
}

/* The letter leaves with the kernel's word, with its refusal, or without any after some time. */
static void test_letters(void **state)
{
	struct world world = { 0 };
	unsigned before;

	(void)state;
	world_new(&world);
	for (int i = 0; i < 3; i++)
		world_line(&world, SIP, "fail as bob from 192.0.2.1", false, NOW_S);
	assert_int_equal(world.alerts, 0);
	(void)world_flush(&world, 0, NOW_S + 1);
	assert_int_equal(world.alerts, 1);
	assert_string_equal(world.dest, "admin@example.org");
	assert_non_null(strstr(world.letter.subject, "sip: banned 192.0.2.1"));
	assert_non_null(strstr(world.letter.body, "The kernel holds the ban"));
	assert_non_null(strstr(world.letter.body, "'bob'"));
	assert_non_null(strstr(world.letter.body, "  fail as bob from 192.0.2.1\n"));
	for (int i = 0; i < 3; i++)
		world_fail(&world, SIP, "192.0.2.2", NOW_S, NOW_S);
	(void)world_flush(&world, EPERM, NOW_S + 1);
	assert_int_equal(world.alerts, 2);
	assert_non_null(strstr(world.letter.body, "REFUSED"));
	for (int i = 0; i < 3; i++)
		world_fail(&world, SIP, "192.0.2.3", NOW_S, NOW_S);
	guard_tick(world.guard, NOW_S + 4, true);
	assert_int_equal(world.alerts, 2);
	guard_tick(world.guard, NOW_S + 5, true);
	assert_int_equal(world.alerts, 3);
	assert_non_null(strstr(world.letter.body, "not confirmed"));
	/* two elements: one letter, after the second answer */
	before = world.alerts;
	world_fail(&world, TWO, "192.0.2.4", NOW_S + 5, NOW_S + 5);
	(void)world_flush(&world, 0, NOW_S + 5);
	assert_int_equal(world.alerts, before + 1);
	assert_non_null(strstr(world.letter.body, "The kernel holds the ban"));
	world_done(&world);
}

static void test_end(void **state)
{
	struct world world = { 0 };

	(void)state;
	world_new(&world);
	guard_tick(world.guard, NOW_S, true);
	world_fail(&world, TWIN, "192.0.2.1", NOW_S - 990, NOW_S);
	(void)world_flush(&world, 0, NOW_S);
	guard_tick(world.guard, NOW_S + 10, true);
	assert_null(world_ban(&world, TWIN, "192.0.2.1"));
	world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ban_by_hand),
		cmocka_unit_test(test_ban_again),
		cmocka_unit_test(test_unban_resets_counters),
		cmocka_unit_test(test_unban_and_wider_bans),
		cmocka_unit_test(test_lifting_survives),
		cmocka_unit_test(test_lifting_beside_another_jail),
		cmocka_unit_test(test_adopt),
		cmocka_unit_test(test_admin_lift),
		cmocka_unit_test(test_jails_of_the_past),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
