#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "firewall/nft_fixture.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "firewall/nflog_open.h"
#include "process/sandbox.h"
#include "wire/nonces.h"
#include "wire/wire.h"
#include "wire_fixture.h"

/* A real kernel copies real datagrams, in a namespace for each test. */
enum { GROUP = 5060, NOW_S = NONCES_DOUBT_S };

/* Without what stands before it: nft knows the name of UDP by /etc/protocols, if that is there. */
#define RULE "@th,64,80 0x5349502f322e30203430 log group 5060 snaplen 2048"

static void on_withdrawn(void *context, const struct ip *ip)
{
	char text[IP_TEXT_MAX];

	(void)snprintf(context, IP_TEXT_MAX, "%s", ip_format(ip, text));
}

static char withdrawn[IP_TEXT_MAX];

/* An answer leaves from this port to one of the namespace's own addresses. */
static void send_answer(uint16_t port, const char *to, const char *sip)
{
	struct sockaddr_in6 there = { .sin6_family = AF_INET6, .sin6_port = htons(9999) };
	struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	cleanup_close int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	const int one = 1;
	char text[64];

	(void)snprintf(text, sizeof(text), "%s%s", strchr(to, ':') ? "" : "::ffff:", to);
	assert_int_equal(inet_pton(AF_INET6, text, &there.sin6_addr), 1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof(here)), 0);
	/* nobody listens there, and an earlier answer may have been refused */
	(void)sendto(fd, sip, strlen(sip), 0, (struct sockaddr *)&there, sizeof(there));
}

static bool proves(struct wire *wire, const char *from, const char *challenge)
{
	struct ip ip = ip_of(from);

	return nonces_prove(wire_nonces(wire), &ip, challenge, strlen(challenge), NOW_S);
}

/* The rule, the socket and its reader, all of them ready to prove. *ret_fd: the socket's number. */
static struct wire *start(struct nft *nft, int *ret_fd)
{
	const struct scope ports = { IPPROTO_UDP, 1, { { SIP_PORT, SIP_PORT + 1 } } };
	struct error err = { "" };
	struct wire *wire;

	must_run("ip link set lo up");
	must_run("ip addr add 192.0.2.1/32 dev lo");
	must_run("ip addr add 192.0.2.2/32 dev lo");
	must_run("ip addr add 2001:db8::1/128 dev lo nodad");
	must_ensure(nft);
	if (nft_wire(nft, GROUP, &err) < 0 || nflog_open(GROUP, ret_fd, &err) < 0)
		fail_msg("%s", err.text);
	withdrawn[0] = '\0';
	wire = wire_new(&ports, 0, on_withdrawn, withdrawn);
	wire_attach(wire, *ret_fd, 0);
	assert_true(wire_is_attached(wire));
	return wire;
}

static void the_rule_stands(void **state)
{
	struct nft *nft = need(state);
	struct error err = { "" };

	must_ensure(nft);
	must_scope(nft, 0, 0, NULL);
	must_run("nft add chain inet voipguard mine");
	must_run("nft add rule inet voipguard mine accept");
	assert_int_equal(nft_run("list chain inet voipguard wire_output"), 1);
	for (int i = 0; i < 2; i++) { /* it is made once, however often one asks */
		assert_int_equal(nft_wire(nft, GROUP, &err), 0);
		assert_int_equal(nft_run("list chain inet voipguard wire_output"), 0);
		assert_non_null(
			strstr(output, "type filter hook output priority raw; policy accept;"));
		assert_int_equal(times(RULE), 1);
		assert_int_equal(times("log"), 1);
	}
	must_run("nft add rule inet voipguard wire_output drop");
	assert_int_equal(nft_wire(nft, 0, &err), 0);
	assert_int_equal(nft_run("list chain inet voipguard wire_output"), 0);
	assert_int_equal(times("log group 0 snaplen 2048"), 1);
	assert_int_equal(times("log"), 1);
	assert_int_equal(times("drop"), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(nft_wire(nft, NFT_WIRE_NONE, &err), 0);
		assert_int_equal(nft_run("list chain inet voipguard wire_output"), 1);
	}
	assert_int_equal(nft_run("list ruleset"), 0);
	assert_int_equal(times("set "), 3);
	assert_int_equal(times("drop"), 3);
	assert_int_equal(times("chain mine"), 1);
	assert_int_equal(times("accept"), 2);
}

static void it_is_made_again(void **state)
{
	struct nft *nft = need(state);
	struct error err = { "" };

	must_ensure(nft);
	assert_int_equal(nft_wire(nft, GROUP, &err), 0);
	must_run("nft flush ruleset");
	assert_int_equal(nft_wire(nft, GROUP, &err), -1); /* without a table */
	must_ensure(nft);
	assert_int_equal(nft_wire(nft, GROUP, &err), 0);
	assert_int_equal(nft_run("list ruleset"), 0);
	assert_int_equal(times(RULE), 1);
}

static void somebody_elses_change_is_noticed(void **state)
{
	static const char *const commands[] = { "nft flush chain inet voipguard wire_output",
		"nft delete chain inet voipguard wire_output" };
	struct nft *nft = need(state);
	struct error err = { "" };
	struct seen seen;
	char who[64];

	must_ensure(nft);
	assert_int_equal(nft_wire(nft, GROUP, &err), 0);
	(void)watch(nft, who, &seen);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(nft_wire(nft, GROUP, &err), 0);
		assert_int_equal(watch(nft, who, &seen), NFT_EVENT_NONE);
		must_run(commands[i]);
		assert_int_equal(watch(nft, who, &seen), NFT_EVENT_CHECK);
	}
}

static void a_group_has_one_listener(void **state)
{
	struct error err = { "" };
	int first, second;

	(void)need(state);
	assert_int_equal(nflog_open(GROUP, &first, &err), 0);
	assert_int_equal(nflog_open(GROUP, &second, &err), -1);
	assert_string_equal(err.text,
		"NFLOG group 5060 is taken: another program listens to it (nflog_group)");
	assert_int_equal(nflog_open(GROUP + 1, &second, &err), 0);
	(void)close(second);
	(void)close(first);
	assert_int_equal(nflog_open(GROUP, &first, &err), 0);
	(void)close(first);
}

static void answers_prove(void **state)
{
	static const char *const tos[] = { "192.0.2.1", "2001:db8::1" };
	struct nft *nft = need(state);
	int fd;
	struct wire *wire = start(nft, &fd);

	for (size_t i = 0; i < 2; i++) {
		const char *nonce = i ? NONCE_B : NONCE_A;

		send_answer(SIP_PORT + (uint16_t)i, tos[i], i ? ANSWER(NONCE_B) : ANSWER(NONCE_A));
		assert_false(proves(wire, tos[i], nonce));
		assert_true(wire_read(wire, NOW_S));
		assert_false(proves(wire, tos[1 - i], nonce));
		assert_true(proves(wire, tos[i], nonce));
	}
	send_answer(SIP_PORT, tos[0], "SIP/2.0 403 Forbidden\r\n" CSEQ ANSWER_TAIL);
	send_answer(SIP_PORT, tos[0], "SIP/2.0 200 OK\r\n" CSEQ ANSWER_TAIL);
	assert_true(wire_read(wire, NOW_S));
	assert_int_equal(wire_counts(wire)->answers, 2);
	assert_int_equal(wire_counts(wire)->unreadable, 0);
	assert_int_equal(wire_counts(wire)->lost, 0);
	/* to a second address, by another port */
	send_answer(4000, "192.0.2.2", ANSWER(NONCE_A));
	assert_true(wire_read(wire, NOW_S));
	assert_string_equal(withdrawn, "192.0.2.1");
	assert_false(proves(wire, tos[0], NONCE_A));
	assert_true(proves(wire, tos[1], NONCE_B));
	assert_int_equal(wire_counts(wire)->withdrawn, 1);
	assert_int_equal(wire_counts(wire)->foreign, 1);
	assert_int_equal(wire_counts(wire)->foreign_port, 4000);
	wire_free(wire);
}

static void another_port_proves_nothing(void **state)
{
	struct nft *nft = need(state);
	int fd;
	struct wire *wire = start(nft, &fd);

	send_answer(4000, "192.0.2.1", ANSWER(NONCE_A));
	assert_true(wire_read(wire, NOW_S));
	assert_false(proves(wire, "192.0.2.1", NONCE_A));
	wire_free(wire);
}

/* A Call-ID may have any length, and Asterisk repeats it: the nonce is behind what is copied. */
static void a_long_answer_costs_proofs(void **state)
{
	struct nft *nft = need(state);
	char sip[4096];
	int fd;
	struct wire *wire = start(nft, &fd);

	send_answer(SIP_PORT, "192.0.2.1", ANSWER(NONCE_A));
	assert_true(wire_read(wire, NOW_S));
	assert_true(proves(wire, "192.0.2.1", NONCE_A));
	(void)snprintf(sip, sizeof(sip), ANSWER_HEAD "X: %02500d\r\n%s", 0,
		CSEQ CHALLENGE(NONCE_B) ANSWER_TAIL);
	send_answer(SIP_PORT, "192.0.2.2", sip);
	assert_true(wire_read(wire, NOW_S));
	assert_int_equal(wire_counts(wire)->unreadable, 1);
	assert_string_equal(withdrawn, "192.0.2.1");
	assert_false(proves(wire, "192.0.2.1", NONCE_A));
	assert_false(nonces_can_prove(wire_nonces(wire), NOW_S));
	wire_free(wire);
}

static void a_full_socket_costs_proofs(void **state)
{
	struct nft *nft = need(state);
	const int little = 4096;
	int fd;
	struct wire *wire = start(nft, &fd);

	send_answer(SIP_PORT, "192.0.2.1", ANSWER(NONCE_A));
	assert_true(wire_read(wire, NOW_S));
	assert_true(proves(wire, "192.0.2.1", NONCE_A));
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little)), 0);
	for (int i = 0; i < 40; i++)
		send_answer(SIP_PORT, "192.0.2.2", ANSWER(NONCE_B));
	assert_true(wire_read(wire, NOW_S));
	assert_true(wire_counts(wire)->lost > 0);
	assert_true(wire_counts(wire)->answers > 1);
	assert_string_equal(withdrawn, "192.0.2.1");
	assert_false(proves(wire, "192.0.2.1", NONCE_A));
	assert_false(proves(wire, "192.0.2.2", NONCE_B));
	wire_free(wire);
}

/* As many copies as a second brings in a flood wait without loss. */
static void the_socket_holds_a_flood(void **state)
{
	enum { ANSWERS = 8000 };
	struct nft *nft = need(state);
	int fd;
	struct wire *wire = start(nft, &fd);

	for (int i = 0; i < ANSWERS; i++)
		send_answer(SIP_PORT, "192.0.2.1", ANSWER(NONCE_A));
	assert_true(wire_read(wire, NOW_S));
	assert_int_equal(wire_counts(wire)->answers, ANSWERS);
	assert_int_equal(wire_counts(wire)->lost, 0);
	assert_true(proves(wire, "192.0.2.1", NONCE_A));
	wire_free(wire);
}

static struct wire *confined;

static int child_read(void)
{
	struct sandbox_report report;
	struct error err;

	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 1;
	if (sandbox_enter(SANDBOX_ENGINE, NULL, 0, &report, &err) < 0)
		return 2;
	if (!wire_read(confined, NOW_S))
		return 3;
	if (!proves(confined, "192.0.2.1", NONCE_A))
		return 4;
	if (!wire_read(confined, NOW_S)) /* nothing waits: that is no failure */
		return 5;
	return 0;
}

static void the_engine_may_read_it(void **state)
{
	struct nft *nft = need(state);
	int fd;

	confined = start(nft, &fd);
	send_answer(SIP_PORT, "192.0.2.1", ANSWER(NONCE_A));
	must_in_child(child_read);
	wire_free(confined);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_rule_stands, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_made_again, setup, teardown),
		cmocka_unit_test_setup_teardown(somebody_elses_change_is_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_group_has_one_listener, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_prove, setup, teardown),
		cmocka_unit_test_setup_teardown(another_port_proves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_answer_costs_proofs, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_socket_costs_proofs, setup, teardown),
		cmocka_unit_test_setup_teardown(the_socket_holds_a_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(the_engine_may_read_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
