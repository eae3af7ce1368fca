#include "firewall/nft_parts.h"

#include "base/error.h"

#include <netinet/in.h> /* has to come before linux/netfilter.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>

enum {
	/* Of a longer answer only the beginning is copied, and the reader takes it for lost. The
	 * kernel copies without waiting for memory and counts no failure, so that a copy must not
	 * need more than one page. */
	WIRE_SNAPLEN_BYTES = 2048,
};

static void chain_delete(struct nft *nft, struct nft_batch *batch)
{
	struct nlmsghdr *message = nft_object_message(nft, batch, NFT_MSG_DELCHAIN, 0);
	struct nftnl_chain *chain = nft_must(nftnl_chain_alloc());

	(void)nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, NFT_TABLE);
	(void)nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, NFT_WIRE_CHAIN);
	nftnl_chain_nlmsg_build_payload(message, chain);
	nftnl_chain_free(chain);
	nft_batch_add(nft, batch, message);
}

/* As the program nft shows it:
 *	meta l4proto udp @th,64,80 0x5349502f322e30203430 log group 5060 snaplen 2048
 * The 10 bytes behind the UDP header are then "SIP/2.0 40". There is no limit, and no port: see
 * nft_wire(). */
static void copies_add(struct nft *nft, struct nft_batch *batch, uint16_t group)
{
	static const char answer[] = "SIP/2.0 40";
	struct nftnl_rule *rule = nft_rule_new(NFT_WIRE_CHAIN);
	struct nftnl_expr *log = nft_must(nftnl_expr_alloc("log"));

	nft_expr_meta(rule, NFT_META_L4PROTO, NFT_CMP_EQ, IPPROTO_UDP);
	nft_expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 8, sizeof(answer) - 1, NFT_REG_1);
	nft_expr_compare(rule, NFT_CMP_EQ, answer, sizeof(answer) - 1);
	nftnl_expr_set_u16(log, NFTNL_EXPR_LOG_GROUP, group);
	nftnl_expr_set_u32(log, NFTNL_EXPR_LOG_SNAPLEN, WIRE_SNAPLEN_BYTES);
	nft_expr_add(rule, log);
	nft_rule_append(nft, batch, rule);
}

/* ---- connections ---- */

/* What differs between the families, IPv4 first: where a header has the destination address, and
 * into which register the port goes, so that it follows the address. */
static const struct family {
	uint8_t nfproto;
	uint8_t address_offset;
	uint8_t address_bytes;
	uint8_t port_register;
	uint8_t address_type;
	const char *set;
} families[] = {
	{ NFPROTO_IPV4, 16, 4, NFT_REG32_01, NFT_TYPE_IPADDR, "connections_v4" },
	{ NFPROTO_IPV6, 24, 16, NFT_REG32_04, NFT_TYPE_IP6ADDR, "connections_v6" },
};
enum { FAMILIES = sizeof(families) / sizeof(families[0]) };

static struct nftnl_set *set_new(const struct family *family, const struct nft_connections *wanted)
{
	struct nftnl_set *set = nft_set_new(family->set, NFT_SET_TIMEOUT | NFT_SET_EVAL,
		(uint32_t)family->address_type << NFT_TYPE_BITS | NFT_TYPE_INET_SERVICE,
		family->address_bytes + NFT_CONNECTION_PORT_BYTES);

	nftnl_set_set_u64(set, NFTNL_SET_TIMEOUT, wanted->lifetime_ms);
	nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, wanted->max);
	return set;
}

static void set_delete(struct nft *nft, struct nft_batch *batch, const char *name)
{
	struct nlmsghdr *message = nft_object_message(nft, batch, NFT_MSG_DELSET, 0);
	struct nftnl_set *set = nft_set_new(name, 0, 0, 0);

	nftnl_set_nlmsg_build_payload(message, set);
	nftnl_set_free(set);
	nft_batch_add(nft, batch, message);
}

/* The rules that follow are for TCP segments with PSH, which end what a program has written.
 *Others, above all media streams, leave the chain here. As nft shows the two rules: meta l4proto !=
 *tcp accept tcp flags ! psh accept */
static void guards_add(struct nft *nft, struct nft_batch *batch)
{
	const uint8_t psh = 0x08;
	const uint8_t none = 0;
	struct nftnl_rule *rule = nft_rule_new(NFT_WIRE_CHAIN);

	nft_expr_meta(rule, NFT_META_L4PROTO, NFT_CMP_NEQ, IPPROTO_TCP);
	nft_expr_verdict(rule, NF_ACCEPT);
	nft_rule_append(nft, batch, rule);
	rule = nft_rule_new(NFT_WIRE_CHAIN);
	nft_expr_meta(rule, NFT_META_L4PROTO, NFT_CMP_EQ, IPPROTO_TCP);
	nft_expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, NFT_REG_1);
	nft_expr_mask(rule, &psh, 1);
	nft_expr_compare(rule, NFT_CMP_EQ, &none, 1);
	nft_expr_verdict(rule, NF_ACCEPT);
	nft_rule_append(nft, batch, rule);
}

/* Notes the destination of a segment, or counts that the set has no room for it. As nft shows it,
 * which leaves out that the rule goes on to its counter only when the update has failed:
 *	tcp sport 5038 update @connections_v4 { ip daddr . tcp dport } counter */
static void note_add(struct nft *nft, struct nft_batch *batch, const struct family *family,
	const struct scope *ports, uint32_t range)
{
	struct nftnl_rule *rule = nft_rule_new(NFT_WIRE_CHAIN);
	struct nftnl_expr *update = nft_must(nftnl_expr_alloc("dynset"));

	nft_expr_meta(rule, NFT_META_NFPROTO, NFT_CMP_EQ, family->nfproto);
	nft_expr_meta(rule, NFT_META_L4PROTO, NFT_CMP_EQ, IPPROTO_TCP);
	nft_expr_port(rule, NFT_PORT_SOURCE, ports->ranges[range].first, ports->ranges[range].last);
	nft_expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, family->address_offset,
		family->address_bytes, NFT_REG_1);
	nft_expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, NFT_PORT_DESTINATION, 2,
		family->port_register);
	nftnl_expr_set_u32(update, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_u32(update, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	(void)nftnl_expr_set_str(update, NFTNL_EXPR_DYNSET_SET_NAME, family->set);
	nftnl_expr_set_u32(update, NFTNL_EXPR_DYNSET_FLAGS, NFT_DYNSET_F_INV);
	nft_expr_add(rule, update);
	nft_expr_add(rule, nft_must(nftnl_expr_alloc("counter")));
	nft_rule_append(nft, batch, rule);
}

static void connections_add(struct nft *nft, struct nft_batch *batch,
	const struct nft_connections *wanted)
{
	guards_add(nft, batch);
	for (size_t i = 0; i < FAMILIES; i++) {
		nft_set_add(nft, batch, set_new(&families[i], wanted));
		for (uint32_t range = 0; range < wanted->ports.n_ranges; range++)
			note_add(nft, batch, &families[i], &wanted->ports, range);
	}
}

/* Makes the sets first: what is not there cannot be deleted. */
static void connections_delete(struct nft *nft, struct nft_batch *batch,
	const struct nft_connections *known)
{
	for (size_t i = 0; i < FAMILIES; i++) {
		nft_set_add(nft, batch, set_new(&families[i], known));
		set_delete(nft, batch, families[i].set);
	}
}

/* ---- all of it ---- */

/* In one transaction, so that no packet goes by between the old rules and the new ones. The copies
 * come first, since the guards of the connections end the chain. A chain that is to go is made
 * first, as the sets are. */
static int output_make(struct nft *nft, const struct nft_output *wanted, struct error *err)
{
	const struct nft_connections *connections = &wanted->connections;
	struct nft_batch batch;

	nft_batch_begin(nft, &batch);
	nft_chain_add(nft, &batch, NFT_WIRE_CHAIN, NF_INET_LOCAL_OUT);
	nft_rules_delete(nft, &batch, NFT_WIRE_CHAIN, 0);
	if (wanted->group != NFT_WIRE_NONE)
		copies_add(nft, &batch, (uint16_t)wanted->group);
	if (connections->ports.n_ranges)
		connections_add(nft, &batch, connections);
	else if (nft->output.connections.ports.n_ranges)
		connections_delete(nft, &batch, &nft->output.connections);
	if (wanted->group == NFT_WIRE_NONE && !connections->ports.n_ranges)
		chain_delete(nft, &batch);
	if (nft_objects_send(nft, &batch, "making the chain " NFT_WIRE_CHAIN, err) < 0)
		return -1;
	nft->output = *wanted;
	return 0;
}

int nft_wire(struct nft *nft, int32_t group, struct error *err)
{
	struct nft_output wanted = nft->output;

	wanted.group = group;
	return output_make(nft, &wanted, err);
}

int nft_connections(struct nft *nft, const struct nft_connections *connections, struct error *err)
{
	struct nft_output wanted = nft->output;

	if (connections->ports.n_ranges && (!scope_is_valid(&connections->ports) ||
						   connections->ports.protocol != IPPROTO_TCP))
		return error_set(err, "no TCP ports");
	wanted.connections = *connections;
	return output_make(nft, &wanted, err);
}

const char *nft_connections_set(uint8_t family)
{
	return families[family == 4 ? 0 : 1].set;
}

static void missed_restart(void *context)
{
	*(uint64_t *)context = 0;
}

static void missed_rule(void *context, const struct nlmsghdr *message)
{
	struct nftnl_rule *rule = nft_must(nftnl_rule_alloc());
	struct nftnl_expr_iter *iter;
	struct nftnl_expr *expr;
	uint64_t *count = context;

	if (nftnl_rule_nlmsg_parse(message, rule) == 0) {
		iter = nft_must(nftnl_expr_iter_create(rule));
		while ((expr = nftnl_expr_iter_next(iter)))
			if (strcmp(nftnl_expr_get_str(expr, NFTNL_EXPR_NAME), "counter") == 0)
				*count += nftnl_expr_get_u64(expr, NFTNL_EXPR_CTR_PACKETS);
		nftnl_expr_iter_destroy(iter);
	}
	nftnl_rule_free(rule);
}

int nft_connections_missed(struct nft *nft, uint64_t *ret_count, struct error *err)
{
	uint64_t count = 0;
	const struct netlink_lister lister = { missed_restart, missed_rule, &count };

	if (nft_list(nft, NFT_MSG_GETRULE, NFT_WIRE_CHAIN, &lister, err) < 0)
		return -1;
	*ret_count = count;
	return 0;
}
