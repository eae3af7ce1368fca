#ifndef VG_NFT_PARTS_H
#define VG_NFT_PARTS_H

#include "firewall/netlink.h"
#include "firewall/nft_table.h"

#include <linux/netlink.h>

/* Shared by the files nft_*.c alone. Each calls those behind it: change, watch, query, table,
 * socket. */

#define NFT_TABLE "voipguard"
#define NFT_CHAIN "prerouting"

/* A slot is one set of a scope: prefix lengths times timed and permanent. */
enum { NFT_SLOTS = 12 };

/* "sctp_", 15 times "10000to20000_", "v6_128_forever" is 215; the kernel's limit is 255. */
enum { NFT_NAME_BYTES = 256 };

struct nft_slot {
	uint8_t family;
	uint8_t bits;
	bool usual;   /* made with the scope, not at first use */
	bool forever; /* elements have no timeout */
	const char *suffix;
};

extern const struct nft_slot nft_slots[NFT_SLOTS];

/* names are owned and NULL unless used; made[i]: the set and its rules are in the kernel, as far
 * as we know. */
struct nft_sets {
	bool used;
	struct scope scope;
	char *names[NFT_SLOTS];
	bool made[NFT_SLOTS];
};

/* What happened in the commit whose events are being read. */
struct nft_commit {
	bool broken; /* table, chain, rule or set of ours deleted */
	uint32_t deleted;
	uint32_t added;
	uint8_t scope; /* the element deleted first */
	struct ip ip;
};

struct nft {
	struct netlink requests;
	struct netlink watch;
	struct netlink dump;
	size_t batch_bytes;
	uint8_t *batch; /* owned, batch_bytes long */
	struct nft_sets scopes[NFT_SCOPES_MAX];

	struct nft_commit commit;
	uint32_t generation; /* of the last NEWGEN seen; 0 = unknown */
	size_t found_scope;  /* where the last set name was found */

	size_t dump_next; /* scope * NFT_SLOTS + slot being read */
	uint32_t dump_tries;
	bool dump_running;
	bool dump_changed;
};

/* nft_socket.c */

int nft_sockets_open(struct nft *nft, struct error *err);
void nft_sockets_close(struct nft *nft);

/* One attribute of a message behind the nfgenmsg header; NULL: not there. The length of a string
 * is checked to hold a NUL. */
const struct nlattr *nft_attribute(const struct nlmsghdr *message, uint16_t type);
const char *nft_attribute_string(const struct nlmsghdr *message, uint16_t type);

/* seq and offset name the first message and attribute the kernel complained about. */
struct nft_reply {
	int number; /* errno value; 0 = committed */
	uint32_t seq;
	uint32_t offset;
};

/* A transaction under construction in nft->batch. */
struct nft_batch {
	size_t used;
	uint32_t first_seq;
	struct nlmsghdr *last; /* NULL: nothing in it yet */
};

void nft_batch_begin(struct nft *nft, struct nft_batch *batch);
/* A header at the end of the batch, or NULL if less than room bytes would be left. Becomes part of
 * it by nft_batch_add, once complete. */
struct nlmsghdr *nft_batch_message(struct nft *nft, const struct nft_batch *batch, uint16_t type,
	uint16_t flags, size_t room_bytes);
void nft_batch_add(struct nft *nft, struct nft_batch *batch, struct nlmsghdr *message);
/* Sends and awaits the verdict. 0: *ret_reply holds it. -1: no verdict (its number is set too). */
int nft_batch_send(struct nft *nft, struct nft_batch *batch, struct nft_reply *ret_reply,
	struct error *err);

/* Lists objects of our table: NFT_MSG_GETSET or NFT_MSG_GETRULE, of our chain. */
int nft_list(struct nft *nft, uint16_t type, const struct netlink_lister *lister,
	struct error *err);

/* nft_table.c */

/* The slot of an address, -1 if there is none for its length. */
int nft_slot_find(const struct ip *ip, bool forever);
/* Makes sets and rules of the given slots and of those that exist. */
int nft_sets_make(struct nft *nft, struct nft_sets *sets, const bool wanted[NFT_SLOTS],
	struct error *err);
/* Table, chain and all scopes again. */
int nft_restore(struct nft *nft, struct error *err);
/* Finds a set of ours by its name: 0, or -1. */
int nft_sets_find(struct nft *nft, const char *name, uint8_t *ret_scope, int *ret_slot);

/* nft_query.c */

/* The elements of a NEWSETELEM or DELSETELEM message of ours, one call each. */
int nft_elements_parse(struct nft *nft, const struct nlmsghdr *message,
	void (*each)(void *context, const struct nft_element *element), void *context);

#endif
