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

struct jail_scopes {
	uint8_t scopes[BAN_JAIL_SCOPES_MAX];
	size_t count;
	uint32_t bans; /* how many the jail has, without expired ones */
};

/* Every ban is in by_ban; those that have an end to come are in by_end, too. */
struct bans {
	struct ipmap *by_ban;     /* (ip, jail) → struct ban, owned */
	struct ipmap *by_element; /* (ip, scope) → struct element, owned */
	struct heap by_end;       /* of struct ban */
	size_t n_expired;
	size_t in_flight; /* sum over all elements */
	size_t queued;    /* elements in the queue */
	STAILQ_HEAD(, element) queue;
	struct jail_scopes jails[BAN_JAILS_MAX];
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
	heap_done(&bans->by_end);
	free(bans);
}

void bans_jail(struct bans *bans, uint32_t jail, const uint8_t *scopes, size_t n_scopes)
{
	assert(jail < BAN_JAILS_MAX && n_scopes <= BAN_JAIL_SCOPES_MAX);
	if (n_scopes)
		memcpy(bans->jails[jail].scopes, scopes, n_scopes);
	bans->jails[jail].count = n_scopes;
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
	bans->by_end.key = ban_key;
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
		struct ban *ban = NULL;

		if (memchr(bans->jails[jail].scopes, scope, bans->jails[jail].count))
			ban = bans_find(bans, jail, ip);
		if (ban && !ban->expired)
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

/* Derives anew, from the bans, what the kernel should hold for (jail, ip), and queues what differs.
 * lift: an element that no ban wants any more is deleted in the kernel; without it nothing is sent,
 * since the element's timeout has ended it in the kernel too. */
static void elements_update(struct bans *bans, uint32_t jail, const struct ip *ip, bool lift)
{
	const struct jail_scopes *scopes = &bans->jails[jail];

	for (size_t i = 0; i < scopes->count; i++) {
		int64_t wanted = element_wanted(bans, scopes->scopes[i], ip);
		struct element *element = ipmap_get(bans->by_element, ip, scopes->scopes[i]);

		if (!element) {
			if (wanted == UNWANTED)
				continue;
			element = alloc_zero(sizeof(*element));
			element->ip = *ip;
			element->scope = scopes->scopes[i];
			element->wanted_s = UNWANTED;
			if (!ipmap_put(bans->by_element, ip, element->scope, element)) {
				free(element); /* not reached: all bans have room */
				continue;
			}
		}
		if (wanted == element->wanted_s)
			continue;
		element->wanted_s = wanted;
		if (wanted != UNWANTED || lift)
			queue_push(bans, element);
		else
			element_forget(bans, element);
	}
}

struct ban *bans_overflow(const struct bans *bans)
{
	if (ipmap_count(bans->by_ban) < BANS_MAX)
		return NULL;
	return bans_first_end(bans);
}

static void ban_count(struct bans *bans, struct ban *ban)
{
	bans->jails[ban->jail].bans += !ban->expired;
	bans->n_expired += ban->expired;
	if (has_end(ban))
		heap_add(&bans->by_end, ban);
}

static void ban_uncount(struct bans *bans, struct ban *ban)
{
	bans->jails[ban->jail].bans -= !ban->expired;
	bans->n_expired -= ban->expired;
	if (has_end(ban))
		heap_remove(&bans->by_end, ban);
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
	return heap_first(&bans->by_end);
}

struct ban *bans_next(const struct bans *bans, size_t *cursor)
{
	return ipmap_next(bans->by_ban, cursor);
}

uint32_t bans_count(const struct bans *bans, uint32_t jail)
{
	return bans->jails[jail].bans;
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

bool bans_in_kernel(const struct bans *bans, const struct ban *ban, int *ret_failure)
{
	const struct jail_scopes *scopes = &bans->jails[ban->jail];
	bool held = scopes->count > 0 && !ban->expired;

	if (ret_failure)
		*ret_failure = 0;
	for (size_t i = 0; i < scopes->count; i++) {
		const struct element *element =
			ipmap_get(bans->by_element, &ban->ip, scopes->scopes[i]);

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

size_t bans_waiting(const struct bans *bans)
{
	return bans->queued + bans->in_flight;
}

size_t bans_scopes(const struct bans *bans, uint32_t jail, uint8_t ret_scopes[BAN_JAIL_SCOPES_MAX])
{
	memcpy(ret_scopes, bans->jails[jail].scopes, BAN_JAIL_SCOPES_MAX);
	return bans->jails[jail].count;
}

void bans_check(const struct bans *bans)
{
	size_t cursor = 0;
	size_t n_expired = 0;
	size_t n_ends = 0;
	size_t queued = 0;
	const struct ban *ban;

	while ((ban = bans_next(bans, &cursor))) {
		n_expired += ban->expired;
		assert(!has_end(ban) || bans->by_end.list[ban->slot] == ban);
		n_ends += has_end(ban);
	}
	assert(n_expired == bans->n_expired);
	assert(n_ends == bans->by_end.count);
	heap_check(&bans->by_end);
	for (const struct element *e = STAILQ_FIRST(&bans->queue); e; e = STAILQ_NEXT(e, behind)) {
		assert(e->queued);
		queued++;
	}
	assert(queued == bans->queued);
}
