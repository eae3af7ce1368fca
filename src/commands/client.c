#include "commands/client.h"

#include <errno.h>
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

static int connect_failed(const char *path)
{
	int number = errno;

	if (number == EACCES || number == EPERM) {
		(void)fprintf(stderr,
			"voipguard: not permitted to talk to the daemon at %s (be root or in group "
			"voipguard)\n",
			path);
		return EXIT_FORBIDDEN;
	}
	(void)fprintf(stderr, "voipguard: the daemon is not reachable at %s: %s\n", path,
		number == ENOENT         ? "no socket there (is it running?)"
		: number == ECONNREFUSED ? "it is not ready or has ended"
					 : strerror(number));
	return EXIT_UNREACHABLE;
}

static int open_socket(const char *path, int *ret_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = ANSWER_WAIT_S };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		(void)fprintf(stderr, "voipguard: the path of the socket is too long: %s\n", path);
		return EXIT_USAGE;
	}
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return connect_failed(path);
	/* without a limit it would wait for ever */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int status = connect_failed(path);

		(void)close(fd); /* nothing was sent */
		return status;
	}
	*ret_fd = fd;
	return EXIT_DONE;
}

bool client_reaches(const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || strlen(socket_path) >= sizeof(address.sun_path))
		return true; /* the request itself will tell what is wrong */
	memcpy(address.sun_path, socket_path, strlen(socket_path));
	return connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ||
	       (errno != ENOENT && errno != ECONNREFUSED);
}

static bool send_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		bytes += sent;
		length -= (size_t)sent;
	}
	return true;
}

/* Reads until the daemon closes the connection or ANSWER_WAIT_S pass without a byte. The caller
 * frees the bytes. NULL: there were none. */
static char *receive_all(int fd, size_t *ret_length)
{
	char *bytes = NULL;
	size_t length = 0;
	size_t room = 0;

	for (;;) {
		ssize_t got;

		if (length == room) {
			room = room ? room * 2 : 65536;
			bytes = alloc_grow(bytes, room, 1);
		}
		got = recv(fd, bytes + length, room - length, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || length > ANSWER_MAX_BYTES)
			break;
		length += (size_t)got;
	}
	*ret_length = length;
	if (length)
		return bytes;
	free(bytes);
	return NULL;
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
	cleanup_close int fd = -1;
	cleanup_free char *bytes = NULL;
	json_t *answer;
	size_t length = 0;
	int status;

	json_decref(request);
	status = open_socket(socket_path, &fd);
	if (status != EXIT_DONE)
		return status;
	/* a failure is ignored: a daemon that refuses us may close before it has read, and its
	 * answer says why */
	(void)(send_all(fd, text, strlen(text)) && send_all(fd, "\n", 1));
	bytes = receive_all(fd, &length);
	answer = bytes ? json_loadb(bytes, length, 0, NULL) : NULL;
	if (!json_is_object(answer)) {
		(void)fprintf(stderr,
			"voipguard: the daemon ended the connection without an answer\n");
		json_decref(answer);
		return EXIT_UNREACHABLE;
	}
	print_findings(answer);
	if (!json_is_true(json_object_get(answer, "ok"))) {
		const char *error = json_string_value(json_object_get(answer, "error"));

		status = json_is_true(json_object_get(answer, "forbidden")) ? EXIT_FORBIDDEN
									    : EXIT_NO;
		(void)fprintf(stderr, "voipguard: %s\n", error ? error : "refused");
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

static const char *string_of(const json_t *object, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : otherwise;
}

static json_int_t integer_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
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
			ok ? "" : plain, string_of(entry, "text", ""));
	}
}

static void print_files(const json_t *files)
{
	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *file = json_array_get(files, i);
		json_int_t lag = integer_of(file, "lag_bytes");

		(void)printf("  %-10s %s", string_of(file, "state", ""),
			string_of(file, "path", ""));
		if (lag > 0)
			(void)printf(" (%lld bytes to read)", (long long)lag);
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

static void print_bans(const json_t *bans)
{
	size_t width = strlen("ADDRESS");
	char numbers[3][32];

	if (!json_array_size(bans))
		return;
	for (size_t i = 0; i < json_array_size(bans); i++) {
		size_t length = strlen(string_of(json_array_get(bans, i), "address", ""));

		width = length > width ? length : width;
	}
	(void)printf("  %-*s  %-20s  %-20s  %8s  %7s  %6s  %-14s %s\n", (int)width, "ADDRESS",
		"SINCE", "UNTIL", "FAILURES", "DROPPED", "KERNEL", "CLOSED", "LAST ACCOUNT");
	for (size_t i = 0; i < json_array_size(bans); i++) {
		const json_t *ban = json_array_get(bans, i);

		(void)printf("  %-*s  %-20s  %-20s  %8s  %7s  %6s  %-14s %s\n", (int)width,
			string_of(ban, "address", ""), string_of(ban, "since", ""),
			string_of(ban, "until", "permanent"), cell(ban, "failures", numbers[0]),
			cell(ban, "dropped_packets", numbers[1]),
			cell(ban, "in_kernel", numbers[2]), string_of(ban, "scope", ""),
			string_of(ban, "last_account", ""));
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
			string_of(rule, "kind", ""), (long long)integer_of(rule, "rule"),
			string_of(rule, "at", ""), (long long)integer_of(rule, "lines"));
	}
}

static void print_jail(const json_t *jail)
{
	const json_t *failures = json_object_get(jail, "failures");
	const json_t *banned = json_object_get(jail, "banned");
	json_int_t bantime_s = integer_of(jail, "bantime_s");
	char findtime[DURATION_TEXT_MAX];
	char bantime[DURATION_TEXT_MAX];

	(void)printf("\nJail %s: ", string_of(jail, "name", ""));
	if (integer_of(jail, "maxretry") > 0)
		(void)printf("%lld failures in %s ban for %s\n",
			(long long)integer_of(jail, "maxretry"),
			duration_format(integer_of(jail, "findtime_s"), findtime),
			bantime_s < 0 ? "good" : duration_format(bantime_s, bantime));
	else
		(void)printf("bans by hand\n");
	(void)printf("  failures   %lld addresses now, %lld attempts in all\n",
		(long long)integer_of(failures, "current"),
		(long long)integer_of(failures, "total"));
	(void)printf("  banned     %lld now, %lld in all\n",
		(long long)integer_of(banned, "current"), (long long)integer_of(banned, "total"));
	if (integer_of(jail, "unresolved"))
		(void)printf("  unresolved %lld attempts of host names without an answer\n",
			(long long)integer_of(jail, "unresolved"));
	print_unsound(json_object_get(jail, "unsound"));
	print_limited(json_object_get(jail, "limited"));
	print_files(json_object_get(jail, "files"));
	print_bans(json_object_get(jail, "bans"));
}

static void print_allowed(const json_t *allowed)
{
	size_t width = 0;

	for (size_t i = 0; i < json_array_size(allowed); i++) {
		size_t length = strlen(string_of(json_array_get(allowed, i), "address", ""));

		width = length > width ? length : width;
	}
	if (width)
		(void)printf("\nAllowed by hand:\n");
	for (size_t i = 0; i < json_array_size(allowed); i++) {
		const json_t *entry = json_array_get(allowed, i);

		(void)printf("  %-*s  until %-20s  %s\n", (int)width,
			string_of(entry, "address", ""), string_of(entry, "until", "disallowed"),
			string_of(entry, "note", ""));
	}
}

void client_print_status(const struct json_t *answer)
{
	const json_t *jails = json_object_get(answer, "jails");
	char uptime[DURATION_TEXT_MAX];

	(void)printf("voipguard %s, up %s%s\n", string_of(answer, "version", ""),
		duration_format(integer_of(answer, "uptime_s"), uptime),
		json_is_true(json_object_get(answer, "dry_run")) ? ", DRY RUN: nothing is dropped"
								 : "");
	print_health(json_object_get(answer, "health"));
	if (integer_of(answer, "cut_lines"))
		(void)printf("  %lld lines were longer than 16 KiB and charged to nobody\n",
			(long long)integer_of(answer, "cut_lines"));
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
