#ifndef VG_SMTP_H
#define VG_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Sends one mail by libesmtp, in a process of its own. Texts are borrowed. */
struct smtp_server {
	const char *host; /* a name, an IPv4 address, or ::1: no other IPv6 address */
	uint16_t port;
	bool tls_required; /* no mail without STARTTLS and a certificate for host */
	const char *user;  /* NULL: no authentication */
	const char *password;
	const char *ca_file; /* trusted certificates; NULL: the system's. Tests have their own */
};

struct smtp_mail {
	const char *sender;  /* address for envelope and From:; NULL: voipguard@HOSTNAME */
	const char *dest;    /* one or more addresses, separated by commas */
	const char *subject; /* rendered text, one line */
	const char *body;    /* rendered text, UTF-8, \n line ends */
	int64_t date_s;      /* for Date:, in seconds since 1970 */
	uint64_t id;         /* for Message-ID: */
};

/* Loads the AUTH mechanisms and OpenSSL's configuration. To be called before the process is
 * confined, because smtp_deliver() could not load them then. */
void smtp_preload(void);

/* Delivers a mail. It blocks while it looks up the name, connects and talks, so the caller is a
 * process of its own that its parent kills after 60 s. To be called once in a process:
 * libesmtp 1.1.0 crashes in a second STARTTLS session. SIGPIPE is ignored afterwards, and HOME is
 * unset, since libesmtp would look for client certificates there. 0: the server answered 2xx for
 * the message and for each recipient; this also counts if it refused AUTH before. -1 with a
 * sentence that has the server's answer, rendered: something was refused or failed. *ret_permanent
 * is then true if a second try would end the same (5xx, bad addresses). If only some recipients
 * were refused, the others get the mail. */
int smtp_deliver(const struct smtp_server *server, const struct smtp_mail *mail,
	bool *ret_permanent, struct error *err);

#endif
