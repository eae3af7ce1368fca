#ifndef VG_CONTROL_PARTS_H
#define VG_CONTROL_PARTS_H

/* Private to this folder: control.c has the table of connections and goes on with requests that
 * wait, connection.c reads from, writes to and closes one connection, command.c does what a request
 * asks, status.c makes the answers about status and jails, explanation.c those about one address.
 */

#include "control/control.h"

#include <stddef.h>

#include <jansson.h>

/* Seconds for which a request waits for the firewall role. Then a status is answered without the
 * counters that are missing, a change with a warning. */
enum { ANSWER_WAIT_S = 2 };

/* What a connection waits for before it is answered: the request itself, the counters of a status,
 * or that the kernel has acknowledged a change. */
enum waiting { WAIT_NONE, WAIT_COUNTERS, WAIT_KERNEL };

/* in: the bytes of the request so far, in_length of them. out: the answer, of which out_done bytes
 * have been sent; with the last one the connection is closed. status: the status that still
 * collects counters. */
struct connection {
	int fd;          /* owned; -1: a free place */
	uint64_t number; /* counts up: the lower one came first */
	int64_t active_s;
	char in[CONTROL_REQUEST_MAX];
	size_t in_length;
	char *out; /* owned */
	size_t out_length;
	size_t out_done;
	enum waiting waiting;
	int64_t deadline_s;
	struct status *status; /* owned */
	json_t *answer;        /* owned; sent when the kernel has acknowledged */
	struct ip ip;          /* the address that the kernel has to acknowledge */
	int ban_jail;          /* the jail of a ban, which may be refused; -1: no ban */
	char *jail;            /* owned; the jail that a status is of; NULL: all */
};

struct control {
	struct control_engine engine;
	int epoll_fd;    /* owned */
	uint32_t serial; /* of the last status: see STATUS_SERIALS */
	uint64_t accepted;
	struct connection connections[CONTROL_CONNECTIONS_MAX];
};

/* connection.c: the socket of a client. */

/* Reads what has come. True: in[0..in_length) is a whole request, without its newline. False: it is
 * not there yet, or the connection has been closed or answered with an error. */
bool connection_read(struct connection *connection, int epoll_fd, int64_t now_s);
/* Sends an answer; the connection is closed when all of it is written, which may be before the
 * return. connection_say takes the reference to object; the text of an error is copied. */
void connection_say(struct connection *connection, json_t *object);
void connection_say_error(struct connection *connection, const char *text);
/* Sends what is left of the answer, as far as the socket has room; closes after the last byte. */
void connection_write(struct connection *connection);
/* If a part of the answer did not fit into the socket, has epoll wake control_run when there is
 * room. Does nothing for a connection that is closed or has no answer yet. */
void connection_watch(struct connection *connection, int epoll_fd);
/* Closes the socket, frees all, and leaves a free place. */
void connection_close(struct connection *connection);
/* Adds "warning" to an answer: one sentence, which is rendered and copied. */
void connection_warn(json_t *object, const char *text);

/* command.c: does what the request in connection->in asks. The answer is sent on return, or waiting
 * says what it waits for. */
void command_run(struct control *control, struct connection *connection, int64_t now_s);

#endif
