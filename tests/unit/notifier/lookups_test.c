#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "base/error.h"
#include "notifier/lookups.h"
#include "process/messages.h"

enum { ROUNDS = 300, ROUND_US = 20000 };

static sd_event *event;
static struct lookups *lookups;
static int fds[2]; /* the engine's end, the notifier's */
static struct message_mail_packet packet;

static int setup(void **state)
{
	(void)state;
	if (sd_event_new(&event) < 0 || lookups_new(event, &lookups, NULL) < 0 ||
		message_pair(fds, NULL) < 0)
		return -1;
	lookups_peer(lookups, fds[1]);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lookups_free(lookups);
	(void)sd_event_unref(event);
	return close(fds[0]) < 0 || close(fds[1]) < 0 ? -1 : 0;
}

/* As the notifier does it with a packet of the engine. */
static void ask(enum message_name_kind kind, const char *name, uint32_t serial)
{
	struct message_name question = { .kind = kind, .serial = serial };

	(void)snprintf(question.name, sizeof(question.name), "%s", name);
	assert_int_equal(message_name_send(fds[0], &question, NULL), 1);
	assert_int_equal(message_mail_receive(fds[1], &packet, NULL), 1);
	lookups_packet(lookups, &packet);
}

/* False: no answer comes. */
static bool answered(struct message_name *ret_answer)
{
	for (int i = 0; i < ROUNDS; i++) {
		if (message_mail_receive(fds[0], &packet, NULL) == 1) {
			assert_int_equal(message_name_read(&packet, ret_answer), 0);
			return true;
		}
		assert_true(sd_event_run(event, ROUND_US) >= 0);
	}
	return false;
}

/* Names that take no name server and no file (RFC 6761 6.3). */
static void test_localhost(void **state)
{
	static const char *const names[] = { "localhost", "LOCALHOST.", "mail.localhost" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct message_name answer;
		char text[IP_TEXT_MAX];

		ask(MESSAGE_NAME_PROTECT, names[i], 5);
		assert_true(answered(&answer));
		assert_int_equal(answer.outcome, MESSAGE_NAME_FOUND);
		assert_int_equal(answer.serial, 5);
		assert_int_equal(answer.kind, MESSAGE_NAME_PROTECT);
		assert_string_equal(answer.name, names[i]);
		assert_int_equal(answer.count, 2);
		assert_string_equal(ip_format(&answer.addresses[0], text), "::1");
		assert_string_equal(ip_format(&answer.addresses[1], text), "127.0.0.1");
	}
}

/* The resolver itself knows that such a name is in no DNS (RFC 7686 2). */
static void test_resolver(void **state)
{
	struct message_name answer;

	(void)state;
	ask(MESSAGE_NAME_COUNT, "nobody.onion", 8);
	assert_true(answered(&answer));
	assert_int_equal(answer.outcome, MESSAGE_NAME_NONE);
	assert_int_equal(answer.serial, 8);
	assert_int_equal(answer.kind, MESSAGE_NAME_COUNT);
	assert_string_equal(answer.name, "nobody.onion");
	assert_int_equal(answer.count, 0);
}

/* What cannot be looked up is answered so, what is not whole is passed over. */
static void test_odd(void **state)
{
	struct message_name answer;

	(void)state;
	packet.length = sizeof(struct message_name) - 1;
	lookups_packet(lookups, &packet);
	ask(MESSAGE_NAME_COUNT, "a b", 6);
	assert_true(answered(&answer));
	assert_int_equal(answer.outcome, MESSAGE_NAME_NO_ANSWER);
	assert_int_equal(answer.serial, 6);
	assert_int_equal(message_mail_receive(fds[0], &packet, NULL), 0);
}

/* The next engine does not get answers to what the last one asked. */
static void test_peer_leaves(void **state)
{
	(void)state;
	lookups_peer(lookups, -1);
	ask(MESSAGE_NAME_PROTECT, "nobody.onion", 7);
	lookups_peer(lookups, fds[1]);
	assert_int_equal(message_mail_receive(fds[0], &packet, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_localhost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resolver, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_peer_leaves, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
