#include "firewall/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#include "base/alloc.h"
#include "base/error.h"

enum {
	/* Room for one datagram: the kernel fills at most 32 KiB of a list; others are shorter. */
	RECEIVE_BYTES = 64 * 1024,
	ANSWER_TIMEOUT_S = 2,
	/* Datagrams of one answer: far beyond the longest list. */
	ANSWER_READS_MAX = 65536,
	DRAIN_READS_MAX = 8192,
	LIST_TRIES_MAX = 8,
};

int netlink_open(struct netlink *link, int protocol, uint32_t groups, struct error *err)
{
	const struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_S };
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = groups };
	socklen_t length = sizeof(address);
	cleanup_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	int one = 1;

	if (fd < 0)
		return error_errno(err, errno, "netlink socket");
	/* CAP_ACK: an error does not repeat the whole request. EXT_ACK: it names the attribute. */
	if (setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) < 0 ||
		setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		return error_errno(err, errno, "options of a netlink socket");
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return error_errno(err, errno, "binding a netlink socket");
	*link = (struct netlink){ .fd = fd,
		.port = address.nl_pid,
		.received = alloc_zero(RECEIVE_BYTES) };
	fd = -1;
	return 0;
}

void netlink_close(struct netlink *link)
{
	if (link->received)
		(void)close(link->fd); /* no data can be lost by it */
	free(link->received);
	*link = (struct netlink){ 0 };
}

static void set_buffer(int fd, int force, int plain, int size_bytes)
{
	/* FORCE goes beyond the limit of net.core.[rw]mem_max, and fails in a user namespace, where
	 * CAP_NET_ADMIN does not count for it. */
	if (setsockopt(fd, SOL_SOCKET, force, &size_bytes, sizeof(size_bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, plain, &size_bytes, sizeof(size_bytes));
}

void netlink_buffers(struct netlink *link, int send_bytes, int receive_bytes)
{
	set_buffer(link->fd, SO_SNDBUFFORCE, SO_SNDBUF, send_bytes);
	set_buffer(link->fd, SO_RCVBUFFORCE, SO_RCVBUF, receive_bytes);
}

int netlink_send(struct netlink *link, const void *bytes, size_t length)
{
	return send(link->fd, bytes, length, 0) < 0 ? errno : 0;
}

static int read_datagrams(struct netlink *link, int flags, uint32_t reads_max,
	bool (*reader)(void *context, const struct nlmsghdr *message), void *context)
{
	for (uint32_t i = 0; i < reads_max; i++) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)link->received;
		struct sockaddr_nl from = { 0 };
		socklen_t length = sizeof(from);
		ssize_t n = recvfrom(link->fd, link->received, RECEIVE_BYTES, flags,
			(struct sockaddr *)&from, &length);
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (length != sizeof(from) || from.nl_pid != 0)
			continue; /* another process sent it, not the kernel */
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			if (reader(context, message))
				return 0;
	}
	return EBUSY;
}

int netlink_read(struct netlink *link, uint32_t reads_max,
	bool (*reader)(void *context, const struct nlmsghdr *message), void *context)
{
	return read_datagrams(link, MSG_DONTWAIT, reads_max, reader, context);
}

static bool pass_over(void *context, const struct nlmsghdr *message)
{
	(void)context, (void)message;
	return false;
}

void netlink_drain(struct netlink *link)
{
	(void)netlink_read(link, DRAIN_READS_MAX, pass_over, NULL);
}

struct answers {
	uint32_t first_seq;
	uint32_t last_seq;
	bool (*reader)(void *context, const struct nlmsghdr *message);
	void *context;
};

static bool read_answer(void *context, const struct nlmsghdr *message)
{
	const struct answers *answers = context;

	/* An answer to an earlier request, which came after its timeout, is passed over. The
	 * subtraction is right also when the numbers wrap around. */
	return message->nlmsg_seq - answers->first_seq <= answers->last_seq - answers->first_seq &&
	       answers->reader(answers->context, message);
}

int netlink_ask(struct netlink *link, const void *bytes, size_t length, uint32_t first_seq,
	bool (*reader)(void *context, const struct nlmsghdr *message), void *context)
{
	struct answers answers = { first_seq, link->seq, reader, context };
	int number = netlink_send(link, bytes, length);

	if (number == 0)
		number = read_datagrams(link, 0, ANSWER_READS_MAX, read_answer, &answers);
	return number == EAGAIN ? ETIMEDOUT : number;
}

const struct nlattr *netlink_attribute(const struct nlmsghdr *message, size_t header_bytes,
	uint16_t type)
{
	const struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(message) < header_bytes)
		return NULL;
	mnl_attr_for_each(attr, message, header_bytes)
	{
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

enum netlink_step netlink_list_step(const struct nlmsghdr *message, bool *changed, int *ret_number)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	*changed |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	if (message->nlmsg_type == NLMSG_DONE)
		return *changed ? NETLINK_AGAIN : NETLINK_DONE;
	if (message->nlmsg_type != NLMSG_ERROR)
		return NETLINK_ITEM;
	*ret_number = mnl_nlmsg_get_payload_len(message) < sizeof(*error) || error->error == 0
			      ? EPROTO
			      : -error->error;
	return *ret_number == EINTR || *ret_number == EAGAIN ? NETLINK_AGAIN : NETLINK_FAILED;
}

struct listing {
	const struct netlink_lister *lister; /* borrowed */
	enum netlink_step step;
	bool changed;
	int number;
};

static bool read_listed(void *context, const struct nlmsghdr *message)
{
	struct listing *listing = context;

	listing->step = netlink_list_step(message, &listing->changed, &listing->number);
	if (listing->step == NETLINK_ITEM)
		listing->lister->each(listing->lister->context, message);
	return listing->step != NETLINK_ITEM;
}

int netlink_list(struct netlink *link, struct nlmsghdr *request,
	const struct netlink_lister *lister)
{
	struct listing listing = { .lister = lister, .step = NETLINK_AGAIN };

	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	for (uint32_t i = 0; i < LIST_TRIES_MAX && listing.step == NETLINK_AGAIN; i++) {
		int number;

		request->nlmsg_seq = ++link->seq;
		listing.changed = false;
		if (lister->restart)
			lister->restart(lister->context);
		number = netlink_ask(link, request, request->nlmsg_len, link->seq, read_listed,
			&listing);
		if (number)
			return number;
	}
	if (listing.step == NETLINK_AGAIN)
		return EAGAIN;
	return listing.step == NETLINK_FAILED ? listing.number : 0;
}
