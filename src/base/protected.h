#ifndef VG_PROTECTED_H
#define VG_PROTECTED_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Addresses that are never banned, each with a "because". Loopback, multicast, link-local and
 * unspecified addresses are in every list. Both the engine and the firewall role keep one. */
struct protected;

/* More than these are refused: protected_add returns false and the caller says so. */
enum { PROTECTED_MAX = 16384, PROTECTED_BECAUSE_MAX = 128 };

/* Who put an entry into the list: see protected_clear. */
enum protected_source {
	PROTECTED_BY_CONFIG, /* addresses in ignoreip */
	PROTECTED_BY_HOST,   /* what this machine must not be cut off from */
	PROTECTED_BY_HAND,   /* "voipguard allow" of an address */
	PROTECTED_BY_NAME,   /* the addresses of host names, in ignoreip or allowed by hand */
	PROTECTED_BY_FILE,   /* the files of ignoreip */
	PROTECTED_BY_ENGINE, /* in the firewall role: all that the engine has told */
};

struct protected *protected_new(void);
void protected_free(struct protected *protected);

/* because is copied, with the prefix behind it (cut at PROTECTED_BECAUSE_MAX - 1); a prefix that is
 * there keeps its first reason. */
bool protected_add(struct protected *protected, const struct ip *ip, const char *because,
	enum protected_source source);
/* The same until protected_expire is told a later time; until_s 0: for ever. Of an entry that
 * is there already the later end counts: nothing that is added takes protection away. */
bool protected_add_until(struct protected *protected, const struct ip *ip, const char *because,
	enum protected_source source, int64_t until_s);
/* Removes entries whose time is over. now_s: on the clock that until_s was said in. */
void protected_expire(struct protected *protected, int64_t now_s);
/* Removes all entries of that source. */
void protected_clear(struct protected *protected, enum protected_source source);

/* The reason if any address of ip is protected, or NULL. */
const char *protected_find(const struct protected *protected, const struct ip *ip);
size_t protected_count(const struct protected *protected);

/* What is counted and banned for an address: IPv4 as /32; IPv6 as its /64, or as /128 where that
 * /64 is protected in part. */
struct ip protected_unit(const struct protected *protected, const struct ip *ip);

#endif
