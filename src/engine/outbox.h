#ifndef VG_OUTBOX_H
#define VG_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

struct config_mail;
struct letter;
struct outbox;
struct message_mail_packet;
struct store;
struct store_alert;

/* Mails from alert to delivery. Each alert is a row in the database first. When that is committed
 * it goes to the notifier, as mail_rate.h allows, and the row is deleted when the mail server has
 * accepted the mail or has refused it for good. A mail that failed is tried again after 1, 2, 4 …
 * minutes, at most 60. Times are wall seconds. */
enum { OUTBOX_MAILS_MAX = 64 }; /* with the notifier, or to be tried again; others wait */

/* mail (the server and how to log in) and store are borrowed and outlive the outbox. */
struct outbox *outbox_new(const struct config_mail *mail, struct store *store);
void outbox_free(struct outbox *outbox);

/* Takes over an alert of an earlier run, whose row is in the database. */
void outbox_load(struct outbox *outbox, const struct store_alert *alert, int64_t now_s);
/* Makes the row of a new alert, and copies all texts. It leaves with the first outbox_pump after a
 * commit. sender may be NULL: the notifier's default. */
void outbox_add(struct outbox *outbox, int64_t now_s, const char *dest, const char *sender,
	const struct letter *letter);

/* Takes fd, the pair with a notifier that has just started; -1: there is none now. Sends it the
 * settings of the mail server. Mails that an earlier notifier had and had not answered are sent
 * again. */
void outbox_join(struct outbox *outbox, int fd);
/* The descriptor to poll and to ask for names on, -1: no notifier. It stays the outbox's. */
int outbox_fd(const struct outbox *outbox);
/* Hands the notifier the mails that may leave now. While a row of the database waits to be
 * committed none leaves, since it may be the row of that mail: it is to be called after each
 * commit, and every second or so for those that waited for a time. */
void outbox_pump(struct outbox *outbox, int64_t now_s);
/* Reads the answers of the notifier. other is called with each packet that is not about a mail.
 * False: the notifier is gone, or has sent nonsense. */
bool outbox_receive(struct outbox *outbox, int64_t now_s,
	void (*other)(void *context, const struct message_mail_packet *packet), void *context);

/* Whether the mail server accepted the last mail that was tried; true before the first. *ret_text,
 * what it said, is rendered and valid until the next call of outbox_receive. */
bool outbox_is_well(const struct outbox *outbox, const char **ret_text);

#endif
