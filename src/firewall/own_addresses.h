#ifndef VG_OWN_ADDRESSES_H
#define VG_OWN_ADDRESSES_H

#include "base/ip.h"

#include <stddef.h>

struct error;
struct hostnet;

/* What the host itself must never be cut off from: own addresses, default gateways, on-link
 * prefixes (rtnetlink), and from where users are logged in by SSH (logins.h). */
enum hostnet_kind { HOSTNET_OWN, HOSTNET_GATEWAY, HOSTNET_ONLINK, HOSTNET_SSH_PEER };
enum { HOSTNET_MAX = 1024 }; /* more are left out: -1, and the sentence says so */

int hostnet_open(struct hostnet **ret_hostnet, struct error *err);
void hostnet_close(struct hostnet *hostnet);
/* Readable when addresses or routes changed: call hostnet_drain, then hostnet_list. */
int hostnet_fd(const struct hostnet *hostnet);
void hostnet_drain(struct hostnet *hostnet);
/* Reads all afresh and calls back for each, without duplicates of the same kind. -1: something
 * could not be read or was too much; what was called back holds. */
int hostnet_list(struct hostnet *hostnet,
	void (*each)(void *context, enum hostnet_kind kind, const struct ip *ip), void *context,
	struct error *err);
/* Only the peers of SSH sessions. */
int hostnet_ssh_peers(void (*each)(void *context, enum hostnet_kind kind, const struct ip *ip),
	void *context, struct error *err);
/* "own address", "default gateway", "on-link network", "SSH session". */
const char *hostnet_kind_text(enum hostnet_kind kind);

#endif
