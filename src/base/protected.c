#include "base/protected.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/text.h"

struct entry {
	struct ip ip;
	enum protected_source source;
	int64_t until_s; /* 0: for ever */
	char because[PROTECTED_BECAUSE_MAX];
};

/* An unsorted array is enough: there are few entries (own addresses, networks, ignoreip), and
 * sorting would not answer "overlaps" faster. It is searched once for each counted failure, not for
 * each line. */
struct protected
{
	struct entry *entries; /* owned */
	size_t count;
	size_t room;
};

struct protected *protected_new(void)
{
	return alloc_zero(sizeof(struct protected));
}

void protected_free(struct protected *protected)
{
	if (protected)
		free(protected->entries);
	free(protected);
}

bool protected_add_until(struct protected *protected, const struct ip *ip, const char *because,
	enum protected_source source, int64_t until_s)
{
	char address[IP_TEXT_MAX];
	struct entry *entry;

	for (size_t i = 0; i < protected->count; i++)
		if (ip_equal(&protected->entries[i].ip, ip) &&
			protected->entries[i].source == source) {
			if (protected->entries[i].until_s &&
				(!until_s || until_s > protected->entries[i].until_s))
			protected->entries[i].until_s = until_s;
			return true;
		}
	if (protected->count == PROTECTED_MAX)
		return false;
	if (protected->count == protected->room) {
		protected->room = protected->room ? protected->room * 2 : 32;
		protected->entries = alloc_grow(protected->entries, protected->room,
			sizeof(*protected->entries));
	}
	entry = &protected->entries[protected->count++];
	entry->ip = *ip;
	entry->source = source;
	entry->until_s = until_s;
	text_format(entry->because, sizeof(entry->because), "%s (%s)", because,
		ip_format(ip, address));
	return true;
}

bool protected_add(struct protected *protected, const struct ip *ip, const char *because,
	enum protected_source source)
{
	return protected_add_until(protected, ip, because, source, 0);
}

void protected_expire(struct protected *protected, int64_t now_s)
{
	size_t kept = 0;

	for (size_t i = 0; i < protected->count; i++)
		if (!protected->entries[i].until_s || protected->entries[i].until_s > now_s)
	protected->entries[kept++] = protected->entries[i];
	protected->count = kept;
}

void protected_clear(struct protected *protected, enum protected_source source)
{
	size_t kept = 0;

	for (size_t i = 0; i < protected->count; i++)
		if (protected->entries[i].source != source)
	protected->entries[kept++] = protected->entries[i];
	protected->count = kept;
}

const char *protected_find(const struct protected *protected, const struct ip *ip)
{
	static const struct ip link_local = { .family = 4, .bits = 16, .bytes = { 169, 254 } };

	if (ip_is_special(ip) || ip_overlaps(&link_local, ip))
		return "not an address of a stranger (loopback, link-local or multicast)";
	for (size_t i = 0; i < protected->count; i++)
		if (ip_overlaps(&protected->entries[i].ip, ip))
			return protected->entries[i].because;
	return NULL;
}

size_t protected_count(const struct protected *protected)
{
	return protected->count;
}

struct ip protected_unit(const struct protected *protected, const struct ip *ip)
{
	struct ip wide;

	if (ip->family != 6 || ip->bits <= 64)
		return *ip;
	wide = ip_mask(ip, 64);
	return protected_find(protected, &wide) ? *ip : wide;
}
