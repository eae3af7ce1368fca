/* What the rules for outgoing packets cost: sends packets into a device that drops them, for its
 * peer is down, without the rules and with them. Runs in a network namespace of its own, with a
 * route to 203.0.113.1 from 192.0.2.1.
 *
 * output: prints "media other service", nanoseconds a packet: a UDP packet of a call, a TCP segment
 * with data of another service, and one of a service whose connections are noted. */
#include <arpa/inet.h>
#include <linux/ip.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/error.h"
#include "firewall/nft_table.h"

enum {
	SWITCHES = 12, /* of the rules, off and on */
	ROUNDS = 200,  /* between two switches; the best of all counts */
	PACKETS = 500, /* a round: short enough that some are not disturbed */
	ENDS = 1000,   /* remote ports, so that the set holds as many */
	DATA_BYTES = 172,
	GROUP = 5060,
};

static const struct kind {
	uint8_t protocol;
	uint16_t port;
} kinds[] = { { IPPROTO_UDP, 10000 }, { IPPROTO_TCP, 443 }, { IPPROTO_TCP, 5061 } };
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* The kernel fills in length and checksum of the IP header; nobody looks at the other one. */
static size_t make_packet(uint8_t *bytes, const struct kind *kind, uint16_t to)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = kind->protocol };
	struct tcphdr tcp = { .source = htons(kind->port), .dest = htons(to), .doff = 5 };
	struct udphdr udp = { .source = htons(kind->port), .dest = htons(to) };
	size_t used = sizeof(ip);

	ip.saddr = inet_addr("192.0.2.1");
	ip.daddr = inet_addr("203.0.113.1");
	tcp.psh = tcp.ack = 1;
	udp.len = htons(sizeof(udp) + DATA_BYTES);
	memcpy(bytes, &ip, sizeof(ip));
	if (kind->protocol == IPPROTO_TCP)
		memcpy(bytes + used, &tcp, sizeof(tcp));
	else
		memcpy(bytes + used, &udp, sizeof(udp));
	used += kind->protocol == IPPROTO_TCP ? sizeof(tcp) : sizeof(udp);
	return used + DATA_BYTES;
}

/* Nanoseconds a packet. */
static double round_ns(int fd, const struct kind *kind)
{
	const struct sockaddr_in there = { .sin_family = AF_INET,
		.sin_addr.s_addr = inet_addr("203.0.113.1") };
	uint8_t bytes[512] = { 0 };
	int64_t begin = now_ns();

	for (int i = 0; i < PACKETS; i++) {
		size_t length = make_packet(bytes, kind, (uint16_t)(20000 + i % ENDS));

		if (sendto(fd, bytes, length, 0, (const struct sockaddr *)&there, sizeof(there)) <
			0)
			fail("sendto");
	}
	return (double)(now_ns() - begin) / PACKETS;
}

/* *best: nanoseconds a packet; 0: none yet. */
static void measure(int fd, const struct kind *kind, double *best)
{
	for (int i = 0; i < ROUNDS; i++) {
		double took = round_ns(fd, kind);

		if (*best == 0 || took < *best)
			*best = took;
	}
}

static void rules(struct nft *nft, int on)
{
	const struct nft_connections connections = {
		.ports = { IPPROTO_TCP, on ? 4 : 0,
			{ { 5038, 5038 }, { 5060, 5061 }, { 5160, 5161 }, { 8088, 8089 } } },
		.lifetime_ms = 60000,
		.max = 65535,
	};
	const struct nft_connections none = { .ports = { 0 } };
	struct error err;

	if (nft_wire(nft, on ? GROUP : NFT_WIRE_NONE, &err) < 0 ||
		nft_connections(nft, on ? &connections : &none, &err) < 0)
		fail(err.text);
}

int main(void)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	double best[2][KINDS] = { { 0 } };
	struct nft *nft;
	struct error err;

	if (fd < 0)
		fail("socket");
	if (nft_open(&nft, &err) < 0 || nft_ensure(nft, &err) < 0)
		fail(err.text);
	for (int i = 0; i < SWITCHES; i++) {
		rules(nft, i & 1);
		for (size_t kind = 0; kind < KINDS; kind++)
			measure(fd, &kinds[kind], &best[i & 1][kind]);
	}
	for (size_t kind = 0; kind < KINDS; kind++)
		printf("%.0f%c", best[1][kind] - best[0][kind], kind + 1 < KINDS ? ' ' : '\n');
	nft_close(nft);
	return 0;
}
