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

struct lookups {
	struct resolve *resolve; /* owned */
	sd_event_source *io;
	sd_event_source *timer;
	int peer_fd; /* borrowed; -1: no engine */
};

/* For resolve_new(), and for what needs no name server. */
static void answer(void *context, const struct message_name *record)
{
	const struct lookups *lookups = context;

	/* if the socket is full, the answer is lost, and the engine asks again */
	if (lookups->peer_fd >= 0)
		(void)message_name_send(lookups->peer_fd, record, NULL);
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
	if (resolve_new(NULL, answer, lookups, &lookups->resolve, err) < 0) {
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
	resolve_drop(lookups->resolve);
}

static void answer_localhost(struct lookups *lookups, struct message_name *record)
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
	} else if (resolve_is_full(lookups->resolve, record.kind)) {
		answer(lookups, &record);
	} else if (resolve_ask(lookups->resolve, &record, clock_boot_ms(), &err) < 0) {
		log_line(LOG_ERR, "a name is not looked up: %s", err.text);
		answer(lookups, &record);
	} else {
		run(lookups);
	}
}
