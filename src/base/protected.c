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

void protected_free(struct protected *list)
{
	if (list)
		free(list->entries);
	free(list);
}

bool protected_add_until(struct protected *list, const struct ip *ip, const char *because,
	enum protected_source source, int64_t until_s)
{
	char address[IP_TEXT_MAX];
	struct entry *entry;

	for (size_t i = 0; i < list->count; i++)
		if (ip_equal(&list->entries[i].ip, ip) && list->entries[i].source == source) {
			if (list->entries[i].until_s &&
				(!until_s || until_s > list->entries[i].until_s))
				list->entries[i].until_s = until_s;
			return true;
		}
	if (list->count == PROTECTED_MAX)
		return false;
	list->entries = alloc_room(list->entries, list->count, &list->room, sizeof(*entry));
	entry = &list->entries[list->count++];
	entry->ip = *ip;
	entry->source = source;
	entry->until_s = until_s;
	text_format(entry->because, sizeof(entry->because), "%s (%s)", because,
		ip_format(ip, address));
	return true;
}

bool protected_add(struct protected *list, const struct ip *ip, const char *because,
	enum protected_source source)
{
	return protected_add_until(list, ip, because, source, 0);
}

void protected_expire(struct protected *list, int64_t now_s)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (!list->entries[i].until_s || list->entries[i].until_s > now_s)
			list->entries[kept++] = list->entries[i];
	list->count = kept;
}

void protected_clear(struct protected *list, enum protected_source source)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->entries[i].source != source)
			list->entries[kept++] = list->entries[i];
	list->count = kept;
}

const char *protected_find(const struct protected *list, const struct ip *ip)
{
	static const struct ip link_local = { .family = 4, .bits = 16, .bytes = { 169, 254 } };

	if (ip_is_special(ip) || ip_overlaps(&link_local, ip))
		return "not an address of a stranger (loopback, link-local or multicast)";
	for (size_t i = 0; i < list->count; i++)
		if (ip_overlaps(&list->entries[i].ip, ip))
			return list->entries[i].because;
	return NULL;
}

size_t protected_count(const struct protected *list)
{
	return list->count;
}

struct ip protected_unit(const struct protected *list, const struct ip *ip)
{
	struct ip wide;

	if (ip->family != 6 || ip->bits <= 64)
		return *ip;
	wide = ip_mask(ip, 64);
	return protected_find(list, &wide) ? *ip : wide;
}
