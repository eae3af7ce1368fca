#ifndef VG_MIME_H
#define VG_MIME_H

#include <stddef.h>

struct error;
struct mail_message;

/* The text of a mail: addresses read, headers and body written so that any relay takes them
 * unchanged. 7-bit lines of less than 78 bytes, CR LF. */
enum {
	MIME_MAILBOXES_MAX = 32, /* RFC 5321 lets a server stop at 100; a list longer than this is
				  * an error */
	MIME_ADDRESS_MAX = 254,  /* RFC 5321 4.5.3.1.3 without the angle brackets */
	MIME_NAME_MAX = 100,     /* a longer display name is an error */
	MIME_SUBJECT_MAX = 400,  /* beyond, cut with "..." */
	MIME_BODY_MAX = 131072,  /* beyond, cut with "[cut]" */
};

struct mime_mailbox {
	char name[MIME_NAME_MAX + 1]; /* UTF-8, "" if none; no quotes, backslashes or controls */
	char address[MIME_ADDRESS_MAX + 1];
};

struct mime_mailboxes {
	size_t count;
	struct mime_mailbox list[MIME_MAILBOXES_MAX];
};

/* Reads "a@b", "Name <a@b>" or "\"Last, First\" <a@b>", commas between. An address is ASCII: dotted
 * atoms, then a domain or an address in brackets (RFC 5321 without quoted local parts). A bare
 * "root" becomes root@host, as a local sendmail would have it. -1 names the part that is wrong. */
int mime_parse_mailboxes(const char *text, const char *host, struct mime_mailboxes *ret_mailboxes,
	struct error *err);

/* The whole message, headers and quoted-printable body. Control bytes in the subject and the body
 * are rendered, never sent. The Message-ID depends on id, date_s and host only, so a second try
 * has the same. Caller frees. */
char *mime_compose(const struct mail_message *message, const struct mime_mailbox *from,
	const struct mime_mailboxes *to, const char *host);

#endif
