#include "decide/ranked.h"

#include <assert.h>

#include "base/ipmap.h"

void ranked_init(struct ranked_table *table, size_t max)
{
	*table = (struct ranked_table){ .map = ipmap_new(max), .max = max };
	for (size_t i = 0; i < RANKED_RANKS; i++)
		TAILQ_INIT(&table->ranks[i].items);
}

void ranked_done(struct ranked_table *table)
{
	ipmap_free(table->map);
}

size_t ranked_count(const struct ranked_table *table)
{
	return ipmap_count(table->map);
}

void *ranked_find(const struct ranked_table *table, uint32_t jail, const struct ip *ip)
{
	return ipmap_get(table->map, ip, jail);
}

void *ranked_oldest(const struct ranked_table *table, size_t rank)
{
	return TAILQ_FIRST(&table->ranks[rank].items);
}

void *ranked_victim(const struct ranked_table *table)
{
	size_t rank = 0;

	if (ranked_count(table) < table->max)
		return NULL;
	while (rank < RANKED_RANKS - 1 && table->ranks[rank].count <= table->max / RANKED_SHARES)
		rank++;
	return ranked_oldest(table, rank);
}

static void list_append(struct ranked_table *table, struct ranked *item, uint32_t count)
{
	item->rank = (uint16_t)(count < RANKED_RANKS ? count - 1 : RANKED_RANKS - 1);
	TAILQ_INSERT_TAIL(&table->ranks[item->rank].items, item, others);
	table->ranks[item->rank].count++;
}

static void list_remove(struct ranked_table *table, struct ranked *item)
{
	TAILQ_REMOVE(&table->ranks[item->rank].items, item, others);
	table->ranks[item->rank].count--;
}

void ranked_add(struct ranked_table *table, struct ranked *item, uint32_t count)
{
	(void)ipmap_put(table->map, &item->ip, item->jail, item); /* there is room */
	list_append(table, item, count);
}

void ranked_touch(struct ranked_table *table, struct ranked *item, uint32_t count)
{
	list_remove(table, item);
	list_append(table, item, count);
}

void ranked_remove(struct ranked_table *table, struct ranked *item)
{
	list_remove(table, item);
	(void)ipmap_remove(table->map, &item->ip, item->jail); /* returns `item` */
}

void ranked_check(const struct ranked_table *table)
{
	size_t count = 0;

	for (uint32_t i = 0; i < RANKED_RANKS; i++) {
		const struct ranked *item = ranked_oldest(table, i);
		size_t in_list = 0;

		for (; item; item = TAILQ_NEXT(item, others), in_list++) {
			assert(item->rank == i);
			assert(ranked_find(table, item->jail, &item->ip) == item);
		}
		assert(in_list == table->ranks[i].count);
		count += in_list;
	}
	assert(count == ranked_count(table) && count <= table->max);
}
