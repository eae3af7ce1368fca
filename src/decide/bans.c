#include "decide/bans.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/alloc.h"
#include "base/ipmap.h"
#include "decide/heap.h"

enum { UNWANTED = -1 };

/* What the kernel should hold for one (scope, address). It is in the queue while `queued` is set.
 */
struct element {
	struct ip ip;
	uint8_t scope;
	bool queued;
	uint32_t in_flight; /* changes that were sent and are not answered yet */
	bool held;          /* by the kernel, as the last answer has it */
	int failure;        /* errno value of the last answer, 0: none */
	int64_t wanted_s;   /* the latest end of all bans that want it; 0: permanent; or UNWANTED */
	STAILQ_ENTRY(element) behind; /* in the queue */
};

/* Of the arrays of two, [true] is of proven bans. */
struct jail_bans {
	struct ban_scopes scopes[2];
	uint32_t count; /* without expired ones */
};

/* Every ban is in by_ban; those that have an end to come are in by_end[proven], too. */
struct bans {
	struct ipmap *by_ban;     /* (ip, jail) → struct ban, owned */
	struct ipmap *by_element; /* (ip, scope) → struct element, owned */
	struct heap by_end[2];    /* of struct ban */
	size_t n_expired;
	size_t in_flight; /* sum over all elements */
	size_t queued;    /* elements in the queue */
	STAILQ_HEAD(element_queue, element) queue;
	struct jail_bans jails[BAN_JAILS_MAX];
};

void bans_free(struct bans *bans)
{
	size_t cursor = 0;
	void *entry;

	if (!bans)
		return;
	while ((entry = ipmap_next(bans->by_ban, &cursor)))
		free(entry);
	cursor = 0;
	while ((entry = ipmap_next(bans->by_element, &cursor)))
		free(entry);
	ipmap_free(bans->by_ban);
	ipmap_free(bans->by_element);
	heap_done(&bans->by_end[false]);
	heap_done(&bans->by_end[true]);
	free(bans);
}

void bans_jail(struct bans *bans, uint32_t jail, const struct ban_scopes *proven,
	const struct ban_scopes *unproven)
{
	assert(jail < BAN_JAILS_MAX);
	assert(proven->count <= BAN_JAIL_SCOPES_MAX && unproven->count <= BAN_JAIL_SCOPES_MAX);
	bans->jails[jail].scopes[true] = *proven;
	bans->jails[jail].scopes[false] = *unproven;
}

static bool closes(const struct ban_scopes *scopes, uint8_t scope)
{
	return memchr(scopes->list, scope, scopes->count) != NULL;
}

static struct heap_key ban_key(void *item)
{
	struct ban *ban = item;

	return (struct heap_key){ ban->until_s, &ban->slot };
}

/* The ban ends by the clock, and has not yet. */
static bool has_end(const struct ban *ban)
{
	return ban->until_s != 0 && !ban->expired;
}

struct bans *bans_new(void)
{
	struct bans *bans = alloc_zero(sizeof(*bans));

	bans->by_ban = ipmap_new(BANS_MAX);
	bans->by_element = ipmap_new((size_t)BANS_MAX * BAN_JAIL_SCOPES_MAX);
	bans->by_end[false].key = ban_key;
	bans->by_end[true].key = ban_key;
	STAILQ_INIT(&bans->queue);
	return bans;
}

static void queue_push(struct bans *bans, struct element *element)
{
	if (element->queued)
		return;
	element->queued = true;
	STAILQ_INSERT_TAIL(&bans->queue, element, behind);
	bans->queued++;
}

struct ban *bans_find(const struct bans *bans, uint32_t jail, const struct ip *ip)
{
	return ipmap_get(bans->by_ban, ip, jail);
}

static int64_t latest_end(int64_t a, int64_t b)
{
	if (a == UNWANTED || b == UNWANTED)
		return a == UNWANTED ? b : a;
	if (a == 0 || b == 0)
		return 0;
	return a > b ? a : b;
}

/* The first ban that wants this element of a jail from *io_jail on, which becomes the number behind
 * that jail's. NULL: there is none. */
static struct ban *element_ban(const struct bans *bans, uint8_t scope, const struct ip *ip,
	uint32_t *io_jail)
{
	while (*io_jail < BAN_JAILS_MAX) {
		uint32_t jail = (*io_jail)++;
		const struct ban_scopes *scopes = bans->jails[jail].scopes;
		struct ban *ban = NULL;

		if (closes(&scopes[true], scope) || closes(&scopes[false], scope))
			ban = bans_find(bans, jail, ip);
		if (ban && !ban->expired && closes(&scopes[ban->proven], scope))
			return ban;
	}
	return NULL;
}

static int64_t element_wanted(const struct bans *bans, uint8_t scope, const struct ip *ip)
{
	int64_t wanted = UNWANTED;
	const struct ban *ban;
	uint32_t jail = 0;

	while ((ban = element_ban(bans, scope, ip, &jail)))
		wanted = latest_end(wanted, ban->until_s);
	return wanted;
}

static void element_forget(struct bans *bans, struct element *element)
{
	if (element->queued || element->in_flight)
		return;
	(void)ipmap_remove(bans->by_element, &element->ip, element->scope); /* returns `element` */
	free(element);
}

/* A new element, which no ban wants yet; NULL: there is no room. */
static struct element *element_new(struct bans *bans, uint8_t scope, const struct ip *ip)
{
	struct element *element = alloc_zero(sizeof(*element));

	element->ip = *ip;
	element->scope = scope;
	element->wanted_s = UNWANTED;
	if (ipmap_put(bans->by_element, ip, scope, element))
		return element;
	free(element);
	return NULL;
}

/* Derives anew, from the bans, what the kernel should hold for (scope, ip), and queues it if it
 * differs. lift: an element that no ban wants any more is deleted in the kernel; without it nothing
 * is sent, since the element's timeout has ended it in the kernel too. */
static void element_update(struct bans *bans, uint8_t scope, const struct ip *ip, bool lift)
{
	int64_t wanted = element_wanted(bans, scope, ip);
	struct element *element = ipmap_get(bans->by_element, ip, scope);

	if (!element && wanted != UNWANTED)
		element = element_new(bans, scope, ip); /* all bans have room */
	if (!element || wanted == element->wanted_s)
		return;
	element->wanted_s = wanted;
	if (wanted != UNWANTED || lift)
		queue_push(bans, element);
	else
		element_forget(bans, element);
}

/* Of both lists, since a proven ban may have replaced an unproven one. */
static void elements_update(struct bans *bans, uint32_t jail, const struct ip *ip, bool lift)
{
	const struct ban_scopes *scopes = bans->jails[jail].scopes;

	for (size_t i = 0; i < scopes[true].count; i++)
		element_update(bans, scopes[true].list[i], ip, lift);
	for (size_t i = 0; i < scopes[false].count; i++)
		element_update(bans, scopes[false].list[i], ip, lift);
}

struct ban *bans_overflow(const struct bans *bans, bool proven)
{
	struct ban *unproven = heap_first(&bans->by_end[false]);

	if (ipmap_count(bans->by_ban) < BANS_MAX)
		return NULL;
	return unproven || !proven ? unproven : heap_first(&bans->by_end[true]);
}

static void ban_count(struct bans *bans, struct ban *ban)
{
	bans->jails[ban->jail].count += !ban->expired;
	bans->n_expired += ban->expired;
	if (has_end(ban))
		heap_add(&bans->by_end[ban->proven], ban);
}

static void ban_uncount(struct bans *bans, struct ban *ban)
{
	bans->jails[ban->jail].count -= !ban->expired;
	bans->n_expired -= ban->expired;
	if (has_end(ban))
		heap_remove(&bans->by_end[ban->proven], ban);
}

struct ban *bans_add(struct bans *bans, const struct ban *ban)
{
	struct ban *mine = bans_find(bans, ban->jail, &ban->ip);

	assert(ban->jail < BAN_JAILS_MAX);
	if (mine) {
		ban_uncount(bans, mine);
	} else {
		mine = alloc_zero(sizeof(*mine));
		if (!ipmap_put(bans->by_ban, &ban->ip, ban->jail, mine)) {
			free(mine);
			return NULL;
		}
	}
	*mine = *ban;
	ban_count(bans, mine);
	elements_update(bans, mine->jail, &mine->ip, true);
	return mine;
}

void bans_end(struct bans *bans, struct ban *ban, bool lift)
{
	struct ip ip = ban->ip;
	uint32_t jail = ban->jail;

	ban_uncount(bans, ban);
	(void)ipmap_remove(bans->by_ban, &ip, jail); /* returns `ban` */
	free(ban);
	elements_update(bans, jail, &ip, lift);
}

void bans_expire(struct bans *bans, struct ban *ban)
{
	if (ban->expired)
		return;
	ban_uncount(bans, ban);
	ban->expired = true;
	ban_count(bans, ban);
	elements_update(bans, ban->jail, &ban->ip, false);
}

void bans_drop_expired(struct bans *bans)
{
	size_t cursor = 0;
	struct ban *ban;

	while (bans->n_expired && (ban = bans_next(bans, &cursor)))
		if (ban->expired)
			bans_end(bans, ban, false);
}

struct ban *bans_first_end(const struct bans *bans)
{
	struct ban *proven = heap_first(&bans->by_end[true]);
	struct ban *unproven = heap_first(&bans->by_end[false]);

	if (!proven || !unproven)
		return proven ? proven : unproven;
	return proven->until_s < unproven->until_s ? proven : unproven;
}

struct ban *bans_next(const struct bans *bans, size_t *cursor)
{
	return ipmap_next(bans->by_ban, cursor);
}

uint32_t bans_count(const struct bans *bans, uint32_t jail)
{
	return bans->jails[jail].count;
}

bool bans_peek(struct bans *bans, int64_t now_s, struct ban_change *ret_change)
{
	struct element *element = STAILQ_FIRST(&bans->queue);

	if (!element)
		return false;
	*ret_change = (struct ban_change){ .scope = element->scope, .ip = element->ip };
	if (element->wanted_s > 0)
		ret_change->ttl_s = element->wanted_s - now_s;
	/* The ban ended while its change was queued: a timeout of 0 would make it permanent. */
	ret_change->lift = element->wanted_s == UNWANTED || ret_change->ttl_s < 0 ||
			   (element->wanted_s > 0 && ret_change->ttl_s == 0);
	if (ret_change->lift)
		ret_change->ttl_s = 0;
	return true;
}

void bans_sent(struct bans *bans)
{
	struct element *element = STAILQ_FIRST(&bans->queue);

	STAILQ_REMOVE_HEAD(&bans->queue, behind);
	element->queued = false;
	bans->queued--;
	bans->in_flight++;
	element->in_flight++;
}

bool bans_held(struct bans *bans, uint8_t scope, const struct ip *ip, bool lift, int failure)
{
	struct element *element = ipmap_get(bans->by_element, ip, scope);

	if (!element || !element->in_flight)
		return false;
	element->in_flight--;
	bans->in_flight--;
	element->held = !lift && failure == 0;
	element->failure = failure;
	if (element->queued || element->in_flight)
		return true; /* the answer to a newer change decides */
	if (element->wanted_s == UNWANTED)
		element_forget(bans, element);
	return true;
}

void bans_retry(struct bans *bans)
{
	size_t cursor = 0;
	struct element *element;

	while ((element = ipmap_next(bans->by_element, &cursor)))
		if (element->failure && element->wanted_s != UNWANTED && !element->in_flight)
			queue_push(bans, element);
}

const struct ban_scopes *bans_scopes(const struct bans *bans, const struct ban *ban)
{
	return &bans->jails[ban->jail].scopes[ban->proven];
}

bool bans_in_kernel(const struct bans *bans, const struct ban *ban, int *ret_failure)
{
	const struct ban_scopes *scopes = bans_scopes(bans, ban);
	bool held = scopes->count > 0 && !ban->expired;

	if (ret_failure)
		*ret_failure = 0;
	for (size_t i = 0; i < scopes->count; i++) {
		const struct element *element =
			ipmap_get(bans->by_element, &ban->ip, scopes->list[i]);

		held = held && element && element->held;
		if (ret_failure && element && element->failure)
			*ret_failure = element->failure;
	}
	return held;
}

bool bans_has_change(const struct bans *bans, uint8_t scope, const struct ip *ip)
{
	const struct element *element = ipmap_get(bans->by_element, ip, scope);

	return element && (element->queued || element->in_flight);
}

struct ban *bans_of_element(const struct bans *bans, uint8_t scope, const struct ip *ip)
{
	uint32_t jail = 0;

	return element_ban(bans, scope, ip, &jail);
}

void bans_lift_element(struct bans *bans, uint8_t scope, const struct ip *ip)
{
	struct element *element = ipmap_get(bans->by_element, ip, scope);

	if (!element)
		element = element_new(bans, scope, ip);
	if (element && element->wanted_s == UNWANTED)
		queue_push(bans, element);
}

size_t bans_waiting(const struct bans *bans)
{
	return bans->queued + bans->in_flight;
}

void bans_check(const struct bans *bans)
{
	size_t cursor = 0;
	size_t n_expired = 0;
	size_t n_ends = 0;
	size_t queued = 0;
	const struct element *element;
	const struct ban *ban;

	while ((ban = bans_next(bans, &cursor))) {
		const struct ban_scopes *scopes = bans_scopes(bans, ban);

		for (size_t i = 0; !ban->expired && i < scopes->count; i++)
			assert(ipmap_get(bans->by_element, &ban->ip, scopes->list[i]));
		n_expired += ban->expired;
		assert(!has_end(ban) || bans->by_end[ban->proven].list[ban->slot] == ban);
		n_ends += has_end(ban);
	}
	assert(n_expired == bans->n_expired);
	assert(n_ends == bans->by_end[false].count + bans->by_end[true].count);
	heap_check(&bans->by_end[false]);
	heap_check(&bans->by_end[true]);
	for (cursor = 0; (element = ipmap_next(bans->by_element, &cursor));) {
		assert(element->wanted_s == element_wanted(bans, element->scope, &element->ip));
		assert(element->wanted_s != UNWANTED || element->queued || element->in_flight);
	}
	for (const struct element *e = STAILQ_FIRST(&bans->queue); e; e = STAILQ_NEXT(e, behind)) {
		assert(e->queued);
		queued++;
	}
	assert(queued == bans->queued);
}
