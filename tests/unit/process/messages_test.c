#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "process/messages.h"

static int fds[2];

static int setup(void **state)
{
	(void)state;
	return message_pair(fds, NULL);
}

static int teardown(void **state)
{
	(void)state;
	return close(fds[0]) | (fds[1] >= 0 ? close(fds[1]) : 0);
}

static unsigned open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	assert_int_equal(closedir(dir), 0);
	return count;
}

static struct message good(void)
{
	struct message record = { .type = MESSAGE_BAN, .number = 3, .ttl_s = 600 };

	assert_int_equal(ip_parse("192.0.2.1", 9, &record.ip), 0);
	return record;
}

static void test_pair(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
		assert_true(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
	}
}

static void test_record(void **state)
{
	struct message record = good();
	struct message got;
	int fd = 99;

	(void)state;
	assert_int_equal(message_receive(fds[1], &got, &fd, NULL), 0);
	assert_int_equal(fd, -1);
	memcpy(record.text, "because", 8);
	assert_int_equal(message_send(fds[0], &record, -1, NULL), 1);
	assert_int_equal(message_receive(fds[1], &got, &fd, NULL), 1);
	assert_int_equal(fd, -1);
	assert_memory_equal(&got, &record, sizeof(got));
}

static void test_descriptor(void **state)
{
	struct message record = good();
	unsigned before = open_descriptors();
	struct message got;
	int pipes[2];
	char byte = 0;
	int fd;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(message_send(fds[0], &record, pipes[1], NULL), 1);
	assert_int_equal(close(pipes[1]), 0); /* the sender keeps and closes its own */
	assert_int_equal(message_receive(fds[1], &got, &fd, NULL), 1);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	assert_int_equal(close(fd) | close(pipes[0]), 0);
	assert_int_equal(open_descriptors(), before);
}

/* Sends bytes with n descriptors, past message_send. */
static void send_raw(const void *bytes, size_t length, size_t n)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control = { 0 };
	struct iovec part = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	for (size_t i = 0; i < n; i++)
		memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &fds[0], sizeof(int));
	if (n) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(n * sizeof(int));
	}
	assert_int_equal(sendmsg(fds[0], &message, 0), length);
}

/* No descriptor of a packet that is refused stays open. */
static void test_many_descriptors(void **state)
{
	struct message record = good();

	(void)state;
	for (size_t n = 2; n <= 4; n++) {
		unsigned before = open_descriptors();
		struct message got;
		int fd;

		send_raw(&record, sizeof(record), n);
		assert_int_equal(message_receive(fds[1], &got, &fd, NULL), -1);
		assert_int_equal(fd, -1);
		assert_int_equal(open_descriptors(), before);
	}
	record.type = MESSAGE_TYPES;
	for (int i = 0; i < 2; i++) {
		unsigned before = open_descriptors();
		struct message got;
		int fd;

		send_raw(&record, sizeof(record) - (size_t)i, 1);
		assert_int_equal(message_receive(fds[1], &got, &fd, NULL), -1);
		assert_int_equal(fd, -1);
		assert_int_equal(open_descriptors(), before);
	}
}

static void spoil(struct message *record, int how)
{
	switch (how) {
	case 0:
		record->type = MESSAGE_NONE;
		break;
	case 1:
		record->type = MESSAGE_TYPES;
		break;
	case 2:
		memset(record->text, 'x', sizeof(record->text));
		break;
	case 3:
		record->ip.family = 5;
		break;
	case 4:
		record->ip.bits = 33;
		break;
	case 5:
		record->ip.bits = 24; /* host bits are set */
		break;
	case 6:
		record->ip.family = 0;
		break;
	case 7:
		record->scope.n_ranges = 200;
		break;
	case 8:
		record->scope.protocol = IPPROTO_UDP; /* without ports */
		break;
	case 9:
		memcpy(record->text, "ok\nMAINPID=1", 13); /* for the service manager */
		break;
	case 10:
		record->ttl_s = INT64_MAX;
		break;
	case 11:
		record->ttl_s = -2;
		break;
	default:
		record->scope = (struct scope){ .protocol = IPPROTO_UDP,
			.n_ranges = 1,
			.ranges = { { 9, 5 } } };
		break;
	}
}

static void test_nonsense(void **state)
{
	char large[sizeof(struct message) + 1] = { 0 };
	struct message got;
	struct error err;
	int fd;

	(void)state;
	for (int how = 0; how < 13; how++) {
		struct message record = good();

		spoil(&record, how);
		send_raw(&record, sizeof(record), 0);
		if (message_receive(fds[1], &got, &fd, &err) != -1)
			fail_msg("row %d was taken", how);
		assert_non_null(strstr(err.text, "nonsense"));
	}
	for (size_t size = sizeof(large) - 2; size <= sizeof(large); size += 2) {
		memcpy(large, &(struct message){ .type = MESSAGE_ALIVE }, sizeof(struct message));
		send_raw(large, size, 0);
		assert_int_equal(message_receive(fds[1], &got, &fd, &err), -1);
	}
}

static void test_connections(void **state)
{
	static const struct {
		uint32_t type;
		uint32_t number;
		struct ip ip;
		struct scope scope;
		int answer;
	} rows[] = {
		{ MESSAGE_CONNECTION, 1, { 4, 32, { 192, 0, 2, 1 } }, { 0 }, 1 },
		{ MESSAGE_CONNECTION_SEEN, 65535, { 6, 128, { 0x20, 1 } }, { 0 }, 1 },
		{ MESSAGE_CONNECTION, 0, { 4, 32, { 192, 0, 2, 1 } }, { 0 }, -1 },
		{ MESSAGE_CONNECTION, 65536, { 4, 32, { 192, 0, 2, 1 } }, { 0 }, -1 },
		{ MESSAGE_CONNECTION_SEEN, 65536, { 4, 32, { 192, 0, 2, 1 } }, { 0 }, -1 },
		{ MESSAGE_CONNECTION, 5, { 0 }, { 0 }, -1 },
		{ MESSAGE_CONNECTION, 5, { 4, 24, { 192, 0, 2 } }, { 0 }, -1 },
		{ MESSAGE_CONNECTION_SEEN, 5, { 6, 64, { 0x20, 1 } }, { 0 }, -1 },
		{ MESSAGE_CONNECTIONS_WANTED, 0, { 0 }, { IPPROTO_TCP, 1, { { 5, 6 } } }, 1 },
		{ MESSAGE_CONNECTIONS_WANTED, 0, { 0 }, { IPPROTO_UDP, 1, { { 5, 6 } } }, -1 },
		{ MESSAGE_CONNECTIONS_WANTED, 0, { 0 }, { 0 }, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct message record = { .type = rows[i].type,
			.number = rows[i].number,
			.ip = rows[i].ip,
			.scope = rows[i].scope };
		struct message got;
		int fd;

		send_raw(&record, sizeof(record), 0);
		if (message_receive(fds[1], &got, &fd, NULL) != rows[i].answer)
			fail_msg("row %zu", i);
	}
}

/* Addresses and scopes are compared as memory: what says the same in another way is refused. */
static void test_second_spelling(void **state)
{
	static const struct ip ips[] = {
		{ 4, 32, { 192, 0, 2, 1, 1 } },
		{ 4, 32, { 192, 0, 2, 1, [15] = 1 } },
		{ 4, 24, { 192, 0, 2, 0, [8] = 1 } },
		{ 6, 128, { [10] = 0xff, 0xff, 192, 0, 2, 1 } },
		{ 6, 96, { [10] = 0xff, 0xff } },
		{ 6, 64, { 0x20, 1, [15] = 1 } },
		{ 6, 129, { 0x20, 1 } },
		{ 0, 0, { [15] = 1 } },
	};
	static const struct scope scopes[] = {
		{ .ranges = { { 0, 5060 } } },
		{ .n_ranges = 1, .ranges = { { 5060, 5060 } } },
		{ IPPROTO_UDP, 1, { { 5060, 5060 }, { 0, 1 } } },
		{ IPPROTO_UDP, 2, { { 5060, 5060 }, { 5061, 5061 } } },
		{ IPPROTO_UDP, 2, { { 5062, 5062 }, { 5060, 5060 } } },
		{ IPPROTO_UDP, 1, { { 0, 5060 } } },
		{ IPPROTO_ICMP, 1, { { 5060, 5060 } } },
	};
	struct message record;
	struct message got;
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(ips) / sizeof(ips[0]); i++) {
		record = good();
		record.ip = ips[i];
		send_raw(&record, sizeof(record), 0);
		if (message_receive(fds[1], &got, &fd, NULL) != -1)
			fail_msg("address %zu was taken", i);
	}
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		record = good();
		record.scope = scopes[i];
		send_raw(&record, sizeof(record), 0);
		if (message_receive(fds[1], &got, &fd, NULL) != -1)
			fail_msg("scope %zu was taken", i);
	}
}

static void test_full_and_gone(void **state)
{
	struct message record = good();
	struct message got;
	struct error err;
	int sent = 0;
	int taken = 0;
	int fd;
	int rc;

	(void)state;
	while ((rc = message_send(fds[0], &record, -1, NULL)) == 1 && sent < 100000)
		sent++;
	assert_int_equal(rc, 0);
	assert_true(sent > 10);
	while (message_receive(fds[1], &got, &fd, NULL) == 1)
		taken++;
	assert_int_equal(taken, sent);
	assert_int_equal(close(fds[1]), 0);
	fds[1] = -1;
	assert_int_equal(message_receive(fds[0], &got, &fd, &err), -1);
	assert_string_equal(err.text, "closed");
	assert_int_equal(message_send(fds[0], &record, -1, &err), -1); /* and no SIGPIPE */
}

static char big[2 * MESSAGE_MAIL_BYTES_MAX];
static struct message_mail_packet packet;

static void test_mail(void **state)
{
	const char *texts[] = { "", "admin@example.org", "subject", "body\nof two lines" };
	struct message_mail head = { .type = MESSAGE_MAIL_ALERT, .id = 42, .date_s = 1700000000 };

	(void)state;
	assert_int_equal(message_mail_receive(fds[1], &packet, NULL), 0);
	for (size_t n = 0; n <= 4; n++) {
		assert_int_equal(message_mail_send(fds[0], &head, texts, n, NULL), 1);
		assert_int_equal(message_mail_receive(fds[1], &packet, NULL), 1);
		assert_memory_equal(&packet.head, &head, sizeof(head));
		for (size_t i = 0; i < MESSAGE_MAIL_TEXTS_MAX; i++)
			assert_string_equal(packet.texts[i], i < n ? texts[i] : "");
	}
}

/* Body lengths around what fits: the last text is cut, and says so. */
static void test_mail_cut(void **state)
{
	struct message_mail head = { .type = MESSAGE_MAIL_ALERT, .id = 1 };
	const char *texts[] = { "", "d", "s", big };
	const size_t room = MESSAGE_MAIL_BYTES_MAX - 1 - 2 - 2 - 1;
	struct error err;

	(void)state;
	memset(big, 'b', sizeof(big) - 1);
	for (size_t length = room - 2; length <= room + 5; length++) {
		size_t got;

		big[length] = '\0';
		assert_int_equal(message_mail_send(fds[0], &head, texts, 4, NULL), 1);
		big[length] = 'b';
		assert_int_equal(message_mail_receive(fds[1], &packet, NULL), 1);
		got = strlen(packet.texts[3]);
		assert_int_equal(got, length <= room ? length : room);
		assert_int_equal(strcmp(packet.texts[3] + got - 3, "...") == 0, length > room);
	}
	big[MESSAGE_MAIL_BYTES_MAX] = '\0';
	texts[1] = big; /* one before the last is not cut */
	assert_int_equal(message_mail_send(fds[0], &head, texts, 4, &err), -1);
	assert_int_equal(message_mail_receive(fds[1], &packet, NULL), 0);
}

static void test_mail_nonsense(void **state)
{
	char bytes[sizeof(struct message_mail) + 4] = { 0 };
	struct message_mail head = { .type = MESSAGE_MAIL_TYPES };
	unsigned before = open_descriptors();
	struct error err;

	(void)state;
	send_raw(bytes, sizeof(struct message_mail) - 1, 0);
	assert_int_equal(message_mail_receive(fds[1], &packet, &err), -1);
	memset(bytes + sizeof(struct message_mail), 'x', 4); /* no NUL at its end */
	send_raw(bytes, sizeof(bytes), 0);
	assert_int_equal(message_mail_receive(fds[1], &packet, &err), -1);
	send_raw(&head, sizeof(head), 0);
	assert_int_equal(message_mail_receive(fds[1], &packet, &err), -1);
	memset(bytes + sizeof(struct message_mail), 0, 4); /* four empty texts, and a descriptor */
	send_raw(bytes, sizeof(bytes), 1);
	assert_int_equal(message_mail_receive(fds[1], &packet, &err), 1);
	assert_int_equal(open_descriptors(), before);
}

/* A name that is not whole ends nothing: the next packet is read. */
static void test_name(void **state)
{
	static const struct message_name good_name = { .kind = MESSAGE_NAME_COUNT,
		.serial = 7,
		.outcome = MESSAGE_NAME_FOUND,
		.ttl_s = 300,
		.count = 1,
		.addresses = { { 4, 32, { 192, 0, 2, 1 } } },
		.name = "pbx.example.org" };
	struct message_name question = { .kind = MESSAGE_NAME_PROTECT, .name = "pbx.example.org" };
	struct message_name name;

	(void)state;
	assert_int_equal(message_name_send(fds[0], &question, NULL), 1);
	assert_int_equal(message_mail_receive(fds[1], &packet, NULL), 1);
	assert_int_equal(message_name_read(&packet, &name), 0);
	for (int how = 0; how < 11; how++) {
		struct message_name bad = good_name;
		size_t length = sizeof(bad);

		bad.type = MESSAGE_MAIL_NAME;
		switch (how) {
		case 1:
			bad.kind = MESSAGE_NAME_COUNT + 1;
			break;
		case 2:
			bad.outcome = MESSAGE_NAME_OUTCOMES;
			break;
		case 3:
			bad.count = MESSAGE_NAME_ADDRESSES_MAX + 1;
			break;
		case 4:
			bad.count = 0; /* found, but nothing */
			break;
		case 5:
			bad.outcome = MESSAGE_NAME_NONE; /* nothing, but found */
			break;
		case 6:
			bad.name[0] = '\0';
			break;
		case 7:
			bad.addresses[0].family = 5;
			break;
		case 8:
			bad.addresses[0] = (struct ip){ 4, 0, { 0 } }; /* everybody */
			break;
		case 9:
			bad.addresses[0].family = 0;
			break;
		case 10:
			length = sizeof(bad) - MESSAGE_NAME_BYTES_MAX; /* of a NUL */
			break;
		}
		send_raw((const char *)&bad, length, 0);
		assert_int_equal(message_mail_receive(fds[1], &packet, NULL), 1);
		assert_int_equal(packet.head.type, MESSAGE_MAIL_NAME);
		if ((message_name_read(&packet, &name) == 0) != (how == 0))
			fail_msg("row %d", how);
		assert_int_equal(message_name_send(fds[0], &good_name, NULL), 1);
		assert_int_equal(message_mail_receive(fds[1], &packet, NULL), 1);
		assert_int_equal(message_name_read(&packet, &name), 0);
		assert_string_equal(name.name, good_name.name);
		assert_int_equal(name.serial, 7);
	}
}

static void test_name_spelling(void **state)
{
	static const struct ip ips[] = {
		{ 4, 32, { 192, 0, 2, 1, 1 } },
		{ 4, 32, { 192, 0, 2, 1, [15] = 1 } },
		{ 6, 128, { [10] = 0xff, 0xff, 192, 0, 2, 1 } },
	};
	struct message_name record = { .type = MESSAGE_MAIL_NAME,
		.outcome = MESSAGE_NAME_FOUND,
		.count = 1,
		.addresses = { { 4, 32, { 192, 0, 2, 1 } } },
		.name = "pbx.example.org" };
	struct message_name name;

	(void)state;
	for (size_t i = 0; i < sizeof(ips) / sizeof(ips[0]); i++) {
		struct message_name bad = record;

		bad.addresses[0] = ips[i];
		send_raw(&bad, sizeof(bad), 0);
		assert_int_equal(message_mail_receive(fds[1], &packet, NULL), 1);
		if (message_name_read(&packet, &name) != -1)
			fail_msg("address %zu was taken", i);
	}
	record.name[MESSAGE_NAME_BYTES_MAX - 2] = 'x'; /* behind its end */
	send_raw(&record, sizeof(record), 0);
	assert_int_equal(message_mail_receive(fds[1], &packet, NULL), 1);
	assert_int_equal(message_name_read(&packet, &name), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pair, setup, teardown),
		cmocka_unit_test_setup_teardown(test_record, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connections, setup, teardown),
		cmocka_unit_test_setup_teardown(test_second_spelling, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_and_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mail, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mail_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mail_nonsense, setup, teardown),
		cmocka_unit_test_setup_teardown(test_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_name_spelling, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
