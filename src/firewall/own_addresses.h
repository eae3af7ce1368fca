#ifndef VG_OWN_ADDRESSES_H
#define VG_OWN_ADDRESSES_H

#include "base/ip.h"

#include <stddef.h>

struct error;
struct own_addresses;

/* What the host itself must never be cut off from: own addresses, default gateways, on-link
 * prefixes (rtnetlink), and from where users are logged in by SSH (logins.h). */
enum own_addresses_kind { OWN_ADDRESS, OWN_GATEWAY, OWN_ONLINK, OWN_SSH_PEER };
enum { OWN_ADDRESSES_MAX = 1024 }; /* more are left out: -1, and the sentence says so */

int own_addresses_open(struct own_addresses **ret_own, struct error *err);
void own_addresses_close(struct own_addresses *own);
/* Readable when addresses or routes changed: call own_addresses_drain, then own_addresses_list. */
int own_addresses_fd(const struct own_addresses *own);
void own_addresses_drain(struct own_addresses *own);
/* Reads all afresh and calls back for each, without duplicates of the same kind. -1: something
 * could not be read or was too much; what was called back holds. */
int own_addresses_list(struct own_addresses *own,
	void (*each)(void *context, enum own_addresses_kind kind, const struct ip *ip),
	void *context, struct error *err);
/* Only the peers of SSH sessions. */
int own_addresses_ssh_peers(void (*each)(void *context, enum own_addresses_kind kind,
				    const struct ip *ip),
	void *context, struct error *err);
/* "own address", "default gateway", "on-link network", "SSH session". */
const char *own_addresses_kind_text(enum own_addresses_kind kind);

#endif
