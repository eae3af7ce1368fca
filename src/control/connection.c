#include "control/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "control/status.h"

void connection_close(struct connection *connection)
{
	if (connection->fd >= 0)
		(void)close(connection->fd); /* this takes it out of the epoll set, too */
	free(connection->out);
	free(connection->jail);
	status_free(connection->status);
	json_decref(connection->answer);
	memset(connection, 0, sizeof(*connection));
	connection->fd = -1;
}

void connection_write(struct connection *connection)
{
	while (connection->out_done < connection->out_length) {
		ssize_t sent = send(connection->fd, connection->out + connection->out_done,
			connection->out_length - connection->out_done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN)
			return;
		if (sent <= 0)
			break;
		connection->out_done += (size_t)sent;
	}
	connection_close(connection);
}

void connection_say(struct connection *connection, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	connection->waiting = WAIT_NONE;
	if (!text) {
		connection_close(connection);
		return;
	}
	connection->out_length = strlen(text) + 1;
	connection->out = alloc_grow(text, connection->out_length, 1);
	connection->out[connection->out_length - 1] = '\n';
	connection_write(connection);
}

/* text is rendered first: jansson refuses a string that is not UTF-8, as a part of a request may
 * be. */
void connection_say_error(struct connection *connection, const char *text)
{
	char shown[ERROR_TEXT_MAX * 4];

	text_rendered(shown, sizeof(shown), text);
	connection_say(connection, json_pack("{s:b, s:s}", "ok", 0, "error", shown));
}

void connection_warn(json_t *object, const char *text)
{
	char shown[ERROR_TEXT_MAX * 4];

	json_object_set_new(object, "warning",
		json_string(text_rendered(shown, sizeof(shown), text)));
}

bool connection_read(struct connection *connection, int epoll_fd, int64_t now_s)
{
	char *end;
	ssize_t got = recv(connection->fd, connection->in + connection->in_length,
		sizeof(connection->in) - connection->in_length, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got == 0 && (connection->out || connection->waiting != WAIT_NONE)) {
		/* the client has shut down its side: it sends no more, but waits for the answer */
		(void)epoll_ctl(epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
		return false;
	}
	if (got <= 0) {
		connection_close(connection);
		return false;
	}
	connection->active_s = now_s;
	if (connection->out || connection->waiting != WAIT_NONE)
		return false; /* one request a connection: what comes behind it is dropped */
	connection->in_length += (size_t)got;
	end = memchr(connection->in, '\n', connection->in_length);
	if (end)
		connection->in_length = (size_t)(end - connection->in);
	else if (connection->in_length == sizeof(connection->in))
		connection_say_error(connection, "the request is too long");
	return end != NULL;
}

void connection_watch(struct connection *connection, int epoll_fd)
{
	struct epoll_event event = { .events = EPOLLOUT, .data.ptr = connection };

	if (connection->fd < 0 || !connection->out)
		return;
	/* connection_read may have taken it out: then it is added again; if that fails too,
	 * CONTROL_IDLE_S ends it */
	if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) < 0)
		(void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &event);
}
