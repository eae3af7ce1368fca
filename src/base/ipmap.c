/* Linear hashing: while there are more entries than buckets, each insert splits one bucket, the
 * next in turn, so that no insert has to move the whole table. The buckets lie in segments of fixed
 * size, which are added one by one, never move, and are given back only with the map. */
#include "base/ipmap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/siphash.h"

enum {
	SEGMENT_BUCKETS = 1024, /* 8 KiB, allocated when the table grows into it */
	CHAIN_BITS = 24,        /* low bits of a cursor: the place in a chain */
};

struct entry {
	struct entry *next; /* owned */
	void *value;        /* borrowed */
	struct ip ip;
	uint32_t tag;
};

/* Buckets are 0 .. base + split - 1 with base a power of two and split < base: those before split
 * and those from base on have been split and use one bit of the hash more. */
struct ipmap {
	uint64_t seed[2];
	size_t cap;
	size_t count;
	size_t base;
	size_t split;
	struct entry ***segments; /* owned; as many pointers as cap can ever need */
};

static uint64_t key_hash(const struct ipmap *map, const struct ip *ip, uint32_t tag)
{
	uint64_t words[3] = { 0 };

	memcpy(words, ip->bytes, sizeof(ip->bytes));
	words[2] = (uint64_t)ip->family << 40 | (uint64_t)ip->bits << 32 | tag;
	return siphash_words(map->seed, words, 3);
}

static struct entry **bucket_at(const struct ipmap *map, size_t bucket)
{
	return &map->segments[bucket / SEGMENT_BUCKETS][bucket % SEGMENT_BUCKETS];
}

static size_t bucket_of(const struct ipmap *map, const struct ip *ip, uint32_t tag)
{
	uint64_t hash = key_hash(map, ip, tag);
	size_t bucket = hash & (map->base - 1);

	return bucket < map->split ? hash & (2 * map->base - 1) : bucket;
}

/* Returns the link that points to the entry, or the link at the end of its chain, which is NULL. */
static struct entry **entry_link(const struct ipmap *map, const struct ip *ip, uint32_t tag)
{
	struct entry **link = bucket_at(map, bucket_of(map, ip, tag));

	while (*link && ((*link)->tag != tag || !ip_equal(&(*link)->ip, ip)))
		link = &(*link)->next;
	return link;
}

static void bucket_split(struct ipmap *map)
{
	size_t added = map->base + map->split;
	struct entry **from = bucket_at(map, map->split);
	struct entry **to;

	if (added % SEGMENT_BUCKETS == 0)
		map->segments[added / SEGMENT_BUCKETS] =
			alloc_array(SEGMENT_BUCKETS, sizeof(struct entry *));
	to = bucket_at(map, added);
	map->split++;
	while (*from) {
		struct entry *entry = *from;

		if (bucket_of(map, &entry->ip, entry->tag) != added) {
			from = &entry->next;
			continue;
		}
		*from = entry->next;
		entry->next = *to;
		*to = entry;
	}
	if (map->split == map->base) {
		map->base *= 2;
		map->split = 0;
	}
}

struct ipmap *ipmap_new(size_t cap)
{
	struct ipmap *map = alloc_zero(sizeof(*map));
	ssize_t got;

	do
		got = getrandom(map->seed, sizeof(map->seed), 0);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(map->seed))
		abort(); /* with a seed that can be guessed, collisions could be chosen */
	map->cap = cap;
	map->base = SEGMENT_BUCKETS;
	map->segments = alloc_array(cap / SEGMENT_BUCKETS + 2, sizeof(*map->segments));
	map->segments[0] = alloc_array(SEGMENT_BUCKETS, sizeof(struct entry *));
	return map;
}

void ipmap_free(struct ipmap *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < map->base + map->split; i++) {
		struct entry *entry = *bucket_at(map, i);

		while (entry) {
			struct entry *next = entry->next;

			free(entry);
			entry = next;
		}
	}
	for (size_t i = 0; i < map->cap / SEGMENT_BUCKETS + 2; i++)
		free(map->segments[i]);
	free(map->segments);
	free(map);
}

void *ipmap_get(const struct ipmap *map, const struct ip *ip, uint32_t tag)
{
	const struct entry *entry = *entry_link(map, ip, tag);

	return entry ? entry->value : NULL;
}

bool ipmap_put(struct ipmap *map, const struct ip *ip, uint32_t tag, void *value)
{
	struct entry **link = entry_link(map, ip, tag);

	assert(value);
	if (*link) {
		(*link)->value = value;
		return true;
	}
	if (map->count == map->cap)
		return false;
	*link = alloc_zero(sizeof(**link));
	**link = (struct entry){ .value = value, .ip = *ip, .tag = tag };
	map->count++;
	if (map->count > map->base + map->split)
		bucket_split(map);
	return true;
}

void *ipmap_remove(struct ipmap *map, const struct ip *ip, uint32_t tag)
{
	struct entry **link = entry_link(map, ip, tag);
	struct entry *entry = *link;
	void *value;

	if (!entry)
		return NULL;
	value = entry->value;
	*link = entry->next;
	free(entry);
	map->count--;
	return value;
}

size_t ipmap_count(const struct ipmap *map)
{
	return map->count;
}

/* A chain is walked from its end: removing the entry just returned then moves none of those that
 * are still to come. The upper bits of the cursor are the bucket; the lower CHAIN_BITS are 1 + the
 * number of entries of its chain that are still to come, or 0 if the chain is not begun. */
void *ipmap_next(const struct ipmap *map, size_t *cursor)
{
	size_t bucket = *cursor >> CHAIN_BITS;
	size_t left = *cursor & (((size_t)1 << CHAIN_BITS) - 1);

	for (; bucket < map->base + map->split; bucket++, left = 0) {
		const struct entry *entry = *bucket_at(map, bucket);

		if (left == 0) {
			for (const struct entry *e = entry; e; e = e->next)
				left++;
			left++;
		}
		if (left == 1)
			continue;
		left--;
		for (size_t i = 1; i < left; i++)
			entry = entry->next;
		*cursor = bucket << CHAIN_BITS | left;
		return entry->value;
	}
	*cursor = bucket << CHAIN_BITS;
	return NULL;
}
