#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "firewall/nft_fixture.h"

#include <sys/socket.h>

static void test_watch_lifted(void **state)
{
	struct nft *nft = need(state);
	struct nft_change changes[] = { ban("192.0.2.1", 600), ban("192.0.2.2", 600),
		ban("192.0.2.3", 600), ban("2001:db8:1:2::/64", 600) };
	struct ip ip;
	struct seen seen;
	char who[64];

	must_apply(nft, changes, 4);
	assert_int_equal(watch(nft, who, &seen), NFT_EVENT_NONE);
	assert_string_equal(who, "");
	assert_int_equal(nft_run("delete element inet voipguard all_v4_32 { 192.0.2.1 }"), 0);
	assert_int_equal(watch(nft, who, &seen), NFT_EVENT_NONE);
	assert_int_equal(seen.n_lifted, 1);
	ip = ip_of("192.0.2.1");
	assert_true(ip_equal(&seen.ip, &ip));
	assert_string_equal(who, "nft");
	assert_int_equal(nft_run("delete element inet voipguard all_v6_64 { 2001:db8:1:2:: }"), 0);
	assert_int_equal(watch(nft, who, &seen), NFT_EVENT_NONE);
	assert_int_equal(seen.n_lifted, 1);
	ip = ip_of("2001:db8:1:2::/64");
	assert_true(ip_equal(&seen.ip, &ip));
	assert_int_equal(nft_run("flush set inet voipguard all_v4_32"), 0);
	assert_int_equal(watch(nft, who, &seen), NFT_EVENT_CHECK);
	assert_int_equal(seen.n_lifted, 0);
}

static void test_watch_ignores(void **state)
{
	static const char *const commands[] = {
		"add table inet other",
		"add set inet other all_v4_32 { type ipv4_addr; }",
		"add element inet other all_v4_32 { 192.0.2.1 }",
		"delete element inet other all_v4_32 { 192.0.2.1 }",
		"add table ip voipguard",
		"delete table ip voipguard",
		"delete table inet other",
		"add element inet voipguard all_v4_32 { 192.0.2.9 }",
	};
	struct nft *nft = need(state);
	struct nft_change change = ban("192.0.2.1", 600);
	struct seen seen;
	bool fresh = false;
	char who[64];

	must_apply(nft, &change, 1);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		assert_int_equal(nft_run(commands[i]), 0);
		assert_int_equal(watch(nft, who, &seen), NFT_EVENT_NONE);
		assert_int_equal(seen.n_lifted, 0);
	}
	assert_int_equal(nft_generation(nft, &fresh, NULL), 0);
	assert_true(fresh);
}

static void test_watch_destroyed(void **state)
{
	static const char *const commands[] = {
		"flush ruleset",
		"delete table inet voipguard",
		"flush chain inet voipguard prerouting",
		"add table inet voipguard { flags dormant; }",
	};
	struct nft *nft = need(state);
	struct nft_change changes[] = { ban("192.0.2.1", 600), ban("198.51.100.0/24", 600) };
	struct seen seen;
	char who[64];

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		must_apply(nft, changes, 2);
		assert_int_equal(watch(nft, who, &seen), NFT_EVENT_NONE);
		assert_int_equal(nft_run(commands[i]), 0);
		assert_int_equal(watch(nft, who, &seen), NFT_EVENT_CHECK);
		assert_int_equal(seen.n_lifted, 0);
		assert_string_equal(who, "nft");
		must_ensure(nft);
		must_scope(nft, 0, 0, NULL);
		must_apply(nft, changes, 2);
		assert_true(listed("all_v4_32", "192.0.2.1"));
		assert_int_equal(nft_run("list table inet voipguard"), 0);
		assert_int_equal(times("drop"), 4);
		assert_int_equal(times("dormant"), 0);
	}
}

/* The table vanishes and nobody has read the event yet. */
static void test_apply_restores(void **state)
{
	struct nft *nft = need(state);
	struct nft_change changes[] = { ban("192.0.2.1", 600), ban("198.51.100.0/24", 600),
		lift("192.0.2.7") };
	struct seen seen;
	char who[64];

	must_apply(nft, changes, 3);
	assert_int_equal(nft_run("flush ruleset"), 0);
	must_apply(nft, changes, 3);
	assert_true(listed("all_v4_24", "198.51.100.0"));
	assert_int_equal(watch(nft, who, &seen), NFT_EVENT_CHECK);
}

static void test_generation(void **state)
{
	struct nft *nft = need(state);
	struct nft_change change = ban("192.0.2.1", 600);
	struct seen seen;
	bool fresh = false;
	char who[64];

	(void)watch(nft, who, &seen);
	must_apply(nft, &change, 1);
	assert_int_equal(nft_generation(nft, &fresh, NULL), 0);
	assert_true(fresh); /* the event waits */
	(void)watch(nft, who, &seen);
	assert_int_equal(nft_generation(nft, &fresh, NULL), 0);
	assert_true(fresh);
	assert_int_equal(nft_run("flush ruleset"), 0);
	/* Throws the events away, as if they had been lost. */
	for (int i = 0; i < 1000; i++)
		if (recv(nft_watch_fd(nft), output, sizeof(output), MSG_DONTWAIT) < 0)
			break;
	assert_int_equal(nft_generation(nft, &fresh, NULL), 0);
	assert_false(fresh);
	assert_int_equal(nft_generation(nft, &fresh, NULL), 0);
	assert_true(fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_watch_lifted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watch_ignores, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watch_destroyed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_apply_restores, setup, teardown),
		cmocka_unit_test_setup_teardown(test_generation, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
