#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "alloc.h"
#include "bans.h"
#include "error.h"
#include "guard.h"
#include "ignore.h"
#include "ignorelist.h"
#include "proto.h"
#include "report.h"
#include "text.h"

enum { ANSWER_WAIT_S = 2 };

/* What a connection waits for before it is answered. */
enum waiting { WAIT_NONE, WAIT_COUNTERS, WAIT_KERNEL };

/* in: the request so far. out: the answer; it is written from out_done on, then the connection is
 * closed. report: the rows of a status whose counters are being asked. */
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
	struct report *report; /* owned */
	json_t *answer;        /* owned; goes out when the kernel has acknowledged */
	struct ip ip;          /* of that answer */
	int ban_jail;          /* of a ban that is to be answered; -1: something else */
	char *jail;            /* owned; status of one jail */
};

struct control {
	struct control_engine engine;
	int epoll_fd;    /* owned */
	uint32_t serial; /* of the next report */
	uint64_t accepted;
	struct connection connections[CONTROL_CONNECTIONS_MAX];
};

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

static void connection_close(struct connection *connection)
{
	if (connection->fd >= 0)
		(void)close(connection->fd); /* also takes it out of the epoll set */
	free(connection->out);
	free(connection->jail);
	report_free(connection->report);
	json_decref(connection->answer);
	memset(connection, 0, sizeof(*connection));
	connection->fd = -1;
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

/* A process with the daemon's own uid is refused: a captured notifier must not unban. */
static bool peer_is_allowed(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid != getuid();
}

static void write_out(struct connection *connection)
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

/* Takes the reference. */
static void answer(struct connection *connection, json_t *object)
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
	write_out(connection);
}

/* text is rendered: jansson takes nothing that is not UTF-8. */
static void answer_error(struct connection *connection, const char *text)
{
	char shown[ERROR_TEXT_MAX * 4];

	text_rendered(shown, sizeof(shown), text);
	answer(connection, json_pack("{s:b, s:s}", "ok", 0, "error", shown));
}

void control_answer(int fd, const char *json)
{
	size_t length = strlen(json);
	struct iovec parts[] = { { .iov_base = (void *)(uintptr_t)json, .iov_len = length },
		{ .iov_base = (void *)(uintptr_t) "\n", .iov_len = 1 } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	/* findings are capped, and fit a stream socket's buffer; a client that has gone is no loss
	 */
	(void)sendmsg(fd, &message, MSG_NOSIGNAL);
	(void)close(fd); /* nothing is left to say */
}

static struct connection *find_free(struct control *control)
{
	for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		if (control->connections[i].fd < 0)
			return &control->connections[i];
	return NULL;
}

/* Of those that have not said what they want, the one that came first. */
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
		control_run(control, now_s); /* who has said something is not idle */
		free_place = find_free(control);
	}
	if (!free_place) {
		free_place = find_idle(control);
		if (free_place)
			connection_close(free_place);
	}
	if (free_place)
		event.data.u32 = (uint32_t)(free_place - control->connections);
	if (!free_place || epoll_ctl(control->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		(void)close(fd); /* the client sees it and says so */
		return;
	}
	free_place->fd = fd;
	free_place->number = ++control->accepted;
	free_place->active_s = now_s;
	if (!peer_is_allowed(fd))
		answer(free_place,
			json_pack("{s:b, s:b, s:s}", "ok", 0, "forbidden", 1, "error",
				"refused: a process of the daemon's own user may not command it"));
}

/* ---- commands ---- */

static const char *text_of(const json_t *request, const char *key)
{
	const json_t *value = json_object_get(request, key);

	return json_is_string(value) ? json_string_value(value) : NULL;
}

static void command_status(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const char *jail = text_of(request, "jail");
	char shown[128];

	if (jail && guard_find_jail(control->engine.guard, jail) < 0) {
		char text[256];

		(void)snprintf(text, sizeof(text), "there is no jail '%s'",
			text_render_string(shown, sizeof(shown), jail)); /* fits */
		answer(connection, json_pack("{s:b, s:s}", "ok", 0, "error", text));
		return;
	}
	connection->jail = jail ? alloc_string(jail) : NULL;
	connection->report =
		report_new(&control->engine, connection->jail, control->serial += REPORT_SERIALS);
	connection->waiting = WAIT_COUNTERS;
	connection->deadline_s = now_s + ANSWER_WAIT_S;
}

static void warn(json_t *object, const char *text)
{
	char shown[ERROR_TEXT_MAX * 4];

	json_object_set_new(object, "warning",
		json_string(text_rendered(shown, sizeof(shown), text)));
}

/* Makes the change durable, hands it to the kernel, and answers when that has acknowledged. A
 * database that fails does not undo it: the change is done in memory and goes to the kernel, and is
 * written when the database works again. That is what the answer says. */
static void finish_change(struct control *control, struct connection *connection,
	const struct ip *ip, int ban_jail, json_t *object, int64_t now_s)
{
	struct error err;
	char text[ERROR_TEXT_MAX + 64];

	if (control->engine.commit(control->engine.context, &err) < 0) {
		(void)snprintf(text, sizeof(text), "done, but not written down yet: %s",
			err.text); /* fits */
		warn(object, text);
	}
	control->engine.flush(control->engine.context);
	if (control->engine.dry_run || !ip) {
		answer(connection, object);
		return;
	}
	connection->answer = object;
	connection->ip = *ip;
	connection->ban_jail = ban_jail;
	connection->waiting = WAIT_KERNEL;
	connection->deadline_s = now_s + ANSWER_WAIT_S;
}

/* The widths that the kernel's sets have; another would never be held, but stand in the table. */
static bool width_is_allowed(const struct ip *ip)
{
	return ip_is_host(ip) || (ip->family == 4 && ip->bits == 24) ||
	       (ip->family == 6 && (ip->bits == 64 || ip->bits == 56 || ip->bits == 48));
}

static void command_ban(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const json_t *duration = json_object_get(request, "for_s");
	const char *address = text_of(request, "address");
	struct error err;
	struct ip ip;

	if (!address || ip_parse_prefix(address, &ip, &err) < 0) {
		answer_error(connection, address ? err.text : "the address is missing");
		return;
	}
	if (!width_is_allowed(&ip)) {
		answer_error(connection,
			"a ban is of one address, an IPv4 /24, or an IPv6 /64, /56 "
			"or /48");
		return;
	}
	ip = guard_unit(control->engine.guard, &ip);
	if (guard_ban(control->engine.guard, &ip, text_of(request, "jail"),
		    json_is_integer(duration) ? json_integer_value(duration) : 0,
		    text_of(request, "note"), now_s, &err) < 0)
		answer_error(connection, err.text);
	else
		finish_change(control, connection, &ip,
			guard_find_jail(control->engine.guard,
				text_of(request, "jail") ? text_of(request, "jail") : "manual"),
			json_pack("{s:b}", "ok", 1), now_s);
}

static void command_unban(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const char *address = text_of(request, "address");
	bool all = json_is_true(json_object_get(request, "all"));
	uint32_t lifted = 0;
	struct error err;
	struct ip ip;
	int rc;

	if (!all && (!address || ip_parse_prefix(address, &ip, &err) < 0)) {
		answer_error(connection, address ? err.text : "the address is missing");
		return;
	}
	if (!all)
		ip = guard_unit(control->engine.guard, &ip);
	if (all)
		rc = guard_unban_all(control->engine.guard, text_of(request, "jail"), now_s,
			&lifted, &err);
	else
		rc = guard_unban(control->engine.guard, &ip, text_of(request, "jail"), now_s,
			&lifted, &err);
	if (rc < 0)
		answer_error(connection, err.text);
	else
		finish_change(control, connection, all ? NULL : &ip, -1,
			json_pack("{s:b, s:I}", "ok", 1, "lifted", (json_int_t)lifted), now_s);
}

/* An address, or a name. False with a sentence: neither. */
static bool allowed_read(const struct control *control, const char *text, struct ip *ret_ip,
	bool *ret_is_name, struct error *err)
{
	enum ignorelist_kind kind = IGNORELIST_FILE;

	if (!text) {
		(void)error_set(err, "the address is missing");
		return false;
	}
	if (ignorelist_word(text, &kind, ret_ip, err) < 0)
		return false;
	*ret_is_name = kind == IGNORELIST_NAME;
	if (kind == IGNORELIST_FILE || (*ret_is_name && !control->engine.ignore)) {
		(void)error_set(err, "an address is wanted, or a host name");
		return false;
	}
	return true;
}

static void command_allow(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const json_t *duration = json_object_get(request, "for_s");
	int64_t for_s = json_is_integer(duration) ? json_integer_value(duration) : 0;
	const char *address = text_of(request, "address");
	const char *note = text_of(request, "note");
	struct error err;
	bool is_name;
	struct ip ip;
	int rc;

	if (!allowed_read(control, address, &ip, &is_name, &err)) {
		answer_error(connection, err.text);
		return;
	}
	if (is_name)
		rc = ignore_allow(control->engine.ignore, address, for_s, note, now_s, &err);
	else
		rc = guard_allow(control->engine.guard, &ip, for_s, note, now_s, &err);
	if (rc < 0)
		answer_error(connection, err.text);
	else
		finish_change(control, connection, is_name ? NULL : &ip, -1,
			json_pack("{s:b}", "ok", 1), now_s);
}

static void command_disallow(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const char *address = text_of(request, "address");
	struct error err;
	bool is_name;
	struct ip ip;

	if (!allowed_read(control, address, &ip, &is_name, &err))
		answer_error(connection, err.text);
	else if ((is_name ? ignore_disallow(control->engine.ignore, address, &err)
			  : guard_disallow(control->engine.guard, &ip, &err)) < 0)
		answer_error(connection, err.text);
	else
		finish_change(control, connection, NULL, -1, json_pack("{s:b}", "ok", 1), now_s);
}

static void command_jail(const struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const char *jail = text_of(request, "jail");
	int number = jail ? guard_find_jail(control->engine.guard, jail) : -1;
	char shown[128];
	char text[192];

	(void)snprintf(text, sizeof(text), "there is no jail '%s'",
		text_render_string(shown, sizeof(shown), jail ? jail : "")); /* fits */
	if (number < 0)
		answer_error(connection, text);
	else
		answer(connection, report_jail(control->engine.guard, (size_t)number, now_s));
}

static void command_reload(struct control *control, struct connection *connection)
{
	struct error err;

	if (control->engine.reload(control->engine.context, connection->fd, &err) < 0)
		answer_error(connection, err.text);
	else
		connection_close(connection); /* the next engine has its own copy and answers */
}

static void dispatch(struct control *control, struct connection *connection, int64_t now_s)
{
	json_t *request = json_loadb(connection->in, connection->in_length, 0, NULL);
	const char *command = text_of(request, "command");

	if (!command)
		answer_error(connection, "the request is not a JSON object with a command");
	else if (strcmp(command, "status") == 0)
		command_status(control, connection, request, now_s);
	else if (strcmp(command, "ban") == 0)
		command_ban(control, connection, request, now_s);
	else if (strcmp(command, "unban") == 0)
		command_unban(control, connection, request, now_s);
	else if (strcmp(command, "allow") == 0)
		command_allow(control, connection, request, now_s);
	else if (strcmp(command, "disallow") == 0)
		command_disallow(control, connection, request, now_s);
	else if (strcmp(command, "jails") == 0)
		answer(connection, report_jails(control->engine.guard, now_s));
	else if (strcmp(command, "jail") == 0)
		command_jail(control, connection, request, now_s);
	else if (strcmp(command, "reload") == 0)
		command_reload(control, connection);
	else if (strcmp(command, "version") == 0)
		answer(connection, json_pack("{s:b, s:s}", "ok", 1, "version", VERSION));
	else
		answer_error(connection, "the daemon does not know this command: is it older than "
					 "the client?");
	json_decref(request);
}

static void read_in(struct control *control, struct connection *connection, int64_t now_s)
{
	char *end;
	ssize_t got = recv(connection->fd, connection->in + connection->in_length,
		sizeof(connection->in) - connection->in_length, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got == 0 && (connection->out || connection->waiting != WAIT_NONE)) {
		/* it has said all it will: nothing more to read, the answer still goes out */
		(void)epoll_ctl(control->epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
		return;
	}
	if (got <= 0) {
		connection_close(connection);
		return;
	}
	connection->active_s = now_s;
	if (connection->out || connection->waiting != WAIT_NONE)
		return; /* one request a connection: the rest is not read */
	connection->in_length += (size_t)got;
	end = memchr(connection->in, '\n', connection->in_length);
	if (end) {
		connection->in_length = (size_t)(end - connection->in);
		dispatch(control, connection, now_s);
	} else if (connection->in_length == sizeof(connection->in)) {
		answer_error(connection, "the request is too long");
	}
}

int control_fd(const struct control *control)
{
	return control->epoll_fd;
}

/* Asks for the rest of an answer to be writable, once it was too much for the socket. */
static void watch_out(struct control *control, struct connection *connection)
{
	struct epoll_event event = { .events = EPOLLOUT,
		.data.u32 = (uint32_t)(connection - control->connections) };

	if (connection->fd < 0 || !connection->out)
		return;
	/* one that has been taken out is added again; if neither works, the idle limit ends it */
	if (epoll_ctl(control->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) < 0)
		(void)epoll_ctl(control->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event);
}

void control_run(struct control *control, int64_t now_s)
{
	struct epoll_event events[CONTROL_CONNECTIONS_MAX];
	int count = epoll_wait(control->epoll_fd, events, CONTROL_CONNECTIONS_MAX, 0);

	for (int i = 0; i < count; i++) {
		struct connection *connection = &control->connections[events[i].data.u32];

		if (connection->fd < 0)
			continue;
		connection->active_s = now_s;
		if (events[i].events & EPOLLOUT)
			write_out(connection);
		else
			read_in(control, connection, now_s);
		watch_out(control, connection);
	}
}

void control_counters(struct control *control, const struct proto_record *record)
{
	for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		if (control->connections[i].report &&
			report_counters(control->connections[i].report, record))
			return;
}

/* Every change that an answer waits for has been acknowledged. */
static bool kernel_has(const struct control *control, const struct connection *connection)
{
	size_t n_scopes;

	(void)guard_scopes(control->engine.guard, &n_scopes); /* only their number */
	for (size_t i = 0; i < n_scopes; i++)
		if (bans_has_change(guard_bans(control->engine.guard), (uint8_t)i, &connection->ip))
			return false;
	return true;
}

/* The ban that this connection asked for was refused by the firewall role or the kernel. */
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
		(void)bans_in_kernel(bans, ban, &failure); /* only the refusal is wanted */
	*ret_why = ban ? strerror(failure) : "the address is protected";
	return !ban || failure != 0;
}

static void connection_tick(struct control *control, struct connection *connection, int64_t now_s)
{
	bool late = now_s > connection->deadline_s;
	const char *why = "";
	json_t *object;

	switch (connection->waiting) {
	case WAIT_COUNTERS:
		if (report_ask(connection->report) || late)
			answer(connection, report_json(connection->report, now_s));
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
			warn(object, "the kernel has not acknowledged yet");
		answer(connection, object);
		break;
	case WAIT_NONE:
		if (now_s - connection->active_s > CONTROL_IDLE_S)
			connection_close(connection);
		break;
	}
	watch_out(control, connection);
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
