#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "decide/guard_fixture.h"

#include "control/control.h"
#include "follow/tail.h"
#include "process/messages.h"

enum { ANSWER_MAX = 1 << 20, OTHER_UID = 65534 };

static struct world world;
static struct tail *tail;
static struct control *control;
static struct control_health health[CONTROL_PARTS];
static bool commit_fails;
static unsigned commits;
static unsigned flushes;
static int reload_fd;
static bool reload_refused;
static unsigned queries;
static struct message counters; /* the answer to the last query */
static char text[ANSWER_MAX];

static void on_line(void *context, const struct line *line)
{
	(void)context, (void)line;
}

static void on_tail_note(void *context, int priority, const char *sentence)
{
	(void)context, (void)priority, (void)sentence;
}

static int on_commit(void *context, struct error *err)
{
	(void)context;
	commits++;
	assert_int_equal(flushes, 0); /* durable before the kernel hears of it */
	return commit_fails ? error_set(err, "disk full") : store_commit(world.store, 0, err);
}

static void on_flush(void *context)
{
	(void)context;
	flushes++;
}

static int on_reload(void *context, int fd, struct error *err)
{
	(void)context;
	if (reload_refused)
		return error_set(err, "another reload is under way");
	reload_fd = dup(fd);
	return 0;
}

static bool on_query(void *context, uint32_t serial, uint8_t scope, const struct ip *ip)
{
	(void)context;
	queries++;
	counters = (struct message){ .type = MESSAGE_COUNTERS,
		.serial = serial,
		.number = scope,
		.ip = *ip,
		.packets = 5 };
	return true;
}

static void start(bool dry_run)
{
	struct control_engine engine = { .guard = world.guard,
		.protect = world.protect,
		.tail = tail,
		.health = health,
		.dry_run = dry_run,
		.started_s = NOW_S,
		.commit = on_commit,
		.flush = on_flush,
		.reload = on_reload,
		.query = on_query };

	control_free(control);
	assert_int_equal(control_new(&engine, &control, NULL), 0);
	assert_true(control_fd(control) >= 0);
}

static int setup(void **state)
{
	static const struct tail_callbacks callbacks = { .line = on_line, .note = on_tail_note };

	(void)state;
	commit_fails = reload_refused = false;
	commits = flushes = queries = 0;
	reload_fd = -1;
	world = (struct world){ 0 };
	world_new(&world);
	if (tail_new(&callbacks, &tail, NULL) < 0)
		return -1;
	control = NULL;
	start(false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	control_free(control);
	tail_free(tail);
	world_done(&world);
	return 0;
}

/* A client of another user. */
static int client(void)
{
	int fds[2];

	if (getuid() != 0) {
		print_message("SKIP: a client of another user needs root\n");
		skip();
	}
	assert_int_equal(seteuid(OTHER_UID), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(seteuid(0), 0);
	control_accept(control, fds[0], NOW_S);
	return fds[1];
}

static void say(int fd, const char *request)
{
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	control_run(control, NOW_S);
}

/* What has been answered: one line, then the end; NULL: nothing yet. The object is the caller's. */
static json_t *answer(int fd)
{
	size_t used = 0;
	json_t *object;

	for (;;) {
		ssize_t got = recv(fd, text + used, sizeof(text) - used - 1, MSG_DONTWAIT);

		if (got < 0 && used == 0 && errno == EAGAIN)
			return NULL;
		if (got < 0 && errno == EAGAIN) {
			control_run(control, NOW_S);
			(void)control_tick(control, NOW_S);
			continue;
		}
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	text[used] = '\0';
	assert_true(used > 0 && text[used - 1] == '\n');
	assert_ptr_equal(strchr(text, '\n'), text + used - 1);
	object = json_loads(text, 0, NULL);
	assert_non_null(object);
	assert_int_equal(close(fd), 0);
	return object;
}

/* ok, and the error holds `error` if not NULL. */
static void assert_answer(int fd, bool ok, const char *error)
{
	json_t *object = answer(fd);
	const char *sentence;

	assert_non_null(object);
	sentence = json_string_value(json_object_get(object, "error"));
	if (json_is_true(json_object_get(object, "ok")) != ok ||
		(error && !(sentence && strstr(sentence, error))))
		fail_msg("answered %s", text);
	json_decref(object);
}

#define BAN "{\"command\": \"ban\""
#define ALLOW "{\"command\": \"allow\""

static const struct {
	const char *request;
	const char *error;
} refused[] = {
	{ "\n", "not a JSON object" },
	{ "{}\n", "not a JSON object" },
	{ "[1]\n", "not a JSON object" },
	{ "{\"command\": 3}\n", "not a JSON object" },
	{ "{\"command\": \"sta\n", "not a JSON object" },
	{ "{\"command\": \"dance\"}\n", "does not know" },
	{ "{\"command\": \"ban\"}\n", "address is missing" },
	{ "{\"command\": \"ban\", \"address\": \"x\\u001by\"}\n", "not an address" },
	{ "{\"command\": \"ban\", \"address\": \"127.0.0.1\"}\n", "protected" },
	{ "{\"command\": \"ban\", \"address\": \"192.0.2.1\", \"jail\": \"no\"}\n", "no jail" },
	{ "{\"command\": \"unban\"}\n", "address is missing" },
	{ "{\"command\": \"unban\", \"address\": \"192.0.2.1\"}\n", "not banned" },
	{ "{\"command\": \"unban\", \"all\": true, \"jail\": \"no\"}\n", "no jail" },
	{ "{\"command\": \"status\", \"jail\": \"no\"}\n", "no jail" },
	/* the wrong type is no default: no other jail, no other time */
	{ "{\"command\": \"status\", \"jail\": 7}\n", "jail: a string" },
	{ "{\"command\": \"status\", \"jail\": null}\n", "jail: a string" },
	{ "{\"command\": \"status\", \"x\\u001by\": 7}\n", "no argument 'x\\x1by'" },
	{ "{\"command\": \"jail\"}\n", "jail is missing" },
	{ "{\"command\": \"jail\", \"jail\": []}\n", "jail: a string" },
	{ "{\"command\": \"jails\", \"jail\": \"twin\"}\n", "jails has no argument 'jail'" },
	{ "{\"command\": \"reload\", \"jail\": \"twin\"}\n", "reload has no argument" },
	{ "{\"command\": \"version\", \"all\": true}\n", "version has no argument" },
	{ BAN ", \"address\": 3}\n", "address: a string" },
	{ BAN ", \"address\": \"192.0.2.1\", \"jail\": 7}\n", "jail: a string" },
	{ BAN ", \"address\": \"192.0.2.1\", \"note\": true}\n", "note: a string" },
	{ BAN ", \"address\": \"192.0.2.1\", \"for_s\": \"60\"}\n", "for_s: a whole number" },
	{ BAN ", \"address\": \"192.0.2.1\", \"for_s\": 60.0}\n", "for_s: a whole number" },
	{ BAN ", \"address\": \"192.0.2.1\", \"for_s\": null}\n", "for_s: a whole number" },
	{ BAN ", \"address\": \"192.0.2.1\", \"for_s\": 0}\n", "for_s: a ban lasts one second" },
	{ BAN ", \"address\": \"192.0.2.1\", \"for_s\": -2}\n", "for_s: a ban lasts one second" },
	{ BAN ", \"address\": \"192.0.2.1\", \"for_s\": 9223372036854775807}\n", "3000 years" },
	{ BAN ", \"address\": \"192.0.2.1\", \"all\": true}\n", "ban has no argument 'all'" },
	{ BAN ", \"address\": \"192.0.2.1\", \"for\": 60}\n", "ban has no argument 'for'" },
	{ BAN ", \"address\": \"192.0.2.1\", \"address\": \"192.0.2.2\"}\n", "not a JSON object" },
	{ "{\"command\": \"unban\", \"all\": \"yes\"}\n", "all: true or false" },
	{ "{\"command\": \"unban\", \"all\": 1}\n", "all: true or false" },
	{ "{\"command\": \"unban\", \"all\": true, \"jail\": 7}\n", "jail: a string" },
	{ "{\"command\": \"unban\", \"all\": true, \"address\": \"192.0.2.1\"}\n", "not both" },
	{ "{\"command\": \"unban\", \"all\": false}\n", "address is missing" },
	{ "{\"command\": \"unban\", \"address\": \"192.0.2.1\", \"note\": \"n\"}\n",
		"unban has no argument 'note'" },
	{ "{\"command\": \"allow\"}\n", "address is missing" },
	{ ALLOW ", \"address\": {}}\n", "address: a string" },
	{ ALLOW ", \"address\": \"192.0.2.1\", \"note\": 1}\n", "note: a string" },
	{ ALLOW ", \"address\": \"192.0.2.1\", \"for_s\": 0}\n", "for_s: one second or more" },
	{ ALLOW ", \"address\": \"192.0.2.1\", \"for_s\": -1}\n", "for_s: one second or more" },
	{ ALLOW ", \"address\": \"192.0.2.1\", \"for_s\": 600.0}\n", "for_s: a whole number" },
	{ ALLOW ", \"address\": \"192.0.2.1\", \"for_s\": \"10m\"}\n", "for_s: a whole number" },
	{ ALLOW ", \"address\": \"192.0.2.1\", \"for_s\": true}\n", "for_s: a whole number" },
	{ ALLOW ", \"address\": \"192.0.2.1\", \"for_s\": null}\n", "for_s: a whole number" },
	{ ALLOW ", \"address\": \"192.0.2.1\", \"for_s\": 100000000001}\n", "3000 years" },
	{ ALLOW ", \"address\": \"192.0.2.1\", \"for_s\": 9223372036854775807}\n", "3000 years" },
	{ ALLOW ", \"address\": \"192.0.2.1\", \"jail\": \"twin\"}\n", "allow has no argument" },
	{ "{\"command\": \"disallow\", \"address\": 1}\n", "address: a string" },
	{ "{\"command\": \"disallow\", \"address\": \"192.0.2.1\", \"for_s\": 1}\n",
		"disallow has no argument" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		int fd = client();

		say(fd, refused[i].request);
		assert_answer(fd, false, refused[i].error);
		assert_null(strchr(text, '\x1b'));
	}
	assert_int_equal(flushes, 0);
	assert_int_equal(reload_fd, -1);
	assert_null(protect_allowed(world.protect, 0));
}

static void test_own_user(void **state)
{
	int fds[2];
	json_t *object;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	control_accept(control, fds[0], NOW_S);
	object = answer(fds[1]);
	assert_non_null(object);
	assert_true(json_is_false(json_object_get(object, "ok")));
	assert_true(json_is_true(json_object_get(object, "forbidden")));
	json_decref(object);
}

static void test_pieces_and_limits(void **state)
{
	static char long_request[CONTROL_REQUEST_MAX];
	int fd = client();
	int idle;

	(void)state;
	say(fd, "{\"command\":");
	assert_null(answer(fd));
	say(fd, " \"version\"}\nand more");
	assert_answer(fd, true, NULL);
	fd = client();
	memset(long_request, ' ', sizeof(long_request));
	assert_int_equal(send(fd, long_request, sizeof(long_request), 0), sizeof(long_request));
	control_run(control, NOW_S);
	assert_answer(fd, false, "too long");
	idle = client();
	assert_true(control_tick(control, NOW_S + CONTROL_IDLE_S));
	assert_int_equal(recv(idle, text, 1, MSG_DONTWAIT), -1);
	assert_false(control_tick(control, NOW_S + CONTROL_IDLE_S + 1));
	assert_int_equal(recv(idle, text, 1, MSG_DONTWAIT), 0);
	assert_int_equal(close(idle), 0);
}

/* All places are taken by clients that wait for an answer: one more is turned away. */
static void test_many_clients(void **state)
{
	int fds[CONTROL_CONNECTIONS_MAX + 1];

	(void)state;
	world_fail(&world, TWIN, "192.0.2.1", NOW_S, NOW_S);
	for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
		fds[i] = client();
		say(fds[i], "{\"command\": \"status\"}\n");
	}
	fds[CONTROL_CONNECTIONS_MAX] = client();
	assert_int_equal(recv(fds[CONTROL_CONNECTIONS_MAX], text, 1, MSG_DONTWAIT), 0);
	assert_int_equal(close(fds[CONTROL_CONNECTIONS_MAX]), 0);
	(void)control_tick(control, NOW_S + 3); /* the kernel does not answer: room again */
	for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		assert_answer(fds[i], true, NULL);
	for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		fds[i] = client();
	for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
		say(fds[i], "{\"command\": \"version\"}\n");
		assert_answer(fds[i], true, NULL);
	}
}

static void test_ban_and_unban(void **state)
{
	int fd = client();

	(void)state;
	say(fd, "{\"command\": \"ban\", \"address\": \"192.0.2.1\", \"for_s\": 60, "
		"\"note\": \"n\"}\n");
	assert_int_equal(commits, 1);
	assert_int_equal(flushes, 1);
	assert_true(control_tick(control, NOW_S));
	assert_null(answer(fd)); /* until the kernel has it */
	(void)world_flush(&world, 0, NOW_S);
	(void)control_tick(control, NOW_S);
	assert_answer(fd, true, NULL);
	assert_null(strstr(text, "warning"));
	assert_int_equal(world_ban(&world, MANUAL, "192.0.2.1")->until_s, NOW_S + 60);
	fd = client();
	flushes = 0;
	say(fd, "{\"command\": \"unban\", \"address\": \"192.0.2.1\"}\n");
	(void)control_tick(control, NOW_S + 1);
	assert_null(answer(fd));
	(void)control_tick(control, NOW_S + 3); /* late: answered with a warning */
	assert_answer(fd, true, NULL);
	assert_non_null(strstr(text, "\"lifted\":1"));
	assert_non_null(strstr(text, "warning"));
	assert_null(world_ban(&world, MANUAL, "192.0.2.1"));
}

/* A time that is left out is for ever; -1 is a ban that is permanent. */
static void test_for(void **state)
{
	static const struct {
		const char *request;
		int64_t until_s;
	} allowed[] = {
		{ ALLOW ", \"address\": \"192.0.2.1\"}\n", 0 },
		{ ALLOW ", \"address\": \"192.0.2.1\", \"for_s\": 1}\n", NOW_S + 1 },
		{ ALLOW ", \"address\": \"192.0.2.1\", \"for_s\": 100000000000}\n",
			NOW_S + 100000000000 },
	};
	int fd;

	(void)state;
	fd = client();
	say(fd, BAN ", \"address\": \"192.0.2.9\", \"for_s\": -1}\n");
	(void)world_flush(&world, 0, NOW_S);
	(void)control_tick(control, NOW_S);
	assert_answer(fd, true, NULL);
	assert_int_equal(world_ban(&world, MANUAL, "192.0.2.9")->until_s, 0);
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		flushes = 0;
		fd = client();
		say(fd, allowed[i].request);
		(void)control_tick(control, NOW_S);
		assert_answer(fd, true, NULL);
		assert_non_null(protect_allowed(world.protect, 0));
		assert_int_equal(protect_allowed(world.protect, 0)->until_s, allowed[i].until_s);
	}
}

static void test_ban_that_the_kernel_refuses(void **state)
{
	int fd = client();

	(void)state;
	say(fd, "{\"command\": \"ban\", \"address\": \"192.0.2.1\"}\n");
	(void)world_flush(&world, EPERM, NOW_S);
	(void)control_tick(control, NOW_S);
	assert_answer(fd, false, NULL);
}

/* A number of seconds that no calendar has. */
static void test_ban_for_ages(void **state)
{
	int fd = client();

	(void)state;
	say(fd, "{\"command\": \"ban\", \"address\": \"192.0.2.1\", "
		"\"for_s\": 9223372036854775807}\n");
	(void)world_flush(&world, 0, NOW_S);
	(void)control_tick(control, NOW_S);
	json_decref(answer(fd));
	if (world_ban(&world, MANUAL, "192.0.2.1"))
		assert_true(world_ban(&world, MANUAL, "192.0.2.1")->until_s >= 0);
}

static void test_dry_run_and_full_disk(void **state)
{
	int fd;

	(void)state;
	commit_fails = true;
	fd = client();
	say(fd, "{\"command\": \"ban\", \"address\": \"192.0.2.1\"}\n");
	assert_int_equal(flushes, 1); /* it stands, whatever the database says */
	(void)world_flush(&world, 0, NOW_S);
	(void)control_tick(control, NOW_S);
	assert_answer(fd, true, NULL);
	assert_non_null(strstr(text, "\"warning\":\"done, but not written down yet: disk full\""));
	assert_non_null(world_ban(&world, MANUAL, "192.0.2.1"));
	flushes = 0;
	commit_fails = false;
	start(true);
	fd = client();
	say(fd, "{\"command\": \"ban\", \"address\": \"192.0.2.2\"}\n");
	assert_answer(fd, true, NULL);
}

/* What others have rendered is not rendered again: the JSON string is the rendered text. */
static void test_texts_are_rendered_once(void **state)
{
	const json_t *entry;
	json_t *object;
	int fd = client();

	(void)state;
	say(fd, "{\"command\": \"ban\", \"address\": \"a\\\\b\\u001b\"}\n");
	object = answer(fd);
	assert_string_equal(json_string_value(json_object_get(object, "error")),
		"'a\\\\b\\x1b' is not an address");
	json_decref(object);
	health[CONTROL_MAIL] = (struct control_health){ .text = "no 'a\\\\b\\x1b' \xc3" };
	fd = client();
	say(fd, "{\"command\": \"status\"}\n");
	(void)control_tick(control, NOW_S);
	object = answer(fd);
	entry = json_object_get(json_object_get(object, "health"), "mail");
	/* what a cut has left of a character is not JSON */
	assert_string_equal(json_string_value(json_object_get(entry, "text")),
		"no 'a\\\\b\\x1b' \\xc3");
	json_decref(object);
	health[CONTROL_MAIL] = (struct control_health){ .ok = true };
}

/* Those who say nothing lock nobody out: the one that came first goes, not one that has asked. */
static void test_silent_ones_make_room(void **state)
{
	int fds[CONTROL_CONNECTIONS_MAX + 2];
	char byte;

	(void)state;
	fds[0] = client();
	say(fds[0], "{\"command\": \"status\"}\n"); /* waits for its counters */
	fds[1] = client();
	/* not read yet */
	assert_true(send(fds[1], "{\"command\": \"version\"}\n", 23, MSG_NOSIGNAL) == 23);
	for (size_t i = 2; i < CONTROL_CONNECTIONS_MAX; i++)
		fds[i] = client();
	fds[CONTROL_CONNECTIONS_MAX] = client();
	assert_answer(fds[1], true, NULL); /* has asked and made room by itself */
	fds[CONTROL_CONNECTIONS_MAX + 1] = client();
	assert_int_equal(recv(fds[2], &byte, 1, MSG_DONTWAIT), 0); /* the oldest that is silent */
	assert_int_equal(recv(fds[3], &byte, 1, MSG_DONTWAIT), -1);
	say(fds[CONTROL_CONNECTIONS_MAX + 1], "{\"command\": \"version\"}\n");
	assert_answer(fds[CONTROL_CONNECTIONS_MAX + 1], true, NULL);
	(void)control_tick(control, NOW_S);
	assert_answer(fds[0], true, NULL);
	for (size_t i = 2; i <= CONTROL_CONNECTIONS_MAX; i++)
		assert_int_equal(close(fds[i]), 0);
}

static void test_status(void **state)
{
	json_t *object;
	int fd = client();

	(void)state;
	world_fail(&world, TWIN, "192.0.2.1", NOW_S, NOW_S);
	(void)world_flush(&world, 0, NOW_S);
	say(fd, "{\"command\": \"status\"}\n");
	assert_true(control_tick(control, NOW_S));
	assert_int_equal(queries, 1);
	assert_null(answer(fd));
	control_counters(control, &counters);
	(void)control_tick(control, NOW_S);
	object = answer(fd);
	assert_non_null(object);
	assert_int_equal(json_array_size(json_object_get(object, "jails")), 6);
	assert_non_null(strstr(text, "\"dropped_packets\":5"));
	json_decref(object);
	fd = client();
	say(fd, "{\"command\": \"status\", \"jail\": \"twin\"}\n");
	(void)control_tick(control, NOW_S + 2);
	assert_null(answer(fd));
	(void)control_tick(control, NOW_S + 3); /* the kernel does not answer */
	object = answer(fd);
	assert_non_null(object);
	assert_int_equal(json_array_size(json_object_get(object, "jails")), 1);
	assert_non_null(strstr(text, "\"dropped_packets\":null"));
	json_decref(object);
	control_counters(control, &counters); /* too late: nobody asked */
}

/* An answer larger than the socket's buffer arrives whole. */
static void test_large_answer(void **state)
{
	json_t *object;
	int fd = client();

	(void)state;
	for (uint32_t i = 0; i < 2500; i++) {
		struct ban ban = { .ip = ip_from_bytes(4, (const uint8_t[]){ 198, 18,
								  (uint8_t)(i >> 8), (uint8_t)i }),
			.jail = MANUAL,
			.since_s = NOW_S };

		assert_non_null(bans_add(guard_bans(world.guard), &ban));
	}
	say(fd, "{\"command\": \"status\", \"jail\": \"manual\"}\n");
	(void)control_tick(control, NOW_S + 3);
	object = answer(fd);
	assert_non_null(object);
	assert_true(strlen(text) > 400000);
	json_decref(object);
}

static void test_reload(void **state)
{
	int fd = client();

	(void)state;
	reload_refused = true;
	say(fd, "{\"command\": \"reload\"}\n");
	assert_answer(fd, false, "under way");
	reload_refused = false;
	fd = client();
	say(fd, "{\"command\": \"reload\"}\n");
	assert_true(reload_fd >= 0);
	assert_null(answer(fd)); /* the next engine answers on its copy */
	control_answer(reload_fd, "{\"ok\":true}");
	assert_answer(fd, true, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_texts_are_rendered_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silent_ones_make_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_user, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces_and_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_clients, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ban_and_unban, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ban_that_the_kernel_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_for, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ban_for_ages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dry_run_and_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_status, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
