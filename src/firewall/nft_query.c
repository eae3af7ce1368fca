#include "firewall/nft_parts.h"

#include "base/error.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>

enum {
	/* A request that names a set, and an element of it or none. */
	REQUEST_BYTES = 128 + NFT_NAME_BYTES,
	/* Datagrams in one call, so that the event loop gets back to its other work. */
	DUMP_READS_MAX = 32,
	/* How often a set is read that changes meanwhile; what the last try brought is taken. */
	DUMP_TRIES_MAX = 3,
};

static const struct nlattr *nested_find(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *attr;

	if (!nest)
		return NULL;
	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

static uint64_t nested_u64(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *attr = nested_find(nest, type);

	if (!attr || mnl_attr_validate(attr, MNL_TYPE_U64) < 0)
		return 0;
	return be64toh(mnl_attr_get_u64(attr));
}

/* -1: no ban can be such an element. Somebody has added it by hand, for example 192.0.2.7 to the
 * set of /24 networks; the rules look up masked addresses and never find it. */
static int element_parse(const struct nlattr *nest, int slot, struct nft_element *element)
{
	const struct nlattr *key =
		nested_find(nested_find(nest, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
	const struct nlattr *counter =
		nested_find(nested_find(nest, NFTA_SET_ELEM_EXPR), NFTA_EXPR_DATA);
	uint64_t left_ms = nested_u64(nest, NFTA_SET_ELEM_EXPIRATION);
	const struct nft_slot kind = nft_slot(slot);
	size_t length = kind.family == 4 ? 4 : 16;
	struct ip ip = { .family = kind.family, .bits = kind.bits };

	if (!key || mnl_attr_get_payload_len(key) != length)
		return -1;
	memcpy(ip.bytes, mnl_attr_get_payload(key), length);
	if (!ip_is_canonical(&ip))
		return -1;
	element->ip = ip;
	element->ttl_s = NFT_PERMANENT;
	if (nested_find(nest, NFTA_SET_ELEM_EXPIRATION))
		element->ttl_s = left_ms ? (int64_t)((left_ms + 999) / 1000) : 1;
	element->packets = nested_u64(counter, NFTA_COUNTER_PACKETS);
	element->bytes = nested_u64(counter, NFTA_COUNTER_BYTES);
	element->present = true;
	return 0;
}

int nft_elements_parse(struct nft *nft, const struct nlmsghdr *message,
	void (*each)(void *context, const struct nft_element *element), void *context)
{
	const char *table = nft_attribute_string(message, NFTA_SET_ELEM_LIST_TABLE);
	const char *name = nft_attribute_string(message, NFTA_SET_ELEM_LIST_SET);
	const struct nlattr *list = nft_attribute(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nft_element element = { 0 };
	const struct nlattr *nest;
	int slot;

	if (!table || strcmp(table, NFT_TABLE) != 0 || !name || !list ||
		nft_sets_find(nft, name, &element.scope, &slot) < 0)
		return -1;
	mnl_attr_for_each_nested(nest, list)
	{
		if (element_parse(nest, slot, &element) == 0)
			each(context, &element);
	}
	return 0;
}

/* Writes a request for one element and returns its length in bytes. The kernel answers with a
 * NFT_MSG_NEWSETELEM or an error, either with this sequence number. */
static size_t query_put(uint8_t *buffer, const char *name, const void *element_key,
	size_t key_bytes, uint32_t seq)
{
	struct nlmsghdr *message =
		nftnl_nlmsg_build_hdr((char *)buffer, NFT_MSG_GETSETELEM, NFPROTO_INET, 0, seq);
	struct nlattr *list;
	struct nlattr *element;
	struct nlattr *key;

	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, name);
	list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
	key = mnl_attr_nest_start(message, NFTA_SET_ELEM_KEY);
	mnl_attr_put(message, NFTA_DATA_VALUE, key_bytes, element_key);
	mnl_attr_nest_end(message, key);
	mnl_attr_nest_end(message, element);
	mnl_attr_nest_end(message, list);
	return MNL_ALIGN(message->nlmsg_len);
}

struct query {
	struct nft *nft;
	struct nft_element *element;
	int number; /* errno value; ENOENT: the set does not hold the element */
};

static void query_element(void *context, const struct nft_element *element)
{
	const struct query *query = context;

	if (ip_equal(&query->element->ip, &element->ip) && query->element->scope == element->scope)
		*query->element = *element;
}

static bool query_answer(void *context, const struct nlmsghdr *message)
{
	struct query *query = context;
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type != NLMSG_ERROR)
		(void)nft_elements_parse(query->nft, message, query_element, query);
	else if (mnl_nlmsg_get_payload_len(message) >= sizeof(*error))
		query->number = -error->error;
	return true;
}

int nft_query(struct nft *nft, struct nft_element *element, struct error *err)
{
	const struct nft_sets *sets = &nft->scopes[element->scope % NFT_SCOPES_MAX];

	element->present = false;
	if (element->scope >= NFT_SCOPES_MAX)
		return 0;
	for (int forever = 0; forever < 2; forever++) {
		struct query query = { .nft = nft, .element = element };
		int slot = nft_slot_find(&element->ip, forever);
		uint8_t buffer[REQUEST_BYTES] = { 0 };
		size_t length;
		int number;

		if (slot < 0 || !sets->made[slot])
			continue;
		length = query_put(buffer, sets->names[slot], element->ip.bytes,
			element->ip.family == 4 ? 4 : 16, ++nft->requests.seq);
		number = netlink_ask(&nft->requests, buffer, length, nft->requests.seq,
			query_answer, &query);
		if (number == 0 && query.number != ENOENT)
			number = query.number;
		if (number)
			return error_errno(err, number, "asking nftables for an element");
	}
	return 0;
}

/* *context: the kernel's answer, an errno value; 0: it sent the element. */
static bool connected_answer(void *context, const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	int *number = context;

	*number = 0;
	if (message->nlmsg_type == NLMSG_ERROR)
		*number = mnl_nlmsg_get_payload_len(message) >= sizeof(*error) && error->error
				  ? -error->error
				  : EPROTO;
	return true;
}

int nft_connected(struct nft *nft, const struct ip *ip, uint16_t port, bool *ret_connected,
	struct error *err)
{
	uint8_t key[sizeof(ip->bytes) + NFT_CONNECTION_PORT_BYTES] = { 0 };
	size_t address_bytes = ip->family == 4 ? 4 : 16;
	uint8_t buffer[REQUEST_BYTES] = { 0 };
	int answer = 0;
	size_t length;
	int number;

	memcpy(key, ip->bytes, address_bytes);
	key[address_bytes] = (uint8_t)(port >> 8);
	key[address_bytes + 1] = (uint8_t)port;
	length = query_put(buffer, nft_connections_set(ip->family), key,
		address_bytes + NFT_CONNECTION_PORT_BYTES, ++nft->requests.seq);
	number = netlink_ask(&nft->requests, buffer, length, nft->requests.seq, connected_answer,
		&answer);
	if (number == 0 && answer != ENOENT)
		number = answer;
	if (number)
		return error_errno(err, number, "asking nftables for a connection");
	*ret_connected = answer == 0;
	return 0;
}

/* Asks for the elements of the set at dump_next, or of the first set after it that is made. When
 * there is none any more it asks for the generation: the answer makes the descriptor readable once
 * again, and nft_dump_read() can say that the list is complete. */
static int dump_request(struct nft *nft, struct error *err)
{
	uint8_t buffer[REQUEST_BYTES] = { 0 };
	struct nlmsghdr *message;
	const struct nft_sets *sets = NULL;
	int number;

	for (; nft->dump_next < (size_t)NFT_SCOPES_MAX * NFT_SLOTS; nft->dump_next++) {
		sets = &nft->scopes[nft->dump_next / NFT_SLOTS];
		if (sets->used && sets->made[nft->dump_next % NFT_SLOTS])
			break;
		sets = NULL;
	}
	nft->dump_changed = false;
	message = nftnl_nlmsg_build_hdr((char *)buffer, sets ? NFT_MSG_GETSETELEM : NFT_MSG_GETGEN,
		NFPROTO_INET, sets ? NLM_F_DUMP : 0, ++nft->dump.seq);
	if (sets) {
		mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
		mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET,
			sets->names[nft->dump_next % NFT_SLOTS]);
	}
	number = netlink_send(&nft->dump, buffer, message->nlmsg_len);
	nft->dump_running = number == 0;
	return number ? error_errno(err, number, "asking nftables for all elements") : 0;
}

int nft_dump_start(struct nft *nft, struct error *err)
{
	nft->dump_next = 0;
	nft->dump_tries = 0;
	return dump_request(nft, err);
}

int nft_dump_fd(const struct nft *nft)
{
	return nft->dump.fd;
}

/* A set has been read to its end. again: it changed meanwhile and is read once more, unless that
 * was the last try; else the next set is asked for. */
static int dump_go_on(struct nft *nft, bool again, struct error *err)
{
	nft->dump_tries++;
	if (!again || nft->dump_tries >= DUMP_TRIES_MAX) {
		nft->dump_tries = 0;
		nft->dump_next++;
	}
	return dump_request(nft, err);
}

struct dump {
	struct nft *nft;
	void (*each)(void *context, const struct nft_element *element);
	void *context;
	struct error *err;
	int rc;
};

static bool dump_message(void *context, const struct nlmsghdr *message)
{
	struct dump *dump = context;
	struct nft *nft = dump->nft;
	enum netlink_step step;
	int number = 0;

	if (message->nlmsg_seq != nft->dump.seq)
		return false;
	if (message->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN)) {
		nft->dump_running = false;
		return true;
	}
	step = netlink_list_step(message, &nft->dump_changed, &number);
	if (step == NETLINK_ITEM) {
		(void)nft_elements_parse(nft, message, dump->each, dump->context);
	} else if (step != NETLINK_FAILED || number == ENOENT) { /* ENOENT: the set is gone */
		dump->rc = dump_go_on(nft, step == NETLINK_AGAIN, dump->err);
	} else {
		nft->dump_running = false;
		dump->rc = error_errno(dump->err, number, "reading all elements");
	}
	return dump->rc < 0;
}

int nft_dump_read(struct nft *nft, void (*each)(void *context, const struct nft_element *element),
	void *context, struct error *err)
{
	struct dump dump = { nft, each, context, err, 0 };
	int number = EAGAIN;

	if (nft->dump_running)
		number = netlink_read(&nft->dump, DUMP_READS_MAX, dump_message, &dump);
	if (number && number != EAGAIN && number != EBUSY) {
		nft->dump_running = false;
		return error_errno(err, number, "reading all elements");
	}
	return dump.rc < 0 ? -1 : nft->dump_running;
}
