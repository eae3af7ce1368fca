#include "base/protected.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

struct entry {
	struct ip ip;
	unsigned source;
	int64_t until_s; /* 0: for ever */
	char because[PROTECT_BECAUSE_MAX];
};

/* A sorted array would not answer "overlaps" faster for the few entries there are: own addresses,
 * networks, ignoreip. The check runs once a counted failure, not once a line. */
struct protect {
	struct entry *entries; /* owned */
	size_t count;
	size_t room;
};

struct protect *protect_new(void)
{
	return alloc_zero(sizeof(struct protect));
}

void protect_free(struct protect *protect)
{
	if (protect)
		free(protect->entries);
	free(protect);
}

bool protect_add_until(struct protect *protect, const struct ip *ip, const char *because,
	unsigned source, int64_t until_s)
{
	char address[IP_TEXT_MAX];
	struct entry *entry;

	for (size_t i = 0; i < protect->count; i++)
		if (ip_equal(&protect->entries[i].ip, ip) && protect->entries[i].source == source) {
			if (protect->entries[i].until_s &&
				(!until_s || until_s > protect->entries[i].until_s))
				protect->entries[i].until_s = until_s;
			return true;
		}
	if (protect->count == PROTECT_MAX)
		return false;
	if (protect->count == protect->room) {
		protect->room = protect->room ? protect->room * 2 : 32;
		protect->entries =
			alloc_grow(protect->entries, protect->room, sizeof(*protect->entries));
	}
	entry = &protect->entries[protect->count++];
	entry->ip = *ip;
	entry->source = source;
	entry->until_s = until_s;
	(void)snprintf(entry->because, sizeof(entry->because), "%s (%s)", because,
		ip_format(ip, address)); /* may be cut */
	return true;
}

bool protect_add(struct protect *protect, const struct ip *ip, const char *because, unsigned source)
{
	return protect_add_until(protect, ip, because, source, 0);
}

void protect_expire(struct protect *protect, int64_t now_s)
{
	size_t kept = 0;

	for (size_t i = 0; i < protect->count; i++)
		if (!protect->entries[i].until_s || protect->entries[i].until_s > now_s)
			protect->entries[kept++] = protect->entries[i];
	protect->count = kept;
}

void protect_clear(struct protect *protect, unsigned source)
{
	size_t kept = 0;

	for (size_t i = 0; i < protect->count; i++)
		if (protect->entries[i].source != source)
			protect->entries[kept++] = protect->entries[i];
	protect->count = kept;
}

const char *protect_find(const struct protect *protect, const struct ip *ip)
{
	static const struct ip link_local = { .family = 4, .bits = 16, .bytes = { 169, 254 } };

	if (ip_is_special(ip) || ip_overlaps(&link_local, ip))
		return "not an address of a stranger (loopback, link-local or multicast)";
	for (size_t i = 0; i < protect->count; i++)
		if (ip_overlaps(&protect->entries[i].ip, ip))
			return protect->entries[i].because;
	return NULL;
}

size_t protect_count(const struct protect *protect)
{
	return protect->count;
}

struct ip protect_unit(const struct protect *protect, const struct ip *ip)
{
	struct ip wide;

	if (ip->family != 6 || ip->bits <= 64)
		return *ip;
	wide = ip_mask(ip, 64);
	return protect_find(protect, &wide) ? *ip : wide;
}
