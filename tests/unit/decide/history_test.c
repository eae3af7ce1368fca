#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <string.h>

#include "decide/history.h"

enum { KEEP_S = 1000, A = 1, B = 2 };

static struct ip ip_numbered(uint32_t number)
{
	uint8_t bytes[16] = { 0x20, 0x01, 0x0d, 0xb8 };

	memcpy(bytes + 4, &number, sizeof(number));
	return ip_from_bytes(6, bytes);
}

enum act { ADD, EXTEND, FORGET, RESTORE };

/* One after the other, for one address. expected: of ADD and EXTEND the number, of the others what
 * counts at `since` in this jail. */
static const struct {
	enum act act;
	uint32_t jail;
	int64_t since_s;
	int64_t until_s;
	uint32_t expected;
} steps[] = {
	{ EXTEND, A, 0, 50, 0 },
	{ ADD, A, 100, 200, 1 },
	{ ADD, A, 100, 200, 1 }, /* the same once more */
	{ ADD, A, 90, 190, 1 },  /* and an older one, read late */
	{ ADD, A, 300, 500, 2 },
	{ ADD, B, 300, 400, 1 },
	{ EXTEND, A, 0, 600, 2 },
	{ ADD, A, 1600, 1700, 3 }, /* exactly KEEP_S after the last end */
	{ ADD, A, 2701, 2800, 1 }, /* a second later it is the first again */
	{ ADD, A, 2900, 0, 2 },    /* permanent: never too old */
	{ ADD, A, 900000, 900100, 3 },
	{ FORGET, A, 900200, 0, 0 },
	{ ADD, A, 900300, 900400, 1 },
	{ RESTORE, A, 900500, 900600, 7 },
	{ RESTORE, A, 900500, 900600, 0 },
	{ ADD, A, 900700, 900800, 1 },
};

static void test_steps(void **state)
{
	struct history *history = history_new(KEEP_S);
	struct ip ip = ip_numbered(1);

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		uint32_t is = UINT32_MAX;

		switch (steps[i].act) {
		case ADD:
			is = history_add(history, steps[i].jail, &ip, steps[i].since_s,
				steps[i].until_s);
			break;
		case EXTEND:
			is = history_extend(history, steps[i].jail, &ip, steps[i].until_s);
			break;
		case FORGET:
			history_forget(history, steps[i].jail, &ip);
			is = history_count(history, steps[i].jail, &ip, steps[i].since_s);
			break;
		case RESTORE:
			history_restore(history, steps[i].jail, &ip, steps[i].expected,
				steps[i].since_s, steps[i].until_s);
			is = history_count(history, steps[i].jail, &ip, steps[i].since_s + 1);
			break;
		}
		if (is != steps[i].expected)
			fail_msg("step %zu: %u instead of %u", i, is, steps[i].expected);
		history_check(history);
	}
	history_free(history);
}

static const struct {
	uint32_t jail;
	int64_t at_s;
	uint32_t count;
} counts[] = {
	{ A, 100, 1 }, /* the second begins now: it does not count itself */
	{ A, 101, 2 },
	{ A, 1200, 2 },
	{ A, 1201, 0 },
	{ B, 101, 1 },
	{ B, 1150, 1 },
	{ B, 1151, 0 },
	{ 3, 101, 0 },
	{ HISTORY_ALL_JAILS, 101, 3 },
	{ HISTORY_ALL_JAILS, 100, 2 },
	{ HISTORY_ALL_JAILS, 1200, 2 },
	{ HISTORY_ALL_JAILS, 9000, 0 },
};

static void test_counts(void **state)
{
	struct history *history = history_new(KEEP_S);
	struct ip ip = ip_numbered(1);
	struct ip other = ip_numbered(2);

	(void)state;
	(void)history_add(history, A, &ip, 10, 20);
	(void)history_add(history, A, &ip, 100, 200);
	(void)history_add(history, B, &ip, 50, 150);
	(void)history_add(history, A, &other, 50, 150);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		uint32_t is = history_count(history, counts[i].jail, &ip, counts[i].at_s);

		if (is != counts[i].count)
			fail_msg("row %zu: %u instead of %u", i, is, counts[i].count);
	}
	assert_true(history_has(history, A, &ip, 99));
	assert_true(history_has(history, A, &ip, 100));
	assert_false(history_has(history, A, &ip, 101));
	assert_false(history_has(history, 3, &ip, 1));
	history_free(history);
}

static void test_expire(void **state)
{
	struct history *history = history_new(KEEP_S);

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		struct ip ip = ip_numbered(i);

		(void)history_add(history, A, &ip, i, i + 10);
	}
	assert_int_equal(history_expire(history, 1010, 1000), 0);
	assert_int_equal(history_expire(history, 1060, 20), 20);
	assert_int_equal(history_expire(history, 1060, 1000), 30);
	history_check(history);
	assert_int_equal(history_size(history), 50);
	history_free(history);
}

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* However many addresses have a ban each: memory stands still, and those with more bans stay. */
static void test_flood(void **state)
{
	struct history *history = history_new(KEEP_S);
	struct ip bad = ip_numbered(UINT32_MAX);
	size_t before = heap_bytes();
	size_t full = 0;

	(void)state;
	(void)history_add(history, A, &bad, 1, 2);
	(void)history_add(history, A, &bad, 3, 0);
	(void)history_add(history, B, &bad, 3, 0);
	for (uint32_t i = 0; i < 3 * HISTORY_MAX; i++) {
		struct ip ip = ip_numbered(i);

		if (i == HISTORY_MAX)
			full = heap_bytes();
		(void)history_add(history, A, &ip, 10, 20);
	}
	assert_int_equal(history_size(history), HISTORY_MAX);
	assert_true(full - before < (size_t)HISTORY_MAX * 150);
	assert_true(heap_bytes() < full + 65536);
	assert_int_equal(history_count(history, A, &bad, 100), 2);
	assert_int_equal(history_count(history, B, &bad, 100), 0); /* one ban: like the flood's */
	history_check(history);
	history_free(history);
}

/* Bans of others that are as many as a sixteenth of the table, and as often as his, wash him out;
 * fewer do not. */
static void test_washing_out(void **state)
{
	struct history *history = history_new(KEEP_S);
	struct ip bad = ip_numbered(UINT32_MAX);

	(void)state;
	for (int64_t k = 1; k <= 3; k++)
		(void)history_add(history, A, &bad, k, 0);
	for (uint32_t i = 0; i < HISTORY_MAX / 16 - 1; i++) {
		struct ip ip = ip_numbered(i);

		for (int64_t k = 11; k <= 13; k++)
			(void)history_add(history, A, &ip, k, 0);
	}
	for (uint32_t i = HISTORY_MAX; i < 2 * HISTORY_MAX; i++) {
		struct ip ip = ip_numbered(i);

		(void)history_add(history, A, &ip, 20, 0);
	}
	assert_int_equal(history_count(history, A, &bad, 100), 3);
	history_check(history);
	history_free(history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_expire),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_washing_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
