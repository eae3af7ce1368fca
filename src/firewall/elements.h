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

/* The firewall role's own memory of the elements that the kernel's sets should hold, one for each
 * banned address or network. When somebody flushes the rule set, the role restores it from here at
 * once, without asking another role.
 * A scope (a protocol and its ports) gets its number at its first use and keeps it until the
 * service ends. An engine counts its scopes from 0 on its own; the caller translates. now_s is
 * CLOCK_BOOTTIME in seconds: it goes on during suspend, and bans run out then too. */
enum { ELEMENTS_MAX = 2000000 }; /* a ban beyond this many elements is refused with ENOSPC */

/* nft is borrowed: it must outlive the elements. */
struct elements *elements_new(struct nft *nft);
void elements_free(struct elements *elements);

/* The number of this scope, counted from 0. For a scope not seen before, the sets are made in the
 * kernel. -1 with a sentence: there are NFT_SCOPES_MAX scopes already, or the sets cannot be made.
 */
int elements_scope(struct elements *elements, const struct scope *scope, struct error *err);

/* Makes the changes in the kernel and remembers those that worked. Each change's scope is a number
 * of elements_scope(); its failure is set as by nft_apply(), or to ENOSPC. engine: the number of
 * the engine that asks, which elements_drop() compares. A renewed element keeps its counters. -1
 * with a sentence: the kernel is unusable; every ban and lift that was asked for is remembered, and
 * the next elements_restore() makes it. */
int elements_apply(struct elements *elements, struct nft_change *changes, size_t count,
	uint32_t engine, int64_t now_s, struct error *err);

/* Takes in an element that the kernel was found to hold, as if `engine` had asked for it. True: it
 * was unknown until now. False: it was known already, or there are ELEMENTS_MAX. */
bool elements_adopt(struct elements *elements, const struct nft_element *element, uint32_t engine,
	int64_t now_s);
/* Forgets an element that somebody else has deleted in the kernel. */
void elements_forget(struct elements *elements, uint8_t scope, const struct ip *ip);

/* Makes the table, the sets, the rules and all remembered elements again, and lifts what could not
 * be lifted before. *ret_count: how many elements were written. -1 with a sentence: the kernel is
 * unusable; call again later. */
int elements_restore(struct elements *elements, int64_t now_s, size_t *ret_count,
	struct error *err);
/* Lifts, and forgets, every element that the engine of this number has not asked for: after a
 * reload, what only the previous engine wanted. Engine 0: lifts all. -1 with a sentence: the kernel
 * could not lift some of them, which stay there until they time out, if they ever do. */
int elements_drop(struct elements *elements, uint32_t engine, struct error *err);
/* Forgets the elements whose time is over; the kernel has removed them by itself. */
void elements_sweep(struct elements *elements, int64_t now_s);
size_t elements_count(const struct elements *elements);

#endif
