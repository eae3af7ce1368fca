#ifndef VG_SMTP_H
#define VG_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* One delivery by libesmtp, in a process of its own. */
struct smtp_server {
	const char *host; /* a name or an IPv4 address; of IPv6 addresses only ::1 */
	uint16_t port;
	bool tls_required; /* STARTTLS with a certificate that names host, or no mail */
	const char *user;  /* NULL: no AUTH */
	const char *password;
	const char *ca_file; /* NULL: the system's; a test's own otherwise */
};

struct smtp_mail {
	const char *sender;  /* envelope and From: an address; NULL: voipguard@<host name> */
	const char *dest;    /* one or more addresses, commas between */
	const char *subject; /* rendered text, one line */
	const char *body;    /* rendered text, UTF-8, \n line ends */
	int64_t date_s;      /* for Date: */
	uint64_t id;         /* for Message-ID: */
};

/* Loads now what a delivery would otherwise load later, when it is confined: the AUTH mechanisms
 * and OpenSSL's configuration. */
void smtp_preload(void);

/* Delivers and waits (connect and lookups may block: the caller is a process that its parent
 * kills after 60 s). Once a process: libesmtp 1.1.0 crashes in a second STARTTLS session. Sets
 * SIGPIPE to ignored and unsets HOME (libesmtp looks for client certificates there).
 * 0: the message status and every recipient's are 2xx; a mail the server took although it refused
 * AUTH counts as delivered. -1 with what the server answered, rendered, and *ret_permanent true
 * for 5xx and bad addresses: a second try would end the same. A mail that some recipients refuse
 * still goes to the others. */
int smtp_deliver(const struct smtp_server *server, const struct smtp_mail *mail,
	bool *ret_permanent, struct error *err);

#endif
