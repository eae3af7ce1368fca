#include "firewall/nft_parts.h"

#include "base/alloc.h"
#include "base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>

enum {
	/* A transaction: NFT_BATCH_MAX (4000) elements with counters are 350 KiB. */
	BATCH_BYTES_MAX = 512 * 1024,
	SEND_BUFFER_BYTES = 1024 * 1024,
	/* For floods of events by others; if it overflows, ENOBUFS makes us check all. */
	WATCH_BUFFER_BYTES = 8 * 1024 * 1024,
	REQUEST_BUFFER_BYTES = 1024 * 1024,
	END_ROOM_BYTES = 64, /* for the message that ends a transaction */
};

static int requests_open(struct nft *nft, struct error *err)
{
	int size_bytes = 0;
	socklen_t length = sizeof(size_bytes);

	if (netlink_open(&nft->requests, NETLINK_NETFILTER, 0, err) < 0)
		return -1;
	netlink_buffers(&nft->requests, SEND_BUFFER_BYTES, REQUEST_BUFFER_BYTES);
	if (getsockopt(nft->requests.fd, SOL_SOCKET, SO_SNDBUF, &size_bytes, &length) < 0)
		return error_errno(err, errno, "netlink send buffer");
	/* The kernel refuses a datagram longer than the send buffer less 32 bytes (EMSGSIZE), and a
	 * whole transaction is one datagram. */
	nft->batch_bytes = size_bytes > 4096 ? (size_t)size_bytes - 1024 : 3072;
	if (nft->batch_bytes > BATCH_BYTES_MAX)
		nft->batch_bytes = BATCH_BYTES_MAX;
	nft->batch = alloc_zero(nft->batch_bytes);
	return 0;
}

/* Of the events that our own commits cause, lets only NFT_MSG_NEWGEN through, by which the
 * generation is followed; the events of our elements are many, and we know them. The filter sees
 * the first message of a datagram, which is enough: all its messages are of one commit. */
static int watch_filter(struct nft *nft, struct error *err)
{
	/* A BPF load takes the bytes as big-endian, and a netlink header is in the host's order: so
	 * the values to compare with are swapped. */
	const uint32_t type = htons((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN));
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(nft->requests.port), 0, 2),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, type, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	if (setsockopt(nft->watch.fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return error_errno(err, errno, "filter for nftables events");
	return 0;
}

int nft_sockets_open(struct nft *nft, struct error *err)
{
	const uint32_t events = 1U << (NFNLGRP_NFTABLES - 1);

	if (requests_open(nft, err) < 0 ||
		netlink_open(&nft->dump, NETLINK_NETFILTER, 0, err) < 0 ||
		netlink_open(&nft->watch, NETLINK_NETFILTER, events, err) < 0)
		return -1;
	netlink_buffers(&nft->watch, SEND_BUFFER_BYTES, WATCH_BUFFER_BYTES);
	return watch_filter(nft, err);
}

void nft_sockets_close(struct nft *nft)
{
	netlink_close(&nft->requests);
	netlink_close(&nft->watch);
	netlink_close(&nft->dump);
	free(nft->batch);
}

const struct nlattr *nft_attribute(const struct nlmsghdr *message, uint16_t type)
{
	return netlink_attribute(message, sizeof(struct nfgenmsg), type);
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

	batch->first_seq = ++nft->requests.seq;
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
		nft->requests.seq + 1);
}

void nft_batch_add(struct nft *nft, struct nft_batch *batch, struct nlmsghdr *message)
{
	nft->requests.seq++;
	batch->last = message;
	batch->used += MNL_ALIGN(message->nlmsg_len);
}

/* Where read_verdict() leaves the kernel's answer to a transaction. */
struct verdict {
	const struct nft_batch *batch;
	struct nft_reply *reply;
};

/* Notes the first error, and then ends the reading: the kernel has worked the whole transaction off
 * inside send(), so the other answers wait in the socket and can be drained. Without an error, the
 * acknowledgement of the last message says that all is committed. */
static bool read_verdict(void *context, const struct nlmsghdr *message)
{
	const struct verdict *verdict = context;
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;

	if (message->nlmsg_type != NLMSG_ERROR ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*error))
		return false;
	if (error->error >= 0)
		return message->nlmsg_seq == verdict->batch->last->nlmsg_seq;
	verdict->reply->number = -error->error;
	verdict->reply->seq = message->nlmsg_seq;
	attr = netlink_attribute(message, sizeof(*error), NLMSGERR_ATTR_OFFS);
	if (attr && mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
		verdict->reply->offset = mnl_attr_get_u32(attr);
	return true;
}

int nft_batch_send(struct nft *nft, struct nft_batch *batch, struct nft_reply *ret_reply,
	struct error *err)
{
	struct verdict verdict = { batch, ret_reply };
	struct nlmsghdr *end;
	int number;

	*ret_reply = (struct nft_reply){ 0 };
	if (!batch->last)
		return 0;
	batch->last->nlmsg_flags |= NLM_F_ACK;
	end = nftnl_batch_end((char *)nft->batch + batch->used, ++nft->requests.seq);
	number = netlink_ask(&nft->requests, nft->batch, batch->used + end->nlmsg_len,
		batch->first_seq, read_verdict, &verdict);
	if (number) {
		ret_reply->number = number;
		return error_errno(err, number, "asking nftables for a change");
	}
	if (ret_reply->number) /* errors about later messages of the transaction may wait */
		netlink_drain(&nft->requests);
	return 0;
}

int nft_list(struct nft *nft, uint16_t type, const char *chain, const struct netlink_lister *lister,
	struct error *err)
{
	uint8_t buffer[256] = { 0 };
	struct nlmsghdr *request = nftnl_nlmsg_build_hdr((char *)buffer, type, NFPROTO_INET, 0, 0);
	int number;

	/* The table's name is attribute 1 of sets and of rules, so NFTA_SET_TABLE serves both. */
	mnl_attr_put_strz(request, NFTA_SET_TABLE, NFT_TABLE);
	if (chain)
		mnl_attr_put_strz(request, NFTA_RULE_CHAIN, chain);
	number = netlink_list(&nft->requests, request, lister);
	return number ? error_errno(err, number, "listing the table inet %s", NFT_TABLE) : 0;
}
