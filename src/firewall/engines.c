#include "firewall/parts.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/protected.h"
#include "firewall/elements.h"
#include "process/launch.h"

enum {
	NOTIFIER_DELAY_MAX_S = 60,
	NOTIFIER_STEADY_S = 600, /* after so long a run, the wait before a restart is short again */
	NOTIFIER_RECORDS_MAX = 16, /* that are taken at a time: the others' turn comes in between */
	STOP_LIMIT_S = 8,          /* for the whole service */
	ENGINE_STOP_S = 5,         /* for an engine that has been told to commit and end */
	PREPARE_LIMIT_S = 50,      /* shorter than the client of a reload waits for its answer */
};

/* ---- the pair between engine and notifier ---- */

/* A record with a descriptor cannot wait in the queue, so it would overtake the records there; and
 * an engine that gets MESSAGE_PEER before MESSAGE_GO throws it away. So no pair is made until the
 * engine runs and its queue is empty. */
void firewall_join(struct firewall *firewall)
{
	struct message record = { .type = MESSAGE_PEER };
	struct link *link = firewall->current;
	struct error err;
	int pair[2];

	if (!firewall->to_join || !link || link->state != LINK_RUNNING || link->child.queue_count ||
		firewall->notifier.fd < 0)
		return;
	if (message_pair(pair, &err) < 0) {
		log_line(LOG_ERR, "no mail can be sent: %s", err.text);
		firewall->to_join = false;
		return;
	}
	/* if a socket was full, this is called again before the loop sleeps */
	firewall->to_join = child_send(&link->child, &record, pair[0]) < 0 ||
			    child_send(&firewall->notifier, &record, pair[1]) < 0;
	(void)close(pair[0]); /* engine and notifier have their own copies */
	(void)close(pair[1]);
}

/* ---- engines ---- */

void firewall_link_done(struct firewall *firewall, struct link *link)
{
	link->io = sd_event_source_disable_unref(link->io);
	link->exit = sd_event_source_disable_unref(link->exit);
	child_done(&link->child);
	protected_free(link->protected);
	*link = (struct link){ .firewall = firewall, .child = { .fd = -1 } };
	if (firewall->current == link)
		firewall->current = NULL;
	if (firewall->next == link)
		firewall->next = NULL;
}

/* Lets a sealed engine take over. */
static void engine_go(struct firewall *firewall, struct link *link)
{
	struct message go = { .type = MESSAGE_GO };

	firewall->current = link;
	firewall->next = NULL;
	link->state = LINK_RUNNING;
	firewall_refresh_hosts(firewall);
	firewall_tell(firewall, &go);
	firewall_tell_failures(firewall);
	firewall_wire_start(firewall);
	firewall_connections_start(firewall);
	firewall->to_join = true;
	firewall_join(firewall);
}

/* The engine is ready to take over: at once if there is no other, else when the current one has
 * committed and ended. */
static void engine_sealed(struct firewall *firewall, struct link *link)
{
	struct message stop = { .type = MESSAGE_STOP };

	if (link->state != LINK_PREPARING)
		return;
	link->state = LINK_SEALED;
	if (!firewall->current) {
		engine_go(firewall, link);
		return;
	}
	firewall->current->state = LINK_STOPPING;
	firewall->current->stop_limit_s = clock_boot_s() + ENGINE_STOP_S;
	firewall_tell(firewall, &stop); /* if it is gone already, its exit event comes */
}

/* Whether the engine can be handed a client. Not while one engine replaces another, and not while
 * records wait in the queue: then its socket is full and takes no descriptor either. */
static bool takes_clients(const struct firewall *firewall)
{
	const struct link *link = firewall->current;

	return link && link->state == LINK_RUNNING && link->ready && !link->child.queue_count;
}

static int on_accept(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct message record = { .type = MESSAGE_CLIENT };
	struct firewall *firewall = context;
	int client;

	(void)source, (void)revents;
	if (!takes_clients(firewall))
		return 0; /* the engine could take clients when the loop looked, and cannot now */
	client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client < 0)
		return 0;
	/* if it cannot be sent, the client sees its connection closed, and reports that */
	(void)child_send(&firewall->current->child, &record, client);
	(void)close(client);
	return 0;
}

void firewall_accept_pace(struct firewall *firewall)
{
	if (firewall->accept_io) /* cannot fail on a live source */
		(void)sd_event_source_set_enabled(firewall->accept_io,
			takes_clients(firewall) ? SD_EVENT_ON : SD_EVENT_OFF);
}

/* MESSAGE_READY: the engine has sent all bans of its database. After a reload, the elements that
 * only the previous engine wanted are lifted now. At the start of the service, clients are accepted
 * from now on. */
static void engine_ready(struct firewall *firewall, struct link *link)
{
	struct error err;

	if (link->state != LINK_RUNNING || link->ready)
		return;
	link->ready = true;
	if (firewall->told_ready) {
		if (firewall->elements && elements_drop(firewall->elements, link->number, &err) < 0)
			log_line(LOG_ERR, "cannot lift old bans: %s", err.text);
		return;
	}
	firewall->told_ready = true;
	if (firewall->nft)
		firewall_adopt_start(firewall);
	if (listen(firewall->listen_fd, 64) < 0)
		log_line(LOG_ERR, "cannot listen on the control socket: %s", strerror(errno));
	else if (sd_event_add_io(firewall->event, &firewall->accept_io, firewall->listen_fd,
			 EPOLLIN, on_accept, firewall) < 0)
		log_line(LOG_ERR, "cannot watch the control socket");
	(void)sd_notify(0, "READY=1"); /* fails without systemd, when there is nobody to tell */
	log_line(LOG_INFO, "ready");
}

static void engine_scope(struct firewall *firewall, struct link *link, const struct message *record)
{
	struct error err;
	int number = 0;

	if (link->state != LINK_PREPARING || record->number != link->n_scopes ||
		link->n_scopes == NFT_SCOPES_MAX)
		return;
	if (firewall->elements)
		number = elements_scope(firewall->elements, &record->scope, &err);
	if (number < 0) {
		log_line(LOG_ERR, "cannot make the sets of the firewall: %s", err.text);
		firewall_tell_health(firewall, MESSAGE_PART_FIREWALL, EIO, err.text);
		number = NFT_SCOPES_MAX; /* no scope has it: nft_apply() refuses each ban in it */
	}
	link->scopes[link->n_scopes++] = (uint8_t)number;
}

/* What the next engine wants to be told of the host's own packets. */
static void engine_wants(struct link *link, const struct message *record)
{
	if (link->state != LINK_PREPARING)
		return;
	if (record->type == MESSAGE_CONNECTIONS_WANTED)
		link->connection_ports = record->scope;
	else if (record->number <= UINT16_MAX)
		link->wire_group = (int32_t)record->number;
}

void firewall_stop(struct firewall *firewall, int exit_status)
{
	struct message stop = { .type = MESSAGE_STOP };

	if (firewall->stopping)
		return;
	firewall->stopping = true;
	firewall->exit_status = exit_status;
	firewall->stop_limit_s = clock_boot_s() + STOP_LIMIT_S;
	(void)sd_notify(0, "STOPPING=1"); /* fails without systemd */
	for (size_t i = 0; i < 2; i++) {
		if (firewall->links[i].state == LINK_NONE)
			continue;
		firewall->links[i].stop_limit_s = clock_boot_s() + ENGINE_STOP_S;
		/* if it cannot be sent, the engine is killed at that time */
		(void)child_send(&firewall->links[i].child, &stop, -1);
	}
	if (!firewall->current && !firewall->next)
		(void)sd_event_exit(firewall->event, exit_status); /* cannot fail in the loop */
}

static void engine_reload(struct firewall *firewall, int client_fd)
{
	static const char answer[] =
		"{\"ok\":false,\"error\":\"the next engine cannot be started: see the journal\"}\n";
	struct message ended = { .type = MESSAGE_RELOAD_ENDED };
	struct error err = { "another one is running" };

	if (firewall->stopping)
		return; /* the engine ends anyway, and with it the client's connection */
	if (!firewall->next && firewall_start_engine(firewall, client_fd, &err) == 0)
		return;
	log_line(LOG_ERR, "reload: %s", err.text);
	if (client_fd >= 0) /* if it is not sent, the client sees its connection closed */
		(void)send(client_fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	firewall_tell(firewall, &ended);
}

static void engine_protect(const struct link *link, const struct message *record)
{
	if (record->ip.family && !protected_add_until(link->protected, &record->ip, record->text,
					 PROTECTED_BY_ENGINE,
					 record->ttl_s > 0 ? clock_boot_s() + record->ttl_s : 0))
		log_line(LOG_WARNING, "more than %d protected addresses", PROTECTED_MAX);
}

/* A ban, a lift, or a question about a connection. */
static void engine_asks(struct firewall *firewall, struct link *link, struct batch *batch,
	const struct message *record)
{
	if (link->state != LINK_RUNNING && link->state != LINK_STOPPING)
		return;
	if (record->type == MESSAGE_CONNECTION)
		firewall_connections_ask(firewall, link, record, clock_boot_us());
	else
		firewall_batch_add(firewall, link, batch, record);
}

static void handle_record(struct firewall *firewall, struct link *link, struct batch *batch,
	const struct message *record, int fd)
{
	link->child.alive_s = clock_boot_s();
	switch ((enum message_type)record->type) {
	case MESSAGE_SCOPE:
		engine_scope(firewall, link, record);
		break;
	case MESSAGE_PROTECT:
		engine_protect(link, record);
		break;
	case MESSAGE_LIFT_ON_STOP:
		link->lift_on_stop = true;
		break;
	case MESSAGE_WIRE_WANTED:
	case MESSAGE_CONNECTIONS_WANTED:
		engine_wants(link, record);
		break;
	case MESSAGE_SEAL:
		engine_sealed(firewall, link);
		break;
	case MESSAGE_BAN:
	case MESSAGE_LIFT:
	case MESSAGE_CONNECTION:
		engine_asks(firewall, link, batch, record);
		break;
	case MESSAGE_QUERY:
		firewall_batch_apply(firewall, link, batch);
		firewall_answer_query(firewall, link, record);
		break;
	case MESSAGE_READY:
		firewall_batch_apply(firewall, link, batch);
		engine_ready(firewall, link);
		break;
	case MESSAGE_RELOAD:
		if (link == firewall->current && link->state == LINK_RUNNING)
			engine_reload(firewall, fd);
		break;
	case MESSAGE_STATUS:
		(void)sd_notifyf(0, "STATUS=%s", record->text); /* fails without systemd */
		break;
	case MESSAGE_ALIVE:
		break;
	case MESSAGE_NONE:
	case MESSAGE_GO:
	case MESSAGE_HELD:
	case MESSAGE_COUNTERS:
	case MESSAGE_CONNECTION_SEEN:
	case MESSAGE_OWN_ADDRESS:
	case MESSAGE_ADOPT:
	case MESSAGE_ADMIN_LIFT:
	case MESSAGE_CLIENT:
	case MESSAGE_HEALTH:
	case MESSAGE_WIRE:
	case MESSAGE_RELOAD_ENDED:
	case MESSAGE_STOP:
	case MESSAGE_PEER:
	case MESSAGE_TYPES:
		log_line(LOG_ERR, "the engine sent a record that is not its own");
		break;
	}
	if (fd >= 0)
		(void)close(fd); /* a new engine that needs it has its own copy */
}

static int on_engine(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	static struct batch batch; /* 400 KiB: not on the stack */
	struct link *link = context;
	struct message record;
	struct error err;
	int passed_fd;
	int rc = 0;

	(void)source, (void)fd, (void)revents;
	(void)child_flush(&link->child); /* what is left goes at the next event */
	for (int i = 0; i < BATCH_MAX && !child_is_full(&link->child); i++) {
		rc = message_receive(link->child.fd, &record, &passed_fd, &err);
		if (rc <= 0)
			break;
		handle_record(link->firewall, link, &batch, &record, passed_fd);
	}
	firewall_batch_apply(link->firewall, link, &batch);
	if (rc < 0) { /* it has ended, or it sent nonsense and is killed */
		link->io = sd_event_source_disable_unref(link->io);
		if (strcmp(err.text, "closed") != 0) {
			log_line(LOG_CRIT, "the engine is ended: %s", err.text);
			/* on_engine_exit() does the rest */
			(void)kill(link->child.pid, SIGKILL);
		}
	}
	return 0;
}

/* In a reload the old engine has committed and ended, but the next one died before it took over. As
 * that one had accepted the configuration, another engine is started with it; if that fails too,
 * the service ends. */
static void engine_restart(struct firewall *firewall)
{
	struct error err;

	log_line(LOG_WARNING, "reload: the next engine is gone, another one is started");
	if (firewall_start_engine(firewall, -1, &err) == 0)
		return;
	log_line(LOG_CRIT, "the engine cannot be started: %s", err.text);
	firewall_stop(firewall, EXIT_FAILURE);
}

static int on_engine_exit(sd_event_source *source, const siginfo_t *info, void *context)
{
	struct link *link = context;
	struct firewall *firewall = link->firewall;
	bool clean = info->si_code == CLD_EXITED && info->si_status == 0;
	struct message ended = { .type = MESSAGE_RELOAD_ENDED };
	bool was_current = link == firewall->current;
	bool made_room = was_current && (clean || link->killed) && link->state == LINK_STOPPING;
	struct link *next = firewall->next;

	(void)source;
	if (link->io && was_current) /* its last bans may still wait in the socket */
		(void)on_engine(link->io, link->child.fd, 0, link);
	if (firewall->stopping && was_current && link->lift_on_stop && firewall->elements)
		(void)elements_drop(firewall->elements, 0, NULL); /* what is not lifted times out */
	if (!clean)
		log_line(LOG_ERR, "the engine ended (%s %d)",
			info->si_code == CLD_EXITED ? "exit status" : "signal", info->si_status);
	firewall_link_done(firewall, link);
	if (firewall->stopping) {
		if (!firewall->current && !firewall->next)
			(void)sd_event_exit(firewall->event, firewall->exit_status);
	} else if (made_room && next && next->state == LINK_SEALED) {
		engine_go(firewall, next);
	} else if (made_room && !next) {
		engine_restart(firewall);
	} else if (was_current || !firewall->current) {
		/* the next start reads the logs on from the last commit */
		firewall_stop(firewall, EXIT_FAILURE);
	} else {
		firewall_tell(firewall, &ended);
	}
	return 0;
}

int firewall_start_engine(struct firewall *firewall, int client_fd, struct error *err)
{
	struct link *link =
		firewall->links[0].state == LINK_NONE ? &firewall->links[0] : &firewall->links[1];

	*link = (struct link){ .firewall = firewall, .child = { .fd = -1 } };
	if (child_start(&link->child, "engine", firewall->options, client_fd, clock_boot_s(), err) <
		0)
		return -1;
	link->state = LINK_PREPARING;
	link->number = ++firewall->engines;
	link->wire_group = NFT_WIRE_NONE;
	link->started_s = clock_boot_s();
	link->protected = protected_new();
	if (sd_event_add_io(firewall->event, &link->io, link->child.fd, EPOLLIN, on_engine, link) <
			0 ||
		sd_event_add_child(firewall->event, &link->exit, link->child.pid, WEXITED,
			on_engine_exit, link) < 0) {
		(void)kill(link->child.pid, SIGKILL); /* it has done nothing yet */
		firewall_link_done(firewall, link);
		return error_set(err, "cannot watch the engine");
	}
	firewall->next = link;
	return 0;
}

/* An engine that has been told to end and does not has stopped working, or is not ours any more.
 * Its last rows may be lost; the next engine reads the logs on from the last commit. */
static void limit_stop(struct link *link, int64_t now_s)
{
	if (link->state == LINK_NONE || !link->stop_limit_s || now_s < link->stop_limit_s)
		return;
	log_line(LOG_ERR, "the engine was told to end %d s ago and is killed", ENGINE_STOP_S);
	link->stop_limit_s = 0;
	link->killed = true;
	(void)kill(link->child.pid, SIGKILL); /* on_engine_exit() does the rest */
}

void firewall_limit_engines(struct firewall *firewall, int64_t now_s)
{
	const struct link *next = firewall->next;

	for (size_t i = 0; i < 2; i++)
		limit_stop(&firewall->links[i], now_s);
	if (!next || next->state != LINK_PREPARING || !firewall->current ||
		now_s - next->started_s <= PREPARE_LIMIT_S)
		return;
	log_line(LOG_ERR, "reload: the next engine is not ready after %d s and is ended",
		PREPARE_LIMIT_S);
	(void)kill(next->child.pid, SIGKILL); /* on_engine_exit() does the rest */
}

/* ---- notifier ---- */

static int on_notifier(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct firewall *firewall = context;
	struct message record;
	struct error err;
	int passed_fd;
	int rc = 0;

	(void)source, (void)fd, (void)revents;
	for (int i = 0; i < NOTIFIER_RECORDS_MAX; i++) {
		rc = message_receive(firewall->notifier.fd, &record, &passed_fd, &err);
		if (rc <= 0)
			break;
		firewall->notifier.alive_s = clock_boot_s();
		if (passed_fd >= 0)
			(void)close(passed_fd); /* no record of the notifier carries a descriptor */
	}
	if (rc < 0)
		firewall->notifier_io = sd_event_source_disable_unref(firewall->notifier_io);
	return 0;
}

static int on_notifier_exit(sd_event_source *source, const siginfo_t *info, void *context)
{
	struct firewall *firewall = context;

	(void)source;
	firewall->notifier_io = sd_event_source_disable_unref(firewall->notifier_io);
	firewall->notifier_exit = sd_event_source_disable_unref(firewall->notifier_exit);
	child_done(&firewall->notifier);
	if (firewall->stopping)
		return 0;
	if (clock_boot_s() - firewall->notifier_started_s > NOTIFIER_STEADY_S)
		firewall->notifier_delay_s = 0;
	firewall->notifier_delay_s =
		firewall->notifier_delay_s ? firewall->notifier_delay_s * 2 : 1;
	if (firewall->notifier_delay_s > NOTIFIER_DELAY_MAX_S)
		firewall->notifier_delay_s = NOTIFIER_DELAY_MAX_S;
	firewall->notifier_again_s = clock_boot_s() + firewall->notifier_delay_s;
	log_line(info->si_code == CLD_EXITED && info->si_status == 0 ? LOG_INFO : LOG_ERR,
		"the notifier ended (%s %d), started again in %d s: mails wait until then",
		info->si_code == CLD_EXITED ? "exit status" : "signal", info->si_status,
		(int)firewall->notifier_delay_s);
	firewall_tell_health(firewall, MESSAGE_PART_NOTIFIER, ECHILD,
		"ended, will be started again");
	return 0;
}

void firewall_start_notifier(struct firewall *firewall)
{
	struct error err = { "cannot watch the notifier" };

	firewall->notifier_started_s = clock_boot_s();
	if (child_start(&firewall->notifier, "notifier", firewall->options, -1, clock_boot_s(),
		    &err) < 0 ||
		sd_event_add_io(firewall->event, &firewall->notifier_io, firewall->notifier.fd,
			EPOLLIN, on_notifier, firewall) < 0 ||
		sd_event_add_child(firewall->event, &firewall->notifier_exit,
			firewall->notifier.pid, WEXITED, on_notifier_exit, firewall) < 0) {
		log_line(LOG_ERR, "no mail is sent: %s", err.text);
		if (firewall->notifier.pid)
			(void)kill(firewall->notifier.pid, SIGKILL); /* it has done nothing yet */
		firewall->notifier_io = sd_event_source_disable_unref(firewall->notifier_io);
		child_done(&firewall->notifier);
		firewall->notifier_again_s = clock_boot_s() + NOTIFIER_DELAY_MAX_S;
		firewall_tell_health(firewall, MESSAGE_PART_NOTIFIER, ECHILD, err.text);
		return;
	}
	firewall->to_join = true;
	firewall_join(firewall);
	firewall_tell_health(firewall, MESSAGE_PART_NOTIFIER, 0, "");
}
