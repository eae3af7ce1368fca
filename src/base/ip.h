#ifndef VG_IP_H
#define VG_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Bytes of the longest text, "xxxx:...:255.255.255.255/128", and its NUL. */
enum { IP_TEXT_MAX = 56 };

/* An address, or a prefix that stands for a network. Bytes that the family does not use and bits
 * beyond `bits` are zero, so that equal values are equal in memory. family 0 means empty. An IPv6
 * address that is mapped from IPv4 ("::ffff:192.0.2.1") is stored as IPv4. */
struct ip {
	uint8_t family;    /* 0, 4 or 6 */
	uint8_t bits;      /* prefix length: 32 or 128 for one host */
	uint8_t bytes[16]; /* network order */
};

/* Reads one address: "192.0.2.1", "2001:db8::1" or "[2001:db8::1]"; no prefix, no zone ("%eth0"),
 * no name. Octets are decimal without leading zeros. text need not end with NUL. Returns 0, or -1
 * if it is no address. */
int ip_parse(const char *text, size_t length, struct ip *ret_ip);

/* Reads ADDR, ADDR/LEN or ADDR/MASK and clears the host bits: "192.0.2.7/24" and
 * "192.0.2.7/255.255.255.0" are both 192.0.2.0/24. LEN of a v4-mapped address counts the bits of
 * its IPv6 form, 96 to 128. Returns 0, or -1 with a sentence in err. */
int ip_parse_prefix(const char *text, struct ip *ret_ip, struct error *err);

/* Makes the address of one host from bytes in network order: 4 of them for family 4, 16 for family
 * 6. family is one of these two. */
struct ip ip_from_bytes(uint8_t family, const void *bytes);

/* Writes "192.0.2.1", or "192.0.2.0/24" for what is not one host. Returns out. */
const char *ip_format(const struct ip *ip, char out[IP_TEXT_MAX]);

/* The network that the first `bits` bits of ip name; bits <= ip->bits. */
struct ip ip_mask(const struct ip *ip, uint8_t bits);

bool ip_equal(const struct ip *a, const struct ip *b);
bool ip_is_host(const struct ip *ip);
/* The lengths that a ban can have: one host, an IPv4 /24, an IPv6 /64, /56 or /48. */
enum { IP_BAN_WIDTHS = 6 };
struct ip_width {
	uint8_t family;
	uint8_t bits;
};
extern const struct ip_width ip_ban_widths[IP_BAN_WIDTHS];
/* Which of them ip has, as an index; -1: none, so there can be no such ban. */
int ip_ban_width(const struct ip *ip);
bool ip_has_ban_width(const struct ip *ip);
/* Says whether ip keeps every promise of struct ip; an empty one does. It is for values that
 * another process has filled in: the comparisons here are right only between canonical ones. */
bool ip_is_canonical(const struct ip *ip);
/* True if every address of `inner` is in `outer` too. */
bool ip_contains(const struct ip *outer, const struct ip *inner);
/* True if some address is in both. */
bool ip_overlaps(const struct ip *a, const struct ip *b);
/* Loopback, unspecified (0.0.0.0/8, ::), multicast, broadcast, IPv6 link-local: such an address
 * never belongs to a remote attacker, so it is not to be banned. */
bool ip_is_special(const struct ip *ip);

#endif
