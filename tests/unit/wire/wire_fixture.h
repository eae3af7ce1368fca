#ifndef VG_WIRE_FIXTURE_H
#define VG_WIRE_FIXTURE_H

/* Answers as Asterisk 22.10.1 sends them, in packets and in copies of the kernel. */

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/ip.h"

#define NONCE_A "1796141025/d68d621e131a1d32d7c68446bcc6a41b"
#define NONCE_B "1796141026/651faf12b72a66966037307cd6edaa72"
#define CHALLENGE(nonce)                                                                           \
	"WWW-Authenticate: Digest realm=\"asterisk\",nonce=\"" nonce                               \
	"\",opaque=\"68f00bb211d1e829\",algorithm=MD5,qop=\"auth\"\r\n"
#define ANSWER_HEAD                                                                                \
	"SIP/2.0 401 Unauthorized\r\n"                                                             \
	"Via: SIP/2.0/UDP 10.99.0.2:36630;rport=36630;received=10.99.0.2;branch=z9hG4bKd0\r\n"     \
	"Call-ID: fda3bb50a828\r\n"                                                                \
	"From: <sip:100@10.99.0.1>;tag=abc\r\n"                                                    \
	"To: <sip:100@10.99.0.1>;tag=z9hG4bKd0\r\n"
#define CSEQ "CSeq: 1 REGISTER\r\n"
#define ANSWER_TAIL "Server: test\r\nContent-Length:  0\r\n\r\n"
#define ANSWER(nonce)                                                                              \
	ANSWER_HEAD CSEQ CHALLENGE(nonce)                                                          \
	ANSWER_TAIL

enum { PACKET_BYTES_MAX = 4096, SIP_PORT = 5060 };

struct packet {
	uint8_t bytes[PACKET_BYTES_MAX];
	size_t length;
};

static inline void packet_put(struct packet *packet, const void *bytes, size_t length)
{
	memcpy(packet->bytes + packet->length, bytes, length);
	packet->length += length;
}

static inline void packet_put_word(struct packet *packet, unsigned word)
{
	const uint8_t bytes[2] = { (uint8_t)(word >> 8), (uint8_t)word };

	packet_put(packet, bytes, sizeof(bytes));
}

static inline void packet_put_udp(struct packet *packet, uint16_t port, const char *sip)
{
	packet_put_word(packet, port);
	packet_put_word(packet, 36630);
	packet_put_word(packet, (unsigned)(8 + strlen(sip)));
	packet_put_word(packet, 0xffff);
	packet_put(packet, sip, strlen(sip));
}

/* options_bytes: a multiple of 4, to 40. */
static inline struct packet packet_ip4(const char *to, uint16_t port, const char *sip,
	size_t options_bytes)
{
	const uint8_t middle[] = { 0x7f, 0x40, 0x40, 0, 64, 17, 0, 0, 10, 99, 0, 1 };
	const uint8_t options[40] = { 1, 1, 1, 1 };
	struct packet packet = { .bytes = { (uint8_t)(0x45 + options_bytes / 4) }, .length = 2 };
	struct ip ip;

	(void)ip_parse(to, strlen(to), &ip);
	packet_put_word(&packet, (unsigned)(20 + options_bytes + 8 + strlen(sip)));
	packet_put(&packet, middle, sizeof(middle));
	packet_put(&packet, ip.bytes, 4);
	packet_put(&packet, options, options_bytes);
	packet_put_udp(&packet, port, sip);
	return packet;
}

/* extensions: headers between IPv6 and UDP; type: of the first of them, or 17. */
static inline struct packet packet_ip6(const char *to, uint16_t port, const char *sip, uint8_t type,
	const void *extensions, size_t extensions_bytes)
{
	const uint8_t head[] = { 0x60, 0x0c, 0x9d, 0x32 };
	const uint8_t from[16] = { 0x20, 1, 0xd, 0xb8, 0, 0x99, [15] = 1 };
	struct packet packet = { .length = 0 };
	const uint8_t next[2] = { type, 64 };
	struct ip ip;

	(void)ip_parse(to, strlen(to), &ip);
	packet_put(&packet, head, sizeof(head));
	packet_put_word(&packet, (unsigned)(extensions_bytes + 8 + strlen(sip)));
	packet_put(&packet, next, sizeof(next));
	packet_put(&packet, from, sizeof(from));
	packet_put(&packet, ip.bytes, 16);
	packet_put(&packet, extensions, extensions_bytes);
	packet_put_udp(&packet, port, sip);
	return packet;
}

/* The kernel's copy of a packet, in a datagram. */
struct datagram {
	_Alignas(struct nlmsghdr) uint8_t bytes[PACKET_BYTES_MAX + 512];
	size_t length;
};

static inline void datagram_put(struct datagram *datagram, uint16_t type, const void *bytes,
	size_t length)
{
	const struct nlattr attr = { .nla_len = (uint16_t)(sizeof(attr) + length),
		.nla_type = type };

	memcpy(datagram->bytes + datagram->length, &attr, sizeof(attr));
	memcpy(datagram->bytes + datagram->length + sizeof(attr), bytes, length);
	datagram->length += NLMSG_ALIGN(attr.nla_len);
}

/* Adds a message to the datagram. */
static inline void datagram_add(struct datagram *datagram, uint32_t seq, const void *packet,
	size_t length)
{
	const size_t start = datagram->length;
	const struct nfgenmsg family = { .nfgen_family = 2, .res_id = htons(SIP_PORT) };
	struct nlmsghdr head = { .nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET };
	const struct nfulnl_msg_packet_hdr hook = { htons(0x0800), 3, 0 };

	datagram->length += sizeof(head);
	memcpy(datagram->bytes + datagram->length, &family, sizeof(family));
	datagram->length += NLMSG_ALIGN(sizeof(family));
	datagram_put(datagram, NFULA_PACKET_HDR, &hook, sizeof(hook));
	datagram_put(datagram, NFULA_SEQ, &(uint32_t){ htonl(seq) }, sizeof(uint32_t));
	datagram_put(datagram, NFULA_PAYLOAD, packet, length);
	head.nlmsg_len = (uint32_t)(datagram->length - start);
	memcpy(datagram->bytes + start, &head, sizeof(head));
}

#endif
