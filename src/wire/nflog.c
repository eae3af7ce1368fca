#include "wire/nflog.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>

enum {
	/* The kernel puts at most 128 KiB into a datagram, and one packet of at most 64 KiB into
	 * each if it is not to collect them (NFULA_CFG_QTHRESH 1). */
	DATAGRAM_BYTES_MAX = 128 * 1024,
};

struct copy {
	const struct nlattr *payload; /* NULL: it has none; so with seq */
	const struct nlattr *seq;
};

static struct copy read_copy(const struct nlmsghdr *message)
{
	struct copy copy = { 0 };
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) == NFULA_PAYLOAD)
			copy.payload = attr;
		else if (mnl_attr_get_type(attr) == NFULA_SEQ &&
			 mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			copy.seq = attr;
	}
	return copy;
}

static void read_message(struct nflog *nflog, const struct nlmsghdr *message,
	const struct nflog_reader *reader)
{
	struct copy copy = { 0 };
	uint32_t seq;

	if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_NOOP)
		return;
	if (message->nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET) &&
		mnl_nlmsg_get_payload_len(message) >= sizeof(struct nfgenmsg))
		copy = read_copy(message);
	if (!copy.payload || !copy.seq) {
		reader->lost(reader->context);
		return;
	}
	seq = ntohl(mnl_attr_get_u32(copy.seq));
	if (nflog->has_seq && seq != nflog->next_seq)
		reader->lost(reader->context);
	nflog->has_seq = true;
	nflog->next_seq = seq + 1;
	reader->packet(reader->context, mnl_attr_get_payload(copy.payload),
		mnl_attr_get_payload_len(copy.payload));
}

/* mnl_nlmsg_ok() takes a length beyond INT_MAX for a negative one, which fits everywhere. */
static bool is_whole(const struct nlmsghdr *message, int left)
{
	return mnl_nlmsg_ok(message, left) && message->nlmsg_len <= (uint32_t)left;
}

void nflog_datagram(struct nflog *nflog, const void *bytes, size_t length,
	const struct nflog_reader *reader)
{
	const struct nlmsghdr *message = bytes;
	int left = (int)length;

	for (; is_whole(message, left); message = mnl_nlmsg_next(message, &left))
		read_message(nflog, message, reader);
	if (left > 0)
		reader->lost(reader->context);
}

/* Whether the kernel sent it: other processes may send to the socket's address too. */
static bool is_from_kernel(const struct sockaddr_nl *from, socklen_t length)
{
	return length == sizeof(*from) && from->nl_pid == 0;
}

enum nflog_result nflog_read(struct nflog *nflog, int fd, uint32_t datagrams_max,
	const struct nflog_reader *reader)
{
	if (!nflog->received)
		nflog->received = alloc_zero(DATAGRAM_BYTES_MAX);
	for (uint32_t i = 0; i < datagrams_max; i++) {
		struct sockaddr_nl from = { 0 };
		socklen_t length = sizeof(from);
		ssize_t got = recvfrom(fd, nflog->received, DATAGRAM_BYTES_MAX,
			MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &length);

		if (got < 0 && errno == EAGAIN)
			return NFLOG_EMPTY;
		if (got < 0 && errno != EINTR && errno != ENOBUFS)
			return NFLOG_BROKEN;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || got > DATAGRAM_BYTES_MAX)
			reader->lost(reader->context); /* ENOBUFS, or a datagram that is cut */
		else if (is_from_kernel(&from, length))
			nflog_datagram(nflog, nflog->received, (size_t)got, reader);
	}
	return NFLOG_MORE;
}

void nflog_done(struct nflog *nflog)
{
	free(nflog->received);
	*nflog = (struct nflog){ 0 };
}
