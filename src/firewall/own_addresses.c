#include "firewall/own_addresses.h"

#include "base/alloc.h"
#include "base/error.h"
#include "firewall/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>

enum { REQUEST_BYTES = 256 };

struct own_addresses {
	struct netlink requests;
	struct netlink events;
};

/* One listing: where it goes, and how many entries may be there at its end. */
struct list {
	struct own_addresses_found *found; /* borrowed */
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

static void list_add(struct list *list, enum own_addresses_kind kind, const struct ip *ip)
{
	struct own_addresses_found *found = list->found;

	for (size_t i = 0; i < found->count; i++)
		if (found->entries[i].kind == kind && ip_equal(&found->entries[i].ip, ip))
			return;
	if (found->count == OWN_ADDRESSES_MAX) {
		list->overflow = true;
		return;
	}
	found->entries[found->count].kind = kind;
	found->entries[found->count++].ip = *ip;
}

int own_addresses_open(struct own_addresses **ret_own, struct error *err)
{
	const uint32_t events =
		RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
	struct own_addresses *own = alloc_zero(sizeof(*own));

	if (netlink_open(&own->requests, NETLINK_ROUTE, 0, err) < 0 ||
		netlink_open(&own->events, NETLINK_ROUTE, events, err) < 0) {
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
	netlink_close(&own->requests);
	netlink_close(&own->events);
	free(own);
}

int own_addresses_fd(const struct own_addresses *own)
{
	return own->events.fd;
}

/* What the events say, and whether some were lost, does not matter: the caller reads all addresses
 * and routes again. */
void own_addresses_drain(struct own_addresses *own)
{
	netlink_drain(&own->events);
}

/* True: the attribute holds an address of this family (AF_*), which is in *ret_ip. */
static bool address_read(const struct nlattr *attr, uint8_t family, struct ip *ret_ip)
{
	size_t length = family == AF_INET ? 4 : 16;

	if (!attr || (family != AF_INET && family != AF_INET6) ||
		mnl_attr_get_payload_len(attr) != length)
		return false;
	*ret_ip = ip_from_bytes(family == AF_INET ? 4 : 6, mnl_attr_get_payload(attr));
	return true;
}

static void address_message(void *context, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	/* On a point-to-point link IFA_LOCAL is our end, and IFA_ADDRESS the other one. */
	const struct nlattr *local = netlink_attribute(message, sizeof(*header), IFA_LOCAL);
	const struct nlattr *address = netlink_attribute(message, sizeof(*header), IFA_ADDRESS);
	struct ip ip;

	if (message->nlmsg_type == RTM_NEWADDR && (local || address) &&
		address_read(local ? local : address, header->ifa_family, &ip))
		list_add(context, OWN_ADDRESS, &ip);
}

/* RTA_GATEWAY holds a gateway of the route's own family; RTA_VIA one of either family, as for an
 * IPv4 route over an IPv6 router. */
static void gateway_attribute(struct list *list, const struct nlattr *attr, uint8_t family)
{
	struct rtvia via;
	const uint8_t *bytes = mnl_attr_get_payload(attr);
	struct ip ip;

	if (mnl_attr_get_type(attr) == RTA_GATEWAY && address_read(attr, family, &ip))
		list_add(list, OWN_GATEWAY, &ip);
	if (mnl_attr_get_type(attr) != RTA_VIA || mnl_attr_get_payload_len(attr) < sizeof(via))
		return;
	memcpy(&via, bytes, sizeof(via));
	if (mnl_attr_get_payload_len(attr) != sizeof(via) + (via.rtvia_family == AF_INET ? 4 : 16))
		return;
	ip = ip_from_bytes(via.rtvia_family == AF_INET ? 4 : 6, bytes + sizeof(via));
	list_add(list, OWN_GATEWAY, &ip);
}

/* RTA_MULTIPATH, a route over several gateways: an array of struct rtnexthop, each followed by its
 * attributes; rtnh_len counts both. */
static void gateway_multipath(struct list *list, const struct nlattr *multipath, uint8_t family)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(multipath);
	int left = mnl_attr_get_payload_len(multipath);

	for (; left >= (int)sizeof(*hop) && RTNH_OK(hop, left); hop = RTNH_NEXT(hop)) {
		const struct nlattr *attr;

		mnl_attr_for_each_payload((const void *)RTNH_DATA(hop),
			hop->rtnh_len - sizeof(*hop))
		{
			/* cppcheck-suppress uninitvar ; the macro sets it */
			gateway_attribute(list, attr, family);
		}
		left -= RTNH_ALIGN(hop->rtnh_len);
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

/* A network that is reached without a gateway, and whose route the kernel made: for an address of
 * an interface, or by a router's announcement. Routes that somebody has set by hand are not handed
 * in: a tunnel's may cover half the Internet, which would never be banned. */
static void route_onlink(struct list *list, const struct nlmsghdr *message)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *destination = netlink_attribute(message, sizeof(*header), RTA_DST);
	const struct nlattr *wide = netlink_attribute(message, sizeof(*header), RTA_TABLE);
	uint32_t table = header->rtm_table; /* one above 255 is in RTA_TABLE alone */
	struct ip ip;

	if (netlink_attribute(message, sizeof(*header), RTA_GATEWAY) ||
		netlink_attribute(message, sizeof(*header), RTA_VIA) ||
		netlink_attribute(message, sizeof(*header), RTA_MULTIPATH))
		return;
	if (wide && mnl_attr_validate(wide, MNL_TYPE_U32) == 0)
		table = mnl_attr_get_u32(wide);
	if (table != RT_TABLE_MAIN || !address_read(destination, header->rtm_family, &ip) ||
		header->rtm_dst_len >= ip.bits)
		return;
	if (ip.bytes[0] == (ip.family == 4 ? 127 : 0xff)) /* loopback, multicast */
		return;
	ip = ip_mask(&ip, header->rtm_dst_len);
	list_add(list, OWN_ONLINK, &ip);
}

static void route_message(void *context, const struct nlmsghdr *message)
{
	struct list *list = context;
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

/* Lists all addresses or routes. The header that follows nlmsghdr (header_bytes) stays zero, which
 * asks for both families. */
static int list_read(struct own_addresses *own, struct list *list, uint16_t type,
	size_t header_bytes, void (*each)(void *context, const struct nlmsghdr *message),
	struct error *err)
{
	const struct netlink_lister lister = { .each = each, .context = list };
	_Alignas(struct nlmsghdr) uint8_t buffer[REQUEST_BYTES];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	int number;

	request->nlmsg_type = type;
	(void)mnl_nlmsg_put_extra_header(request, header_bytes);
	number = netlink_list(&own->requests, request, &lister);
	if (number == 0 || number == EAGAIN) /* EAGAIN: the change also causes an event, and then we
						read again */
		return 0;
	return error_errno(err, number, "reading %s", type == RTM_GETADDR ? "addresses" : "routes");
}

static int list_end(const struct list *list, struct error *err)
{
	if (!list->overflow)
		return 0;
	return error_set(err, "more than %d own addresses and networks: the rest is left out",
		OWN_ADDRESSES_MAX);
}

int own_addresses_list(struct own_addresses *own, struct own_addresses_found *ret_found,
	struct error *err)
{
	struct list list = { .found = ret_found };
	int rc = 0;

	ret_found->count = 0;
	rc |= list_read(own, &list, RTM_GETADDR, sizeof(struct ifaddrmsg), address_message, err);
	rc |= list_read(own, &list, RTM_GETROUTE, sizeof(struct rtmsg), route_message, err);
	return rc == 0 ? list_end(&list, err) : rc;
}
