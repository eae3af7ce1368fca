#ifndef VG_MAIL_RATE_H
#define VG_MAIL_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mail_rate;
struct store_alert;

/* How many mails leave: for one destination at most MAIL_RATE_PER_HOUR within any
 * MAIL_RATE_WINDOW_S. What is beyond waits, and goes as one digest (itself one of the six) when the
 * hour that began with the oldest of the six ends. Nothing is read from a clock. The window is in
 * memory: after a restart six mails may leave again. */
enum {
	MAIL_RATE_PER_HOUR = 6,
	MAIL_RATE_WINDOW_S = 3600,
	MAIL_RATE_DESTS_MAX = 64,  /* with mails waiting or sent within the hour; beyond: refused */
	MAIL_RATE_HELD_MAX = 1000, /* waiting, of all destinations; beyond: refused and counted in
				    * the next digest, unless its destination's hour has room */
	MAIL_RATE_DIGEST_LINES = 200, /* subjects listed in one digest; then "and N more" */
	MAIL_RATE_SUBJECT_MAX = 300,  /* bytes kept, the rest cut */
	MAIL_RATE_BODY_MAX = 8192,    /* likewise; a digest may be longer */
};

/* One mail to hand on: an alert as it came, or a digest. When it is sent, every id of ids is sent;
 * if it has to be tried again, that is up to the caller and costs no second place in the hour. */
struct mail_rate_mail {
	int64_t *ids; /* owned, at least one, in the order of mail_rate_add */
	size_t count;
	char *dest;    /* owned */
	char *sender;  /* owned; "": the notifier's own */
	char *subject; /* owned */
	char *body;    /* owned */
	int64_t at_s;  /* of the newest alert in it */
};

struct mail_rate *mail_rate_new(void);
void mail_rate_free(struct mail_rate *rate);

/* Copies the alert. false: a table is full; nothing is kept of it, so the caller marks the id as
 * done, or it comes again after a restart. now_s as in mail_rate_next. */
bool mail_rate_add(struct mail_rate *rate, const struct store_alert *alert, int64_t now_s);

/* Takes the next mail that may leave now, destinations by turns, and counts it as sent at
 * now_s. false: none; *ret_mail untouched. The caller ends it with mail_rate_mail_done. */
bool mail_rate_next(struct mail_rate *rate, int64_t now_s, struct mail_rate_mail *ret_mail);
void mail_rate_mail_done(struct mail_rate_mail *mail);

/* When mail_rate_next gives the next mail: now_s if at once, INT64_MAX if nothing waits. */
int64_t mail_rate_due_s(const struct mail_rate *rate, int64_t now_s);

/* Waiting now, and refused since mail_rate_new. */
size_t mail_rate_held(const struct mail_rate *rate);
uint64_t mail_rate_refused(const struct mail_rate *rate);

#endif
