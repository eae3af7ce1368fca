#ifndef VG_HOST_PORT_H
#define VG_HOST_PORT_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest text that is looked at: a host name, a port and a mask. */
enum { HOST_PORT_BYTES_MAX = 320 };

/* HOST, HOST:PORT, and with an address also ADDRESS/LEN, ADDRESS/MASK and ADDRESS:PORT/LEN, as
 * match=, permit= and bind= take them. An IPv6 address with a port has brackets. */
struct host_port {
	struct ip ip;   /* family 0: it is a name */
	char name[256]; /* a host name in lower case, without a final dot; "": it is an address */
	uint16_t port;  /* 0: none */
};

/* -1: the text is nothing of that kind. */
int host_port_parse(const char *text, size_t length, struct host_port *ret);
/* The host and port of a SIP URI: "sip:user@host:5061;transport=tls", "<sip:host>", sips: too.
 * Returns its start in text and *ret_length; NULL: this is no such URI. */
const char *host_port_of_uri(const char *text, size_t *ret_length);

#endif
