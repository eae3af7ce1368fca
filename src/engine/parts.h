#ifndef VG_ENGINE_PARTS_H
#define VG_ENGINE_PARTS_H

/* Inside the engine: engine.c is its loop, notifier_link.c talks to the notifier about
 * names, journal_jails.c reads the journal, health.c says how all parts are. */

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
struct ignore;
struct journal;

/* All parts of the engine; made in this order, ended in the opposite one. */
struct engine {
	const struct run_options *options;
	struct start_config start; /* owned: configuration, guard, protection */
	struct guard *guard;       /* borrowed from start */
	struct ignore *ignore;     /* owned: names and files of ignoreip */
	struct start_state state;  /* owned: database, logs, mails */
	struct journal *journal;   /* owned; NULL: no jail reads it */
	size_t *journal_jails;     /* owned; by the number of the reader */
	char *journal_trouble;     /* owned; of jails whose journal cannot be opened, NULL: none */
	bool journal_ready;        /* it has something to say */
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

void engine_set_health(struct engine *engine, enum control_part part, bool ok, const char *text);
/* The database's, from state_trouble and its directory. */
void engine_check_state(struct engine *engine);
/* What has to be looked at to be known. */
void engine_check_health(struct engine *engine);
void engine_send_alive(struct engine *engine);
/* For the status and, once, by mail. */
void engine_tell_broken(struct engine *engine);

/* Opens the journal for the jails that read it; what cannot be opened is told and left out. */
int engine_open_journal(struct engine *engine, struct error *err);
/* True: there is more. */
bool engine_read_journal(struct engine *engine, bool scan);
/* Before a commit. */
void engine_save_cursors(struct engine *engine);
void engine_close_journal(struct engine *engine);

/* For guard_events: asks the notifier for a name of a log. */
bool engine_resolve(void *context, const char *name);
/* Reads the files of ignoreip. */
void engine_ignore_new(struct engine *engine);
/* Takes the descriptor to a notifier that has just started. */
void engine_join_notifier(struct engine *engine, int fd);

#endif
