#ifndef VG_RESOLVE_H
#define VG_RESOLVE_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct resolve;

/* Looks up the addresses of host names without blocking: A and AAAA records of DNS, and /etc/hosts,
 * in the order for which the host's resolver is configured. Each question has sockets, and so
 * source ports, of its own, which makes answers hard to forge, and reads /etc/resolv.conf anew. All
 * times now_ms are of one clock, in milliseconds, that does not jump. */
enum {
	RESOLVE_QUESTIONS_MAX = 64,  /* at the same time; more are refused */
	RESOLVE_ADDRESSES_MAX = 32,  /* in an answer; more are left out */
	RESOLVE_LIMIT_MS = 10000,    /* after that a question ends: NO_ANSWER, or what was found */
	RESOLVE_TTL_MAX = 7 * 86400, /* seconds; a longer TTL is shortened to it (RFC 8767, 4) */
};

enum resolve_outcome {
	RESOLVE_FOUND,     /* at least one address */
	RESOLVE_NO_NAME,   /* DNS says that the name has neither IPv4 nor IPv6 addresses */
	RESOLVE_NO_ANSWER, /* no usable answer: silence, SERVFAIL, a malformed packet */
};

struct resolve_answer {
	uint64_t tag; /* as given to resolve_ask */
	enum resolve_outcome outcome;
	uint32_t ttl_s; /* the shortest of all records; 0: from /etc/hosts, or not FOUND */
	size_t count;
	struct ip addresses[RESOLVE_ADDRESSES_MAX]; /* /32 or /128, no duplicates */
};

/* servers: NULL for /etc/resolv.conf and /etc/hosts; or name servers that are asked instead of
 * both, as "192.0.2.1:53,192.0.2.2:53" (copied). answer is called only from within resolve_run().
 * The caller owns *ret_resolve. -1 with a sentence. */
int resolve_new(const char *servers,
	void (*answer)(void *context, const struct resolve_answer *answer), void *context,
	struct resolve **ret_resolve, struct error *err);
/* Questions that are not answered yet are dropped: answer is not called for them. */
void resolve_free(struct resolve *resolve);

/* Starts a question. search: also try the name with the search domains of /etc/resolv.conf; for
 * names that the operator wrote, never for names from a log. tag: handed back in the answer. Call
 * resolve_run() after it, because the answer may be there at once. -1 with a sentence: it is no
 * host name, there are RESOLVE_QUESTIONS_MAX already, or the resolver fails; no answer comes. */
int resolve_ask(struct resolve *resolve, const char *name, bool search, uint64_t tag,
	int64_t now_ms, struct error *err);

/* An epoll descriptor, owned by resolve. When it is readable, call resolve_run(). */
int resolve_fd(const struct resolve *resolve);
/* Reads what has arrived, repeats what got no answer in time, and calls answer for finished ones.
 */
void resolve_run(struct resolve *resolve, int64_t now_ms);
/* In how many ms resolve_run() has to be called at the latest; -1: there is no question. */
int64_t resolve_wait_ms(const struct resolve *resolve, int64_t now_ms);

#endif
