#include "firewall/nft_parts.h"

#include "base/alloc.h"
#include "base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>

enum {
	/* 4000 elements with counters are 350 KiB. */
	BATCH_BYTES_MAX = 512 * 1024,
	SEND_BUFFER_BYTES = 1024 * 1024,
	/* Events of others in a flood; beyond it ENOBUFS asks for a check. */
	WATCH_BUFFER_BYTES = 8 * 1024 * 1024,
	REQUEST_BUFFER_BYTES = 1024 * 1024,
	REPLY_TIMEOUT_S = 2,
	/* One batch answers with at most an error a message. */
	REPLIES_MAX = 8192,
	LIST_TRIES_MAX = 8,
	LIST_READS_MAX = 65536,
	END_ROOM_BYTES = 64,
};

static void socket_buffer(int fd, int force, int plain, int size_bytes)
{
	/* FORCE needs a privilege that a user namespace lacks; what stays is read back. */
	if (setsockopt(fd, SOL_SOCKET, force, &size_bytes, sizeof(size_bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, plain, &size_bytes, sizeof(size_bytes));
}

static int socket_open(int *ret_fd, struct error *err)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	cleanup_close int fd = -1;
	int one = 1;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0)
		return error_errno(err, errno, "netlink socket for nftables");
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(err, errno, "binding the netlink socket for nftables");
	/* Without the first, an error would carry back the whole message it is about. */
	if (setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) < 0 ||
		setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) < 0)
		return error_errno(err, errno, "netlink options for nftables");
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static int request_open(struct nft *nft, struct error *err)
{
	const struct timeval timeout = { .tv_sec = REPLY_TIMEOUT_S };
	struct sockaddr_nl address;
	socklen_t length = sizeof(address);
	int size_bytes = 0;

	if (socket_open(&nft->request_fd, err) < 0)
		return -1;
	socket_buffer(nft->request_fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER_BYTES);
	socket_buffer(nft->request_fd, SO_RCVBUFFORCE, SO_RCVBUF, REQUEST_BUFFER_BYTES);
	if (setsockopt(nft->request_fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		return error_errno(err, errno, "netlink timeout");
	if (getsockname(nft->request_fd, (struct sockaddr *)&address, &length) < 0)
		return error_errno(err, errno, "netlink port");
	nft->port = address.nl_pid;
	length = sizeof(size_bytes);
	if (getsockopt(nft->request_fd, SOL_SOCKET, SO_SNDBUF, &size_bytes, &length) < 0)
		return error_errno(err, errno, "netlink send buffer");
	/* A message longer than the buffer less 32 is EMSGSIZE (net/netlink/af_netlink.c). */
	nft->batch_bytes = size_bytes > 4096 ? (size_t)size_bytes - 1024 : 3072;
	if (nft->batch_bytes > BATCH_BYTES_MAX)
		nft->batch_bytes = BATCH_BYTES_MAX;
	return 0;
}

/* Our own element events are many and known; of our commits only NEWGEN is let through, so that
 * the generation can be followed. All messages of one buffer are of one commit. */
static int watch_filter(struct nft *nft, struct error *err)
{
	/* Absolute loads are in network order, the header's fields in the host's. */
	const uint32_t type = htons((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN));
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(nft->port), 0, 2),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, type, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	if (setsockopt(nft->watch_fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return error_errno(err, errno, "filter for nftables events");
	return 0;
}

static int watch_open(struct nft *nft, struct error *err)
{
	int group = NFNLGRP_NFTABLES;

	if (socket_open(&nft->watch_fd, err) < 0)
		return -1;
	socket_buffer(nft->watch_fd, SO_RCVBUFFORCE, SO_RCVBUF, WATCH_BUFFER_BYTES);
	if (watch_filter(nft, err) < 0)
		return -1;
	if (fcntl(nft->watch_fd, F_SETFL, O_NONBLOCK) < 0 ||
		setsockopt(nft->watch_fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
			sizeof(group)) < 0)
		return error_errno(err, errno, "subscribing to nftables events");
	return 0;
}

int nft_link_open(struct nft *nft, struct error *err)
{
	nft->request_fd = -1;
	nft->watch_fd = -1;
	nft->dump_fd = -1;
	if (request_open(nft, err) < 0 || watch_open(nft, err) < 0)
		return -1;
	if (socket_open(&nft->dump_fd, err) < 0)
		return -1;
	if (fcntl(nft->dump_fd, F_SETFL, O_NONBLOCK) < 0)
		return error_errno(err, errno, "netlink socket for nftables");
	nft->batch = alloc_zero(nft->batch_bytes);
	nft->received = alloc_zero(NFT_RECEIVE_BYTES);
	return 0;
}

void nft_link_close(struct nft *nft)
{
	alloc_cleanup_close(&nft->request_fd);
	alloc_cleanup_close(&nft->watch_fd);
	alloc_cleanup_close(&nft->dump_fd);
	free(nft->batch);
	free(nft->received);
}

ssize_t nft_receive(int fd, uint8_t *buffer, int flags)
{
	struct sockaddr_nl from = { 0 };
	socklen_t length = sizeof(from);
	ssize_t n;

	n = recvfrom(fd, buffer, NFT_RECEIVE_BYTES, flags, (struct sockaddr *)&from, &length);
	if (n > 0 && (length != sizeof(from) || from.nl_pid != 0))
		return 0;
	return n;
}

const struct nlattr *nft_attribute(const struct nlmsghdr *message, uint16_t type)
{
	const struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(struct nfgenmsg))
		return NULL;
	mnl_attr_for_each(attr, message, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

const char *nft_attribute_string(const struct nlmsghdr *message, uint16_t type)
{
	const struct nlattr *attr = nft_attribute(message, type);

	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return NULL;
	return mnl_attr_get_str(attr);
}

void nft_batch_begin(struct nft *nft, struct nft_batch *batch)
{
	struct nlmsghdr *begin;

	batch->first_seq = ++nft->seq;
	batch->last = NULL;
	begin = nftnl_batch_begin((char *)nft->batch, batch->first_seq);
	batch->used = begin->nlmsg_len;
}

struct nlmsghdr *nft_batch_message(struct nft *nft, const struct nft_batch *batch, uint16_t type,
	uint16_t flags, size_t room_bytes)
{
	if (batch->used + room_bytes + END_ROOM_BYTES > nft->batch_bytes)
		return NULL;
	return nftnl_nlmsg_build_hdr((char *)nft->batch + batch->used, type, NFPROTO_INET, flags,
		nft->seq + 1);
}

void nft_batch_add(struct nft *nft, struct nft_batch *batch, struct nlmsghdr *message)
{
	nft->seq++;
	batch->last = message;
	batch->used += MNL_ALIGN(message->nlmsg_len);
}

/* Notes the first error; true: this was the answer to the last message. */
static bool reply_read(const struct nlmsghdr *message, const struct nft_batch *batch,
	struct nft_reply *reply)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;

	if (message->nlmsg_type != NLMSG_ERROR || message->nlmsg_seq < batch->first_seq ||
		message->nlmsg_seq > batch->last->nlmsg_seq ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*error))
		return false;
	if (error->error < 0 && reply->number == 0) {
		reply->number = -error->error;
		reply->seq = message->nlmsg_seq;
		mnl_attr_for_each(attr, message, sizeof(*error))
		{
			if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_OFFS &&
				mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
				reply->offset = mnl_attr_get_u32(attr);
		}
	}
	return message->nlmsg_seq == batch->last->nlmsg_seq;
}

/* The kernel works a batch off inside send(): all answers are queued by then, and after an error
 * nothing has to be waited for. */
static int batch_await(struct nft *nft, const struct nft_batch *batch, struct nft_reply *reply,
	struct error *err)
{
	bool last = false;

	for (uint32_t i = 0; i < REPLIES_MAX && !last; i++) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)nft->received;
		ssize_t n = nft_receive(nft->request_fd, nft->received,
			reply->number ? MSG_DONTWAIT : 0);
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && reply->number)
			return 0;
		if (n < 0) {
			reply->number = errno == EAGAIN ? ETIMEDOUT : errno;
			return error_errno(err, reply->number, "no answer from nftables");
		}
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			last |= reply_read(message, batch, reply);
	}
	if (last || reply->number)
		return 0;
	reply->number = EPROTO;
	return error_set(err, "nftables answered something else");
}

int nft_batch_send(struct nft *nft, struct nft_batch *batch, struct nft_reply *ret_reply,
	struct error *err)
{
	struct nft_reply reply = { 0 };
	struct nlmsghdr *end;
	ssize_t sent;
	int rc = 0;

	if (batch->last) {
		batch->last->nlmsg_flags |= NLM_F_ACK;
		end = nftnl_batch_end((char *)nft->batch + batch->used, ++nft->seq);
		sent = send(nft->request_fd, nft->batch, batch->used + end->nlmsg_len, 0);
		if (sent < 0) {
			reply.number = errno;
			rc = error_errno(err, errno, "sending to nftables");
		} else {
			rc = batch_await(nft, batch, &reply, err);
		}
	}
	*ret_reply = reply;
	return rc;
}

enum list_state { LIST_MORE, LIST_DONE, LIST_AGAIN, LIST_FAILED };

static enum list_state list_message(const struct nlmsghdr *message, uint32_t seq,
	const struct nft_lister *lister, bool *again, int *number)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_seq != seq)
		return LIST_MORE;
	*again |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	if (message->nlmsg_type == NLMSG_DONE)
		return *again ? LIST_AGAIN : LIST_DONE;
	if (message->nlmsg_type != NLMSG_ERROR) {
		lister->each(lister->context, message);
		return LIST_MORE;
	}
	*number = mnl_nlmsg_get_payload_len(message) < sizeof(*error) ? EPROTO : -error->error;
	return *number == EINTR || *number == EAGAIN ? LIST_AGAIN : LIST_FAILED;
}

static enum list_state list_read(struct nft *nft, const struct nft_lister *lister, int *number)
{
	enum list_state state = LIST_MORE;
	bool again = false;

	for (uint32_t i = 0; i < LIST_READS_MAX && state == LIST_MORE; i++) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)nft->received;
		ssize_t n = nft_receive(nft->request_fd, nft->received, 0);
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*number = errno == EAGAIN ? ETIMEDOUT : errno;
			return LIST_FAILED;
		}
		for (; state == LIST_MORE && mnl_nlmsg_ok(message, left);
			message = mnl_nlmsg_next(message, &left))
			state = list_message(message, nft->seq, lister, &again, number);
	}
	return state;
}

int nft_list(struct nft *nft, uint16_t type, const struct nft_lister *lister, struct error *err)
{
	enum list_state state = LIST_AGAIN;
	int number = EAGAIN;

	for (uint32_t i = 0; i < LIST_TRIES_MAX && state == LIST_AGAIN; i++) {
		uint8_t buffer[256] = { 0 };
		struct nlmsghdr *message = nftnl_nlmsg_build_hdr((char *)buffer, type, NFPROTO_INET,
			NLM_F_DUMP, ++nft->seq);

		/* The table is attribute 1 of sets and rules alike, the chain is 2 of rules. */
		mnl_attr_put_strz(message, NFTA_SET_TABLE, NFT_TABLE);
		if (type == NFT_MSG_GETRULE)
			mnl_attr_put_strz(message, NFTA_RULE_CHAIN, NFT_CHAIN);
		lister->restart(lister->context);
		if (send(nft->request_fd, buffer, message->nlmsg_len, 0) < 0)
			return error_errno(err, errno, "sending to nftables");
		state = list_read(nft, lister, &number);
	}
	if (state != LIST_DONE)
		return error_errno(err, number, "listing the table inet %s", NFT_TABLE);
	return 0;
}
