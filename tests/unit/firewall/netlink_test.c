#include "firewall/netlink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* An answer with room for an error number. */
struct answer {
	struct nlmsghdr head;
	int number;
	struct nlmsghdr about;
};

struct seen {
	size_t answers;
	size_t restarts;
};

static bool count_all(void *context, const struct nlmsghdr *message)
{
	struct seen *seen = context;

	(void)message;
	seen->answers++;
	return false;
}

static void count_each(void *context, const struct nlmsghdr *message)
{
	(void)count_all(context, message);
}

static void count_restart(void *context)
{
	struct seen *seen = context;

	seen->restarts++;
	seen->answers = 0;
}

static void test_list_step(void **state)
{
	static const struct {
		uint16_t type;
		uint16_t flags;
		int number;
		bool is_short;
		bool changed; /* before it */
		enum netlink_step step;
		int failure;
	} rows[] = {
		{ .type = RTM_NEWADDR, .step = NETLINK_ITEM },
		{ .type = RTM_NEWADDR, .flags = NLM_F_DUMP_INTR, .step = NETLINK_ITEM },
		{ .type = NLMSG_DONE, .step = NETLINK_DONE },
		{ .type = NLMSG_DONE, .flags = NLM_F_DUMP_INTR, .step = NETLINK_AGAIN },
		{ .type = NLMSG_DONE, .changed = true, .step = NETLINK_AGAIN },
		{ .type = NLMSG_ERROR, .number = -EINTR, .step = NETLINK_AGAIN },
		{ .type = NLMSG_ERROR, .number = -EAGAIN, .step = NETLINK_AGAIN },
		{ NLMSG_ERROR, .number = -ENOENT, .step = NETLINK_FAILED, .failure = ENOENT },
		{ NLMSG_ERROR, .number = 0, .step = NETLINK_FAILED, .failure = EPROTO },
		{ NLMSG_ERROR, .is_short = true, .step = NETLINK_FAILED, .failure = EPROTO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct answer answer = { .number = rows[i].number };
		bool changed = rows[i].changed;
		int number = 0;

		answer.head.nlmsg_type = rows[i].type;
		answer.head.nlmsg_flags = rows[i].flags;
		answer.head.nlmsg_len = rows[i].is_short ? NLMSG_HDRLEN + 4 : sizeof(answer);
		if (netlink_list_step(&answer.head, &changed, &number) != rows[i].step)
			fail_msg("row %zu", i);
		if (rows[i].step == NETLINK_FAILED)
			assert_int_equal(number, rows[i].failure);
		assert_int_equal(changed, rows[i].changed || rows[i].flags);
	}
}

/* The loopback address is in the list, and nothing of it is left in the socket. */
static void test_list(void **state)
{
	struct seen seen = { 0 };
	const struct netlink_lister lister = { count_restart, count_each, &seen };
	struct {
		struct nlmsghdr head;
		struct ifaddrmsg address;
	} request = { .head = { .nlmsg_len = sizeof(request), .nlmsg_type = RTM_GETADDR } };
	struct netlink link = { 0 };

	(void)state;
	assert_int_equal(netlink_open(&link, NETLINK_ROUTE, 0, NULL), 0);
	assert_int_equal(netlink_list(&link, &request.head, &lister), 0);
	assert_true(seen.answers > 0);
	assert_true(seen.restarts >= 1);
	assert_int_equal(netlink_read(&link, 1, count_all, &seen), EAGAIN);
	request.head.nlmsg_type = UINT16_MAX; /* nobody knows it */
	assert_int_not_equal(netlink_list(&link, &request.head, &lister), 0);
	netlink_close(&link);
	netlink_close(&link);
}

/* Another process can send to a netlink socket too: what it says is not the kernel's word. */
static void test_stranger(void **state)
{
	const struct nlmsghdr forged = { .nlmsg_len = sizeof(forged), .nlmsg_type = NLMSG_DONE };
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	struct netlink link = { 0 };
	struct seen seen = { 0 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(netlink_open(&link, NETLINK_ROUTE, 0, NULL), 0);
	to.nl_pid = link.port;
	if (sendto(fd, &forged, sizeof(forged), 0, (const struct sockaddr *)&to, sizeof(to)) < 0)
		skip(); /* only a privileged process may */
	assert_int_equal(netlink_read(&link, 4, count_all, &seen), EAGAIN);
	assert_int_equal(seen.answers, 0);
	assert_int_equal(close(fd), 0);
	netlink_close(&link);
}

/* The bound holds, and an answer to an earlier question is none to this one. */
static void test_bounds(void **state)
{
	struct {
		struct nlmsghdr head;
		struct rtgenmsg any;
	} request = { .head = { .nlmsg_len = sizeof(request),
			      .nlmsg_type = UINT16_MAX, /* nobody knows it: an error comes back */
			      .nlmsg_flags = NLM_F_REQUEST } };
	struct netlink link = { 0 };
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(netlink_open(&link, NETLINK_ROUTE, 0, NULL), 0);
	for (request.head.nlmsg_seq = 1; request.head.nlmsg_seq <= 3; request.head.nlmsg_seq++)
		assert_int_equal(netlink_send(&link, &request, sizeof(request)), 0);
	assert_int_equal(netlink_read(&link, 2, count_all, &seen), EBUSY);
	assert_int_equal(seen.answers, 2);
	link.seq = request.head.nlmsg_seq;
	assert_int_equal(netlink_ask(&link, &request, sizeof(request), link.seq, count_all, &seen),
		ETIMEDOUT);
	assert_int_equal(seen.answers, 3); /* of four: number 3 was not asked for */
	netlink_drain(&link);
	netlink_close(&link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_step),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_stranger),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
