/* What the firewall role is to be told. It keeps its own list of whom it never bans, since it
 * trusts no other process with that. */
#include "protect/parts.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/ipmap.h"
#include "base/protected.h"
#include "base/text.h"
#include "decide/guard.h"

enum { TELL_MAX = 64 }; /* addresses told in one call: for each of them all bans are searched */

/* Until when the firewall role protects an address, by what it has been told or what is queued for
 * it; 0: for ever. */
struct known {
	int64_t until_s;
};

void telling_add(struct protect *protect, const struct ip *ip, const char *because, int64_t until_s)
{
	struct telling *telling;

	protect->telling =
		alloc_grow(protect->telling, protect->n_telling + 1, sizeof(*protect->telling));
	telling = &protect->telling[protect->n_telling++];
	telling->ip = *ip;
	telling->until_s = until_s;
	text_format(telling->because, sizeof(telling->because), "%s", because);
}

/* Notes that the firewall role is to protect ip until until_s. False: it has been told so already,
 * for as long or longer; or there is no room, here or in its list. */
static bool is_news(struct protect *protect, const struct ip *ip, int64_t until_s)
{
	struct known *known = ipmap_get(protect->known, ip, 0);

	if (!known) {
		known = alloc_zero(sizeof(*known));
		known->until_s = until_s;
		if (ipmap_put(protect->known, ip, 0, known))
			return true;
		free(known);
		return false;
	}
	if (!known->until_s || (until_s && until_s <= known->until_s))
		return false;
	known->until_s = until_s;
	return true;
}

void telling_protect(struct protect *protect, const struct ip *ip, const char *because,
	enum protected_source source, int64_t until_s)
{
	if (ip_is_special(ip))
		return; /* loopback and the like are in every list */
	if (!protected_add(protect->protected, ip, because, source))
		protect->is_full = true;
	if (is_news(protect, ip, until_s))
		telling_add(protect, ip, because, until_s);
}

/* For how many seconds from now; 0: for ever. What is over by now gets one second, since 0 would
 * mean for ever. */
static int64_t ttl_of(const struct telling *telling, int64_t now_s)
{
	if (!telling->until_s)
		return 0;
	return telling->until_s > now_s ? telling->until_s - now_s : 1;
}

bool protect_flush(struct protect *protect, int64_t now_s)
{
	for (size_t i = 0; i < TELL_MAX && protect->n_told < protect->n_telling; i++) {
		const struct telling *next = &protect->telling[protect->n_told];

		if (!protect->events.tell(protect->events.context, &next->ip, next->because,
			    ttl_of(next, now_s)))
			return false;
		if (protected_find(protect->protected, &next->ip)) /* not let go since */
			guard_lift_protected(protect->guard, &next->ip, next->because);
		protect->n_told++;
	}
	if (protect->n_told < protect->n_telling)
		return false;
	protect->n_told = protect->n_telling = 0;
	return true;
}

void telling_done(struct protect *protect)
{
	size_t cursor = 0;
	void *known;

	while ((known = ipmap_next(protect->known, &cursor)))
		free(known);
	ipmap_free(protect->known);
	free(protect->telling);
}
