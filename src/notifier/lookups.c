#include "notifier/lookups.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <systemd/sd-event.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "notifier/localhost.h"
#include "notifier/resolve.h"
#include "process/messages.h"

/* Places kept free for names that the operator protects. Outsiders can bring any number of names
 * into the logs, and the protected names must not wait for those. The engine asks for so many
 * protected names at a time. */
enum { PROTECT_RESERVED = 16 };

/* A question that is being looked up; an empty name: a free place. */
struct asked {
	struct message_name record;
	bool dropped; /* the engine that asked is gone */
};

struct lookups {
	struct resolve *resolve; /* owned */
	sd_event_source *io;
	sd_event_source *timer;
	int peer_fd; /* borrowed; -1: no engine */
	struct asked asked[RESOLVE_QUESTIONS_MAX];
};

static void answer(const struct lookups *lookups, const struct message_name *record)
{
	/* if the socket is full, the answer is lost, and the engine asks again */
	if (lookups->peer_fd >= 0)
		(void)message_name_send(lookups->peer_fd, record, NULL);
}

static void on_answer(void *context, const struct resolve_answer *found)
{
	static const enum message_name_outcome outcomes[] = {
		[RESOLVE_FOUND] = MESSAGE_NAME_FOUND,
		[RESOLVE_NO_NAME] = MESSAGE_NAME_NONE,
		[RESOLVE_NO_ANSWER] = MESSAGE_NAME_NO_ANSWER,
	};
	struct lookups *lookups = context;
	struct asked *asked = &lookups->asked[found->tag];

	_Static_assert(MESSAGE_NAME_ADDRESSES_MAX == (int)RESOLVE_ADDRESSES_MAX, "all fit");
	asked->record.outcome = outcomes[found->outcome];
	asked->record.ttl_s = found->ttl_s;
	asked->record.count = (uint32_t)found->count;
	memcpy(asked->record.addresses, found->addresses, found->count * sizeof(struct ip));
	if (!asked->dropped)
		answer(lookups, &asked->record);
	*asked = (struct asked){ 0 };
}

/* Lets the resolver work and hand out answers, and sets the timer for its next step. */
static void run(struct lookups *lookups)
{
	int64_t wait_ms;

	resolve_run(lookups->resolve, clock_boot_ms());
	wait_ms = resolve_wait_ms(lookups->resolve, clock_boot_ms());
	/* these cannot fail on a live source */
	if (wait_ms >= 0)
		(void)sd_event_source_set_time_relative(lookups->timer, (uint64_t)wait_ms * 1000);
	(void)sd_event_source_set_enabled(lookups->timer,
		wait_ms >= 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	(void)source, (void)fd, (void)revents;
	run(context);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t at_us, void *context)
{
	(void)source, (void)at_us;
	run(context);
	return 0;
}

int lookups_new(struct sd_event *event, struct lookups **ret_lookups, struct error *err)
{
	struct lookups *lookups = alloc_zero(sizeof(*lookups));

	lookups->peer_fd = -1;
	if (resolve_new(NULL, on_answer, lookups, &lookups->resolve, err) < 0) {
		free(lookups);
		return -1;
	}
	if (sd_event_add_io(event, &lookups->io, resolve_fd(lookups->resolve), EPOLLIN, on_io,
		    lookups) < 0 ||
		sd_event_add_time_relative(event, &lookups->timer, CLOCK_BOOTTIME, 0, 1000,
			on_timer, lookups) < 0) {
		lookups_free(lookups);
		return error_set(err, "cannot watch the resolver");
	}
	/* cannot fail on a live source */
	(void)sd_event_source_set_enabled(lookups->timer, SD_EVENT_OFF);
	*ret_lookups = lookups;
	return 0;
}

void lookups_free(struct lookups *lookups)
{
	if (!lookups)
		return;
	(void)sd_event_source_disable_unref(lookups->io);
	(void)sd_event_source_disable_unref(lookups->timer);
	resolve_free(lookups->resolve);
	free(lookups);
}

void lookups_peer(struct lookups *lookups, int fd)
{
	lookups->peer_fd = fd;
	for (size_t i = 0; i < RESOLVE_QUESTIONS_MAX; i++)
		lookups->asked[i].dropped = true;
}

/* NULL: there is no place for a question of this kind (enum message_name_kind). */
static struct asked *free_place(struct lookups *lookups, uint32_t kind)
{
	struct asked *place = NULL;
	size_t count = 0;

	for (size_t i = 0; i < RESOLVE_QUESTIONS_MAX; i++) {
		if (!lookups->asked[i].record.name[0])
			place = &lookups->asked[i];
		else if (lookups->asked[i].record.kind == MESSAGE_NAME_COUNT)
			count++;
	}
	if (kind == MESSAGE_NAME_COUNT && count >= RESOLVE_QUESTIONS_MAX - PROTECT_RESERVED)
		return NULL;
	return place;
}

static void answer_localhost(const struct lookups *lookups, struct message_name *record)
{
	static const struct ip loopback[] = { { 6, 128, { [15] = 1 } },
		{ 4, 32, { 127, 0, 0, 1 } } };

	record->outcome = MESSAGE_NAME_FOUND;
	record->count = sizeof(loopback) / sizeof(loopback[0]);
	memcpy(record->addresses, loopback, sizeof(loopback));
	answer(lookups, record);
}

void lookups_packet(struct lookups *lookups, const struct message_mail_packet *packet)
{
	struct message_name record;
	struct asked *asked;
	struct error err;

	if (message_name_read(packet, &record) < 0) {
		log_line(LOG_ERR, "a question that is not whole");
		return;
	}
	record.count = 0;
	record.outcome = MESSAGE_NAME_NO_ANSWER;
	record.ttl_s = 0;
	if (localhost_is(record.name)) {
		answer_localhost(lookups, &record);
		return;
	}
	asked = free_place(lookups, record.kind);
	if (!asked) {
		answer(lookups, &record);
		return;
	}
	*asked = (struct asked){ .record = record };
	if (resolve_ask(lookups->resolve, record.name, record.kind == MESSAGE_NAME_PROTECT,
		    (uint64_t)(asked - lookups->asked), clock_boot_ms(), &err) < 0) {
		log_line(LOG_ERR, "a name is not looked up: %s", err.text);
		*asked = (struct asked){ 0 };
		answer(lookups, &record);
		return;
	}
	run(lookups);
}
