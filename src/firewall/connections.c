#include "firewall/parts.h"

#include <errno.h>
#include <syslog.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

enum {
	/* A record may be read long after its connection has got data, when a log is long. */
	LIFETIME_MS = 60000,
	ENDS_MAX = 65535,
	AGAIN_S = 60,
	/* As long as this after a set was full, it may still be. */
	FULL_S = LIFETIME_MS / 1000,
	/* A server mostly writes its log before it sends the answer, by less than 200 microseconds
	 * on an idle machine. */
	SECOND_LOOK_US = 20000,
};

/* failure: an errno value, which is told once. */
static void tell_state(struct firewall *firewall, int failure, const char *text)
{
	const struct health *health = &firewall->health[MESSAGE_PART_CONNECTIONS];

	if (health->failure == failure)
		return;
	if (failure)
		log_line(LOG_WARNING, "sources that connect are not proven: %s", text);
	firewall_tell_health(firewall, MESSAGE_PART_CONNECTIONS, failure, text);
}

static void connections_try(struct firewall *firewall)
{
	struct connections *connections = &firewall->connections;
	const struct nft_connections wanted = {
		.ports = connections->ports,
		.lifetime_ms = LIFETIME_MS,
		.max = ENDS_MAX,
	};
	struct error err;

	connections->missed = 0;
	connections->full_until_s = 0;
	if (nft_connections(firewall->nft, &wanted, &err) == 0) {
		connections->again_s = 0;
		tell_state(firewall, 0, "");
		return;
	}
	connections->again_s = clock_boot_s() + AGAIN_S;
	tell_state(firewall, EIO, err.text);
}

void firewall_connections_start(struct firewall *firewall)
{
	struct connections *connections = &firewall->connections;
	const struct scope *ports = &firewall->current->connection_ports;
	bool is_known = scope_equal(&connections->ports, ports);

	connections->ports = *ports;
	if (firewall->nft && (ports->n_ranges || !is_known))
		connections_try(firewall);
}

void firewall_connections_restore(struct firewall *firewall)
{
	if (firewall->connections.ports.n_ranges)
		connections_try(firewall);
}

void firewall_connections_tick(struct firewall *firewall, int64_t now_s)
{
	struct connections *connections = &firewall->connections;
	uint64_t missed = 0;

	if (!firewall->nft || !connections->ports.n_ranges)
		return;
	if (connections->again_s) {
		if (now_s >= connections->again_s)
			connections_try(firewall);
		return;
	}
	/* if it cannot be asked, the watch of the table finds out why */
	if (nft_connections_missed(firewall->nft, &missed, NULL) == 0) {
		if (missed > connections->missed)
			connections->full_until_s = now_s + FULL_S;
		connections->missed = missed;
	}
	if (connections->full_until_s > now_s)
		tell_state(firewall, ENFILE, "so many are connected that newcomers are not noted");
	else
		tell_state(firewall, 0, "");
}

/* ---- questions ---- */

static bool is_connected(struct firewall *firewall, const struct ip *ip, uint16_t port)
{
	bool connected = false;

	/* what cannot be asked is not proven */
	return nft_connected(firewall->nft, ip, port, &connected, NULL) == 0 && connected;
}

static void answer(struct link *link, const struct connection_look *look, int failure)
{
	const struct message record = { .type = MESSAGE_CONNECTION_SEEN,
		.serial = look->serial,
		.ip = look->ip,
		.number = look->port,
		.failure = failure };

	/* the queue has room: questions are read only while half of it is free, and fewer than that
	 * wait for their second look */
	(void)child_send(&link->child, &record, -1);
}

static int on_second_look(sd_event_source *source, uint64_t at_us, void *context)
{
	(void)source, (void)at_us;
	firewall_connections_look(context, clock_boot_us());
	return 0;
}

/* Sets the timer to the oldest question. False: there is no timer. */
static bool arm(struct firewall *firewall)
{
	struct connections *connections = &firewall->connections;
	uint64_t at_us = connections->looks[connections->first].due_us;

	if (!connections->timer)
		return sd_event_add_time(firewall->event, &connections->timer, CLOCK_BOOTTIME,
			       at_us, 1, on_second_look, firewall) >= 0;
	return sd_event_source_set_time(connections->timer, at_us) >= 0 &&
	       sd_event_source_set_enabled(connections->timer, SD_EVENT_ONESHOT) >= 0;
}

void firewall_connections_look(struct firewall *firewall, uint64_t now_us)
{
	struct connections *connections = &firewall->connections;

	while (connections->count && connections->looks[connections->first].due_us <= now_us) {
		const struct connection_look *look = &connections->looks[connections->first];

		for (size_t i = 0; i < 2; i++) { /* the engine that asked, if it still runs */
			struct link *link = &firewall->links[i];

			if (link->state != LINK_NONE && link->number == look->engine)
				answer(link, look,
					is_connected(firewall, &look->ip, look->port) ? 0 : ENOENT);
		}
		connections->first = (connections->first + 1) % CONNECTION_LOOKS_MAX;
		connections->count--;
	}
	if (connections->count)
		(void)arm(firewall); /* cannot fail on a live source */
}

void firewall_connections_ask(struct firewall *firewall, struct link *link,
	const struct message *question, uint64_t now_us)
{
	struct connections *connections = &firewall->connections;
	const struct connection_look look = { .engine = link->number,
		.serial = question->serial,
		.ip = question->ip,
		.port = (uint16_t)question->number,
		.due_us = now_us + SECOND_LOOK_US };

	if (!firewall->nft || !connections->ports.n_ranges) {
		answer(link, &look, ENOENT);
		return;
	}
	if (is_connected(firewall, &look.ip, look.port)) {
		answer(link, &look, 0);
		return;
	}
	if (connections->count == CONNECTION_LOOKS_MAX) {
		answer(link, &look, ENOENT);
		return;
	}
	connections->looks[(connections->first + connections->count) % CONNECTION_LOOKS_MAX] = look;
	connections->count++;
	if (connections->count == 1 && !arm(firewall)) {
		connections->count = 0;
		answer(link, &look, ENOENT);
	}
}

void firewall_connections_end(struct firewall *firewall)
{
	const struct nft_connections none = { 0 };

	if (firewall->nft && firewall->connections.ports.n_ranges)
		(void)nft_connections(firewall->nft, &none, NULL); /* what is left does no harm */
	firewall->connections.timer = sd_event_source_disable_unref(firewall->connections.timer);
}
