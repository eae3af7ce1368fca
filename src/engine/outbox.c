#include "engine/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "decide/letter.h"
#include "engine/mail_rate.h"
#include "process/messages.h"
#include "state/store.h"

enum { DELAY_FIRST_S = 60, DELAY_MAX_S = 3600, TEXT_MAX = 400 };

/* One mail that the notifier has (under_way), or that it will get at next_try_s. id 0: a free
 * place. */
struct mail {
	int64_t id;
	struct mail_rate_mail content;
	bool under_way;
	int64_t next_try_s;
	int64_t delay_s;
};

struct outbox {
	const struct config_mail *settings; /* borrowed */
	struct store *store;                /* borrowed */
	struct mail_rate *rate;             /* owned */
	struct mail mails[OUTBOX_MAILS_MAX];
	int64_t last_id;
	int fd; /* owned; -1: no notifier */
	bool well;
	char text[TEXT_MAX];
};

struct outbox *outbox_new(const struct config_mail *mail, struct store *store)
{
	struct outbox *outbox = alloc_zero(sizeof(*outbox));

	outbox->settings = mail;
	outbox->store = store;
	outbox->rate = mail_rate_new();
	outbox->fd = -1;
	outbox->well = true;
	return outbox;
}

void outbox_free(struct outbox *outbox)
{
	if (!outbox)
		return;
	for (size_t i = 0; i < OUTBOX_MAILS_MAX; i++)
		if (outbox->mails[i].id)
			mail_rate_mail_done(&outbox->mails[i].content);
	if (outbox->fd >= 0)
		(void)close(outbox->fd);
	mail_rate_free(outbox->rate);
	free(outbox);
}

void outbox_load(struct outbox *outbox, const struct store_alert *alert, int64_t now_s)
{
	if (!mail_rate_add(outbox->rate, alert, now_s))
		store_alert_sent(outbox->store, alert->id); /* the next digest counts it */
}

void outbox_add(struct outbox *outbox, int64_t now_s, const char *dest, const char *sender,
	const struct letter *letter)
{
	struct store_alert alert = { .at_s = now_s,
		.dest = dest,
		.sender = sender ? sender : "",
		.subject = letter->subject,
		.body = letter->body };

	alert.id = store_alert(outbox->store, &alert);
	outbox_load(outbox, &alert, now_s);
}

void outbox_join(struct outbox *outbox, int fd)
{
	const struct config_mail *settings = outbox->settings;
	struct message_mail head = { .type = MESSAGE_MAIL_SETTINGS,
		.port = settings->port,
		.tls = settings->tls_required };
	const char *texts[] = { settings->server, settings->user ? settings->user : "",
		settings->password ? settings->password : "" };
	struct error err = { "the pair is full" };

	if (outbox->fd >= 0)
		(void)close(outbox->fd);
	outbox->fd = fd;
	for (size_t i = 0; i < OUTBOX_MAILS_MAX; i++)
		outbox->mails[i].under_way = false;
	if (fd >= 0 && message_mail_send(fd, &head, texts, 3, &err) != 1)
		log_line(LOG_ERR, "the notifier does not take its settings: %s", err.text);
}

int outbox_fd(const struct outbox *outbox)
{
	return outbox->fd;
}

/* False: the pair is full or broken; the mail is sent later, or to the next notifier. */
static bool hand_over(struct outbox *outbox, struct mail *mail)
{
	struct message_mail head = { .type = MESSAGE_MAIL_ALERT,
		.id = mail->id,
		.date_s = mail->content.at_s };
	const char *texts[] = { mail->content.sender, mail->content.dest, mail->content.subject,
		mail->content.body };

	mail->under_way = message_mail_send(outbox->fd, &head, texts, 4, NULL) == 1;
	return mail->under_way;
}

static struct mail *free_place(struct outbox *outbox)
{
	for (size_t i = 0; i < OUTBOX_MAILS_MAX; i++)
		if (!outbox->mails[i].id)
			return &outbox->mails[i];
	return NULL;
}

void outbox_pump(struct outbox *outbox, int64_t now_s)
{
	struct mail *place;

	if (store_is_dirty(outbox->store))
		return;
	while ((place = free_place(outbox)) &&
		mail_rate_next(outbox->rate, now_s, &place->content)) {
		place->id = ++outbox->last_id;
		place->under_way = false;
		place->next_try_s = now_s;
		place->delay_s = DELAY_FIRST_S;
	}
	for (size_t i = 0; i < OUTBOX_MAILS_MAX && outbox->fd >= 0; i++) {
		struct mail *mail = &outbox->mails[i];

		if (mail->id && !mail->under_way && mail->next_try_s <= now_s &&
			!hand_over(outbox, mail))
			return;
	}
}

/* Accepted or refused for good: the rows of all its alerts go, and its place is free. */
static void mail_is_over(struct outbox *outbox, struct mail *mail)
{
	for (size_t i = 0; i < mail->content.count; i++)
		store_alert_sent(outbox->store, mail->content.ids[i]);
	mail_rate_mail_done(&mail->content);
	*mail = (struct mail){ 0 };
}

/* The notifier says what became of a mail. An id that it does not have changes nothing. */
static void mail_done(struct outbox *outbox, const struct message_mail_packet *packet,
	int64_t now_s)
{
	struct mail *mail = NULL;

	for (size_t i = 0; i < OUTBOX_MAILS_MAX && packet->head.id > 0; i++)
		if (outbox->mails[i].id == packet->head.id)
			mail = &outbox->mails[i];
	if (!mail || !mail->under_way)
		return;
	outbox->well = packet->head.outcome == MESSAGE_MAIL_SENT;
	text_render_string(outbox->text, sizeof(outbox->text), packet->texts[0]);
	mail->under_way = false;
	if (packet->head.outcome == MESSAGE_MAIL_FAILED) {
		log_line(LOG_WARNING, "mail to %s failed, tried again in %d s: %s",
			mail->content.dest, (int)mail->delay_s, outbox->text);
		mail->next_try_s = now_s + mail->delay_s;
		mail->delay_s = mail->delay_s * 2 > DELAY_MAX_S ? DELAY_MAX_S : mail->delay_s * 2;
		return;
	}
	if (packet->head.outcome == MESSAGE_MAIL_REFUSED)
		log_line(LOG_ERR, "mail to %s is refused for good: %s", mail->content.dest,
			outbox->text);
	mail_is_over(outbox, mail);
}

bool outbox_receive(struct outbox *outbox, int64_t now_s,
	void (*other)(void *context, const struct message_mail_packet *packet), void *context)
{
	struct message_mail_packet packet;
	struct error err;
	int rc;

	while ((rc = message_mail_receive(outbox->fd, &packet, &err)) > 0)
		if (packet.head.type == MESSAGE_MAIL_DONE)
			mail_done(outbox, &packet, now_s);
		else
			other(context, &packet);
	return rc == 0;
}

bool outbox_is_well(const struct outbox *outbox, const char **ret_text)
{
	*ret_text = outbox->text;
	return outbox->well;
}
