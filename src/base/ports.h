#ifndef VG_PORTS_H
#define VG_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* A scope is what a ban closes: everything, or some destination ports of one protocol. */
enum { SCOPE_RANGES_MAX = 15, SCOPE_TEXT_MAX = 200 };

/* All zero means all ports of all protocols. Ranges are sorted, disjoint and not adjacent (5060 and
 * 5061 are one range), so that equal scopes are equal in memory. protocol 0 has no ranges; the
 * others have at least one. */
struct scope {
	uint8_t protocol; /* 0, or IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
	uint8_t n_ranges;
	struct {
		uint16_t first;
		uint16_t last;
	} ranges[SCOPE_RANGES_MAX];
};

/* Reads a list of ports: "5060,5061", "10000:20000" or "10000-20000", service names (sip, ssh,
 * http, https ..., from a fixed table; /etc/services is not read). protocol is tcp, udp or sctp.
 * Returns 0, or -1 with a sentence in err. */
int scope_parse(uint8_t protocol, const char *ports, struct scope *ret_scope, struct error *err);
/* Writes "all", "udp:5060,5061" or "tcp:10000-20000". Returns out. */
const char *scope_format(const struct scope *scope, char out[SCOPE_TEXT_MAX]);
bool scope_equal(const struct scope *a, const struct scope *b);
/* Says whether the scope keeps every promise above. It is for records that another role has
 * sent. */
bool scope_is_valid(const struct scope *scope);

#endif
