#include "match/hit.h"

#include <string.h>

#include "match/filter.h"

/* F-ID may be a prefix too. */
static bool id_parse(const struct filter_value *id, struct ip *ret_ip)
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

static bool address_parse(const struct filter_groups *groups, const struct filter_value *value,
	struct ip *ret_ip)
{
	const struct filter_value *cidr = &groups->values[GROUP_CIDR];
	unsigned bits = 0;

	if (ip_parse(value->text, value->length, ret_ip))
		return false;
	for (size_t i = 0; i < cidr->length && bits < 1000; i++)
		bits = bits * 10 + (unsigned)(cidr->text[i] - '0');
	if (cidr->length && bits <= ret_ip->bits)
		*ret_ip = ip_mask(ret_ip, (uint8_t)bits);
	return true;
}

static void host_set(struct hit *hit, const struct filter_value *value)
{
	hit->host = value->text;
	hit->host_length = value->length < HIT_TEXT_MAX ? value->length : HIT_TEXT_MAX;
}

static bool host_read(const struct filter_groups *groups, enum usedns usedns, struct hit *hit)
{
	const struct filter_value *id = &groups->values[GROUP_FID];
	const struct filter_value *address = &groups->values[GROUP_IP4];
	const struct filter_value *name = &groups->values[GROUP_DNS];
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

/* TCP, TLS, WebSocket: the source has answered a handshake. */
static bool is_connection(const struct filter_value *transport)
{
	return !(transport->length == 3 && memcmp(transport->text, "UDP", 3) == 0);
}

bool filter_hit_read(const struct filter_groups *groups, const struct filter_names *names,
	enum usedns usedns, struct hit *hit)
{
	if (!host_read(groups, usedns, hit))
		return false;
	for (size_t i = GROUPS_KNOWN; i < names->count && hit->n_fields < HIT_FIELDS_MAX; i++) {
		const struct filter_value *value = &groups->values[i];
		size_t length = value->length < HIT_TEXT_MAX ? value->length : HIT_TEXT_MAX;

		if (!length)
			continue;
		hit->fields[hit->n_fields++] = (struct hit_field){ .name = names->list[i],
			.value = value->text,
			.length = length };
		if (strcmp(names->list[i], "transport") == 0)
			hit->proven = is_connection(value);
		if (strcmp(names->list[i], "user") != 0)
			continue;
		hit->account = value->text;
		hit->account_length = length;
	}
	return true;
}
