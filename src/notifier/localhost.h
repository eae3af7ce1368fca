#ifndef VG_LOCALHOST_H
#define VG_LOCALHOST_H

#include <stdbool.h>

/* "localhost" and the names that end in ".localhost" are this host itself (RFC 6761 6.3): ::1 and
 * 127.0.0.1, whatever /etc/hosts, nsswitch.conf and the name servers say, and where there are
 * none. libesmtp takes a name only, which it looks up by getaddrinfo(); so this file brings a
 * getaddrinfo() of its own, which answers these names and leaves the others to libc. */
bool localhost_is(const char *name);

#endif
