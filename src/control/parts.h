#ifndef VG_CONTROL_PARTS_H
#define VG_CONTROL_PARTS_H

/* Inside the control protocol: control.c has the connections, control_command.c what is asked on
 * them. */

#include "control/control.h"

#include <stddef.h>

#include <jansson.h>

enum { ANSWER_WAIT_S = 2 };

/* What a connection waits for before it is answered. */
enum waiting { WAIT_NONE, WAIT_COUNTERS, WAIT_KERNEL };

/* in: the request so far. out: the answer; it is written from out_done on, then the connection is
 * closed. status: the rows of a status whose counters are being asked. */
struct connection {
	int fd;          /* owned; -1: a free place */
	uint64_t number; /* in the order they came */
	int64_t active_s;
	char in[CONTROL_REQUEST_MAX];
	size_t in_length;
	char *out; /* owned */
	size_t out_length;
	size_t out_done;
	enum waiting waiting;
	int64_t deadline_s;
	struct status *status; /* owned */
	json_t *answer;        /* owned; goes out when the kernel has acknowledged */
	struct ip ip;          /* of that answer */
	int ban_jail;          /* of a ban that is to be answered; -1: something else */
	char *jail;            /* owned; status of one jail */
};

struct control {
	struct control_engine engine;
	int epoll_fd;    /* owned */
	uint32_t serial; /* of the next status */
	uint64_t accepted;
	struct connection connections[CONTROL_CONNECTIONS_MAX];
};

/* Each ends the connection, at once or when all is written. Takes the reference. */
void control_say(struct connection *connection, json_t *object);
void control_say_error(struct connection *connection, const char *text);
void control_close(struct connection *connection);
/* One more sentence in an answer's "warning". */
void control_warn(json_t *object, const char *text);

/* Reads the request in connection->in and answers it, or has it wait. */
void control_dispatch(struct control *control, struct connection *connection, int64_t now_s);

#endif
