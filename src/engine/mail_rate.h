#ifndef VG_MAIL_RATE_H
#define VG_MAIL_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mail_rate;
struct store_alert;

/* Limits how many mails leave: MAIL_RATE_PER_HOUR to one destination within any MAIL_RATE_WINDOW_S.
 * Alerts beyond that wait, and leave together as one digest, itself one of the six. Example: six
 * mails left at 10:00, 10:05 ... 10:25; three alerts of 10:30 leave as one digest at 11:00, an hour
 * after the first of the six. The time is an argument. The sent mails are remembered in memory
 * only: after a restart six may leave again. */
enum {
	MAIL_RATE_PER_HOUR = 6,
	MAIL_RATE_WINDOW_S = 3600,
	/* destinations with a mail that waits or left within the hour; one more is refused */
	MAIL_RATE_DESTS_MAX = 64,
	/* alerts that wait, all destinations together; one more is refused and counted in its next
	 * digest, unless fewer than six of its destination have left or wait */
	MAIL_RATE_HELD_MAX = 1000,
	MAIL_RATE_DIGEST_LINES = 200, /* subjects listed in one digest; then "and N more" */
	MAIL_RATE_SUBJECT_MAX = 300,  /* bytes; the rest is cut, between two characters */
	MAIL_RATE_BODY_MAX = 8192,    /* likewise; a digest may be longer */
};

/* One mail to send: an alert as it came, or a digest. When it is sent, the alerts of all its ids
 * are. If sending fails, the caller tries the same mail again, without asking for a second place in
 * the hour. */
struct mail_rate_mail {
	int64_t *ids; /* owned, at least one, in the order of mail_rate_add */
	size_t count;
	char *dest;    /* owned */
	char *sender;  /* owned; "": the notifier takes its own default */
	char *subject; /* owned */
	char *body;    /* owned */
	int64_t at_s;  /* wall seconds; of the newest alert in it */
};

struct mail_rate *mail_rate_new(void);
void mail_rate_free(struct mail_rate *rate);

/* Adds a copy of the alert. now_s: wall seconds. False: a table is full and nothing is kept; the
 * caller has to mark the id as sent, or the alert comes again after a restart. */
bool mail_rate_add(struct mail_rate *rate, const struct store_alert *alert, int64_t now_s);

/* Gives the next mail that may leave at now_s, the destinations in turn, and counts it as sent
 * then. False: there is none, *ret_mail is untouched. The caller frees it by mail_rate_mail_done.
 */
bool mail_rate_next(struct mail_rate *rate, int64_t now_s, struct mail_rate_mail *ret_mail);
void mail_rate_mail_done(struct mail_rate_mail *mail);

#endif
