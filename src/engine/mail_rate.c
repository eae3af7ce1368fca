#include "engine/mail_rate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/text.h"
#include "state/store.h"

/* An alert that waits, as the mail that it becomes unless a digest takes it in. */
struct held {
	struct held *next;
	struct mail_rate_mail mail; /* owned */
};

/* sent_s[0..sent) are the times of the mails that left, ascending. first is NULL if and only if
 * held is 0. */
struct dest {
	char *name; /* owned; NULL: a free slot */
	int64_t sent_s[MAIL_RATE_PER_HOUR];
	size_t sent;
	struct held *first; /* owned, oldest first */
	struct held *last;
	size_t held;
	bool digest;      /* an alert came when six had left: all that waits leaves as one mail */
	uint64_t refused; /* alerts refused since the last digest, which counts them */
};

/* held is the sum of dests[].held. */
struct mail_rate {
	struct dest dests[MAIL_RATE_DESTS_MAX];
	size_t held;
	size_t turn; /* where mail_rate_next looks first, so that no destination starves another */
};

void mail_rate_mail_done(struct mail_rate_mail *mail)
{
	free(mail->ids);
	free(mail->dest);
	free(mail->sender);
	free(mail->subject);
	free(mail->body);
	*mail = (struct mail_rate_mail){ .count = 0 };
}

/* The index of the first entry of sent_s that is less than an hour old. An entry later than now_s
 * (somebody has set the clock back) counts, and dest_forget_old makes it one of now. */
static size_t first_counting(const struct dest *dest, int64_t now_s)
{
	size_t i = 0;

	while (i < dest->sent && dest->sent_s[i] <= now_s - MAIL_RATE_WINDOW_S)
		i++;
	return i;
}

static void dest_forget_old(struct dest *dest, int64_t now_s)
{
	size_t first = first_counting(dest, now_s);

	dest->sent -= first;
	memmove(dest->sent_s, dest->sent_s + first, dest->sent * sizeof(dest->sent_s[0]));
	for (size_t i = 0; i < dest->sent; i++)
		if (dest->sent_s[i] > now_s)
			dest->sent_s[i] = now_s;
}

static void dest_clear(struct dest *dest)
{
	for (struct held *held = dest->first; held;) {
		struct held *next = held->next;

		mail_rate_mail_done(&held->mail);
		free(held);
		held = next;
	}
	free(dest->name);
	*dest = (struct dest){ .name = NULL };
}

/* The slot of the destination. If it has none, it gets one that is free or whose mails are all sent
 * and over an hour old; NULL: there is none of those either. */
static struct dest *dest_find(struct mail_rate *rate, const char *name, int64_t now_s)
{
	struct dest *usable = NULL;

	for (size_t i = 0; i < MAIL_RATE_DESTS_MAX; i++) {
		struct dest *dest = &rate->dests[i];

		if (dest->name && strcmp(dest->name, name) == 0)
			return dest;
		if (!dest->held && first_counting(dest, now_s) == dest->sent)
			usable = dest;
	}
	if (!usable)
		return NULL;
	dest_clear(usable);
	usable->name = alloc_string(name);
	return usable;
}

struct mail_rate *mail_rate_new(void)
{
	return alloc_zero(sizeof(struct mail_rate));
}

void mail_rate_free(struct mail_rate *rate)
{
	if (!rate)
		return;
	for (size_t i = 0; i < MAIL_RATE_DESTS_MAX; i++)
		dest_clear(&rate->dests[i]);
	free(rate);
}

bool mail_rate_add(struct mail_rate *rate, const struct store_alert *alert, int64_t now_s)
{
	struct dest *dest = dest_find(rate, alert->dest, now_s);
	struct held *held;
	size_t used;

	if (dest)
		dest_forget_old(dest, now_s);
	used = dest ? dest->sent + dest->held : 0;
	/* the alerts of a busy destination may fill the table, but must not keep out one to another
	 * address that could leave at once */
	if (!dest || (rate->held >= MAIL_RATE_HELD_MAX && used >= MAIL_RATE_PER_HOUR)) {
		if (dest)
			dest->refused++;
		return false;
	}
	held = alloc_zero(sizeof(*held));
	held->mail = (struct mail_rate_mail){
		.ids = alloc_array(1, sizeof(held->mail.ids[0])),
		.count = 1,
		.dest = alloc_string(dest->name),
		.sender = alloc_string(alert->sender),
		.subject = alloc_bytes(alert->subject,
			text_cut_length(alert->subject, MAIL_RATE_SUBJECT_MAX)),
		.body = alloc_bytes(alert->body, text_cut_length(alert->body, MAIL_RATE_BODY_MAX)),
		.at_s = alert->at_s,
	};
	held->mail.ids[0] = alert->id;
	if (dest->last)
		dest->last->next = held;
	else
		dest->first = held;
	dest->last = held;
	dest->held++;
	rate->held++;
	dest->digest = dest->digest || dest->sent == MAIL_RATE_PER_HOUR;
	return true;
}

/* The oldest alert of dest, as a mail of its own. */
static struct mail_rate_mail dest_pop(struct mail_rate *rate, struct dest *dest)
{
	struct held *held = dest->first;
	struct mail_rate_mail mail = held->mail;

	dest->first = held->next;
	if (!dest->first)
		dest->last = NULL;
	dest->held--;
	rate->held--;
	free(held);
	return mail;
}

/* Returns body with the line "TIME SUBJECT" added; body itself is freed. */
static char *append_line(char *body, const struct mail_rate_mail *alert)
{
	char stamp[40];
	time_t at = (time_t)alert->at_s;
	struct tm tm;
	char *longer;

	if (!gmtime_r(&at, &tm) || !strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S UTC", &tm))
		stamp[0] = '\0'; /* the year does not fit into an int */
	longer = alloc_format("%s%s  %s\n", body, stamp, alert->subject);
	free(body);
	return longer;
}

/* Makes one mail of all that waits for dest: the time and subject of each alert, without the
 * bodies. */
static struct mail_rate_mail take_digest(struct mail_rate *rate, struct dest *dest)
{
	size_t count = dest->held;
	size_t listed = count < MAIL_RATE_DIGEST_LINES ? count : MAIL_RATE_DIGEST_LINES;
	uint64_t total = count + dest->refused;
	struct mail_rate_mail digest = {
		.ids = alloc_array(count, sizeof(digest.ids[0])),
		.count = count,
		.dest = alloc_string(dest->name),
		.sender = alloc_string(dest->first->mail.sender),
		.subject = alloc_format("voipguard: %" PRIu64 " more alerts", total),
		.body = alloc_format("These %" PRIu64 " alerts came after the %d mails that one "
				     "hour may bring:\n\n",
			total, MAIL_RATE_PER_HOUR),
		.at_s = dest->first->mail.at_s,
	};

	for (size_t i = 0; i < count; i++) {
		struct mail_rate_mail alert = dest_pop(rate, dest);

		digest.ids[i] = alert.ids[0];
		if (alert.at_s > digest.at_s)
			digest.at_s = alert.at_s;
		if (i < listed)
			digest.body = append_line(digest.body, &alert);
		mail_rate_mail_done(&alert);
	}
	if (total > listed) {
		char *body = digest.body;

		digest.body = alloc_format("%sand %" PRIu64 " more\n", body, total - listed);
		free(body);
	}
	dest->refused = 0;
	return digest;
}

bool mail_rate_next(struct mail_rate *rate, int64_t now_s, struct mail_rate_mail *ret_mail)
{
	for (size_t i = 0; i < MAIL_RATE_DESTS_MAX; i++) {
		size_t slot = (rate->turn + i) % MAIL_RATE_DESTS_MAX;
		struct dest *dest = &rate->dests[slot];

		dest_forget_old(dest, now_s);
		if (!dest->held || dest->sent == MAIL_RATE_PER_HOUR)
			continue;
		*ret_mail = dest->digest && dest->held + dest->refused > 1 ? take_digest(rate, dest)
									   : dest_pop(rate, dest);
		dest->sent_s[dest->sent++] = now_s;
		dest->digest = dest->held && dest->sent == MAIL_RATE_PER_HOUR;
		rate->turn = (slot + 1) % MAIL_RATE_DESTS_MAX;
		return true;
	}
	return false;
}
