#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "wire/nflog.h"
#include "wire/sip_answer.h"
#include "wire_fixture.h"

/* Datagrams of a kernel 6.x, about answers of Asterisk 22.10.1, in hexadecimal. */
static const char copy4[] =
	"10020000000400000000000000000000020013c4080001000800030005000a00000000000800050000000001"
	"08000b000000006508000e000000006508000c0000000000c9010900450001c5e17f4000401142df0a630002"
	"0a63000213c4856501b1168c5349502f322e302034303120556e617574686f72697a65640d0a5669613a2053"
	"49502f322e302f5544502031302e39392e302e323a33343134393b72706f72743d33343134393b7265636569"
	"7665643d31302e39392e302e323b6272616e63683d7a39684734624b3539366437356334636231310d0a4361"
	"6c6c2d49443a206337643636653230636136350d0a46726f6d3a203c7369703a3130304031302e39392e302e"
	"313e3b7461673d6162630d0a546f3a203c7369703a3130304031302e39392e302e313e3b7461673d7a396847"
	"34624b3539366437356334636231310d0a435365713a20312052454749535445520d0a5757572d4175746865"
	"6e7469636174653a20446967657374207265616c6d3d22617374657269736b222c6e6f6e63653d2231373936"
	"3134313036322f3338353836376363376266393134613633306261633636333966303763613536222c6f7061"
	"7175653d2234336630343532373463373066333734222c616c676f726974686d3d4d44352c716f703d226175"
	"7468220d0a5365727665723a20746573740d0a436f6e74656e742d4c656e6774683a2020300d0a0d0a000000";
static const char copy6[] =
	"3c0200000004000000000000000000000a0013c40800010086dd030005000a00000000000800050000000001"
	"08000b000000006508000e000000006508000c0000000001f7010900600c9d3201cb114020010db800990000"
	"000000000000000220010db800990000000000000000000213c484d701cb5e845349502f322e302034303120"
	"556e617574686f72697a65640d0a5669613a205349502f322e302f554450205b323030313a6462383a39393a"
	"3a325d3a33343030373b72706f72743d33343030373b72656365697665643d323030313a6462383a39393a3a"
	"323b6272616e63683d7a39684734624b6639373430393034643162620d0a43616c6c2d49443a203833613533"
	"333631636634300d0a46726f6d3a203c7369703a313030405b323030313a6462383a39393a3a315d3e3b7461"
	"673d6162630d0a546f3a203c7369703a313030405b323030313a6462383a39393a3a315d3e3b7461673d7a39"
	"684734624b6639373430393034643162620d0a435365713a20312052454749535445520d0a5757572d417574"
	"68656e7469636174653a20446967657374207265616c6d3d22617374657269736b222c6e6f6e63653d223137"
	"39363134313036332f6665303537373533623437613733633765633433616161643266616264633631222c6f"
	"70617175653d2236643766306431653033356638316335222c616c676f726974686d3d4d44352c716f703d22"
	"61757468220d0a5365727665723a20746573740d0a436f6e74656e742d4c656e6774683a2020300d0a0d0a00";

/* What the reader was told: a letter for each packet, '!' for a loss. */
static char told[256];
static struct sip_answer answer;
static struct packet copied;

static void on_packet(void *context, const void *bytes, size_t length)
{
	assert_ptr_equal(context, told);
	assert_true(length <= sizeof(copied.bytes));
	memcpy(copied.bytes, bytes, length);
	copied.length = length;
	told[strlen(told)] = length == 1 ? (char)copied.bytes[0] : 'P';
}

static void on_lost(void *context)
{
	assert_ptr_equal(context, told);
	told[strlen(told)] = '!';
}

static const struct nflog_reader reader = { on_packet, on_lost, told };

static void take(struct nflog *nflog, const struct datagram *datagram)
{
	struct nlmsghdr *copy = malloc(datagram->length);

	assert_non_null(copy);
	memcpy(copy, datagram->bytes, datagram->length);
	nflog_datagram(nflog, copy, datagram->length, &reader);
	free(copy);
}

/* One datagram with one packet of one byte. */
static void give(struct nflog *nflog, uint32_t seq, char letter)
{
	struct datagram datagram = { .length = 0 };

	datagram_add(&datagram, seq, &letter, 1);
	take(nflog, &datagram);
}

static void numbers_have_no_gap(void **state)
{
	static const struct {
		uint32_t seqs[6];
		const char *told;
	} rows[] = {
		{ { 0, 1, 2, 3, 4, 5 }, "abcdef" },
		{ { 7, 8, 9, 10, 11, 12 }, "abcdef" }, /* the socket was read before */
		{ { 7, 9, 10, 12, 12, 13 }, "a!bc!d!ef" },
		{ { UINT32_MAX - 1, UINT32_MAX, 0, 1, 2, 3 }, "abcdef" },
		{ { 5, 4, 5, 6, 7, 8 }, "a!bcdef" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nflog nflog = { 0 };

		memset(told, 0, sizeof(told));
		for (size_t k = 0; k < 6; k++)
			give(&nflog, rows[i].seqs[k], (char)('a' + k));
		assert_string_equal(told, rows[i].told);
		nflog_done(&nflog);
	}
}

static void a_datagram_holds_messages(void **state)
{
	const struct nlmsghdr done = { .nlmsg_len = sizeof(done) + 4, .nlmsg_type = NLMSG_DONE };
	struct datagram datagram = { .length = 0 };
	struct nflog nflog = { 0 };

	(void)state;
	memset(told, 0, sizeof(told));
	datagram_add(&datagram, 3, "a", 1);
	datagram_add(&datagram, 4, "b", 1);
	memcpy(datagram.bytes + datagram.length, &done, sizeof(done));
	datagram.length += sizeof(done) + 4;
	take(&nflog, &datagram);
	give(&nflog, 5, 'c');
	assert_string_equal(told, "abc");
	nflog_done(&nflog);
}

/* Whatever is not a whole copy counts as one that is lost. */
static void what_is_no_copy_is_a_loss(void **state)
{
	static const struct {
		const char *what;
		size_t at; /* of the byte that is changed */
		uint8_t value;
		const char *told;
	} rows[] = {
		{ "as it should be", 4, 0, "a" },
		{ "an acknowledgement", 5, 0, "!" },
		{ "another message of the log", 4, 1, "!" },
		{ "of another subsystem", 5, 10, "!" },
		{ "no number", 30, 99, "!" },
		{ "a number of two bytes", 28, 6, "!" },
		{ "no packet", 38, 99, "!" },
		{ "a length beyond the datagram", 0, 255, "!" },
		{ "a length below the head", 0, 8, "!" },
		{ "a length that is negative as an int", 3, 255, "!" },
		{ "an attribute beyond the message", 21, 1, "!" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct datagram datagram = { .length = 0 };
		struct nflog nflog = { 0 };

		memset(told, 0, sizeof(told));
		datagram_add(&datagram, 1, "a", 1);
		datagram.bytes[rows[i].at] = rows[i].value;
		take(&nflog, &datagram);
		if (strcmp(told, rows[i].told) != 0)
			fail_msg("%s: '%s'", rows[i].what, told);
		nflog_done(&nflog);
	}
}

static void it_may_end_anywhere(void **state)
{
	struct datagram datagram = { .length = 0 };

	(void)state;
	datagram_add(&datagram, 1, "abcdefgh", 8);
	for (size_t length = datagram.length - 1; length > 0; length--) {
		struct nflog nflog = { 0 };

		memset(told, 0, sizeof(told));
		datagram.length = length;
		take(&nflog, &datagram);
		assert_string_equal(told, "!");
		nflog_done(&nflog);
	}
}

static void from_hexadecimal(const char *text, struct datagram *datagram)
{
	datagram->length = strlen(text) / 2;
	for (size_t i = 0; i < datagram->length; i++) {
		const char digits[3] = { text[2 * i], text[2 * i + 1], '\0' };

		datagram->bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
}

static void a_kernel_and_an_asterisk_agree(void **state)
{
	static const struct {
		const char *hexadecimal;
		const char *to;
		const char *nonce;
	} rows[] = { { copy4, "10.99.0.2", "1796141062/385867cc7bf914a630bac6639f07ca56" },
		{ copy6, "2001:db8:99::2", "1796141063/fe057753b47a73c7ec43aaad2fabdc61" } };
	struct nflog nflog = { 0 };
	struct datagram datagram;
	char text[IP_TEXT_MAX];

	(void)state;
	memset(told, 0, sizeof(told));
	for (size_t i = 0; i < 2; i++) {
		from_hexadecimal(rows[i].hexadecimal, &datagram);
		take(&nflog, &datagram);
		assert_int_equal(sip_answer_read(copied.bytes, copied.length, &answer),
			SIP_ANSWER_READ);
		assert_string_equal(ip_format(&answer.to, text), rows[i].to);
		assert_int_equal(answer.from_port, SIP_PORT);
		assert_int_equal(answer.n_nonces, 1);
		assert_int_equal(answer.nonces[0].length, strlen(rows[i].nonce));
		assert_memory_equal(answer.nonces[0].bytes, rows[i].nonce, strlen(rows[i].nonce));
	}
	assert_string_equal(told, "PP"); /* their numbers follow each other */
	nflog_done(&nflog);
}

static void a_socket_that_is_none(void **state)
{
	struct nflog nflog = { 0 };

	(void)state;
	memset(told, 0, sizeof(told));
	assert_int_equal(nflog_read(&nflog, -1, 10, &reader), NFLOG_BROKEN);
	assert_string_equal(told, "");
	nflog_done(&nflog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_no_gap),
		cmocka_unit_test(a_datagram_holds_messages),
		cmocka_unit_test(what_is_no_copy_is_a_loss),
		cmocka_unit_test(it_may_end_anywhere),
		cmocka_unit_test(a_kernel_and_an_asterisk_agree),
		cmocka_unit_test(a_socket_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
