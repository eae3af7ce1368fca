#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/guard_fixture.h"
#include "decide/parts.h"

/* A crash at any line decides alike: what was committed is loaded, the rest is read again. */

enum { LINES = 50, SEEN_MAX = 32 };

struct input {
	size_t jail;
	const char *address;
	int at; /* after NOW_S */
};

/* Windows that fill over a cut, bans that stand, that end in between, that were over when they
 * were read, lines out of order, two jails for one address, IPv6. */
static const struct input inputs[LINES] = {
	{ SIP, "192.0.2.1", 0 },
	{ SIP, "192.0.2.1", 10 },
	{ EVER, "192.0.2.1", 11 },
	{ SIP, "192.0.2.2", 12 },
	{ SIP, "192.0.2.1", 20 }, /* ban until 120 */
	{ SIP, "192.0.2.1", 30 },
	{ SIP, "192.0.2.1", 119 },
	{ SIP, "192.0.2.1", 119 },
	{ SIP, "192.0.2.1", 120 }, /* outside */
	{ SIP, "192.0.2.2", 90 },
	{ SIP, "2001:db8::1", 121 },
	{ SIP, "2001:db8::2", 122 },
	{ SIP, "192.0.2.1", 125 },
	{ SIP, "2001:db8::3", 123 }, /* ban of the /64 until 223 */
	{ EVER, "192.0.2.3", 130 },
	{ COUNT, "192.0.2.3", 130 },
	{ TWIN, "192.0.2.1", 131 }, /* until 1131 */
	{ SIP, "192.0.2.1", 132 },  /* third: until 232 */
	{ SIP, "192.0.2.1", 133 },
	{ SIP, "192.0.2.5", 200 },
	{ SIP, "192.0.2.5", 200 },
	{ SIP, "192.0.2.5", 200 }, /* until 300 */
	{ SIP, "192.0.2.5", 200 },
	{ SIP, "192.0.2.5", 310 },
	{ SIP, "192.0.2.5", 310 }, /* where bans grow: until 510 */
	{ SIP, "192.0.2.5", 450 }, /* so these are inside */
	{ SIP, "192.0.2.5", 450 },
	{ SIP, "192.0.2.5", 450 }, /* else until 550 */
	{ SIP, "192.0.2.5", 450 },
	{ EVER, "192.0.2.3", 700 }, /* for good */
	{ SIP, "192.0.2.1", 702 },
	{ SIP, "192.0.2.1", 701 },
	{ SIP, "2001:db8::9", 703 },
	{ SIP, "192.0.2.1", 703 }, /* until 803 */
	{ SIP, "192.0.2.1", 710 },
	{ SIP, "192.0.2.1", 790 },
	{ SIP, "192.0.2.1", 795 },
	{ SIP, "192.0.2.1", 800 },
	{ SIP, "192.0.2.1", 804 },
	{ SIP, "192.0.2.4", 805 },
	{ SIP, "192.0.2.4", 866 },
	{ SIP, "192.0.2.4", 870 },
	{ SIP, "192.0.2.1", 871 },
	{ TWIN, "192.0.2.1", 900 },
	{ EVER, "192.0.2.3", 901 },
	{ SIP, "192.0.2.1", 902 },
	{ SIP, "192.0.2.4", 926 }, /* until 1026 */
	{ SIP, "192.0.2.1", 930 }, /* until 1030 */
	{ SIP, "192.0.2.1", 931 },
	{ COUNT, "192.0.2.4", 932 },
};

/* What came out of it. bans_total may be less after a crash: a ban that was over by then was not
 * made. */
struct outcome {
	struct ban bans[SEEN_MAX];
	size_t n_bans;
	uint64_t failures[WORLD_JAILS_COUNT];
	uint64_t bans_total[WORLD_JAILS_COUNT];
	uint32_t current[WORLD_JAILS_COUNT];
	uint32_t earlier; /* bans of all addresses that count for the next */
};

static int by_address(const void *a, const void *b)
{
	const struct ban *left = a;
	const struct ban *right = b;
	int order = memcmp(&left->ip, &right->ip, sizeof(left->ip));

	return order ? order : (int)left->jail - (int)right->jail;
}

static struct outcome look(const struct world *world, int64_t now_s)
{
	struct outcome outcome = { 0 };
	size_t cursor = 0;
	const struct ban *ban;

	while ((ban = bans_next(guard_bans(world->guard), &cursor)))
		if (!ban->expired && outcome.n_bans < SEEN_MAX)
			outcome.bans[outcome.n_bans++] = *ban;
	qsort(outcome.bans, outcome.n_bans, sizeof(outcome.bans[0]), by_address);
	for (size_t i = 0; i < WORLD_JAILS_COUNT; i++) {
		struct guard_jail_info info = world_info(world, i, now_s);

		for (size_t k = 0; k < LINES; k++) {
			struct ip ip = ip_of(inputs[k].address);
			struct ip unit = guard_unit(world->guard, &ip);

			outcome.earlier += guard_earlier_bans(world->guard, i, &unit, now_s);
		}
		outcome.failures[i] = info.failures_total;
		outcome.bans_total[i] = info.bans_total;
		outcome.current[i] = info.failures_current;
	}
	return outcome;
}

static void assert_alike(const struct outcome *a, const struct outcome *b, const char *what,
	size_t cut)
{
	if (a->n_bans != b->n_bans)
		fail_msg("%s, cut %zu: %zu bans instead of %zu", what, cut, b->n_bans, a->n_bans);
	for (size_t i = 0; i < a->n_bans; i++) {
		const struct ban *want = &a->bans[i];
		const struct ban *is = &b->bans[i];

		if (!ip_equal(&want->ip, &is->ip) || want->jail != is->jail ||
			want->since_s != is->since_s || want->until_s != is->until_s ||
			want->failures != is->failures || want->proven != is->proven)
			fail_msg("%s, cut %zu: ban %zu is of jail %u from %d with %u failures, "
				 "not of jail %u from %d with %u",
				what, cut, i, is->jail, (int)(is->since_s - NOW_S), is->failures,
				want->jail, (int)(want->since_s - NOW_S), want->failures);
	}
	if (a->earlier != b->earlier)
		fail_msg("%s, cut %zu: %u bans count for the next, not %u", what, cut, b->earlier,
			a->earlier);
	for (size_t i = 0; i < WORLD_JAILS_COUNT; i++)
		if (a->failures[i] != b->failures[i] || a->current[i] != b->current[i] ||
			b->bans_total[i] > a->bans_total[i])
			fail_msg("%s, cut %zu: counts of jail %zu differ: %u %u %u", what, cut, i,
				(unsigned)b->failures[i], (unsigned)b->bans_total[i],
				b->current[i]);
}

static int latest_before(size_t cut)
{
	int latest = 0;

	for (size_t i = 0; i < cut; i++)
		latest = inputs[i].at > latest ? inputs[i].at : latest;
	return latest;
}

/* Bans of known addresses grow here: 2, 4, ... times as long and some seconds, by the bans of all
 * jails, and a failure counts for more. */
static void let_grow(struct config *config)
{
	for (size_t i = 0; i < config->n_jails; i++)
		config->jails[i].increment = (struct config_increment){ .on = true,
			.factor = 1,
			.rndtime_s = 9,
			.all_jails = i == EVER || i == TWIN };
	config->jails[SIP].maxretry = 4; /* so that 2 + 2 and 1 + 2 differ */
}

/* In a jail that doubts, two of three lines are proven. */
static bool doubts;

static void doubt(struct config *config)
{
	let_grow(config);
	for (size_t i = 0; i < config->n_jails; i++)
		config->jails[i].doubts = true;
	config->jails[SIP].maxretry = 3;
	config->jails[SIP].findtime_s = 600;
	config->jails[COUNT].unproven = UNPROVEN_ALERT;
	config->jails[TWIN].maxretry = 2;
}

static void line_read(struct world *world, const struct input *input, size_t i, int64_t now_s)
{
	char stamp[UTC_TEXT_MAX];
	char text[256];

	(void)snprintf(text, sizeof(text), "%s fail %sfrom %s",
		utc_format(NOW_S + input->at, stamp), doubts && i % 3 ? "via TCP " : "",
		input->address);
	world_line(world, input->jail, text, false, now_s);
}

/* Reads lines [from, to). late_s: all at that time, with unread ones behind each; 0: each when it
 * is written, but those before `written`, which a crash made unread, at once. */
static void feed(struct world *world, size_t from, size_t to, size_t written, int late_s)
{
	for (size_t i = from; i < to; i++) {
		int read_s = latest_before(i + 1 > written ? i + 1 : written);
		int64_t now_s = NOW_S + (late_s ? late_s : read_s);
		bool caught_up = late_s == 0 && i + 1 >= written;

		guard_tick(world->guard, now_s, caught_up && i >= written);
		line_read(world, &inputs[i], i, now_s);
		guard_tick(world->guard, now_s, caught_up);
	}
}

static struct outcome end(struct world *world, int late_s)
{
	int64_t end_s = NOW_S + (late_s ? late_s : latest_before(LINES));
	struct outcome outcome;

	guard_tick(world->guard, end_s, true);
	bans_check(guard_bans(world->guard));
	outcome = look(world, end_s);
	world_done(world);
	return outcome;
}

static struct outcome undisturbed(bool grow, int late_s)
{
	struct world world = { .tune = grow ? let_grow : NULL };

	world_new(&world);
	feed(&world, 0, LINES, 0, late_s);
	return end(&world, late_s);
}

static void copy_file(const struct world *from, const struct world *to, const char *name)
{
	static char bytes[1 << 16];
	char path[256];
	FILE *in;
	FILE *out;
	size_t got;

	(void)snprintf(path, sizeof(path), "%s/%s", from->dir, name);
	in = fopen(path, "r");
	assert_non_null(in);
	(void)snprintf(path, sizeof(path), "%s/%s", to->dir, name);
	out = fopen(path, "w");
	assert_non_null(out);
	while ((got = fread(bytes, 1, sizeof(bytes), in)) > 0)
		assert_int_equal(fwrite(bytes, 1, got, out), got);
	assert_int_equal(fclose(in), 0);
	assert_int_equal(fclose(out), 0);
}

/* What is left of `before`, which died `lost` lines after it had committed `cut` (they were in
 * memory only), starts again `crashes` times and goes on. */
static struct outcome survivor(const struct world *before, size_t cut, size_t lost,
	unsigned crashes, int late_s)
{
	static const char *const names[] = { "jail.local", "plain.conf", "bad.conf", "state.db",
		"state.db-wal" };
	size_t further = cut + lost < LINES ? cut + lost : LINES;
	int64_t again_s = NOW_S + (late_s ? late_s : latest_before(further));
	struct world world = { .tune = before->tune };

	world_dir(&world);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		copy_file(before, &world, names[i]);
	world_start(&world, again_s);
	for (unsigned i = 1; i < crashes; i++) {
		world_commit(&world);
		world_restart(&world, again_s);
	}
	feed(&world, cut, LINES, further, late_s);
	return end(&world, late_s);
}

static void test_outcome_of_the_script(void **state)
{
	struct outcome live = undisturbed(false, 0);
	struct outcome late = undisturbed(false, 1010);
	struct outcome grown = undisturbed(true, 0);
	size_t longer = 0;

	(void)state;
	/* 192.0.2.1 by sip and twin, 192.0.2.3 by ever, 192.0.2.4 by sip */
	assert_int_equal(live.n_bans, 4);
	assert_int_equal(live.bans_total[SIP], 8);
	assert_int_equal(late.n_bans, 4);
	assert_int_equal(late.bans_total[SIP], 2); /* those that were over were not made */
	for (size_t i = 0; i < live.n_bans; i++)
		assert_int_equal(late.bans[i].until_s, live.bans[i].until_s);
	/* a script in which nothing grows would prove nothing */
	for (size_t i = 0; i < grown.n_bans; i++)
		longer += grown.bans[i].until_s - grown.bans[i].since_s > 150;
	assert_true(longer >= 2);
	assert_true(grown.earlier >= 5);
}

/* Dies after each line. lost: lines more that it had read then; when all are read late anyway,
 * they make no difference. */
static void replay_all(int late_s, unsigned crashes, const char *what)
{
	static void (*const tunes[])(struct config *) = { NULL, let_grow, doubt };

	for (size_t i = 0; i < sizeof(tunes) / sizeof(tunes[0]); i++) {
		struct world world = { .tune = tunes[i] };
		struct outcome whole;

		doubts = tunes[i] == doubt;
		world_new(&world);
		/* over an empty database, with the key that all of them have */
		whole = survivor(&world, 0, 0, 1, late_s);
		for (size_t cut = 0; cut < LINES; cut++) {
			if (cut)
				feed(&world, cut - 1, cut, 0, late_s);
			world_commit(&world);
			for (size_t lost = 0; lost <= (late_s ? 0 : 4); lost += 4) {
				struct outcome again = survivor(&world, cut, lost, crashes, late_s);

				assert_alike(&whole, &again, what, cut);
			}
		}
		world_done(&world);
	}
}

/* Killed while it kept up with the log. */
static void test_crash_when_caught_up(void **state)
{
	(void)state;
	replay_all(0, 1, "caught up");
}

/* Killed in the middle of a log that it found written. */
static void test_crash_while_catching_up(void **state)
{
	(void)state;
	replay_all(1010, 1, "catching up");
	replay_all(750, 1, "catching up, stamps of the future");
}

static void test_two_crashes(void **state)
{
	(void)state;
	replay_all(1010, 2, "two crashes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcome_of_the_script),
		cmocka_unit_test(test_crash_when_caught_up),
		cmocka_unit_test(test_crash_while_catching_up),
		cmocka_unit_test(test_two_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
