#include "control/status.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/ports.h"
#include "base/text.h"
#include "base/times.h"
#include "control/control.h"
#include "decide/bans.h"
#include "decide/guard.h"
#include "follow/tail.h"
#include "match/filter.h"
#include "process/messages.h"
#include "protect/protect.h"
#include "state/store.h"
#include "wire/nonces.h"
#include "wire/wire.h"

enum { STATUS_BANS_MAX = 100000 }; /* bans that a status lists, the newest */

/* One element of a kernel set whose counter is asked for. It has a copy of address and jail, as the
 * ban may end before the answer comes. */
struct query {
	struct ip ip;
	uint32_t jail;
	uint8_t scope;
	bool answered;
	bool present;
	uint64_t packets;
};

/* queries[0..count) are sorted by (ip, jail), so that those of one ban stand together.
 * queries[0..asked) have been sent, query i with the serial number serial + i; `answers` of them
 * have been answered. */
struct status {
	const struct control_engine *engine; /* borrowed */
	const char *jail;                    /* borrowed; NULL: all */
	uint32_t serial;
	struct query queries[STATUS_SERIALS];
	size_t count;
	size_t asked;
	size_t answers;
};

static int newest_first(const void *a, const void *b)
{
	const struct ban *const *left = a;
	const struct ban *const *right = b;

	if ((*left)->since_s != (*right)->since_s)
		return (*left)->since_s < (*right)->since_s ? 1 : -1;
	return memcmp(&(*left)->ip, &(*right)->ip, sizeof((*left)->ip));
}

/* The bans of jail number `jail` (-1: of all), newest first, at most STATUS_BANS_MAX. The caller
 * frees the array; the bans are borrowed until one ends. */
static const struct ban **list_bans(const struct status *status, int jail, size_t *ret_count)
{
	struct bans *bans = guard_bans(status->engine->guard);
	const struct ban **list = NULL;
	size_t count = 0;
	size_t room = 0;
	size_t cursor = 0;
	const struct ban *ban;

	while ((ban = bans_next(bans, &cursor))) {
		if (ban->expired || (jail >= 0 && ban->jail != (uint32_t)jail))
			continue;
		list = alloc_room(list, count, &room, sizeof(*list));
		list[count++] = ban;
	}
	if (count)
		qsort(list, count, sizeof(*list), newest_first);
	*ret_count = count < STATUS_BANS_MAX ? count : STATUS_BANS_MAX;
	return list;
}

static int by_ban(const void *a, const void *b)
{
	const struct query *left = a;
	const struct query *right = b;
	int order = memcmp(&left->ip, &right->ip, sizeof(left->ip));

	return order ? order : (left->jail > right->jail) - (left->jail < right->jail);
}

struct status *status_new(const struct control_engine *engine, const char *jail, uint32_t serial)
{
	struct status *status = alloc_zero(sizeof(*status));
	cleanup_free const struct ban **list = NULL;
	size_t count;

	status->engine = engine;
	status->jail = jail;
	status->serial = serial;
	if (engine->dry_run)
		return status;
	list = list_bans(status, jail ? guard_find_jail(engine->guard, jail) : -1, &count);
	for (size_t i = 0; i < count && i < CONTROL_COUNTERS_MAX; i++) {
		const struct ban_scopes *scopes = bans_scopes(guard_bans(engine->guard), list[i]);

		for (size_t k = 0; k < scopes->count && status->count < STATUS_SERIALS; k++)
			status->queries[status->count++] = (struct query){ .ip = list[i]->ip,
				.jail = list[i]->jail,
				.scope = scopes->list[k] };
	}
	qsort(status->queries, status->count, sizeof(status->queries[0]), by_ban);
	return status;
}

void status_free(struct status *status)
{
	free(status);
}

bool status_ask(struct status *status)
{
	const struct control_engine *engine = status->engine;

	while (status->asked < status->count) {
		const struct query *query = &status->queries[status->asked];

		if (!engine->query(engine->context, status->serial + (uint32_t)status->asked,
			    query->scope, &query->ip))
			break;
		status->asked++;
	}
	return status->answers == status->count;
}

bool status_counters(struct status *status, const struct message *record)
{
	uint32_t index = record->serial - status->serial;
	struct query *query = &status->queries[index < STATUS_SERIALS ? index : 0];

	if (index >= status->asked || !ip_equal(&query->ip, &record->ip))
		return false;
	status->answers += !query->answered;
	query->answered = true;
	query->present = record->failure == 0;
	query->packets = record->packets;
	return true;
}

/* ---- JSON ---- */

/* Text from outside: it is rendered here. */
static json_t *text_json(const char *text)
{
	char shown[1024];

	return json_string(text_render_string(shown, sizeof(shown), text));
}

/* Text that is rendered already: it is only made sure of, as a cut may have split a character. */
static json_t *rendered_json(const char *text)
{
	char shown[1024];

	return json_string(text_rendered(shown, sizeof(shown), text));
}

static json_t *time_json(int64_t at_s)
{
	char text[UTC_TEXT_MAX];

	return json_string(utc_format(at_s, text));
}

static json_t *scope_json(const struct guard_jail_info *info, bool proven)
{
	char text[BAN_JAIL_SCOPES_MAX * (SCOPE_TEXT_MAX + 1)] = "";
	char one[SCOPE_TEXT_MAX];
	size_t used = 0;

	for (size_t i = 0; i < info->n_scopes[proven]; i++)
		used += text_format(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
			scope_format(info->scopes[proven][i], one));
	return json_string(text);
}

/* The first query of this ban, or the end of queries if none was made for it. */
static const struct query *find_queries(const struct status *status, const struct ban *ban)
{
	const struct query key = { .ip = ban->ip, .jail = ban->jail };
	const struct query *query =
		bsearch(&key, status->queries, status->count, sizeof(status->queries[0]), by_ban);

	while (query && query > status->queries && by_ban(query - 1, &key) == 0)
		query--;
	return query ? query : status->queries + status->count;
}

struct json_t *status_ban(const struct control_engine *engine, const struct ban *ban,
	const struct guard_jail_info *info)
{
	char address[IP_TEXT_MAX];
	json_t *object = json_object();

	json_object_set_new(object, "address", json_string(ip_format(&ban->ip, address)));
	json_object_set_new(object, "since", time_json(ban->since_s));
	json_object_set_new(object, "until", ban->until_s ? time_json(ban->until_s) : json_null());
	json_object_set_new(object, "failures", json_integer(ban->failures));
	json_object_set_new(object, "scope", scope_json(info, ban->proven));
	json_object_set_new(object, "proof", json_string(ban->proven ? "proven" : "unproven"));
	json_object_set_new(object, "in_kernel",
		json_boolean(bans_in_kernel(guard_bans(engine->guard), ban, NULL)));
	json_object_set_new(object, "dropped_packets", json_null());
	json_object_set_new(object, "last_account",
		ban->account[0] ? text_json(ban->account) : json_null());
	return object;
}

/* With what the kernel has answered: it may say that an element is missing, and dropped_packets is
 * the sum over the elements of the ban. */
static json_t *ban_json(const struct status *status, const struct ban *ban,
	const struct guard_jail_info *info)
{
	json_t *object = status_ban(status->engine, ban, info);
	bool missing = false;
	bool asked = false;
	uint64_t packets = 0;

	for (const struct query *query = find_queries(status, ban);
		query < status->queries + status->count && query->jail == ban->jail &&
		ip_equal(&query->ip, &ban->ip);
		query++) {
		if (!query->answered)
			continue;
		asked = true;
		missing = missing || !query->present;
		packets += query->packets;
	}
	if (missing)
		json_object_set_new(object, "in_kernel", json_false());
	if (asked)
		json_object_set_new(object, "dropped_packets", json_integer((json_int_t)packets));
	return object;
}

struct files_context {
	json_t *array;
	const uint64_t *patterns;
};

static void add_file(void *context, const struct tail_file_info *info)
{
	static const char *const states[] = { "following", "waiting", "unreadable", "gap" };
	const struct files_context *files = context;
	bool wanted = false;

	for (size_t i = 0; i < TAIL_PATTERNS_MAX / 64; i++)
		wanted = wanted || (info->patterns[i] & files->patterns[i]);
	if (!wanted)
		return;
	json_array_append_new(files->array,
		json_pack("{s:o, s:s, s:I, s:I}", "path", text_json(info->path), "state",
			states[info->state], "offset", (json_int_t)info->offset, "lag_bytes",
			(json_int_t)info->lag_bytes));
}

static json_t *bans_json(const struct status *status, size_t jail,
	const struct guard_jail_info *info)
{
	cleanup_free const struct ban **list = NULL;
	json_t *array = json_array();
	size_t count;

	list = list_bans(status, (int)jail, &count);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, ban_json(status, list[i], info));
	return array;
}

/* How many lines the parser of Asterisk's security log gave up on, by kind; kinds without lines are
 * left out. */
static json_t *unsound_json(const struct guard_jail_info *info)
{
	json_t *object = json_object();

	for (int kind = 0; kind < ASTERISK_KINDS; kind++)
		if (info->unsound[kind])
			json_object_set_new(object, asterisk_kind_text(kind),
				json_integer((json_int_t)info->unsound[kind]));
	return object;
}

/* The rules that PCRE2 stopped at its match limit, and in how many lines. */
static json_t *limited_json(const struct guard_jail_info *info)
{
	json_t *array = json_array();
	struct filter_limited rule;
	char at[1024];

	for (size_t i = 0; info->filter && filter_limited(info->filter, i, &rule); i++) {
		if (!rule.lines)
			continue;
		text_format(at, sizeof(at), "%s:%u", rule.at.file, rule.at.line);
		json_array_append_new(array, json_pack("{s:s, s:i, s:o, s:I}", "kind", rule.kind,
						     "rule", (int)rule.number, "at", text_json(at),
						     "lines", (json_int_t)rule.lines));
	}
	return array;
}

static json_t *jail_json(const struct status *status, size_t jail,
	const struct guard_jail_info *info)
{
	struct files_context files = { .array = json_array(), .patterns = info->patterns };
	json_t *object = json_object();

	tail_files(status->engine->tail, add_file, &files);
	if (info->journal)
		json_array_append_new(files.array,
			json_pack("{s:s, s:s, s:i, s:i}", "path", "journal", "state", "following",
				"offset", 0, "lag_bytes", 0));
	json_object_set_new(object, "name", text_json(info->name));
	json_object_set_new(object, "files", files.array);
	json_object_set_new(object, "maxretry", json_integer(info->maxretry));
	json_object_set_new(object, "findtime_s", json_integer(info->findtime_s));
	json_object_set_new(object, "bantime_s", json_integer(info->bantime_s));
	json_object_set_new(object, "failures",
		json_pack("{s:I, s:I}", "current", (json_int_t)info->failures_current, "total",
			(json_int_t)info->failures_total));
	json_object_set_new(object, "banned",
		json_pack("{s:I, s:I}", "current",
			(json_int_t)bans_count(guard_bans(status->engine->guard), (uint32_t)jail),
			"total", (json_int_t)info->bans_total));
	json_object_set_new(object, "unresolved", json_integer((json_int_t)info->unresolved));
	json_object_set_new(object, "unsound", unsound_json(info));
	json_object_set_new(object, "limited", limited_json(info));
	json_object_set_new(object, "bans", bans_json(status, jail, info));
	return object;
}

static json_t *health_json(const struct control_engine *engine)
{
	static const char *const names[CONTROL_PARTS] = { "firewall", "engine", "notifier", "state",
		"mail", "config" };
	json_t *object = json_object();

	for (size_t i = 0; i < CONTROL_PARTS; i++)
		json_object_set_new(object, names[i],
			json_pack("{s:b, s:o}", "ok", engine->health[i].ok, "text",
				rendered_json(engine->health[i].text)));
	return object;
}

/* By what the source of a failure can be proven. */
static json_t *proof_json(const struct control_engine *engine)
{
	const struct control_health *health = engine->wire_health;
	const struct wire_counts *counts;
	const struct nonces *nonces;

	if (!engine->wire)
		return json_pack("{s:n}", "wire");
	counts = wire_counts(engine->wire);
	nonces = wire_nonces(engine->wire);
	return json_pack("{s:{s:b, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}}", "wire", "ok",
		health->ok, "text", rendered_json(health->text), "challenges",
		(json_int_t)counts->answers, "foreign", (json_int_t)counts->foreign, "unreadable",
		(json_int_t)counts->unreadable, "lost", (json_int_t)counts->lost, "withdrawn",
		(json_int_t)counts->withdrawn, "nonces", (json_int_t)nonces_count(nonces), "proven",
		(json_int_t)nonces_proven_count(nonces));
}

/* Shown are all jails that run or are left out. The jail "manual" and jails that only the database
 * knows are shown while they hold a ban. */
static bool is_shown(const struct status *status, size_t jail, const struct guard_jail_info *info)
{
	if (status->jail)
		return strcmp(status->jail, info->name) == 0;
	return info->active || info->broken ||
	       bans_count(guard_bans(status->engine->guard), (uint32_t)jail) > 0;
}

static json_t *allowed_json(const struct protect *protect)
{
	json_t *array = json_array();
	const struct store_allow *allow;
	char address[IP_TEXT_MAX];

	for (size_t i = 0; (allow = protect_allowed(protect, i)); i++)
		json_array_append_new(array,
			json_pack("{s:s, s:o, s:o, s:o}", "address",
				allow->name ? allow->name : ip_format(&allow->ip, address), "since",
				time_json(allow->at_s), "until",
				allow->until_s ? time_json(allow->until_s) : json_null(), "note",
				text_json(allow->note)));
	return array;
}

struct json_t *status_jails(const struct guard *guard, int64_t now_s)
{
	json_t *names = json_array();

	for (size_t i = 0; i < guard_jails(guard); i++) {
		struct guard_jail_info info;

		guard_jail_info(guard, i, now_s, &info);
		if (info.active)
			json_array_append_new(names, text_json(info.name));
	}
	return json_pack("{s:b, s:o}", "ok", 1, "jails", names);
}

struct json_t *status_jail(const struct control_engine *engine, size_t jail, int64_t now_s)
{
	json_t *ignored = json_array();
	struct guard_jail_info info;
	const struct store_allow *allow;
	char address[IP_TEXT_MAX];

	guard_jail_info(engine->guard, jail, now_s, &info);
	for (size_t i = 0; i < info.n_ignoreip; i++)
		json_array_append_new(ignored, json_string(ip_format(&info.ignoreip[i], address)));
	for (size_t i = 0; (allow = protect_allowed(engine->protect, i)); i++)
		if (!allow->name)
			json_array_append_new(ignored, json_string(ip_format(&allow->ip, address)));
	return json_pack("{s:b, s:o, s:I, s:I, s:I, s:o}", "ok", 1, "name", text_json(info.name),
		"maxretry", (json_int_t)info.maxretry, "findtime_s", (json_int_t)info.findtime_s,
		"bantime_s", (json_int_t)info.bantime_s, "ignoreip", ignored);
}

struct json_t *status_json(const struct status *status, int64_t now_s)
{
	const struct control_engine *engine = status->engine;
	json_t *object = json_object();
	json_t *jails = json_array();

	for (size_t i = 0; i < guard_jails(engine->guard); i++) {
		struct guard_jail_info info;

		guard_jail_info(engine->guard, i, now_s, &info);
		if (is_shown(status, i, &info))
			json_array_append_new(jails, jail_json(status, i, &info));
	}
	json_object_set_new(object, "ok", json_true());
	json_object_set_new(object, "version", json_string(VERSION));
	json_object_set_new(object, "uptime_s", json_integer(now_s - engine->started_s));
	json_object_set_new(object, "dry_run", json_boolean(engine->dry_run));
	json_object_set_new(object, "health", health_json(engine));
	json_object_set_new(object, "proof", proof_json(engine));
	json_object_set_new(object, "cut_lines",
		json_integer((json_int_t)tail_cut_lines(engine->tail)));
	json_object_set_new(object, "jails", jails);
	json_object_set_new(object, "allowed", allowed_json(engine->protect));
	return object;
}
