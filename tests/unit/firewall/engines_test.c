/* The role with the privilege against an engine that is no longer its own: records that name a
 * protected address in another way, into a real table. */
#include "firewall/nft_fixture.h"
#include "firewall/tcp_fixture.h"

#include <signal.h>

static int kill_note(pid_t pid, int number);
#define kill kill_note
#include "firewall/engines.c"
#undef kill

#include "base/alloc.h"

enum { ENGINE_PID = 4000000 }; /* above any process */

/* firewall: one running engine, whose own end of the pair is `engine`. */
struct captured {
	struct firewall firewall;
	int engine;
};

static struct captured captured;
static bool killed;

static int kill_note(pid_t pid, int number)
{
	assert_int_equal(pid, ENGINE_PID);
	assert_int_equal(number, SIGKILL);
	killed = true;
	return 0;
}

static void engine_new(struct nft *nft)
{
	struct firewall *firewall = &captured.firewall;
	struct link *link = &firewall->links[0];
	struct ip own = ip_of("192.0.2.1");
	struct error err;
	int pair[2];

	captured = (struct captured){ .firewall = { .nft = nft } };
	firewall->elements = elements_new(nft);
	firewall->hosts = protected_new();
	assert_true(protected_add(firewall->hosts, &own, "own address", 0));
	assert_int_equal(message_pair(pair, NULL), 0);
	captured.engine = pair[1];
	*link = (struct link){ .firewall = firewall, .state = LINK_RUNNING, .number = 1 };
	link->child = (struct child){ .fd = pair[0],
		.pid = ENGINE_PID,
		.queue = alloc_array(CHILD_QUEUE_MAX, sizeof(*link->child.queue)) };
	link->protected = protected_new();
	own = ip_of("2001:db8:1::/48");
	assert_true(protected_add(link->protected, &own, "ignoreip", 0));
	assert_int_equal(elements_scope(firewall->elements, &(struct scope){ 0 }, &err), 0);
	link->n_scopes = 1;
	firewall->current = link;
	killed = false;
}

static void engine_end(void)
{
	firewall_link_done(&captured.firewall, &captured.firewall.links[0]);
	protected_free(captured.firewall.hosts);
	elements_free(captured.firewall.elements);
	(void)close(captured.engine);
}

/* Sends a ban of that address. Returns what the role answers: an errno value, -1: it ended us. */
static int ask_ban(const struct ip *ip)
{
	struct link *link = &captured.firewall.links[0];
	struct message record = { .type = MESSAGE_BAN, .ip = *ip, .ttl_s = 600 };
	int passed;

	assert_int_equal(message_send(captured.engine, &record, -1, NULL), 1);
	(void)on_engine(NULL, link->child.fd, 0, link);
	if (killed)
		return -1;
	assert_int_equal(message_receive(captured.engine, &record, &passed, NULL), 1);
	assert_int_equal(record.type, MESSAGE_HELD);
	return record.failure;
}

static void test_protected_in_disguise(void **state)
{
	static const struct {
		struct ip ip;
		int answer;
	} rows[] = {
		{ { 4, 32, { 203, 0, 113, 9 } }, 0 }, /* somebody else */
		{ { 4, 32, { 192, 0, 2, 1 } }, EPERM },
		{ { 4, 24, { 192, 0, 2 } }, EPERM },
		{ { 6, 64, { 0x20, 1, 0xd, 0xb8, 0, 1, 0, 7 } }, EPERM },
		{ { 4, 32, { 192, 0, 2, 1, 1 } }, -1 },
		{ { 4, 32, { 192, 0, 2, 1, [15] = 0xff } }, -1 },
		{ { 4, 24, { 192, 0, 2, 0, [8] = 1 } }, -1 },
		{ { 4, 24, { 192, 0, 2, 1 } }, -1 },
		{ { 4, 128, { 192, 0, 2, 1 } }, -1 },
		{ { 5, 32, { 192, 0, 2, 1 } }, -1 },
		{ { 6, 128, { [10] = 0xff, 0xff, 192, 0, 2, 1 } }, -1 },
		{ { 6, 64, { 0x20, 1, 0xd, 0xb8, 0, 1, 0, 7, 1 } }, -1 },
	};
	struct nft *nft = need(state);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int answer;

		engine_new(nft);
		answer = ask_ban(&rows[i].ip);
		if (answer != rows[i].answer)
			fail_msg("row %zu: %d", i, answer);
		assert_int_equal(elements_count(captured.firewall.elements), answer == 0);
		engine_end();
	}
	assert_true(listed("all_v4_32", "203.0.113.9"));
	assert_false(listed("all_v4_32", "192.0.2.1"));
	assert_false(listed("all_v4_24", "192.0.2.0"));
}

/* A group is taken from an engine that gets ready, and only if NFLOG has it. */
static void test_wire_group(void **state)
{
	static const struct {
		enum link_state state;
		uint32_t number;
		int32_t group;
	} rows[] = {
		{ LINK_PREPARING, 0, 0 },
		{ LINK_PREPARING, 65535, 65535 },
		{ LINK_PREPARING, 65536, NFT_WIRE_NONE },
		{ LINK_PREPARING, UINT32_MAX, NFT_WIRE_NONE },
		{ LINK_SEALED, 5060, NFT_WIRE_NONE },
		{ LINK_RUNNING, 5060, NFT_WIRE_NONE },
	};
	struct nft *nft = need(state);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct message record = { .type = MESSAGE_WIRE_WANTED,
			.number = rows[i].number };
		struct link *link = &captured.firewall.links[0];

		engine_new(nft);
		link->state = rows[i].state;
		link->wire_group = NFT_WIRE_NONE;
		assert_int_equal(message_send(captured.engine, &record, -1, NULL), 1);
		(void)on_engine(NULL, link->child.fd, 0, link);
		assert_false(killed);
		if (link->wire_group != rows[i].group)
			fail_msg("row %zu: %d", i, link->wire_group);
		engine_end();
	}
}

static void test_wire_is_passed(void **state)
{
	struct firewall *firewall = &captured.firewall;
	struct nft *nft = need(state);
	struct message record;
	int passed;

	engine_new(nft);
	firewall->wire_group = NFT_WIRE_NONE;
	firewall->wire_fd = -1;
	firewall->links[0].wire_group = 5060;
	firewall_wire_start(firewall);
	firewall_wire_pass(firewall);
	assert_int_equal(message_receive(captured.engine, &record, &passed, NULL), 1);
	assert_int_equal(record.type, MESSAGE_WIRE);
	assert_int_equal(record.failure, 0);
	assert_true(passed >= 0);
	(void)close(passed);
	firewall_wire_pass(firewall); /* once */
	firewall_wire_restore(firewall);
	firewall_wire_pass(firewall);
	assert_int_equal(message_receive(captured.engine, &record, &passed, NULL), 1);
	assert_int_equal(record.type, MESSAGE_WIRE);
	assert_int_equal(record.failure, 0);
	assert_int_equal(passed, -1);
	assert_int_equal(message_receive(captured.engine, &record, &passed, NULL), 0);
	/* without a table the rule cannot be made; it is told, and tried again */
	must_run("nft flush ruleset");
	firewall_wire_restore(firewall);
	firewall_wire_pass(firewall);
	assert_int_equal(message_receive(captured.engine, &record, &passed, NULL), 1);
	assert_int_equal(message_receive(captured.engine, &record, &passed, NULL), 1);
	assert_int_equal(record.failure, EIO);
	assert_non_null(strstr(record.text, "wire_output"));
	assert_int_equal(message_receive(captured.engine, &record, &passed, NULL), 0);
	must_ensure(nft);
	firewall_wire_tick(firewall, 0);
	firewall_wire_pass(firewall);
	assert_int_equal(message_receive(captured.engine, &record, &passed, NULL), 0);
	firewall_wire_tick(firewall, firewall->wire_again_s);
	firewall_wire_pass(firewall);
	assert_int_equal(message_receive(captured.engine, &record, &passed, NULL), 1);
	assert_int_equal(record.failure, 0);
	assert_true(passed >= 0);
	(void)close(passed);
	assert_int_equal(nft_run("list chain inet voipguard wire_output"), 0);
	firewall_wire_end(firewall);
	assert_int_equal(firewall->wire_fd, -1);
	assert_int_equal(nft_run("list chain inet voipguard wire_output"), 1);
	engine_end();
}

/* What the role has said to the engine; it has to be an answer about this connection. */
static struct message heard(const struct tcp *tcp)
{
	struct message record;
	int passed;

	(void)child_flush(&captured.firewall.links[0].child); /* what the socket had no room for */
	assert_int_equal(message_receive(captured.engine, &record, &passed, NULL), 1);
	assert_int_equal(record.type, MESSAGE_CONNECTION_SEEN);
	assert_int_equal(record.number, tcp->port);
	return record;
}

static void ask_connection(const struct tcp *tcp, uint32_t serial)
{
	const struct message record = { .type = MESSAGE_CONNECTION,
		.serial = serial,
		.ip = ip_of("192.0.2.1"),
		.number = tcp->port };
	struct link *link = &captured.firewall.links[0];

	assert_int_equal(message_send(captured.engine, &record, -1, NULL), 1);
	(void)on_engine(NULL, link->child.fd, 0, link);
	assert_false(killed);
}

static bool is_quiet(void)
{
	struct message record;
	int passed;

	return message_receive(captured.engine, &record, &passed, NULL) == 0;
}

/* An engine that wants connections to these ports noted. */
static struct firewall *connections_new(struct nft *nft)
{
	static const struct scope ports = { IPPROTO_TCP, 1, { { 5060, 5061 } } };
	const struct message wanted = { .type = MESSAGE_CONNECTIONS_WANTED, .scope = ports };
	struct firewall *firewall = &captured.firewall;
	struct link *link = &firewall->links[0];

	tcp_addresses();
	engine_new(nft);
	assert_true(sd_event_new(&firewall->event) >= 0);
	assert_int_equal(message_send(captured.engine, &wanted, -1, NULL), 1);
	(void)on_engine(NULL, link->child.fd, 0, link);
	assert_int_equal(link->connection_ports.n_ranges, 0); /* it runs: too late */
	link->state = LINK_PREPARING;
	assert_int_equal(message_send(captured.engine, &wanted, -1, NULL), 1);
	(void)on_engine(NULL, link->child.fd, 0, link);
	link->state = LINK_RUNNING;
	firewall_connections_start(firewall);
	assert_true(is_quiet());
	return firewall;
}

static void connections_end(struct firewall *firewall)
{
	firewall_connections_end(firewall);
	(void)sd_event_unref(firewall->event);
	engine_end();
}

static void test_connection(void **state)
{
	struct firewall *firewall = connections_new(need(state));
	struct tcp tcp = tcp_connect("192.0.2.1", 5060);
	uint64_t asked_us = clock_boot_us();
	struct message record;

	/* the packet comes after the question, but before the second look */
	ask_connection(&tcp, 7);
	assert_true(is_quiet());
	tcp_to_client(&tcp);
	for (int i = 0; i < 100 && firewall->connections.count; i++)
		(void)sd_event_run(firewall->event, 100000);
	record = heard(&tcp);
	assert_true(clock_boot_us() - asked_us >= 20000);
	assert_int_equal(record.failure, 0);
	assert_int_equal(record.serial, 7);
	assert_true(ip_equal(&record.ip, &(struct ip){ 4, 32, { 192, 0, 2, 1 } }));
	ask_connection(&tcp, 8); /* known: at once */
	record = heard(&tcp);
	assert_int_equal(record.failure, 0);
	assert_int_equal(record.serial, 8);
	assert_int_equal(firewall->connections.count, 0);
	tcp.port ^= 1;
	ask_connection(&tcp, 9);
	firewall_connections_look(firewall, clock_boot_us());
	assert_true(is_quiet()); /* not due yet */
	firewall_connections_look(firewall, UINT64_MAX);
	assert_int_equal(heard(&tcp).failure, ENOENT);
	assert_true(is_quiet());
	tcp_close(&tcp);
	connections_end(firewall);
	assert_int_equal(nft_run("list chain inet voipguard wire_output"), 1);
}

static void test_connections_wait(void **state)
{
	struct firewall *firewall = connections_new(need(state));
	struct tcp tcp = { .port = 9 };

	for (uint32_t round = 0; round < 3; round++) { /* also around the end of the ring */
		for (uint32_t i = 0; i < CONNECTION_LOOKS_MAX - 1; i++)
			ask_connection(&tcp, i);
		assert_true(is_quiet());
		ask_connection(&tcp, 1000);
		ask_connection(&tcp, 1001); /* there is no room: at once */
		assert_int_equal(heard(&tcp).serial, 1001);
		assert_true(is_quiet());
		firewall_connections_look(firewall, UINT64_MAX);
		for (uint32_t i = 0; i < CONNECTION_LOOKS_MAX - 1; i++)
			assert_int_equal(heard(&tcp).serial, i);
		assert_int_equal(heard(&tcp).serial, 1000);
		ask_connection(&tcp, 1); /* so that the next round begins elsewhere */
		firewall_connections_look(firewall, UINT64_MAX);
		assert_int_equal(heard(&tcp).serial, 1);
	}
	/* another engine has taken the place of the one that asked */
	ask_connection(&tcp, 1);
	firewall->links[0].number++;
	firewall_connections_look(firewall, UINT64_MAX);
	assert_true(is_quiet());
	connections_end(firewall);
}

/* Nobody asked for them, or the kernel is not touched: unproven, and at once. */
static void test_no_connections(void **state)
{
	struct nft *nft = need(state);
	struct tcp tcp = { .port = 9 };

	for (int i = 0; i < 2; i++) {
		engine_new(nft);
		if (i == 1) {
			captured.firewall.nft = NULL;
			captured.firewall.links[0].connection_ports =
				(struct scope){ IPPROTO_TCP, 1, { { 5060, 5061 } } };
		}
		firewall_connections_start(&captured.firewall);
		firewall_connections_tick(&captured.firewall, 0);
		ask_connection(&tcp, 1);
		assert_int_equal(heard(&tcp).failure, ENOENT);
		firewall_connections_end(&captured.firewall);
		assert_int_equal(nft_run("list chain inet voipguard wire_output"), 1);
		engine_end();
	}
}

static void must_hear_health(int failure, const char *text)
{
	struct message record;
	int passed;

	assert_int_equal(message_receive(captured.engine, &record, &passed, NULL), 1);
	assert_int_equal(record.type, MESSAGE_HEALTH);
	assert_int_equal(record.number, MESSAGE_PART_CONNECTIONS);
	assert_int_equal(record.failure, failure);
	assert_non_null(strstr(record.text, text));
	assert_true(is_quiet());
}

static void test_connections_health(void **state)
{
	struct nft *nft = need(state);
	struct firewall *firewall = connections_new(nft);
	int64_t now_s = clock_boot_s();

	must_run("nft flush ruleset");
	firewall_connections_restore(firewall);
	must_hear_health(EIO, "wire_output");
	must_ensure(nft);
	firewall_connections_tick(firewall, now_s);
	assert_true(is_quiet());
	firewall_connections_tick(firewall, firewall->connections.again_s);
	must_hear_health(0, "");
	assert_int_equal(nft_run("list chain inet voipguard wire_output"), 0);
	/* the same rule, with a count */
	must_run("nft add rule inet voipguard wire_output counter packets 3 bytes 99");
	firewall_connections_tick(firewall, now_s);
	must_hear_health(ENFILE, "newcomers");
	firewall_connections_tick(firewall, now_s + 59);
	assert_true(is_quiet());
	firewall_connections_tick(firewall, now_s + 60);
	must_hear_health(0, "");
	/* the next engine wants none */
	firewall->links[0].connection_ports = (struct scope){ 0 };
	firewall_connections_start(firewall);
	assert_int_equal(nft_run("list chain inet voipguard wire_output"), 1);
	connections_end(firewall);
}

/* The engine's turn comes between the batches, however many records the notifier sends. */
static void test_notifier_in_batches(void **state)
{
	enum { SENT = 100 };
	const struct message alive = { .type = MESSAGE_ALIVE };
	struct firewall firewall = { 0 };
	struct message record;
	int pair[2];
	int passed;
	int left = 0;

	(void)state;
	assert_int_equal(message_pair(pair, NULL), 0);
	firewall.notifier.fd = pair[0];
	for (int i = 0; i < SENT; i++)
		assert_int_equal(message_send(pair[1], &alive, -1, NULL), 1);
	(void)on_notifier(NULL, pair[0], 0, &firewall);
	while (message_receive(pair[0], &record, &passed, NULL) > 0)
		left++;
	assert_int_equal(left, SENT - NOTIFIER_RECORDS_MAX);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_protected_in_disguise, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wire_group, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wire_is_passed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connections_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_connections, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connections_health, setup, teardown),
		cmocka_unit_test(test_notifier_in_batches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
