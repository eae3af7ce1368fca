#ifndef VG_ELEMENTS_H
#define VG_ELEMENTS_H

#include "base/ip.h"
#include "base/ports.h"
#include "firewall/nft_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elements;
struct error;

/* The firewall role's own memory of what the kernel should hold, so that it restores everything at
 * once when somebody flushes the rule set, without asking another role. Numbers of scopes are of
 * the whole run; each engine's numbers are translated by the caller. now_s is CLOCK_BOOTTIME,
 * which runs on in suspend, as bans do. */
enum { ELEMENTS_MAX = 2000000 }; /* the ban budget: beyond, a ban is refused with ENOSPC */

/* nft is borrowed. */
struct elements *elements_new(struct nft *nft);
void elements_free(struct elements *elements);

/* The number of an equal scope, or of a new one whose sets are made now; -1 with a sentence. */
int elements_scope(struct elements *elements, const struct scope *scope, struct error *err);
size_t elements_scopes(const struct elements *elements);

/* Applies in the kernel and remembers what worked; change.scope is our number, failure is set.
 * engine: who wants it, for elements_drop. Counters of elements that exist are kept. -1: the
 * kernel is unusable; what was asked, lifts too, is remembered and done by elements_restore. */
int elements_apply(struct elements *elements, struct nft_change *changes, size_t count,
	uint32_t engine, int64_t now_s, struct error *err);

/* Something of a dump: true if it is new to us (remembered from now on). */
bool elements_adopt(struct elements *elements, const struct nft_element *element, uint32_t engine,
	int64_t now_s);
/* Deleted by somebody else: forgotten. */
void elements_forget(struct elements *elements, uint8_t scope, const struct ip *ip);

/* Makes table, sets, rules and all remembered elements again. *ret_count: elements. */
int elements_restore(struct elements *elements, int64_t now_s, size_t *ret_count,
	struct error *err);
/* Lifts every element that this engine has not asked for (reload), or all with engine 0. */
int elements_drop(struct elements *elements, uint32_t engine, struct error *err);
/* Forgets what the kernel has timed out. */
void elements_sweep(struct elements *elements, int64_t now_s);
size_t elements_count(const struct elements *elements);

#endif
