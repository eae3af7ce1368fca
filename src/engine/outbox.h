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

/* Mails on their way: a row in the database first, then within the hourly rate to the notifier,
 * and the row goes when the mail server has taken the mail or has refused it for good. One that
 * failed is tried again after 1, 2, 4 … at most 60 minutes. */
enum { OUTBOX_MAILS_MAX = 64 }; /* handed out and not done; more wait in the rate's table */

/* mail and store are borrowed. */
struct outbox *outbox_new(const struct config_mail *mail, struct store *store);
void outbox_free(struct outbox *outbox);

/* A row of an earlier run. */
void outbox_load(struct outbox *outbox, const struct store_alert *alert, int64_t now_s);
/* Makes the row; it leaves with the first outbox_pump after a commit. */
void outbox_add(struct outbox *outbox, int64_t now_s, const char *dest, const char *sender,
	const struct letter *letter);

/* Takes the descriptor to a notifier that has just started (-1: it is gone). Sends the server's
 * settings; what was under way is sent anew. */
void outbox_join(struct outbox *outbox, int fd);
int outbox_fd(const struct outbox *outbox);
/* After a commit: hands on what may leave now. */
void outbox_pump(struct outbox *outbox, int64_t now_s);
/* Reads the notifier's answers; other: what else it says. False: it is gone. */
bool outbox_receive(struct outbox *outbox, int64_t now_s,
	void (*other)(void *context, const struct message_mail_packet *packet), void *context);

/* When outbox_pump has something to do again; INT64_MAX: not by itself. */
int64_t outbox_next_s(const struct outbox *outbox, int64_t now_s);
/* Whether the last mail got through; text (rendered) is valid until the next call. */
bool outbox_is_well(const struct outbox *outbox, const char **ret_text);

#endif
