#include "decide/history.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/ipmap.h"

enum {
	RANKS = 8,                     /* addresses with 1, 2, ... 7 bans, and with 8 or more */
	RANK_SHARE = HISTORY_MAX / 16, /* < 1 / RANKS: a full table has a rank with more */
};

/* The bans of one (jail, address). since_s and until_s are those of the last;
 * until_s 0: permanent. */
struct record {
	struct ip ip;
	uint32_t jail;
	uint32_t count; /* how many bans, from 1 */
	uint32_t rank;  /* index of the list in history->ranks that it is in */
	int64_t since_s;
	int64_t until_s;
	struct record *sibling; /* borrowed; the same address in another jail */
	struct record *older;   /* borrowed; of the same rank */
	struct record *newer;   /* borrowed */
};

/* Records of one rank, in the order in which their last bans came. */
struct record_list {
	struct record *oldest;
	struct record *newest;
	size_t count;
};

/* by_ip finds the first record of an address; those of its other jails follow as siblings. Each
 * record is in exactly one list of ranks. */
struct history {
	struct ipmap *by_ip; /* owns all records, through their siblings */
	struct record_list ranks[RANKS];
	size_t count; /* of all records */
	int64_t keep_s;
};

static void list_remove(struct history *history, struct record *record)
{
	struct record_list *list = &history->ranks[record->rank];

	*(record->older ? &record->older->newer : &list->oldest) = record->newer;
	*(record->newer ? &record->newer->older : &list->newest) = record->older;
	list->count--;
}

static void list_append(struct history *history, struct record *record)
{
	struct record_list *list;

	record->rank = record->count < RANKS ? record->count - 1 : RANKS - 1;
	list = &history->ranks[record->rank];
	record->older = list->newest;
	record->newer = NULL;
	*(list->newest ? &list->newest->newer : &list->oldest) = record;
	list->newest = record;
	list->count++;
}

static struct record *find(const struct history *history, uint32_t jail, const struct ip *ip)
{
	struct record *record = ipmap_get(history->by_ip, ip, 0);

	while (record && record->jail != jail)
		record = record->sibling;
	return record;
}

static void drop(struct history *history, struct record *record)
{
	struct record *first = ipmap_get(history->by_ip, &record->ip, 0);

	list_remove(history, record);
	if (first != record) {
		while (first->sibling != record)
			first = first->sibling;
		first->sibling = record->sibling;
	} else if (record->sibling) {
		(void)ipmap_put(history->by_ip, &record->ip, 0, record->sibling); /* replaces */
	} else {
		(void)ipmap_remove(history->by_ip, &record->ip, 0); /* returns `record` */
	}
	history->count--;
	free(record);
}

static void evict(struct history *history)
{
	size_t rank = 0;

	while (rank < RANKS - 1 && history->ranks[rank].count <= RANK_SHARE)
		rank++;
	drop(history, history->ranks[rank].oldest);
}

static struct record *record_new(struct history *history, uint32_t jail, const struct ip *ip)
{
	struct record *record;

	if (history->count == HISTORY_MAX)
		evict(history);
	record = alloc_zero(sizeof(*record));
	*record = (struct record){ .ip = *ip,
		.jail = jail,
		.count = 1,
		.sibling = ipmap_get(history->by_ip, ip, 0) };
	(void)ipmap_put(history->by_ip, ip, 0, record); /* there is room */
	list_append(history, record);
	history->count++;
	return record;
}

static bool is_remembered(const struct history *history, const struct record *record, int64_t at_s)
{
	return record->until_s == 0 || at_s - record->until_s <= history->keep_s;
}

struct history *history_new(int64_t keep_s)
{
	struct history *history = alloc_zero(sizeof(*history));

	history->by_ip = ipmap_new(HISTORY_MAX);
	history->keep_s = keep_s;
	return history;
}

void history_free(struct history *history)
{
	if (!history)
		return;
	for (size_t i = 0; i < RANKS; i++)
		while (history->ranks[i].newest)
			drop(history, history->ranks[i].newest);
	ipmap_free(history->by_ip);
	free(history);
}

uint32_t history_count(const struct history *history, uint32_t jail, const struct ip *ip,
	int64_t at_s)
{
	const struct record *record = ipmap_get(history->by_ip, ip, 0);
	uint64_t count = 0;

	for (; record; record = record->sibling)
		if ((jail == HISTORY_ALL_JAILS || jail == record->jail) &&
			is_remembered(history, record, at_s))
			count += record->count - (at_s <= record->since_s);
	return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

uint32_t history_add(struct history *history, uint32_t jail, const struct ip *ip, int64_t since_s,
	int64_t until_s)
{
	struct record *record = find(history, jail, ip);

	if (record && since_s <= record->since_s)
		return record->count;
	if (!record) {
		record = record_new(history, jail, ip);
	} else {
		list_remove(history, record);
		if (!is_remembered(history, record, since_s))
			record->count = 1;
		else if (record->count < UINT32_MAX)
			record->count++;
		list_append(history, record);
	}
	record->since_s = since_s;
	record->until_s = until_s;
	return record->count;
}

bool history_has(const struct history *history, uint32_t jail, const struct ip *ip, int64_t since_s)
{
	const struct record *record = find(history, jail, ip);

	return record && since_s <= record->since_s;
}

uint32_t history_extend(struct history *history, uint32_t jail, const struct ip *ip,
	int64_t until_s)
{
	struct record *record = find(history, jail, ip);

	if (!record)
		return 0;
	record->until_s = until_s;
	return record->count;
}

void history_restore(struct history *history, uint32_t jail, const struct ip *ip, uint32_t number,
	int64_t since_s, int64_t until_s)
{
	struct record *record = find(history, jail, ip);

	if (!number) {
		history_forget(history, jail, ip);
		return;
	}
	if (!record) {
		record = record_new(history, jail, ip);
		record->since_s = since_s;
		record->until_s = until_s;
	}
	list_remove(history, record);
	if (since_s >= record->since_s) { /* else its log was read late */
		record->count = number;
		record->since_s = since_s;
		record->until_s = until_s;
	}
	list_append(history, record);
}

void history_forget(struct history *history, uint32_t jail, const struct ip *ip)
{
	struct record *record = find(history, jail, ip);

	if (record)
		drop(history, record);
}

size_t history_expire(struct history *history, int64_t now_s, size_t limit)
{
	size_t dropped = 0;

	for (size_t i = 0; i < RANKS; i++)
		while (dropped < limit && history->ranks[i].oldest &&
			!is_remembered(history, history->ranks[i].oldest, now_s)) {
			drop(history, history->ranks[i].oldest);
			dropped++;
		}
	return dropped;
}

size_t history_size(const struct history *history)
{
	return history->count;
}

void history_check(const struct history *history)
{
	size_t count = 0;

	for (uint32_t i = 0; i < RANKS; i++) {
		size_t in_list = 0;

		for (const struct record *r = history->ranks[i].oldest; r; r = r->newer) {
			assert(r->rank == i && r->count >= 1);
			assert(r->count == i + 1 || (i == RANKS - 1 && r->count >= RANKS));
			assert(find(history, r->jail, &r->ip) == r);
			in_list++;
		}
		assert(in_list == history->ranks[i].count);
		count += in_list;
	}
	assert(count == history->count && count <= HISTORY_MAX);
}
