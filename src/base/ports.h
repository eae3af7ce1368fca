#ifndef VG_PORTS_H
#define VG_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* What a ban closes: everything, or some destination ports of one protocol. */
enum { SCOPE_RANGES_MAX = 15, SCOPE_TEXT_MAX = 200 };

/* Zero = all ports, all protocols. Ranges are sorted, disjoint and not adjacent, so equal
 * scopes are equal in memory. protocol 0 has no ranges; others have at least one. */
struct scope {
	uint8_t protocol; /* 0, or IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
	uint8_t n_ranges;
	struct {
		uint16_t first;
		uint16_t last;
	} ranges[SCOPE_RANGES_MAX];
};

/* ports: "5060,5061", "10000:20000" or "10000-20000", service names (sip, ssh, http, https …,
 * by a fixed table; /etc/services is not read). protocol: tcp, udp, sctp. */
int scope_parse(uint8_t protocol, const char *ports, struct scope *ret_scope, struct error *err);
/* "all" or "udp:5060,5061" or "tcp:10000-20000". Returns out. */
const char *scope_format(const struct scope *scope, char out[SCOPE_TEXT_MAX]);
bool scope_equal(const struct scope *a, const struct scope *b);
/* Ranges in order, ports 1 to 65535, protocol known: for records from another role. */
bool scope_is_valid(const struct scope *scope);

#endif
