#ifndef VG_PROTECTED_H
#define VG_PROTECTED_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Addresses that are never banned, each with a "because". Loopback, multicast, link-local and
 * unspecified addresses are in every list. Both the engine and the firewall role keep one. */
struct protect;

/* More than these are refused: protect_add returns false and the caller says so. */
enum { PROTECT_MAX = 16384, PROTECT_BECAUSE_MAX = 128 };

struct protect *protect_new(void);
void protect_free(struct protect *protect);

/* because is copied, with the prefix behind it (cut at PROTECT_BECAUSE_MAX - 1); a prefix that is
 * there keeps its first reason. source: a number of the caller's, for protect_clear. */
bool protect_add(struct protect *protect, const struct ip *ip, const char *because,
	unsigned source);
/* The same until protect_expire is told a later time; until_s 0: for ever. Of an entry that
 * is there already the later end counts: nothing that is added takes protection away. */
bool protect_add_until(struct protect *protect, const struct ip *ip, const char *because,
	unsigned source, int64_t until_s);
/* Removes entries whose time is over. now_s: on the clock that until_s was said in. */
void protect_expire(struct protect *protect, int64_t now_s);
/* Removes all entries of that source. */
void protect_clear(struct protect *protect, unsigned source);

/* The reason if any address of ip is protected, or NULL. */
const char *protect_find(const struct protect *protect, const struct ip *ip);
size_t protect_count(const struct protect *protect);

/* What is counted and banned for an address: IPv4 as /32; IPv6 as its /64, or as /128 where that
 * /64 is protected in part. */
struct ip protect_unit(const struct protect *protect, const struct ip *ip);

#endif
