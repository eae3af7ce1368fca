#ifndef VG_RANKED_H
#define VG_RANKED_H

#include "base/ip.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct ipmap;

/* A table of items, one for each (jail, address), that says which one has to go when it is full.
 * Items are ranked by a count (1, 2, ... 7, and 8 or more). The victim is the least recently
 * touched item of the lowest rank that holds more than a sixteenth of the table. So a flood of
 * addresses with a count of 1 evicts only such items, and high counts cannot crowd out newcomers,
 * who keep their sixteenth. */
enum { RANKED_RANKS = 8, RANKED_SHARES = 16 /* > RANKED_RANKS: in a full table one has more */ };

/* What an item begins with. */
struct ranked {
	struct ip ip;
	uint16_t rank; /* index of the list that it is in */
	uint32_t jail;
	TAILQ_ENTRY(ranked) others;
};

/* Every item is in the map and in one list, whose first is the least recently touched one. The
 * items stay the caller's. */
struct ranked_table {
	struct ipmap *map; /* owned; (ip, jail) → item */
	size_t max;
	struct {
		TAILQ_HEAD(ranked_items, ranked) items;
		size_t count;
	} ranks[RANKED_RANKS];
};

void ranked_init(struct ranked_table *table, size_t max);
void ranked_done(struct ranked_table *table);

size_t ranked_count(const struct ranked_table *table);
/* The item of (jail, ip), or NULL. */
void *ranked_find(const struct ranked_table *table, uint32_t jail, const struct ip *ip);
/* The least recently touched item of a rank (below RANKED_RANKS), or NULL. */
void *ranked_oldest(const struct ranked_table *table, size_t rank);
/* The item to be removed before another is added; NULL: there is room. */
void *ranked_victim(const struct ranked_table *table);

/* Adds an item, whose ip and jail are set and not in the table yet; there must be room. */
void ranked_add(struct ranked_table *table, struct ranked *item, uint32_t count);
/* The item is now the most recently touched one of what it counts. */
void ranked_touch(struct ranked_table *table, struct ranked *item, uint32_t count);
void ranked_remove(struct ranked_table *table, struct ranked *item);

/* Asserts the invariants; for tests. */
void ranked_check(const struct ranked_table *table);

#endif
