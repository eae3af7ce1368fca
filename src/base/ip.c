#include "base/ip.h"

#include "base/error.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint8_t family_bits(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

struct ip ip_from_bytes(uint8_t family, const void *bytes)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	struct ip ip = { .family = family, .bits = family_bits(family) };

	if (family == 6 && memcmp(bytes, mapped, sizeof(mapped)) == 0)
		return ip_from_bytes(4, (const uint8_t *)bytes + sizeof(mapped));
	memcpy(ip.bytes, bytes, family == 4 ? 4 : 16);
	return ip;
}

int ip_parse(const char *text, size_t length, struct ip *ret_ip)
{
	char copy[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
		if (!memchr(text, ':', length))
			return -1;
	}
	if (length >= sizeof(copy) || memchr(text, '\0', length))
		return -1;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (inet_pton(AF_INET, copy, bytes) == 1)
		*ret_ip = ip_from_bytes(4, bytes);
	else if (inet_pton(AF_INET6, copy, bytes) == 1)
		*ret_ip = ip_from_bytes(6, bytes);
	else
		return -1;
	return 0;
}

/* Counts the leading ones of a mask such as 255.255.255.240 (28); -1 if a one follows a zero. */
static int mask_bits(const struct ip *mask)
{
	int bits = 0;

	while (bits < mask->bits && mask->bytes[bits / 8] >> (7 - bits % 8) & 1)
		bits++;
	for (int i = bits; i < mask->bits; i++)
		if (mask->bytes[i / 8] >> (7 - i % 8) & 1)
			return -1;
	return bits;
}

/* Reads what stands behind the slash, "24" or "255.255.255.0", as a prefix length of ip; -1: it is
 * neither. The length of an address written as v4-mapped ("::ffff:192.0.2.0/120") counts the 96
 * bits before its IPv4 part too: then skipped_bits is 96, else 0. */
static int parse_length(const char *text, const struct ip *ip, int skipped_bits)
{
	struct ip mask;
	char *end;
	long bits;

	if (ip_parse(text, strlen(text), &mask) == 0)
		return mask.family == ip->family ? mask_bits(&mask) : -1;
	if (text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	bits = strtol(text, &end, 10);
	if (errno || *end || bits < skipped_bits || bits > skipped_bits + ip->bits)
		return -1;
	return (int)bits - skipped_bits;
}

int ip_parse_prefix(const char *text, struct ip *ret_ip, struct error *err)
{
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	struct ip ip;
	bool is_mapped;
	int bits;

	if (ip_parse(text, length, &ip) < 0)
		return error_set(err, "'%s' is not an address", text_shown_string(text).text);
	is_mapped = ip.family == 4 && memchr(text, ':', length);
	bits = slash ? parse_length(slash + 1, &ip, is_mapped ? 96 : 0) : ip.bits;
	if (bits < 0)
		return error_set(err, "'%s' has no valid prefix length (%d to %d, or a mask)",
			text_shown_string(text).text, is_mapped ? 96 : 0,
			ip.bits + (is_mapped ? 96 : 0));
	*ret_ip = ip_mask(&ip, (uint8_t)bits);
	return 0;
}

const char *ip_format(const struct ip *ip, char out[IP_TEXT_MAX])
{
	size_t used;

	if (!inet_ntop(ip->family == 4 ? AF_INET : AF_INET6, ip->bytes, out, IP_TEXT_MAX))
		out[0] = '\0';
	used = strlen(out);
	if (!ip_is_host(ip))
		(void)text_format(out + used, IP_TEXT_MAX - used, "/%u", ip->bits);
	return out;
}

struct ip ip_mask(const struct ip *ip, uint8_t bits)
{
	struct ip masked = *ip;

	masked.bits = bits;
	for (int i = bits; i < family_bits(ip->family); i++)
		masked.bytes[i / 8] &= (uint8_t) ~(0x80U >> (i % 8));
	return masked;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool ip_is_host(const struct ip *ip)
{
	return ip->bits == family_bits(ip->family);
}

const struct ip_width ip_ban_widths[IP_BAN_WIDTHS] = { { 4, 32 }, { 4, 24 }, { 6, 128 }, { 6, 64 },
	{ 6, 56 }, { 6, 48 } };

int ip_ban_width(const struct ip *ip)
{
	for (int i = 0; i < IP_BAN_WIDTHS; i++)
		if (ip->family == ip_ban_widths[i].family && ip->bits == ip_ban_widths[i].bits)
			return i;
	return -1;
}

bool ip_has_ban_width(const struct ip *ip)
{
	return ip_ban_width(ip) >= 0;
}

bool ip_is_canonical(const struct ip *ip)
{
	static const struct ip empty;
	struct ip made;

	_Static_assert(sizeof(*ip) == 2 + sizeof(ip->bytes), "no padding is compared");
	if (ip->family != 4 && ip->family != 6)
		return ip_equal(ip, &empty);
	if (ip->bits > family_bits(ip->family))
		return false;
	made = ip_from_bytes(ip->family, ip->bytes);
	made = ip_mask(&made, ip->bits);
	return ip_equal(&made, ip);
}

bool ip_contains(const struct ip *outer, const struct ip *inner)
{
	struct ip masked;

	if (outer->family != inner->family || outer->bits > inner->bits)
		return false;
	masked = ip_mask(inner, outer->bits);
	return ip_equal(&masked, outer);
}

bool ip_overlaps(const struct ip *a, const struct ip *b)
{
	return ip_contains(a, b) || ip_contains(b, a);
}

bool ip_is_special(const struct ip *ip)
{
	const uint8_t *b = ip->bytes;

	if (ip->family == 4)
		return b[0] == 127 || b[0] == 0 || b[0] >= 224;
	if (b[0] == 0xff || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80))
		return true;
	for (int i = 0; i < 15; i++)
		if (b[i])
			return false;
	return b[15] <= 1;
}
