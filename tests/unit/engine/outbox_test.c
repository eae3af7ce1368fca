#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "config/config.h"
#include "decide/letter.h"
#include "engine/mail_rate.h"
#include "engine/outbox.h"
#include "process/messages.h"
#include "state/store.h"

enum { NOW_S = 1700000000 };

static char server[] = "mail.example.org";
static char user[] = "u";
static char password[] = "p";
static const struct config_mail settings = { .server = server,
	.port = 587,
	.tls_required = true,
	.user = user,
	.password = password };
static char dir[64];
static struct store *store;
static struct outbox *outbox;
static int notifier; /* the other end */
static struct message_mail_packet packet;
static struct letter letter;

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info;
	(void)kind;
	(void)walk;
	return remove(path);
}

static void join(void)
{
	int fds[2];

	assert_int_equal(message_pair(fds, NULL), 0);
	outbox_join(outbox, fds[0]);
	assert_int_equal(outbox_fd(outbox), fds[0]);
	notifier = fds[1];
	assert_int_equal(message_mail_receive(notifier, &packet, NULL), 1);
	assert_int_equal(packet.head.type, MESSAGE_MAIL_SETTINGS);
}

static void leave(void)
{
	if (notifier >= 0)
		assert_int_equal(close(notifier), 0);
	notifier = -1;
}

static int setup(void **state)
{
	char *note = NULL;

	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/outbox_test.XXXXXX");
	notifier = -1;
	if (!mkdtemp(dir) || store_open(dir, NOW_S, &store, &note, NULL) < 0)
		return -1;
	outbox = outbox_new(&settings, store);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	leave();
	outbox_free(outbox);
	store_close(store);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void add(const char *dest, const char *subject, int64_t now_s)
{
	(void)snprintf(letter.subject, sizeof(letter.subject), "%s", subject);
	(void)snprintf(letter.body, sizeof(letter.body), "body of %s", subject);
	outbox_add(outbox, now_s, dest, NULL, &letter);
}

/* As the engine does it: the rows are committed first. */
static void pump(int64_t now_s)
{
	assert_int_equal(store_commit(store, 0, NULL), 0);
	outbox_pump(outbox, now_s);
}

/* The mail that arrives at the notifier; 0: none. */
static int64_t arrived(void)
{
	if (message_mail_receive(notifier, &packet, NULL) != 1)
		return 0;
	assert_int_equal(packet.head.type, MESSAGE_MAIL_ALERT);
	assert_true(packet.head.id > 0);
	return packet.head.id;
}

static void no_other(void *context, const struct message_mail_packet *other)
{
	(void)context;
	fail_msg("type %u", other->head.type);
}

static void answer(int64_t id, enum message_mail_outcome outcome, int64_t now_s)
{
	struct message_mail head = { .type = MESSAGE_MAIL_DONE, .outcome = outcome, .id = id };
	const char *texts[] = { "250 fine" };

	assert_int_equal(message_mail_send(notifier, &head, texts, 1, NULL), 1);
	assert_true(outbox_receive(outbox, now_s, no_other, NULL));
}

static void count_row(void *context, enum store_table table, const union store_row *row)
{
	size_t *count = context;

	(void)row;
	*count += table == STORE_ALERTS;
}

/* Mails that the database holds. */
static size_t rows(void)
{
	size_t count = 0;

	assert_int_equal(store_commit(store, 0, NULL), 0);
	assert_int_equal(store_load(store, count_row, &count, NULL), 0);
	return count;
}

static void test_settings_and_mail(void **state)
{
	const char *text;
	int64_t id;

	(void)state;
	join();
	assert_string_equal(packet.texts[0], "mail.example.org");
	assert_string_equal(packet.texts[1], "u");
	assert_string_equal(packet.texts[2], "p");
	assert_int_equal(packet.head.port, 587);
	assert_int_equal(packet.head.tls, 1);
	assert_true(outbox_is_well(outbox, &text));
	add("admin@example.org", "one", NOW_S);
	assert_int_equal(rows(), 1);
	pump(NOW_S);
	id = arrived();
	assert_int_equal(packet.head.date_s, NOW_S);
	assert_string_equal(packet.texts[0], "");
	assert_string_equal(packet.texts[1], "admin@example.org");
	assert_string_equal(packet.texts[2], "one");
	assert_string_equal(packet.texts[3], "body of one");
	pump(NOW_S);
	assert_int_equal(arrived(), 0); /* once */
	assert_int_equal(rows(), 1);    /* stays until it is delivered */
	answer(id, MESSAGE_MAIL_SENT, NOW_S);
	assert_int_equal(rows(), 0);
	assert_true(outbox_is_well(outbox, &text));
	pump(NOW_S + 7200);
	assert_int_equal(arrived(), 0);
}

/* A mail whose row may be lost would be sent twice or not at all: also a notifier that joins just
 * then gets it only after the commit. */
static void test_commit_comes_first(void **state)
{
	(void)state;
	add("admin@example.org", "one", NOW_S);
	join();
	outbox_pump(outbox, NOW_S);
	assert_int_equal(arrived(), 0);
	assert_int_equal(rows(), 1); /* commits */
	outbox_pump(outbox, NOW_S);
	assert_true(arrived() > 0);
}

static void test_tried_again(void **state)
{
	static const int delays[] = { 60, 120, 240, 480, 960, 1920, 3600, 3600 };
	int64_t now_s = NOW_S;
	const char *text;

	(void)state;
	join();
	add("admin@example.org", "one", now_s);
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		int64_t id;

		pump(now_s);
		id = arrived();
		assert_true(id > 0);
		answer(id, MESSAGE_MAIL_FAILED, now_s);
		assert_false(outbox_is_well(outbox, &text));
		assert_string_equal(text, "250 fine");
		pump(now_s + delays[i] - 1);
		assert_int_equal(arrived(), 0);
		now_s += delays[i];
	}
	assert_int_equal(rows(), 1);
	pump(now_s);
	answer(arrived(), MESSAGE_MAIL_SENT, now_s);
	assert_true(outbox_is_well(outbox, &text));
	assert_int_equal(rows(), 0);
}

static void test_refused_for_good(void **state)
{
	const char *text;

	(void)state;
	join();
	add("admin@example.org", "one", NOW_S);
	pump(NOW_S);
	answer(arrived(), MESSAGE_MAIL_REFUSED, NOW_S);
	assert_false(outbox_is_well(outbox, &text));
	assert_int_equal(rows(), 0);
	pump(NOW_S + 7200);
	assert_int_equal(arrived(), 0);
}

/* What was under way when the notifier died goes to the next one; answers to nothing are none. */
static void test_notifier_dies(void **state)
{
	int64_t id;

	(void)state;
	add("admin@example.org", "one", NOW_S); /* before there is one */
	pump(NOW_S);
	join();
	pump(NOW_S);
	id = arrived();
	assert_true(id > 0);
	leave();
	assert_false(outbox_receive(outbox, NOW_S, no_other, NULL));
	outbox_join(outbox, -1);
	assert_int_equal(outbox_fd(outbox), -1);
	pump(NOW_S);
	join();
	answer(id, MESSAGE_MAIL_SENT, NOW_S); /* it was not given to this one */
	assert_int_equal(rows(), 1);
	pump(NOW_S);
	id = arrived();
	assert_true(id > 0);
	answer(id + 1, MESSAGE_MAIL_SENT, NOW_S);
	answer(0, MESSAGE_MAIL_SENT, NOW_S);
	assert_int_equal(rows(), 1);
	answer(id, MESSAGE_MAIL_SENT, NOW_S);
	assert_int_equal(rows(), 0);
}

/* Six an hour, then one digest with the rest; all rows go with it. */
static void test_rate(void **state)
{
	char subject[32];
	int64_t id;
	int mails = 0;

	(void)state;
	join();
	for (int i = 0; i < 20; i++) {
		(void)snprintf(subject, sizeof(subject), "mail %d.", i);
		add("admin@example.org", subject, NOW_S);
	}
	pump(NOW_S);
	while ((id = arrived())) {
		answer(id, MESSAGE_MAIL_SENT, NOW_S);
		mails++;
	}
	assert_int_equal(mails, MAIL_RATE_PER_HOUR);
	assert_int_equal(rows(), 20 - MAIL_RATE_PER_HOUR);
	pump(NOW_S + MAIL_RATE_WINDOW_S - 1);
	assert_int_equal(arrived(), 0);
	pump(NOW_S + MAIL_RATE_WINDOW_S);
	id = arrived();
	assert_true(id > 0);
	assert_non_null(strstr(packet.texts[3], "mail 19."));
	answer(id, MESSAGE_MAIL_SENT, NOW_S + MAIL_RATE_WINDOW_S);
	assert_int_equal(rows(), 0);
}

static void test_rows_of_an_earlier_run(void **state)
{
	struct store_alert row = { .id = 5,
		.at_s = NOW_S - 100,
		.dest = "admin@example.org",
		.sender = "",
		.subject = "old",
		.body = "b" };

	(void)state;
	outbox_load(outbox, &row, NOW_S);
	join();
	pump(NOW_S);
	assert_true(arrived() > 0);
	assert_int_equal(packet.head.date_s, NOW_S - 100);
	assert_string_equal(packet.texts[0], "");
	assert_string_equal(packet.texts[2], "old");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_settings_and_mail, setup, teardown),
		cmocka_unit_test_setup_teardown(test_commit_comes_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tried_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_for_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_notifier_dies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rows_of_an_earlier_run, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
