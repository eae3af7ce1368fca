#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "firewall/nft_fixture.h"

#include "firewall/elements.h"

enum { NOBODY = 65534 };

/* Scope 0 of `elements` is "all", as nft's is. */
static struct elements *make(struct nft *nft)
{
	struct elements *elements = elements_new(nft);
	struct scope all = { 0 };

	assert_int_equal(elements_scope(elements, &all, NULL), 0);
	return elements;
}

static void must(struct elements *elements, struct nft_change change, uint32_t engine,
	int64_t now_s)
{
	struct error err = { "" };

	if (elements_apply(elements, &change, 1, engine, now_s, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(change.failure, 0);
}

static size_t restored(struct elements *elements, int64_t now_s)
{
	struct error err = { "" };
	size_t count = 99;

	if (elements_restore(elements, now_s, &count, &err) < 0)
		fail_msg("%s", err.text);
	return count;
}

static void test_scopes(void **state)
{
	struct nft *nft = need(state);
	struct elements *elements = make(nft);
	struct scope scope = { 0 };
	struct error err = { "" };

	for (int i = 1; i < NFT_SCOPES_MAX; i++) {
		char ports[16];

		(void)snprintf(ports, sizeof(ports), "%d", 5000 + 2 * i);
		assert_int_equal(scope_parse(IPPROTO_UDP, ports, &scope, &err), 0);
		assert_int_equal(elements_scope(elements, &scope, &err), i);
		assert_int_equal(elements_scope(elements, &scope, &err), i);
	}
	assert_int_equal(scope_parse(IPPROTO_TCP, "22", &scope, &err), 0);
	assert_int_equal(elements_scope(elements, &scope, &err), -1);
	assert_true(err.text[0]);
	assert_int_equal(elements_scope(elements, &(struct scope){ 0 }, &err), 0);
	assert_int_equal(nft_run("list set inet voipguard udp_5126_v4_32"), 0);
	elements_free(elements);
	elements_free(NULL);
}

static void test_apply(void **state)
{
	struct nft *nft = need(state);
	struct elements *elements = make(nft);
	struct nft_change changes[] = { ban("192.0.2.1", 600), ban("192.0.2.2", NFT_PERMANENT),
		ban("2001:db8:1:2::/64", 600) };

	assert_int_equal(elements_apply(elements, changes, 3, 1, 1000, NULL), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(changes[i].failure, 0);
	assert_int_equal(elements_count(elements), 3);
	assert_true(query(nft, 0, "192.0.2.1").present);
	must(elements, ban("192.0.2.1", 900), 1, 1001); /* renewed, not twice */
	assert_int_equal(elements_count(elements), 3);
	must(elements, lift("192.0.2.2"), 1, 1001);
	must(elements, lift("203.0.113.9"), 1, 1001); /* was not there */
	assert_int_equal(elements_count(elements), 2);
	assert_false(query(nft, 0, "192.0.2.2").present);
	elements_free(elements);
}

/* Somebody flushes the rule set: everything that has not ended comes back, for what is left. */
static void test_restore(void **state)
{
	struct nft *nft = need(state);
	struct elements *elements = make(nft);
	struct scope sip = { 0 };
	struct nft_change scoped = ban("198.51.100.1", 600);

	assert_int_equal(scope_parse(IPPROTO_UDP, "5060", &sip, NULL), 0);
	assert_int_equal(elements_scope(elements, &sip, NULL), 1);
	scoped.scope = 1;
	must(elements, ban("192.0.2.1", 600), 1, 1000);
	must(elements, ban("192.0.2.2", 100), 1, 1000);
	must(elements, ban("192.0.2.3", NFT_PERMANENT), 1, 1000);
	must(elements, scoped, 1, 1000);
	assert_int_equal(nft_run("flush ruleset"), 0);
	assert_int_equal(restored(elements, 1100), 3);
	assert_in_range(query(nft, 0, "192.0.2.1").ttl_s, 498, 501);
	assert_false(query(nft, 0, "192.0.2.2").present); /* over at 1100 sharp */
	assert_int_equal(query(nft, 0, "192.0.2.3").ttl_s, NFT_PERMANENT);
	assert_true(query(nft, 0, "192.0.2.3").present);
	assert_true(query(nft, 1, "198.51.100.1").present);
	assert_false(query(nft, 1, "192.0.2.1").present);
	assert_int_equal(nft_run("list ruleset"), 0);
	assert_true(times("drop") > 3);
	/* nothing was lost: the same again */
	assert_int_equal(restored(elements, 1100), 3);
	elements_free(elements);
}

/* A kernel that refuses all: bans and lifts are done when it can be used again. */
static void test_unusable(void **state)
{
	struct nft *nft = need(state);
	struct elements *elements = make(nft);
	struct nft_change changes[] = { lift("192.0.2.1"), ban("192.0.2.3", 600) };
	struct error err = { "" };

	must(elements, ban("192.0.2.1", 600), 1, 1000);
	must(elements, ban("192.0.2.2", 600), 1, 1000);
	assert_int_equal(seteuid(NOBODY), 0); /* netlink looks at the caller */
	assert_int_equal(elements_apply(elements, changes, 2, 1, 1000, &err), -1);
	assert_int_equal(seteuid(0), 0);
	assert_true(err.text[0]);
	assert_int_not_equal(changes[0].failure, 0);
	assert_int_not_equal(changes[1].failure, 0);
	assert_true(query(nft, 0, "192.0.2.1").present);
	elements_sweep(elements, 1001); /* what is to be lifted is not forgotten */
	assert_int_equal(restored(elements, 1001), 3);
	assert_false(query(nft, 0, "192.0.2.1").present);
	assert_true(query(nft, 0, "192.0.2.2").present);
	assert_true(query(nft, 0, "192.0.2.3").present);
	assert_int_equal(elements_count(elements), 2);
	elements_free(elements);
}

/* More than one batch, and a border exactly at its size. */
static void test_batches(void **state)
{
	struct nft *nft = need(state);
	struct elements *elements = make(nft);
	enum { COUNT = 2 * NFT_BATCH_MAX };
	struct nft_change *changes = calloc(COUNT + 1, sizeof(*changes));

	for (int i = 0; i <= COUNT; i++) {
		uint8_t bytes[16] = { 0x20, 1, 0xd,
			0xb8, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i };

		changes[i] = (struct nft_change){ .op = NFT_BAN,
			.ip = ip_from_bytes(6, bytes),
			.ttl_s = 600 };
	}
	assert_int_equal(elements_apply(elements, changes, COUNT, 1, 1000, NULL), 0);
	assert_int_equal(nft_run("flush ruleset"), 0);
	assert_int_equal(restored(elements, 1000), COUNT);
	assert_true(query(nft, 0, "2001:db8::1f3f").present);
	must(elements, changes[COUNT], 1, 1000);
	assert_int_equal(nft_run("flush ruleset"), 0);
	assert_int_equal(restored(elements, 1000), COUNT + 1);
	assert_true(query(nft, 0, "2001:db8::1f40").present);
	/* all end at once: none is overlooked while the table shrinks */
	elements_sweep(elements, 1599);
	assert_int_equal(elements_count(elements), COUNT + 1);
	elements_sweep(elements, 1600);
	assert_int_equal(elements_count(elements), 0);
	assert_int_equal(restored(elements, 1600), 0);
	free(changes);
	elements_free(elements);
}

static void test_forget(void **state)
{
	struct elements *elements = make(need(state));
	struct ip ip = ip_of("192.0.2.1");
	struct ip other = ip_of("192.0.2.2");

	must(elements, ban("192.0.2.1", 600), 1, 1000);
	elements_forget(elements, 1, &ip);
	elements_forget(elements, 0, &other);
	assert_int_equal(elements_count(elements), 1);
	elements_forget(elements, 0, &ip);
	assert_int_equal(elements_count(elements), 0);
	assert_int_equal(nft_run("flush ruleset"), 0);
	assert_int_equal(restored(elements, 1000), 0);
	elements_free(elements);
}

static void test_adopt(void **state)
{
	struct nft *nft = need(state);
	struct elements *elements = make(nft);
	struct nft_element found = { .ip = ip_of("192.0.2.1"), .ttl_s = 100, .present = true };
	struct nft_element forever = { .ip = ip_of("192.0.2.2"), .present = true };

	assert_true(elements_adopt(elements, &found, 1, 1000));
	assert_false(elements_adopt(elements, &found, 1, 1000));
	assert_true(elements_adopt(elements, &forever, 1, 1000));
	assert_int_equal(restored(elements, 1050), 2);
	assert_in_range(query(nft, 0, "192.0.2.1").ttl_s, 48, 51);
	assert_int_equal(query(nft, 0, "192.0.2.2").ttl_s, NFT_PERMANENT);
	elements_sweep(elements, 1100);
	assert_int_equal(elements_count(elements), 1);
	elements_free(elements);
}

static void test_drop(void **state)
{
	struct nft *nft = need(state);
	struct elements *elements = make(nft);

	must(elements, ban("192.0.2.1", 600), 1, 1000);
	must(elements, ban("192.0.2.2", 600), 1, 1000);
	must(elements, ban("192.0.2.2", 600), 2, 1000); /* the next engine wants it too */
	must(elements, ban("192.0.2.3", NFT_PERMANENT), 2, 1000);
	assert_int_equal(elements_drop(elements, 2, NULL), 0);
	assert_int_equal(elements_count(elements), 2);
	assert_false(query(nft, 0, "192.0.2.1").present);
	assert_true(query(nft, 0, "192.0.2.2").present);
	assert_true(query(nft, 0, "192.0.2.3").present);
	assert_int_equal(elements_drop(elements, 0, NULL), 0);
	assert_int_equal(elements_count(elements), 0);
	assert_false(query(nft, 0, "192.0.2.2").present);
	assert_false(query(nft, 0, "192.0.2.3").present);
	elements_free(elements);
}

/* What an element has counted outlives its renewal. */
static void test_counter(void **state)
{
	struct nft *nft = need(state);
	struct elements *elements = make(nft);
	struct nft_change change = ban("192.0.2.1", 600);

	must(elements, change, 1, 1000);
	change.packets = 7;
	change.bytes = 700;
	must_apply(nft, &change, 1); /* as if seven packets had come */
	assert_int_equal(query(nft, 0, "192.0.2.1").packets, 7);
	must(elements, ban("192.0.2.1", 900), 1, 1000);
	assert_int_equal(query(nft, 0, "192.0.2.1").packets, 7);
	assert_int_equal(query(nft, 0, "192.0.2.1").bytes, 700);
	elements_free(elements);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_scopes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_apply, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restore, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unusable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batches, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forget, setup, teardown),
		cmocka_unit_test_setup_teardown(test_adopt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counter, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
