#include "process/child.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "process/launch.h"

int child_start(struct child *child, const char *role, const struct run_options *options,
	int client_fd, int64_t now_s, struct error *err)
{
	int pair[2];
	pid_t pid;

	if (message_pair(pair, err) < 0)
		return -1;
	pid = launch_role(role, options, pair[1], client_fd, err);
	(void)close(pair[1]); /* the child has its own */
	if (pid < 0) {
		(void)close(pair[0]);
		return -1;
	}
	*child = (struct child){ .pid = pid,
		.fd = pair[0],
		.alive_s = now_s,
		.queue = alloc_array(CHILD_QUEUE_MAX, sizeof(*child->queue)) };
	return 0;
}

bool child_flush(struct child *child)
{
	while (child->queue_count) {
		if (message_send(child->fd, &child->queue[child->queue_first], -1, NULL) == 0)
			return false;
		/* sent, or the other end is gone, which the caller learns when it next receives */
		child->queue_first = (child->queue_first + 1) % CHILD_QUEUE_MAX;
		child->queue_count--;
	}
	return true;
}

int child_send(struct child *child, const struct message *record, int passed_fd)
{
	if (child->fd < 0)
		return -1;
	if (passed_fd >= 0)
		return message_send(child->fd, record, passed_fd, NULL) == 1 ? 0 : -1;
	if (child_flush(child)) {
		int rc = message_send(child->fd, record, -1, NULL);

		if (rc != 0)
			return rc < 0 ? -1 : 0;
	}
	if (child->queue_count == CHILD_QUEUE_MAX)
		return -1;
	child->queue[(child->queue_first + child->queue_count) % CHILD_QUEUE_MAX] = *record;
	child->queue_count++;
	return 0;
}

bool child_is_full(const struct child *child)
{
	return child->queue_count > CHILD_QUEUE_MAX / 2;
}

void child_done(struct child *child)
{
	if (child->fd >= 0)
		(void)close(child->fd);
	free(child->queue);
	*child = (struct child){ .fd = -1 };
}
