#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "firewall/nft_fixture.h"

#include "base/alloc.h"

#include <poll.h>

enum { MANY = 5000 };

static void test_ban_and_lift(void **state)
{
	static const struct {
		const char *ip;
		int64_t ttl_s;
		const char *set;
		const char *element;
	} rows[] = {
		{ "192.0.2.1", 600, "all_v4_32", "192.0.2.1" },
		{ "192.0.2.2", NFT_PERMANENT, "all_v4_32_forever", "192.0.2.2" },
		{ "198.51.100.0/24", 600, "all_v4_24", "198.51.100.0" },
		{ "2001:db8::1", 600, "all_v6_128", "2001:db8::1" },
		{ "2001:db8:1:2::/64", 600, "all_v6_64", "2001:db8:1:2::" },
		{ "2001:db8:1:200::/56", 600, "all_v6_56", "2001:db8:1:200::" },
		{ "2001:db8:2::/48", NFT_PERMANENT, "all_v6_48_forever", "2001:db8:2::" },
	};
	struct nft *nft = need(state);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nft_change change = ban(rows[i].ip, rows[i].ttl_s);
		struct nft_element element;

		must_apply(nft, &change, 1);
		assert_true(listed(rows[i].set, rows[i].element));
		element = query(nft, 0, rows[i].ip);
		assert_true(element.present);
		assert_in_range(element.ttl_s, rows[i].ttl_s - (rows[i].ttl_s ? 2 : 0),
			rows[i].ttl_s);
		change = lift(rows[i].ip);
		must_apply(nft, &change, 1);
		must_apply(nft, &change, 1); /* absent */
		assert_false(listed(rows[i].set, rows[i].element));
		assert_false(query(nft, 0, rows[i].ip).present);
	}
	assert_int_equal(nft_run("list ruleset"), 0);
	assert_int_equal(times("ip saddr & 255.255.255.0 == @all_v4_24 drop"), 1);
	assert_int_equal(times("& ffff:ffff:ffff:ff00:: == @all_v6_56 drop"), 1);
}

static void test_renew_keeps_counter(void **state)
{
	struct nft *nft = need(state);
	struct nft_change change = ban("192.0.2.1", 600);
	struct nft_element element;

	must_apply(nft, &change, 1);
	change.ttl_s = 7200;
	change.packets = 17;
	change.bytes = 4711;
	must_apply(nft, &change, 1);
	element = query(nft, 0, "192.0.2.1");
	assert_in_range(element.ttl_s, 7190, 7200);
	assert_int_equal(element.packets, 17);
	assert_int_equal(element.bytes, 4711);
	change.ttl_s = 60;
	must_apply(nft, &change, 1);
	assert_in_range(query(nft, 0, "192.0.2.1").ttl_s, 58, 60);
}

static void test_one_set_only(void **state)
{
	struct nft *nft = need(state);
	struct nft_change change = ban("192.0.2.1", 600);

	must_apply(nft, &change, 1);
	change.ttl_s = NFT_PERMANENT;
	change.packets = 5;
	must_apply(nft, &change, 1);
	assert_false(listed("all_v4_32", "192.0.2.1"));
	assert_true(listed("all_v4_32_forever", "192.0.2.1"));
	assert_int_equal(query(nft, 0, "192.0.2.1").packets, 5);
	must_apply(nft, &change, 1);
	change.ttl_s = 600;
	must_apply(nft, &change, 1);
	assert_true(listed("all_v4_32", "192.0.2.1"));
	assert_false(listed("all_v4_32_forever", "192.0.2.1"));
}

static void test_order_of_one_element(void **state)
{
	struct nft *nft = need(state);
	struct nft_change changes[] = { ban("192.0.2.1", 600), lift("192.0.2.1"),
		ban("192.0.2.2", 600), ban("192.0.2.2", 60), lift("192.0.2.3"),
		ban("192.0.2.3", NFT_PERMANENT) };

	must_apply(nft, changes, 6);
	assert_false(query(nft, 0, "192.0.2.1").present);
	assert_in_range(query(nft, 0, "192.0.2.2").ttl_s, 58, 60);
	assert_true(query(nft, 0, "192.0.2.3").present);
}

static void test_bad_among_good(void **state)
{
	/* Milliseconds beyond what the kernel keeps, resp. beyond 64 bits. */
	static const int64_t ttls[] = { INT64_MAX / 1000, INT64_MAX, -1 };
	struct nft *nft = need(state);
	struct nft_change changes[100];
	struct error err = { "" };

	for (size_t row = 0; row < 3; row++) {
		for (size_t i = 0; i < 100; i++) {
			changes[i] = ban("192.0.2.1", i == 42 ? ttls[row] : 600);
			changes[i].ip.bytes[3] = (uint8_t)(100 * row / 2 + i);
		}
		assert_int_equal(nft_apply(nft, changes, 100, &err), 0);
		for (size_t i = 0; i < 100; i++) {
			struct nft_element element = { .ip = changes[i].ip };

			assert_int_equal(nft_query(nft, &element, &err), 0);
			if (i == 42)
				assert_int_not_equal(changes[i].failure, 0);
			else
				assert_int_equal(changes[i].failure, 0);
			if (i != 42)
				assert_true(element.present);
		}
	}
}

static void test_many_bad(void **state)
{
	struct nft *nft = need(state);
	struct nft_change changes[100];
	struct error err = { "" };

	for (size_t i = 0; i < 100; i++) {
		changes[i] = ban("192.0.2.1", i % 2 ? INT64_MAX / 1000 : 600);
		changes[i].ip.bytes[3] = (uint8_t)i;
	}
	assert_int_equal(nft_apply(nft, changes, 100, &err), 0);
	for (size_t i = 0; i < 100; i++) {
		struct nft_element element = { .ip = changes[i].ip };

		assert_int_equal(changes[i].failure, i % 2 ? ERANGE : 0);
		assert_int_equal(nft_query(nft, &element, &err), 0);
		assert_int_equal(element.present, i % 2 == 0);
	}
}

static void test_invalid_changes(void **state)
{
	struct nft *nft = need(state);
	struct nft_change changes[6] = { ban("192.0.2.0/25", 600), ban("192.0.2.1", 600),
		ban("192.0.2.2", 600), ban("192.0.2.4", 600), ban("2001:db8::1", 600),
		ban("192.0.2.3", 600) };

	changes[1].scope = 200;
	changes[2].ip.bits = 24;     /* host bits set */
	changes[3].ip.bytes[15] = 1; /* bytes behind the address */
	changes[4].ip = (struct ip){ 6, 128, { [10] = 0xff, 0xff, 192, 0, 2, 5 } };
	assert_int_equal(nft_apply(nft, changes, 6, NULL), 0);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(changes[i].failure, EINVAL);
	assert_int_equal(changes[5].failure, 0);
	assert_false(listed("all_v4_32", "192.0.2.4"));
	assert_true(query(nft, 0, "192.0.2.3").present);
	assert_int_equal(nft_apply(nft, changes, 0, NULL), 0);
}

static void many_fill(struct nft_change *changes, enum nft_op op)
{
	for (size_t i = 0; i < MANY; i++) {
		changes[i] = ban(i % 2 ? "2001:db8::/64" : "198.18.0.0", 3600);
		changes[i].op = op;
		changes[i].ip.bytes[i % 2 ? 6 : 2] = (uint8_t)(i >> 8);
		changes[i].ip.bytes[i % 2 ? 7 : 3] = (uint8_t)i;
		changes[i].packets = i; /* counters make elements longest */
		changes[i].bytes = i;
	}
}

static size_t dump_all(struct nft *nft, struct seen *seen)
{
	struct error err = { "" };
	int rc = 1;

	*seen = (struct seen){ 0 };
	assert_int_equal(nft_dump_start(nft, &err), 0);
	for (int i = 0; i < 10000 && rc == 1; i++) {
		struct pollfd wait = { .fd = nft_dump_fd(nft), .events = POLLIN };

		assert_int_equal(poll(&wait, 1, 5000), 1);
		rc = nft_dump_read(nft, note_element, seen, &err);
	}
	assert_int_equal(rc, 0);
	return seen->n_all;
}

static void test_many(void **state)
{
	struct nft *nft = need(state);
	struct nft_change *changes = alloc_array(MANY, sizeof(*changes));
	struct seen seen;
	char who[64];

	many_fill(changes, NFT_BAN);
	must_apply(nft, changes, MANY);
	must_apply(nft, changes, MANY); /* renews all */
	assert_int_equal(dump_all(nft, &seen), MANY);
	assert_int_equal(watch(nft, who, &seen), NFT_EVENT_NONE);
	assert_int_equal(seen.n_lifted, 0);
	many_fill(changes, NFT_LIFT);
	must_apply(nft, changes, MANY);
	assert_int_equal(dump_all(nft, &seen), 0);
	free(changes);
}

static void test_query_many(void **state)
{
	struct nft *nft = need(state);
	struct nft_change changes[50];
	struct nft_element elements[100] = { 0 };

	for (size_t i = 0; i < 50; i++) {
		changes[i] = ban("192.0.2.0", i % 3 ? 600 : NFT_PERMANENT);
		changes[i].ip.bytes[3] = (uint8_t)(2 * i);
		changes[i].packets = i;
	}
	must_apply(nft, changes, 50);
	for (size_t i = 0; i < 100; i++) {
		elements[i].ip = ip_of("192.0.2.0");
		elements[i].ip.bytes[3] = (uint8_t)i;
		elements[i].present = true;
	}
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(nft_query(nft, &elements[i], NULL), 0);
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(elements[i].present, i % 2 == 0);
		if (elements[i].present)
			assert_int_equal(elements[i].packets, i / 2);
	}
}

static void test_dump(void **state)
{
	struct nft *nft = need(state);
	struct nft_change changes[] = { ban("192.0.2.1", 600), ban("192.0.2.2", NFT_PERMANENT),
		ban("2001:db8:1:2::/64", 600), ban("192.0.2.3", 600) };
	struct seen seen;
	struct nft *empty = NULL;

	must_scope(nft, 3, IPPROTO_UDP, "5060");
	changes[3].scope = 3;
	changes[0].packets = 9;
	must_apply(nft, changes, 4);
	assert_int_equal(dump_all(nft, &seen), 4);
	for (size_t i = 0; i < 4; i++) {
		const struct nft_element *element = &seen.elements[i];
		size_t found = 0;

		for (size_t j = 0; j < 4; j++) {
			if (changes[j].scope != element->scope ||
				!ip_equal(&changes[j].ip, &element->ip))
				continue;
			found++;
			assert_int_equal(element->packets, changes[j].packets);
			assert_in_range(element->ttl_s, changes[j].ttl_s ? 598 : 0,
				changes[j].ttl_s);
		}
		assert_int_equal(found, 1);
	}
	assert_int_equal(nft_open(&empty, NULL), 0);
	assert_int_equal(dump_all(empty, &seen), 0);
	nft_close(empty);
}

/* Elements by hand that no ban can be: the rules never match them, and nobody is told of them. */
static void test_dump_foreign(void **state)
{
	static const char *const elements[] = { "all_v4_24 { 192.0.2.7 }",
		"all_v6_64 { 2001:db8::7 }", "all_v6_128 { ::ffff:192.0.2.7 }",
		"all_v4_32 { 192.0.2.7 }" };
	struct nft *nft = need(state);
	struct nft_change changes[] = { ban("192.0.2.0/24", 600), ban("2001:db8::/64", 600),
		ban("2001:db8::1", 600), ban("192.0.2.1", 600) };
	char command[128];
	struct seen seen;
	char who[64];

	must_apply(nft, changes, 4); /* makes the sets */
	for (size_t i = 0; i < 4; i++)
		changes[i].op = NFT_LIFT;
	must_apply(nft, changes, 4);
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(command, sizeof(command), "add element inet voipguard %s",
			elements[i]);
		assert_int_equal(nft_run(command), 0);
	}
	assert_int_equal(dump_all(nft, &seen), 1);
	assert_int_equal(seen.elements[0].ip.family, 4);
	assert_int_equal(seen.elements[0].ip.bits, 32);
	(void)watch(nft, who, &seen);
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(command, sizeof(command), "delete element inet voipguard %s",
			elements[i]);
		assert_int_equal(nft_run(command), 0);
		assert_int_equal(watch(nft, who, &seen), NFT_EVENT_NONE);
		assert_int_equal(seen.n_lifted, i == 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ban_and_lift, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renew_keeps_counter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_set_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order_of_one_element, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_among_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(test_invalid_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_query_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dump, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dump_foreign, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
