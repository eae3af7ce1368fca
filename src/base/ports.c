#include "base/ports.h"

#include "base/error.h"
#include "base/text.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Entries of one list, before neighbours are merged. No jail needs more, so more is an error. */
enum { RAW_MAX = 64 };

struct range {
	uint16_t first;
	uint16_t last;
};

/* Names of services that jails use, with IANA's port numbers, for tcp, udp and sctp alike. */
static const struct {
	const char *name;
	uint16_t port;
} services[] = {
	{ "ftp-data", 20 },
	{ "ftp", 21 },
	{ "ssh", 22 },
	{ "telnet", 23 },
	{ "smtp", 25 },
	{ "domain", 53 },
	{ "tftp", 69 },
	{ "http", 80 },
	{ "pop3", 110 },
	{ "ntp", 123 },
	{ "imap2", 143 },
	{ "imap", 143 },
	{ "snmp", 161 },
	{ "imap3", 220 },
	{ "ldap", 389 },
	{ "https", 443 },
	{ "smtps", 465 },
	{ "ssmtp", 465 },
	{ "submissions", 465 },
	{ "rtsp", 554 },
	{ "submission", 587 },
	{ "ldaps", 636 },
	{ "ftps-data", 989 },
	{ "ftps", 990 },
	{ "imaps", 993 },
	{ "pop3s", 995 },
	{ "socks", 1080 },
	{ "openvpn", 1194 },
	{ "h323hostcall", 1720 },
	{ "radius", 1812 },
	{ "mysql", 3306 },
	{ "turn", 3478 },
	{ "stun", 3478 },
	{ "sieve", 4190 },
	{ "iax", 4569 },
	{ "munin", 4949 },
	{ "sip", 5060 },
	{ "sip-tls", 5061 },
	{ "sips", 5061 },
	{ "xmpp-client", 5222 },
	{ "xmpp-server", 5269 },
	{ "stuns", 5349 },
	{ "turns", 5349 },
	{ "postgresql", 5432 },
	{ "http-alt", 8080 },
	{ "webcache", 8080 },
};

static const char *protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	}
	return NULL;
}

/* Reads a number from 0 to 65535, or a name from the table; -1: it is neither. */
static int port_parse(const char *text, size_t length)
{
	uint32_t port = 0;
	size_t digits = strspn(text, "0123456789");

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (strlen(services[i].name) == length &&
			strncmp(services[i].name, text, length) == 0)
			return services[i].port;
	if (length < 1 || length > 5 || digits < length)
		return -1;
	for (size_t i = 0; i < length; i++)
		port = port * 10 + (uint32_t)(text[i] - '0');
	return port <= UINT16_MAX ? (int)port : -1;
}

/* Reads "A", "A:B" or "A-B". A name may hold a dash ("sip-tls"), so the whole word is tried
 * first. */
static int range_parse(const char *text, size_t length, struct range *ret_range)
{
	int first = port_parse(text, length);
	int last = first;

	for (size_t i = 1; first < 0 && i + 1 < length; i++) {
		if (text[i] != ':' && text[i] != '-')
			continue;
		last = port_parse(text + i + 1, length - i - 1);
		first = last < 0 ? -1 : port_parse(text, i);
	}
	if (first == 0 && last > 0)
		first = 1; /* "0:65535" is a usual way to say all of them */
	if (first < 1 || last < first)
		return -1;
	*ret_range = (struct range){ (uint16_t)first, (uint16_t)last };
	return 0;
}

static int range_compare(const void *left, const void *right)
{
	const struct range *a = left;
	const struct range *b = right;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return a->last < b->last ? -1 : a->last > b->last;
}

static int ranges_merge(struct range *raw, size_t count, struct scope *scope, struct error *err)
{
	qsort(raw, count, sizeof(*raw), range_compare);
	for (size_t i = 0; i < count; i++) {
		uint8_t n = scope->n_ranges;

		if (n > 0 && raw[i].first <= (uint32_t)scope->ranges[n - 1].last + 1) {
			if (raw[i].last > scope->ranges[n - 1].last)
				scope->ranges[n - 1].last = raw[i].last;
			continue;
		}
		if (n == SCOPE_RANGES_MAX)
			return error_set(err, "more than %d separate port ranges",
				SCOPE_RANGES_MAX);
		scope->ranges[n].first = raw[i].first;
		scope->ranges[n].last = raw[i].last;
		scope->n_ranges++;
	}
	return 0;
}

int scope_parse(uint8_t protocol, const char *ports, struct scope *ret_scope, struct error *err)
{
	struct scope scope = { .protocol = protocol };
	struct range raw[RAW_MAX];
	const char *word = ports;
	size_t count = 0;

	if (!protocol_name(protocol))
		return error_set(err, "protocol %u has no ports; tcp, udp or sctp", protocol);
	for (;;) {
		size_t length;

		word += strspn(word, ", \t\r\n");
		length = strcspn(word, ", \t\r\n");
		if (length == 0)
			break;
		if (count == RAW_MAX)
			return error_set(err, "more than %d ports", RAW_MAX);
		if (range_parse(word, length, &raw[count]) < 0)
			return error_set(err, "'%s' is not a port, a range A:B or a known service",
				text_shown(word, length).text);
		count++;
		word += length;
	}
	if (count == 0)
		return error_set(err, "no port given");
	if (ranges_merge(raw, count, &scope, err) < 0)
		return -1;
	*ret_scope = scope;
	return 0;
}

const char *scope_format(const struct scope *scope, char out[SCOPE_TEXT_MAX])
{
	const char *name = protocol_name(scope->protocol);
	/* the longest, "sctp:" and 15 times "10000-20000,", fits */
	size_t used = text_format(out, SCOPE_TEXT_MAX, "%s", name ? name : "all");

	for (uint8_t i = 0; name && i < scope->n_ranges && i < SCOPE_RANGES_MAX; i++) {
		uint16_t first = scope->ranges[i].first;
		uint16_t last = scope->ranges[i].last;

		used += text_format(out + used, SCOPE_TEXT_MAX - used, "%c%u", i ? ',' : ':',
			first);
		if (last != first) /* two neighbours read better as a list */
			used += text_format(out + used, SCOPE_TEXT_MAX - used, "%c%u",
				last == first + 1 ? ',' : '-', last);
	}
	return out;
}

bool scope_equal(const struct scope *a, const struct scope *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool scope_is_valid(const struct scope *scope)
{
	uint32_t next = 1;

	if (scope->n_ranges > SCOPE_RANGES_MAX)
		return false;
	if (scope->protocol == 0 ? scope->n_ranges != 0 : scope->n_ranges == 0)
		return false;
	if (scope->protocol != 0 && !protocol_name(scope->protocol))
		return false;
	for (uint8_t i = 0; i < scope->n_ranges; i++) {
		if (scope->ranges[i].first < next || scope->ranges[i].last < scope->ranges[i].first)
			return false;
		next = (uint32_t)scope->ranges[i].last + 2;
	}
	for (uint8_t i = scope->n_ranges; i < SCOPE_RANGES_MAX; i++)
		if (scope->ranges[i].first || scope->ranges[i].last)
			return false;
	return true;
}
