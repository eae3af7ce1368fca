#ifndef VG_CHILD_H
#define VG_CHILD_H

#include "process/messages.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct error;
struct run_options;

/* The firewall role's side of one child, an engine or the notifier: its process, the socket to it,
 * and a queue of records that wait until the socket has room. */
enum { CHILD_QUEUE_MAX = 8192 }; /* records; above half of it, see child_is_full() */

struct child {
	pid_t pid;             /* 0: none */
	int fd;                /* owned; -1: none */
	int64_t alive_s;       /* when it last sent something; CLOCK_BOOTTIME in seconds */
	struct message *queue; /* owned; a ring of CHILD_QUEUE_MAX records */
	size_t queue_first;
	size_t queue_count;
};

/* Starts a process in this role ("engine", "notifier"), which gets client_fd (-1: none) as its
 * LAUNCH_CLIENT_FD; the caller keeps its own. now_s: CLOCK_BOOTTIME. On success the caller ends it
 * by child_done(); -1 with a sentence: nothing was started. */
int child_start(struct child *child, const char *role, const struct run_options *options,
	int client_fd, int64_t now_s, struct error *err);
/* Sends a record, or queues it behind those that wait. A record with a descriptor (passed_fd; -1:
 * none) is not queued: it is sent now, ahead of the queue, or not at all. -1: it was neither sent
 * nor queued, because the queue is full, the other end is gone, or there was no room for the
 * descriptor. */
int child_send(struct child *child, const struct message *record, int passed_fd);
/* Sends what is queued. False: the socket is full, and some is left. */
bool child_flush(struct child *child);
/* More than half of the queue is used. The role then stops reading this child's requests, since
 * each of them is answered and the answers need the other half. */
bool child_is_full(const struct child *child);
/* Closes the socket and frees the queue. The process is not ended, only forgotten. */
void child_done(struct child *child);

#endif
