#ifndef VG_RESOLVE_H
#define VG_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct message_name;
struct resolve;

/* Looks up the addresses of host names without blocking: A and AAAA records of DNS, and /etc/hosts,
 * in the order for which the host's resolver is configured. Each question has sockets, and so
 * source ports, of its own, which makes answers hard to forge, and reads /etc/resolv.conf anew. All
 * times now_ms are of one clock, in milliseconds, that does not jump. */
enum {
	RESOLVE_QUESTIONS_MAX = 64, /* at the same time; more are refused */
	/* Of these, places that are kept free for names that the operator protects: outsiders can
	 * bring any number of names into the logs, and the protected names must not wait for those.
	 * The engine asks for so many protected names at a time. */
	RESOLVE_RESERVED = 16,
	RESOLVE_LIMIT_MS = 10000,    /* after that a question ends: NO_ANSWER, or what was found */
	RESOLVE_TTL_MAX = 7 * 86400, /* seconds; a longer TTL is shortened to it (RFC 8767, 4) */
};

/* servers: NULL for /etc/resolv.conf and /etc/hosts; or name servers that are asked instead of
 * both, as "192.0.2.1:53,192.0.2.2:53" (copied). answer is called only from within resolve_run():
 * the question with its outcome, the addresses without duplicates (MESSAGE_NAME_ADDRESSES_MAX; more
 * are left out) and the shortest TTL of all records, 0 for those of /etc/hosts. The caller owns
 * *ret_resolve. -1 with a sentence. */
int resolve_new(const char *servers,
	void (*answer)(void *context, const struct message_name *answer), void *context,
	struct resolve **ret_resolve, struct error *err);
/* Drops the questions that are not answered yet: answer is not called for them. Not to be called
 * from within resolve_run(). */
void resolve_drop(struct resolve *resolve);
/* resolve may be NULL. Drops its questions. */
void resolve_free(struct resolve *resolve);

/* Whether there is no place for a question of this kind (enum message_name_kind) now. */
bool resolve_is_full(struct resolve *resolve, uint32_t kind);
/* Starts a question, which is copied. A name of kind MESSAGE_NAME_PROTECT is also tried with the
 * search domains of /etc/resolv.conf. Call resolve_run() after it, because the answer may be there
 * at once. -1 with a sentence: it is no host name, there is no place, or the resolver fails; no
 * answer comes. */
int resolve_ask(struct resolve *resolve, const struct message_name *question, int64_t now_ms,
	struct error *err);

/* An epoll descriptor, owned by resolve. When it is readable, call resolve_run(). */
int resolve_fd(const struct resolve *resolve);
/* Reads what has arrived, repeats what got no answer in time, and calls answer for finished ones.
 */
void resolve_run(struct resolve *resolve, int64_t now_ms);
/* In how many ms resolve_run() has to be called at the latest; -1: there is no question. */
int64_t resolve_wait_ms(const struct resolve *resolve, int64_t now_ms);

#endif
