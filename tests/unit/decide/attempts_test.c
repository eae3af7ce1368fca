#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/guard_fixture.h"

#include <malloc.h>

#include "decide/counter.h"
#include "decide/parts.h"
#include "match/filter.h"

/* "U1@250p": event (Unknown account, Acl, Guess, Plain) of session 1, 250 ms after NOW_S, proven.
 * A "b", "c" or "d" behind it is another address. */

#define JAILS                                                                                      \
	"[DEFAULT]\nfilter = plain\nlogpath = /var/log/x\nenabled = true\nfindtime = 600\n"        \
	"bantime = 1000\naction = nftables-allports\n"                                             \
	"[many]\nmaxretry = 50\n"                                                                  \
	"[few]\nmaxretry = 3\n"                                                                    \
	"[brief]\nmaxretry = 2\nbantime = 10\n"                                                    \
	"[grow]\nmaxretry = 8\nbantime.increment = true\n"

enum { MANY, FEW, BRIEF, GROW, JAILS_COUNT };

static const char *const addresses[] = { "192.0.2.1", "192.0.2.2", "2001:db8::1",
	"2001:db8::2:0:0:2" };

enum { ADDRESSES = sizeof(addresses) / sizeof(addresses[0]) };

static struct hit hit_of(const char *step)
{
	static const char events[] = { [HIT_PLAIN] = 'P',
		[HIT_GUESS] = 'G',
		[HIT_UNKNOWN_ACCOUNT] = 'U',
		[HIT_ACL] = 'A' };
	struct hit hit = { .has_time = true, .rule = 1, .n_lines = 1 };
	unsigned long long session = 0;
	long long ms = 0;
	size_t who = 0;
	char event = 0;
	int length = 0;

	if (sscanf(step, "%c%llu@%lld%n", &event, &session, &ms, &length) != 3)
		fail_msg("no step: %s", step);
	if (step[length] == 'p') {
		hit.proof = HIT_PROVEN;
		length++;
	}
	if (step[length] > ' ')
		who = (size_t)(step[length] - 'a');
	if (who >= ADDRESSES)
		fail_msg("no address: %s", step);
	hit.event = (enum hit_event)((const char *)memchr(events, event, sizeof(events)) - events);
	hit.session = session;
	hit.ip = ip_of(addresses[who]);
	hit.at_ms = NOW_S * INT64_C(1000) + ms;
	return hit;
}

static void count_hit(const struct world *world, size_t jail, const struct hit *hit)
{
	struct line line = { .text = "x", .length = 1, .path = "/var/log/x" };

	guard_count_hit(world->guard, jail, &line, hit, NOW_S + 100);
	attempts_check(world->guard->attempts);
}

static void step(const struct world *world, size_t jail, const char *text)
{
	struct hit hit = hit_of(text);

	count_hit(world, jail, &hit);
}

static void steps(const struct world *world, size_t jail, const char *text)
{
	while (*text) {
		step(world, jail, text);
		text += strcspn(text, " ");
		text += strspn(text, " ");
	}
}

static bool window_of(const struct world *world, size_t jail, size_t who,
	struct counter_window *ret_window)
{
	struct ip ip = ip_of(addresses[who]);
	struct ip unit = guard_unit(world->guard, &ip);

	return counter_get(world->guard->counter, (uint32_t)jail, &unit, NOW_S + 100, ret_window);
}

static void test_lines_of_one_attempt_count_once(void **state)
{
	static const struct {
		const char *steps;
		unsigned attempts; /* in the totals, and (but for other addresses) in the window */
		bool proven;
	} rows[] = {
		/* what Asterisk writes for one try */
		{ "U1@0", 1, false },
		{ "U1@0 U1@90 G1@91", 1, false },
		{ "A1@0 A1@90 G1@91", 1, false },
		{ "U1@0 U1@90", 1, false },
		{ "U1@0 G1@90", 1, false },
		{ "G1@0", 1, false },
		/* a guess counts whatever its session, and ends what it joins */
		{ "G1@0 G1@1 G1@2 G1@3", 4, false },
		{ "U1@0 U1@1 G1@2 G1@3", 2, false },
		{ "U1@0 U1@1 G1@2 U1@3 U1@4 G1@5", 2, false },
		{ "U1@0 U1@1 G1@2 U1@3 G1@4 G1@5", 3, false },
		/* never more than two before it */
		{ "U1@0 U1@1 U1@2", 2, false },
		{ "U1@0 U1@1 U1@2 U1@3", 2, false },
		{ "U1@0 U1@1 U1@2 U1@3 U1@4 G1@5", 3, false },
		{ "U1@0 U1@1 U1@2 G1@3 G1@4", 3, false },
		{ "A1@0 U1@1 A1@2", 2, false },
		/* time is that of the first line, and both ways */
		{ "U1@0 U1@2000", 1, false },
		{ "U1@0 U1@2001", 2, false },
		{ "U1@0 U1@1500 G1@2500", 2, false },
		{ "U1@999 U1@2999", 1, false },
		{ "U1@0 U1@5000 U1@5001 G1@5002", 2, false },
		{ "U1@2000 U1@0", 1, false },
		{ "U1@2001 U1@0", 2, false },
		{ "U1@2001 G1@0", 2, false },
		/* in another order: more, not less */
		{ "G1@91 U1@0 U1@90", 2, false },
		{ "U1@0 G1@91 U1@90", 2, false },
		/* other sessions, none, and plain lines */
		{ "U1@0 U2@0 U3@0", 3, false },
		{ "U1@0 G2@0", 2, false },
		{ "U1@0 U2@1 U1@2 U2@3 G2@4 G1@5", 2, false },
		{ "U0@0 U0@0 G0@0", 3, false },
		/* sessions with one tag (see attempts.c) replace each other, and count for more */
		{ "U1@0 U4294967296@1 U1@2 G4294967296@3 G1@4", 4, false },
		{ "P1@0 P1@0 U1@0 P1@0 U1@0 G1@0", 4, false },
		/* other addresses; an IPv6 address stands for its /64 */
		{ "U1@0 U1@0b G1@0b", 2, false },
		{ "U1@0c U1@0d G1@0c", 1, false },
		/* proof */
		{ "U1@0p U1@90 G1@91", 1, true },
		{ "U1@0 U1@90 G1@91p", 1, true },
		{ "U1@0 G1@91p U2@95", 2, false },
		{ "U1@0 U2@0 G2@91p G1@91p", 2, true },
		{ "U1@0 U2@0 G2@91p G2@91p", 3, false },
		{ "U1@0 U1@5 U2@5000p G1@91p", 2, true },
		{ "U2@5000 U1@0 G1@91p", 2, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool is_first = !strpbrk(rows[i].steps, "bcd");
		struct counter_window window = { 0 };
		struct world world = { 0 };
		uint64_t total;

		world_new_with(&world, JAILS);
		steps(&world, MANY, rows[i].steps);
		total = world_info(&world, MANY, NOW_S + 100).failures_total;
		if (total != rows[i].attempts)
			fail_msg("%s: %u attempts", rows[i].steps, (unsigned)total);
		if (is_first && (!window_of(&world, MANY, 0, &window) ||
					window.failures != rows[i].attempts ||
					window.proven != rows[i].proven))
			fail_msg("%s: %u failures in the window, proven %d", rows[i].steps,
				window.failures, window.proven);
		world_done(&world);
	}
}

/* Each jail counts for itself. */
static void test_jails_do_not_share_attempts(void **state)
{
	struct world world = { 0 };

	(void)state;
	world_new_with(&world, JAILS);
	steps(&world, MANY, "U1@0");
	steps(&world, FEW, "U1@0");
	steps(&world, MANY, "U1@1 G1@2");
	steps(&world, FEW, "U1@1 G1@2");
	assert_int_equal(world_info(&world, MANY, NOW_S).failures_total, 1);
	assert_int_equal(world_info(&world, FEW, NOW_S).failures_total, 1);
	world_done(&world);
}

/* A ban comes with the first line; the others of its attempt are not lines inside the ban. */
static void test_joined_lines_neither_ban_nor_count_in_a_ban(void **state)
{
	struct world world = { 0 };

	(void)state;
	world_new_with(&world, JAILS);
	steps(&world, FEW, "U1@0 U1@1 G1@2 U2@3 U2@4 G2@5");
	assert_null(world_ban(&world, FEW, addresses[0]));
	steps(&world, FEW, "U3@6");
	assert_non_null(world_ban(&world, FEW, addresses[0]));
	assert_int_equal(world_ban(&world, FEW, addresses[0])->failures, 3);
	steps(&world, FEW, "U3@7 G3@8");
	assert_int_equal(world_info(&world, FEW, NOW_S).failures_total, 3);
	steps(&world, FEW, "U4@9 U4@10 G4@11 G4@12");
	assert_int_equal(world_info(&world, FEW, NOW_S).failures_total, 5);
	world_done(&world);
}

/* The first line counts for a known address as more than one, those that join add no weight; a
 * proven one proves all of it. */
static void test_weight_is_that_of_the_first_line(void **state)
{
	struct ip ip = ip_of(addresses[0]);
	struct counter_window window;
	struct world world = { 0 };

	(void)state;
	world_new_with(&world, JAILS);
	for (int i = 0; i < 2; i++)
		assert_int_equal(guard_take_ban(world.guard, GROW, &ip, NOW_S - 100 + i,
					 NOW_S - 50),
			i + 1);
	steps(&world, GROW, "U1@0 U1@1");
	assert_true(window_of(&world, GROW, 0, &window));
	assert_int_equal(window.failures, 1);
	assert_int_equal(window.counted, 3);
	assert_false(window.proven);
	steps(&world, GROW, "G1@2p");
	assert_true(window_of(&world, GROW, 0, &window));
	assert_int_equal(window.failures, 1);
	assert_int_equal(window.counted, 3);
	assert_true(window.proven);
	world_done(&world);
}

/* Many begin after it: the line that comes then counts for itself, and so does each guess. */
static void test_what_is_evicted_counts_for_more(void **state)
{
	struct world world = { 0 };

	(void)state;
	for (unsigned others = ATTEMPTS_MAX - 1; others <= ATTEMPTS_MAX; others++) {
		struct hit other = hit_of("U2@1b");
		uint64_t expected = others < ATTEMPTS_MAX ? 1 : 2;

		world_new_with(&world, JAILS);
		steps(&world, MANY, "U1@0");
		for (unsigned i = 0; i < others; i++, other.session++) {
			struct guard_offence offence = { other.ip, MANY, other.at_ms, other.session,
				other.event, false };

			attempts_count(world.guard, &offence, 0);
		}
		attempts_check(world.guard->attempts);
		steps(&world, MANY, "U1@2");
		assert_int_equal(world_info(&world, MANY, NOW_S).failures_total, expected);
		steps(&world, MANY, "G1@3 G1@4 G1@5");
		assert_int_equal(world_info(&world, MANY, NOW_S).failures_total, expected + 2);
		world_done(&world);
	}
}

static void flood(const struct world *world, uint32_t from, uint32_t to)
{
	struct guard_offence offence = { .unit = ip_of("2001:db8::/64"),
		.jail = MANY,
		.session = 1,
		.event = HIT_ACL };

	for (uint32_t i = from; i < to; i++) {
		memcpy(offence.unit.bytes + 4, &i, sizeof(i));
		offence.at_ms = NOW_S * INT64_C(1000) + i / 1000;
		if (!attempts_join(world->guard, &offence))
			attempts_count(world->guard, &offence, 0);
	}
}

static void test_memory_does_not_grow(void **state)
{
	struct world world = { 0 };
	size_t before;

	(void)state;
	world_new_with(&world, JAILS);
	flood(&world, 0, 2 * STORE_DIRTY_MAX); /* the rows are capped there */
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	flood(&world, 2 * STORE_DIRTY_MAX, 2000000);
	assert_int_equal(mallinfo2().uordblks + mallinfo2().hblkhd, before);
	attempts_check(world.guard->attempts);
	world_done(&world);
}

/* ---- against a model, with chance ---- */

enum { MODEL_LINES = 20000, MODEL_SESSIONS = 4 };

struct model_attempt {
	bool open;
	unsigned lines;
	int64_t at_ms;
};

static unsigned chance(uint64_t *seed, unsigned below)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(*seed >> 33) % below;
}

/* True: it counts. */
static bool model_line(struct model_attempt *attempt, const struct hit *hit)
{
	bool near = llabs(hit->at_ms - attempt->at_ms) <= 2000;

	if (hit->event == HIT_PLAIN || !hit->session)
		return true;
	if (hit->event == HIT_GUESS) {
		bool joins = attempt->open && near;

		attempt->open = attempt->open && !joins;
		return !joins;
	}
	if (attempt->open && near && attempt->lines == 1) {
		attempt->lines = 2;
		return false;
	}
	*attempt = (struct model_attempt){ true, 1, hit->at_ms };
	return true;
}

static void test_any_lines_agree_with_a_model(void **state)
{
	struct model_attempt attempts[2][MODEL_SESSIONS] = { 0 };
	struct world world = { 0 };
	uint64_t seed = 7;
	uint64_t expected = 0;
	uint64_t guesses = 0;
	int64_t at_ms = NOW_S * INT64_C(1000);

	(void)state;
	world_new_with(&world, JAILS);
	for (unsigned i = 0; i < MODEL_LINES; i++) {
		unsigned who = chance(&seed, 2);
		struct hit hit = { .ip = ip_of(addresses[who]),
			.has_time = true,
			.rule = 1,
			.session = chance(&seed, MODEL_SESSIONS),
			.event = (enum hit_event)chance(&seed, HIT_ACL + 1) };

		hit.at_ms = at_ms - chance(&seed, 3000);
		at_ms += chance(&seed, 500);
		guesses += hit.event == HIT_GUESS;
		expected += model_line(&attempts[who][hit.session], &hit);
		count_hit(&world, MANY, &hit);
		assert_int_equal(world_info(&world, MANY, NOW_S).failures_total, expected);
		assert_true(expected >= guesses);
	}
	assert_true(expected < MODEL_LINES * 9 / 10); /* else hardly any joined */
	world_done(&world);
}

/* ---- a crash between the lines ---- */

static const struct {
	size_t jail;
	const char *step;
} script[] = {
	{ MANY, "U1@0" },
	{ MANY, "U1@50" },
	{ FEW, "U1@50" },
	{ MANY, "G1@60p" },
	{ FEW, "A1@60" },
	{ MANY, "G1@70p" },
	{ FEW, "G1@70p" },
	{ MANY, "U1@80p" },
	{ MANY, "U1@80p" },
	{ MANY, "U1@80" },
	{ MANY, "G1@2080p" },
	{ MANY, "U9@2100b" },
	{ MANY, "U9@4101b" },
	{ MANY, "U9@4102b" },
	{ MANY, "U9@4103b" },
	{ MANY, "G9@6103pb" },
	{ FEW, "G3@500p" },
	{ FEW, "U4@600" }, /* a ban */
	{ FEW, "U4@601" },
	{ FEW, "G4@602p" },
	{ FEW, "U5@700" }, /* inside it */
	{ FEW, "U5@701" },
	{ FEW, "U5@702" },
	{ FEW, "G5@702" },
	{ FEW, "G5@703" },
	{ FEW, "U0@704" },
	{ FEW, "P5@705" },
	{ MANY, "A7@9999c" },
	{ MANY, "A7@9000d" },
	{ MANY, "G7@11999pc" },
	{ BRIEF, "U1@0" },
	{ BRIEF, "U2@10" }, /* a ban that is over when the lines are read */
	{ BRIEF, "U2@20" },
	{ BRIEF, "U3@9500" },
	{ BRIEF, "U3@9501" },
	{ BRIEF, "G3@10400p" },
	{ BRIEF, "U4@10500" },
	{ BRIEF, "G4@10501p" },
	{ FEW, "A2@20000c" },
	{ FEW, "A2@20000c" },
	{ FEW, "A2@20500c" },
	{ FEW, "G2@20600pc" },
	{ FEW, "G2@20700pc" }, /* a ban, of one that is not proven */
	{ FEW, "G2@20800pc" },
	{ GROW, "U1@30000b" },
	{ GROW, "G1@30001pb" },
	{ GROW, "U1@30002pb" },
	{ GROW, "U1@30003b" },
	{ GROW, "G1@30004pb" }, /* a ban, of a proven one */
	{ GROW, "U6@30500b" },
	{ GROW, "G6@30500pb" },
};

enum { LINES = sizeof(script) / sizeof(script[0]) };

/* Known as bad: each of its failures counts for 5 there. After a restart they may be known. */
static void known_before(const struct world *world)
{
	struct ip ip = ip_of(addresses[1]);

	for (int i = 0; i < 3; i++)
		(void)guard_take_ban(world->guard, GROW, &ip, NOW_S - 100 + i, NOW_S - 50);
}

struct outcome {
	uint64_t totals[JAILS_COUNT];
	struct counter_window windows[JAILS_COUNT][ADDRESSES];
	struct ban bans[JAILS_COUNT][ADDRESSES];
};

static struct outcome look(const struct world *world)
{
	struct outcome outcome = { 0 };

	for (size_t jail = 0; jail < JAILS_COUNT; jail++) {
		outcome.totals[jail] = world_info(world, jail, NOW_S + 100).failures_total;
		for (size_t who = 0; who < ADDRESSES; who++) {
			struct ip ip = ip_of(addresses[who]);
			struct ip unit = guard_unit(world->guard, &ip);
			const struct ban *ban =
				bans_find(guard_bans(world->guard), (uint32_t)jail, &unit);

			(void)window_of(world, jail, who, &outcome.windows[jail][who]);
			if (ban)
				outcome.bans[jail][who] = *ban;
		}
	}
	return outcome;
}

static bool alike(const struct counter_window *a, const struct counter_window *b)
{
	return a->failures == b->failures && a->counted == b->counted && a->first_s == b->first_s &&
	       a->last_s == b->last_s && a->proven == b->proven;
}

/* A ban that is over is an expired one after a restart, and of such only its time is known. */
static bool bans_alike(const struct ban *a, const struct ban *b)
{
	return a->since_s == b->since_s && a->until_s == b->until_s &&
	       (a->expired || b->expired || (a->proven == b->proven && a->failures == b->failures));
}

static void assert_alike(const struct outcome *a, const struct outcome *b, size_t cut)
{
	for (size_t jail = 0; jail < JAILS_COUNT; jail++) {
		if (a->totals[jail] != b->totals[jail])
			fail_msg("cut %zu: total of jail %zu is %u", cut, jail,
				(unsigned)b->totals[jail]);
		for (size_t who = 0; who < ADDRESSES; who++)
			if (!alike(&a->windows[jail][who], &b->windows[jail][who]) ||
				!bans_alike(&a->bans[jail][who], &b->bans[jail][who]))
				fail_msg("cut %zu: %s differs in jail %zu", cut, addresses[who],
					jail);
	}
}

static void feed(const struct world *world, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < LINES; i++)
		step(world, script[i].jail, script[i].step);
}

/* Committed after `cut` lines, dead `lost` lines later, started `starts` times. */
static struct outcome survivor(size_t cut, size_t lost, unsigned starts)
{
	struct world world = { .tune = NULL };
	struct outcome outcome;

	world_new_with(&world, JAILS);
	known_before(&world);
	feed(&world, 0, cut);
	world_commit(&world);
	feed(&world, cut, cut + lost);
	for (unsigned i = 0; i < starts; i++) {
		world_restart(&world, NOW_S);
		known_before(&world);
	}
	feed(&world, cut, LINES);
	outcome = look(&world);
	world_done(&world);
	return outcome;
}

static void test_a_crash_decides_alike(void **state)
{
	struct outcome whole = survivor(0, 0, 0);

	(void)state;
	/* a script in which nothing happens would prove nothing */
	assert_int_equal(whole.totals[MANY], 8);
	assert_int_equal(whole.totals[FEW], 12);
	assert_int_equal(whole.totals[BRIEF], 4);
	assert_int_equal(whole.totals[GROW], 3);
	assert_true(whole.windows[MANY][1].failures == 3 && !whole.windows[MANY][1].proven);
	assert_true(whole.windows[MANY][2].failures == 1 && whole.windows[MANY][2].proven);
	assert_true(whole.windows[BRIEF][0].failures == 1 && whole.windows[BRIEF][0].proven);
	assert_true(whole.bans[BRIEF][0].expired);
	assert_true(whole.bans[FEW][0].failures == 3 && !whole.bans[FEW][0].proven);
	assert_true(whole.bans[FEW][2].failures == 3 && !whole.bans[FEW][2].proven);
	assert_true(whole.bans[GROW][1].failures == 2 && whole.bans[GROW][1].proven);
	for (size_t cut = 0; cut <= LINES; cut++)
		for (size_t lost = 0; lost <= 3; lost += 3) {
			struct outcome again = survivor(cut, lost, 1 + (unsigned)(cut % 2));

			assert_alike(&whole, &again, cut);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_of_one_attempt_count_once),
		cmocka_unit_test(test_jails_do_not_share_attempts),
		cmocka_unit_test(test_joined_lines_neither_ban_nor_count_in_a_ban),
		cmocka_unit_test(test_weight_is_that_of_the_first_line),
		cmocka_unit_test(test_what_is_evicted_counts_for_more),
		cmocka_unit_test(test_memory_does_not_grow),
		cmocka_unit_test(test_any_lines_agree_with_a_model),
		cmocka_unit_test(test_a_crash_decides_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
