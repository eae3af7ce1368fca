#ifndef VG_CHILD_H
#define VG_CHILD_H

#include "process/messages.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct error;
struct run_options;

/* The firewall role's side of one child: its process, its socket, and the records that wait for
 * room in it. */
enum { CHILD_QUEUE_MAX = 8192 }; /* at half of it the role stops reading what would be answered */

struct child {
	pid_t pid;             /* 0: none */
	int fd;                /* owned; -1: none */
	int64_t alive_s;       /* CLOCK_BOOTTIME of its last sign of life */
	struct message *queue; /* owned ring */
	size_t queue_first;
	size_t queue_count;
};

/* Starts role; client_fd (-1: none) goes along. */
int child_start(struct child *child, const char *role, const struct run_options *options,
	int client_fd, int64_t now_s, struct error *err);
/* Sends, or keeps for later in order. A record with a descriptor is sent at once or not at all.
 * -1: not sent and not kept. */
int child_send(struct child *child, const struct message *record, int passed_fd);
/* Sends what waits. False: some is left. */
bool child_flush(struct child *child);
/* Too much waits to read more that is answered. */
bool child_is_full(const struct child *child);
/* Closes the socket and forgets the process. */
void child_done(struct child *child);

#endif
