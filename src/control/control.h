#ifndef VG_CONTROL_H
#define VG_CONTROL_H

#include "base/ip.h"

#include <stdbool.h>
#include <stdint.h>

struct control;
struct error;
struct guard;
struct protect;
struct message;
struct tail;
struct wire;

/* The server's side of the control protocol. A client connects, sends one request (a JSON object on
 * one line, ended by a newline), gets one answer of the same form, and the connection is closed.
 * Requests: {"command":
 * "status"|"jails"|"jail"|"explain"|"ban"|"unban"|"allow"|"disallow"|"reload"|"version", ...}, as
 * in
 * {"command": "ban", "address": "192.0.2.1", "for_s": 3600}. An argument that the command does not
 * know, or of another JSON type, is refused: "address", "jail", "note" are strings, "all" is a
 * boolean, "for_s" is an integer above 0 (for a ban also -1: permanent); without it the default
 * holds.
 *
 * Answers: {"ok": true, ...}, with "warning": "a sentence" if it was done with a reservation; or
 * {"ok": false, "error": "a sentence"}, with "forbidden": true if this client may not ask at all.
 * All now_s are wall seconds. */
enum {
	/* at a time; one more takes the place of the oldest that has not sent its request yet, and
	 * is closed itself if all the others have */
	CONTROL_CONNECTIONS_MAX = 32,
	CONTROL_REQUEST_MAX = 8192, /* bytes; a longer request is refused */
	/* a connection that neither sends nor takes anything for this is closed */
	CONTROL_IDLE_S = 15,
	/* a status asks the kernel for the counters of this many bans, the newest */
	CONTROL_COUNTERS_MAX = 1000,
};

enum control_part {
	CONTROL_FIREWALL,
	CONTROL_ENGINE,
	CONTROL_NOTIFIER,
	CONTROL_STATE,
	CONTROL_MAIL,
	CONTROL_CONFIG,
	CONTROL_PARTS,
};

enum { CONTROL_HEALTH_TEXT_MAX = 512 };

struct control_health {
	bool ok;
	char text[CONTROL_HEALTH_TEXT_MAX]; /* rendered */
};

/* What control needs of the engine. It is copied; what its pointers lead to is borrowed and
 * outlives the control. */
struct control_engine {
	struct guard *guard;
	struct protect *protect;
	struct tail *tail;
	const struct control_health *health; /* [CONTROL_PARTS] */
	struct wire *wire;                   /* NULL: no copies of challenges are asked for */
	const struct control_health *wire_health;
	bool dry_run;
	int64_t started_s; /* wall clock */
	/* Writes all unwritten rows to the database now, without its timer. -1: nothing was
	 * written; err says why. */
	int (*commit)(void *context, struct error *err);
	/* Sends the bans and lifts that are queued to the firewall role, as far as there is room.
	 */
	void (*flush)(void *context);
	/* Passes the connection of the client, fd, to the firewall role for the next engine; the
	 * caller closes its own copy. -1: it cannot be done now; err says why. */
	int (*reload)(void *context, int fd, struct error *err);
	/* Sends one MESSAGE_QUERY. False: the pair with the firewall role is full, ask again later.
	 */
	bool (*query)(void *context, uint32_t serial, uint8_t scope, const struct ip *ip);
	void *context;
};

/* -1: no epoll descriptor could be made; *ret_control is NULL. */
int control_new(const struct control_engine *engine, struct control **ret_control,
	struct error *err);
void control_free(struct control *control);

/* Takes fd, an accepted connection. A client that runs as the daemon's own user is refused. */
void control_accept(struct control *control, int fd, int64_t now_s);
/* An epoll descriptor over all connections; when it is readable, call control_run and then
 * control_tick. It stays the control's. */
int control_fd(const struct control *control);
/* Reads requests and starts them, and sends answers that did not fit into a socket before. A
 * request that has to wait (status for the kernel's counters, ban for its acknowledgement) is only
 * noted here: control_tick goes on with it. */
void control_run(struct control *control, int64_t now_s);
/* Takes a MESSAGE_COUNTERS, the answer to a query. control_tick then answers the status, if it was
 * the last one. */
void control_counters(struct control *control, const struct message *record);
/* Goes on with every request that waits: sends its next queries, answers it if all that it waited
 * for has come or ANSWER_WAIT_S is over, and closes connections that are idle for too long. To be
 * called right after control_run, so that a status sends its queries at once; after every record of
 * the firewall role, which may be what a request waits for; and every second, for the time limits.
 * True while there is a connection. */
bool control_tick(struct control *control, int64_t now_s);

/* Answers a client whose connection came along with a MESSAGE_RELOAD. json is an object without
 * newline. A client that has gone is no error. Takes and closes fd. */
void control_answer(int fd, const char *json);

#endif
