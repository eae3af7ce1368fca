#ifndef VG_LOCALHOST_H
#define VG_LOCALHOST_H

#include <stdbool.h>

/* "localhost" and names that end in ".localhost" mean this host (RFC 6761, 6.3): ::1 and 127.0.0.1,
 * whatever /etc/hosts, nsswitch.conf and the name servers say, and also where there are none of
 * these. libesmtp looks up the mail server's name by getaddrinfo(). So localhost.c defines a
 * getaddrinfo() that answers these names by itself and leaves the others to libc; it takes effect
 * in the whole program. localhost_is: true for such a name, in any case and with or without a dot
 * at its end. */
bool localhost_is(const char *name);

#endif
