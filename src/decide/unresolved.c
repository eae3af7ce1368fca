/* Hits that name a host and no address, in jails whose usedns says that names are looked up.
 *
 * The line goes on being followed; the hit waits here until the name is answered. Names come from
 * outsiders: only whole ones are asked for, each once, at a bounded rate, and what finds no room
 * is counted for nobody. A name is no proof: who owns its zone can point it at anybody, which is
 * why a jail has to ask for this.
 *
 * Hits that wait when the engine ends are lost, on a reload too: those of names that had no answer
 * within the last GUARD_NAME_QUEUED_S and GUARD_NAME_WAIT_S, at most GUARD_NAME_HITS_MAX. They are
 * counted for nobody, and a later line of the same host counts as if they had not been; an orderly
 * end says how many they are. The position of their log cannot stay in front of them: what its
 * later lines have brought is committed together with it, and would count a second time. A table of
 * their own in the database, joined to the transaction that counts them, would do it, for a disk
 * write each time that a stranger names a host: too much for what is unproven anyway, when no
 * stranger chooses the moment of a restart. */
#include "decide/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/host_name.h"
#include "config/config.h"
#include "match/filter.h"

enum {
	LINE_MAX_BYTES = 1000,   /* of a waiting line, for the letter */
	ACCOUNT_MAX_BYTES = 128, /* of its account */
};

enum name_state { NAME_FREE, NAME_WAITING, NAME_ASKED, NAME_KNOWN };

/* until_s: of one that is not known when it counts as unanswered, of a known one when it is too
 * old. */
struct known_name {
	enum name_state state;
	uint32_t hash;
	int64_t until_s;
	size_t count;
	struct ip addresses[GUARD_NAME_ADDRESSES_MAX];
	char name[HOST_NAME_BYTES_MAX + 1];
};

struct waiting_hit {
	struct known_name *name; /* in the table: it is kept while a hit waits for it */
	size_t jail;
	struct hit hit; /* account points here, host and fields are empty */
	bool first_read;
	size_t line_length;
	char account[ACCOUNT_MAX_BYTES];
	char line[LINE_MAX_BYTES];
	struct waiting_hit *next;
};

struct guard_names {
	struct known_name table[GUARD_NAMES_MAX];
	struct waiting_hit *hits; /* owned list, oldest first */
	struct waiting_hit **end;
	size_t n_hits;
	int64_t second_s; /* of the questions in n_asked */
	unsigned n_asked;
};

struct guard_names *guard_names_new(void)
{
	struct guard_names *names = alloc_zero(sizeof(*names));

	names->end = &names->hits;
	return names;
}

void guard_names_free(struct guard_names *names)
{
	while (names->hits) {
		struct waiting_hit *next = names->hits->next;

		free(names->hits);
		names->hits = next;
	}
	free(names);
}

/* Copies a name in lower case. False: it is none that a name server could know. One label is a
 * host of our own network, and no stranger's. */
static bool name_read(const char *text, size_t length, char ret_name[HOST_NAME_BYTES_MAX + 1])
{
	if (!host_name_is_valid(text, length))
		return false;
	length -= text[length - 1] == '.';
	if (!memchr(text, '.', length))
		return false;
	memcpy(ret_name, text, length);
	ret_name[length] = '\0';
	(void)ascii_lower_string(ret_name);
	return true;
}

/* FNV-1a, to pass over other names quickly: the table is small, and searched as a whole. */
static uint32_t name_hash(const char *name)
{
	uint32_t hash = 2166136261U;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619U;
	return hash;
}

static struct known_name *name_find(struct guard_names *names, const char *text)
{
	uint32_t hash = name_hash(text);

	for (size_t i = 0; i < GUARD_NAMES_MAX; i++)
		if (names->table[i].state != NAME_FREE && names->table[i].hash == hash &&
			strcmp(names->table[i].name, text) == 0)
			return &names->table[i];
	return NULL;
}

/* A free place, or that of the oldest answer. NULL: all wait for one. */
static struct known_name *name_place(struct guard_names *names)
{
	struct known_name *oldest = NULL;

	for (size_t i = 0; i < GUARD_NAMES_MAX; i++) {
		struct known_name *name = &names->table[i];

		if (name->state == NAME_FREE)
			return name;
		if (name->state == NAME_KNOWN && (!oldest || name->until_s < oldest->until_s))
			oldest = name;
	}
	return oldest;
}

static bool name_ask(struct guard *guard, struct known_name *name, int64_t now_s)
{
	struct guard_names *names = guard->names;

	if (names->second_s != now_s) {
		names->second_s = now_s;
		names->n_asked = 0;
	}
	if (names->n_asked >= GUARD_NAME_RATE ||
		!guard->events.resolve(guard->events.context, name->name))
		return false;
	names->n_asked++;
	name->state = NAME_ASKED;
	name->until_s = now_s + GUARD_NAME_WAIT_S;
	return true;
}

/* The name, known or about to be asked; NULL: there is no room. */
static struct known_name *name_get(struct guard *guard, const char *text, int64_t now_s)
{
	struct guard_names *names = guard->names;
	struct known_name *name = name_find(names, text);

	if (name && (name->state != NAME_KNOWN ||
			    (name->until_s > now_s && name->until_s <= now_s + GUARD_NAME_KEPT_S)))
		return name;
	if (!name)
		name = name_place(names);
	if (!name || names->n_hits == GUARD_NAME_HITS_MAX)
		return NULL;
	*name = (struct known_name){ .state = NAME_WAITING,
		.hash = name_hash(text),
		.until_s = now_s + GUARD_NAME_QUEUED_S };
	(void)snprintf(name->name, sizeof(name->name), "%s", text); /* fits */
	(void)name_ask(guard, name, now_s);                         /* else the tick does */
	return name;
}

static void count_addresses(struct guard *guard, const struct known_name *name, size_t jail,
	const struct line *line, const struct hit *hit, int64_t now_s)
{
	struct hit one = *hit;

	if (!name->count)
		guard->jails[jail].unresolved++;
	one.proven = false; /* nothing proves a name */
	for (size_t i = 0; i < name->count; i++) {
		one.ip = name->addresses[i];
		guard_count_hit(guard, jail, line, &one, now_s);
	}
}

static void hit_wait(struct guard_names *names, struct known_name *name, size_t jail,
	const struct line *line, const struct hit *hit, int64_t now_s)
{
	struct waiting_hit *waiting = alloc_zero(sizeof(*waiting));
	size_t account = hit->account_length;

	waiting->name = name;
	waiting->jail = jail;
	waiting->hit = (struct hit){ .has_time = true,
		.at_ms = hit->has_time ? hit->at_ms : now_s * 1000,
		.rule = hit->rule };
	if (hit->account) {
		account = account < ACCOUNT_MAX_BYTES ? account : ACCOUNT_MAX_BYTES;
		memcpy(waiting->account, hit->account, account);
		waiting->hit.account = waiting->account;
		waiting->hit.account_length = account;
	}
	waiting->first_read = line->first_read;
	waiting->line_length = line->length < LINE_MAX_BYTES ? line->length : LINE_MAX_BYTES;
	memcpy(waiting->line, line->text, waiting->line_length);
	*names->end = waiting;
	names->end = &waiting->next;
	names->n_hits++;
}

void guard_names_hit(struct guard *guard, size_t number, const struct line *line,
	const struct hit *hit, int64_t now_s)
{
	struct guard_jail *jail = &guard->jails[number];
	enum usedns usedns = jail->config->filter.usedns;
	char text[HOST_NAME_BYTES_MAX + 1];
	struct known_name *name = NULL;

	if (!hit->host_is_name || (usedns != USEDNS_YES && usedns != USEDNS_WARN) ||
		!guard->events.resolve)
		return;
	/* an old line of a log that is read for the first time would not be counted anyway */
	if (line->first_read && hit->has_time &&
		hit->at_ms / 1000 < now_s - jail->config->findtime_s)
		return;
	if (name_read(hit->host, hit->host_length, text))
		name = name_get(guard, text, now_s);
	if (name && name->state == NAME_KNOWN)
		count_addresses(guard, name, number, line, hit, now_s);
	else if (name && guard->names->n_hits < GUARD_NAME_HITS_MAX)
		hit_wait(guard->names, name, number, line, hit, now_s);
	else
		jail->unresolved++;
}

/* Counts the hits that waited for the name, which is known now. */
static void name_answered(struct guard *guard, const struct known_name *name, int64_t now_s)
{
	struct guard_names *names = guard->names;
	struct waiting_hit **link = &names->hits;

	while (*link) {
		struct waiting_hit *waiting = *link;
		struct line line = { .text = waiting->line,
			.length = waiting->line_length,
			.first_read = waiting->first_read };

		if (waiting->name != name) {
			link = &waiting->next;
			continue;
		}
		*link = waiting->next;
		if (!*link)
			names->end = link;
		names->n_hits--;
		count_addresses(guard, name, waiting->jail, &line, &waiting->hit, now_s);
		free(waiting);
	}
}

static void name_end(struct guard *guard, struct known_name *name, bool found,
	const struct ip *addresses, size_t count, int64_t now_s)
{
	name->state = NAME_KNOWN;
	name->until_s = now_s + (found ? GUARD_NAME_KEPT_S : GUARD_NAME_RETRY_S);
	name->count = count < GUARD_NAME_ADDRESSES_MAX ? count : GUARD_NAME_ADDRESSES_MAX;
	for (size_t i = 0; i < name->count; i++)
		name->addresses[i] = addresses[i];
	name_answered(guard, name, now_s);
}

size_t guard_waiting_hits(const struct guard *guard)
{
	return guard->names->n_hits;
}

void guard_resolved(struct guard *guard, const char *text, bool found, const struct ip *addresses,
	size_t count, int64_t now_s)
{
	struct known_name *name = name_find(guard->names, text);

	if (name && name->state == NAME_ASKED)
		name_end(guard, name, found, addresses, count, now_s);
}

void guard_names_tick(struct guard *guard, int64_t now_s)
{
	struct guard_names *names = guard->names;

	for (size_t i = 0; i < GUARD_NAMES_MAX; i++) {
		struct known_name *name = &names->table[i];
		bool is_late = name->until_s <= now_s;

		if (name->state == NAME_WAITING && !is_late)
			(void)name_ask(guard, name, now_s); /* else the next tick does */
		else if (is_late && (name->state == NAME_WAITING || name->state == NAME_ASKED))
			name_end(guard, name, false, NULL, 0, now_s);
	}
}
