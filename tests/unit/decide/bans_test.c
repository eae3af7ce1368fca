#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "decide/bans.h"

enum { NOW_S = 1000, MANY = 5000 };

enum { JAILS = 7 };

/* Jail 0 closes scope 0; jails 1 and 2 share scope 1; jail 3 closes 2 and 3; jail 4 nothing. A
 * proven ban of jail 5 closes 0, an unproven one 1 and 2; of jail 6, 2 and 3, and 3. */
static const struct ban_scopes proven_scopes[JAILS] = { { { 0 }, 1 }, { { 1 }, 1 }, { { 1 }, 1 },
	{ { 2, 3 }, 2 }, { { 0 }, 0 }, { { 0 }, 1 }, { { 2, 3 }, 2 } };
static const struct ban_scopes unproven_scopes[JAILS] = { { { 0 }, 1 }, { { 1 }, 1 }, { { 1 }, 1 },
	{ { 2, 3 }, 2 }, { { 0 }, 0 }, { { 1, 2 }, 2 }, { { 3 }, 1 } };

static struct bans *make(void)
{
	struct bans *bans = bans_new();

	for (uint32_t i = 0; i < JAILS; i++)
		bans_jail(bans, i, &proven_scopes[i], &unproven_scopes[i]);
	return bans;
}

static struct ip host(uint32_t number)
{
	const uint8_t bytes[4] = { 198, (uint8_t)(18 + (number >> 16)), (uint8_t)(number >> 8),
		(uint8_t)number };

	return ip_from_bytes(4, bytes);
}

static struct ban *add(struct bans *bans, uint32_t jail, uint32_t number, int64_t until_s)
{
	struct ban ban = { .ip = host(number),
		.jail = jail,
		.since_s = NOW_S,
		.until_s = until_s,
		.failures = 3,
		.account = "bob" };
	struct ban *made = bans_add(bans, &ban);

	assert_non_null(made);
	assert_true(made->jail == jail && made->until_s == until_s);
	bans_check(bans);
	return made;
}

/* Sends the first change, which has to be this one; ttl -1: a lift. */
static void send_one(struct bans *bans, uint8_t scope, uint32_t number, int64_t ttl_s)
{
	struct ban_change change;
	struct ip ip = host(number);

	assert_true(bans_peek(bans, NOW_S, &change));
	assert_int_equal(change.scope, scope);
	assert_true(ip_equal(&change.ip, &ip));
	assert_int_equal(change.lift, ttl_s < 0);
	assert_int_equal(change.ttl_s, ttl_s < 0 ? 0 : ttl_s);
	assert_true(bans_has_change(bans, scope, &ip));
	bans_sent(bans);
	assert_true(bans_has_change(bans, scope, &ip));
	bans_check(bans);
}

static bool held(struct bans *bans, uint8_t scope, uint32_t number, bool lift, int failure)
{
	struct ip ip = host(number);
	bool waited = bans_held(bans, scope, &ip, lift, failure);

	bans_check(bans);
	return waited;
}

static void assert_quiet(struct bans *bans)
{
	struct ban_change change;

	assert_false(bans_peek(bans, NOW_S, &change));
	assert_int_equal(bans_waiting(bans), 0);
}

/* Two jails with one scope: what the kernel is told when b joins a, and when a or b goes. */
static const struct {
	int64_t a_until;
	int64_t b_until;
	int64_t joined; /* ttl, 0 permanent, -2: nothing is sent */
	int64_t a_left; /* likewise, when a is lifted */
	int64_t b_left;
} shared[] = {
	{ NOW_S + 10, NOW_S + 20, 20, -2, 10 },
	{ NOW_S + 20, NOW_S + 10, -2, 10, -2 },
	{ NOW_S + 10, NOW_S + 10, -2, -2, -2 },
	{ NOW_S + 10, 0, 0, -2, 10 },
	{ 0, NOW_S + 10, -2, 10, -2 },
	{ 0, 0, -2, -2, -2 },
};

static void expect_change(struct bans *bans, int64_t ttl_s)
{
	if (ttl_s != -2) {
		send_one(bans, 1, 1, ttl_s);
		assert_true(held(bans, 1, 1, ttl_s == -1, 0));
	}
	assert_quiet(bans);
}

static void test_shared_elements(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(shared) / sizeof(shared[0]); i++) {
		size_t row = i / 2;
		struct bans *bans = make();
		struct ban *a = add(bans, 1, 1, shared[row].a_until);
		struct ban *b;
		struct ip ip = host(1);

		expect_change(bans, shared[row].a_until ? shared[row].a_until - NOW_S : 0);
		b = add(bans, 2, 1, shared[row].b_until);
		expect_change(bans, shared[row].joined);
		bans_end(bans, i % 2 ? a : b, true);
		expect_change(bans, i % 2 ? shared[row].a_left : shared[row].b_left);
		assert_ptr_equal(bans_of_element(bans, 1, &ip), i % 2 ? b : a);
		bans_end(bans, i % 2 ? b : a, true);
		expect_change(bans, -1);
		assert_null(bans_of_element(bans, 1, &ip));
		bans_free(bans);
	}
}

/* An element waits until its last change has been answered, in whatever order bans come and go. */
static void test_changes_under_way(void **state)
{
	struct bans *bans = make();
	struct ip ip = host(1);
	struct ban *ban = add(bans, 0, 1, NOW_S + 10);

	(void)state;
	assert_int_equal(bans_waiting(bans), 1);
	assert_false(held(bans, 0, 1, false, 0)); /* nothing was sent yet */
	send_one(bans, 0, 1, 10);
	bans_end(bans, ban, true);
	send_one(bans, 0, 1, -1);
	assert_true(held(bans, 0, 1, false, 0)); /* the ban's answer */
	assert_true(bans_has_change(bans, 0, &ip));
	assert_true(bans_waiting(bans) > 0);
	assert_true(held(bans, 0, 1, true, 0)); /* the lift's */
	assert_false(bans_has_change(bans, 0, &ip));
	assert_false(held(bans, 0, 1, true, 0));
	assert_quiet(bans);
	/* the other way round: lifted, banned again, then the answers */
	ban = add(bans, 0, 1, NOW_S + 10);
	send_one(bans, 0, 1, 10);
	assert_true(held(bans, 0, 1, false, 0));
	bans_end(bans, ban, true);
	send_one(bans, 0, 1, -1);
	ban = add(bans, 0, 1, NOW_S + 30);
	send_one(bans, 0, 1, 30);
	assert_true(held(bans, 0, 1, true, 0));
	assert_false(bans_in_kernel(bans, ban, NULL));
	assert_true(held(bans, 0, 1, false, 0));
	assert_true(bans_in_kernel(bans, ban, NULL));
	assert_quiet(bans);
	bans_free(bans);
}

static void test_in_kernel(void **state)
{
	struct bans *bans = make();
	struct ban *ban = add(bans, 3, 1, 0);
	int failure = 77;

	(void)state;
	assert_false(bans_in_kernel(bans, ban, &failure));
	assert_int_equal(failure, 0);
	send_one(bans, 2, 1, 0);
	send_one(bans, 3, 1, 0);
	assert_true(held(bans, 2, 1, false, 0));
	assert_false(bans_in_kernel(bans, ban, &failure)); /* one of two */
	assert_true(held(bans, 3, 1, false, EPERM));
	assert_false(bans_in_kernel(bans, ban, &failure));
	assert_int_equal(failure, EPERM);
	ban->until_s = 0;
	ban = add(bans, 3, 1, NOW_S + 5); /* another end: asked again */
	send_one(bans, 2, 1, 5);
	send_one(bans, 3, 1, 5);
	assert_true(held(bans, 2, 1, false, 0) && held(bans, 3, 1, false, 0));
	assert_true(bans_in_kernel(bans, ban, &failure));
	assert_int_equal(failure, 0);
	ban = add(bans, 4, 1, 0);
	assert_false(bans_in_kernel(bans, ban, NULL)); /* closes nothing */
	bans_free(bans);
}

/* Refused, and the kernel is well again: those that were refused are asked for once more, others
 * not. */
static void test_retry(void **state)
{
	struct bans *bans = make();
	struct ban *ban = add(bans, 3, 1, 0);
	struct ban_change change;
	int failure;

	(void)state;
	bans_retry(bans); /* waits already */
	send_one(bans, 2, 1, 0);
	send_one(bans, 3, 1, 0);
	bans_retry(bans); /* on its way */
	assert_false(bans_peek(bans, NOW_S, &change));
	assert_true(held(bans, 2, 1, false, 0));
	assert_true(held(bans, 3, 1, false, EIO));
	assert_false(bans_peek(bans, NOW_S, &change));
	bans_retry(bans);
	send_one(bans, 3, 1, 0);
	assert_false(bans_peek(bans, NOW_S, &change));
	assert_true(held(bans, 3, 1, false, 0));
	assert_true(bans_in_kernel(bans, ban, &failure));
	assert_int_equal(failure, 0);
	bans_retry(bans);
	assert_false(bans_peek(bans, NOW_S, &change));
	bans_check(bans);
	bans_free(bans);
}

/* Over before it was sent: the kernel gets no ban without an end. */
static void test_late_send(void **state)
{
	static const int64_t untils[] = { NOW_S, NOW_S - 1, NOW_S - 999 };

	(void)state;
	for (size_t i = 0; i < sizeof(untils) / sizeof(untils[0]); i++) {
		struct bans *bans = make();

		(void)add(bans, 0, 1, untils[i]);
		send_one(bans, 0, 1, -1);
		assert_true(held(bans, 0, 1, true, 0));
		bans_end(bans, bans_first_end(bans), false);
		assert_quiet(bans);
		bans_free(bans);
	}
}

static void test_end_by_the_clock(void **state)
{
	struct bans *bans = make();
	struct ban *ban = add(bans, 0, 1, NOW_S + 10);

	(void)state;
	send_one(bans, 0, 1, 10);
	assert_true(held(bans, 0, 1, false, 0));
	bans_end(bans, ban, false);
	assert_quiet(bans); /* the kernel's own timeout ends it */
	bans_free(bans);
}

static void test_expired(void **state)
{
	struct bans *bans = make();
	struct ban *ban = add(bans, 0, 1, NOW_S + 10);
	struct ip ip = host(1);

	(void)state;
	send_one(bans, 0, 1, 10);
	assert_true(held(bans, 0, 1, false, 0));
	(void)add(bans, 0, 2, NOW_S + 20);
	bans_expire(bans, ban);
	bans_expire(bans, ban); /* once more changes nothing */
	bans_check(bans);
	assert_int_equal(bans_count(bans, 0), 1);
	assert_ptr_equal(bans_find(bans, 0, &ip), ban);
	assert_null(bans_of_element(bans, 0, &ip));
	assert_false(bans_in_kernel(bans, ban, NULL));
	assert_int_equal(bans_first_end(bans)->until_s, NOW_S + 20);
	ban = add(bans, 0, 1, NOW_S + 30); /* an expired ban's place is taken by a new ban */
	assert_false(ban->expired);
	assert_int_equal(bans_count(bans, 0), 2);
	bans_expire(bans, ban);
	bans_drop_expired(bans);
	bans_check(bans);
	assert_null(bans_find(bans, 0, &ip));
	assert_int_equal(bans_count(bans, 0), 1);
	bans_free(bans);
}

/* A proven ban in place of an unproven one: what it closes more is added, and what nobody wants any
 * more is lifted, but not what another jail's ban wants. */
static void test_widening(void **state)
{
	struct bans *bans = make();
	struct ban proven = { .ip = host(1), .jail = 5, .until_s = NOW_S + 50, .proven = true };
	struct ban *ban;

	(void)state;
	ban = add(bans, 5, 1, NOW_S + 30);
	assert_int_equal(bans_scopes(bans, ban)->count, 2);
	send_one(bans, 1, 1, 30);
	send_one(bans, 2, 1, 30);
	assert_true(bans_held(bans, 1, &proven.ip, false, 0));
	assert_true(bans_held(bans, 2, &proven.ip, false, 0));
	assert_true(bans_in_kernel(bans, ban, NULL));
	(void)add(bans, 1, 1, NOW_S + 20); /* shorter: nothing to send */
	assert_int_equal(bans_waiting(bans), 0);
	assert_ptr_equal(bans_add(bans, &proven), ban);
	bans_check(bans);
	assert_false(bans_in_kernel(bans, ban, NULL));
	assert_int_equal(bans_of_element(bans, 1, &proven.ip)->jail, 1);
	assert_null(bans_of_element(bans, 2, &proven.ip));
	send_one(bans, 0, 1, 50);
	send_one(bans, 1, 1, 20); /* as long as jail 1 wants it */
	send_one(bans, 2, 1, -1);
	assert_true(bans_held(bans, 0, &proven.ip, false, 0));
	assert_true(bans_in_kernel(bans, ban, NULL));
	assert_true(bans_held(bans, 2, &proven.ip, true, 0));
	assert_true(bans_held(bans, 1, &proven.ip, false, 0));
	bans_end(bans, ban, true);
	send_one(bans, 0, 1, -1);
	bans_check(bans);
	bans_free(bans);
}

/* After any sequence of bans, ends, answers and widenings the kernel holds what the bans want. */
static void test_model(void **state)
{
	struct bans *bans = make();
	bool kernel[4][8] = { { false } };
	uint32_t random = 4711;
	struct ban_change change;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t number;
		struct ban ban = { .jail = (random >> 8) % JAILS };
		struct ban *old;

		random = random * 1103515245 + 12345;
		number = (random >> 16) % 8;
		ban.ip = host(number);
		ban.until_s = random >> 28 ? NOW_S + 1 + (random >> 20) % 100 : 0;
		ban.proven = (random >> 12) & 1;
		old = bans_find(bans, ban.jail, &ban.ip);
		if (old && (random >> 13) % 3 == 0)
			bans_end(bans, old, true);
		else
			assert_non_null(bans_add(bans, &ban));
		bans_check(bans);
		while ((random >> 15) % 2 && bans_peek(bans, NOW_S, &change)) {
			bans_sent(bans);
			kernel[change.scope][change.ip.bytes[3]] = !change.lift;
			assert_true(bans_held(bans, change.scope, &change.ip, change.lift, 0));
			bans_check(bans);
		}
		for (uint8_t scope = 0; scope < 4 && !bans_waiting(bans); scope++)
			for (uint32_t k = 0; k < 8; k++) {
				struct ip ip = host(k);

				if (kernel[scope][k] != (bans_of_element(bans, scope, &ip) != NULL))
					fail_msg("step %u: scope %u of host %u", i, scope, k);
			}
	}
	bans_free(bans);
}

/* Ends come in order, whatever was replaced and ended in between. */
static void test_order_of_ends(void **state)
{
	struct bans *bans = make();
	uint32_t random = 12345;
	int64_t last_s = 0;
	struct ban *ban;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		struct ban wanted = { .ip = host(i % 3000),
			.jail = i % JAILS,
			.proven = i % 3 == 0 };

		random = random * 1103515245 + 12345;
		wanted.until_s = random % 7 ? 1 + (random >> 8) % 10000 : 0;
		assert_non_null(bans_add(bans, &wanted));
		if (random % 11 == 0)
			bans_end(bans, bans_find(bans, wanted.jail, &wanted.ip), true);
	}
	bans_check(bans);
	while ((ban = bans_first_end(bans))) {
		assert_true(ban->until_s >= last_s);
		last_s = ban->until_s;
		bans_end(bans, ban, false);
	}
	bans_check(bans);
	bans_free(bans);
}

/* Every ban once, though each is ended when it comes. */
static void test_next(void **state)
{
	struct bans *bans = make();
	uint8_t seen[MANY] = { 0 };
	size_t cursor = 0;
	size_t count = 0;
	struct ban *ban;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		struct ban wanted = { .ip = host(i), .jail = i % 2, .until_s = 5, .row = i };

		assert_non_null(bans_add(bans, &wanted));
		if (i % 3 == 0)
			bans_expire(bans, bans_find(bans, i % 2, &wanted.ip));
	}
	while (count <= MANY && (ban = bans_next(bans, &cursor))) {
		assert_int_equal(seen[ban->row]++, 0);
		count++;
		if (ban->row % 5)
			bans_end(bans, ban, true);
	}
	assert_int_equal(count, MANY);
	bans_check(bans);
	bans_free(bans);
}

static void test_full_table(void **state)
{
	static const uint32_t others[] = { 1, 2, 77 };
	struct bans *bans = make();
	struct ban wanted = { .ip = host(BANS_MAX), .jail = 0, .until_s = 1 };
	struct ip first = host(0);
	struct ip second = host(1);

	(void)state;
	assert_null(bans_overflow(bans, true));
	for (uint32_t i = 0; i < BANS_MAX; i++) {
		struct ban one = { .ip = host(i),
			.jail = 0,
			.until_s = 100 + i,
			.proven = i != 1 && i != 2 };

		assert_non_null(bans_add(bans, &one));
	}
	/* of the unproven ones the first that ends, also for a proven one */
	assert_ptr_equal(bans_overflow(bans, true), bans_find(bans, 0, &second));
	assert_ptr_equal(bans_overflow(bans, false), bans_find(bans, 0, &second));
	assert_null(bans_add(bans, &wanted));
	wanted.ip = host(77); /* one that is there has its place */
	assert_non_null(bans_add(bans, &wanted));
	bans_end(bans, bans_overflow(bans, true), true);
	assert_null(bans_overflow(bans, true));
	assert_int_equal(bans_count(bans, 0), BANS_MAX - 1);
	/* without unproven ones a proven one makes room, and an unproven one finds none */
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct ban one = { .ip = host(others[i]),
			.jail = 0,
			.until_s = 900,
			.proven = true };

		assert_non_null(bans_add(bans, &one));
	}
	assert_null(bans_overflow(bans, false));
	assert_ptr_equal(bans_overflow(bans, true), bans_find(bans, 0, &first));
	bans_check(bans);
	bans_free(bans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared_elements),
		cmocka_unit_test(test_changes_under_way),
		cmocka_unit_test(test_in_kernel),
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_late_send),
		cmocka_unit_test(test_end_by_the_clock),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_widening),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_order_of_ends),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_full_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
