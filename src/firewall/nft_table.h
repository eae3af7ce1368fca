#ifndef VG_NFT_TABLE_H
#define VG_NFT_TABLE_H

#include "base/ip.h"
#include "base/ports.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct nft;

/* The table `inet voipguard` by netlink. One thread, no parsing of text. */
enum { NFT_SCOPES_MAX = 64, NFT_BATCH_MAX = 4000 };

/* Seconds; 0 = permanent (own set, no timeout). */
enum { NFT_PERMANENT = 0 };

enum nft_op { NFT_BAN, NFT_LIFT };

struct nft_change {
	enum nft_op op;
	uint8_t scope;    /* index given to nft_scope */
	struct ip ip;     /* /32 /24, /128 /64 /56 /48 */
	int64_t ttl_s;    /* for NFT_BAN; NFT_PERMANENT or >= 1 */
	uint64_t packets; /* written back into the counter when a ban is renewed */
	uint64_t bytes;
	int failure; /* set by nft_apply: 0, or an errno value */
};

struct nft_element {
	uint8_t scope;
	struct ip ip;
	int64_t ttl_s; /* remaining, rounded up; NFT_PERMANENT */
	uint64_t packets;
	uint64_t bytes;
	bool present;
};

/* Opens the sockets (requests, events, dump). Sends nothing. */
int nft_open(struct nft **ret_nft, struct error *err);
void nft_close(struct nft *nft);

/* Makes table, chain, and the sets and rules of scope number `index` for the usual lengths (/32
 * and /128, /64), if they are not there. Idempotent; counters and elements that exist stay.
 * nft_ensure alone makes table and chain. */
int nft_ensure(struct nft *nft, struct error *err);
int nft_scope(struct nft *nft, uint8_t index, const struct scope *scope, struct error *err);

/* Applies changes in as few batches as fit. A ban that exists gets the new timeout (ADD + DEL +
 * ADD in one batch, kernel 6.1 ignores a plain one); a lift of an absent element is success;
 * moving between timed and permanent leaves the element in one set only. Sets for other lengths
 * are made at first use. One bad change fails alone. -1 only if the kernel or the table is
 * unusable; then every change that was not applied has failure set. */
int nft_apply(struct nft *nft, struct nft_change *changes, size_t count, struct error *err);

/* Asks the kernel for these elements (scope and ip are given, the rest is filled). */
int nft_query(struct nft *nft, struct nft_element *elements, size_t count, struct error *err);

/* One dump of all elements of all our sets, in the background: start, then nft_dump_read when
 * nft_dump_fd is readable, until it returns 0 (done), 1 (more) or -1. Sets of scopes not known by
 * nft_scope are skipped. An element may come twice, where changes disturbed the dump. */
int nft_dump_start(struct nft *nft, struct error *err);
int nft_dump_fd(const struct nft *nft);
int nft_dump_read(struct nft *nft, void (*each)(void *context, const struct nft_element *element),
	void *context, struct error *err);

/* The events of NFNLGRP_NFTABLES by others than us. */
enum nft_event {
	NFT_EVENT_NONE,  /* nothing of ours touched */
	NFT_EVENT_CHECK, /* table, chain, rule or set of ours gone, a whole set emptied, or events
			  * were lost (ENOBUFS): call nft_ensure, nft_scope and re-apply all */
};
int nft_watch_fd(const struct nft *nft);
/* Drains the socket. lifted(): one element of ours, and nothing else of ours in that commit, was
 * deleted by somebody else. who: name of the process that did it ("nft"), rendered, "" if
 * unknown or nothing happened; filled before lifted() is called. */
enum nft_event nft_watch_read(struct nft *nft, char who[64],
	void (*lifted)(void *context, uint8_t scope, const struct ip *ip), void *context);
/* *ret_seen false: a commit happened since the last call that was neither ours nor seen, or still
 * to be read, as an event. Reported once: check then as for NFT_EVENT_CHECK. */
int nft_generation(struct nft *nft, bool *ret_seen, struct error *err);

#endif
