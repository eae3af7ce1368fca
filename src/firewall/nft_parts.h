#ifndef VG_NFT_PARTS_H
#define VG_NFT_PARTS_H

#include "firewall/netlink.h"
#include "firewall/nft_table.h"

#include <linux/netlink.h>

/* What the files nft_*.c share; nobody else includes this. Each calls only those below it:
 * - nft_change.c adds and removes elements: nft_apply();
 * - nft_watch.c reads the kernel's events about changes by others;
 * - nft_query.c reads elements, single ones or all of them;
 * - nft_output.c makes the chain for what leaves the host;
 * - nft_table.c makes the table, its chain, sets and rules;
 * - nft_objects.c builds the messages that make such objects;
 * - nft_socket.c opens the sockets, and builds and sends transactions (struct nft_batch).
 * All of them use netlink.c. A struct nft_batch is one netlink transaction; the struct batch of
 * parts.h, which collects what an engine asks for, is another thing. */

#define NFT_TABLE "voipguard"
#define NFT_CHAIN "prerouting"
#define NFT_WIRE_CHAIN "wire_output"

/* Each scope has up to 12 sets, one a slot: for each width that a ban can have (ip_ban_widths) one
 * whose elements have a timeout, and then one whose elements are permanent. */
enum { NFT_SLOTS = 2 * IP_BAN_WIDTHS };

/* Room for a set's name and its NUL. The longest, "sctp_", 15 times "10000to20000_" and
 * "v6_128_forever", has 215 bytes; the kernel takes 255. */
enum { NFT_NAME_BYTES = 256 };

struct nftnl_expr;
struct nftnl_rule;
struct nftnl_set;

struct nft_slot {
	uint8_t family; /* 4 or 6 */
	uint8_t bits;   /* prefix length of its elements */
	bool forever;   /* its elements have no timeout */
};

/* The sets of one scope. names are owned, and NULL unless used. made[i]: we made set i and its
 * rules; somebody may have deleted them since. */
struct nft_sets {
	bool used;
	struct scope scope;
	char *names[NFT_SLOTS];
	bool made[NFT_SLOTS];
};

/* What others did to our table in one commit. The kernel sends the events of a commit one by one
 * and then NFT_MSG_NEWGEN; only then they can be judged together. */
struct nft_commit {
	bool broken;      /* table changed, or table, chain, rule or set deleted */
	uint32_t deleted; /* elements */
	uint32_t added;   /* elements */
	uint8_t scope;    /* with ip: the element deleted first */
	struct ip ip;
};

/* What the chain for outgoing packets does, besides letting them pass. */
struct nft_output {
	int32_t group; /* of nft_wire() */
	struct nft_connections connections;
};

struct nft {
	struct netlink requests; /* changes and questions, each waited for */
	struct netlink watch;    /* events about changes of the rule set */
	struct netlink dump;     /* the list of all elements, read in the background */
	size_t batch_bytes;
	uint8_t *batch; /* owned, batch_bytes long: the transaction under construction */
	struct nft_sets scopes[NFT_SCOPES_MAX];
	struct nft_output output;

	struct nft_commit commit;
	uint32_t generation; /* the kernel's count of commits in the last NEWGEN; 0: unknown */
	size_t found_scope;  /* scope of the set name found last */

	/* the background list: */
	size_t dump_next;    /* scope * NFT_SLOTS + slot of the set being read */
	uint32_t dump_tries; /* how often this set was read */
	bool dump_running;
	bool dump_changed; /* others changed the set while it was read */
};

/* ---- nft_socket.c ---- */

/* Opens the three sockets. -1 with a sentence; nft_sockets_close() is then still needed. */
int nft_sockets_open(struct nft *nft, struct error *err);
void nft_sockets_close(struct nft *nft);

/* The attribute of this type that follows the message's struct nfgenmsg; NULL: there is none. The
 * second gives its text, and NULL also if no NUL ends it. Both point into the message. */
const struct nlattr *nft_attribute(const struct nlmsghdr *message, uint16_t type);
const char *nft_attribute_string(const struct nlmsghdr *message, uint16_t type);

/* The kernel's answer to a transaction. For a refusal, seq is the number of the message that it
 * complained about first, and offset where in it the attribute at fault begins, in bytes (0: not
 * told). seq 0: it named no message. */
struct nft_reply {
	int number; /* errno value; 0: committed */
	uint32_t seq;
	uint32_t offset;
};

/* A netlink transaction under construction in nft->batch: the kernel commits all of its messages or
 * none. There is one at a time. */
struct nft_batch {
	size_t used;           /* bytes of nft->batch */
	uint32_t first_seq;    /* of the message that begins it */
	struct nlmsghdr *last; /* NULL: nothing is asked for yet */
};

void nft_batch_begin(struct nft *nft, struct nft_batch *batch);
/* Writes the header of a new message behind the transaction. The caller adds attributes, all in all
 * up to room_bytes, and then makes the message part of the transaction by nft_batch_add(). NULL: no
 * room_bytes are left. */
struct nlmsghdr *nft_batch_message(struct nft *nft, const struct nft_batch *batch, uint16_t type,
	uint16_t flags, size_t room_bytes);
void nft_batch_add(struct nft *nft, struct nft_batch *batch, struct nlmsghdr *message);
/* Sends the transaction and waits for the kernel's answer. 0: *ret_reply holds the answer, which
 * may be a refusal. -1 with a sentence: none came; ret_reply->number says why, as an errno value.
 * An empty transaction is not sent and counts as committed. */
int nft_batch_send(struct nft *nft, struct nft_batch *batch, struct nft_reply *ret_reply,
	struct error *err);

/* Lists all sets of our table (NFT_MSG_GETSET; chain is NULL) or all rules of one of our chains
 * (NFT_MSG_GETRULE). */
int nft_list(struct nft *nft, uint16_t type, const char *chain, const struct netlink_lister *lister,
	struct error *err);

/* ---- nft_objects.c ---- */

/* The numbers by which the program nft knows the type of a set's keys and prints them. Those of the
 * parts of a concatenation follow each other, NFT_TYPE_BITS each. */
enum { NFT_TYPE_IPADDR = 7, NFT_TYPE_IP6ADDR = 8, NFT_TYPE_INET_SERVICE = 13, NFT_TYPE_BITS = 6 };
/* Where TCP, UDP and SCTP have their ports, in bytes from the beginning of their header. */
enum { NFT_PORT_SOURCE = 0, NFT_PORT_DESTINATION = 2 };

/* For the functions of libnftnl that make objects, which fail only when there is no memory: aborts
 * if object is NULL, else returns it. */
void *nft_must(void *object);
/* A message of the transaction that makes or deletes an object; nft_batch_add() follows. A few
 * objects always fit into a transaction: that there is no room is our own bug. */
struct nlmsghdr *nft_object_message(struct nft *nft, const struct nft_batch *batch, uint16_t type,
	uint16_t flags);
/* nft_batch_send(), with a refusal as an error. what: was tried. */
int nft_objects_send(struct nft *nft, struct nft_batch *batch, const char *what, struct error *err);

/* Makes a chain of packets at this hook if it is missing. */
void nft_chain_add(struct nft *nft, struct nft_batch *batch, const char *name, uint32_t hook);
/* A set of our table, which the caller may add to and then makes by nft_set_add(), if it is
 * missing. That takes the set. */
struct nftnl_set *nft_set_new(const char *name, uint32_t flags, uint32_t key_type,
	uint32_t key_bytes);
void nft_set_add(struct nft *nft, struct nft_batch *batch, struct nftnl_set *set);

/* A rule of this chain, without expressions: those below add some, in order. nft_rule_append() puts
 * it at the end of the chain, and takes it. */
struct nftnl_rule *nft_rule_new(const char *chain);
void nft_rule_append(struct nft *nft, struct nft_batch *batch, struct nftnl_rule *rule);
/* Deletes the rule with this handle; 0: all rules of the chain. */
void nft_rules_delete(struct nft *nft, struct nft_batch *batch, const char *chain, uint64_t handle);

/* nft_expr_compare() compares what an expression before it has put into register 1. Data are in
 * network order. */
void nft_expr_add(struct nftnl_rule *rule, struct nftnl_expr *expr);
void nft_expr_compare(struct nftnl_rule *rule, uint32_t op, const void *data, uint32_t length);
void nft_expr_meta(struct nftnl_rule *rule, uint32_t key, uint32_t op, uint8_t value);
void nft_expr_payload(struct nftnl_rule *rule, uint32_t base, uint32_t offset, uint32_t length,
	uint32_t reg);
/* offset: NFT_PORT_SOURCE or NFT_PORT_DESTINATION. */
void nft_expr_port(struct nftnl_rule *rule, uint32_t offset, uint16_t first, uint16_t last);
/* Masks register 1; length: up to 16 bytes. */
void nft_expr_mask(struct nftnl_rule *rule, const void *mask, uint32_t length);
void nft_expr_verdict(struct nftnl_rule *rule, uint32_t verdict);

/* ---- nft_table.c ---- */

/* What a slot holds; slot < NFT_SLOTS. */
struct nft_slot nft_slot(int slot);
/* The slot for an address, by family and prefix length; -1: no ban can have that length. */
int nft_slot_find(const struct ip *ip, bool forever);
/* Asks the kernel what it has of this scope, makes the wanted sets that are missing, and gives each
 * set, wanted or found, the rules that it should have. Elements stay. */
int nft_sets_make(struct nft *nft, struct nft_sets *sets, const bool wanted[NFT_SLOTS],
	struct error *err);
/* Makes table, chain and the sets and rules of all scopes again; without elements. */
int nft_restore(struct nft *nft, struct error *err);
/* Finds a set of ours by its name. -1: no scope has such a set. */
int nft_sets_find(struct nft *nft, const char *name, uint8_t *ret_scope, int *ret_slot);

/* ---- nft_output.c ---- */

/* A key of these sets is an address and behind it the port, in network order, filled up with
 * zeros to this many bytes. */
enum { NFT_CONNECTION_PORT_BYTES = 4 };
/* The set of a family, 4 or 6. */
const char *nft_connections_set(uint8_t family);

/* ---- nft_query.c ---- */

/* Calls back for each element of a NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM message. -1: it is not
 * about a set of ours, and nothing was called. */
int nft_elements_parse(struct nft *nft, const struct nlmsghdr *message,
	void (*each)(void *context, const struct nft_element *element), void *context);

#endif
