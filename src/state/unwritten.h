#ifndef VG_UNWRITTEN_H
#define VG_UNWRITTEN_H

#include "state/store.h"

/* The dirty rows of a store, in the order they came: memory only, no database. All text is copied
 * and lives until store_queue_clear. Every list is capped as store.h says; what goes is counted
 * in lost. */
struct store_queue_position {
	struct tail_position position;
	bool forget;
};

struct store_queue_cursor {
	const char *jail;
	char text[STORE_CURSOR_MAX];
};

struct store_queue_allow {
	struct store_allow allow;
	bool forget;
};

struct store_queue_total {
	const char *jail;
	uint64_t failures;
	uint64_t bans;
};

struct store_queue_pattern {
	const char *jail;
	char *pattern;
};

/* Zero is empty. bans[i + 1].id is bans[i].id + 1. */
struct store_queue {
	struct store_failure *failures;
	size_t n_failures, failures_room;
	struct store_ban *bans; /* new ones */
	size_t n_bans, bans_room;
	struct store_ban *updates; /* of rows that are in the database; no texts */
	size_t n_updates, updates_room;
	struct store_queue_position *positions;
	size_t n_positions, positions_room;
	struct store_queue_cursor *cursors;
	size_t n_cursors, cursors_room;
	struct store_queue_pattern *patterns;
	size_t n_patterns, patterns_room;
	struct store_queue_total *totals;
	size_t n_totals, totals_room;
	struct store_alert *alerts; /* new ones */
	size_t n_alerts, alerts_room;
	struct store_queue_allow *allows;
	size_t n_allows, allows_room;
	int64_t *sent; /* ids of alerts that are in the database */
	size_t n_sent, sent_room;
	struct store_name *hosts; /* names are owned */
	size_t n_hosts, hosts_room;
	char **names; /* jail names, each once; kept by store_queue_clear */
	size_t n_names, names_room;
	uint64_t lost;
};

void store_queue_failure(struct store_queue *queue, const struct store_failure *failure);
void store_queue_ban(struct store_queue *queue, const struct store_ban *ban);
/* Changes the new row if it is still here, else queues an update. */
void store_queue_ban_update(struct store_queue *queue, const struct store_ban *ban);
void store_queue_position(struct store_queue *queue, const struct tail_position *position,
	bool forget);
void store_queue_cursor(struct store_queue *queue, const char *jail, const char *cursor);
void store_queue_pattern(struct store_queue *queue, const char *jail, const char *pattern);
void store_queue_total(struct store_queue *queue, const struct store_queue_total *total);
void store_queue_alert(struct store_queue *queue, const struct store_alert *alert);
void store_queue_allow(struct store_queue *queue, const struct store_allow *allow, bool forget);
void store_queue_alert_sent(struct store_queue *queue, int64_t id);
void store_queue_host(struct store_queue *queue, const struct store_name *host);

/* Rows of all kinds but positions and cursors. */
size_t store_queue_count(const struct store_queue *queue);
/* After a commit: nothing is dirty. */
void store_queue_clear(struct store_queue *queue);
void store_queue_done(struct store_queue *queue);

#endif
