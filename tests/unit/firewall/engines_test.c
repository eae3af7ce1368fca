/* The role with the privilege against an engine that is no longer its own: records that name a
 * protected address in another way, into a real table. */
#include "firewall/nft_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_protected_in_disguise, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wire_group, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wire_is_passed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
