#ifndef VG_OWN_ADDRESSES_H
#define VG_OWN_ADDRESSES_H

#include "base/ip.h"

#include <stddef.h>

struct error;
struct own_addresses;

/* What must never be banned, since the host would be cut off, by rtnetlink: the host's own
 * addresses, its default gateways, the networks of its links such as 192.0.2.0/24 on eth0.
 * OWN_SSH_PEER is never listed here: those are in logins.h. */
enum own_addresses_kind { OWN_ADDRESS, OWN_GATEWAY, OWN_ONLINK, OWN_SSH_PEER };

enum { OWN_ADDRESSES_MAX = 1024 }; /* of one listing; more are left out */

/* What a listing has found, each address or network of a kind once. */
struct own_addresses_found {
	size_t count;
	struct {
		enum own_addresses_kind kind;
		struct ip ip;
	} entries[OWN_ADDRESSES_MAX];
};

/* Opens the netlink sockets; *ret_own is owned by the caller. */
int own_addresses_open(struct own_addresses **ret_own, struct error *err);
void own_addresses_close(struct own_addresses *own);
/* Becomes readable when addresses or routes have changed: call own_addresses_drain(), then
 * own_addresses_list(). */
int own_addresses_fd(const struct own_addresses *own);
void own_addresses_drain(struct own_addresses *own);
/* Reads everything from the kernel. -1 with a sentence: something could not be read,
 * or there were too many; what was found is in *ret_found then, too. */
int own_addresses_list(struct own_addresses *own, struct own_addresses_found *ret_found,
	struct error *err);
/* The kind in words: "own address", "default gateway", "on-link network", "SSH session". */
const char *own_addresses_kind_text(enum own_addresses_kind kind);

#endif
