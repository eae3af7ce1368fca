/* A real kernel notes who got data over TCP, in a network namespace for each test. */
#include "firewall/nft_fixture.h"

#include "firewall/tcp_fixture.h"

#include <poll.h>

enum { SERVICE = 5060, OTHER_SERVICE = 5062, SHORT_MS = 400, GROUP = 5060 };

static const struct nft_connections usual = {
	.ports = { IPPROTO_TCP, 2, { { 5038, 5038 }, { SERVICE, SERVICE + 1 } } },
	.lifetime_ms = 60000,
	.max = 65535,
};

static void wait_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

static struct nft *start(void **state, const struct nft_connections *connections)
{
	struct nft *nft = need(state);
	struct error err = { "" };

	tcp_addresses();
	if (nft_connections(nft, connections, &err) < 0)
		fail_msg("%s", err.text);
	return nft;
}

static bool knows(struct nft *nft, const char *address, uint16_t port)
{
	struct ip ip = ip_of(address);
	struct error err = { "" };
	bool connected = false;

	if (nft_connected(nft, &ip, port, &connected, &err) < 0)
		fail_msg("%s", err.text);
	return connected;
}

static uint64_t missed(struct nft *nft)
{
	struct error err = { "" };
	uint64_t count = 0;

	if (nft_connections_missed(nft, &count, &err) < 0)
		fail_msg("%s", err.text);
	return count;
}

static void who_gets_data_is_known(void **state)
{
	static const struct {
		const char *mine;
		const char *other;
	} rows[] = { { "192.0.2.1", "192.0.2.2" }, { "2001:db8::1", "2001:db8::2" } };
	struct nft *nft = start(state, &usual);
	struct tcp tcp;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint16_t port;

		tcp = tcp_connect(rows[i].mine, SERVICE);
		port = tcp.port;
		assert_false(knows(nft, rows[i].mine, port)); /* a handshake alone */
		tcp_to_server(&tcp);
		assert_false(knows(nft, rows[i].mine, port)); /* anybody may say something */
		tcp_to_client(&tcp);
		assert_true(knows(nft, rows[i].mine, port));
		assert_false(knows(nft, rows[i].mine, port ^ 1));
		assert_false(knows(nft, rows[i].mine, (uint16_t)(port << 8 | port >> 8)));
		assert_false(knows(nft, rows[i].mine, SERVICE));
		assert_false(knows(nft, rows[i].other, port));
		tcp_close(&tcp);
		assert_true(knows(nft, rows[i].mine, port)); /* its record may come later */
	}
	tcp = tcp_connect("192.0.2.1", SERVICE + 1); /* the end of a range */
	tcp_to_client(&tcp);
	assert_true(knows(nft, "192.0.2.1", tcp.port));
	tcp_close(&tcp);
	tcp = tcp_connect("192.0.2.1", OTHER_SERVICE);
	tcp_to_client(&tcp);
	assert_false(knows(nft, "192.0.2.1", tcp.port));
	tcp_close(&tcp);
	assert_int_equal(missed(nft), 0);
}

static void known_as_long_as_data_goes(void **state)
{
	struct nft_connections brief = usual;
	struct nft *nft;
	struct tcp lasting;
	struct tcp quiet;

	brief.lifetime_ms = SHORT_MS;
	nft = start(state, &brief);
	lasting = tcp_connect("192.0.2.1", SERVICE);
	quiet = tcp_connect("192.0.2.1", SERVICE);
	tcp_to_client(&quiet);
	for (int i = 0; i < 3; i++) { /* each time anew, from the last data on */
		tcp_to_client(&lasting);
		wait_ms(SHORT_MS * 3 / 4);
		assert_true(knows(nft, "192.0.2.1", lasting.port));
	}
	assert_false(knows(nft, "192.0.2.1", quiet.port));
	wait_ms(SHORT_MS);
	assert_false(knows(nft, "192.0.2.1", lasting.port));
	tcp_to_client(&quiet);
	assert_true(knows(nft, "192.0.2.1", quiet.port));
	tcp_close(&lasting);
	tcp_close(&quiet);
}

static void a_full_set_misses_newcomers(void **state)
{
	struct nft_connections small = usual;
	struct tcp tcps[3];
	struct tcp other;
	struct nft *nft;

	small.max = 2;
	nft = start(state, &small);
	for (size_t i = 0; i < 3; i++) {
		tcps[i] = tcp_connect("192.0.2.1", SERVICE);
		tcp_to_client(&tcps[i]);
		assert_int_equal(knows(nft, "192.0.2.1", tcps[i].port), i < 2);
		assert_int_equal(missed(nft), i == 2);
	}
	tcp_to_client(&tcps[0]);
	tcp_to_client(&tcps[2]);
	assert_true(knows(nft, "192.0.2.1", tcps[0].port));
	assert_int_equal(missed(nft), 2);
	other = tcp_connect("2001:db8::1", SERVICE); /* a set of its own */
	tcp_to_client(&other);
	assert_true(knows(nft, "2001:db8::1", other.port));
	assert_int_equal(nft_connections(nft, &small, NULL), 0);
	assert_int_equal(missed(nft), 0);
	assert_true(knows(nft, "192.0.2.1", tcps[0].port)); /* elements stay */
	tcp_close(&other);
	for (size_t i = 0; i < 3; i++)
		tcp_close(&tcps[i]);
}

static void it_is_made_again(void **state)
{
	static const char *const commands[] = { "nft flush ruleset",
		"nft flush chain inet voipguard wire_output",
		"nft delete chain inet voipguard wire_output" };
	struct nft *nft = start(state, &usual);
	struct tcp tcp = tcp_connect("192.0.2.1", SERVICE);
	struct error err = { "" };
	struct seen seen;
	char who[64];

	assert_int_equal(nft_wire(nft, GROUP, &err), 0);
	(void)watch(nft, who, &seen);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		tcp_to_client(&tcp);
		assert_true(knows(nft, "192.0.2.1", tcp.port));
		assert_int_equal(watch(nft, who, &seen), NFT_EVENT_NONE);
		must_run(commands[i]);
		assert_int_equal(watch(nft, who, &seen), NFT_EVENT_CHECK);
		if (i == 0) {
			assert_false(knows(nft, "192.0.2.1", tcp.port));
			assert_int_equal(nft_connections_missed(nft, &(uint64_t){ 0 }, &err), 0);
			assert_int_equal(nft_connections(nft, &usual, &err), -1); /* no table */
			must_ensure(nft);
		}
		/* either of the two makes all of the chain */
		assert_int_equal(i == 1 ? nft_wire(nft, GROUP, &err)
					: nft_connections(nft, &usual, &err),
			0);
		assert_int_equal(nft_run("list chain inet voipguard wire_output"), 0);
		assert_int_equal(times("log group 5060"), 1);
		assert_int_equal(times("update @connections_v4"), 2);
		assert_int_equal(times("update @connections_v6"), 2);
	}
	must_run("nft flush set inet voipguard connections_v4"); /* is nobody's unban */
	assert_int_equal(watch(nft, who, &seen), NFT_EVENT_NONE);
	assert_int_equal(seen.n_lifted, 0);
	tcp_close(&tcp);
}

static void it_ends(void **state)
{
	const struct nft_connections none = { 0 };
	struct nft_connections odd = usual;
	struct nft *nft = start(state, &usual);
	struct error err = { "" };

	assert_int_equal(nft_wire(nft, GROUP, &err), 0);
	assert_int_equal(nft_connections(nft, &none, &err), 0);
	assert_int_equal(nft_run("list table inet voipguard"), 0);
	assert_int_equal(times("log group 5060"), 1);
	assert_int_equal(times("connections_"), 0);
	assert_int_equal(nft_connections(nft, &usual, &err), 0);
	assert_int_equal(nft_wire(nft, NFT_WIRE_NONE, &err), 0);
	assert_int_equal(nft_run("list table inet voipguard"), 0);
	assert_int_equal(times("log"), 0);
	assert_int_equal(times("update @connections_v4 { ip daddr . tcp dport }"), 2);
	assert_int_equal(times("update @connections_v6 { ip6 daddr . tcp dport }"), 2);
	assert_int_equal(times("timeout 1m"), 2);
	assert_int_equal(times("size 65535"), 2);
	assert_int_equal(nft_connections(nft, &none, &err), 0);
	assert_int_equal(nft_run("list table inet voipguard"), 0);
	assert_int_equal(times("wire_output"), 0);
	assert_int_equal(times("connections_"), 0);
	odd.ports.protocol = IPPROTO_UDP;
	assert_int_equal(nft_connections(nft, &odd, &err), -1);
	odd.ports.protocol = IPPROTO_TCP;
	odd.ports.n_ranges = SCOPE_RANGES_MAX + 1;
	assert_int_equal(nft_connections(nft, &odd, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_gets_data_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(known_as_long_as_data_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_set_misses_newcomers, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_made_again, setup, teardown),
		cmocka_unit_test_setup_teardown(it_ends, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
