#include "firewall/nft_parts.h"

#include "base/alloc.h"
#include "base/error.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>

enum {
	/* Rules of one set that a survey notes: one more than there should be, so that surplus
	 * rules are seen. If there are still more, the next call deletes them. */
	RULES_MAX = SCOPE_RANGES_MAX + 1,
};

/* What the kernel has of one scope: its sets, and the handles of the rules that look them up. */
struct survey {
	struct nft_sets *sets;
	bool found[NFT_SLOTS];
	uint32_t n_rules[NFT_SLOTS];
	uint64_t handles[NFT_SLOTS][RULES_MAX];
};

struct nft_slot nft_slot(int slot)
{
	const struct ip_width *width = &ip_ban_widths[slot / 2];

	return (struct nft_slot){ width->family, width->bits, slot % 2 };
}

int nft_slot_find(const struct ip *ip, bool forever)
{
	int width = ip_ban_width(ip);

	return width < 0 ? -1 : 2 * width + forever;
}

static int slot_by_name(const struct nft_sets *sets, const char *name)
{
	for (int i = 0; sets->used && i < NFT_SLOTS; i++)
		if (strcmp(sets->names[i], name) == 0)
			return i;
	return -1;
}

int nft_sets_find(struct nft *nft, const char *name, uint8_t *ret_scope, int *ret_slot)
{
	/* Successive messages are mostly about the same scope: the last one is tried first. */
	for (size_t i = 0; i < NFT_SCOPES_MAX; i++) {
		size_t scope = (nft->found_scope + i) % NFT_SCOPES_MAX;
		int slot = slot_by_name(&nft->scopes[scope], name);

		if (slot < 0)
			continue;
		nft->found_scope = scope;
		*ret_scope = (uint8_t)scope;
		*ret_slot = slot;
		return 0;
	}
	return -1;
}

int nft_open(struct nft **ret_nft, struct error *err)
{
	struct nft *nft = alloc_zero(sizeof(*nft));

	nft->output.group = NFT_WIRE_NONE;
	if (nft_sockets_open(nft, err) < 0) {
		nft_close(nft);
		return -1;
	}
	*ret_nft = nft;
	return 0;
}

static void sets_done(struct nft_sets *sets)
{
	for (int i = 0; i < NFT_SLOTS; i++)
		free(sets->names[i]);
	memset(sets, 0, sizeof(*sets));
}

void nft_close(struct nft *nft)
{
	if (!nft)
		return;
	for (int i = 0; i < NFT_SCOPES_MAX; i++)
		sets_done(&nft->scopes[i]);
	nft_sockets_close(nft);
	free(nft);
}

static void table_add(struct nft *nft, struct nft_batch *batch)
{
	struct nlmsghdr *message = nft_object_message(nft, batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	struct nftnl_table *table = nft_must(nftnl_table_alloc());

	(void)nftnl_table_set_str(table, NFTNL_TABLE_NAME, NFT_TABLE);
	nftnl_table_set_u32(table, NFTNL_TABLE_FLAGS, 0); /* clears "dormant" */
	nftnl_table_nlmsg_build_payload(message, table);
	nftnl_table_free(table);
	nft_batch_add(nft, batch, message);
}

int nft_ensure(struct nft *nft, struct error *err)
{
	struct nft_batch batch;

	nft_batch_begin(nft, &batch);
	table_add(nft, &batch);
	nft_chain_add(nft, &batch, NFT_CHAIN, NF_INET_PRE_ROUTING);
	return nft_objects_send(nft, &batch, "making the table inet " NFT_TABLE, err);
}

static void expr_ports(struct nftnl_rule *rule, const struct scope *scope, uint32_t range)
{
	nft_expr_meta(rule, NFT_META_L4PROTO, NFT_CMP_EQ, scope->protocol);
	nft_expr_port(rule, NFT_PORT_DESTINATION, scope->ranges[range].first,
		scope->ranges[range].last);
}

static void expr_mask(struct nftnl_rule *rule, const struct nft_slot *slot)
{
	uint8_t mask[16] = { 0 };

	memset(mask, 0xff, slot->bits / 8); /* all prefix lengths of bans are whole bytes */
	nft_expr_mask(rule, mask, slot->family == 4 ? 4 : 16);
}

static void expr_drop_listed(struct nftnl_rule *rule, const char *set_name)
{
	struct nftnl_expr *lookup = nft_must(nftnl_expr_alloc("lookup"));

	nftnl_expr_set_u32(lookup, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	(void)nftnl_expr_set_str(lookup, NFTNL_EXPR_LOOKUP_SET, set_name);
	nft_expr_add(rule, lookup);
	nft_expr_verdict(rule, NF_DROP);
}

/* A rule compares the family, then the protocol and one range of ports (unless the scope is for all
 * ports), masks the source address to the slot's length, looks it up in the set, and drops. As the
 * program nft shows one:
 *	meta nfproto ipv4 udp dport 5060 ip saddr @udp_5060_v4_32 drop
 * range: index in the scope's ranges. The source address is at byte 12 of IPv4, 8 of IPv6. */
static void rule_add(struct nft *nft, struct nft_batch *batch, const struct nft_sets *sets,
	int slot, uint32_t range)
{
	const struct nft_slot kind = nft_slot(slot);
	struct nftnl_rule *rule = nft_rule_new(NFT_CHAIN);

	nft_expr_meta(rule, NFT_META_NFPROTO, NFT_CMP_EQ,
		kind.family == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	if (sets->scope.n_ranges)
		expr_ports(rule, &sets->scope, range);
	if (kind.family == 4)
		nft_expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 12, 4, NFT_REG_1);
	else
		nft_expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 8, 16, NFT_REG_1);
	if (kind.bits != (kind.family == 4 ? 32 : 128))
		expr_mask(rule, &kind);
	expr_drop_listed(rule, sets->names[slot]);
	nft_rule_append(nft, batch, rule);
}

/* The set gets no size limit: a full set would refuse a whole transaction. ELEMENTS_MAX bounds the
 * elements. */
static void set_add(struct nft *nft, struct nft_batch *batch, const char *name,
	const struct nft_slot *slot)
{
	struct nftnl_set *set = nft_set_new(name, slot->forever ? 0 : NFT_SET_TIMEOUT,
		slot->family == 4 ? NFT_TYPE_IPADDR : NFT_TYPE_IP6ADDR, slot->family == 4 ? 4 : 16);

	nftnl_set_add_expr(set, nft_must(nftnl_expr_alloc("counter"))); /* the set owns it now */
	nft_set_add(nft, batch, set);
}

static void survey_sets_restart(void *context)
{
	struct survey *survey = context;

	memset(survey->found, 0, sizeof(survey->found));
}

static void survey_set(void *context, const struct nlmsghdr *message)
{
	struct survey *survey = context;
	const char *name = nft_attribute_string(message, NFTA_SET_NAME);
	int slot = name ? slot_by_name(survey->sets, name) : -1;

	if (slot >= 0)
		survey->found[slot] = true;
}

static void survey_rules_restart(void *context)
{
	struct survey *survey = context;

	memset(survey->n_rules, 0, sizeof(survey->n_rules));
}

static int rule_slot(const struct survey *survey, struct nftnl_rule *rule)
{
	struct nftnl_expr_iter *iter = nft_must(nftnl_expr_iter_create(rule));
	struct nftnl_expr *expr;
	const char *name = NULL;

	while (!name && (expr = nftnl_expr_iter_next(iter)))
		if (strcmp(nftnl_expr_get_str(expr, NFTNL_EXPR_NAME), "lookup") == 0)
			name = nftnl_expr_get_str(expr, NFTNL_EXPR_LOOKUP_SET);
	nftnl_expr_iter_destroy(iter);
	return name ? slot_by_name(survey->sets, name) : -1;
}

static void survey_rule(void *context, const struct nlmsghdr *message)
{
	struct survey *survey = context;
	struct nftnl_rule *rule = nft_must(nftnl_rule_alloc());
	int slot = -1;

	if (nftnl_rule_nlmsg_parse(message, rule) == 0)
		slot = rule_slot(survey, rule);
	if (slot >= 0 && survey->n_rules[slot] < RULES_MAX)
		survey->handles[slot][survey->n_rules[slot]++] =
			nftnl_rule_get_u64(rule, NFTNL_RULE_HANDLE);
	nftnl_rule_free(rule);
}

/* Asks the kernel for the sets and rules of survey->sets. */
static int survey_take(struct nft *nft, struct survey *survey, struct error *err)
{
	const struct netlink_lister sets = { survey_sets_restart, survey_set, survey };
	const struct netlink_lister rules = { survey_rules_restart, survey_rule, survey };

	if (nft_list(nft, NFT_MSG_GETSET, NULL, &sets, err) < 0)
		return -1;
	return nft_list(nft, NFT_MSG_GETRULE, NFT_CHAIN, &rules, err);
}

/* Makes the set if it is missing. If it has not exactly as many rules as it should have, one for
 * each range of ports, all are deleted and made again; the set and its elements stay. */
static void slot_make(struct nft *nft, struct nft_batch *batch, const struct survey *survey,
	int slot)
{
	const struct nft_sets *sets = survey->sets;
	const struct nft_slot kind = nft_slot(slot);
	uint32_t want = sets->scope.n_ranges ? sets->scope.n_ranges : 1;

	if (!survey->found[slot])
		set_add(nft, batch, sets->names[slot], &kind);
	if (survey->n_rules[slot] == want)
		return;
	for (uint32_t i = 0; i < survey->n_rules[slot]; i++)
		nft_rules_delete(nft, batch, NFT_CHAIN, survey->handles[slot][i]);
	for (uint32_t i = 0; i < want; i++)
		rule_add(nft, batch, sets, slot, i);
}

int nft_sets_make(struct nft *nft, struct nft_sets *sets, const bool wanted[NFT_SLOTS],
	struct error *err)
{
	struct survey survey = { .sets = sets };

	memset(sets->made, 0, sizeof(sets->made));
	if (survey_take(nft, &survey, err) < 0)
		return -1;
	/* One transaction for each set: with 15 ranges of ports, the rules of all sets together may
	 * be too much for a small send buffer. */
	for (int i = 0; i < NFT_SLOTS; i++) {
		struct nft_batch batch;

		if (!wanted[i] && !survey.found[i])
			continue;
		nft_batch_begin(nft, &batch);
		slot_make(nft, &batch, &survey, i);
		if (nft_objects_send(nft, &batch, "making sets and rules", err) < 0)
			return error_prefix(err, "set %s", sets->names[i]);
		sets->made[i] = true;
	}
	return 0;
}

/* "udp:5060,10000-20000" and "v4_32" make "udp_5060_10000to20000_v4_32". */
static char *set_name(const struct scope *scope, int slot)
{
	const struct nft_slot kind = nft_slot(slot);
	char text[SCOPE_TEXT_MAX];
	char name[NFT_NAME_BYTES];
	size_t used = 0;

	(void)scope_format(scope, text);
	for (size_t i = 0; text[i] && used + 2 < sizeof(name); i++) {
		if (text[i] == '-')
			name[used++] = 't';
		name[used++] = text[i] == '-' ? 'o' : text[i];
		if (text[i] == ':' || text[i] == ',')
			name[used - 1] = '_';
	}
	name[used] = '\0';
	return alloc_format("%s_v%d_%d%s", name, kind.family, kind.bits,
		kind.forever ? "_forever" : "");
}

/* These are made with the scope; the others at the first ban of their kind. */
static bool is_usual(int slot)
{
	const struct nft_slot kind = nft_slot(slot);

	return !kind.forever && (kind.bits == 32 || kind.bits == 64 || kind.bits == 128);
}

static int scope_make(struct nft *nft, struct nft_sets *sets, struct error *err)
{
	bool wanted[NFT_SLOTS];

	for (int i = 0; i < NFT_SLOTS; i++)
		wanted[i] = is_usual(i) || sets->made[i];
	return nft_sets_make(nft, sets, wanted, err);
}

int nft_scope(struct nft *nft, uint8_t index, const struct scope *scope, struct error *err)
{
	struct nft_sets *sets;

	if (index >= NFT_SCOPES_MAX)
		return error_set(err, "more than %d different port scopes", NFT_SCOPES_MAX);
	if (!scope_is_valid(scope))
		return error_set(err, "invalid port scope");
	sets = &nft->scopes[index];
	if (!sets->used || !scope_equal(&sets->scope, scope)) {
		sets_done(sets);
		sets->scope = *scope;
		sets->used = true;
		for (int i = 0; i < NFT_SLOTS; i++)
			sets->names[i] = set_name(scope, i);
	}
	return scope_make(nft, sets, err);
}

int nft_restore(struct nft *nft, struct error *err)
{
	if (nft_ensure(nft, err) < 0)
		return -1;
	for (int i = 0; i < NFT_SCOPES_MAX; i++)
		if (nft->scopes[i].used && scope_make(nft, &nft->scopes[i], err) < 0)
			return -1;
	return 0;
}
