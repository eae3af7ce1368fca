#include "wire/nonces.h"

#include "base/alloc.h"
#include "base/ipmap.h"
#include "base/siphash.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* A nonce, or an address that has proven itself. Each is in a map, to be found, and in a list, to
 * be forgotten when it is old. */
struct entry {
	struct entry *older; /* borrowed, as newer: its neighbours in the list */
	struct entry *newer;
	struct ip key;
	int64_t at_s;      /* when it was seen, or proven, last */
	int64_t first_s;   /* of a nonce: when it was seen first */
	struct ip to;      /* of a nonce: where it was sent to */
	bool is_worthless; /* of a nonce: it proves nothing */
	bool has_proven;   /* of a nonce, once it has proven `to` */
};

/* The map holds the same entries as the list, which is in the order of at_s. */
struct aged {
	struct ipmap *map; /* owned; entry->key to entry, which is owned too */
	struct entry *oldest;
	struct entry *newest;
};

struct nonces {
	uint8_t keys[2][SIPHASH_KEY_BYTES];
	struct aged seen;
	struct aged proven;
	int64_t doubt_s; /* nonces that are seen first before this time are worthless */
	void (*withdrawn)(void *context, const struct ip *ip);
	void *context;
};

/* ---- a map with an age ---- */

static struct entry *aged_get(const struct aged *aged, const struct ip *key)
{
	return ipmap_get(aged->map, key, 0);
}

static void list_remove(struct aged *aged, struct entry *entry)
{
	*(entry->older ? &entry->older->newer : &aged->oldest) = entry->newer;
	*(entry->newer ? &entry->newer->older : &aged->newest) = entry->older;
}

static void list_append(struct aged *aged, struct entry *entry)
{
	entry->older = aged->newest;
	entry->newer = NULL;
	*(aged->newest ? &aged->newest->newer : &aged->oldest) = entry;
	aged->newest = entry;
}

static void aged_renew(struct aged *aged, struct entry *entry, int64_t now_s)
{
	list_remove(aged, entry);
	entry->at_s = now_s;
	list_append(aged, entry);
}

/* The map must not be full. */
static struct entry *aged_add(struct aged *aged, const struct ip *key, int64_t now_s)
{
	struct entry *entry = alloc_zero(sizeof(*entry));

	*entry = (struct entry){ .key = *key, .at_s = now_s, .first_s = now_s };
	if (!ipmap_put(aged->map, key, 0, entry))
		abort(); /* the callers make room first */
	list_append(aged, entry);
	return entry;
}

static void aged_remove(struct aged *aged, struct entry *entry)
{
	(void)ipmap_remove(aged->map, &entry->key, 0); /* it is this entry */
	list_remove(aged, entry);
	free(entry);
}

static void aged_expire(struct aged *aged, int64_t before_s)
{
	while (aged->oldest && aged->oldest->at_s <= before_s)
		aged_remove(aged, aged->oldest);
}

/* ---- nonces ---- */

static void fill_random(void *bytes, size_t length)
{
	ssize_t got;

	do
		got = getrandom(bytes, length, 0);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)length)
		abort(); /* with keys that can be guessed, two nonces of one hash could be chosen */
}

struct nonces *nonces_new(int64_t now_s, void (*withdrawn)(void *context, const struct ip *ip),
	void *context)
{
	struct nonces *nonces = alloc_zero(sizeof(*nonces));

	fill_random(nonces->keys, sizeof(nonces->keys));
	nonces->seen.map = ipmap_new(NONCES_MAX);
	nonces->proven.map = ipmap_new(NONCES_PROVEN_MAX);
	nonces->doubt_s = now_s + NONCES_DOUBT_S;
	nonces->withdrawn = withdrawn;
	nonces->context = context;
	return nonces;
}

void nonces_free(struct nonces *nonces)
{
	if (!nonces)
		return;
	aged_expire(&nonces->seen, INT64_MAX);
	aged_expire(&nonces->proven, INT64_MAX);
	ipmap_free(nonces->seen.map);
	ipmap_free(nonces->proven.map);
	free(nonces);
}

/* Two hashes of 64 bits with secret keys stand for the nonce. A map of addresses takes them as its
 * key: they have the size of an IPv6 address. */
static struct ip nonce_key(const struct nonces *nonces, const void *nonce, size_t length)
{
	struct ip key = { .family = 6, .bits = 128 };

	for (size_t i = 0; i < 2; i++) {
		uint64_t hash = siphash(nonces->keys[i], nonce, length);

		memcpy(key.bytes + i * sizeof(hash), &hash, sizeof(hash));
	}
	return key;
}

/* Takes back what the nonce has proven. */
static void withdraw(struct nonces *nonces, struct entry *nonce)
{
	struct entry *proven = aged_get(&nonces->proven, &nonce->to);

	if (!nonce->has_proven)
		return;
	nonce->has_proven = false;
	if (proven) /* it may have expired */
		aged_remove(&nonces->proven, proven);
	nonces->withdrawn(nonces->context, &nonce->to);
}

void nonces_forget(struct nonces *nonces, int64_t now_s)
{
	/* The lost copy may be one of a nonce that the server can still repeat. What older nonces
	 * have proven stands. */
	for (struct entry *nonce = nonces->seen.oldest; nonce; nonce = nonce->newer)
		if (nonce->first_s > now_s - NONCES_DOUBT_S)
			withdraw(nonces, nonce);
	aged_expire(&nonces->seen, INT64_MAX);
	nonces->doubt_s = now_s + NONCES_DOUBT_S;
}

static void make_room(struct nonces *nonces, int64_t now_s)
{
	struct entry *oldest = nonces->seen.oldest;

	if (ipmap_count(nonces->seen.map) < NONCES_MAX)
		return;
	if (oldest->at_s > now_s - NONCES_DOUBT_S)
		nonces_forget(nonces, now_s);
	else
		aged_remove(&nonces->seen, oldest);
}

void nonces_seen(struct nonces *nonces, const struct ip *to, bool is_ours, const void *nonce,
	size_t length, int64_t now_s)
{
	struct entry *entry;
	struct ip key;

	if (length < NONCES_BYTES_MIN || length > NONCES_BYTES_MAX)
		return;
	aged_expire(&nonces->seen, now_s - NONCES_KEEP_S);
	key = nonce_key(nonces, nonce, length);
	entry = aged_get(&nonces->seen, &key);
	if (entry) {
		aged_renew(&nonces->seen, entry, now_s);
	} else {
		make_room(nonces, now_s);
		entry = aged_add(&nonces->seen, &key, now_s);
		entry->to = *to;
		entry->is_worthless = !is_ours || !nonces_can_prove(nonces, now_s);
	}
	if (!ip_equal(&entry->to, to)) {
		entry->is_worthless = true;
		withdraw(nonces, entry);
	}
}

static void add_proven(struct nonces *nonces, const struct ip *ip, int64_t now_s)
{
	struct entry *proven = aged_get(&nonces->proven, ip);

	if (proven) {
		aged_renew(&nonces->proven, proven, now_s);
		return;
	}
	if (ipmap_count(nonces->proven.map) == NONCES_PROVEN_MAX)
		aged_remove(&nonces->proven, nonces->proven.oldest);
	(void)aged_add(&nonces->proven, ip, now_s); /* it needs no more than its key */
}

bool nonces_prove(struct nonces *nonces, const struct ip *ip, const void *challenge, size_t length,
	int64_t now_s)
{
	struct entry *nonce;
	struct ip key;

	if (length < NONCES_BYTES_MIN || length > NONCES_BYTES_MAX)
		return false;
	aged_expire(&nonces->seen, now_s - NONCES_KEEP_S);
	key = nonce_key(nonces, challenge, length);
	nonce = aged_get(&nonces->seen, &key);
	if (!nonce || nonce->is_worthless || !ip_equal(&nonce->to, ip))
		return false;
	nonce->has_proven = true;
	add_proven(nonces, ip, now_s);
	return true;
}

bool nonces_is_proven(struct nonces *nonces, const struct ip *ip, int64_t now_s)
{
	aged_expire(&nonces->proven, now_s - NONCES_PROVEN_S);
	return aged_get(&nonces->proven, ip) != NULL;
}

bool nonces_can_prove(const struct nonces *nonces, int64_t now_s)
{
	return now_s >= nonces->doubt_s;
}

size_t nonces_count(const struct nonces *nonces)
{
	return ipmap_count(nonces->seen.map);
}

size_t nonces_proven_count(const struct nonces *nonces)
{
	return ipmap_count(nonces->proven.map);
}

static void aged_check(const struct aged *aged)
{
	const struct entry *before = NULL;
	size_t count = 0;

	for (const struct entry *entry = aged->oldest; entry; entry = entry->newer) {
		assert(entry->older == before);
		assert(!before || before->at_s <= entry->at_s);
		assert(aged_get(aged, &entry->key) == entry);
		assert(!entry->has_proven || !entry->is_worthless);
		before = entry;
		count++;
	}
	assert(aged->newest == before);
	assert(ipmap_count(aged->map) == count);
}

void nonces_check(const struct nonces *nonces)
{
	aged_check(&nonces->seen);
	aged_check(&nonces->proven);
}
