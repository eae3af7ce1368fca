#ifndef VG_NFT_TABLE_H
#define VG_NFT_TABLE_H

#include "base/ip.h"
#include "base/ports.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct nft;

/* The nftables table `inet voipguard`, by netlink. For each scope (a protocol and its ports, or
 * everything) it has sets of banned addresses, and rules that drop what comes from these addresses
 * to these ports. For one thread. No text is parsed.
 * NFT_SCOPES_MAX: scopes. NFT_BATCH_MAX: changes in one netlink transaction. */
enum { NFT_SCOPES_MAX = 64, NFT_BATCH_MAX = 4000 };

/* A ttl_s of 0 seconds: the element has no timeout, and is in a set of its own kind. */
enum { NFT_PERMANENT = 0 };

enum nft_op { NFT_BAN, NFT_LIFT };

struct nft_change {
	enum nft_op op;
	uint8_t scope;    /* index given to nft_scope */
	struct ip ip;     /* canonical; IPv4 /32 or /24, IPv6 /128, /64, /56 or /48 */
	int64_t ttl_s;    /* of NFT_BAN; NFT_PERMANENT, or 1 to INT64_MAX / 1000 */
	uint64_t packets; /* with bytes: where the counter starts, if not at 0 */
	uint64_t bytes;
	int failure; /* set by nft_apply: 0, or an errno value */
};

struct nft_element {
	uint8_t scope;
	struct ip ip;
	int64_t ttl_s; /* what is left, rounded up, so at least 1; or NFT_PERMANENT */
	uint64_t packets;
	uint64_t bytes;
	bool present; /* the kernel has it; else only scope and ip mean something */
};

/* Opens the sockets; the kernel's table stays as it is. The caller ends it by nft_close(), which
 * leaves the table in the kernel. */
int nft_open(struct nft **ret_nft, struct error *err);
void nft_close(struct nft *nft);

/* nft_ensure makes the table and its chain if they are missing; call it first. nft_scope makes the
 * sets and rules of scope number `index` for timed bans of the usual lengths (/32, /128 and /64) if
 * they are missing. Elements and counters that exist stay, so both may be called again. -1 with a
 * sentence: the kernel refuses. */
int nft_ensure(struct nft *nft, struct error *err);
int nft_scope(struct nft *nft, uint8_t index, const struct scope *scope, struct error *err);

/* Has the kernel copy the answers 401 and 407 that leave this host by UDP to NFLOG group `group`, 0
 * to 65535, for the socket of nflog_open(). The chain wire_output is made for it, or what it has is
 * replaced; call it again when our table was changed or deleted, after nft_ensure(). NFT_WIRE_NONE:
 * no copies, and no such chain. Answers from all ports are copied: a server that is asked to answer
 * to another address than the source may use another of its ports for that. */
enum { NFT_WIRE_NONE = -1 };
int nft_wire(struct nft *nft, int32_t group, struct error *err);

/* Has the kernel note each remote address and port to which this host sends data by TCP from one of
 * these ports. Nobody gets data without having completed the handshake, so that who is noted was
 * there, and is not a forged source. lifetime_ms: how long after the last data it is known. max: so
 * many are known, of IPv4 and again of IPv6; further ones are missed. Both have to stay the same as
 * long as the sets are there. ports without ranges: none are noted, and the sets end.
 * The rules stand in the chain of nft_wire(); call this again whenever that is called again. */
struct nft_connections {
	struct scope ports; /* of TCP, or empty */
	uint32_t lifetime_ms;
	uint32_t max;
};
int nft_connections(struct nft *nft, const struct nft_connections *connections, struct error *err);
/* Asks the kernel whether it has noted this remote end. ip is one host. -1 with a sentence: the
 * kernel could not be asked. */
int nft_connected(struct nft *nft, const struct ip *ip, uint16_t port, bool *ret_connected,
	struct error *err);
/* How many packets went to ends that were missed, since the rules were made. */
int nft_connections_missed(struct nft *nft, uint64_t *ret_count, struct error *err);

/* Makes the changes in order, in as few transactions as possible. A ban of an element that exists
 * gives it the new timeout. To lift an absent element is success. An element that changes between
 * timed and permanent is in one set only afterwards. The sets of the less usual lengths are made at
 * their first ban. A change that the kernel refuses fails alone: its failure is set. -1 with a
 * sentence only if the kernel or the table is unusable; every change that was not made then has its
 * failure set. */
int nft_apply(struct nft *nft, struct nft_change *changes, size_t count, struct error *err);

/* Asks the kernel for an element: the caller sets scope and ip, the kernel's answer fills in the
 * rest. -1 with a sentence: the kernel could not be asked. */
int nft_query(struct nft *nft, struct nft_element *element, struct error *err);

/* Lists all elements of all our sets, in the background. Call nft_dump_start(), and then
 * nft_dump_read() each time nft_dump_fd() is readable, as long as it returns 1; it returns 0 when
 * all was listed, and -1 with a sentence when the list cannot be read on. Sets that belong to no
 * scope of nft_scope() are left out. An element may be called back twice, since a set that changes
 * while it is read is read again. */
int nft_dump_start(struct nft *nft, struct error *err);
int nft_dump_fd(const struct nft *nft);
int nft_dump_read(struct nft *nft, void (*each)(void *context, const struct nft_element *element),
	void *context, struct error *err);

/* What other programs did to our table, by the events of NFNLGRP_NFTABLES. */
enum nft_event {
	NFT_EVENT_NONE,  /* nothing, or only what lifted() was called for */
	NFT_EVENT_CHECK, /* our table was changed, something of it deleted, more than one element
			  * deleted or replaced at once, or events were lost (ENOBUFS): call
			  * nft_ensure(), nft_scope() and nft_apply() for all again */
};
int nft_watch_fd(const struct nft *nft);
/* Reads the events that wait; call it when nft_watch_fd() is readable. lifted() is called for a
 * commit by somebody else that deleted one element of ours and did nothing else to our table: an
 * unban by hand. who: the name of the process that did it ("nft"), rendered; "": unknown, or
 * nothing happened. It is filled before lifted() is called. */
enum nft_event nft_watch_read(struct nft *nft, char who[64],
	void (*lifted)(void *context, uint8_t scope, const struct ip *ip), void *context);
/* Asks the kernel for its generation, the number of commits so far, to notice events that never
 * came. *ret_seen false: there was a commit that is not ours and whose event neither was read nor
 * waits to be read; do as for NFT_EVENT_CHECK. Each such commit is reported once. -1 with a
 * sentence: the kernel does not answer. */
int nft_generation(struct nft *nft, bool *ret_seen, struct error *err);

#endif
