#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "firewall/nft_fixture.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/capability.h>

static void test_table(void **state)
{
	struct nft *nft = need(state);

	must_scope(nft, 0, 0, NULL);
	must_ensure(nft);
	assert_int_equal(nft_run("list ruleset"), 0);
	assert_non_null(strstr(output, "table inet voipguard {"));
	assert_non_null(strstr(output, "type filter hook prerouting priority raw; policy accept;"));
	assert_int_equal(times("set "), 3);
	assert_int_equal(times("drop"), 3);
	assert_int_equal(times("ip saddr @all_v4_32 drop"), 1);
	assert_int_equal(times("ip6 saddr @all_v6_128 drop"), 1);
	assert_int_equal(times("ip6 saddr & ffff:ffff:ffff:ffff:: == @all_v6_64 drop"), 1);
	assert_int_equal(times("flags timeout"), 3);
	assert_int_equal(times("interval"), 0);
}

static void test_port_scope(void **state)
{
	struct nft *nft = need(state);
	struct nft_change change = ban("192.0.2.1", 600);

	must_scope(nft, 1, IPPROTO_UDP, "5060,5061");
	must_scope(nft, 2, IPPROTO_TCP, "22,10000:20000");
	must_scope(nft, 2, IPPROTO_TCP, "22,10000:20000");
	change.scope = 1;
	must_apply(nft, &change, 1);
	change.scope = 2;
	must_apply(nft, &change, 1);
	assert_true(listed("udp_5060_5061_v4_32", "192.0.2.1"));
	assert_true(listed("tcp_22_10000to20000_v4_32", "192.0.2.1"));
	assert_false(listed("all_v4_32", "192.0.2.1"));
	assert_true(query(nft, 1, "192.0.2.1").present);
	assert_false(query(nft, 0, "192.0.2.1").present);
	assert_int_equal(nft_run("list ruleset"), 0);
	assert_int_equal(times("udp dport 5060-5061 ip saddr @udp_5060_5061_v4_32 drop"), 1);
	assert_int_equal(times("tcp dport 22 ip saddr @tcp_22_10000to20000_v4_32 drop"), 1);
	assert_int_equal(times("dport 10000-20000 ip saddr @tcp_22_10000to20000_v4_32 drop"), 1);
	assert_int_equal(times("drop"), 3 + 3 + 6);
}

static void test_longest_scope(void **state)
{
	struct nft *nft = need(state);
	struct nft_change change = ban("2001:db8::/48", NFT_PERMANENT);

	must_scope(nft, 63, IPPROTO_SCTP,
		"10000:10050,10100:10150,10200:10250,10300:10350,10400:10450,10500:10550,"
		"10600:10650,10700:10750,10800:10850,10900:10950,11000:11050,11100:11150,"
		"11200:11250,11300:11350,11400:11450");
	change.scope = 63;
	must_apply(nft, &change, 1);
	assert_true(query(nft, 63, "2001:db8::/48").present);
	assert_int_equal(nft_run("list ruleset"), 0);
	assert_int_equal(times("drop"), 3 + 4 * 15);
}

static void test_rules_mended(void **state)
{
	struct nft *nft = need(state);
	struct nft_change change = ban("192.0.2.1", 600);

	must_apply(nft, &change, 1);
	assert_int_equal(nft_run("flush chain inet voipguard prerouting"), 0);
	must_scope(nft, 0, 0, NULL);
	assert_int_equal(nft_run("list chain inet voipguard prerouting"), 0);
	assert_int_equal(times("drop"), 3);
	assert_int_equal(nft_run("add rule inet voipguard prerouting ip saddr @all_v4_32 drop"), 0);
	must_scope(nft, 0, 0, NULL);
	assert_int_equal(nft_run("list chain inet voipguard prerouting"), 0);
	assert_int_equal(times("drop"), 3);
	assert_true(query(nft, 0, "192.0.2.1").present);
}

static void test_restart_finds_sets(void **state)
{
	struct nft *nft = need(state);
	struct nft_change changes[] = { ban("192.0.2.1", NFT_PERMANENT),
		ban("198.51.100.0/24", 600) };
	struct nft *other = NULL;

	must_apply(nft, changes, 2);
	assert_int_equal(nft_open(&other, NULL), 0);
	must_scope(other, 5, 0, NULL);
	assert_true(query(other, 5, "192.0.2.1").present);
	assert_true(query(other, 5, "198.51.100.0/24").present);
	changes[0] = lift("192.0.2.1");
	changes[0].scope = 5;
	must_apply(other, changes, 1);
	assert_false(listed("all_v4_32_forever", "192.0.2.1"));
	nft_close(other);
}

static struct sockaddr_in6 socket_address(const char *text, uint16_t port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	assert_int_equal(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
	return address;
}

/* Sends a datagram over the loopback; whether it arrives. */
static bool passes(const char *source, const char *destination, uint16_t port)
{
	struct sockaddr_in6 from = socket_address(source, 0);
	struct sockaddr_in6 to = socket_address(destination, port);
	int out = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int in = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd wait = { .fd = in, .events = POLLIN };
	bool arrived;

	assert_int_equal(bind(in, (const struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(bind(out, (const struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(sendto(out, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)), 1);
	arrived = poll(&wait, 1, 50) == 1; /* the loopback delivers inside sendto() */
	(void)close(in);
	(void)close(out);
	return arrived;
}

static void test_packets(void **state)
{
	static const struct {
		const char *ip;
		const char *source;
		const char *destination;
		uint8_t scope;
	} rows[] = {
		{ "192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2", 0 },
		{ "192.0.2.0/24", "::ffff:192.0.2.1", "::ffff:192.0.2.2", 0 },
		{ "2001:db8:1:2::1", "2001:db8:1:2::1", "2001:db8::2", 0 },
		{ "2001:db8:1:2::/64", "2001:db8:1:2::1", "2001:db8::2", 0 },
		{ "2001:db8:1::/56", "2001:db8:1:2::1", "2001:db8::2", 0 },
		{ "2001:db8:1::/48", "2001:db8:1:2::1", "2001:db8::2", 0 },
		{ "192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2", 1 },
		{ "2001:db8:1:2::/64", "2001:db8:1:2::1", "2001:db8::2", 1 },
	};
	struct nft *nft = need(state);

	must_scope(nft, 1, IPPROTO_UDP, "5060,10000:20000");
	assert_int_equal(command_run("ip link set lo up"), 0);
	assert_int_equal(command_run("ip address add 192.0.2.1/32 dev lo"), 0);
	assert_int_equal(command_run("ip address add 192.0.2.2/32 dev lo"), 0);
	assert_int_equal(command_run("ip address add 2001:db8:1:2::1/128 dev lo nodad"), 0);
	assert_int_equal(command_run("ip address add 2001:db8::2/128 dev lo nodad"), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nft_change change = ban(rows[i].ip, i % 2 ? 600 : NFT_PERMANENT);

		change.scope = rows[i].scope;
		assert_true(passes(rows[i].source, rows[i].destination, 5060));
		must_apply(nft, &change, 1);
		assert_false(passes(rows[i].source, rows[i].destination, 5060));
		assert_false(passes(rows[i].source, rows[i].destination, 20000));
		assert_int_equal(passes(rows[i].source, rows[i].destination, 9999),
			rows[i].scope == 1);
		assert_int_equal(query(nft, rows[i].scope, rows[i].ip).packets,
			rows[i].scope == 1 ? 2 : 3);
		change.op = NFT_LIFT;
		must_apply(nft, &change, 1);
	}
}

static int capabilities_set(uint32_t low)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { low, low, 0 }, { 0, 0, 0 } };

	return (int)syscall(SYS_capset, &header, data);
}

/* In a child: CAP_NET_ADMIN is enough; without it all fails at once. Returns an exit status. */
static int child_unprivileged(void)
{
	struct nft_change changes[2] = { ban("192.0.2.1", 600), ban("192.0.2.2", 600) };
	struct nft_element element = { .ip = ip_of("192.0.2.1") };
	struct error err = { "" };
	struct nft *nft = NULL;
	struct scope all = { 0 };

	if (capabilities_set(1U << CAP_NET_ADMIN) < 0)
		return 1;
	if (nft_open(&nft, &err) < 0 || nft_ensure(nft, &err) < 0 ||
		nft_scope(nft, 0, &all, &err) < 0 || nft_apply(nft, changes, 1, &err) < 0 ||
		nft_query(nft, &element, &err) < 0 || !element.present) {
		print_message("%s\n", err.text);
		return 2;
	}
	if (capabilities_set(0) < 0)
		return 3;
	if (nft_apply(nft, changes, 2, &err) == 0 || changes[0].failure != EPERM ||
		changes[1].failure == 0)
		return 4;
	if (nft_query(nft, &element, &err) == 0 || nft_ensure(nft, &err) == 0)
		return 5;
	nft_close(nft);
	return 0;
}

static void test_privileges(void **state)
{
	(void)need(state);
	must_in_child(child_unprivileged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_port_scope, setup, teardown),
		cmocka_unit_test_setup_teardown(test_longest_scope, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rules_mended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart_finds_sets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_privileges, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
