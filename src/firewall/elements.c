#include "firewall/elements.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/ipmap.h"

enum { TO_LIFT = -1 };

/* One element. until_s: CLOCK_BOOTTIME of its end; 0: permanent; TO_LIFT: the kernel was unusable
 * when it should have been lifted, so it has yet to be. */
struct held {
	struct ip ip;
	uint8_t scope;
	uint32_t engine;
	int64_t until_s;
};

struct elements {
	struct nft *nft;   /* borrowed */
	struct ipmap *map; /* (ip, scope) → struct held, owned */
	struct scope scopes[NFT_SCOPES_MAX];
	size_t n_scopes;
};

struct elements *elements_new(struct nft *nft)
{
	struct elements *elements = alloc_zero(sizeof(*elements));

	elements->nft = nft;
	elements->map = ipmap_new(ELEMENTS_MAX);
	return elements;
}

void elements_free(struct elements *elements)
{
	size_t cursor = 0;
	struct held *held;

	if (!elements)
		return;
	while ((held = ipmap_next(elements->map, &cursor)))
		free(held);
	ipmap_free(elements->map);
	free(elements);
}

int elements_scope(struct elements *elements, const struct scope *scope, struct error *err)
{
	size_t number = 0;

	while (number < elements->n_scopes && !scope_equal(&elements->scopes[number], scope))
		number++;
	if (number < elements->n_scopes)
		return (int)number;
	if (number == NFT_SCOPES_MAX)
		return error_set(err, "more than %d different port lists since the start",
			NFT_SCOPES_MAX);
	if (nft_scope(elements->nft, (uint8_t)number, scope, err) < 0)
		return -1;
	elements->scopes[elements->n_scopes++] = *scope;
	return (int)number;
}

static void forget(struct elements *elements, struct held *held)
{
	(void)ipmap_remove(elements->map, &held->ip, held->scope); /* gives `held` */
	free(held);
}

void elements_forget(struct elements *elements, uint8_t scope, const struct ip *ip)
{
	struct held *held = ipmap_get(elements->map, ip, scope);

	if (held)
		forget(elements, held);
}

/* False: there are ELEMENTS_MAX already. */
static bool remember(struct elements *elements, uint8_t scope, const struct ip *ip, int64_t ttl_s,
	uint32_t engine, int64_t now_s)
{
	struct held *held = ipmap_get(elements->map, ip, scope);

	if (!held) {
		held = alloc_zero(sizeof(*held));
		held->ip = *ip;
		held->scope = scope;
		if (!ipmap_put(elements->map, ip, scope, held)) {
			free(held);
			return false;
		}
	}
	held->engine = engine;
	held->until_s = ttl_s == NFT_PERMANENT ? 0 : now_s + ttl_s;
	return true;
}

/* nft_apply() renews an element by deleting it and adding it again, which would set its counter to
 * 0: so the new one starts from what the old one has counted. */
static void keep_counter(struct elements *elements, struct nft_change *change)
{
	struct nft_element element = { .scope = change->scope, .ip = change->ip };

	if (change->op != NFT_BAN || !ipmap_get(elements->map, &change->ip, change->scope))
		return;
	if (nft_query(elements->nft, &element, NULL) < 0 || !element.present)
		return; /* the kernel has timed it out: no counter to keep */
	change->packets = element.packets;
	change->bytes = element.bytes;
}

/* The kernel was unusable: the next elements_restore() lifts the element instead of adding it
 * again. */
static void lift_later(struct elements *elements, const struct nft_change *change)
{
	struct held *held = ipmap_get(elements->map, &change->ip, change->scope);

	if (held)
		held->until_s = TO_LIFT;
}

/* There is no room to remember the element, so it must not stay in the kernel either: nobody would
 * restore or lift it. */
static void refuse(struct elements *elements, struct nft_change *change)
{
	struct nft_change back = { .op = NFT_LIFT, .scope = change->scope, .ip = change->ip };

	/* If the kernel fails here, the timeout of the element ends it. */
	if (change->failure == 0)
		(void)nft_apply(elements->nft, &back, 1, NULL);
	change->failure = ENOSPC;
}

int elements_apply(struct elements *elements, struct nft_change *changes, size_t count,
	uint32_t engine, int64_t now_s, struct error *err)
{
	int rc;

	for (size_t i = 0; i < count; i++)
		keep_counter(elements, &changes[i]);
	rc = nft_apply(elements->nft, changes, count, err);
	for (size_t i = 0; i < count; i++) {
		struct nft_change *change = &changes[i];

		if (change->scope >= elements->n_scopes)
			continue; /* nft_apply() has refused it: no such scope */
		if (change->op == NFT_LIFT && change->failure == 0)
			elements_forget(elements, change->scope, &change->ip);
		else if (change->op == NFT_LIFT && rc < 0)
			lift_later(elements, change);
		else if (change->op == NFT_BAN && (change->failure == 0 || rc < 0) &&
			 !remember(elements, change->scope, &change->ip, change->ttl_s, engine,
				 now_s))
			refuse(elements, change);
	}
	return rc;
}

bool elements_adopt(struct elements *elements, const struct nft_element *element, uint32_t engine,
	int64_t now_s)
{
	if (ipmap_get(elements->map, &element->ip, element->scope))
		return false;
	return remember(elements, element->scope, &element->ip, element->ttl_s, engine, now_s);
}

static struct nft_change lift_of(const struct held *held)
{
	return (struct nft_change){ .op = NFT_LIFT, .scope = held->scope, .ip = held->ip };
}

static void forget_lifted(struct elements *elements)
{
	size_t cursor = 0;
	struct held *held;

	while ((held = ipmap_next(elements->map, &cursor)))
		if (held->until_s == TO_LIFT)
			forget(elements, held);
}

int elements_restore(struct elements *elements, int64_t now_s, size_t *ret_count, struct error *err)
{
	cleanup_free struct nft_change *changes = alloc_array(NFT_BATCH_MAX, sizeof(*changes));
	size_t cursor = 0;
	size_t count = 0;
	struct held *held;
	bool more = true;

	*ret_count = 0;
	if (nft_ensure(elements->nft, err) < 0)
		return -1;
	for (size_t i = 0; i < elements->n_scopes; i++)
		if (nft_scope(elements->nft, (uint8_t)i, &elements->scopes[i], err) < 0)
			return -1;
	while (more) {
		held = ipmap_next(elements->map, &cursor);
		more = held != NULL;
		if (held && held->until_s == TO_LIFT)
			changes[count++] = lift_of(held);
		else if (held && (held->until_s == 0 || held->until_s > now_s))
			changes[count++] = (struct nft_change){ .op = NFT_BAN,
				.scope = held->scope,
				.ip = held->ip,
				.ttl_s = held->until_s ? held->until_s - now_s : NFT_PERMANENT };
		if (count < NFT_BATCH_MAX && more)
			continue;
		if (count && nft_apply(elements->nft, changes, count, err) < 0)
			return -1;
		*ret_count += count;
		count = 0;
	}
	forget_lifted(elements);
	return 0;
}

int elements_drop(struct elements *elements, uint32_t engine, struct error *err)
{
	cleanup_free struct nft_change *changes = alloc_array(NFT_BATCH_MAX, sizeof(*changes));
	size_t cursor = 0;
	size_t count = 0;
	struct held *held;
	int rc = 0;

	do {
		held = ipmap_next(elements->map, &cursor);
		if (held && engine && held->engine == engine)
			continue;
		if (held) {
			changes[count++] = lift_of(held);
			forget(elements, held);
		}
		if (count && (!held || count == NFT_BATCH_MAX)) {
			if (nft_apply(elements->nft, changes, count, err) < 0)
				rc = -1;
			count = 0;
		}
	} while (held);
	return rc;
}

void elements_sweep(struct elements *elements, int64_t now_s)
{
	size_t cursor = 0;
	struct held *held;

	while ((held = ipmap_next(elements->map, &cursor)))
		if (held->until_s > 0 && held->until_s <= now_s)
			forget(elements, held);
}

size_t elements_count(const struct elements *elements)
{
	return ipmap_count(elements->map);
}
