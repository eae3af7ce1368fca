/* How long from the written log line to the element in the kernel's set: writes the failure that
 * reaches maxretry and waits for the NEWSETELEM event, address by address. Runs in the network
 * namespace of an idle daemon whose jail follows LOG with maxretry 4.
 *
 * latency LOG COUNT: prints "p50 p99 max lost", in microseconds. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

enum {
	COUNT_MAX = 500, /* addresses in the two documentation networks used here */
	MAXRETRY = 4,
	WAIT_MS = 2000,
	LINE_MAX_BYTES = 1024,
};

static const struct timespec settle = { .tv_nsec = 5000000 }; /* so that each try finds it idle */

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static size_t make_line(char line[LINE_MAX_BYTES], unsigned number, unsigned attempt)
{
	char prefix[32];
	char stamp[32];
	char zone[8];
	char address[32];
	struct timespec now;
	struct tm parts;
	int length;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &parts);
	strftime(prefix, sizeof(prefix), "%F %T", &parts);
	strftime(stamp, sizeof(stamp), "%FT%T", &parts);
	strftime(zone, sizeof(zone), "%z", &parts);
	snprintf(address, sizeof(address), "%s.%u", number % 2 ? "198.51.100" : "203.0.113",
		number / 2 + 1);
	length = snprintf(line, LINE_MAX_BYTES,
		"[%s] SECURITY[74] res_security_log.c: SecurityEvent=\"ChallengeResponseFailed\","
		"EventTV=\"%s.%03ld%s\",Severity=\"Error\",Service=\"PJSIP\",EventVersion=\"1\","
		"AccountID=\"100\",SessionID=\"%08x%04x@%s\",LocalAddress=\"IPV4/UDP/10.99.0.1/5060\","
		"RemoteAddress=\"IPV4/UDP/%s/5060\",Challenge=\"%ld/125ef093c1e5309031ed915e34c801dc\","
		"Response=\"e31210cfbbde97468ae14d7e67ca3ff8\",ExpectedResponse=\"\"\n",
		prefix, stamp, now.tv_nsec / 1000000, zone, number, attempt, address, address,
		(long)now.tv_sec);
	return (size_t)length;
}

static void write_line(int fd, unsigned number, unsigned attempt)
{
	char line[LINE_MAX_BYTES];
	size_t length = make_line(line, number, attempt);

	if (write(fd, line, length) != (ssize_t)length)
		fail("write");
}

static struct mnl_socket *open_events(void)
{
	struct mnl_socket *events =
		mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int group = NFNLGRP_NFTABLES;

	if (!events || mnl_socket_bind(events, 0, MNL_SOCKET_AUTOPID) < 0 ||
		mnl_socket_setsockopt(events, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		fail("netlink");
	return events;
}

/* Reads one datagram; true if an element was added. */
static int holds_element(struct mnl_socket *events)
{
	char buffer[65536];
	ssize_t length = mnl_socket_recvfrom(events, buffer, sizeof(buffer));
	int rest = (int)length;

	for (const struct nlmsghdr *head = (const struct nlmsghdr *)buffer;
		length > 0 && mnl_nlmsg_ok(head, rest); head = mnl_nlmsg_next(head, &rest))
		if (head->nlmsg_type == ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWSETELEM))
			return 1;
	return 0;
}

/* Nanoseconds from the write of the last failure to the event, or -1. */
static int64_t try_one(int fd, struct mnl_socket *events, unsigned number)
{
	struct pollfd wait = { .fd = mnl_socket_get_fd(events), .events = POLLIN };
	char line[LINE_MAX_BYTES];
	size_t length = make_line(line, number, MAXRETRY);
	int64_t begin_ns;

	while (poll(&wait, 1, 0) > 0)
		holds_element(events);
	begin_ns = now_ns();
	if (write(fd, line, length) != (ssize_t)length)
		fail("write");
	while (now_ns() - begin_ns < WAIT_MS * INT64_C(1000000)) {
		if (poll(&wait, 1, WAIT_MS) <= 0)
			continue;
		int64_t end_ns = now_ns();

		if (holds_element(events))
			return end_ns - begin_ns;
	}
	return -1;
}

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
	static int64_t took_ns[COUNT_MAX];
	unsigned count = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	struct mnl_socket *events;
	size_t good = 0;
	int fd;

	if (count < 1 || count > COUNT_MAX) {
		fprintf(stderr, "usage: latency LOG COUNT (1 to %d)\n", COUNT_MAX);
		return 2;
	}
	fd = open(argv[1], O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		fail(argv[1]);
	events = open_events();
	for (unsigned i = 0; i < count; i++) {
		for (unsigned attempt = 1; attempt < MAXRETRY; attempt++)
			write_line(fd, i, attempt);
		nanosleep(&settle, NULL);
		took_ns[good] = try_one(fd, events, i);
		good += took_ns[good] >= 0;
		nanosleep(&settle, NULL);
	}
	mnl_socket_close(events);
	close(fd);
	if (!good) {
		fprintf(stderr, "no ban at all\n");
		return 1;
	}
	qsort(took_ns, good, sizeof(took_ns[0]), compare);
	printf("%.0f %.0f %.0f %zu\n", (double)took_ns[good / 2] / 1000,
		(double)took_ns[good * 99 / 100] / 1000, (double)took_ns[good - 1] / 1000,
		count - good);
	return 0;
}
