#ifndef VG_MIME_H
#define VG_MIME_H

#include <stddef.h>

struct smtp_mail;
struct mailbox;
struct mailboxes;

/* Writes a mail so that any relay passes it on unchanged: 7-bit characters, lines of less than 78
 * bytes, each ended by CR LF. */
enum {
	MIME_SUBJECT_MAX = 400, /* bytes; a longer subject is cut and ends in "..." */
	MIME_BODY_MAX = 131072, /* bytes; a longer body is cut and ends in a line "[cut]" */
};

/* The whole message, headers and quoted-printable body; the caller frees it. Control characters in
 * subject and body are not sent, but shown as text such as "\x1b". The Message-ID is made of
 * mail->id, mail->date_s and host alone, so that it is the same when a mail is tried again. */
char *mime_compose(const struct smtp_mail *mail, const struct mailbox *from,
	const struct mailboxes *to, const char *host);

#endif
