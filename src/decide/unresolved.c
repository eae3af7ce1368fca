/* Hits whose log line shows a host name instead of an address, in jails whose usedns allows looking
 * names up (yes or warn).
 *
 * Reading the log goes on while a hit waits here for its name to be looked up. Clients choose the
 * names: only complete host names are asked for, each once, at a bounded rate, and a hit for which
 * there is no room is counted for nobody. A name proves nothing, since the owner of its DNS zone
 * can point it at any address; that is why names are looked up only where a jail's usedns says so.
 *
 * Hits that still wait when the engine ends, also on a reload, are lost: those of the last
 * UNRESOLVED_QUEUED_S + UNRESOLVED_WAIT_S seconds, at most UNRESOLVED_HITS_MAX. They are counted
 * for nobody, and later lines of the same host count as if these had not been. An orderly end says
 * how many they are. Reading their log again from before them would not do: the position in the log
 * is committed together with what the later lines have counted, and these would count twice. A
 * database table for waiting hits would keep them, at the price of a disk write whenever a client
 * chooses to have a name. That is too much for hits that prove nothing, since no client chooses the
 * moment of a restart. */
#include "decide/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/host_name.h"
#include "config/config.h"
#include "match/filter.h"

/* A name in NAME_WAITING could not be asked for yet; NAME_KNOWN has an answer or has failed. */
enum name_state { NAME_FREE, NAME_WAITING, NAME_ASKED, NAME_KNOWN };

/* A name and its addresses. until_s: when a name that is waiting or asked for counts as failed; of
 * a known name, when its answer is too old to be used. */
struct known_name {
	enum name_state state;
	int64_t until_s;
	size_t count;
	struct ip addresses[UNRESOLVED_ADDRESSES_MAX];
	char name[HOST_NAME_BYTES_MAX + 1];
};

/* The hits in the list wait for names that are not known yet. Only between an answer and the calls
 * of unresolved_take that follow it, hits of a known name are there too. */
struct unresolved {
	struct known_name table[UNRESOLVED_NAMES_MAX];
	TAILQ_HEAD(unresolved_hits, unresolved_hit) hits; /* owned, oldest first */
	size_t n_hits;
	int64_t second_s; /* in which the n_asked questions were asked */
	unsigned n_asked;
};

struct unresolved *unresolved_new(void)
{
	struct unresolved *unresolved = alloc_zero(sizeof(*unresolved));

	TAILQ_INIT(&unresolved->hits);
	return unresolved;
}

void unresolved_free(struct unresolved *unresolved)
{
	struct unresolved_hit *hit;

	while ((hit = TAILQ_FIRST(&unresolved->hits))) {
		TAILQ_REMOVE(&unresolved->hits, hit, others);
		free(hit);
	}
	free(unresolved);
}

/* Copies a host name in lower case, without a dot at its end. False: no name server could know it,
 * or it is a single label ("pbx"): a host of our own network, not to be banned by its name. */
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

static struct known_name *name_find(struct unresolved *unresolved, const char *text)
{
	for (size_t i = 0; i < UNRESOLVED_NAMES_MAX; i++)
		if (unresolved->table[i].state != NAME_FREE &&
			strcmp(unresolved->table[i].name, text) == 0)
			return &unresolved->table[i];
	return NULL;
}

/* A free place, or else that of the oldest answer. NULL: all hold names without an answer. */
static struct known_name *name_place(struct unresolved *unresolved)
{
	struct known_name *oldest = NULL;

	for (size_t i = 0; i < UNRESOLVED_NAMES_MAX; i++) {
		struct known_name *name = &unresolved->table[i];

		if (name->state == NAME_FREE)
			return name;
		if (name->state == NAME_KNOWN && (!oldest || name->until_s < oldest->until_s))
			oldest = name;
	}
	return oldest;
}

/* Asks for the name; false: not now, since the rate is used up or the notifier takes no more. */
static bool name_ask(struct guard *guard, struct known_name *name, int64_t now_s)
{
	struct unresolved *unresolved = guard->unresolved;

	if (unresolved->second_s != now_s) {
		unresolved->second_s = now_s;
		unresolved->n_asked = 0;
	}
	if (unresolved->n_asked >= UNRESOLVED_RATE ||
		!guard->events.resolve(guard->events.context, name->name))
		return false;
	unresolved->n_asked++;
	name->state = NAME_ASKED;
	name->until_s = now_s + UNRESOLVED_WAIT_S;
	return true;
}

/* The entry of the name: known, or being asked for, if need be from now on. NULL: there is no room.
 * An until_s that is too far ahead comes from a clock that was set back: such an answer is not
 * used. */
static struct known_name *name_get(struct guard *guard, const char *text, int64_t now_s)
{
	struct unresolved *unresolved = guard->unresolved;
	struct known_name *name = name_find(unresolved, text);

	if (name && (name->state != NAME_KNOWN ||
			    (name->until_s > now_s && name->until_s <= now_s + UNRESOLVED_KEPT_S)))
		return name;
	if (!name)
		name = name_place(unresolved);
	if (!name || unresolved->n_hits == UNRESOLVED_HITS_MAX)
		return NULL;
	*name = (struct known_name){ .state = NAME_WAITING,
		.until_s = now_s + UNRESOLVED_QUEUED_S };
	(void)snprintf(name->name, sizeof(name->name), "%s", text); /* fits */
	(void)name_ask(guard, name, now_s); /* if that fails, the tick asks */
	return name;
}

static struct unresolved_hit *hit_copy(struct known_name *name, size_t jail,
	const struct line *line, const struct hit *hit, int64_t now_s)
{
	struct unresolved_hit *copy = alloc_zero(sizeof(*copy));
	size_t account = hit->account_length;

	copy->name = name;
	copy->jail = jail;
	copy->hit = (struct hit){ .has_time = true,
		.at_ms = hit->has_time ? hit->at_ms : now_s * 1000,
		.rule = hit->rule };
	if (hit->account) {
		account = account < UNRESOLVED_ACCOUNT_MAX ? account : UNRESOLVED_ACCOUNT_MAX;
		memcpy(copy->account, hit->account, account);
		copy->hit.account = copy->account;
		copy->hit.account_length = account;
	}
	copy->first_read = line->first_read;
	copy->line_length = line->length < UNRESOLVED_LINE_MAX ? line->length : UNRESOLVED_LINE_MAX;
	memcpy(copy->line, line->text, copy->line_length);
	return copy;
}

void unresolved_hit(struct guard *guard, size_t number, const struct line *line,
	const struct hit *hit, int64_t now_s)
{
	struct unresolved *unresolved = guard->unresolved;
	struct guard_jail *jail = &guard->jails[number];
	enum usedns usedns = jail->config->filter.usedns;
	char text[HOST_NAME_BYTES_MAX + 1];
	struct known_name *name = NULL;
	struct unresolved_hit *copy;

	if (!hit->host_is_name || (usedns != USEDNS_YES && usedns != USEDNS_WARN) ||
		!guard->events.resolve)
		return;
	/* guard_count_hit does not count an old line of a log that is read for the first time */
	if (line->first_read && hit->has_time &&
		hit->at_ms / 1000 < now_s - jail->config->findtime_s)
		return;
	if (name_read(hit->host, hit->host_length, text))
		name = name_get(guard, text, now_s);
	/* the cap is for hits that wait; that of a known name is taken out at once by the caller */
	if (!name || (name->state != NAME_KNOWN && unresolved->n_hits == UNRESOLVED_HITS_MAX)) {
		jail->unresolved++;
		return;
	}
	copy = hit_copy(name, number, line, hit, now_s);
	TAILQ_INSERT_TAIL(&unresolved->hits, copy, others);
	unresolved->n_hits++;
}

struct unresolved_hit *unresolved_take(struct unresolved *unresolved,
	const struct ip **ret_addresses, size_t *ret_count)
{
	struct unresolved_hit *hit = TAILQ_FIRST(&unresolved->hits);

	while (hit && hit->name->state != NAME_KNOWN)
		hit = TAILQ_NEXT(hit, others);
	if (!hit)
		return NULL;
	TAILQ_REMOVE(&unresolved->hits, hit, others);
	unresolved->n_hits--;
	*ret_addresses = hit->name->addresses;
	*ret_count = hit->name->count;
	return hit;
}

static void name_end(struct known_name *name, bool found, const struct ip *addresses, size_t count,
	int64_t now_s)
{
	name->state = NAME_KNOWN;
	name->until_s = now_s + (found ? UNRESOLVED_KEPT_S : UNRESOLVED_RETRY_S);
	name->count = count < UNRESOLVED_ADDRESSES_MAX ? count : UNRESOLVED_ADDRESSES_MAX;
	for (size_t i = 0; i < name->count; i++)
		name->addresses[i] = addresses[i];
}

size_t guard_waiting_hits(const struct guard *guard)
{
	return guard->unresolved->n_hits;
}

void unresolved_answer(struct unresolved *unresolved, const char *text, bool found,
	const struct ip *addresses, size_t count, int64_t now_s)
{
	struct known_name *name = name_find(unresolved, text);

	if (name && name->state == NAME_ASKED)
		name_end(name, found, addresses, count, now_s);
}

void unresolved_tick(struct guard *guard, int64_t now_s)
{
	for (size_t i = 0; i < UNRESOLVED_NAMES_MAX; i++) {
		struct known_name *name = &guard->unresolved->table[i];
		bool is_late = name->until_s <= now_s;

		if (name->state == NAME_WAITING && !is_late)
			(void)name_ask(guard, name, now_s); /* if that fails, the next tick asks */
		else if (is_late && (name->state == NAME_WAITING || name->state == NAME_ASKED))
			name_end(name, false, NULL, 0, now_s);
	}
}
