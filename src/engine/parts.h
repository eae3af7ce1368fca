#ifndef VG_ENGINE_PARTS_H
#define VG_ENGINE_PARTS_H

/* Private to this folder: engine.c has the event loop and calls the other files, which never call
 * it. What an event handler has changed in memory, on_post() in engine.c sends to the firewall role
 * when the handler has returned, and starts the timer of the database commit. */

#include "engine/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "control/control.h"
#include "engine/start_config.h"
#include "engine/start_state.h"
#include "process/messages.h"

struct guard;
struct guard_events;
struct protect;
struct journal;
struct wire;

/* All parts of the engine. They are made in the order of serve() and freed in about the opposite
 * one. */
struct engine {
	const struct run_options *options;
	struct start_config start; /* owned: configuration, guard, protection */
	struct guard *guard;       /* borrowed from start */
	struct protect *protect;   /* owned: names and files of ignoreip, trunks, what is allowed */
	struct start_state state;  /* owned: database, logs, mails */
	struct journal *journal;   /* owned; NULL: no jail reads the journal */
	size_t *journal_jails;     /* owned; [number of the reader] = number of its jail */
	/* owned; the last jail without its reader, and why; NULL: none */
	char *journal_trouble;
	bool journal_ready; /* the journal may hold entries that are not read yet */
	struct wire *wire;  /* owned; NULL: no copies of challenges are asked for */
	struct control_health wire_health;
	char wire_trouble[MESSAGE_TEXT_MAX]; /* why there are no copies; "": there are */
	struct control *control;
	sd_event *event;
	sd_event_source *parent_io;
	sd_event_source *tail_io;
	sd_event_source *journal_io; /* NULL: no jail reads the journal */
	sd_event_source *busy_timer;
	sd_event_source *commit_timer;
	sd_event_source *peer_io;
	struct control_health health[CONTROL_PARTS];
	char *broken; /* owned; the sentence about jails left out, "" if none */
	/* Why the last commit failed, or how many rows were lost while it did; "": all is well. */
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

/* health.c: the health of all parts, which `status` shows, which the service manager gets in one
 * line, and of which jails that were left out are also told once by mail. */

/* text is rendered already; it is copied, and cut to CONTROL_HEALTH_TEXT_MAX. */
void health_set(struct engine *engine, enum control_part part, bool ok, const char *text);
/* Sets the health of the database: bad if state_trouble has a text, or if a database that could not
 * be used lies in the state directory. */
void health_check_state(struct engine *engine);
/* Sets the health of the parts that report no trouble by themselves: logs, mail, database,
 * configuration. (The firewall role sends its own and the notifier's.) */
void health_check(struct engine *engine);
/* Sets wire_health, which the status shows, and which makes it no failure. */
void health_check_wire(struct engine *engine);
/* Tells the firewall role that this engine lives, with the line that the service manager shows. It
 * is to be called every MESSAGE_ALIVE_S seconds: the event loop does so when next_alive_s is over.
 */
void health_send_alive(struct engine *engine);
/* Keeps the names of the jails that are left out for the status, and mails them. */
void health_tell_broken(struct engine *engine);

/* journal_jails.c: the jails that read the journal. */

/* Makes a reader for every jail that reads the journal. A jail whose reader cannot be made is
 * logged, shown in the status and reads nothing; the other jails still guard. -1: the journal
 * library cannot be used at all. */
int journal_jails_open(struct engine *engine, struct error *err);
/* Reads a bounded number of entries of every jail. scan: also if the journal has not signalled that
 * it changed. True: more entries wait to be read. */
bool journal_jails_read(struct engine *engine, bool scan);
/* Gives the store how far each jail has read, as a journal cursor. It is called right before a
 * commit. */
void journal_jails_save(struct engine *engine);
void journal_jails_close(struct engine *engine);

/* notifier_link.c: the connection to the notifier, the only role that may look up host names. Names
 * in logs are asked for the guard, names in ignoreip and of `allow` for protect. */

/* The callback guard_events.resolve: asks the notifier for the addresses of a name in a log. False:
 * it cannot be asked now. */
bool notifier_link_resolve(void *context, const char *name);
/* Makes engine->protect, which reads the files that ignoreip names. */
void notifier_link_protect_new(struct engine *engine);
/* Takes fd, the engine's end of the pair with a notifier that has just started; -1: there is no
 * notifier any more. */
void notifier_link_join(struct engine *engine, int fd);

#endif
