#include "firewall.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "alloc.h"
#include "elements.h"
#include "error.h"
#include "family.h"
#include "hostnet.h"
#include "launch.h"
#include "log.h"
#include "nft.h"
#include "place.h"
#include "proto.h"
#include "protect.h"
#include "sandbox.h"

enum {
	BATCH_MAX = 1024, /* records of one wake-up */
	TICK_US = 1000000,
	SSH_EVERY_S = 10,
	GENERATION_EVERY_S = 60,
	NOTIFIER_DELAY_MAX_S = 60,
	ALIVE_LIMIT_S = 3 * PROTO_ALIVE_S,
	STOP_LIMIT_S = 8,
	ADOPT_RESERVE = CHILD_QUEUE_MAX / 4,
};

enum link_state { LINK_NONE, LINK_PREPARING, LINK_SEALED, LINK_RUNNING, LINK_STOPPING };

/* One engine. scopes[] translates its scope numbers; protect is its list until it is sealed. */
struct link {
	struct firewall *firewall; /* borrowed */
	struct child child;
	enum link_state state;
	uint32_t number; /* of the engine, from 1 */
	struct protect *protect; /* owned */
	uint8_t scopes[NFT_SCOPES_MAX];
	size_t n_scopes;
	bool lift_on_stop;
	bool ready;
	sd_event_source *io;
	sd_event_source *exit;
};

/* current is the engine that counts; next, during a reload, the one that gets ready. The engine
 * and the notifier share a pair made by join(). */
struct firewall {
	const struct run_options *options;
	sd_event *event;
	struct nft *nft; /* NULL: dry run */
	struct hostnet *hostnet;
	struct elements *elements; /* NULL: dry run */
	struct protect *hosts; /* what the host must not be cut off from */
	struct link links[2];
	struct link *current;
	struct link *next;
	uint32_t engines;
	struct child notifier;
	sd_event_source *notifier_io;
	sd_event_source *notifier_exit;
	int64_t notifier_again_s;
	int64_t notifier_delay_s;
	int listen_fd;
	sd_event_source *accept_io;
	bool dumping;
	bool told_ready;
	bool stopping;
	int64_t stop_limit_s;
	int64_t next_ssh_s;
	int64_t next_generation_s;
	int exit_status;
};

static int64_t boot_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now); /* cannot fail: Linux 2.6.39 has it */
	return now.tv_sec;
}

static void tell_health(struct firewall *firewall, enum proto_part part, int failure,
	const char *text)
{
	struct proto_record record = { .type = PROTO_HEALTH, .number = part, .failure = failure };

	(void)snprintf(record.text, sizeof(record.text), "%s", text); /* cut */
	if (firewall->current)
		(void)child_send(&firewall->current->child, &record, -1); /* the tick repeats it */
}

/* ---- the pair between engine and notifier ---- */

static void join(struct firewall *firewall)
{
	struct proto_record record = { .type = PROTO_PEER };
	struct error err;
	int pair[2];

	if (!firewall->current || firewall->current->state != LINK_RUNNING || firewall->notifier.fd < 0)
		return;
	if (proto_pair(pair, &err) < 0) {
		log_line(LOG_ERR, "no mail can be sent: %s", err.text);
		return;
	}
	if (child_send(&firewall->current->child, &record, pair[0]) < 0 ||
		child_send(&firewall->notifier, &record, pair[1]) < 0)
		log_line(LOG_ERR, "no mail can be sent: the roles could not be joined");
	(void)close(pair[0]); /* both have their own now */
	(void)close(pair[1]);
}

/* ---- protection ---- */

static void add_host(void *context, enum hostnet_kind kind, const struct ip *ip)
{
	struct firewall *firewall = context;

	if (!protect_add(firewall->hosts, ip, hostnet_kind_text(kind), kind))
		log_line(LOG_WARNING, "more than %d protected addresses", PROTECT_MAX);
}

struct host_sender {
	struct child *child;
};

static void send_host(void *context, enum hostnet_kind kind, const struct ip *ip)
{
	const struct host_sender *sender = context;
	struct proto_record record = { .type = PROTO_HOSTNET, .number = kind, .ip = *ip };

	(void)snprintf(record.text, sizeof(record.text), "%s", hostnet_kind_text(kind)); /* fits */
	(void)child_send(sender->child, &record, -1); /* enforced here too */
}

/* Reads the host's own addresses afresh; an engine that runs hears of them. */
static void refresh_hosts(struct firewall *firewall)
{
	struct proto_record begin = { .type = PROTO_HOSTNET };
	struct host_sender sender;
	struct error err;

	for (unsigned kind = HOSTNET_OWN; kind <= HOSTNET_SSH_PEER; kind++)
		protect_clear(firewall->hosts, kind);
	if (hostnet_list(firewall->hostnet, add_host, firewall, &err) < 0)
		log_line(LOG_ERR, "cannot read the host's own addresses: %s", err.text);
	if (!firewall->current || firewall->current->state != LINK_RUNNING)
		return;
	sender.child = &firewall->current->child;
	(void)child_send(sender.child, &begin, -1); /* enforced here too */
	if (hostnet_list(firewall->hostnet, send_host, &sender, &err) < 0)
		log_line(LOG_ERR, "cannot read the host's own addresses: %s", err.text);
}

static void refresh_ssh(struct firewall *firewall)
{
	struct error err;
	size_t before = protect_count(firewall->hosts);

	protect_clear(firewall->hosts, HOSTNET_SSH_PEER);
	if (hostnet_ssh_peers(firewall->hostnet, add_host, firewall, &err) < 0)
		log_line(LOG_ERR, "cannot read the SSH sessions: %s", err.text);
	firewall->next_ssh_s = boot_s() + SSH_EVERY_S;
	if (protect_count(firewall->hosts) != before)
		refresh_hosts(firewall);
}

/* ---- bans ---- */

/* One wake-up's changes with the records they answer. */
struct batch {
	struct nft_change changes[BATCH_MAX];
	struct proto_record answers[BATCH_MAX];
	size_t count;
};

static void batch_apply(struct firewall *firewall, struct link *link, struct batch *batch)
{
	struct error err;

	if (!batch->count)
		return;
	if (elements_apply(firewall->elements, batch->changes, batch->count, link->number, boot_s(),
		    &err) < 0) {
		log_line(LOG_ERR, "the firewall refuses: %s", err.text);
		tell_health(firewall, PROTO_PART_FIREWALL, EIO, err.text);
	}
	for (size_t i = 0; i < batch->count; i++) {
		batch->answers[i].failure = batch->changes[i].failure;
		(void)child_send(&link->child, &batch->answers[i], -1); /* reading stopped before full */
	}
	batch->count = 0;
}

static bool width_is_allowed(const struct ip *ip)
{
	return ip->family == 4 ? ip->bits == 32 || ip->bits == 24 :
				 ip->bits == 128 || ip->bits == 64 || ip->bits == 56 || ip->bits == 48;
}

static void batch_add(struct firewall *firewall, struct link *link, struct batch *batch,
	const struct proto_record *record)
{
	struct proto_record answer = { .type = PROTO_HELD, .number = record->number, .ip = record->ip,
		.ttl_s = record->type == PROTO_LIFT ? -1 : record->ttl_s };
	const char *because = NULL;

	if (record->type == PROTO_BAN) {
		because = protect_find(firewall->hosts, &record->ip);
		if (!because)
			because = protect_find(link->protect, &record->ip);
	}
	if (record->number >= link->n_scopes || !record->ip.family || !firewall->elements ||
		!width_is_allowed(&record->ip) || (record->type == PROTO_BAN && record->ttl_s < 0))
		answer.failure = EINVAL;
	else if (because)
		answer.failure = EPERM;
	if (answer.failure) {
		(void)snprintf(answer.text, sizeof(answer.text), "%s", because ? because : ""); /* cut */
		(void)child_send(&link->child, &answer, -1); /* reading stopped before full */
		return;
	}
	batch->changes[batch->count] = (struct nft_change){
		.op = record->type == PROTO_BAN ? NFT_BAN : NFT_LIFT,
		.scope = link->scopes[record->number],
		.ip = record->ip,
		.ttl_s = record->ttl_s };
	batch->answers[batch->count++] = answer;
	if (batch->count == BATCH_MAX)
		batch_apply(firewall, link, batch);
}

static void answer_query(struct firewall *firewall, struct link *link,
	const struct proto_record *record)
{
	struct proto_record answer = { .type = PROTO_COUNTERS, .number = record->number,
		.serial = record->serial, .ip = record->ip, .failure = ENOENT };
	struct nft_element element = { .ip = record->ip };

	if (record->number < link->n_scopes && record->ip.family && firewall->nft) {
		element.scope = link->scopes[record->number];
		if (nft_query(firewall->nft, &element, 1, NULL) == 0 && element.present) {
			answer.failure = 0;
			answer.packets = element.packets;
			answer.bytes = element.bytes;
		}
	}
	(void)child_send(&link->child, &answer, -1); /* reading stopped before full */
}

static int number_for_engine(const struct link *link, uint8_t scope)
{
	for (size_t i = 0; i < link->n_scopes; i++)
		if (link->scopes[i] == scope)
			return (int)i;
	return -1;
}

static void send_element(struct firewall *firewall, enum proto_type type, uint8_t scope,
	const struct ip *ip, int64_t ttl_s)
{
	struct proto_record record = { .type = type, .ip = *ip, .ttl_s = ttl_s };
	int number = firewall->current ? number_for_engine(firewall->current, scope) : -1;

	if (number < 0)
		return;
	record.number = (uint32_t)number;
	(void)child_send(&firewall->current->child, &record, -1); /* a later start adopts it */
}

/* ---- the kernel's events ---- */

static void restore(struct firewall *firewall, const char *why)
{
	struct error err;
	size_t count;

	if (elements_restore(firewall->elements, boot_s(), &count, &err) < 0) {
		log_line(LOG_ERR, "cannot restore the firewall table: %s", err.text);
		tell_health(firewall, PROTO_PART_FIREWALL, EIO, err.text);
		return;
	}
	log_line(LOG_WARNING, "the firewall table was changed by %s: restored with %zu elements",
		why[0] ? why : "somebody else", count);
	tell_health(firewall, PROTO_PART_FIREWALL, 0, "");
}

static void admin_lift(void *context, uint8_t scope, const struct ip *ip)
{
	struct firewall *firewall = context;

	elements_forget(firewall->elements, scope, ip);
	send_element(firewall, PROTO_ADMIN_LIFT, scope, ip, 0);
}

static int on_nft_event(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct firewall *firewall = context;
	char who[64];

	(void)source, (void)fd, (void)revents;
	if (nft_watch_read(firewall->nft, who, admin_lift, firewall) == NFT_EVENT_CHECK)
		restore(firewall, who);
	return 0;
}

static void adopt(void *context, const struct nft_element *element)
{
	struct firewall *firewall = context;

	if (firewall->current && elements_adopt(firewall->elements, element,
					 firewall->current->number, boot_s()))
		send_element(firewall, PROTO_ADOPT, element->scope, &element->ip, element->ttl_s);
}

static int on_dump(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct firewall *firewall = context;
	struct error err;
	int rc;

	(void)fd, (void)revents;
	if (firewall->current &&
		firewall->current->child.queue_count > CHILD_QUEUE_MAX - ADOPT_RESERVE)
		return 0; /* level-triggered: comes again */
	rc = nft_dump_read(firewall->nft, adopt, firewall, &err);
	if (rc == 1)
		return 0;
	if (rc < 0)
		log_line(LOG_ERR, "cannot list the bans in the kernel: %s", err.text);
	firewall->dumping = false;
	(void)sd_event_source_set_enabled(source, SD_EVENT_OFF); /* cannot fail on a live source */
	sd_event_source_unref(source);
	return 0;
}

static void start_dump(struct firewall *firewall)
{
	sd_event_source *source;
	struct error err;

	if (nft_dump_start(firewall->nft, &err) < 0) {
		log_line(LOG_ERR, "cannot list the bans in the kernel: %s", err.text);
		return;
	}
	firewall->dumping = sd_event_add_io(firewall->event, &source, nft_dump_fd(firewall->nft),
					EPOLLIN, on_dump, firewall) >= 0;
}

/* ---- engines ---- */

static void link_done(struct firewall *firewall, struct link *link)
{
	link->io = sd_event_source_disable_unref(link->io);
	link->exit = sd_event_source_disable_unref(link->exit);
	child_done(&link->child);
	protect_free(link->protect);
	*link = (struct link){ .firewall = firewall, .child = { .fd = -1 } };
	if (firewall->current == link)
		firewall->current = NULL;
	if (firewall->next == link)
		firewall->next = NULL;
}

static void engine_go(struct firewall *firewall, struct link *link)
{
	struct proto_record go = { .type = PROTO_GO, .failure = firewall->options->dry_run };

	firewall->current = link;
	firewall->next = NULL;
	link->state = LINK_RUNNING;
	refresh_hosts(firewall);
	(void)child_send(&link->child, &go, -1); /* its queue is empty */
	join(firewall);
}

static void engine_sealed(struct firewall *firewall, struct link *link)
{
	struct proto_record stop = { .type = PROTO_STOP };

	if (link->state != LINK_PREPARING)
		return;
	link->state = LINK_SEALED;
	if (!firewall->current) {
		engine_go(firewall, link);
		return;
	}
	firewall->current->state = LINK_STOPPING;
	(void)child_send(&firewall->current->child, &stop, -1); /* if gone, its exit comes */
}

static int on_accept(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct proto_record record = { .type = PROTO_CLIENT };
	struct firewall *firewall = context;
	int client;

	(void)source, (void)revents;
	if (!firewall->current || firewall->current->state != LINK_RUNNING || !firewall->current->ready)
		return 0; /* they wait in the backlog while engines change */
	client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client < 0)
		return 0;
	(void)child_send(&firewall->current->child, &record, client); /* else the client is told */
	(void)close(client);
	return 0;
}

static void engine_ready(struct firewall *firewall, struct link *link)
{
	struct error err;

	if (link->state != LINK_RUNNING || link->ready)
		return;
	link->ready = true;
	if (firewall->accept_io)
		(void)sd_event_source_set_enabled(firewall->accept_io, SD_EVENT_ON);
	if (firewall->told_ready) {
		if (firewall->elements && elements_drop(firewall->elements, link->number, &err) < 0)
			log_line(LOG_ERR, "cannot lift old bans: %s", err.text);
		return;
	}
	firewall->told_ready = true;
	if (firewall->nft)
		start_dump(firewall);
	if (listen(firewall->listen_fd, 64) < 0)
		log_line(LOG_ERR, "cannot listen on the control socket: %s", strerror(errno));
	else if (sd_event_add_io(firewall->event, &firewall->accept_io, firewall->listen_fd, EPOLLIN,
			 on_accept, firewall) < 0)
		log_line(LOG_ERR, "cannot watch the control socket");
	(void)sd_notify(0, "READY=1"); /* not under systemd: nobody to tell */
	log_line(LOG_INFO, "ready");
}

static void engine_scope(struct firewall *firewall, struct link *link,
	const struct proto_record *record)
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
		tell_health(firewall, PROTO_PART_FIREWALL, EIO, err.text);
		number = NFT_SCOPES_MAX; /* its bans are refused one by one */
	}
	link->scopes[link->n_scopes++] = (uint8_t)number;
}

/* Ends the service: the engine commits first, the bans stay unless it is to lift them. */
static void begin_stop(struct firewall *firewall, int exit_status)
{
	struct proto_record stop = { .type = PROTO_STOP };

	if (firewall->stopping)
		return;
	firewall->stopping = true;
	firewall->exit_status = exit_status;
	firewall->stop_limit_s = boot_s() + STOP_LIMIT_S;
	(void)sd_notify(0, "STOPPING=1"); /* nobody to tell: fine */
	for (size_t i = 0; i < 2; i++)
		if (firewall->links[i].state != LINK_NONE)
			(void)child_send(&firewall->links[i].child, &stop, -1); /* else EOF says it */
	if (!firewall->current && !firewall->next)
		(void)sd_event_exit(firewall->event, exit_status); /* cannot fail in the loop */
}

static int on_engine_exit(sd_event_source *source, const siginfo_t *info, void *context)
{
	struct link *link = context;
	struct firewall *firewall = link->firewall;
	bool clean = info->si_code == CLD_EXITED && info->si_status == 0;
	struct proto_record ended = { .type = PROTO_RELOAD_ENDED };
	bool was_current = link == firewall->current;
	struct link *next = firewall->next;

	(void)source;
	if (firewall->stopping && was_current && link->lift_on_stop && firewall->elements)
		(void)elements_drop(firewall->elements, 0, NULL); /* timeouts end the rest */
	if (!clean)
		log_line(LOG_ERR, "the engine ended (%s %d)",
			info->si_code == CLD_EXITED ? "exit status" : "signal", info->si_status);
	link_done(firewall, link);
	if (firewall->stopping) {
		if (!firewall->current && !firewall->next)
			(void)sd_event_exit(firewall->event, firewall->exit_status);
	} else if (was_current && next && next->state == LINK_SEALED && clean) {
		engine_go(firewall, next);
	} else if (was_current || !firewall->current) {
		begin_stop(firewall, EXIT_FAILURE); /* restarting replays */
	} else {
		(void)child_send(&firewall->current->child, &ended, -1); /* its queue has room */
	}
	return 0;
}

/* handle_record and start_engine need each other: a reload is a record. */
static int start_engine(struct firewall *firewall, int client_fd, struct error *err);

static void engine_reload(struct firewall *firewall, int client_fd)
{
	struct proto_record ended = { .type = PROTO_RELOAD_ENDED };
	struct error err;

	if (!firewall->next && !firewall->stopping && start_engine(firewall, client_fd, &err) == 0)
		return;
	log_line(LOG_ERR, "reload: %s", firewall->next ? "another one is running" : err.text);
	(void)child_send(&firewall->current->child, &ended, -1); /* its queue has room */
}

static void handle_record(struct firewall *firewall, struct link *link, struct batch *batch,
	const struct proto_record *record, int fd)
{
	link->child.alive_s = boot_s();
	switch ((enum proto_type)record->type) {
	case PROTO_SCOPE:
		engine_scope(firewall, link, record);
		break;
	case PROTO_PROTECT:
		if (record->ip.family && !protect_add(link->protect, &record->ip, record->text, 100))
			log_line(LOG_WARNING, "more than %d protected addresses", PROTECT_MAX);
		break;
	case PROTO_LIFT_ON_STOP:
		link->lift_on_stop = true;
		break;
	case PROTO_SEAL:
		engine_sealed(firewall, link);
		break;
	case PROTO_BAN:
	case PROTO_LIFT:
		if (link->state == LINK_RUNNING || link->state == LINK_STOPPING)
			batch_add(firewall, link, batch, record);
		break;
	case PROTO_QUERY:
		batch_apply(firewall, link, batch);
		answer_query(firewall, link, record);
		break;
	case PROTO_READY:
		batch_apply(firewall, link, batch);
		engine_ready(firewall, link);
		break;
	case PROTO_RELOAD:
		if (link == firewall->current && link->state == LINK_RUNNING)
			engine_reload(firewall, fd);
		break;
	case PROTO_STATUS:
		(void)sd_notifyf(0, "STATUS=%s", record->text); /* nobody to tell: fine */
		break;
	case PROTO_ALIVE:
		break;
	case PROTO_NONE:
	case PROTO_GO:
	case PROTO_HELD:
	case PROTO_COUNTERS:
	case PROTO_HOSTNET:
	case PROTO_ADOPT:
	case PROTO_ADMIN_LIFT:
	case PROTO_CLIENT:
	case PROTO_HEALTH:
	case PROTO_RELOAD_ENDED:
	case PROTO_STOP:
	case PROTO_PEER:
	case PROTO_TYPES:
		log_line(LOG_ERR, "the engine sent a record that is not its own");
		break;
	}
	if (fd >= 0)
		(void)close(fd); /* whoever needed it has a copy */
}

static int on_engine(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	static struct batch batch; /* 400 KiB: not on the stack */
	struct link *link = context;
	struct proto_record record;
	struct error err;
	int passed_fd;
	int rc = 0;

	(void)source, (void)fd, (void)revents;
	(void)child_flush(&link->child); /* the rest with the next event */
	for (int i = 0; i < BATCH_MAX && !child_is_full(&link->child); i++) {
		rc = proto_receive(link->child.fd, &record, &passed_fd, &err);
		if (rc <= 0)
			break;
		handle_record(link->firewall, link, &batch, &record, passed_fd);
	}
	batch_apply(link->firewall, link, &batch);
	if (rc < 0) { /* its exit is handled when it comes; nonsense ends it */
		link->io = sd_event_source_disable_unref(link->io);
		if (strcmp(err.text, "closed") != 0) {
			log_line(LOG_CRIT, "the engine is ended: %s", err.text);
			(void)kill(link->child.pid, SIGKILL); /* its exit is handled when it comes */
		}
	}
	return 0;
}

static int start_engine(struct firewall *firewall, int client_fd, struct error *err)
{
	struct link *link = firewall->links[0].state == LINK_NONE ? &firewall->links[0] :
								     &firewall->links[1];

	*link = (struct link){ .firewall = firewall, .child = { .fd = -1 } };
	if (child_start(&link->child, "engine", firewall->options, client_fd, boot_s(), err) < 0)
		return -1;
	link->state = LINK_PREPARING;
	link->number = ++firewall->engines;
	link->protect = protect_new();
	firewall->next = link;
	if (sd_event_add_io(firewall->event, &link->io, link->child.fd, EPOLLIN, on_engine, link) < 0 ||
		sd_event_add_child(firewall->event, &link->exit, link->child.pid, WEXITED,
			on_engine_exit, link) < 0)
		return error_set(err, "cannot watch the engine");
	return 0;
}

/* ---- notifier ---- */

static int on_notifier(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct firewall *firewall = context;
	struct proto_record record;
	struct error err;
	int passed_fd;
	int rc;

	(void)source, (void)fd, (void)revents;
	while ((rc = proto_receive(firewall->notifier.fd, &record, &passed_fd, &err)) > 0) {
		firewall->notifier.alive_s = boot_s();
		if (passed_fd >= 0)
			(void)close(passed_fd); /* it has none to give */
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
	firewall->notifier_delay_s = firewall->notifier_delay_s ? firewall->notifier_delay_s * 2 : 1;
	if (firewall->notifier_delay_s > NOTIFIER_DELAY_MAX_S)
		firewall->notifier_delay_s = NOTIFIER_DELAY_MAX_S;
	firewall->notifier_again_s = boot_s() + firewall->notifier_delay_s;
	log_line(LOG_ERR, "the notifier ended (%s %d), started again in %d s: mails wait until then",
		info->si_code == CLD_EXITED ? "exit status" : "signal", info->si_status,
		(int)firewall->notifier_delay_s);
	tell_health(firewall, PROTO_PART_NOTIFIER, ECHILD, "ended, will be started again");
	return 0;
}

static void start_notifier(struct firewall *firewall)
{
	struct error err;

	if (child_start(&firewall->notifier, "notifier", firewall->options, -1, boot_s(), &err) < 0 ||
		sd_event_add_io(firewall->event, &firewall->notifier_io, firewall->notifier.fd, EPOLLIN,
			on_notifier, firewall) < 0 ||
		sd_event_add_child(firewall->event, &firewall->notifier_exit, firewall->notifier.pid,
			WEXITED, on_notifier_exit, firewall) < 0) {
		log_line(LOG_ERR, "cannot start the notifier: no mail is sent");
		firewall->notifier_again_s = boot_s() + NOTIFIER_DELAY_MAX_S;
		return;
	}
	join(firewall);
	tell_health(firewall, PROTO_PART_NOTIFIER, 0, "");
}

/* ---- the loop ---- */

/* Before the loop sleeps: what is queued for a child wants its socket writable, and a child whose
 * queue is long is not read. */
static int on_post(sd_event_source *source, void *context)
{
	struct firewall *firewall = context;

	(void)source;
	for (size_t i = 0; i < 2; i++) {
		struct link *link = &firewall->links[i];

		if (!link->io)
			continue;
		(void)child_flush(&link->child); /* the rest when it is writable */
		(void)sd_event_source_set_io_events(link->io,
			(child_is_full(&link->child) ? 0 : EPOLLIN) |
				(link->child.queue_count ? EPOLLOUT : 0));
	}
	return 0;
}

static void feed_watchdog(struct firewall *firewall)
{
	int64_t oldest_s = boot_s() - ALIVE_LIMIT_S;

	if (firewall->current && firewall->current->ready &&
		firewall->current->child.alive_s < oldest_s)
		return; /* the service manager ends us, and starts us again */
	if (firewall->notifier.pid && firewall->notifier.alive_s < oldest_s)
		(void)kill(firewall->notifier.pid, SIGKILL); /* started again by its exit */
	(void)sd_notify(0, "WATCHDOG=1"); /* nobody to tell: fine */
}

static void check_generation(struct firewall *firewall)
{
	struct error err;
	bool seen = true;

	firewall->next_generation_s = boot_s() + GENERATION_EVERY_S;
	elements_sweep(firewall->elements, boot_s());
	if (nft_generation(firewall->nft, &seen, &err) < 0)
		log_line(LOG_ERR, "cannot ask the firewall's state: %s", err.text);
	else if (!seen)
		restore(firewall, "");
}

static int on_tick(sd_event_source *source, uint64_t at_us, void *context)
{
	struct firewall *firewall = context;
	int64_t now_s = boot_s();

	(void)at_us;
	if (firewall->stopping && now_s > firewall->stop_limit_s)
		(void)sd_event_exit(firewall->event, EXIT_FAILURE); /* cannot fail in the loop */
	if (!firewall->stopping && !firewall->notifier.pid && now_s >= firewall->notifier_again_s)
		start_notifier(firewall);
	if (now_s >= firewall->next_ssh_s)
		refresh_ssh(firewall);
	if (firewall->nft && now_s >= firewall->next_generation_s)
		check_generation(firewall);
	feed_watchdog(firewall);
	(void)sd_event_source_set_time_relative(source, TICK_US); /* cannot fail on a live source */
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	(void)source, (void)info;
	begin_stop(context, EXIT_SUCCESS);
	return 0;
}

static int on_host_change(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct firewall *firewall = context;

	(void)source, (void)fd, (void)revents;
	hostnet_drain(firewall->hostnet);
	refresh_hosts(firewall);
	return 0;
}

static int add_sources(struct firewall *firewall)
{
	sd_event *event = firewall->event;
	sigset_t signals;

	(void)sigemptyset(&signals); /* these cannot fail with valid signals */
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	if (sd_event_add_signal(event, NULL, SIGTERM, on_signal, firewall) < 0 ||
		sd_event_add_signal(event, NULL, SIGINT, on_signal, firewall) < 0 ||
		sd_event_add_post(event, NULL, on_post, firewall) < 0 ||
		sd_event_add_io(event, NULL, hostnet_fd(firewall->hostnet), EPOLLIN, on_host_change,
			firewall) < 0 ||
		sd_event_add_time_relative(event, NULL, CLOCK_BOOTTIME, TICK_US, 0, on_tick, firewall) <
			0)
		return -1;
	if (firewall->nft && sd_event_add_io(event, NULL, nft_watch_fd(firewall->nft), EPOLLIN,
				     on_nft_event, firewall) < 0)
		return -1;
	return 0;
}

static int open_kernel(struct firewall *firewall, struct error *err)
{
	if (hostnet_open(&firewall->hostnet, err) < 0)
		return -1;
	if (firewall->options->dry_run)
		return 0;
	if (nft_open(&firewall->nft, err) < 0 || nft_ensure(firewall->nft, err) < 0)
		return -1;
	firewall->elements = elements_new(firewall->nft);
	return 0;
}

static void firewall_done(struct firewall *firewall)
{
	for (size_t i = 0; i < 2; i++) {
		if (firewall->links[i].child.pid)
			(void)kill(firewall->links[i].child.pid, SIGKILL); /* over its time */
		link_done(firewall, &firewall->links[i]);
	}
	if (firewall->notifier.pid)
		(void)kill(firewall->notifier.pid, SIGKILL); /* holds nothing that is lost */
	child_done(&firewall->notifier);
	elements_free(firewall->elements);
	nft_close(firewall->nft);
	hostnet_close(firewall->hostnet);
	protect_free(firewall->hosts);
	(void)sd_event_unref(firewall->event);
}

static int serve(struct firewall *firewall, struct error *err)
{
	struct sandbox_report report;
	int status;

	if (open_kernel(firewall, err) < 0)
		return -1;
	if (sd_event_new(&firewall->event) < 0 || add_sources(firewall) < 0)
		return error_set(err, "cannot make the event loop");
	if (sandbox_enter(SANDBOX_FIREWALL, NULL, 0, &report, err) < 0)
		return -1;
	start_notifier(firewall);
	if (start_engine(firewall, -1, err) < 0)
		return -1;
	status = sd_event_loop(firewall->event);
	return status < 0 ? error_errno(err, -status, "the event loop ended") : status;
}

int firewall_run(const struct run_options *options)
{
	struct firewall *firewall = alloc_zero(sizeof(*firewall));
	struct error err;
	int status;

	log_open("firewall");
	firewall->options = options;
	firewall->hosts = protect_new();
	firewall->notifier.fd = -1;
	firewall->next_generation_s = boot_s() + GENERATION_EVERY_S;
	for (size_t i = 0; i < 2; i++)
		firewall->links[i] = (struct link){ .firewall = firewall, .child = { .fd = -1 } };
	if (place_prepare(options, &firewall->listen_fd, &err) < 0) {
		log_line(LOG_ERR, "%s", err.text);
		free(firewall);
		return EXIT_FAILURE;
	}
	status = serve(firewall, &err);
	if (status < 0)
		log_line(LOG_ERR, "%s", err.text);
	(void)unlink(options->socket_path); /* fails where only root may: the next start does */
	firewall_done(firewall);
	free(firewall);
	return status < 0 ? EXIT_FAILURE : status;
}
