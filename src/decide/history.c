#include "decide/history.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/ipmap.h"
#include "decide/ranked.h"

/* The bans of one (jail, address). since_s and until_s are those of the last; until_s 0: permanent.
 */
struct record {
	struct ranked in; /* the table, ranked by `count` */
	uint32_t count;   /* how many bans, from 1 */
	int64_t since_s;
	int64_t until_s;
};

struct history {
	struct ranked_table table; /* of struct record, owned */
	uint32_t n_jails;          /* all jails with a record have smaller numbers */
	int64_t keep_s;
};

static void record_drop(struct history *history, struct record *record)
{
	ranked_remove(&history->table, &record->in);
	free(record);
}

static struct record *record_new(struct history *history, uint32_t jail, const struct ip *ip)
{
	struct record *victim = ranked_victim(&history->table);
	struct record *record = alloc_zero(sizeof(*record));

	if (victim)
		record_drop(history, victim);
	*record = (struct record){ .in = { .ip = *ip, .jail = jail }, .count = 1 };
	ranked_add(&history->table, &record->in, record->count);
	if (jail >= history->n_jails)
		history->n_jails = jail + 1;
	return record;
}

static bool is_remembered(const struct history *history, const struct record *record, int64_t at_s)
{
	return record->until_s == 0 || at_s - record->until_s <= history->keep_s;
}

struct history *history_new(int64_t keep_s)
{
	struct history *history = alloc_zero(sizeof(*history));

	ranked_init(&history->table, HISTORY_MAX);
	history->keep_s = keep_s;
	return history;
}

void history_free(struct history *history)
{
	struct record *record;
	size_t cursor = 0;

	if (!history)
		return;
	while ((record = ipmap_next(history->table.map, &cursor)))
		record_drop(history, record);
	ranked_done(&history->table);
	free(history);
}

uint32_t history_count(const struct history *history, uint32_t jail, const struct ip *ip,
	int64_t at_s)
{
	bool all = jail == HISTORY_ALL_JAILS;
	uint32_t end = all ? history->n_jails : jail + 1;
	uint64_t count = 0;

	for (uint32_t i = all ? 0 : jail; i < end; i++) {
		const struct record *record = ranked_find(&history->table, i, ip);

		if (record && is_remembered(history, record, at_s))
			count += record->count - (at_s <= record->since_s);
	}
	return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

uint32_t history_add(struct history *history, uint32_t jail, const struct ip *ip, int64_t since_s,
	int64_t until_s)
{
	struct record *record = ranked_find(&history->table, jail, ip);

	if (record && since_s <= record->since_s)
		return record->count;
	if (!record) {
		record = record_new(history, jail, ip);
	} else {
		if (!is_remembered(history, record, since_s))
			record->count = 1;
		else if (record->count < UINT32_MAX)
			record->count++;
		ranked_touch(&history->table, &record->in, record->count);
	}
	record->since_s = since_s;
	record->until_s = until_s;
	return record->count;
}

bool history_has(const struct history *history, uint32_t jail, const struct ip *ip, int64_t since_s)
{
	const struct record *record = ranked_find(&history->table, jail, ip);

	return record && since_s <= record->since_s;
}

uint32_t history_extend(struct history *history, uint32_t jail, const struct ip *ip,
	int64_t until_s)
{
	struct record *record = ranked_find(&history->table, jail, ip);

	if (!record)
		return 0;
	record->until_s = until_s;
	return record->count;
}

void history_restore(struct history *history, uint32_t jail, const struct ip *ip, uint32_t number,
	int64_t since_s, int64_t until_s)
{
	struct record *record = ranked_find(&history->table, jail, ip);

	if (!number) {
		history_forget(history, jail, ip);
		return;
	}
	if (!record) {
		record = record_new(history, jail, ip);
		record->since_s = since_s;
		record->until_s = until_s;
	}
	if (since_s >= record->since_s) { /* else its log was read late */
		record->count = number;
		record->since_s = since_s;
		record->until_s = until_s;
	}
	ranked_touch(&history->table, &record->in, record->count);
}

void history_forget(struct history *history, uint32_t jail, const struct ip *ip)
{
	struct record *record = ranked_find(&history->table, jail, ip);

	if (record)
		record_drop(history, record);
}

size_t history_expire(struct history *history, int64_t now_s, size_t limit)
{
	size_t dropped = 0;

	for (size_t i = 0; i < RANKED_RANKS; i++) {
		struct record *record;

		while (dropped < limit && (record = ranked_oldest(&history->table, i)) &&
			!is_remembered(history, record, now_s)) {
			record_drop(history, record);
			dropped++;
		}
	}
	return dropped;
}

size_t history_size(const struct history *history)
{
	return ranked_count(&history->table);
}

void history_check(const struct history *history)
{
	size_t cursor = 0;
	const struct record *record;

	ranked_check(&history->table);
	while ((record = ipmap_next(history->table.map, &cursor))) {
		assert(record->count >= 1 && record->in.jail < history->n_jails);
		assert(record->count == record->in.rank + 1U ||
			(record->in.rank == RANKED_RANKS - 1 && record->count >= RANKED_RANKS));
	}
}
