#ifndef VG_ENGINE_PARTS_H
#define VG_ENGINE_PARTS_H

/* Inside the engine: engine.c is its loop and calls the other files, which never call it. What a
 * handler changes, the loop hands on and writes when the handler has ended. */

#include "engine/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "control/control.h"
#include "engine/start_config.h"
#include "engine/start_state.h"

struct guard;
struct guard_events;
struct protect;
struct journal;

/* All parts of the engine; made in this order, ended in the opposite one. */
struct engine {
	const struct run_options *options;
	struct start_config start; /* owned: configuration, guard, protection */
	struct guard *guard;       /* borrowed from start */
	struct protect *protect;   /* owned: names and files of ignoreip */
	struct start_state state;  /* owned: database, logs, mails */
	struct journal *journal;   /* owned; NULL: no jail reads it */
	size_t *journal_jails;     /* owned; by the number of the reader */
	char *journal_trouble;     /* owned; of jails whose journal cannot be opened, NULL: none */
	bool journal_ready;        /* it may hold entries that are not read yet */
	struct control *control;
	sd_event *event;
	sd_event_source *parent_io;
	sd_event_source *tail_io;
	sd_event_source *journal_io; /* NULL: no jail reads it */
	sd_event_source *busy_timer;
	sd_event_source *commit_timer;
	sd_event_source *peer_io;
	struct control_health health[CONTROL_PARTS];
	char *broken; /* owned; jails left out, "" if none */
	/* What keeps the database from being written, and what was lost; "": nothing. */
	char state_trouble[CONTROL_HEALTH_TEXT_MAX / 2];
	int64_t started_s;
	uint64_t last_read_us;
	int64_t next_positions_s;
	int64_t next_alive_s;
	bool commit_is_set;
	bool dry_run;
	bool reloading;
	bool caught_up;
	bool told_ready;
};

/* health.c: how all parts are, for `status`, the service manager and, once, by mail. */

void health_set(struct engine *engine, enum control_part part, bool ok, const char *text);
/* The database's, from state_trouble and its directory. */
void health_check_state(struct engine *engine);
/* That of all parts whose health has to be looked for. */
void health_check(struct engine *engine);
/* Tells the firewall role that this engine lives. */
void health_send_alive(struct engine *engine);
/* Names the jails that are left out, in the status and by mail. */
void health_tell_broken(struct engine *engine);

/* journal_jails.c: the jails that read the journal. */

/* A journal that cannot be opened is told, and its jail left out. */
int journal_jails_open(struct engine *engine, struct error *err);
/* True: there is more. */
bool journal_jails_read(struct engine *engine, bool scan);
/* Before a commit: gives the store how far each jail has read. */
void journal_jails_save(struct engine *engine);
void journal_jails_close(struct engine *engine);

/* notifier_link.c: what the notifier is asked about names. */

/* For guard_events: asks the notifier for a name of a log. */
bool notifier_link_resolve(void *context, const char *name);
/* Makes engine->protect, and reads the files of ignoreip. */
void notifier_link_protect_new(struct engine *engine);
/* Takes the descriptor to a notifier that has just started. */
void notifier_link_join(struct engine *engine, int fd);

#endif
