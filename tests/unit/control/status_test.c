#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include <jansson.h>

#include "decide/guard_fixture.h"

#include "control/control.h"
#include "control/status.h"
#include "follow/tail.h"
#include "process/messages.h"
#include "wire/wire.h"

enum { SERIAL = 8192, ASKED_MAX = 8192 };

struct asked {
	uint32_t serial;
	uint8_t scope;
	struct ip ip;
};

/* What was asked of the kernel; room: how many more fit. */
static struct asked asked[ASKED_MAX];
static size_t n_asked;
static size_t room;
static struct control_health health[CONTROL_PARTS];
static struct tail *tail;
static struct world world;
static struct control_engine engine;

static bool on_query(void *context, uint32_t serial, uint8_t scope, const struct ip *ip)
{
	(void)context;
	if (!room || n_asked == ASKED_MAX)
		return false;
	room--;
	asked[n_asked++] = (struct asked){ serial, scope, *ip };
	return true;
}

static void on_line(void *context, const struct line *line)
{
	(void)context, (void)line;
}

static void on_tail_note(void *context, int priority, const char *text)
{
	(void)context, (void)priority, (void)text;
}

static int setup(void **state)
{
	static const struct tail_callbacks callbacks = { .line = on_line, .note = on_tail_note };

	(void)state;
	n_asked = 0;
	room = ASKED_MAX;
	world = (struct world){ 0 };
	world_new(&world);
	for (size_t i = 0; i < CONTROL_PARTS; i++)
		health[i] = (struct control_health){ .ok = true };
	engine = (struct control_engine){ .guard = world.guard,
		.protect = world.protect,
		.health = health,
		.started_s = NOW_S - 50,
		.query = on_query };
	if (tail_new(&callbacks, &tail, NULL) < 0 ||
		tail_add(tail, "/nonexistent/x.log", false, false, NULL) != SIP)
		return -1;
	engine.tail = tail;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tail_free(tail);
	world_done(&world);
	return 0;
}

/* Answers query number i; failure ENOENT: not in the set. */
static bool reply(struct status *status, size_t i, int failure, uint64_t packets)
{
	struct message record = { .type = MESSAGE_COUNTERS,
		.serial = asked[i].serial,
		.number = asked[i].scope,
		.ip = asked[i].ip,
		.failure = failure,
		.packets = packets };

	return status_counters(status, &record);
}

static const json_t *jail_of(const json_t *object, const char *name)
{
	const json_t *list = json_object_get(object, "jails");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *jail = json_array_get(list, i);

		if (strcmp(json_string_value(json_object_get(jail, "name")), name) == 0)
			return jail;
	}
	return NULL;
}

static const json_t *ban_of(const json_t *object, const char *jail, const char *address)
{
	const json_t *list = json_object_get(jail_of(object, jail), "bans");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *ban = json_array_get(list, i);

		if (strcmp(json_string_value(json_object_get(ban, "address")), address) == 0)
			return ban;
	}
	fail_msg("%s has no ban of %s", jail, address);
	return NULL;
}

static void assert_text(const json_t *object, const char *key, const char *text)
{
	const json_t *value = json_object_get(object, key);

	if (!text)
		assert_true(json_is_null(value));
	else if (!json_is_string(value) || strcmp(json_string_value(value), text) != 0)
		fail_msg("%s is %s, not %s", key,
			json_is_string(value) ? json_string_value(value) : "no string", text);
}

static void assert_number(const json_t *object, const char *key, json_int_t number)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	assert_int_equal(json_integer_value(value), number);
}

static void test_proof(void **state)
{
	static const char *const counts[] = { "challenges", "foreign", "unreadable", "lost",
		"withdrawn", "nonces", "proven" };
	const struct control_health wire_health = { .ok = false, .text = "taken" };
	const struct scope ports = { 0 };
	struct status *status;
	const json_t *wire;
	json_t *object;

	(void)state;
	engine.wire = wire_new(&ports, NOW_S, NULL, NULL);
	engine.wire_health = &wire_health;
	wire_lost(engine.wire, NOW_S);
	status = status_new(&engine, NULL, SERIAL);
	object = status_json(status, NOW_S);
	wire = json_object_get(json_object_get(object, "proof"), "wire");
	assert_true(json_is_false(json_object_get(wire, "ok")));
	assert_text(wire, "text", "taken");
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		assert_number(wire, counts[i], strcmp(counts[i], "lost") == 0);
	json_decref(object);
	status_free(status);
	wire_free(engine.wire);
}

static void test_empty(void **state)
{
	struct status *status = status_new(&engine, NULL, SERIAL);
	json_t *object;

	(void)state;
	(void)snprintf(health[CONTROL_MAIL].text, CONTROL_HEALTH_TEXT_MAX, "no server");
	health[CONTROL_MAIL].ok = false;
	assert_true(status_ask(status));
	object = status_json(status, NOW_S);
	assert_true(json_is_true(json_object_get(object, "ok")));
	assert_number(object, "uptime_s", 50);
	assert_true(json_is_false(json_object_get(object, "dry_run")));
	assert_int_equal(json_object_size(json_object_get(object, "health")), CONTROL_PARTS);
	assert_text(json_object_get(json_object_get(object, "health"), "mail"), "text",
		"no server");
	assert_true(json_is_null(json_object_get(json_object_get(object, "proof"), "wire")));
	/* running and broken jails; off and manual only while they hold a ban */
	assert_int_equal(json_array_size(json_object_get(object, "jails")), 6);
	assert_non_null(jail_of(object, "bad"));
	assert_null(jail_of(object, "off"));
	assert_null(jail_of(object, "manual"));
	assert_number(jail_of(object, "sip"), "maxretry", 3);
	assert_number(jail_of(object, "sip"), "findtime_s", 60);
	assert_number(jail_of(object, "sip"), "bantime_s", 100);
	assert_text(json_array_get(json_object_get(jail_of(object, "sip"), "files"), 0), "path",
		"/nonexistent/x.log");
	assert_text(json_array_get(json_object_get(jail_of(object, "sip"), "files"), 0), "state",
		"waiting");
	assert_int_equal(json_array_size(json_object_get(jail_of(object, "ever"), "files")), 0);
	json_decref(object);
	status_free(status);
	status_free(NULL);
}

static void test_bans(void **state)
{
	struct ip ip = ip_of("192.0.2.9");
	struct status *status;
	const json_t *ban;
	json_t *object;
	struct error err;

	(void)state;
	world_line(&world, SIP, "fail as a\x1b from 192.0.2.1", false, NOW_S);
	world_line(&world, SIP, "fail as a\x1b from 192.0.2.1", false, NOW_S);
	world_line(&world, SIP, "fail as a\x1b from 192.0.2.1", false, NOW_S);
	world_line(&world, TWO, "fail via TCP from 2001:db8::1", false, NOW_S + 1);
	world_fail(&world, TWIN, "192.0.2.1", NOW_S, NOW_S);
	assert_int_equal(guard_ban(world.guard, &ip, NULL, -1, NULL, NOW_S, &err), 0);
	(void)world_flush(&world, 0, NOW_S);
	status = status_new(&engine, NULL, SERIAL);
	room = 2; /* the pair is full: the rest later */
	assert_false(status_ask(status));
	assert_int_equal(n_asked, 2);
	room = 100;
	assert_false(status_ask(status));
	assert_int_equal(n_asked, 5); /* sip, twin, manual, and two of jail two */
	for (size_t i = 0; i < n_asked; i++) {
		assert_false(status_ask(status));
		assert_int_equal(asked[i].serial - SERIAL, i);
		assert_true(reply(status, i, 0, asked[i].ip.family == 6 ? 10 : 7));
		assert_true(reply(status, i, 0, asked[i].ip.family == 6 ? 10 : 7)); /* twice */
	}
	assert_true(status_ask(status));
	assert_int_equal(n_asked, 5);
	object = status_json(status, NOW_S + 1);
	ban = ban_of(object, "sip", "192.0.2.1");
	assert_text(ban, "since", "2023-11-14T22:13:20Z");
	assert_text(ban, "until", "2023-11-14T22:15:00Z");
	assert_number(ban, "failures", 3);
	assert_text(ban, "scope", "udp:5060,5061");
	assert_text(ban, "proof", "unproven");
	assert_text(ban, "last_account", "a\\x1b");
	assert_number(ban, "dropped_packets", 7);
	assert_true(json_is_true(json_object_get(ban, "in_kernel")));
	ban = ban_of(object, "two", "2001:db8::/64");
	assert_number(ban, "dropped_packets", 20); /* of both elements */
	assert_text(ban, "scope", "tcp:5060 udp:5060");
	assert_text(ban, "proof", "proven");
	ban = ban_of(object, "manual", "192.0.2.9");
	assert_text(ban, "until", NULL);
	assert_text(ban, "last_account", NULL);
	assert_text(ban, "scope", "all");
	assert_number(json_object_get(jail_of(object, "sip"), "failures"), "total", 3);
	assert_number(json_object_get(jail_of(object, "sip"), "banned"), "current", 1);
	assert_number(json_object_get(jail_of(object, "sip"), "banned"), "total", 1);
	json_decref(object);
	status_free(status);
}

/* No answer, an answer that it is not there, an answer for something else. */
static void test_answers(void **state)
{
	struct message other = { .type = MESSAGE_COUNTERS, .ip = ip_of("192.0.2.1") };
	struct status *status;
	json_t *object;

	(void)state;
	world_fail(&world, TWIN, "192.0.2.1", NOW_S, NOW_S);
	world_fail(&world, TWIN, "192.0.2.2", NOW_S, NOW_S);
	(void)world_flush(&world, 0, NOW_S);
	status = status_new(&engine, "twin", SERIAL);
	assert_false(status_ask(status));
	assert_int_equal(n_asked, 2);
	for (int i = 0; i < 3; i++) {
		other.serial = (const uint32_t[]){ SERIAL - 1, SERIAL + 2, SERIAL + 5000 }[i];
		assert_false(status_counters(status, &other));
	}
	other.serial = asked[0].serial;
	other.ip = ip_of("203.0.113.5"); /* not what was asked under this number */
	assert_false(status_counters(status, &other));
	for (size_t i = 0; i < 2; i++)
		if (asked[i].ip.bytes[3] == 1)
			assert_true(reply(status, i, ENOENT, 0));
	assert_false(status_ask(status));
	object = status_json(status, NOW_S);
	assert_int_equal(json_array_size(json_object_get(object, "jails")), 1);
	assert_true(
		json_is_false(json_object_get(ban_of(object, "twin", "192.0.2.1"), "in_kernel")));
	assert_true(
		json_is_true(json_object_get(ban_of(object, "twin", "192.0.2.2"), "in_kernel")));
	assert_true(json_is_null(
		json_object_get(ban_of(object, "twin", "192.0.2.2"), "dropped_packets")));
	json_decref(object);
	status_free(status);
}

/* Many bans: the newest are asked for, each gets its own numbers, the list is newest first. */
static void test_many(void **state)
{
	enum { BANS = CONTROL_COUNTERS_MAX + 500 };
	struct status *status;
	const json_t *list;
	json_t *object;

	(void)state;
	for (uint32_t i = 0; i < BANS; i++) {
		struct ban ban = { .ip = ip_from_bytes(4, (const uint8_t[]){ 198, 18,
								  (uint8_t)(i >> 8), (uint8_t)i }),
			.jail = TWO,
			.since_s = NOW_S + (i * 7919) % BANS };

		assert_non_null(bans_add(guard_bans(world.guard), &ban));
	}
	status = status_new(&engine, NULL, SERIAL);
	assert_false(status_ask(status));
	assert_int_equal(n_asked, 2 * CONTROL_COUNTERS_MAX);
	for (size_t i = 0; i < n_asked; i++)
		assert_true(reply(status, i, 0,
			UINT64_C(256) * asked[i].ip.bytes[2] + asked[i].ip.bytes[3]));
	assert_true(status_ask(status));
	object = status_json(status, NOW_S);
	list = json_object_get(jail_of(object, "two"), "bans");
	assert_int_equal(json_array_size(list), BANS);
	for (size_t i = 0; i < BANS; i++) {
		const json_t *ban = json_array_get(list, i);
		const json_t *packets = json_object_get(ban, "dropped_packets");
		struct ip ip = ip_of(json_string_value(json_object_get(ban, "address")));
		unsigned number = 256U * ip.bytes[2] + ip.bytes[3];

		assert_int_equal((number * 7919) % BANS, BANS - 1 - i);
		if (i < CONTROL_COUNTERS_MAX)
			assert_int_equal(json_integer_value(packets), 2 * number);
		else
			assert_true(json_is_null(packets));
	}
	json_decref(object);
	status_free(status);
}

static void test_dry_run(void **state)
{
	struct status *status;
	json_t *object;

	(void)state;
	world_fail(&world, TWIN, "192.0.2.1", NOW_S, NOW_S);
	engine.dry_run = true;
	status = status_new(&engine, NULL, SERIAL);
	assert_true(status_ask(status));
	assert_int_equal(n_asked, 0);
	object = status_json(status, NOW_S);
	assert_true(json_is_true(json_object_get(object, "dry_run")));
	assert_true(
		json_is_false(json_object_get(ban_of(object, "twin", "192.0.2.1"), "in_kernel")));
	json_decref(object);
	status_free(status);
}

/* Lines that a parser gave up on, by kind, and rules that did so at their limit. */
static void test_unsound(void **state)
{
	/* longer than what a value may look like */
	static const char cut[] =
		"[x] SECURITY[1] res_security_log.c: SecurityEvent=\"FailedACL\","
		"EventTV=\"2026-11-23T08:51:05.686+0000\",Severity=\"Error\","
		"Service=\"PJSIP\",EventVersion=\"1\",AccountID=\"1\",SessionID=\""
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	static const char jails[] = "[DEFAULT]\nlogpath = /var/log/x\nenabled = true\n"
				    "[sound]\nfilter = security\n[slow]\nfilter = slow\n";
	struct world *own = &world;
	const json_t *limited;
	struct status *status;
	json_t *object;

	(void)state;
	world_done(own);
	*own = (struct world){ 0 };
	world_dir(own);
	world_put(own, "jail.local", jails);
	world_put(own, "security.conf",
		"[Definition]\nparser = asterisk-security\nfailregex = ^SecurityEvent=\n");
	world_put(own, "slow.conf", "[Definition]\nfailregex = ^x<HOST>$\n  (?:a+)+ <HOST>$\n");
	world_start(own, NOW_S);
	engine.guard = own->guard;
	engine.protect = own->protect;
	world_line(own, 0, cut, false, NOW_S);
	world_line(own, 0, cut, false, NOW_S);
	world_line(own, 1, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa x",
		false, NOW_S);
	status = status_new(&engine, NULL, SERIAL);
	assert_true(status_ask(status));
	object = status_json(status, NOW_S);
	assert_int_equal(json_object_size(json_object_get(jail_of(object, "sound"), "unsound")), 1);
	assert_number(json_object_get(jail_of(object, "sound"), "unsound"), "cut", 2);
	assert_int_equal(json_object_size(json_object_get(jail_of(object, "slow"), "unsound")), 0);
	assert_int_equal(json_array_size(json_object_get(jail_of(object, "sound"), "limited")), 0);
	limited = json_array_get(json_object_get(jail_of(object, "slow"), "limited"), 0);
	assert_text(limited, "kind", "failregex");
	assert_number(limited, "rule", 2);
	assert_number(limited, "lines", 1);
	assert_non_null(strstr(json_string_value(json_object_get(limited, "at")), "slow.conf:3"));
	json_decref(object);
	status_free(status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_proof, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bans, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dry_run, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unsound, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
