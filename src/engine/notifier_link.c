#include "base/clock.h"
#include "base/text.h"
#include "engine/parts.h"

#include <string.h>
#include <syslog.h>

#include "base/log.h"
#include "decide/guard.h"
#include "engine/outbox.h"
#include "engine/start_config.h"
#include "process/launch.h"
#include "process/messages.h"
#include "protect/protect.h"

static bool ask_notifier(void *context, const struct message_name *question)
{
	const struct engine *engine = context;
	/* before start_state() there is neither an outbox nor a pair with the notifier */
	int fd = engine->state.outbox ? outbox_fd(engine->state.outbox) : -1;

	return fd >= 0 && message_name_send(fd, question, NULL) == 1;
}

bool notifier_link_resolve(void *context, const char *name)
{
	struct message_name question = { .kind = MESSAGE_NAME_COUNT };

	text_format(question.name, sizeof(question.name), "%s", name);
	return ask_notifier(context, &question);
}

/* For protect_events: one more protected address for the firewall role, which has the last word on
 * every ban. A dry run has nobody to tell. */
static bool tell_firewall(void *context, const struct ip *ip, const char *because, int64_t ttl_s)
{
	const struct engine *engine = context;
	struct message record = { .type = MESSAGE_PROTECT, .ip = *ip, .ttl_s = ttl_s };

	text_format(record.text, sizeof(record.text), "%s", because);
	return engine->dry_run || message_send(LAUNCH_PARENT_FD, &record, -1, NULL) == 1;
}

void notifier_link_protect_new(struct engine *engine)
{
	struct protect_events events = { .ask = ask_notifier,
		.tell = tell_firewall,
		.context = engine };

	engine->protect =
		protect_new(engine->start.config, engine->guard, engine->start.protected, &events);
	protect_trunks(engine->protect, engine->start.pbx);
	engine->start.pbx = NULL;
}

/* For outbox_receive: a packet that is no news of a mail, so it is the answer about a host name. */
static void on_packet(void *context, const struct message_mail_packet *packet)
{
	struct engine *engine = context;
	struct message_name answer;

	if (packet->head.type != MESSAGE_MAIL_NAME)
		return;
	if (message_name_read(packet, &answer) < 0)
		log_line(LOG_ERR, "the notifier's answer about a name is not whole");
	else if (answer.kind == MESSAGE_NAME_PROTECT)
		protect_answer(engine->protect, &answer, clock_wall_s());
	else
		guard_resolved(engine->guard, answer.name, answer.outcome != MESSAGE_NAME_NO_ANSWER,
			answer.addresses, answer.count, clock_wall_s());
}

/* The notifier has said something, or has ended: then the outbox keeps all mails until another one
 * joins. */
static int on_peer(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct engine *engine = context;

	(void)source, (void)fd, (void)revents;
	if (!outbox_receive(engine->state.outbox, clock_wall_s(), on_packet, engine)) {
		engine->peer_io = sd_event_source_disable_unref(engine->peer_io);
		outbox_join(engine->state.outbox, -1);
	}
	return 0;
}

void notifier_link_join(struct engine *engine, int fd)
{
	engine->peer_io = sd_event_source_disable_unref(engine->peer_io);
	outbox_join(engine->state.outbox, fd);
	if (fd >= 0 &&
		sd_event_add_io(engine->event, &engine->peer_io, fd, EPOLLIN, on_peer, engine) < 0)
		log_line(LOG_ERR, "cannot watch the notifier");
	health_set(engine, CONTROL_NOTIFIER, true, "");
	outbox_pump(engine->state.outbox, clock_wall_s());
	if (fd >= 0)
		protect_joined(engine->protect, clock_wall_s());
}
