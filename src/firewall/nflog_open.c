#include "firewall/nflog_open.h"

#include "base/error.h"
#include "firewall/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>

enum {
	RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024,
	COPY_BYTES_MAX = 2048, /* the rule copies no more (nft_output.c) */
	/* The kernel takes this much memory for a copy or what it needs, and the more it takes, the
	 * fewer copies fit into the socket. */
	COPY_BYTES_MIN = 256,
	REQUEST_BYTES_MAX = 256,
};

static struct nlmsghdr *request_begin(struct netlink *link, void *buffer, uint16_t group)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *head;

	request->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	request->nlmsg_seq = ++link->seq;
	head = mnl_nlmsg_put_extra_header(request, sizeof(*head));
	head->nfgen_family = AF_UNSPEC;
	head->version = NFNETLINK_V0;
	head->res_id = htons(group);
	return request;
}

static bool read_result(void *context, const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	int *number = context;

	if (message->nlmsg_type != NLMSG_ERROR ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*error))
		return false;
	*number = -error->error;
	return true;
}

/* 0, or an errno value. */
static int request_send(struct netlink *link, const struct nlmsghdr *request)
{
	int result = 0;
	int number = netlink_ask(link, request, request->nlmsg_len, request->nlmsg_seq, read_result,
		&result);

	return number ? number : result;
}

static int group_bind(struct netlink *link, uint16_t group)
{
	const struct nfulnl_msg_config_cmd bind = { .command = NFULNL_CFG_CMD_BIND };
	_Alignas(struct nlmsghdr) uint8_t buffer[REQUEST_BYTES_MAX];
	struct nlmsghdr *request = request_begin(link, buffer, group);

	mnl_attr_put(request, NFULA_CFG_CMD, sizeof(bind), &bind);
	return request_send(link, request);
}

static int group_set_up(struct netlink *link, uint16_t group)
{
	const struct nfulnl_msg_config_mode mode = { .copy_range = htonl(COPY_BYTES_MAX),
		.copy_mode = NFULNL_COPY_PACKET };
	_Alignas(struct nlmsghdr) uint8_t buffer[REQUEST_BYTES_MAX];
	struct nlmsghdr *request = request_begin(link, buffer, group);

	mnl_attr_put(request, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u32(request, NFULA_CFG_NLBUFSIZ, htonl(COPY_BYTES_MIN));
	mnl_attr_put_u32(request, NFULA_CFG_QTHRESH, htonl(1)); /* sent at once */
	mnl_attr_put_u16(request, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));
	return request_send(link, request);
}

int nflog_open(uint16_t group, int *ret_fd, struct error *err)
{
	struct netlink link = { 0 };
	int number;
	int fd;

	if (netlink_open(&link, NETLINK_NETFILTER, 0, err) < 0)
		return -1;
	netlink_buffers(&link, REQUEST_BYTES_MAX, RECEIVE_BUFFER_BYTES);
	number = group_bind(&link, group);
	if (number == 0)
		number = group_set_up(&link, group);
	/* the socket goes on under another number, without the buffer of the requests */
	fd = number == 0 ? fcntl(link.fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (number == 0 && fd < 0)
		number = errno;
	netlink_close(&link);
	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	/* EPERM: the kernel says so of the group of another program, before it looks at what is
	 * asked; the privilege itself was enough for the nftables table */
	if (number == EBUSY || number == EPERM || number == EEXIST || number == EUSERS)
		return error_set(err,
			"NFLOG group %u is taken: another program listens to it (nflog_group)",
			group);
	return error_errno(err, number, "NFLOG group %u", group);
}
