#include "firewall/nft_parts.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>

enum {
	/* Before conntrack (-200), so that a ban costs no conntrack entry and also stops flows that
	 * are established; after defragmentation (-400), so that all packets have their ports. */
	HOOK_PRIORITY = -300,
	/* Room for one message that makes a table, chain, set or rule. */
	OBJECT_ROOM_BYTES = 2048,
};

void *nft_must(void *object)
{
	if (!object)
		abort();
	return object;
}

struct nlmsghdr *nft_object_message(struct nft *nft, const struct nft_batch *batch, uint16_t type,
	uint16_t flags)
{
	return nft_must(nft_batch_message(nft, batch, type, flags, OBJECT_ROOM_BYTES));
}

int nft_objects_send(struct nft *nft, struct nft_batch *batch, const char *what, struct error *err)
{
	struct nft_reply reply;

	if (nft_batch_send(nft, batch, &reply, err) < 0)
		return error_prefix(err, "%s", what);
	if (reply.number)
		return error_errno(err, reply.number, "%s", what);
	return 0;
}

void nft_chain_add(struct nft *nft, struct nft_batch *batch, const char *name, uint32_t hook)
{
	struct nlmsghdr *message = nft_object_message(nft, batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	struct nftnl_chain *chain = nft_must(nftnl_chain_alloc());

	(void)nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, NFT_TABLE);
	(void)nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
	(void)nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, hook);
	nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, HOOK_PRIORITY);
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	nftnl_chain_nlmsg_build_payload(message, chain);
	nftnl_chain_free(chain);
	nft_batch_add(nft, batch, message);
}

struct nftnl_set *nft_set_new(const char *name, uint32_t flags, uint32_t key_type,
	uint32_t key_bytes)
{
	struct nftnl_set *set = nft_must(nftnl_set_alloc());

	(void)nftnl_set_set_str(set, NFTNL_SET_TABLE, NFT_TABLE);
	(void)nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, flags);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, key_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, key_bytes);
	return set;
}

void nft_set_add(struct nft *nft, struct nft_batch *batch, struct nftnl_set *set)
{
	struct nlmsghdr *message = nft_object_message(nft, batch, NFT_MSG_NEWSET, NLM_F_CREATE);

	/* the number has to be unique in the transaction only */
	nftnl_set_set_u32(set, NFTNL_SET_ID, message->nlmsg_seq);
	nftnl_set_nlmsg_build_payload(message, set);
	nftnl_set_free(set);
	nft_batch_add(nft, batch, message);
}

/* ---- rules ---- */

struct nftnl_rule *nft_rule_new(const char *chain)
{
	struct nftnl_rule *rule = nft_must(nftnl_rule_alloc());

	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	(void)nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, NFT_TABLE);
	(void)nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	return rule;
}

static void rule_send(struct nft *nft, struct nft_batch *batch, struct nlmsghdr *message,
	struct nftnl_rule *rule)
{
	nftnl_rule_nlmsg_build_payload(message, rule);
	nftnl_rule_free(rule);
	nft_batch_add(nft, batch, message);
}

void nft_rule_append(struct nft *nft, struct nft_batch *batch, struct nftnl_rule *rule)
{
	rule_send(nft, batch,
		nft_object_message(nft, batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND), rule);
}

void nft_rules_delete(struct nft *nft, struct nft_batch *batch, const char *chain, uint64_t handle)
{
	struct nftnl_rule *rule = nft_rule_new(chain);

	if (handle)
		nftnl_rule_set_u64(rule, NFTNL_RULE_HANDLE, handle);
	rule_send(nft, batch, nft_object_message(nft, batch, NFT_MSG_DELRULE, 0), rule);
}

/* ---- what a rule consists of ---- */

void nft_expr_add(struct nftnl_rule *rule, struct nftnl_expr *expr)
{
	nftnl_rule_add_expr(rule, expr); /* the rule owns it now */
}

void nft_expr_compare(struct nftnl_rule *rule, uint32_t op, const void *data, uint32_t length)
{
	struct nftnl_expr *compare = nft_must(nftnl_expr_alloc("cmp"));

	nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_OP, op);
	(void)nftnl_expr_set(compare, NFTNL_EXPR_CMP_DATA, data, length);
	nft_expr_add(rule, compare);
}

void nft_expr_meta(struct nftnl_rule *rule, uint32_t key, uint32_t op, uint8_t value)
{
	struct nftnl_expr *meta = nft_must(nftnl_expr_alloc("meta"));

	nftnl_expr_set_u32(meta, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(meta, NFTNL_EXPR_META_DREG, NFT_REG_1);
	nft_expr_add(rule, meta);
	nft_expr_compare(rule, op, &value, sizeof(value));
}

void nft_expr_payload(struct nftnl_rule *rule, uint32_t base, uint32_t offset, uint32_t length,
	uint32_t reg)
{
	struct nftnl_expr *payload = nft_must(nftnl_expr_alloc("payload"));

	nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_DREG, reg);
	nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(payload, NFTNL_EXPR_PAYLOAD_LEN, length);
	nft_expr_add(rule, payload);
}

void nft_expr_port(struct nftnl_rule *rule, uint32_t offset, uint16_t first, uint16_t last)
{
	uint16_t ends[2] = { htons(first), htons(last) };

	nft_expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, offset, 2, NFT_REG_1);
	if (first == last) {
		nft_expr_compare(rule, NFT_CMP_EQ, &ends[0], 2);
		return;
	}
	nft_expr_compare(rule, NFT_CMP_GTE, &ends[0], 2);
	nft_expr_compare(rule, NFT_CMP_LTE, &ends[1], 2);
}

void nft_expr_mask(struct nftnl_rule *rule, const void *mask, uint32_t length)
{
	struct nftnl_expr *bitwise = nft_must(nftnl_expr_alloc("bitwise"));
	const uint8_t none[16] = { 0 };

	nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set_u32(bitwise, NFTNL_EXPR_BITWISE_LEN, length);
	(void)nftnl_expr_set(bitwise, NFTNL_EXPR_BITWISE_MASK, mask, length);
	(void)nftnl_expr_set(bitwise, NFTNL_EXPR_BITWISE_XOR, none, length);
	nft_expr_add(rule, bitwise);
}

void nft_expr_verdict(struct nftnl_rule *rule, uint32_t verdict)
{
	struct nftnl_expr *immediate = nft_must(nftnl_expr_alloc("immediate"));

	nftnl_expr_set_u32(immediate, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(immediate, NFTNL_EXPR_IMM_VERDICT, verdict);
	nft_expr_add(rule, immediate);
}
