#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/guard_fixture.h"

#include "decide/parts.h"

enum { ASKED_MAX = 4096 };

#define JAILS                                                                                      \
	"[DEFAULT]\nfilter = plain\nlogpath = /var/log/x\nenabled = true\n"                        \
	"maxretry = 2\nfindtime = 600\nbantime = 100\naction = nftables-allports\n"                \
	"[yes]\nusedns = yes\nignoreip = 198.51.100.9\n[warn]\nusedns = warn\n"                    \
	"[no]\nusedns = no\n[unset]\n[raw]\nusedns = raw\n[id]\nusedns = yes\nfilter = id\n"

enum { YES_JAIL, WARN_JAIL, NO_JAIL, UNSET_JAIL, RAW_JAIL, ID_JAIL };

static struct world world;
static char asked[ASKED_MAX][256];
static size_t n_asked;
static bool can_ask;

static bool on_resolve(void *context, const char *name)
{
	assert_ptr_equal(context, &world);
	if (!can_ask || n_asked == ASKED_MAX)
		return false;
	(void)snprintf(asked[n_asked++], sizeof(asked[0]), "%s", name);
	return true;
}

static int setup(void **state)
{
	struct guard_events events = { .alert = world_on_alert,
		.note = world_on_note,
		.resolve = on_resolve,
		.context = &world };

	(void)state;
	n_asked = 0;
	can_ask = true;
	world_new_with(&world, JAILS);
	world_put(&world, "id.conf",
		"[Definition]\nfailregex = ^\\s*fail from <F-ID>\\S+</F-ID>$\n");
	world_stop(&world);
	world_start(&world, NOW_S);
	/* the fixture's guard asks nobody */
	guard_free(world.guard);
	findings_done(&world.findings);
	world.findings = (struct findings){ 0 };
	world.guard = guard_new(world.config, world.protected, false, &events, &world.findings);
	guard_attach(world.guard, world.store);
	for (size_t i = 0; i < guard_jails(world.guard) && i < TAIL_PATTERNS_MAX; i++)
		guard_add_pattern(world.guard, i, (int)i);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_done(&world);
	return 0;
}

static void resolved(const char *name, const char *one, const char *two, int64_t now_s)
{
	struct ip addresses[2];
	size_t count = 0;

	if (one)
		addresses[count++] = ip_of(one);
	if (two)
		addresses[count++] = ip_of(two);
	guard_resolved(world.guard, name, true, addresses, count, now_s);
}

static uint64_t failures(size_t jail)
{
	return world_info(&world, jail, NOW_S).failures_total;
}

static uint64_t unresolved(size_t jail)
{
	return world_info(&world, jail, NOW_S).unresolved;
}

static void test_waits_and_counts(void **state)
{
	const struct ban *ban;

	(void)state;
	world_fail(&world, YES_JAIL, "Bad.example.org", NOW_S, NOW_S);
	world_fail(&world, YES_JAIL, "bad.example.org", NOW_S + 1, NOW_S + 1);
	assert_int_equal(n_asked, 1);
	assert_string_equal(asked[0], "bad.example.org");
	assert_int_equal(failures(YES_JAIL), 0);
	assert_int_equal(guard_waiting_hits(world.guard), 2);
	resolved("bad.example.org", "203.0.113.1", "2001:db8:1::1", NOW_S + 3);
	assert_int_equal(guard_waiting_hits(world.guard), 0);
	assert_int_equal(failures(YES_JAIL), 4);
	ban = world_ban(&world, YES_JAIL, "203.0.113.1");
	assert_non_null(ban);
	assert_int_equal(ban->since_s, NOW_S + 1); /* of the line, not of the answer */
	assert_false(ban->proven);
	assert_non_null(world_ban(&world, YES_JAIL, "2001:db8:1::/64"));
	/* known: counted at once, until the answer is too old */
	world_fail(&world, YES_JAIL, "bad.example.org", NOW_S + 200, NOW_S + 200);
	world_fail(&world, YES_JAIL, "bad.example.org", NOW_S + 201, NOW_S + 201);
	assert_int_equal(n_asked, 1);
	assert_int_equal(failures(YES_JAIL), 8);
	world_fail(&world, YES_JAIL, "bad.example.org", NOW_S + 303, NOW_S + 303);
	assert_int_equal(n_asked, 2);
	/* an answer that comes twice counts once */
	resolved("bad.example.org", "203.0.113.1", NULL, NOW_S + 304);
	resolved("bad.example.org", "203.0.113.1", NULL, NOW_S + 304);
	assert_int_equal(failures(YES_JAIL), 9);
}

static void test_who_asks(void **state)
{
	static const struct {
		size_t jail;
		const char *host;
		bool asks;
		bool counted_for_nobody;
	} rows[] = {
		{ WARN_JAIL, "a.example.org", true, false },
		{ NO_JAIL, "b.example.org", false, false },
		{ UNSET_JAIL, "c.example.org", false, false },
		{ RAW_JAIL, "d.example.org", false, false },
		{ ID_JAIL, "e.example.org", false, false }, /* an id, not a name */
		{ YES_JAIL, "localhost", false, true },     /* no stranger's */
		{ YES_JAIL, "1.2.3.4.5", false, true },     /* a mistyped address */
		{ YES_JAIL, "a..example.org", false, true },
		{ YES_JAIL, "-a.example.org", false, true },
		{ YES_JAIL, "x^y.example.org", false, true },
		{ YES_JAIL, "a_b.example.org", true, false },
		{ YES_JAIL, "203.0.113.7", false, false }, /* an address, counted as ever */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t before = n_asked;
		uint64_t nobody = unresolved(rows[i].jail);

		world_fail(&world, rows[i].jail, rows[i].host, NOW_S, NOW_S);
		if ((n_asked > before) != rows[i].asks ||
			(unresolved(rows[i].jail) > nobody) != rows[i].counted_for_nobody)
			fail_msg("%s: asked %zu, nobody's %d", rows[i].host, n_asked - before,
				(int)(unresolved(rows[i].jail) - nobody));
	}
	assert_int_equal(failures(YES_JAIL), 1);
}

static void test_no_answer_is_nobody(void **state)
{
	(void)state;
	world_fail(&world, YES_JAIL, "a.example.org", NOW_S, NOW_S);
	world_fail(&world, YES_JAIL, "b.example.org", NOW_S, NOW_S);
	world_fail(&world, YES_JAIL, "c.example.org", NOW_S, NOW_S);
	resolved("a.example.org", NULL, NULL, NOW_S); /* it has no address */
	guard_resolved(world.guard, "b.example.org", false, NULL, 0, NOW_S);
	assert_int_equal(unresolved(YES_JAIL), 2);
	guard_tick(world.guard, NOW_S + UNRESOLVED_WAIT_S - 1, true);
	assert_int_equal(unresolved(YES_JAIL), 2);
	guard_tick(world.guard, NOW_S + UNRESOLVED_WAIT_S, true);
	assert_int_equal(unresolved(YES_JAIL), 3); /* c: nobody answered */
	assert_int_equal(failures(YES_JAIL), 0);
	resolved("c.example.org", "203.0.113.1", NULL, NOW_S + 40); /* too late */
	assert_int_equal(failures(YES_JAIL), 0);
	/* no answer is asked for again sooner than no address */
	n_asked = 0;
	world_fail(&world, YES_JAIL, "a.example.org", NOW_S + 50, NOW_S + 50);
	world_fail(&world, YES_JAIL, "b.example.org", NOW_S + 50, NOW_S + 50);
	assert_int_equal(n_asked, 1);
	assert_string_equal(asked[0], "b.example.org");
}

static void test_protected_are_not_banned(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		world_fail(&world, YES_JAIL, "a.example.org", NOW_S, NOW_S);
	resolved("a.example.org", "198.51.100.9", "127.0.0.1", NOW_S);
	assert_int_equal(failures(YES_JAIL), 6);
	assert_null(world_ban(&world, YES_JAIL, "198.51.100.9"));
}

static void test_many_addresses_are_cut(void **state)
{
	struct ip addresses[UNRESOLVED_ADDRESSES_MAX + 3];

	(void)state;
	for (uint8_t i = 0; i < UNRESOLVED_ADDRESSES_MAX + 3; i++)
		addresses[i] = (struct ip){ 4, 32, { 203, 0, 113, i } };
	world_fail(&world, YES_JAIL, "a.example.org", NOW_S, NOW_S);
	guard_resolved(world.guard, "a.example.org", true, addresses, UNRESOLVED_ADDRESSES_MAX + 3,
		NOW_S);
	assert_int_equal(failures(YES_JAIL), UNRESOLVED_ADDRESSES_MAX);
}

/* A flood of invented names: asked at the rate, the rest is dropped and counted. */
static void test_flood(void **state)
{
	char name[64];

	(void)state;
	for (int i = 0; i < UNRESOLVED_NAMES_MAX + 500; i++) {
		(void)snprintf(name, sizeof(name), "n%d.example.org", i);
		world_fail(&world, YES_JAIL, name, NOW_S, NOW_S);
	}
	assert_int_equal(n_asked, UNRESOLVED_RATE);
	assert_int_equal(unresolved(YES_JAIL), 500);
	/* an address in the same log is counted as ever */
	world_fail(&world, YES_JAIL, "203.0.113.1", NOW_S, NOW_S);
	assert_int_equal(failures(YES_JAIL), 1);
	guard_tick(world.guard, NOW_S + 1, true);
	assert_int_equal(n_asked, 2 * UNRESOLVED_RATE);
	/* one that waits for its turn too long is nobody's either, and there is room again */
	guard_tick(world.guard, NOW_S + UNRESOLVED_QUEUED_S, true);
	assert_int_equal(unresolved(YES_JAIL), 500 + UNRESOLVED_NAMES_MAX);
	world_fail(&world, YES_JAIL, "new.example.org", NOW_S + 70, NOW_S + 70);
	assert_string_equal(asked[n_asked - 1], "new.example.org");
	/* one name, many lines: these are capped too */
	for (int i = 0; i < UNRESOLVED_HITS_MAX + 10; i++)
		world_fail(&world, YES_JAIL, "new.example.org", NOW_S + 70, NOW_S + 70);
	assert_int_equal(unresolved(YES_JAIL), 500 + UNRESOLVED_NAMES_MAX + 11);
	resolved("new.example.org", "203.0.113.2", NULL, NOW_S + 71);
	assert_int_equal(failures(YES_JAIL), 1 + UNRESOLVED_HITS_MAX);
}

/* Nobody can be asked: the hits wait, and are asked for when somebody can. */
static void test_no_notifier(void **state)
{
	(void)state;
	can_ask = false;
	world_fail(&world, YES_JAIL, "a.example.org", NOW_S, NOW_S);
	guard_tick(world.guard, NOW_S + 1, true);
	assert_int_equal(n_asked, 0);
	can_ask = true;
	guard_tick(world.guard, NOW_S + 2, true);
	assert_int_equal(n_asked, 1);
	resolved("a.example.org", "203.0.113.1", NULL, NOW_S + 2);
	assert_int_equal(failures(YES_JAIL), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_waits_and_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_asks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_answer_is_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(test_protected_are_not_banned, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_addresses_are_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_notifier, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
