#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "process/child.h"
#include "process/launch.h"

static const struct run_options options = { .config_dir = "/c",
	.state_dir = "/s",
	.user = "u",
	.socket_path = "/x" };

static struct message record_of(uint32_t serial)
{
	return (struct message){ .type = MESSAGE_QUERY, .serial = serial };
}

/* A child without a process: its other end is *ret_peer. */
static struct child make_child(int *ret_peer)
{
	struct child child = { .fd = -1, .queue = calloc(CHILD_QUEUE_MAX, sizeof(*child.queue)) };
	int pair[2];

	assert_int_equal(message_pair(pair, NULL), 0);
	child.fd = pair[0];
	*ret_peer = pair[1];
	return child;
}

/* Serial of the next record at the peer, -1: none. */
static int64_t next_serial(int peer)
{
	struct message record;
	int fd = -1;
	int rc = message_receive(peer, &record, &fd, NULL);

	assert_true(rc >= 0);
	assert_int_equal(fd, -1);
	return rc ? (int64_t)record.serial : -1;
}

/* Sends until the queue holds wanted records. Returns how many were sent in all. */
static uint32_t fill(struct child *child, size_t wanted)
{
	uint32_t serial = 0;

	while (child->queue_count < wanted) {
		struct message record = record_of(serial);

		assert_int_equal(child_send(child, &record, -1), 0);
		assert_true(++serial < 100000);
	}
	return serial;
}

static void test_order(void **state)
{
	int peer;
	struct child child = make_child(&peer);
	uint32_t sent = fill(&child, 100);
	int64_t expected = 0;

	(void)state;
	assert_false(child_is_full(&child));
	/* room for a few: the next record still comes behind those that wait */
	for (; expected < 3; expected++)
		assert_int_equal(next_serial(peer), expected);
	for (uint32_t more = 0; more < 50; more++, sent++) {
		struct message record = record_of(sent);

		assert_int_equal(child_send(&child, &record, -1), 0);
	}
	assert_false(child_flush(&child));
	while (expected < sent) {
		int64_t serial = next_serial(peer);

		if (serial < 0)
			(void)child_flush(&child);
		else
			assert_int_equal(serial, expected++);
	}
	assert_int_equal(child.queue_count, 0);
	assert_true(child_flush(&child));
	assert_int_equal(next_serial(peer), -1);
	child_done(&child);
	(void)close(peer);
}

/* The whole ring, its end passed: what is over is refused, nothing that waits is lost. */
static void test_full(void **state)
{
	int peer;
	struct child child = make_child(&peer);
	uint32_t sent = fill(&child, 10);
	int64_t expected = 0;
	struct message record;

	(void)state;
	while (child.queue_count) {
		(void)child_flush(&child);
		while (next_serial(peer) >= 0)
			expected++;
	}
	assert_int_equal(expected, sent);
	assert_true(child.queue_first > 0);
	sent = fill(&child, CHILD_QUEUE_MAX / 2);
	assert_false(child_is_full(&child));
	record = record_of(sent++);
	assert_int_equal(child_send(&child, &record, -1), 0);
	assert_true(child_is_full(&child));
	for (; child.queue_count < CHILD_QUEUE_MAX; sent++) {
		record = record_of(sent);
		assert_int_equal(child_send(&child, &record, -1), 0);
	}
	record = record_of(sent);
	assert_int_equal(child_send(&child, &record, -1), -1);
	for (expected = 0; expected < sent;) {
		int64_t serial = next_serial(peer);

		if (serial < 0)
			(void)child_flush(&child);
		else
			assert_int_equal(serial, expected++);
	}
	assert_int_equal(child.queue_count, 0);
	child_done(&child);
	(void)close(peer);
}

static void test_descriptor(void **state)
{
	int peer;
	struct child child = make_child(&peer);
	struct message record = record_of(1);
	struct message got;
	int passed[2];
	int fd = -1;
	char byte = 0;

	(void)state;
	record.type = MESSAGE_CLIENT;
	assert_int_equal(pipe(passed), 0);
	assert_int_equal(child_send(&child, &record, passed[0]), 0);
	assert_int_equal(message_receive(peer, &got, &fd, NULL), 1);
	assert_int_equal(got.type, MESSAGE_CLIENT);
	assert_true(fd >= 0);
	assert_int_equal(write(passed[1], "x", 1), 1);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	(void)close(fd);
	/* no room: not kept, since the descriptor would be closed meanwhile */
	(void)fill(&child, 1);
	assert_int_equal(child_send(&child, &record, passed[0]), -1);
	assert_int_equal(child.queue_count, 1);
	assert_true(fcntl(passed[0], F_GETFD) >= 0);
	child_done(&child);
	(void)close(peer);
	(void)close(passed[0]);
	(void)close(passed[1]);
}

static void test_gone(void **state)
{
	int peer;
	struct child child = make_child(&peer);
	struct message record = record_of(1);

	(void)state;
	(void)fill(&child, 5);
	(void)close(peer);
	assert_int_equal(child_send(&child, &record, -1), -1);
	assert_int_equal(child_send(&child, &record, STDIN_FILENO), -1);
	assert_true(child_flush(&child));
	assert_int_equal(child.queue_count, 0);
	child_done(&child);
	assert_int_equal(child.fd, -1);
	assert_int_equal(child.pid, 0);
	assert_null(child.queue);
	assert_int_equal(child_send(&child, &record, -1), -1);
	assert_int_equal(child_send(&child, &record, STDIN_FILENO), -1);
	child_done(&child);
}

static int receive_soon(int fd, struct message *ret_record)
{
	struct pollfd waiting = { .fd = fd, .events = POLLIN };
	int passed = -1;

	(void)poll(&waiting, 1, 20000);
	return message_receive(fd, ret_record, &passed, NULL);
}

/* A real child, which is this program: it says hello and waits for a word. */
static int role_main(void)
{
	struct message record = record_of(0);

	record.number = launch_client_fd() >= 0;
	if (message_send(LAUNCH_PARENT_FD, &record, -1, NULL) != 1)
		return 1;
	return receive_soon(LAUNCH_PARENT_FD, &record) == 1 && record.serial == 42 ? 7 : 2;
}

static void test_start(void **state)
{
	struct child child = { .fd = -1 };
	struct error err = { "" };
	struct message record = record_of(42);
	struct message hello;
	int status = -1;

	(void)state;
	for (int client = 0; client < 2; client++) {
		if (child_start(&child, "engine", &options, client ? STDIN_FILENO : -1, 1234,
			    &err) < 0)
			fail_msg("%s", err.text);
		assert_true(child.pid > 0);
		assert_int_equal(child.alive_s, 1234);
		assert_int_equal(child.queue_count, 0);
		assert_true(fcntl(child.fd, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(receive_soon(child.fd, &hello), 1);
		assert_int_equal(hello.number, client);
		assert_int_equal(child_send(&child, &record, -1), 0);
		assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 7);
		/* its end is seen: this side kept no copy of the other end */
		assert_int_equal(receive_soon(child.fd, &hello), -1);
		child_done(&child);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_start),
	};

	if (argc > 1 && strcmp(argv[1], "run") == 0)
		return role_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
