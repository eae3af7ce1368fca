#ifndef VG_RESOLVE_H
#define VG_RESOLVE_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct resolve;

/* Host names to addresses, without waiting: A and AAAA of DNS, and /etc/hosts, in the order that
 * the host's resolver is set to. Each question has sockets of its own, hence a source port of its
 * own, and the name servers of /etc/resolv.conf as it is then. */
enum {
	RESOLVE_QUESTIONS_MAX = 64,  /* in flight; more are refused */
	RESOLVE_ADDRESSES_MAX = 32,  /* an answer; the rest is left out */
	RESOLVE_LIMIT_MS = 10000,    /* then a question is over: no answer */
	RESOLVE_TTL_MAX = 7 * 86400, /* seconds; no TTL beyond it is believed (RFC 8767 4) */
};

enum resolve_outcome {
	RESOLVE_FOUND,     /* at least one address */
	RESOLVE_NO_NAME,   /* the name servers say that it has none, of either family */
	RESOLVE_NO_ANSWER, /* nobody could say: silence, SERVFAIL, nonsense */
};

struct resolve_answer {
	uint64_t tag; /* as given to resolve_ask */
	enum resolve_outcome outcome;
	uint32_t ttl_s; /* the shortest of all records; 0: from /etc/hosts, or none */
	size_t count;
	struct ip addresses[RESOLVE_ADDRESSES_MAX]; /* hosts, each once */
};

/* servers: NULL for those of /etc/resolv.conf, else these, "ADDR:PORT,...", and not /etc/hosts.
 * answer is called from resolve_run alone. */
int resolve_new(const char *servers,
	void (*answer)(void *context, const struct resolve_answer *answer), void *context,
	struct resolve **ret_resolve, struct error *err);
/* Questions in flight are not answered any more. */
void resolve_free(struct resolve *resolve);

/* search: the search domains of /etc/resolv.conf count too; for names that the operator wrote,
 * never for names from a log. -1: no name, or too many in flight; nothing is answered then. The
 * answer may be there at once: call resolve_run. */
int resolve_ask(struct resolve *resolve, const char *name, bool search, uint64_t tag,
	int64_t now_ms, struct error *err);

/* An epoll descriptor; readable: call resolve_run. */
int resolve_fd(const struct resolve *resolve);
/* Goes on with what is ready or late and hands out answers. */
void resolve_run(struct resolve *resolve, int64_t now_ms);
/* In how many ms resolve_run should be called at the latest; -1: no question is in flight. */
int64_t resolve_wait_ms(const struct resolve *resolve, int64_t now_ms);

#endif
