#include "firewall/nft_parts.h"

#include <netinet/in.h> /* has to come before linux/netfilter.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>

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

/* In one transaction, so that no packet goes by between the old rules and the new ones. A chain
 * that is to go is made first: what is not there cannot be deleted. */
int nft_wire(struct nft *nft, int32_t group, struct error *err)
{
	struct nft_batch batch;

	nft_batch_begin(nft, &batch);
	nft_chain_add(nft, &batch, NFT_WIRE_CHAIN, NF_INET_LOCAL_OUT);
	nft_rules_delete(nft, &batch, NFT_WIRE_CHAIN, 0);
	if (group == NFT_WIRE_NONE)
		chain_delete(nft, &batch);
	else
		copies_add(nft, &batch, (uint16_t)group);
	return nft_objects_send(nft, &batch, "making the chain " NFT_WIRE_CHAIN, err);
}
