#include "control/parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "control/status.h"
#include "decide/bans.h"
#include "decide/guard.h"
#include "process/messages.h"

int control_new(const struct control_engine *engine, struct control **ret_control,
	struct error *err)
{
	struct control *control = alloc_zero(sizeof(*control));

	control->engine = *engine;
	control->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		control->connections[i].fd = -1;
	*ret_control = control;
	if (control->epoll_fd >= 0)
		return 0;
	*ret_control = NULL;
	free(control);
	return error_errno(err, errno, "cannot make an epoll descriptor");
}

void control_free(struct control *control)
{
	if (!control)
		return;
	for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		connection_close(&control->connections[i]);
	(void)close(control->epoll_fd); /* nothing is pending on it */
	free(control);
}

/* Whether the client may ask. A process of the daemon's own user may not: engine and notifier run
 * as it, and a notifier that an attacker has taken over must not lift bans. */
static bool peer_is_allowed(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid != getuid();
}

void control_answer(int fd, const char *json)
{
	size_t length = strlen(json);
	struct iovec parts[] = { { .iov_base = (void *)(uintptr_t)json, .iov_len = length },
		{ .iov_base = (void *)(uintptr_t) "\n", .iov_len = 1 } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	/* the findings are capped (FINDINGS_SHOWN_MAX), so one call takes all; a client that has
	 * gone needs no answer */
	(void)sendmsg(fd, &message, MSG_NOSIGNAL);
	(void)close(fd); /* the answer was the last thing to do */
}

static struct connection *find_free(struct control *control)
{
	for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		if (control->connections[i].fd < 0)
			return &control->connections[i];
	return NULL;
}

/* The connection that came first among those whose request is not complete; NULL: there is none. */
static struct connection *find_idle(struct control *control)
{
	struct connection *idle = NULL;

	for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
		struct connection *connection = &control->connections[i];

		if (connection->out || connection->waiting != WAIT_NONE)
			continue;
		if (!idle || connection->number < idle->number)
			idle = connection;
	}
	return idle;
}

void control_accept(struct control *control, int fd, int64_t now_s)
{
	struct connection *free_place = find_free(control);
	struct epoll_event event = { .events = EPOLLIN };

	if (!free_place) {
		/* reads what has come: a client whose request is there is served and not pushed out
		 */
		control_run(control, now_s);
		free_place = find_free(control);
	}
	if (!free_place) {
		free_place = find_idle(control);
		if (free_place)
			connection_close(free_place);
	}
	event.data.ptr = free_place;
	if (!free_place || epoll_ctl(control->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		(void)close(fd); /* the client gets no answer and says so */
		return;
	}
	free_place->fd = fd;
	free_place->number = ++control->accepted;
	free_place->active_s = now_s;
	if (!peer_is_allowed(fd))
		connection_say(free_place,
			json_pack("{s:b, s:b, s:s}", "ok", 0, "forbidden", 1, "error",
				"refused: a process of the daemon's own user may not command it"));
}

int control_fd(const struct control *control)
{
	return control->epoll_fd;
}

void control_run(struct control *control, int64_t now_s)
{
	struct epoll_event events[CONTROL_CONNECTIONS_MAX];
	int count = epoll_wait(control->epoll_fd, events, CONTROL_CONNECTIONS_MAX, 0);

	for (int i = 0; i < count; i++) {
		struct connection *connection = events[i].data.ptr;

		if (connection->fd < 0)
			continue;
		connection->active_s = now_s;
		if (events[i].events & EPOLLOUT)
			connection_write(connection);
		else if (connection_read(connection, control->epoll_fd, now_s))
			command_run(control, connection, now_s);
		connection_watch(connection, control->epoll_fd);
	}
}

/* Serial numbers differ between statuses: the first one that knows the serial takes the answer. */
void control_counters(struct control *control, const struct message *record)
{
	for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		if (control->connections[i].status &&
			status_counters(control->connections[i].status, record))
			return;
}

/* Whether the firewall role has answered every change of this address that is queued or sent, in
 * whatever scope: only then the client's own change is sure to be in the kernel. */
static bool kernel_has(const struct control *control, const struct connection *connection)
{
	size_t n_scopes;

	(void)guard_scopes(control->engine.guard, &n_scopes); /* only their number */
	for (size_t i = 0; i < n_scopes; i++)
		if (bans_has_change(guard_bans(control->engine.guard), (uint8_t)i, &connection->ip))
			return false;
	return true;
}

/* Whether the ban that this connection asked for was refused by the firewall role (a protected
 * address: then guard_held has ended the ban) or by the kernel (then the ban has the errno value).
 */
static bool is_refused(const struct control *control, const struct connection *connection,
	const char **ret_why)
{
	struct bans *bans = guard_bans(control->engine.guard);
	const struct ban *ban;
	int failure = 0;

	if (connection->ban_jail < 0)
		return false;
	ban = bans_find(bans, (uint32_t)connection->ban_jail, &connection->ip);
	if (ban)
		(void)bans_in_kernel(bans, ban, &failure); /* only the errno value is wanted */
	*ret_why = ban ? strerror(failure) : "the address is protected";
	return !ban || failure != 0;
}

/* Goes on with one connection. late: the answer can wait no longer and goes without what is
 * missing, as a script waits for it. */
static void connection_tick(struct control *control, struct connection *connection, int64_t now_s)
{
	bool late = now_s > connection->deadline_s;
	const char *why = "";
	json_t *object;

	switch (connection->waiting) {
	case WAIT_COUNTERS:
		if (status_ask(connection->status) || late)
			connection_say(connection, status_json(connection->status, now_s));
		break;
	case WAIT_KERNEL:
		if (!kernel_has(control, connection) && !late)
			break;
		object = connection->answer;
		connection->answer = NULL;
		if (!late && is_refused(control, connection, &why)) {
			json_decref(object);
			object = json_pack("{s:b, s:s+}", "ok", 0, "error",
				"the firewall refuses the ban: ", why);
		}
		if (late)
			connection_warn(object, "the kernel has not acknowledged yet");
		connection_say(connection, object);
		break;
	case WAIT_NONE:
		if (now_s - connection->active_s > CONTROL_IDLE_S)
			connection_close(connection);
		break;
	}
	connection_watch(connection, control->epoll_fd);
}

bool control_tick(struct control *control, int64_t now_s)
{
	bool waits = false;

	for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
		if (control->connections[i].fd >= 0)
			connection_tick(control, &control->connections[i], now_s);
		waits = waits || control->connections[i].fd >= 0;
	}
	return waits;
}
