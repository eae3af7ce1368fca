#ifndef VG_WIRE_H
#define VG_WIRE_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nonces;
struct scope;

/* What the kernel saw going out: the copies of the server's challenges come in here, and become
 * nonces, by which the source of a failure can be proven (wire/nonces.h). Whatever cannot be read
 * as it should counts as a lost copy, which costs proofs and makes none.
 * All times are CLOCK_BOOTTIME in seconds. */
struct wire;

struct wire_counts {
	uint64_t answers;      /* challenges of our ports that were read */
	uint64_t foreign;      /* challenges that left other ports */
	uint64_t unreadable;   /* challenges in another shape than Asterisk's, or cut */
	uint64_t lost;         /* how often copies were lost on the way */
	uint64_t withdrawn;    /* proofs */
	uint16_t foreign_port; /* where the last foreign one left; 0: there was none */
};

/* ports: the UDP ports at which the server whose log is read speaks SIP; without ranges, all. It is
 * copied. Challenges that leave other ports do not prove, and are still seen: a server may send the
 * answer to one port from another one. withdrawn: see nonces_new(); it may be NULL. */
struct wire *wire_new(const struct scope *ports, int64_t now_s,
	void (*withdrawn)(void *context, const struct ip *ip), void *context);
void wire_free(struct wire *wire);

/* Takes fd, a netlink socket that the kernel sends copies to. The one before is closed. fd -1:
 * there is no socket any more. */
void wire_attach(struct wire *wire, int fd, int64_t now_s);
/* Reads all copies that wait, up to WIRE_READS_MAX; more count as lost. To be called before the
 * log is read, so that the nonce in a line is known: the answer left before the line was written.
 * False: the socket cannot be read, and is closed; nothing is proven any more. */
enum { WIRE_READS_MAX = 16384 };
bool wire_read(struct wire *wire, int64_t now_s);
/* Copies may be missing: the rule that makes them was not in the kernel for a while. */
void wire_lost(struct wire *wire, int64_t now_s);

bool wire_is_attached(const struct wire *wire);
/* Borrowed: for nonces_prove() and nonces_is_proven(). */
struct nonces *wire_nonces(struct wire *wire);
const struct wire_counts *wire_counts(const struct wire *wire);

#endif
