#ifndef VG_IP_H
#define VG_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Longest "xxxx:...:255.255.255.255/128" and NUL. */
enum { IP_TEXT_MAX = 56 };

/* An address or a prefix. Bytes beyond the family's and bits beyond `bits` are zero, so equal
 * values are equal in memory. family 0 = empty. A v4-mapped IPv6 address is stored as IPv4. */
struct ip {
	uint8_t family;    /* 0, 4 or 6 */
	uint8_t bits;      /* prefix length: 32 or 128 for one host */
	uint8_t bytes[16]; /* network order */
};

/* Reads one address, "192.0.2.1", "2001:db8::1", "[2001:db8::1]"; no prefix, no zone, no name.
 * Decimal octets without leading zeros. -1: it is none. */
int ip_parse(const char *text, size_t length, struct ip *ret_ip);

/* Reads ADDR, ADDR/LEN or ADDR/MASK; host bits are cleared. LEN of a v4-mapped address is IPv6's,
 * 96 to 128. -1 with a sentence. */
int ip_parse_prefix(const char *text, struct ip *ret_ip, struct error *err);

/* From raw network-order bytes (4 or 16). family 4 or 6. */
struct ip ip_from_bytes(uint8_t family, const void *bytes);

/* "192.0.2.1", or with "/LEN" if it is not one host. Returns out. */
const char *ip_format(const struct ip *ip, char out[IP_TEXT_MAX]);

/* The prefix of the first `bits` bits; bits <= ip->bits. */
struct ip ip_mask(const struct ip *ip, uint8_t bits);

bool ip_equal(const struct ip *a, const struct ip *b);
bool ip_is_host(const struct ip *ip);
/* The lengths that a ban can have: one host, an IPv4 /24, an IPv6 /64, /56 or /48. */
bool ip_has_ban_width(const struct ip *ip);
/* What struct ip promises holds in every byte; an empty one is canonical too. For values that
 * somebody else has filled: the comparisons here are right between canonical ones alone. */
bool ip_is_canonical(const struct ip *ip);
/* Every address of `inner` is in `outer`. */
bool ip_contains(const struct ip *outer, const struct ip *inner);
/* Some address is in both. */
bool ip_overlaps(const struct ip *a, const struct ip *b);
/* Loopback, unspecified, multicast, broadcast, IPv6 link-local: never a stranger to be banned. */
bool ip_is_special(const struct ip *ip);

#endif
