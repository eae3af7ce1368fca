#ifndef VG_MAIL_ADDRESS_H
#define VG_MAIL_ADDRESS_H

#include <stddef.h>

struct error;

/* Reads mail addresses as people write them. */
enum {
	MAILBOX_LIST_MAX = 32,     /* RFC 5321 lets a server stop at 100; a list longer than this is
				    * an error */
	MAILBOX_ADDRESS_MAX = 254, /* RFC 5321 4.5.3.1.3 without the angle brackets */
	MAILBOX_NAME_MAX = 100,    /* a longer display name is an error */
};

struct mailbox {
	char name[MAILBOX_NAME_MAX + 1]; /* UTF-8, "" if none; no quotes, backslashes or controls */
	char address[MAILBOX_ADDRESS_MAX + 1];
};

struct mailboxes {
	size_t count;
	struct mailbox list[MAILBOX_LIST_MAX];
};

/* Reads a list of "a@b", "Name <a@b>" or "\"Last, First\" <a@b>" with commas between. An address is
 * ASCII: words with dots between them, @, then a domain or an address in square brackets (RFC 5321
 * without quoted local parts). A bare "root" becomes root@host, as a local sendmail would have it.
 * Returns 0, or -1: err names the entry that is wrong, and *ret_wrong is its offset in text
 * (ret_wrong may be NULL). */
int mailbox_parse(const char *text, const char *host, struct mailboxes *ret_mailboxes,
	size_t *ret_wrong, struct error *err);

#endif
