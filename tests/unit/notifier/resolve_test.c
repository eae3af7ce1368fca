#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "notifier/resolve.h"
#include "process/messages.h"

enum { NOW_MS = 1000000, ROUNDS = 400, ROUND_MS = 10, ANSWERS_MAX = 100 };

/* What the server says to one question. */
enum manner {
	SAYS,     /* the records of the zone, or that there are none */
	NXDOMAIN, /* no such name */
	SERVFAIL,
	REFUSED,
	SILENT,
	SHORT,     /* cut in the middle of a record */
	NOISE,     /* not DNS */
	TRUNCATED, /* TC: ask by TCP, where nobody listens */
	WRONG_ID,  /* an answer to somebody else's question */
	LOOP,      /* a compression pointer to itself */
	LIES,      /* more records announced than there are */
};

struct zone {
	const char *name;
	enum manner manner_a;
	enum manner manner_aaaa;
	const char *cname; /* the records are this name's */
	const char *a[40]; /* up to NULL */
	const char *aaaa[20];
	uint32_t ttl_s;
};

static int server_fd;
static char servers[32];
static const struct zone *zones;
static size_t n_zones;
static unsigned asked;
static struct resolve *resolve;
static struct message_name answers[ANSWERS_MAX];
static size_t n_answers;

static void on_answer(void *context, const struct message_name *answer)
{
	assert_ptr_equal(context, &n_answers);
	assert_true(n_answers < ANSWERS_MAX);
	answers[n_answers++] = *answer;
}

static int setup(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);

	(void)state;
	n_answers = 0;
	asked = 0;
	zones = NULL;
	n_zones = 0;
	server_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (server_fd < 0 || bind(server_fd, (struct sockaddr *)&address, size) < 0 ||
		getsockname(server_fd, (struct sockaddr *)&address, &size) < 0)
		return -1;
	(void)snprintf(servers, sizeof(servers), "127.0.0.1:%u", ntohs(address.sin_port));
	return resolve_new(servers, on_answer, &n_answers, &resolve, NULL);
}

static int teardown(void **state)
{
	(void)state;
	resolve_free(resolve);
	return close(server_fd);
}

/* ---- the server ---- */

static size_t put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return 2;
}

static size_t put_name(uint8_t *at, const char *name)
{
	size_t used = 0;

	while (*name) {
		size_t label = strcspn(name, ".");

		at[used++] = (uint8_t)label;
		memcpy(at + used, name, label);
		used += label;
		name += label + (name[label] == '.');
	}
	at[used++] = 0;
	return used;
}

static size_t put_record(uint8_t *at, const char *owner, unsigned type, uint32_t ttl_s,
	const void *data, size_t length)
{
	/* the question's name stands behind the head */
	size_t used = owner ? put_name(at, owner) : put16(at, 0xc00c);

	used += put16(at + used, type);
	used += put16(at + used, 1);
	used += put16(at + used, ttl_s >> 16);
	used += put16(at + used, ttl_s & 0xffff);
	used += put16(at + used, (unsigned)length);
	memcpy(at + used, data, length);
	return used + length;
}

static const struct zone *zone_of(const char *name)
{
	for (size_t i = 0; i < n_zones; i++)
		if (strcmp(zones[i].name, name) == 0)
			return &zones[i];
	return NULL;
}

/* Appends the records; returns their number. */
static unsigned put_zone(uint8_t *packet, size_t *used, const struct zone *zone, unsigned type)
{
	const char *const *list = type == 1 ? zone->a : zone->aaaa;
	unsigned count = 0;
	uint8_t bytes[256];

	if (zone->cname) {
		size_t length = put_name(bytes, zone->cname);

		*used += put_record(packet + *used, NULL, 5, zone->ttl_s / 2, bytes, length);
		count++;
	}
	for (; *list; list++, count++) {
		assert_int_equal(inet_pton(type == 1 ? AF_INET : AF_INET6, *list, bytes), 1);
		*used += put_record(packet + *used, zone->cname, type, zone->ttl_s, bytes,
			type == 1 ? 4 : 16);
	}
	return count;
}

static void bend(uint8_t *packet, size_t *used, size_t question, enum manner manner)
{
	switch (manner) {
	case NXDOMAIN:
		packet[3] |= 3;
		break;
	case SERVFAIL:
		packet[3] |= 2;
		break;
	case REFUSED:
		packet[3] |= 5;
		break;
	case SHORT:
		*used -= 3;
		break;
	case NOISE:
		memset(packet + 2, 0xff, *used - 2);
		break;
	case TRUNCATED:
		packet[2] |= 2;
		break;
	case WRONG_ID:
		packet[0] ^= 0x55;
		break;
	case LOOP:
		*used = question;
		*used += put16(packet + *used, 0xc000U | (unsigned)question);
		*used += put16(packet + *used, 1);
		put16(packet + 6, 1);
		break;
	case LIES:
		put16(packet + 6, 60000);
		break;
	case SAYS:
	case SILENT:
		break;
	}
}

static void serve_one(const uint8_t *query, size_t length, const struct sockaddr_in *peer)
{
	static uint8_t packet[4096];
	const struct zone *zone;
	enum manner manner;
	char name[256] = "";
	size_t at = 12;
	unsigned type;
	size_t used;
	unsigned count = 0;

	while (at < length && query[at]) {
		(void)snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s%.*s",
			name[0] ? "." : "", query[at], (const char *)query + at + 1);
		at += 1 + query[at];
	}
	assert_true(at + 5 <= length);
	type = query[at + 2];
	used = at + 5;
	memcpy(packet, query, used);
	packet[2] = 0x81;
	packet[3] = 0x80;
	memset(packet + 6, 0, 6);
	zone = zone_of(name);
	manner = !zone ? NXDOMAIN : type == 1 ? zone->manner_a : zone->manner_aaaa;
	if (zone)
		count = put_zone(packet, &used, zone, type);
	put16(packet + 6, count);
	bend(packet, &used, at + 5, manner);
	if (manner != SILENT)
		assert_int_equal(sendto(server_fd, packet, used, 0, (const struct sockaddr *)peer,
					 sizeof(*peer)),
			used);
}

static void serve(void)
{
	uint8_t query[512];
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	ssize_t got;

	while ((got = recvfrom(server_fd, query, sizeof(query), 0, (struct sockaddr *)&peer,
			&size)) > 0) {
		asked++;
		serve_one(query, (size_t)got, &peer);
	}
}

/* Until `wanted` answers are there, or the server has nothing to do any more. */
static void turn(size_t wanted)
{
	struct pollfd fds[] = { { .fd = server_fd, .events = POLLIN },
		{ .fd = resolve_fd(resolve), .events = POLLIN } };

	for (int round = 0; round < ROUNDS && n_answers < wanted; round++) {
		(void)poll(fds, 2, ROUND_MS);
		serve();
		resolve_run(resolve, NOW_MS);
	}
}

/* Until nothing more comes: what is still under way then waits for its time to be over. */
static void settle(void)
{
	struct pollfd fds[] = { { .fd = server_fd, .events = POLLIN },
		{ .fd = resolve_fd(resolve), .events = POLLIN } };

	for (int quiet = 0, round = 0; quiet < 3 && round < ROUNDS; round++) {
		quiet = poll(fds, 2, ROUND_MS) > 0 ? 0 : quiet + 1;
		serve();
		resolve_run(resolve, NOW_MS);
	}
}

static int try_to_ask(enum message_name_kind kind, const char *name, uint32_t serial,
	struct error *err)
{
	struct message_name question = { .kind = kind, .serial = serial };

	(void)snprintf(question.name, sizeof(question.name), "%s", name);
	return resolve_ask(resolve, &question, NOW_MS, err);
}

static void ask(const char *name, uint32_t serial)
{
	struct error err = { "" };

	if (try_to_ask(MESSAGE_NAME_COUNT, name, serial, &err) < 0)
		fail_msg("%s: %s", name, err.text);
}

static void has(const struct message_name *answer, const char *address)
{
	struct ip ip;

	assert_int_equal(ip_parse(address, strlen(address), &ip), 0);
	for (size_t i = 0; i < answer->count; i++)
		if (ip_equal(&answer->addresses[i], &ip))
			return;
	fail_msg("%s is not in the answer", address);
}

/* ---- tests ---- */

static void test_no_name(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(try_to_ask(MESSAGE_NAME_COUNT, "a b", 1, &err), -1);
	assert_int_equal(resolve_wait_ms(resolve, NOW_MS), -1);
}

static const struct zone good_zones[] = {
	{ "both.example.org", SAYS, SAYS, NULL, { "192.0.2.1", "192.0.2.2" }, { "2001:db8::1" },
		300 },
	{ "four.example.org", SAYS, SAYS, NULL, { "192.0.2.3" }, { NULL }, 60 },
	{ "six.example.org", SAYS, SAYS, NULL, { NULL }, { "2001:db8::3" }, 86400 },
	{ "alias.example.org", SAYS, SAYS, "real.example.org", { "192.0.2.4" }, { "2001:db8::4" },
		400 },
	{ "empty.example.org", SAYS, SAYS, NULL, { NULL }, { NULL }, 60 },
	{ "gone.example.org", NXDOMAIN, NXDOMAIN, NULL, { NULL }, { NULL }, 60 },
	{ "ever.example.org", SAYS, SAYS, NULL, { "192.0.2.5" }, { NULL }, 0x7fffffff },
	{ "twice.example.org", SAYS, SAYS, NULL, { "192.0.2.6", "192.0.2.6" }, { NULL }, 0 },
};

static void test_answers(void **state)
{
	static const struct {
		const char *name;
		enum message_name_outcome outcome;
		size_t count;
		uint32_t ttl_s;
		const char *addresses[4];
	} rows[] = {
		{ "both.example.org", MESSAGE_NAME_FOUND, 3, 300,
			{ "192.0.2.1", "192.0.2.2", "2001:db8::1" } },
		{ "four.example.org", MESSAGE_NAME_FOUND, 1, 60, { "192.0.2.3" } },
		{ "six.example.org", MESSAGE_NAME_FOUND, 1, 86400, { "2001:db8::3" } },
		/* the alias lives shorter than what it names */
		{ "alias.example.org", MESSAGE_NAME_FOUND, 2, 200, { "192.0.2.4", "2001:db8::4" } },
		{ "empty.example.org", MESSAGE_NAME_NONE, 0, 0, { NULL } },
		{ "gone.example.org", MESSAGE_NAME_NONE, 0, 0, { NULL } },
		{ "unknown.example.org", MESSAGE_NAME_NONE, 0, 0, { NULL } },
		{ "ever.example.org", MESSAGE_NAME_FOUND, 1, RESOLVE_TTL_MAX, { "192.0.2.5" } },
		{ "twice.example.org", MESSAGE_NAME_FOUND, 1, 0, { "192.0.2.6" } },
	};

	(void)state;
	zones = good_zones;
	n_zones = sizeof(good_zones) / sizeof(good_zones[0]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n_answers = 0;
		ask(rows[i].name, (uint32_t)i);
		turn(1);
		if (n_answers != 1)
			fail_msg("%s: no answer", rows[i].name);
		assert_int_equal(answers[0].serial, i);
		if (answers[0].outcome != rows[i].outcome || answers[0].count != rows[i].count ||
			answers[0].ttl_s != rows[i].ttl_s)
			fail_msg("%s: outcome %d, %u addresses, TTL %u", rows[i].name,
				(int)answers[0].outcome, answers[0].count, answers[0].ttl_s);
		for (size_t k = 0; rows[i].addresses[k]; k++)
			has(&answers[0], rows[i].addresses[k]);
	}
	assert_int_equal(resolve_wait_ms(resolve, NOW_MS), -1);
}

/* Whatever comes, there is one answer; and where one family is well, its addresses count. */
static void test_broken(void **state)
{
	static const enum manner broken[] = { SERVFAIL, REFUSED, SILENT, SHORT, NOISE, TRUNCATED,
		WRONG_ID, LOOP, LIES };

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		const struct zone bad[] = {
			{ "bad.example.org", broken[i], broken[i], NULL, { "192.0.2.1" },
				{ "2001:db8::1" }, 60 },
			{ "half.example.org", broken[i], SAYS, NULL, { "192.0.2.1" },
				{ "2001:db8::1" }, 60 },
			{ "none.example.org", broken[i], SAYS, NULL, { NULL }, { NULL }, 60 },
		};

		zones = bad;
		n_zones = 3;
		n_answers = 0;
		ask("bad.example.org", 0);
		ask("half.example.org", 1);
		ask("none.example.org", 2);
		settle();
		resolve_run(resolve, NOW_MS + RESOLVE_LIMIT_MS - 1);
		resolve_run(resolve, NOW_MS + RESOLVE_LIMIT_MS);
		assert_int_equal(n_answers, 3);
		for (size_t k = 0; k < 3; k++) {
			enum message_name_outcome outcome = answers[k].serial == 1
								    ? MESSAGE_NAME_FOUND
								    : MESSAGE_NAME_NO_ANSWER;

			if (answers[k].outcome != outcome)
				fail_msg("manner %d, question %d: outcome %d", (int)broken[i],
					(int)answers[k].serial, (int)answers[k].outcome);
			if (outcome == MESSAGE_NAME_FOUND)
				has(&answers[k], "2001:db8::1");
		}
	}
}

static void test_many_addresses(void **state)
{
	enum { A = 28, AAAA = 16 }; /* within 512 bytes each */
	static char texts[A + AAAA][24];
	struct zone many = { .name = "many.example.org", .ttl_s = 60 };

	(void)state;
	for (size_t i = 0; i < A; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "192.0.2.%zu", i + 1);
		many.a[i] = texts[i];
	}
	for (size_t i = 0; i < AAAA; i++) {
		(void)snprintf(texts[A + i], sizeof(texts[0]), "2001:db8::%zu", i + 1);
		many.aaaa[i] = texts[A + i];
	}
	zones = &many;
	n_zones = 1;
	ask("many.example.org", 0);
	turn(1);
	assert_int_equal(n_answers, 1);
	assert_int_equal(answers[0].outcome, MESSAGE_NAME_FOUND);
	assert_int_equal(answers[0].count, MESSAGE_NAME_ADDRESSES_MAX);
}

static void test_limits(void **state)
{
	const struct zone silent = { "x.example.org", SILENT, SILENT, NULL, { NULL }, { NULL }, 0 };
	struct error err;

	(void)state;
	zones = &silent;
	n_zones = 1;
	for (uint32_t i = 0; i < RESOLVE_QUESTIONS_MAX; i++) {
		bool is_reserved = i >= RESOLVE_QUESTIONS_MAX - RESOLVE_RESERVED;

		assert_int_equal(resolve_is_full(resolve, MESSAGE_NAME_COUNT), is_reserved);
		assert_false(resolve_is_full(resolve, MESSAGE_NAME_PROTECT));
		assert_int_equal(try_to_ask(MESSAGE_NAME_COUNT, "x.example.org", i, &err),
			is_reserved ? -1 : 0);
		if (is_reserved)
			assert_int_equal(try_to_ask(MESSAGE_NAME_PROTECT, "x.example.org", i, &err),
				0);
	}
	assert_true(resolve_is_full(resolve, MESSAGE_NAME_PROTECT));
	assert_int_equal(try_to_ask(MESSAGE_NAME_PROTECT, "x.example.org", 99, &err), -1);
	assert_non_null(strstr(err.text, "64"));
	assert_in_range(resolve_wait_ms(resolve, NOW_MS), 0, 1600);
	assert_int_equal(resolve_wait_ms(resolve, NOW_MS + RESOLVE_LIMIT_MS), 0);
	resolve_run(resolve, NOW_MS + RESOLVE_LIMIT_MS - 1);
	assert_int_equal(n_answers, 0);
	resolve_run(resolve, NOW_MS + RESOLVE_LIMIT_MS);
	assert_int_equal(n_answers, RESOLVE_QUESTIONS_MAX);
	assert_int_equal(answers[5].outcome, MESSAGE_NAME_NO_ANSWER);
	ask("x.example.org", 1); /* there is room again */
	resolve_drop(resolve);
	resolve_run(resolve, NOW_MS + 2 * RESOLVE_LIMIT_MS);
	assert_int_equal(n_answers, RESOLVE_QUESTIONS_MAX);
	ask("x.example.org", 1); /* freed with a question in flight */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
