#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "wire/sip_answer.h"
#include "wire_fixture.h"

#define DIGEST "WWW-Authenticate: Digest "

/* In memory of just this size, so that the sanitizer sees each byte read too far. */
static enum sip_answer_kind read_packet(const struct packet *packet, size_t length,
	struct sip_answer *ret_answer, char nonces[512])
{
	uint8_t *copy = malloc(length ? length : 1);
	enum sip_answer_kind kind;
	size_t used = 0;

	assert_non_null(copy);
	memcpy(copy, packet->bytes, length);
	kind = sip_answer_read(copy, length, ret_answer);
	nonces[0] = '\0';
	for (size_t i = 0; kind == SIP_ANSWER_READ && i < ret_answer->n_nonces; i++)
		used += (size_t)snprintf(nonces + used, 512 - used, "%s%.*s", i ? " " : "",
			(int)ret_answer->nonces[i].length,
			(const char *)ret_answer->nonces[i].bytes);
	free(copy);
	return kind;
}

static void the_shape_decides(void **state)
{
	static const struct {
		const char *what;
		const char *sip;
		enum sip_answer_kind kind;
		const char *nonces;
	} rows[] = {
		{ "as Asterisk writes it", ANSWER(NONCE_A), SIP_ANSWER_READ, NONCE_A },
		{ "407",
			"SIP/2.0 407 Proxy Authentication Required\r\n" CSEQ
			"Proxy-Authenticate: Digest nonce=\"n\"\r\n\r\n",
			SIP_ANSWER_READ, "n" },
		{ "any case",
			"SIP/2.0 401 U\r\ncseq : 1 A\r\nwww-AUTHENTICATE : dIGEST NONCE=\"n\"\r\n\r\n",
			SIP_ANSWER_READ, "n" },
		{ "a value without quotes",
			"SIP/2.0 401 U\r\n" CSEQ DIGEST "nonce=n, realm=r\r\n\r\n", SIP_ANSWER_READ,
			"n" },
		{ "several headers",
			ANSWER_HEAD CSEQ CHALLENGE(NONCE_A) CHALLENGE(NONCE_B) ANSWER_TAIL,
			SIP_ANSWER_READ, NONCE_A " " NONCE_B },
		{ "eight nonces",
			"SIP/2.0 401 U\r\n" CSEQ DIGEST
			"nonce=1,nonce=2,nonce=3,nonce=4,nonce=5,nonce=6,nonce=7,nonce=8\r\n\r\n",
			SIP_ANSWER_READ, "1 2 3 4 5 6 7 8" },
		{ "nine",
			"SIP/2.0 401 U\r\n" CSEQ DIGEST
			"nonce=1,nonce=2,nonce=3,nonce=4,nonce=5,nonce=6,nonce=7,nonce=8,nonce=9\r\n\r\n",
			SIP_ANSWER_UNREADABLE, "" },
		{ "a nonce in another value",
			"SIP/2.0 401 U\r\n" CSEQ DIGEST
			"realm=\"a, nonce=\\\"x\\\"\",nonce=\"n\"\r\n\r\n",
			SIP_ANSWER_READ, "n" },
		{ "another parameter's name ends so",
			"SIP/2.0 401 U\r\n" CSEQ DIGEST "cnonce=\"x\",nonce-count=1\r\n\r\n",
			SIP_ANSWER_READ, "" },
		{ "no challenge", ANSWER_HEAD CSEQ ANSWER_TAIL, SIP_ANSWER_READ, "" },
		{ "another scheme", ANSWER_HEAD CSEQ "WWW-Authenticate: Bearer nonce=\"x\"\r\n\r\n",
			SIP_ANSWER_READ, "" },
		{ "another header",
			ANSWER_HEAD CSEQ "X-WWW-Authenticate: Digest nonce=\"x\"\r\n\r\n",
			SIP_ANSWER_READ, "" },
		/* seen on a real Asterisk: it repeats a lone CR in a display name */
		{ "a CR begins no line",
			"SIP/2.0 401 U\r\nFrom: \"a\r" DIGEST
			"nonce=x\" <sip:a>\r\n" CSEQ CHALLENGE(NONCE_A) ANSWER_TAIL,
			SIP_ANSWER_READ, NONCE_A },
		{ "nor does LF",
			"SIP/2.0 401 U\r\nFrom: \"a\n" DIGEST "nonce=x\" <sip:a>\r\n" CSEQ "\r\n",
			SIP_ANSWER_READ, "" },
		{ "a line before the CSeq",
			"SIP/2.0 401 U\r\nVia: x\r\n" DIGEST "nonce=x\r\n" CSEQ CHALLENGE(NONCE_A)
				ANSWER_TAIL,
			SIP_ANSWER_UNREADABLE, "" },
		{ "a CSeq of its own",
			"SIP/2.0 401 U\r\nVia: x\r\n" CSEQ DIGEST
			"nonce=x\r\n" CSEQ CHALLENGE(NONCE_A) ANSWER_TAIL,
			SIP_ANSWER_UNREADABLE, "" },
		{ "an empty line of its own",
			"SIP/2.0 401 U\r\nVia: x\r\n" CSEQ DIGEST
			"nonce=x\r\n\r\n" CSEQ CHALLENGE(NONCE_A) ANSWER_TAIL,
			SIP_ANSWER_UNREADABLE, "" },
		{ "a body", ANSWER(NONCE_A) DIGEST "nonce=x\r\n\r\n", SIP_ANSWER_UNREADABLE, "" },
		{ "no CSeq", ANSWER_HEAD ANSWER_TAIL, SIP_ANSWER_UNREADABLE, "" },
		{ "a folded line", ANSWER_HEAD CSEQ DIGEST "realm=r,\r\n nonce=n\r\n\r\n",
			SIP_ANSWER_UNREADABLE, "" },
		{ "no empty line", ANSWER_HEAD CSEQ CHALLENGE(NONCE_A), SIP_ANSWER_UNREADABLE, "" },
		{ "no end of a quote", "SIP/2.0 401 U\r\n" CSEQ DIGEST "nonce=\"n\r\n\r\n",
			SIP_ANSWER_UNREADABLE, "" },
		{ "an escaped end", "SIP/2.0 401 U\r\n" CSEQ DIGEST "nonce=\"n\\\"\r\n\r\n",
			SIP_ANSWER_UNREADABLE, "" },
		{ "a backslash last", "SIP/2.0 401 U\r\n" CSEQ DIGEST "nonce=\"n\\\r\n\r\n",
			SIP_ANSWER_UNREADABLE, "" },
		{ "no value", "SIP/2.0 401 U\r\n" CSEQ DIGEST "nonce\r\n\r\n",
			SIP_ANSWER_UNREADABLE, "" },
		{ "two challenges in a line",
			"SIP/2.0 401 U\r\n" CSEQ DIGEST "nonce=1, Digest nonce=2\r\n\r\n",
			SIP_ANSWER_UNREADABLE, "" },
		{ "only a status", "SIP/2.0 401 U", SIP_ANSWER_UNREADABLE, "" },
		{ "403", "SIP/2.0 403 F\r\n" CSEQ CHALLENGE(NONCE_A) ANSWER_TAIL, SIP_ANSWER_OTHER,
			"" },
		{ "4010", "SIP/2.0 4010 F\r\n" CSEQ CHALLENGE(NONCE_A) ANSWER_TAIL,
			SIP_ANSWER_OTHER, "" },
		{ "a request", "REGISTER sip:SIP/2.0 401 \r\n\r\n", SIP_ANSWER_OTHER, "" },
		{ "nothing", "", SIP_ANSWER_OTHER, "" },
	};
	struct sip_answer answer;
	char nonces[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct packet packet = packet_ip4("10.99.0.2", SIP_PORT, rows[i].sip, 0);
		enum sip_answer_kind kind = read_packet(&packet, packet.length, &answer, nonces);

		if (kind != rows[i].kind || strcmp(nonces, rows[i].nonces) != 0)
			fail_msg("%s: %d, '%s'", rows[i].what, kind, nonces);
	}
}

static void the_receiver_is_read(void **state)
{
	/* hop-by-hop options, then a routing header that is used up, then the only fragment */
	static const uint8_t extensions[] = { 43, 0, [8] = 44, 0, 0, 0, [16] = 17, 0, 0,
		0, [23] = 0 };
	const struct {
		struct packet packet;
		const char *to;
	} rows[] = {
		{ packet_ip4("10.99.0.2", SIP_PORT, ANSWER(NONCE_A), 0), "10.99.0.2" },
		{ packet_ip4("203.0.113.7", SIP_PORT, ANSWER(NONCE_A), 4), "203.0.113.7" },
		{ packet_ip4("203.0.113.7", SIP_PORT, ANSWER(NONCE_A), 40), "203.0.113.7" },
		{ packet_ip6("2001:db8:99::2", SIP_PORT, ANSWER(NONCE_A), 17, "", 0),
			"2001:db8:99::2" },
		{ packet_ip6("2001:db8:99::2", SIP_PORT, ANSWER(NONCE_A), 0, extensions,
			  sizeof(extensions)),
			"2001:db8:99::2" },
	};
	struct sip_answer answer;
	char text[IP_TEXT_MAX];
	char nonces[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct packet *packet = &rows[i].packet;

		assert_int_equal(read_packet(packet, packet->length, &answer, nonces),
			SIP_ANSWER_READ);
		assert_string_equal(ip_format(&answer.to, text), rows[i].to);
		assert_int_equal(answer.from_port, SIP_PORT);
		assert_string_equal(nonces, NONCE_A);
		/* however much of it is missing, it is never taken for whole */
		for (size_t length = 1; length < packet->length; length++)
			assert_int_equal(read_packet(packet, length, &answer, nonces),
				SIP_ANSWER_UNREADABLE);
	}
}

/* A caller can have them as long as he likes, and so cut in their copy, which says nothing. */
static void other_answers_that_are_cut(void **state)
{
	static const char text[] = "SIP/2.0 404 Not Found\r\n" CSEQ CHALLENGE(NONCE_A) "\r\n";
	struct packet packets[] = { packet_ip4("10.99.0.2", SIP_PORT, text, 0),
		packet_ip6("2001:db8:99::2", SIP_PORT, text, 17, "", 0) };
	struct sip_answer answer;
	char nonces[512];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t status = packets[i].length - strlen(text) + strlen("SIP/2.0 404 ");

		for (size_t length = status; length <= packets[i].length; length++)
			assert_int_equal(read_packet(&packets[i], length, &answer, nonces),
				SIP_ANSWER_OTHER);
	}
}

static void what_stands_behind_the_packet_is_not_read(void **state)
{
	struct packet packet = packet_ip4("10.99.0.2", SIP_PORT, ANSWER(NONCE_A), 0);
	struct sip_answer answer;
	char nonces[512];

	(void)state;
	packet_put(&packet, "more", 4);
	assert_int_equal(read_packet(&packet, packet.length, &answer, nonces), SIP_ANSWER_READ);
	assert_string_equal(nonces, NONCE_A);
}

/* Bytes of a good packet are changed: at, to what, and what it is then. */
static void headers_that_are_not_as_they_should_be(void **state)
{
	static const uint8_t routed[] = { 17, 0, 0, 0, 0, 0, 0, 0 };
	static const struct {
		const char *what;
		bool is_ip6;
		size_t at;
		uint8_t value;
		enum sip_answer_kind kind;
	} rows[] = {
		{ "version 5", false, 0, 0x55, SIP_ANSWER_OTHER },
		{ "a short header", false, 0, 0x44, SIP_ANSWER_UNREADABLE },
		{ "a header longer than the packet", false, 2, 0, SIP_ANSWER_UNREADABLE },
		{ "TCP", false, 9, 6, SIP_ANSWER_OTHER },
		{ "the first fragment", false, 6, 0x20, SIP_ANSWER_UNREADABLE },
		{ "a later fragment", false, 7, 1, SIP_ANSWER_OTHER },
		{ "a UDP length beyond the packet", false, 24, 0xff, SIP_ANSWER_UNREADABLE },
		{ "a UDP length below its header", false, 24, 0, SIP_ANSWER_UNREADABLE },
		{ "a route that goes on", true, 43, 1, SIP_ANSWER_UNREADABLE },
		{ "a long extension", true, 41, 255, SIP_ANSWER_UNREADABLE },
		{ "TCP behind it", true, 40, 6, SIP_ANSWER_OTHER },
		{ "a routing header again", true, 40, 43, SIP_ANSWER_UNREADABLE },
		{ "a length beyond the packet", true, 4, 0xff, SIP_ANSWER_UNREADABLE },
		{ "a length of none, as of a jumbogram", true, 5, 0, SIP_ANSWER_UNREADABLE },
	};
	struct sip_answer answer;
	char nonces[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct packet packet =
			rows[i].is_ip6 ? packet_ip6("2001:db8::1", SIP_PORT, ANSWER(NONCE_A), 43,
						 routed, sizeof(routed))
				       : packet_ip4("10.99.0.2", SIP_PORT, ANSWER(NONCE_A), 0);
		enum sip_answer_kind kind;

		packet.bytes[rows[i].at] = rows[i].value;
		if (rows[i].at == 24) /* the other byte of the length */
			packet.bytes[25] = rows[i].value;
		if (rows[i].value == 0 && rows[i].at == 5)
			packet.bytes[4] = 0;
		if (rows[i].value == 0 && rows[i].at == 2)
			packet.bytes[3] = 16;
		kind = read_packet(&packet, packet.length, &answer, nonces);
		if (kind != rows[i].kind)
			fail_msg("%s: %d", rows[i].what, kind);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shape_decides),
		cmocka_unit_test(the_receiver_is_read),
		cmocka_unit_test(other_answers_that_are_cut),
		cmocka_unit_test(what_stands_behind_the_packet_is_not_read),
		cmocka_unit_test(headers_that_are_not_as_they_should_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
