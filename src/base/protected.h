#ifndef VG_PROTECTED_H
#define VG_PROTECTED_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A list of the addresses and networks that are never banned, each with the reason as text.
 * Loopback, multicast, link-local and unspecified addresses are in every list. The engine has one,
 * and the firewall role has its own, so that a wrong request of the engine cannot ban them. */
struct protected;

/* A list takes PROTECTED_MAX entries; then protected_add returns false, and the caller says so. */
enum { PROTECTED_MAX = 16384, PROTECTED_BECAUSE_MAX = 128 };

/* Who put an entry into the list; protected_clear removes the entries of one source. */
enum protected_source {
	PROTECTED_BY_CONFIG, /* addresses in ignoreip */
	PROTECTED_BY_HOST,   /* what this machine must not be cut off from */
	PROTECTED_BY_HAND,   /* "voipguard allow" of an address */
	PROTECTED_BY_NAME,   /* the addresses of host names, whoever names them */
	PROTECTED_BY_FILE,   /* the files of ignoreip */
	PROTECTED_BY_TRUNK,  /* addresses of the trunks in Asterisk's configuration */
	PROTECTED_BY_ENGINE, /* in the firewall role: all entries that the engine has sent */
};

struct protected *protected_new(void);
void protected_free(struct protected *list);

/* Adds an entry without end. because is copied, with the prefix in parentheses behind it, cut at
 * PROTECTED_BECAUSE_MAX - 1 bytes. If the source has the prefix in the list already, that entry
 * keeps its first reason. False: the list is full. */
bool protected_add(struct protected *list, const struct ip *ip, const char *because,
	enum protected_source source);
/* The same, for an entry that protected_expire removes once its now_s has reached until_s; until_s
 * 0: never. An entry that is in the list already keeps the later of both ends: adding never takes
 * protection away. */
bool protected_add_until(struct protected *list, const struct ip *ip, const char *because,
	enum protected_source source, int64_t until_s);
/* Removes the entries whose end has come. now_s is in seconds of the same clock as until_s. */
void protected_expire(struct protected *list, int64_t now_s);
/* Removes all entries of that source. */
void protected_clear(struct protected *list, enum protected_source source);

/* Returns the reason if any address of ip is protected, else NULL. It is valid until the list
 * changes. */
const char *protected_find(const struct protected *list, const struct ip *ip);
size_t protected_count(const struct protected *list);

/* Returns what failures of an address are counted for and what a ban closes: an IPv4 address
 * itself; the /64 of an IPv6 address, since one subscriber owns all of it, or the address alone
 * (/128) where some other address of that /64 is protected. */
struct ip protected_unit(const struct protected *list, const struct ip *ip);

#endif
