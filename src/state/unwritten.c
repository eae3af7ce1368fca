#include "state/unwritten.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum {
	ROOM_FIRST = 64,
	DROP_PART = 16, /* a full list loses a sixteenth at once: moving the rest stays cheap */
};

/* Room for one item more. */
static void *make_room(void *items, size_t n, size_t *room, size_t item_bytes)
{
	if (n < *room)
		return items;
	*room = *room ? 2 * *room : ROOM_FIRST;
	return alloc_grow(items, *room, item_bytes);
}

/* Takes the first `dropped` of *n items away; the caller has freed what they own. */
static void drop_first(struct store_queue *queue, void *items, size_t *n, size_t dropped,
	size_t item_bytes)
{
	*n -= dropped;
	memmove(items, (char *)items + dropped * item_bytes, *n * item_bytes);
	queue->lost += dropped;
}

static const char *name_keep(struct store_queue *queue, const char *name)
{
	for (size_t i = 0; i < queue->n_names; i++)
		if (strcmp(queue->names[i], name) == 0)
			return queue->names[i];
	queue->names = make_room(queue->names, queue->n_names, &queue->names_room, sizeof(char *));
	queue->names[queue->n_names] = alloc_string(name);
	return queue->names[queue->n_names++];
}

/* The texts of rows are ours, const only for those who read them. */
static void text_free(const char *text)
{
	void *memory;

	memcpy(&memory, &text, sizeof(memory));
	free(memory);
}

void store_queue_failure(struct store_queue *queue, const struct store_failure *failure)
{
	if (queue->n_failures == STORE_DIRTY_MAX)
		drop_first(queue, queue->failures, &queue->n_failures, STORE_DIRTY_MAX / DROP_PART,
			sizeof(*queue->failures));
	queue->failures = make_room(queue->failures, queue->n_failures, &queue->failures_room,
		sizeof(*queue->failures));
	queue->failures[queue->n_failures] = *failure;
	queue->failures[queue->n_failures++].jail = name_keep(queue, failure->jail);
}

static void bans_free(struct store_queue *queue, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		text_free(queue->bans[i].account);
		text_free(queue->bans[i].note);
	}
}

void store_queue_ban(struct store_queue *queue, const struct store_ban *ban)
{
	struct store_ban *row;

	if (queue->n_bans == STORE_DIRTY_MAX) {
		bans_free(queue, STORE_DIRTY_MAX / DROP_PART);
		drop_first(queue, queue->bans, &queue->n_bans, STORE_DIRTY_MAX / DROP_PART,
			sizeof(*queue->bans));
	}
	queue->bans =
		make_room(queue->bans, queue->n_bans, &queue->bans_room, sizeof(*queue->bans));
	row = &queue->bans[queue->n_bans++];
	*row = *ban;
	row->jail = name_keep(queue, ban->jail);
	row->account = alloc_string(ban->account ? ban->account : "");
	row->note = alloc_string(ban->note ? ban->note : "");
}

static struct store_ban *ban_row(const struct store_queue *queue, int64_t id)
{
	if (!queue->n_bans || id < queue->bans[0].id ||
		id - queue->bans[0].id >= (int64_t)queue->n_bans)
		return NULL;
	return &queue->bans[id - queue->bans[0].id];
}

void store_queue_ban_update(struct store_queue *queue, const struct store_ban *ban)
{
	struct store_ban *row = ban_row(queue, ban->id);

	if (row) {
		row->until_s = ban->until_s;
		row->failures = ban->failures;
		row->state = ban->state;
		row->number = ban->number;
		return;
	}
	if (queue->n_updates == STORE_DIRTY_MAX)
		drop_first(queue, queue->updates, &queue->n_updates, STORE_DIRTY_MAX / DROP_PART,
			sizeof(*queue->updates));
	queue->updates = make_room(queue->updates, queue->n_updates, &queue->updates_room,
		sizeof(*queue->updates));
	queue->updates[queue->n_updates++] = (struct store_ban){
		.id = ban->id,
		.until_s = ban->until_s,
		.failures = ban->failures,
		.state = ban->state,
		.number = ban->number,
	};
}

void store_queue_position(struct store_queue *queue, const struct tail_position *position,
	bool forget)
{
	size_t i = 0;

	while (i < queue->n_positions &&
		strcmp(queue->positions[i].position.path, position->path) != 0)
		i++;
	if (i == STORE_POSITIONS_MAX) {
		text_free(queue->positions[0].position.path);
		drop_first(queue, queue->positions, &queue->n_positions, 1,
			sizeof(*queue->positions));
		i--;
	}
	if (i < queue->n_positions) {
		text_free(queue->positions[i].position.path);
	} else {
		queue->positions = make_room(queue->positions, queue->n_positions,
			&queue->positions_room, sizeof(*queue->positions));
		queue->n_positions++;
	}
	queue->positions[i] =
		(struct store_queue_position){ .position = *position, .forget = forget };
	queue->positions[i].position.path = alloc_string(position->path);
}

/* Bounded by the configuration: one a jail, the last. */
void store_queue_cursor(struct store_queue *queue, const char *jail, const char *cursor)
{
	const char *name = name_keep(queue, jail);
	size_t i = 0;

	while (i < queue->n_cursors && queue->cursors[i].jail != name)
		i++;
	if (i == queue->n_cursors) {
		queue->cursors = make_room(queue->cursors, queue->n_cursors, &queue->cursors_room,
			sizeof(*queue->cursors));
		queue->n_cursors++;
	}
	queue->cursors[i].jail = name;
	(void)snprintf(queue->cursors[i].text, sizeof(queue->cursors[i].text), "%s",
		cursor); /* fits, store_cursor has looked */
}

/* Bounded by the configuration: each (jail, pattern) is kept once. */
void store_queue_pattern(struct store_queue *queue, const char *jail, const char *pattern)
{
	const char *name = name_keep(queue, jail);

	for (size_t i = 0; i < queue->n_patterns; i++)
		if (queue->patterns[i].jail == name &&
			strcmp(queue->patterns[i].pattern, pattern) == 0)
			return;
	queue->patterns = make_room(queue->patterns, queue->n_patterns, &queue->patterns_room,
		sizeof(*queue->patterns));
	queue->patterns[queue->n_patterns++] =
		(struct store_queue_pattern){ .jail = name, .pattern = alloc_string(pattern) };
}

/* Bounded by the configuration: one a jail, the last. */
void store_queue_total(struct store_queue *queue, const struct store_queue_total *total)
{
	const char *name = name_keep(queue, total->jail);
	size_t i = 0;

	while (i < queue->n_totals && queue->totals[i].jail != name)
		i++;
	if (i == queue->n_totals) {
		queue->totals = make_room(queue->totals, queue->n_totals, &queue->totals_room,
			sizeof(*queue->totals));
		queue->n_totals++;
	}
	queue->totals[i] = *total;
	queue->totals[i].jail = name;
}

static void alert_free(const struct store_alert *alert)
{
	text_free(alert->dest);
	text_free(alert->sender);
	text_free(alert->subject);
	text_free(alert->body);
}

void store_queue_alert(struct store_queue *queue, const struct store_alert *alert)
{
	if (queue->n_alerts == STORE_ALERTS_MAX) {
		alert_free(&queue->alerts[0]);
		drop_first(queue, queue->alerts, &queue->n_alerts, 1, sizeof(*queue->alerts));
	}
	queue->alerts = make_room(queue->alerts, queue->n_alerts, &queue->alerts_room,
		sizeof(*queue->alerts));
	queue->alerts[queue->n_alerts++] = (struct store_alert){
		.id = alert->id,
		.at_s = alert->at_s,
		.dest = alloc_string(alert->dest),
		.sender = alloc_string(alert->sender),
		.subject = alloc_string(alert->subject),
		.body = alloc_string(alert->body),
	};
}

void store_queue_alert_sent(struct store_queue *queue, int64_t id)
{
	for (size_t i = 0; i < queue->n_alerts; i++) {
		if (queue->alerts[i].id != id)
			continue;
		alert_free(&queue->alerts[i]);
		queue->n_alerts--;
		memmove(queue->alerts + i, queue->alerts + i + 1,
			(queue->n_alerts - i) * sizeof(*queue->alerts));
		return;
	}
	if (queue->n_sent == STORE_ALERTS_MAX)
		drop_first(queue, queue->sent, &queue->n_sent, 1, sizeof(*queue->sent));
	queue->sent =
		make_room(queue->sent, queue->n_sent, &queue->sent_room, sizeof(*queue->sent));
	queue->sent[queue->n_sent++] = id;
}

/* In the order they came: a later row of the same address wins. */
void store_queue_allow(struct store_queue *queue, const struct store_allow *allow, bool forget)
{
	if (queue->n_allows == STORE_ALLOWS_MAX) {
		text_free(queue->allows[0].allow.note);
		text_free(queue->allows[0].allow.name);
		drop_first(queue, queue->allows, &queue->n_allows, 1, sizeof(*queue->allows));
	}
	queue->allows = make_room(queue->allows, queue->n_allows, &queue->allows_room,
		sizeof(*queue->allows));
	queue->allows[queue->n_allows] =
		(struct store_queue_allow){ .allow = *allow, .forget = forget };
	queue->allows[queue->n_allows].allow.note = alloc_string(allow->note ? allow->note : "");
	queue->allows[queue->n_allows++].allow.name =
		allow->name ? alloc_string(allow->name) : NULL;
}

/* Bounded by the caller's names: one a name, the last. */
void store_queue_host(struct store_queue *queue, const struct store_name *host)
{
	const char *name;
	size_t i = 0;

	while (i < queue->n_hosts && strcmp(queue->hosts[i].name, host->name) != 0)
		i++;
	if (i == queue->n_hosts) {
		queue->hosts = make_room(queue->hosts, queue->n_hosts, &queue->hosts_room,
			sizeof(*queue->hosts));
		queue->hosts[queue->n_hosts++].name = alloc_string(host->name);
	}
	name = queue->hosts[i].name;
	queue->hosts[i] = *host;
	queue->hosts[i].name = name;
}

size_t store_queue_count(const struct store_queue *queue)
{
	return queue->n_failures + queue->n_bans + queue->n_updates + queue->n_patterns +
	       queue->n_totals + queue->n_alerts + queue->n_sent + queue->n_allows + queue->n_hosts;
}

void store_queue_clear(struct store_queue *queue)
{
	bans_free(queue, queue->n_bans);
	for (size_t i = 0; i < queue->n_positions; i++)
		text_free(queue->positions[i].position.path);
	for (size_t i = 0; i < queue->n_patterns; i++)
		free(queue->patterns[i].pattern);
	for (size_t i = 0; i < queue->n_hosts; i++)
		text_free(queue->hosts[i].name);
	for (size_t i = 0; i < queue->n_alerts; i++)
		alert_free(&queue->alerts[i]);
	for (size_t i = 0; i < queue->n_allows; i++) {
		text_free(queue->allows[i].allow.note);
		text_free(queue->allows[i].allow.name);
	}
	queue->n_failures = queue->n_bans = queue->n_updates = queue->n_positions = 0;
	queue->n_cursors = 0;
	queue->n_patterns = queue->n_totals = queue->n_alerts = queue->n_sent = 0;
	queue->n_allows = queue->n_hosts = 0;
}

void store_queue_done(struct store_queue *queue)
{
	store_queue_clear(queue);
	for (size_t i = 0; i < queue->n_names; i++)
		free(queue->names[i]);
	free(queue->names);
	free(queue->failures);
	free(queue->bans);
	free(queue->updates);
	free(queue->positions);
	free(queue->cursors);
	free(queue->patterns);
	free(queue->totals);
	free(queue->alerts);
	free(queue->sent);
	free(queue->allows);
	free(queue->hosts);
	*queue = (struct store_queue){ .lost = queue->lost };
}
