#ifndef VG_TCP_FIXTURE_H
#define VG_TCP_FIXTURE_H

/* TCP connections within a network namespace. */

#include "firewall/namespace.h"

#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* server and client are the ends of one connection; port is the client's. */
struct tcp {
	int server;
	int client;
	uint16_t port;
};

/* The addresses that a test may connect to, and from. */
static inline void tcp_addresses(void)
{
	must_run("ip link set lo up");
	must_run("ip addr add 192.0.2.1/32 dev lo");
	must_run("ip addr add 192.0.2.2/32 dev lo");
	must_run("ip addr add 2001:db8::1/128 dev lo nodad");
	must_run("ip addr add 2001:db8::2/128 dev lo nodad");
}

/* Connects an address to the port of itself. */
static inline struct tcp tcp_connect(const char *address, uint16_t port)
{
	struct sockaddr_in6 there = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	socklen_t length = sizeof(there);
	const int one = 1;
	struct tcp tcp;
	char text[64];
	int listener;

	(void)snprintf(text, sizeof(text), "%s%s", strchr(address, ':') ? "" : "::ffff:", address);
	assert_int_equal(inet_pton(AF_INET6, text, &there.sin6_addr), 1);
	listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	tcp.client = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&there, length), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(connect(tcp.client, (struct sockaddr *)&there, length), 0);
	tcp.server = accept(listener, NULL, NULL);
	assert_true(tcp.server >= 0);
	(void)close(listener);
	assert_int_equal(getsockname(tcp.client, (struct sockaddr *)&there, &length), 0);
	tcp.port = ntohs(there.sin6_port);
	return tcp;
}

static inline void tcp_say(int from, int to)
{
	char said[5];

	assert_int_equal(send(from, "hello", 5, MSG_NOSIGNAL), 5);
	assert_int_equal(recv(to, said, 5, MSG_WAITALL), 5);
}

static inline void tcp_to_client(const struct tcp *tcp)
{
	tcp_say(tcp->server, tcp->client);
}

static inline void tcp_to_server(const struct tcp *tcp)
{
	tcp_say(tcp->client, tcp->server);
}

/* The client ends first, so that the server's port is free again at once. */
static inline void tcp_close(const struct tcp *tcp)
{
	(void)close(tcp->client);
	(void)close(tcp->server);
}

#endif
