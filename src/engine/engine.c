#include "base/clock.h"
#include "base/text.h"
#include "engine/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "base/error.h"
#include "base/log.h"
#include "config/config.h"
#include "control/control.h"
#include "decide/bans.h"
#include "decide/guard.h"
#include "engine/outbox.h"
#include "engine/start_config.h"
#include "engine/start_state.h"
#include "follow/journal.h"
#include "follow/tail.h"
#include "match/filter.h"
#include "process/launch.h"
#include "process/messages.h"
#include "protect/protect.h"
#include "state/store.h"
#include "wire/nonces.h"
#include "wire/wire.h"

enum {
	TICK_US = 1000000,
	COMMIT_US = 50000, /* from the first unwritten row to its commit; 100 ms are promised */
	BUSY_US = 1000,    /* closer wake-ups become one: 3 % of a core instead of 30 % */
	READ_BUDGET = 256 * 1024, /* bytes of logs read before bans are sent to the firewall role */
	POSITIONS_EVERY_S = 60,
	EXPIRE_MARGIN_S = 86400, /* rows of failures are kept for the longest findtime and this */
};

/* Makes the timer fire once, delay_us microseconds from now. Neither call can fail for a live
 * source. */
static void arm(sd_event_source *timer, uint64_t delay_us)
{
	(void)sd_event_source_set_time_relative(timer, delay_us);
	(void)sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static void on_alert(void *context, int64_t now_s, const char *dest, const char *sender,
	const struct letter *letter)
{
	struct engine *engine = context;

	outbox_add(engine->state.outbox, now_s, dest, sender, letter);
}

static void on_line(void *context, const struct line *line)
{
	struct engine *engine = context;

	guard_line(engine->guard, line, clock_wall_s());
}

/* ---- to the firewall role ---- */

/* Sends the queued bans and lifts to the firewall role. They do not wait for the database: its
 * commit runs on a timer of its own (commit_soon), and neither waits for the other. What does not
 * fit into the socket pair stays queued, and on_post() has the loop call when there is room again.
 * The role answers each with MESSAGE_HELD (handle_record). */
static void flush(void *context)
{
	struct engine *engine = context;
	struct bans *bans = guard_bans(engine->guard);
	struct ban_change change;

	while (bans_peek(bans, clock_wall_s(), &change)) {
		struct message record = { .type = change.lift ? MESSAGE_LIFT : MESSAGE_BAN,
			.number = change.scope,
			.ip = change.ip,
			.ttl_s = change.ttl_s };

		if (engine->dry_run) {
			bans_sent(bans);
			(void)bans_held(bans, change.scope, &change.ip, change.lift,
				change.lift ? 0 : ECANCELED); /* no answer will come */
			continue;
		}
		if (message_send(LAUNCH_PARENT_FD, &record, -1, NULL) != 1)
			return; /* full: sent later; broken: on_parent ends the engine */
		bans_sent(bans);
	}
}

static bool query(void *context, uint32_t serial, uint8_t scope, const struct ip *ip)
{
	struct message record = { .type = MESSAGE_QUERY,
		.number = scope,
		.serial = serial,
		.ip = *ip };

	(void)context;
	return message_send(LAUNCH_PARENT_FD, &record, -1, NULL) == 1;
}

static int reload(void *context, int fd, struct error *err)
{
	struct message record = { .type = MESSAGE_RELOAD };
	struct engine *engine = context;

	if (engine->reloading)
		return error_set(err, "another reload is under way");
	if (message_send(LAUNCH_PARENT_FD, &record, fd, NULL) != 1)
		return error_set(err, "the firewall role is busy: try again");
	engine->reloading = true;
	return 0;
}

/* ---- the database ---- */

static void save_position(void *context, const struct tail_position *position)
{
	store_position(context, position);
}

/* Writes all that is unwritten in one transaction. err may be NULL. -1: the rows stay in memory,
 * and the next tick tries again. A new mail leaves after this, when its row is on the disk. */
static int commit(void *context, struct error *err)
{
	struct engine *engine = context;
	int64_t keep_s = start_config_longest_findtime(&engine->start) + EXPIRE_MARGIN_S;
	/* lines not read yet may be old and still count with old failures */
	int64_t expire_before_s = engine->caught_up ? clock_wall_s() - keep_s : 0;
	struct error local;

	if (!err)
		err = &local;
	tail_positions(engine->state.tail, true, save_position, engine->state.store);
	journal_jails_save(engine);
	engine->next_positions_s = clock_wall_s() + POSITIONS_EVERY_S;
	if (store_commit(engine->state.store, expire_before_s, err) < 0) {
		if (!engine->state_trouble[0])
			log_line(LOG_ERR, "state is kept in memory only: %s", err->text);
		text_format(engine->state_trouble, sizeof(engine->state_trouble), "%s", err->text);
		health_check_state(engine);
		return -1;
	}
	engine->state_trouble[0] = '\0';
	if (store_lost(engine->state.store))
		text_format(engine->state_trouble, sizeof(engine->state_trouble),
			"%llu records were lost while the disk was full",
			(unsigned long long)store_lost(engine->state.store));
	health_check_state(engine);
	outbox_pump(engine->state.outbox, clock_wall_s());
	return 0;
}

static int on_commit(sd_event_source *source, uint64_t at_us, void *context)
{
	struct engine *engine = context;

	(void)source, (void)at_us;
	engine->commit_is_set = false;
	(void)commit(engine, NULL); /* a failure is logged, and the next tick tries again */
	return 0;
}

/* Starts the timer of the commit, if a row waits and it is not running. So a burst of bans is one
 * transaction, and its fsync does not hold up the kernel's bans, which flush() sends at once. */
static void commit_soon(struct engine *engine)
{
	if (engine->commit_is_set || !store_is_dirty(engine->state.store))
		return;
	engine->commit_is_set = true;
	arm(engine->commit_timer, COMMIT_US);
}

/* ---- reading ---- */

/* The copies of challenges come first: the answer left before its line was written, and a nonce is
 * to be known when the line is read. */
static void read_wire(struct engine *engine)
{
	if (engine->wire && !wire_read(engine->wire, clock_boot_s()))
		text_format(engine->wire_trouble, sizeof(engine->wire_trouble),
			"the copies of challenges cannot be read");
}

/* For the guard: the caller has answered a challenge that the kernel saw going to him alone, or, as
 * an unknown account and a refused address name none, has answered one a moment ago. That says
 * nothing about an old line. */
static bool prove(void *context, const struct hit *hit, int64_t now_s)
{
	const struct engine *engine = context;
	int64_t boot_s = clock_boot_s();

	if (!engine->wire || hit->transport.length != strlen("UDP") ||
		memcmp(hit->transport.text, "UDP", strlen("UDP")) != 0)
		return false;
	if (hit->challenge.length)
		return nonces_prove(wire_nonces(engine->wire), &hit->ip, hit->challenge.text,
			hit->challenge.length, boot_s);
	return hit->has_time && now_s - hit->at_ms / 1000 < NONCES_PROVEN_S &&
	       nonces_is_proven(wire_nonces(engine->wire), &hit->ip, boot_s);
}

/* Takes a MESSAGE_WIRE, and fd, which came along; -1: none. */
static void take_wire(struct engine *engine, const struct message *record, int fd)
{
	if (!engine->wire) {
		if (fd >= 0)
			(void)close(fd); /* not asked for */
		return;
	}
	if (fd >= 0 || record->failure) {
		wire_attach(engine->wire, fd, clock_boot_s());
		text_format(engine->wire_trouble, sizeof(engine->wire_trouble), "%s",
			fd >= 0 ? "" : record->text);
	} else {
		wire_lost(engine->wire, clock_boot_s());
	}
	health_check_wire(engine);
}

/* Reads logs and journal until nothing is left, a ban waits for the kernel, or COMMIT_US has
 * passed; then other events have their turn and busy_timer goes on. scan: looks at every file, also
 * at those for which inotify has sent no event. */
static void read_logs(struct engine *engine, bool scan)
{
	bool more;

	do {
		read_wire(engine);
		more = tail_reconcile(engine->state.tail, scan, READ_BUDGET);
		more = journal_jails_read(engine, scan) || more;
		scan = false;
		flush(engine);
	} while (more && bans_waiting(guard_bans(engine->guard)) == 0 &&
		 clock_boot_us() - engine->last_read_us < COMMIT_US);
	engine->caught_up = !more;
	if (more)
		arm(engine->busy_timer, 0);
}

static int on_busy(sd_event_source *source, uint64_t at_us, void *context)
{
	struct engine *engine = context;

	(void)source, (void)at_us;
	engine->last_read_us = clock_boot_us();
	(void)sd_event_source_set_enabled(engine->tail_io, SD_EVENT_ON);
	if (engine->journal_io)
		(void)sd_event_source_set_enabled(engine->journal_io, SD_EVENT_ON);
	read_logs(engine, false);
	return 0;
}

/* If the last read is over BUSY_US ago, this one is done at once, so that a ban is fast on an idle
 * machine. Else the source is switched off and busy_timer reads when the millisecond is over: a
 * busy log may wake us for every line. */
static int on_logs(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct engine *engine = context;
	uint64_t now_us = clock_boot_us();

	(void)fd, (void)revents;
	engine->journal_ready = engine->journal_ready || source == engine->journal_io;
	if (now_us - engine->last_read_us < BUSY_US) {
		(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
		arm(engine->busy_timer, BUSY_US);
		return 0;
	}
	engine->last_read_us = now_us;
	read_logs(engine, false);
	return 0;
}

/* ---- from the firewall role ---- */

static void log_refusal(const struct message *record)
{
	char address[IP_TEXT_MAX];

	if (record->failure == EPERM)
		log_line(LOG_WARNING, "%s is not banned: protected (%s)",
			ip_format(&record->ip, address), record->text);
	else if (record->failure)
		log_line(LOG_ERR, "the kernel refuses the ban of %s: %s",
			ip_format(&record->ip, address), strerror(record->failure));
}

static void stop(struct engine *engine)
{
	size_t waiting = guard_waiting_hits(engine->guard);

	if (waiting)
		log_line(LOG_WARNING,
			"%zu failures of hosts whose names were being looked up are counted for "
			"nobody: the engine ends",
			waiting);
	(void)commit(engine, NULL);            /* logged; the next start rereads */
	flush(engine);                         /* on_post is not called again */
	(void)sd_event_exit(engine->event, 0); /* cannot fail in the loop */
}

static void take_health(struct engine *engine, const struct message *record)
{
	if (record->number == MESSAGE_PART_CONNECTIONS)
		return; /* none are asked for */
	health_set(engine,
		record->number == MESSAGE_PART_FIREWALL ? CONTROL_FIREWALL : CONTROL_NOTIFIER,
		record->failure == 0, record->text);
	if (record->number == MESSAGE_PART_FIREWALL && record->failure == 0)
		bans_retry(guard_bans(engine->guard));
}

/* fd came along with the record, -1: none. A record that needs it takes it; else it is closed here.
 */
static void handle_record(struct engine *engine, const struct message *record, int fd)
{
	switch ((enum message_type)record->type) {
	case MESSAGE_HELD:
		log_refusal(record);
		guard_held(engine->guard, (uint8_t)record->number, &record->ip, record->ttl_s < 0,
			record->failure, clock_wall_s());
		return;
	case MESSAGE_COUNTERS:
		control_counters(engine->control, record);
		return;
	case MESSAGE_OWN_ADDRESS:
		start_config_host_record(&engine->start, record);
		return;
	case MESSAGE_ADOPT:
		guard_adopt(engine->guard, (uint8_t)record->number, &record->ip, record->ttl_s,
			clock_wall_s());
		return;
	case MESSAGE_ADMIN_LIFT:
		guard_admin_lift(engine->guard, (uint8_t)record->number, &record->ip);
		return;
	case MESSAGE_CLIENT:
		if (fd >= 0)
			control_accept(engine->control, fd, clock_wall_s());
		return;
	case MESSAGE_HEALTH:
		take_health(engine, record);
		return;
	case MESSAGE_WIRE:
		take_wire(engine, record, fd);
		return;
	case MESSAGE_RELOAD_ENDED:
		engine->reloading = false;
		return;
	case MESSAGE_PEER:
		notifier_link_join(engine, fd);
		return;
	case MESSAGE_STOP:
		stop(engine);
		break;
	case MESSAGE_NONE:
	case MESSAGE_SCOPE:
	case MESSAGE_PROTECT:
	case MESSAGE_LIFT_ON_STOP:
	case MESSAGE_WIRE_WANTED:
	case MESSAGE_CONNECTIONS_WANTED:
	case MESSAGE_CONNECTION:
	case MESSAGE_CONNECTION_SEEN:
	case MESSAGE_SEAL:
	case MESSAGE_BAN:
	case MESSAGE_LIFT:
	case MESSAGE_QUERY:
	case MESSAGE_READY:
	case MESSAGE_RELOAD:
	case MESSAGE_ALIVE:
	case MESSAGE_STATUS:
	case MESSAGE_GO:
	case MESSAGE_TYPES:
		break;
	}
	if (fd >= 0)
		(void)close(fd); /* only MESSAGE_CLIENT, _PEER and _WIRE bring one */
}

static int on_parent(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct engine *engine = context;
	struct message record;
	struct error err;
	int passed_fd;
	int rc;

	(void)source, (void)fd, (void)revents;
	while ((rc = message_receive(LAUNCH_PARENT_FD, &record, &passed_fd, &err)) > 0)
		handle_record(engine, &record, passed_fd);
	if (rc < 0)
		stop(engine); /* the firewall role is gone: the service ends */
	/* an answer of the kernel may be the one that a client waits for; on_tick calls again */
	(void)control_tick(engine->control, clock_wall_s());
	return 0;
}

static int on_control(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct engine *engine = context;

	(void)source, (void)fd, (void)revents;
	control_run(engine->control, clock_wall_s());
	/* goes on with what control_run has only noted: a status sends its first queries here, and
	 * one that needs none is answered; on_tick calls again */
	(void)control_tick(engine->control, clock_wall_s());
	return 0;
}

/* ---- time ---- */

static int on_tick(sd_event_source *source, uint64_t at_us, void *context)
{
	struct engine *engine = context;
	int64_t now_s = clock_wall_s();

	(void)at_us;
	engine->last_read_us = clock_boot_us();
	read_logs(engine, true);
	guard_tick(engine->guard, now_s, engine->caught_up);
	protect_tick(engine->protect, now_s);
	(void)control_tick(engine->control, now_s);
	if (now_s >= engine->next_positions_s || engine->state_trouble[0])
		(void)commit(engine, NULL); /* a failure is logged, and the next tick tries again */
	outbox_pump(engine->state.outbox, now_s);
	if ((int64_t)(clock_boot_us() / 1000000) >= engine->next_alive_s)
		health_send_alive(engine);
	health_check(engine);
	arm(source, TICK_US);
	return 0;
}

/* Sends MESSAGE_READY once, when every ban of the database has been sent. The firewall role then
 * lifts what an earlier engine has banned and this one has not asked for. Only now a client that
 * asked for the reload is told that it worked. */
static void tell_ready(struct engine *engine)
{
	struct message ready = { .type = MESSAGE_READY };
	struct ban_change change;

	if (engine->told_ready || bans_peek(guard_bans(engine->guard), clock_wall_s(), &change) ||
		message_send(LAUNCH_PARENT_FD, &ready, -1, NULL) != 1)
		return; /* on_post tries again when the pair is writable */
	engine->told_ready = true;
	start_config_answer(&engine->start, true);
}

/* sd-event calls this after every round of other handlers. It sends the bans that they queued at
 * once, and starts the timer for what they left to be written. As long as something did not fit
 * into the socket pair, the loop waits for room in it too. */
static int on_post(sd_event_source *source, void *context)
{
	struct engine *engine = context;
	struct ban_change change;
	bool more;

	(void)source;
	flush(engine);
	commit_soon(engine);
	tell_ready(engine);
	more = !engine->told_ready ||
	       bans_peek(guard_bans(engine->guard), clock_wall_s(), &change) ||
	       !protect_flush(engine->protect, clock_wall_s());
	(void)sd_event_source_set_io_events(engine->parent_io, EPOLLIN | (more ? EPOLLOUT : 0));
	return 0;
}

/* ---- start ---- */

static int add_sources(struct engine *engine, struct error *err)
{
	sd_event *event;

	if (sd_event_new(&engine->event) < 0)
		return error_set(err, "cannot make the event loop");
	event = engine->event;
	if (sd_event_add_io(event, &engine->parent_io, LAUNCH_PARENT_FD, EPOLLIN, on_parent,
		    engine) < 0 ||
		sd_event_add_io(event, &engine->tail_io, tail_fd(engine->state.tail), EPOLLIN,
			on_logs, engine) < 0 ||
		(engine->journal &&
			sd_event_add_io(event, &engine->journal_io, journal_fd(engine->journal),
				EPOLLIN, on_logs, engine) < 0) ||
		sd_event_add_io(event, NULL, control_fd(engine->control), EPOLLIN, on_control,
			engine) < 0 ||
		sd_event_add_time_relative(event, NULL, CLOCK_BOOTTIME, TICK_US, 0, on_tick,
			engine) < 0 ||
		sd_event_add_time_relative(event, &engine->commit_timer, CLOCK_BOOTTIME, COMMIT_US,
			1000, on_commit, engine) < 0 ||
		sd_event_add_time_relative(event, &engine->busy_timer, CLOCK_BOOTTIME, BUSY_US, 1,
			on_busy, engine) < 0 ||
		sd_event_add_post(event, NULL, on_post, engine) < 0)
		return error_set(err, "cannot make the event sources");
	(void)sd_event_source_set_enabled(engine->commit_timer, SD_EVENT_OFF); /* cannot fail */
	(void)sd_event_source_set_enabled(engine->busy_timer, SD_EVENT_OFF);
	(void)sd_event_source_set_priority(engine->tail_io, SD_EVENT_PRIORITY_IMPORTANT);
	return 0;
}

static int open_control(struct engine *engine, struct error *err)
{
	struct control_engine control = { .guard = engine->guard,
		.protect = engine->protect,
		.tail = engine->state.tail,
		.health = engine->health,
		.wire = engine->wire,
		.wire_health = &engine->wire_health,
		.dry_run = engine->dry_run,
		.started_s = engine->started_s,
		.commit = commit,
		.flush = flush,
		.reload = reload,
		.query = query,
		.context = engine };

	return control_new(&control, &engine->control, err);
}

static int serve(struct engine *engine, struct error *err)
{
	struct tail_callbacks callbacks = { .line = on_line, .note = log_note, .context = engine };
	int rc;

	for (size_t i = 0; i < CONTROL_PARTS; i++)
		health_set(engine, i, true, "");
	notifier_link_protect_new(engine);
	if (start_config_wants_wire(&engine->start))
		engine->wire =
			wire_new(&engine->start.config->sip_ports, clock_boot_s(), NULL, NULL);
	text_format(engine->wire_trouble, sizeof(engine->wire_trouble), "not ready yet");
	if (start_state(engine->options->state_dir, engine->start.config, engine->guard,
		    engine->protect, &callbacks, clock_wall_s(), &engine->state, err) < 0 ||
		journal_jails_open(engine, err) < 0 || open_control(engine, err) < 0 ||
		add_sources(engine, err) < 0)
		return -1;
	health_tell_broken(engine);
	if (engine->dry_run)
		health_set(engine, CONTROL_FIREWALL, true, "dry run: no firewall is touched");
	engine->last_read_us = clock_boot_us();
	protect_tick(engine->protect, clock_wall_s());
	read_logs(engine, true);
	health_check(engine);
	(void)commit(engine, NULL); /* a failure is logged, and the next tick tries again */
	health_send_alive(engine);
	(void)sd_event_source_set_io_events(engine->parent_io, EPOLLIN | EPOLLOUT);
	tell_ready(engine);
	rc = sd_event_loop(engine->event);
	return rc < 0 ? error_errno(err, -rc, "the event loop ended") : 0;
}

static void engine_done(struct engine *engine)
{
	control_free(engine->control);
	outbox_free(engine->state.outbox);
	journal_jails_close(engine);
	tail_free(engine->state.tail);
	if (engine->state.store)
		store_close(engine->state.store);
	protect_free(engine->protect);
	wire_free(engine->wire);
	free(engine->broken);
	start_config_done(&engine->start);
	(void)sd_event_unref(engine->event);
}

int engine_run(const struct run_options *options, int client_fd)
{
	struct engine engine = { .options = options,
		.dry_run = options->dry_run,
		.started_s = clock_wall_s() };
	struct guard_events events = { .alert = on_alert,
		.note = log_note,
		.resolve = notifier_link_resolve,
		.prove = prove,
		.context = &engine };
	struct error err;
	int rc;

	log_open("engine");
	rc = start_config(options, client_fd, &events, &engine.start, &err);
	if (rc == 0) {
		engine.guard = engine.start.guard;
		rc = start_config_wait_for_go(&engine.start, &err);
		rc = rc > 0 ? serve(&engine, &err) : rc;
	}
	if (rc < 0)
		log_line(LOG_ERR, "%s", err.text);
	engine_done(&engine);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
