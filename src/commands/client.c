#include "commands/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/times.h"

enum { ANSWER_MAX_BYTES = 256 * 1024 * 1024, ANSWER_WAIT_S = 60 };

int client_say(int status, const char *format, ...)
{
	va_list args;

	/* if standard error fails, nothing else could tell */
	(void)fputs("voipguard: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputs("\n", stderr);
	return status;
}

/* Connects a new socket of type SOCK_STREAM | flags to path. *ret_fd: the socket, also if that
 * failed, unless it is -1; the caller closes it. Returns 0 or the errno value. */
static int socket_connect(const char *path, int flags, int *ret_fd)
{
	struct timeval limit = { .tv_sec = ANSWER_WAIT_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	*ret_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (*ret_fd < 0)
		return errno;
	/* without a limit it would wait for ever */
	(void)setsockopt(*ret_fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(*ret_fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return connect(*ret_fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
}

bool client_reaches(const char *socket_path)
{
	cleanup_close int fd = -1;
	int number = socket_connect(socket_path, SOCK_NONBLOCK, &fd);

	return number != ENOENT && number != ECONNREFUSED;
}

static int connect_failed(const char *path, int number)
{
	switch (number) {
	case ENAMETOOLONG:
		return client_say(EXIT_USAGE, "the path of the socket is too long: %s", path);
	case EACCES:
	case EPERM:
		return client_say(EXIT_FORBIDDEN,
			"not permitted to talk to the daemon at %s (be root or in group voipguard)",
			path);
	}
	return client_say(EXIT_UNREACHABLE, "the daemon is not reachable at %s: %s", path,
		number == ENOENT         ? "no socket there (is it running?)"
		: number == ECONNREFUSED ? "it is not ready or has ended"
					 : strerror(number));
}

/* What an answer is read from. */
struct source {
	int fd;
	size_t length; /* bytes read so far */
};

/* Gives jansson the next bytes. 0: the daemon has closed the connection, ANSWER_WAIT_S have passed
 * without a byte, or the answer is longer than ANSWER_MAX_BYTES. */
static size_t receive(void *buffer, size_t room, void *context)
{
	struct source *source = context;
	ssize_t got;

	if (source->length > ANSWER_MAX_BYTES)
		return 0;
	do
		got = recv(source->fd, buffer, room, 0);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return 0;
	source->length += (size_t)got;
	return (size_t)got;
}

static void print_findings(const json_t *answer)
{
	const json_t *list = json_object_get(answer, "findings");

	for (size_t i = 0; i < json_array_size(list); i++)
		(void)printf("%s\n", json_string_value(json_array_get(list, i)));
}

int client_ask(const char *socket_path, struct json_t *request, struct json_t **ret_answer)
{
	cleanup_free char *text = json_dumps(request, JSON_COMPACT);
	cleanup_free char *line = alloc_format("%s\n", text);
	cleanup_close int fd = -1;
	struct source source = { 0 };
	json_t *answer;
	int status;

	json_decref(request);
	status = socket_connect(socket_path, 0, &fd);
	if (status)
		return connect_failed(socket_path, status);
	/* The socket blocks, so that one call sends all. A failure is ignored: a daemon that
	 * refuses us may close before it has read, and its answer says why. */
	(void)send(fd, line, strlen(line), MSG_NOSIGNAL);
	source.fd = fd;
	answer = json_load_callback(receive, &source, 0, NULL);
	if (!json_is_object(answer)) {
		json_decref(answer);
		return client_say(EXIT_UNREACHABLE,
			"the daemon ended the connection without an answer");
	}
	print_findings(answer);
	if (!json_is_true(json_object_get(answer, "ok"))) {
		const char *error = json_string_value(json_object_get(answer, "error"));

		status = client_say(json_is_true(json_object_get(answer, "forbidden"))
					    ? EXIT_FORBIDDEN
					    : EXIT_NO,
			"%s", error ? error : "refused");
		json_decref(answer);
		return status;
	}
	*ret_answer = answer;
	return EXIT_DONE;
}

/* ---- status for people ---- */

static bool use_colour(void)
{
	return isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

const char *client_string(const json_t *object, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : otherwise;
}

long long client_integer(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

static void print_health(const json_t *health)
{
	const char *red = use_colour() ? "\033[1;31m" : "";
	const char *plain = use_colour() ? "\033[0m" : "";
	const char *name;
	json_t *entry;

	json_object_foreach((json_t *)(uintptr_t)health, name, entry)
	{
		bool ok = json_is_true(json_object_get(entry, "ok"));

		(void)printf("  %-10s %s%-4s%s %s\n", name, ok ? "" : red, ok ? "ok" : "BAD",
			ok ? "" : plain, client_string(entry, "text", ""));
	}
}

static void print_files(const json_t *files)
{
	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *file = json_array_get(files, i);
		long long lag = client_integer(file, "lag_bytes");

		(void)printf("  %-10s %s", client_string(file, "state", ""),
			client_string(file, "path", ""));
		if (lag > 0)
			(void)printf(" (%lld bytes to read)", lag);
		(void)printf("\n");
	}
}

/* A number as it is, a boolean as "yes" or "NO", all else as "-". */
static const char *cell(const json_t *object, const char *key, char out[32])
{
	const json_t *value = json_object_get(object, key);

	if (json_is_integer(value))
		text_format(out, 32, "%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		text_format(out, 32, "%s", json_is_true(value) ? "yes" : "NO");
	else
		text_format(out, 32, "%s", "-");
	return out;
}

/* The length of the longest "address" in a list, or that of the title if it is longer. */
static int address_width(const json_t *list, const char *title)
{
	size_t width = strlen(title);

	for (size_t i = 0; i < json_array_size(list); i++) {
		size_t length = strlen(client_string(json_array_get(list, i), "address", ""));

		width = length > width ? length : width;
	}
	return (int)width;
}

static void print_bans(const json_t *bans)
{
	int width = address_width(bans, "ADDRESS");
	char numbers[3][32];

	if (!json_array_size(bans))
		return;
	(void)printf("  %-*s  %-20s  %-20s  %8s  %7s  %6s  %-14s %s\n", width, "ADDRESS", "SINCE",
		"UNTIL", "FAILURES", "DROPPED", "KERNEL", "CLOSED", "LAST ACCOUNT");
	for (size_t i = 0; i < json_array_size(bans); i++) {
		const json_t *ban = json_array_get(bans, i);

		(void)printf("  %-*s  %-20s  %-20s  %8s  %7s  %6s  %-14s %s\n", width,
			client_string(ban, "address", ""), client_string(ban, "since", ""),
			client_string(ban, "until", "permanent"), cell(ban, "failures", numbers[0]),
			cell(ban, "dropped_packets", numbers[1]),
			cell(ban, "in_kernel", numbers[2]), client_string(ban, "scope", ""),
			client_string(ban, "last_account", ""));
	}
}

static void print_unsound(const json_t *unsound)
{
	const char *name;
	json_t *lines;
	bool first = true;

	json_object_foreach((json_t *)(uintptr_t)unsound, name, lines)
	{
		(void)printf("%s%s %lld", first ? "  unsound    lines that name nobody: " : ", ",
			name, (long long)json_integer_value(lines));
		first = false;
	}
	if (!first)
		(void)printf("\n");
}

static void print_limited(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *rule = json_array_get(list, i);

		(void)printf("  limit      %s %lld (%s) gave up on %lld lines: it tries too much\n",
			client_string(rule, "kind", ""), client_integer(rule, "rule"),
			client_string(rule, "at", ""), client_integer(rule, "lines"));
	}
}

static void print_jail(const json_t *jail)
{
	const json_t *failures = json_object_get(jail, "failures");
	const json_t *banned = json_object_get(jail, "banned");
	long long bantime_s = client_integer(jail, "bantime_s");
	char findtime[DURATION_TEXT_MAX];
	char bantime[DURATION_TEXT_MAX];

	(void)printf("\nJail %s: ", client_string(jail, "name", ""));
	if (client_integer(jail, "maxretry") > 0)
		(void)printf("%lld failures in %s ban for %s\n", client_integer(jail, "maxretry"),
			duration_format(client_integer(jail, "findtime_s"), findtime),
			bantime_s < 0 ? "good" : duration_format(bantime_s, bantime));
	else
		(void)printf("bans by hand\n");
	(void)printf("  failures   %lld addresses now, %lld attempts in all\n",
		client_integer(failures, "current"), client_integer(failures, "total"));
	(void)printf("  banned     %lld now, %lld in all\n", client_integer(banned, "current"),
		client_integer(banned, "total"));
	if (client_integer(jail, "unresolved"))
		(void)printf("  unresolved %lld attempts of host names without an answer\n",
			client_integer(jail, "unresolved"));
	print_unsound(json_object_get(jail, "unsound"));
	print_limited(json_object_get(jail, "limited"));
	print_files(json_object_get(jail, "files"));
	print_bans(json_object_get(jail, "bans"));
}

static void print_allowed(const json_t *allowed)
{
	int width = address_width(allowed, "");

	if (width)
		(void)printf("\nAllowed by hand:\n");
	for (size_t i = 0; i < json_array_size(allowed); i++) {
		const json_t *entry = json_array_get(allowed, i);

		(void)printf("  %-*s  until %-20s  %s\n", width,
			client_string(entry, "address", ""),
			client_string(entry, "until", "disallowed"),
			client_string(entry, "note", ""));
	}
}

void client_print_status(const struct json_t *answer)
{
	const json_t *jails = json_object_get(answer, "jails");
	char uptime[DURATION_TEXT_MAX];

	(void)printf("voipguard %s, up %s%s\n", client_string(answer, "version", ""),
		duration_format(client_integer(answer, "uptime_s"), uptime),
		json_is_true(json_object_get(answer, "dry_run")) ? ", DRY RUN: nothing is dropped"
								 : "");
	print_health(json_object_get(answer, "health"));
	if (client_integer(answer, "cut_lines"))
		(void)printf("  %lld lines were longer than 60 KiB: rules saw their start\n",
			client_integer(answer, "cut_lines"));
	for (size_t i = 0; i < json_array_size(jails); i++)
		print_jail(json_array_get(jails, i));
	print_allowed(json_object_get(answer, "allowed"));
}

bool client_is_unwell(const struct json_t *answer)
{
	const json_t *health = json_object_get(answer, "health");
	const char *name;
	json_t *entry;

	json_object_foreach((json_t *)(uintptr_t)health, name, entry)
	{
		if (!json_is_true(json_object_get(entry, "ok")))
			return true;
	}
	return false;
}
