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

/* The control protocol, server side: one JSON object a line in, one JSON object a line out, then
 * the connection ends. Requests: {"command": "status"|"jails"|"jail"|"ban"|"unban"|"allow"|
 * "disallow"|"reload"|"version", ...}. An argument that the command does not know, or of another
 * JSON type, is refused: "address", "jail", "note" are strings, "all" is a boolean, "for_s" is an
 * integer above 0 (of a ban also -1: permanent) that is left out for the default.
 * Answers: {"ok": true, ...}, with "warning": "a sentence" where there is a but, or {"ok": false,
 * "error": "a sentence"}, with "forbidden": true where it is a matter of who asks. */
enum {
	CONTROL_CONNECTIONS_MAX = 32, /* one more takes the place of the one that has been silent
				       * longest; if all wait for answers, it is closed */
	CONTROL_REQUEST_MAX = 8192,   /* longer requests are refused */
	CONTROL_IDLE_S = 15,          /* then a connection that says or takes nothing is closed */
	CONTROL_COUNTERS_MAX = 1000,  /* newest bans whose kernel counters are asked for */
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

/* What control needs of the engine. */
struct control_engine {
	struct guard *guard;
	struct protect *protect;
	struct tail *tail;
	const struct control_health *health; /* [CONTROL_PARTS] */
	bool dry_run;
	int64_t started_s; /* wall clock */
	/* Writes all that is dirty. */
	int (*commit)(void *context, struct error *err);
	/* Hands queued changes to the firewall role. */
	void (*flush)(void *context);
	/* Gives the client's connection away to the next engine. -1: not now. */
	int (*reload)(void *context, int fd, struct error *err);
	/* Sends one MESSAGE_QUERY; false: the pair is full, ask again when it is not. */
	bool (*query)(void *context, uint32_t serial, uint8_t scope, const struct ip *ip);
	void *context;
};

int control_new(const struct control_engine *engine, struct control **ret_control,
	struct error *err);
void control_free(struct control *control);

/* Takes fd, an accepted connection. */
void control_accept(struct control *control, int fd, int64_t now_s);
/* An epoll descriptor; readable: call control_run. */
int control_fd(const struct control *control);
void control_run(struct control *control, int64_t now_s);
/* The answer to a query. */
void control_counters(struct control *control, const struct message *record);
/* After other work: sends queries that waited, answers what has become answerable, closes what
 * is idle. True while something waits (call again within a second). */
bool control_tick(struct control *control, int64_t now_s);

/* Answers a client whose connection was handed over (MESSAGE_RELOAD): text is a JSON object
 * without newline. Closes fd. */
void control_answer(int fd, const char *json);

#endif
