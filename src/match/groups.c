#include "match/groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/regex.h"
#include "config/config.h"
#include "match/filter.h"
#include "match/rule.h"

static const char *const known[GROUPS_KNOWN] = {
	[GROUP_FID] = "fid",
	[GROUP_IP4] = "ip4",
	[GROUP_IP6] = "ip6",
	[GROUP_DNS] = "dns",
	[GROUP_CIDR] = "cidr",
	[GROUP_CONTENT] = "content",
	[GROUP_MLFID] = "mlfid",
	[GROUP_MLFFORGET] = "mlfforget",
	[GROUP_MLFGAINED] = "mlfgained",
	[GROUP_NOFAIL] = "nofail",
};

void groups_names_init(struct groups_names *names)
{
	*names = (struct groups_names){ .count = GROUPS_KNOWN };
	for (size_t i = 0; i < GROUPS_KNOWN; i++)
		names->list[i] = alloc_string(known[i]);
}

void groups_names_done(struct groups_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	*names = (struct groups_names){ 0 };
}

int groups_names_add(struct groups_names *names, const char *name, unsigned *ret_number,
	struct error *err)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->list[i], name) != 0)
			continue;
		*ret_number = (unsigned)i;
		return 0;
	}
	if (names->count == GROUPS_MAX)
		return error_set(err, "the rules of one filter have more than %d names",
			GROUPS_MAX);
	*ret_number = (unsigned)names->count;
	names->list[names->count++] = alloc_string(name);
	return 0;
}

static void tuple_add(struct groups *groups, const char *bytes, size_t length)
{
	size_t room = sizeof(groups->tuples) - groups->tuples_length;

	if (length > room)
		length = room;
	memcpy(groups->tuples + groups->tuples_length, bytes, length);
	groups->tuples_length += length;
}

/* Adds the value as Python would write it as a string, so that an id reads as fail2ban's <fid>
 * does. */
static void tuple_add_value(struct groups *groups, const struct group_value *value)
{
	const char *quote = "'";

	if (!value->text) {
		tuple_add(groups, "None", 4);
		return;
	}
	if (memchr(value->text, '\'', value->length) && !memchr(value->text, '"', value->length))
		quote = "\"";
	tuple_add(groups, quote, 1);
	for (size_t i = 0; i < value->length; i++) {
		if (value->text[i] == '\\' || value->text[i] == *quote)
			tuple_add(groups, "\\", 1);
		tuple_add(groups, value->text + i, 1);
	}
	tuple_add(groups, quote, 1);
}

/* Makes the tuple of the name `target` from its own value and those of its parts. */
static void tuple_make(struct groups *groups, const struct rule *rule,
	const struct group_value *parts, unsigned target)
{
	size_t start = groups->tuples_length;

	tuple_add(groups, "(", 1);
	tuple_add_value(groups, &groups->values[target]);
	for (size_t i = 0; i < rule->n_groups; i++) {
		if (rule->groups[i].kind != GROUP_TUPLE || rule->groups[i].name != target)
			continue;
		tuple_add(groups, ", ", 2);
		tuple_add_value(groups, &parts[i]);
	}
	tuple_add(groups, ")", 1);
	groups->values[target] = (struct group_value){
		.text = groups->tuples + start,
		.length = groups->tuples_length - start,
		.is_named = true,
	};
}

static bool is_first_part(const struct rule *rule, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (rule->groups[i].kind == GROUP_TUPLE &&
			rule->groups[i].name == rule->groups[index].name)
			return false;
	return true;
}

static void values_read(struct group_value *values, const struct rule *rule, const char *input)
{
	for (size_t i = 0; i < rule->n_groups; i++) {
		size_t start;
		size_t length;

		values[i] = (struct group_value){ .is_named = true };
		if (!regex_group(rule->regex, rule->groups[i].number, &start, &length))
			continue;
		values[i].text = input + start;
		values[i].length = length;
	}
}

void groups_read(struct groups *groups, const struct rule *rule, const char *input)
{
	struct group_value values[RULE_GROUPS_MAX];

	memset(groups->values, 0, sizeof(groups->values));
	groups->tuples_length = 0;
	values_read(values, rule, input);
	for (size_t i = 0; i < rule->n_groups; i++)
		if (rule->groups[i].kind == GROUP_PLAIN)
			groups->values[rule->groups[i].name] = values[i];
	for (size_t i = 0; i < rule->n_groups; i++)
		if (rule->groups[i].kind == GROUP_ALTERNATIVE && values[i].length &&
			!groups->values[rule->groups[i].name].length)
			groups->values[rule->groups[i].name] = values[i];
	for (size_t i = 0; i < rule->n_groups; i++)
		if (rule->groups[i].kind == GROUP_TUPLE && is_first_part(rule, i))
			tuple_make(groups, rule, values, rule->groups[i].name);
}

void groups_fill(struct groups *groups, const struct groups *under)
{
	for (size_t i = 0; i < GROUPS_MAX; i++)
		if (!groups->values[i].is_named)
			groups->values[i] = under->values[i];
}

/* ---- who ---- */

/* An F-ID may be a prefix, too: "192.0.2.0/24". */
static bool id_parse(const struct group_value *id, struct ip *ret_ip)
{
	char text[IP_TEXT_MAX];

	if (ip_parse(id->text, id->length, ret_ip) == 0)
		return true;
	if (id->length >= sizeof(text) || !memchr(id->text, '/', id->length))
		return false;
	memcpy(text, id->text, id->length);
	text[id->length] = '\0';
	return ip_parse_prefix(text, ret_ip, NULL) == 0;
}

static bool address_parse(const struct groups *groups, const struct group_value *value,
	struct ip *ret_ip)
{
	const struct group_value *cidr = &groups->values[GROUP_CIDR];
	unsigned bits = 0;

	if (ip_parse(value->text, value->length, ret_ip))
		return false;
	for (size_t i = 0; i < cidr->length && bits < 1000; i++)
		bits = bits * 10 + (unsigned)(cidr->text[i] - '0');
	if (cidr->length && bits <= ret_ip->bits)
		*ret_ip = ip_mask(ret_ip, (uint8_t)bits);
	return true;
}

static void host_set(struct hit *hit, const struct group_value *value)
{
	hit->host = value->text;
	hit->host_length = value->length < HIT_TEXT_MAX ? value->length : HIT_TEXT_MAX;
}

static bool host_read(const struct groups *groups, enum usedns usedns, struct hit *hit)
{
	const struct group_value *id = &groups->values[GROUP_FID];
	const struct group_value *address = &groups->values[GROUP_IP4];
	const struct group_value *name = &groups->values[GROUP_DNS];
	struct ip ip = { 0 };

	if (!address->text)
		address = &groups->values[GROUP_IP6];
	hit->host_is_name = false;
	if (address->text) {
		host_set(hit, id->text ? id : address);
		hit->ip = address_parse(groups, address, &ip) ? ip : (struct ip){ 0 };
	} else if (name->text) {
		bool looks_up = usedns == USEDNS_YES || usedns == USEDNS_WARN;

		host_set(hit, id->text && !looks_up ? id : name);
		hit->ip = address_parse(groups, name, &ip) ? ip : (struct ip){ 0 };
		hit->host_is_name = looks_up && !hit->ip.family;
	} else if (id->text) {
		host_set(hit, id);
		hit->ip = id_parse(id, &ip) ? ip : (struct ip){ 0 };
	} else {
		return false;
	}
	return hit->host_length > 0;
}

/* Says whether the transport is a connection: TCP, TLS and WebSocket prove the source address,
 * since it has answered a handshake. */
static bool is_connection(const struct group_value *transport)
{
	return !(transport->length == 3 && memcmp(transport->text, "UDP", 3) == 0);
}

bool groups_hit(const struct groups *groups, const struct groups_names *names, enum usedns usedns,
	struct hit *hit)
{
	if (!host_read(groups, usedns, hit))
		return false;
	for (size_t i = GROUPS_KNOWN; i < names->count && hit->n_fields < HIT_FIELDS_MAX; i++) {
		const struct group_value *value = &groups->values[i];
		size_t length = value->length < HIT_TEXT_MAX ? value->length : HIT_TEXT_MAX;

		if (!length)
			continue;
		hit->fields[hit->n_fields++] = (struct hit_field){ .name = names->list[i],
			.value = value->text,
			.length = length };
		if (strcmp(names->list[i], "transport") == 0)
			hit->proof = is_connection(value) ? HIT_PROVEN : HIT_UNPROVEN;
		if (strcmp(names->list[i], "user") != 0)
			continue;
		hit->account = value->text;
		hit->account_length = length;
	}
	return true;
}
