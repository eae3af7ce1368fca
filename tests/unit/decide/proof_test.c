#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>

#include "decide/counter.h"
#include "decide/guard_fixture.h"
#include "decide/parts.h"

/* Bans of addresses that may be forged: the jail tells unproven failures from proven ones (these
 * come "via TCP"), closes all ports, and for an unproven ban UDP 5060 only. */

#define JAILS                                                                                      \
	"[DEFAULT]\nfilter = plain\nlogpath = /var/log/x\nenabled = true\n"                        \
	"maxretry = 3\nfindtime = 600\nbantime = 100\n"                                            \
	"[sip]\naction = nftables-allports\n    sendmail[dest=admin@example.org]\n"

#define WHO "192.0.2.1"

static struct world world;
static enum unproven choice;

static void doubt(struct config *config)
{
	struct config_jail *jail = &config->jails[SIP];
	struct error err;

	jail->doubts = true;
	jail->unproven = choice;
	jail->increment = (struct config_increment){ .on = true, .factor = 1 };
	assert_int_equal(scope_parse(IPPROTO_UDP, "5060", &jail->narrow[0], &err), 0);
	jail->n_narrow = 1;
}

static int setup(void **state)
{
	(void)state;
	choice = UNPROVEN_PORTS;
	world = (struct world){ .tune = doubt };
	world_new_with(&world, JAILS);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_done(&world);
	return 0;
}

/* Failures from NOW_S + at_s on, one a second: 'p' proven, 'u' unproven. */
static void fail_as(const char *how, int at_s)
{
	char stamp[UTC_TEXT_MAX];
	char text[128];

	for (; *how; how++, at_s++) {
		(void)snprintf(text, sizeof(text), "%s fail %sfrom %s",
			utc_format(NOW_S + at_s, stamp), *how == 'p' ? "via TCP " : "", WHO);
		guard_tick(world.guard, NOW_S + at_s, true);
		world_line(&world, SIP, text, false, NOW_S + at_s);
	}
}

static void restart(int at_s)
{
	world_commit(&world);
	world_restart(&world, NOW_S + at_s);
}

static uint8_t scope_of(const struct ban *ban)
{
	const struct ban_scopes *scopes = bans_scopes(guard_bans(world.guard), ban);

	assert_int_equal(scopes->count, 1);
	return scopes->list[0];
}

static uint32_t proven_in_window(int at_s)
{
	struct ip unit = ip_of(WHO);
	struct counter_window window;

	if (!guard_window(world.guard, SIP, &unit, NOW_S + at_s, &window))
		return 0;
	assert_true(window.proven);
	return window.failures;
}

static void test_narrow(void **state)
{
	const struct ban *ban;

	(void)state;
	fail_as("uuu", 0);
	ban = world_ban(&world, SIP, WHO);
	assert_non_null(ban);
	assert_false(ban->proven);
	assert_int_equal(ban->number, 0);
	assert_int_equal(ban->until_s, NOW_S + 102);
	assert_int_not_equal(scope_of(ban), 0);
	(void)world_flush(&world, 0, NOW_S + 2);
	assert_non_null(strstr(world.letter.body, "Closed:   udp:5060\n"));
	assert_non_null(strstr(world.letter.body, "these only: a UDP sender can be forged"));
	fail_as("uuuu", 3);
	assert_int_equal(world_ban(&world, SIP, WHO)->until_s, NOW_S + 102);
	assert_int_equal(world_info(&world, SIP, NOW_S).failures_total, 7);
	restart(20);
	ban = world_ban(&world, SIP, WHO);
	assert_false(ban->proven);
	assert_int_not_equal(scope_of(ban), 0);
}

static void test_proven(void **state)
{
	const struct ban *ban;

	(void)state;
	fail_as("ppp", 0);
	ban = world_ban(&world, SIP, WHO);
	assert_true(ban->proven);
	assert_int_equal(ban->number, 1);
	assert_int_equal(scope_of(ban), 0);
	(void)world_flush(&world, 0, NOW_S + 2);
	assert_non_null(strstr(world.letter.body, "Closed:   all ports"));
	assert_null(strstr(world.letter.body, "forged"));
	fail_as("pppp", 3); /* all is closed: nothing counts on */
	assert_int_equal(world_ban(&world, SIP, WHO)->until_s, NOW_S + 102);
	assert_int_equal(proven_in_window(7), 0);
}

/* The proven failures of an unproven ban stay, those inside it count on, and maxretry of them widen
 * it; also over a restart. */
static void widen(bool restarted)
{
	const struct ban *ban;
	uint8_t narrow;

	fail_as("pupu", 0); /* the third is enough */
	ban = world_ban(&world, SIP, WHO);
	assert_false(ban->proven);
	assert_int_equal(ban->until_s, NOW_S + 102);
	narrow = scope_of(ban);
	(void)world_flush(&world, 0, NOW_S + 3);
	assert_int_equal(proven_in_window(3), 2);
	if (restarted)
		restart(4);
	assert_int_equal(proven_in_window(4), 2);
	(void)world_flush(&world, 0, NOW_S + 4);
	fail_as("uup", 5);
	ban = world_ban(&world, SIP, WHO);
	assert_true(ban->proven);
	assert_int_equal(ban->since_s, NOW_S + 7);
	assert_int_equal(ban->until_s, NOW_S + 107);
	assert_int_equal(ban->number, 1);
	assert_int_equal(scope_of(ban), 0);
	assert_non_null(strstr(world.note, "widened the ban of " WHO));
	assert_int_equal(world_info(&world, SIP, NOW_S).bans_total, 1);
	assert_null(bans_of_element(guard_bans(world.guard), narrow, &ban->ip));
	assert_true(bans_has_change(guard_bans(world.guard), narrow, &ban->ip));
	assert_int_equal(world_flush(&world, 0, NOW_S + 7), 2);
	assert_true(bans_in_kernel(guard_bans(world.guard), ban, NULL));
	assert_int_equal(proven_in_window(7), 0);
	restart(8);
	assert_true(world_ban(&world, SIP, WHO)->proven);
}

static void test_widen(void **state)
{
	(void)state;
	widen(false);
}

static void test_widen_after_a_restart(void **state)
{
	(void)state;
	widen(true);
}

/* An unproven ban is no ground for a longer one, and a proven one before it stays known. */
static void test_no_escalation(void **state)
{
	(void)state;
	for (int at_s = 0; at_s < 600; at_s += 200) {
		fail_as("uuu", at_s);
		assert_int_equal(world_ban(&world, SIP, WHO)->until_s, NOW_S + at_s + 102);
		restart(at_s + 3);
	}
	fail_as("ppp", 600);
	assert_int_equal(world_ban(&world, SIP, WHO)->number, 1);
	assert_int_equal(world_ban(&world, SIP, WHO)->until_s, NOW_S + 702);
	fail_as("uu", 800); /* each counts as two */
	assert_int_equal(world_ban(&world, SIP, WHO)->until_s, NOW_S + 901);
	restart(803);
	assert_int_equal(world_ban(&world, SIP, WHO)->until_s, NOW_S + 901);
	fail_as("pp", 1000);
	assert_int_equal(world_ban(&world, SIP, WHO)->number, 2);
	assert_int_equal(world_ban(&world, SIP, WHO)->until_s, NOW_S + 1201);
}

/* `unproven = alert`: nobody is banned for what may be forged; one note and one mail. */
static void test_alert(void **state)
{
	(void)state;
	choice = UNPROVEN_ALERT;
	restart(0);
	fail_as("upuuuuu", 0);
	assert_null(world_ban(&world, SIP, WHO));
	assert_int_equal(world.alerts, 1);
	assert_int_equal(world.notes, 1);
	assert_non_null(strstr(world.note, "may be forged (unproven = alert)"));
	assert_non_null(strstr(world.letter.subject, "may be forged"));
	restart(8);
	fail_as("p", 9);
	assert_null(world_ban(&world, SIP, WHO));
	fail_as("pp", 10);
	assert_true(world_ban(&world, SIP, WHO)->proven);
	assert_int_equal(world.alerts, 1);
}

/* What the kernel holds from before does not change a ban that is known: it goes. */
static void test_left_over(void **state)
{
	struct ip ip = ip_of(WHO);
	struct ban_change change;
	uint8_t narrow;

	(void)state;
	fail_as("uuu", 0);
	(void)world_flush(&world, 0, NOW_S + 2);
	narrow = scope_of(world_ban(&world, SIP, WHO));
	restart(3);
	(void)world_flush(&world, 0, NOW_S + 3);
	guard_adopt(world.guard, narrow, &ip, 50, NOW_S + 3);
	assert_int_equal(bans_waiting(guard_bans(world.guard)), 0);
	guard_adopt(world.guard, 0, &ip, 50, NOW_S + 3);
	assert_false(world_ban(&world, SIP, WHO)->proven);
	assert_true(bans_peek(guard_bans(world.guard), NOW_S + 3, &change));
	assert_true(change.lift && change.scope == 0);
	assert_int_equal(world_flush(&world, 0, NOW_S + 3), 1);
	fail_as("ppp", 4);
	restart(7);
	(void)world_flush(&world, 0, NOW_S + 7);
	guard_adopt(world.guard, narrow, &ip, 50, NOW_S + 7);
	assert_true(world_ban(&world, SIP, WHO)->proven);
	assert_true(bans_peek(guard_bans(world.guard), NOW_S + 7, &change));
	assert_true(change.lift && change.scope == narrow);
	guard_adopt(world.guard, narrow, &(struct ip){ 4, 32, { 192, 0, 2, 9 } }, 50, NOW_S + 7);
	assert_false(world_ban(&world, SIP, "192.0.2.9")->proven);
	assert_int_equal(scope_of(world_ban(&world, SIP, "192.0.2.9")), narrow);
}

static unsigned asked;

static bool on_prove(void *context, const struct hit *hit, int64_t now_s)
{
	struct ip who = ip_of(WHO);

	assert_ptr_equal(context, &world);
	assert_true(ip_equal(&hit->ip, &who) && hit->at_ms / 1000 == now_s);
	return asked++ % 2 == 0;
}

/* Somebody else may know more than the log. He is not asked about what is sure anyway, nor in a
 * jail that does not doubt. */
static void test_proven_by_somebody_else(void **state)
{
	(void)state;
	world.prove = on_prove;
	restart(0);
	asked = 0;
	fail_as("pup", 0); /* the u is proven */
	assert_int_equal(asked, 1);
	assert_true(world_ban(&world, SIP, WHO)->proven);
	fail_as("pu", 200); /* the u is not; after a ban each counts as two */
	assert_false(world_ban(&world, SIP, WHO)->proven);
	fail_as("u", 202); /* this one is */
	assert_int_equal(asked, 3);
	assert_true(world_ban(&world, SIP, WHO)->proven);
	world.tune = NULL;
	restart(400);
	fail_as("uuu", 400);
	assert_int_equal(asked, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_narrow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_proven, setup, teardown),
		cmocka_unit_test_setup_teardown(test_widen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_widen_after_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_escalation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alert, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_proven_by_somebody_else, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
