#include "firewall/own_addresses.h"

#include "base/alloc.h"
#include "base/error.h"
#include "firewall/logins.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

enum {
	REPLY_TIMEOUT_S = 2,
	/* The kernel fills at most 32 KiB of a dump at a time. */
	RECEIVE_BYTES = 64 * 1024,
	REQUEST_BYTES = 256,
	/* A dump disturbed by a change starts again; what was told stays told. */
	DUMP_TRIES_MAX = 4,
	DUMP_READS_MAX = 65536,
	DRAIN_READS_MAX = 4096,
};

/* Descriptors are -1 until opened. */
struct own_addresses {
	int route_fd;
	int events_fd;
	uint32_t seq;
	uint8_t *received; /* owned, RECEIVE_BYTES long */
};

/* One listing: what was told already. */
struct list {
	void (*each)(void *context, enum own_addresses_kind kind, const struct ip *ip);
	void *context;
	struct {
		enum own_addresses_kind kind;
		struct ip ip;
	} * told; /* OWN_ADDRESSES_MAX */
	size_t n_told;
	bool overflow;
};

const char *own_addresses_kind_text(enum own_addresses_kind kind)
{
	switch (kind) {
	case OWN_ADDRESS:
		return "own address";
	case OWN_GATEWAY:
		return "default gateway";
	case OWN_ONLINK:
		return "on-link network";
	case OWN_SSH_PEER:
		return "SSH session";
	}
	return "unknown";
}

static void list_tell(struct list *list, enum own_addresses_kind kind, const struct ip *ip)
{
	for (size_t i = 0; i < list->n_told; i++)
		if (list->told[i].kind == kind && ip_equal(&list->told[i].ip, ip))
			return;
	if (list->n_told == OWN_ADDRESSES_MAX) {
		list->overflow = true;
		return;
	}
	list->told[list->n_told].kind = kind;
	list->told[list->n_told].ip = *ip;
	list->n_told++;
	list->each(list->context, kind, ip);
}

static int socket_open(int *ret_fd, int protocol, uint32_t groups, struct error *err)
{
	const struct timeval timeout = { .tv_sec = REPLY_TIMEOUT_S };
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = groups };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | (groups ? SOCK_NONBLOCK : 0),
		protocol);

	if (fd < 0)
		return error_errno(err, errno, "netlink socket for addresses and routes");
	*ret_fd = fd;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		return error_errno(err, errno, "binding the netlink socket");
	return 0;
}

int own_addresses_open(struct own_addresses **ret_own, struct error *err)
{
	struct own_addresses *own = alloc_zero(sizeof(*own));

	own->route_fd = -1;
	own->events_fd = -1;
	own->received = alloc_zero(RECEIVE_BYTES);
	if (socket_open(&own->route_fd, NETLINK_ROUTE, 0, err) < 0 ||
		socket_open(&own->events_fd, NETLINK_ROUTE,
			RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
				RTMGRP_IPV6_ROUTE,
			err) < 0) {
		own_addresses_close(own);
		return -1;
	}
	*ret_own = own;
	return 0;
}

void own_addresses_close(struct own_addresses *own)
{
	if (!own)
		return;
	alloc_cleanup_close(&own->route_fd);
	alloc_cleanup_close(&own->events_fd);
	free(own->received);
	free(own);
}

int own_addresses_fd(const struct own_addresses *own)
{
	return own->events_fd;
}

void own_addresses_drain(struct own_addresses *own)
{
	for (uint32_t i = 0; i < DRAIN_READS_MAX; i++) {
		ssize_t n = recv(own->events_fd, own->received, RECEIVE_BYTES, 0);

		/* ENOBUFS says that events were lost: all is read afresh anyway. */
		if (n < 0 && errno != EINTR && errno != ENOBUFS)
			return;
	}
}

/* True and *ret_ip: the attribute holds an address of this family. */
static bool address_read(const struct nlattr *attr, uint8_t family, struct ip *ret_ip)
{
	size_t length = family == AF_INET ? 4 : 16;

	if (!attr || (family != AF_INET && family != AF_INET6) ||
		mnl_attr_get_payload_len(attr) != length)
		return false;
	*ret_ip = ip_from_bytes(family == AF_INET ? 4 : 6, mnl_attr_get_payload(attr));
	return true;
}

static void address_message(struct list *list, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *address = NULL;
	const struct nlattr *local = NULL;
	const struct nlattr *attr;
	struct ip ip;

	if (message->nlmsg_type != RTM_NEWADDR ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return;
	mnl_attr_for_each(attr, message, sizeof(*header))
	{
		if (mnl_attr_get_type(attr) == IFA_ADDRESS)
			address = attr;
		if (mnl_attr_get_type(attr) == IFA_LOCAL)
			local = attr;
	}
	/* On a point-to-point link IFA_ADDRESS is the other end. */
	if (address_read(local ? local : address, header->ifa_family, &ip))
		list_tell(list, OWN_ADDRESS, &ip);
}

/* RTA_GATEWAY, or RTA_VIA for a gateway of the other family. */
static void gateway_attribute(struct list *list, const struct nlattr *attr, uint8_t family)
{
	struct rtvia via;
	const uint8_t *bytes = mnl_attr_get_payload(attr);
	struct ip ip;

	if (mnl_attr_get_type(attr) == RTA_GATEWAY && address_read(attr, family, &ip))
		list_tell(list, OWN_GATEWAY, &ip);
	if (mnl_attr_get_type(attr) != RTA_VIA || mnl_attr_get_payload_len(attr) < sizeof(via))
		return;
	memcpy(&via, bytes, sizeof(via));
	if (mnl_attr_get_payload_len(attr) != sizeof(via) + (via.rtvia_family == AF_INET ? 4 : 16))
		return;
	ip = ip_from_bytes(via.rtvia_family == AF_INET ? 4 : 6, bytes + sizeof(via));
	list_tell(list, OWN_GATEWAY, &ip);
}

/* RTA_MULTIPATH: a row of struct rtnexthop, each with attributes behind it. */
static void gateway_multipath(struct list *list, const struct nlattr *multipath, uint8_t family)
{
	const uint8_t *at = mnl_attr_get_payload(multipath);
	size_t left = mnl_attr_get_payload_len(multipath);

	while (left >= sizeof(struct rtnexthop)) {
		const struct nlattr *attr;
		struct rtnexthop hop;
		size_t step;

		memcpy(&hop, at, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left)
			return;
		attr = (const struct nlattr *)(at + sizeof(hop));
		for (; mnl_attr_ok(attr, (int)(at + hop.rtnh_len - (const uint8_t *)attr));
			attr = mnl_attr_next(attr))
			gateway_attribute(list, attr, family);
		step = MNL_ALIGN(hop.rtnh_len);
		if (step > left)
			return;
		at += step;
		left -= step;
	}
}

static void route_default(struct list *list, const struct nlmsghdr *message)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(*header))
	{
		if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
			gateway_multipath(list, attr, header->rtm_family);
		else
			gateway_attribute(list, attr, header->rtm_family);
	}
}

/* A network of the link itself: made by the kernel for an address, or from a router's
 * announcement. Routes by hand without a gateway do not count: a tunnel's may be half the world. */
static void route_onlink(struct list *list, const struct nlmsghdr *message)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *destination = NULL;
	uint32_t table = header->rtm_table;
	const struct nlattr *attr;
	struct ip ip;

	mnl_attr_for_each(attr, message, sizeof(*header))
	{
		uint16_t type = mnl_attr_get_type(attr);

		if (type == RTA_GATEWAY || type == RTA_VIA || type == RTA_MULTIPATH)
			return;
		if (type == RTA_DST)
			destination = attr;
		if (type == RTA_TABLE && mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			table = mnl_attr_get_u32(attr);
	}
	if (table != RT_TABLE_MAIN || !address_read(destination, header->rtm_family, &ip) ||
		header->rtm_dst_len >= ip.bits)
		return;
	if (ip.bytes[0] == (ip.family == 4 ? 127 : 0xff)) /* loopback, multicast */
		return;
	ip = ip_mask(&ip, header->rtm_dst_len);
	list_tell(list, OWN_ONLINK, &ip);
}

static void route_message(struct list *list, const struct nlmsghdr *message)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type != RTM_NEWROUTE ||
		mnl_nlmsg_get_payload_len(message) < sizeof(*header) ||
		header->rtm_type != RTN_UNICAST || header->rtm_flags & RTM_F_CLONED)
		return;
	if (header->rtm_dst_len == 0)
		route_default(list, message);
	else if (header->rtm_protocol == RTPROT_KERNEL || header->rtm_protocol == RTPROT_RA)
		route_onlink(list, message);
}

struct dump {
	const char *what;
	void (*message)(struct list *list, const struct nlmsghdr *message);
};

enum dump_state { DUMP_MORE, DUMP_DONE, DUMP_AGAIN, DUMP_FAILED };

static enum dump_state dump_message(const struct dump *dump, struct list *list, uint32_t seq,
	const struct nlmsghdr *message, bool *again, int *number)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	bool is_short = mnl_nlmsg_get_payload_len(message) < sizeof(*error);

	if (message->nlmsg_seq != seq)
		return DUMP_MORE;
	*again |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	if (message->nlmsg_type == NLMSG_ERROR) {
		*number = is_short || error->error == 0 ? EPROTO : -error->error;
		return DUMP_FAILED;
	}
	if (message->nlmsg_type == NLMSG_DONE)
		return *again ? DUMP_AGAIN : DUMP_DONE;
	dump->message(list, message);
	return DUMP_MORE;
}

static enum dump_state dump_read(struct own_addresses *own, const struct dump *dump,
	struct list *list, int *number)
{
	enum dump_state state = DUMP_MORE;
	bool again = false;

	*number = EPROTO;
	for (uint32_t i = 0; i < DUMP_READS_MAX && state == DUMP_MORE; i++) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)own->received;
		struct sockaddr_nl from = { 0 };
		socklen_t length = sizeof(from);
		ssize_t n = recvfrom(own->route_fd, own->received, RECEIVE_BYTES, 0,
			(struct sockaddr *)&from, &length);
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*number = errno == EAGAIN ? ETIMEDOUT : errno;
			return DUMP_FAILED;
		}
		if (from.nl_pid != 0) /* not from the kernel */
			continue;
		for (; state == DUMP_MORE && mnl_nlmsg_ok(message, left);
			message = mnl_nlmsg_next(message, &left))
			state = dump_message(dump, list, own->seq, message, &again, number);
	}
	return state == DUMP_MORE ? DUMP_FAILED : state;
}

static int dump_run(struct own_addresses *own, const struct dump *dump, struct nlmsghdr *request,
	struct list *list, struct error *err)
{
	enum dump_state state = DUMP_AGAIN;
	int number = EAGAIN;

	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	for (uint32_t i = 0; i < DUMP_TRIES_MAX && state == DUMP_AGAIN; i++) {
		request->nlmsg_seq = ++own->seq;
		if (send(own->route_fd, request, request->nlmsg_len, 0) < 0)
			return error_errno(err, errno, "asking for %s", dump->what);
		state = dump_read(own, dump, list, &number);
	}
	if (state == DUMP_FAILED)
		return error_errno(err, number, "reading %s", dump->what);
	return 0;
}

static int addresses_list(struct own_addresses *own, struct list *list, struct error *err)
{
	const struct dump dump = { "addresses", address_message };
	_Alignas(struct nlmsghdr) uint8_t buffer[REQUEST_BYTES];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

	request->nlmsg_type = RTM_GETADDR;
	(void)mnl_nlmsg_put_extra_header(request, sizeof(struct ifaddrmsg)); /* zero: all */
	return dump_run(own, &dump, request, list, err);
}

static int routes_list(struct own_addresses *own, struct list *list, struct error *err)
{
	const struct dump dump = { "routes", route_message };
	_Alignas(struct nlmsghdr) uint8_t buffer[REQUEST_BYTES];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

	request->nlmsg_type = RTM_GETROUTE;
	(void)mnl_nlmsg_put_extra_header(request, sizeof(struct rtmsg)); /* zero: all */
	return dump_run(own, &dump, request, list, err);
}

static int list_end(const struct list *list, struct error *err)
{
	if (!list->overflow)
		return 0;
	return error_set(err,
		"more than %d own addresses, networks and SSH sessions: the rest is left out",
		OWN_ADDRESSES_MAX);
}

static void login_tell(void *context, const struct ip *ip)
{
	list_tell(context, OWN_SSH_PEER, ip);
}

int own_addresses_ssh_peers(void (*each)(void *context, enum own_addresses_kind kind,
				    const struct ip *ip),
	void *context, struct error *err)
{
	struct list list = { .each = each, .context = context };
	int rc;

	list.told = alloc_array(OWN_ADDRESSES_MAX, sizeof(*list.told));
	rc = logins_list(LOGINS_UTMP, login_tell, &list, err);
	if (rc == 0)
		rc = list_end(&list, err);
	free(list.told);
	return rc;
}

int own_addresses_list(struct own_addresses *own,
	void (*each)(void *context, enum own_addresses_kind kind, const struct ip *ip),
	void *context, struct error *err)
{
	struct list list = { .each = each, .context = context };
	int rc = 0;

	list.told = alloc_array(OWN_ADDRESSES_MAX, sizeof(*list.told));
	rc |= addresses_list(own, &list, err);
	rc |= routes_list(own, &list, err);
	if (rc == 0)
		rc = list_end(&list, err);
	free(list.told);
	rc |= own_addresses_ssh_peers(each, context, rc == 0 ? err : NULL);
	return rc;
}
