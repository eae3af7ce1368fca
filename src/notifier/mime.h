#ifndef VG_MIME_H
#define VG_MIME_H

#include <stddef.h>

struct smtp_mail;
struct mailbox;
struct mailboxes;

/* The text of a mail: headers and body written so that any relay takes them
 * unchanged. 7-bit lines of less than 78 bytes, CR LF. */
enum {
	MIME_SUBJECT_MAX = 400, /* beyond, cut with "..." */
	MIME_BODY_MAX = 131072, /* beyond, cut with "[cut]" */
};

/* The whole message, headers and quoted-printable body. Control bytes in the subject and the body
 * are rendered, never sent. The Message-ID depends on id, date_s and host only, so a second try
 * has the same. Caller frees. */
char *mime_compose(const struct smtp_mail *mail, const struct mailbox *from,
	const struct mailboxes *to, const char *host);

#endif
