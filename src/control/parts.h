#ifndef VG_CONTROL_PARTS_H
#define VG_CONTROL_PARTS_H

/* Inside the control protocol: control.c has the connections, connection.c reads, writes and ends
 * one, command.c does what is asked on it. */

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

/* connection.c: a client's socket. */

/* Reads what has come. True: connection->in holds a whole request. */
bool connection_read(struct connection *connection, int epoll_fd, int64_t now_s);
/* Each ends the connection, at once or when all is written. Takes the reference. */
void connection_say(struct connection *connection, json_t *object);
void connection_say_error(struct connection *connection, const char *text);
/* Sends what is left of the answer, as far as there is room. */
void connection_write(struct connection *connection);
/* Has epoll tell when the rest of an answer, once it was too much for the socket, can be written.
 */
void connection_watch(struct connection *connection, int epoll_fd);
void connection_close(struct connection *connection);
/* Sets an answer's "warning": one sentence. */
void connection_warn(json_t *object, const char *text);

/* command.c: reads the request in connection->in and answers it, or has it wait. */
void command_run(struct control *control, struct connection *connection, int64_t now_s);

#endif
