#include "engine/mail_rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "state/store.h"

enum { T = 1700000000 };

static const char *const ops = "ops@example.org";

static bool add_to(struct mail_rate *rate, const char *dest, int64_t id, int64_t now_s)
{
	char subject[64];
	const struct store_alert alert = {
		.id = id,
		.dest = dest,
		.sender = "guard@example.org",
		.subject = subject,
		.body = "body\n",
		.at_s = now_s - 1,
	};

	(void)snprintf(subject, sizeof(subject), "subject %" PRId64, id);
	return mail_rate_add(rate, &alert, now_s);
}

/* One step: add alerts at at_s, then take every mail that may leave. */
struct step {
	int64_t at_s;
	int add;
	const char *mails; /* the ids of each mail: "1 2 3+4" */
	int64_t due_s;     /* afterwards: nothing leaves before; 0: nothing waits */
};

struct row {
	const char *name;
	struct step steps[6]; /* until at_s is 0 */
};

static const struct row rows[] = {
	{ "nothing", { { T, 0, "", 0 } } },
	{ "one goes at once", { { T, 1, "1", 0 } } },
	{ "six go at once", { { T, 6, "1 2 3 4 5 6", 0 } } },
	{ "the seventh waits for the hour and goes as itself",
		{ { T, 7, "1 2 3 4 5 6", T + 3600 }, { T + 3599, 0, "", T + 3600 },
			{ T + 3600, 0, "7", 0 } } },
	{ "what is beyond is one digest",
		{ { T, 9, "1 2 3 4 5 6", T + 3600 }, { T + 10, 2, "", T + 3600 },
			{ T + 3600, 0, "7+8+9+10+11", 0 } } },
	{ "what comes as the hour ends goes with the digest",
		{ { T, 8, "1 2 3 4 5 6", T + 3600 }, { T + 3600, 1, "7+8+9", 0 } } },
	{ "a late timer still makes a digest",
		{ { T, 8, "1 2 3 4 5 6", T + 3600 }, { T + 99999, 0, "7+8", 0 } } },
	{ "the hour slides: only the mails that are an hour old make room",
		{ { T, 1, "1", 0 }, { T + 1800, 5, "2 3 4 5 6", 0 }, { T + 1900, 2, "", T + 3600 },
			{ T + 3600, 0, "7+8", 0 }, { T + 3601, 1, "", T + 5400 },
			{ T + 5400, 0, "9", 0 } } },
	{ "a digest is one of the six",
		{ { T, 8, "1 2 3 4 5 6", T + 3600 }, { T + 3600, 0, "7+8", 0 },
			{ T + 3600, 6, "9 10 11 12 13", T + 7200 }, { T + 7200, 0, "14", 0 } } },
	{ "a clock set back does not hold mail for longer than an hour",
		{ { T, 6, "1 2 3 4 5 6", 0 }, { T - 86400, 1, "", T - 86400 + 3600 },
			{ T - 86400 + 3600, 0, "7", 0 } } },
};

static void take_all(struct mail_rate *rate, int64_t now_s, char *out, size_t out_bytes)
{
	struct mail_rate_mail mail;
	size_t used = 0;

	out[0] = '\0';
	for (int i = 0; i < 100 && mail_rate_next(rate, now_s, &mail); i++) {
		assert_string_equal(mail.dest, ops);
		assert_string_equal(mail.sender, "guard@example.org");
		for (size_t k = 0; k < mail.count; k++) {
			used += (size_t)snprintf(out + used, out_bytes - used, "%s%" PRId64,
				k      ? "+"
				: used ? " "
				       : "",
				mail.ids[k]);
			assert_true(used < out_bytes);
		}
		mail_rate_mail_done(&mail);
	}
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mail_rate *rate = mail_rate_new();
		int64_t id = 0;
		char rest[256];

		for (const struct step *step = rows[i].steps; step->at_s; step++) {
			int64_t quiet_s = step->due_s ? step->due_s - 1 : step->at_s;
			char mails[256];
			char early[256];

			for (int k = 0; k < step->add; k++)
				assert_true(add_to(rate, ops, ++id, step->at_s));
			take_all(rate, step->at_s, mails, sizeof(mails));
			take_all(rate, quiet_s, early, sizeof(early));
			if (strcmp(mails, step->mails) != 0 || early[0])
				fail_msg("%s: step %zu gave '%s', too early '%s'", rows[i].name,
					(size_t)(step - rows[i].steps), mails, early);
			if (step == &rows[i].steps[5])
				break;
		}
		take_all(rate, T + 200000, rest, sizeof(rest));
		assert_string_equal(rest, ""); /* the last step leaves nothing behind */
		mail_rate_free(rate);
	}
}

static void test_single_is_unchanged(void **state)
{
	const struct store_alert alert = { 7, T, ops, "", "banned 192.0.2.1", "why\n" };
	struct mail_rate *rate = mail_rate_new();
	struct mail_rate_mail mail;

	(void)state;
	assert_true(mail_rate_add(rate, &alert, T));
	assert_true(mail_rate_next(rate, T, &mail));
	assert_int_equal(mail.count, 1);
	assert_int_equal(mail.ids[0], 7);
	assert_string_equal(mail.sender, "");
	assert_string_equal(mail.subject, "banned 192.0.2.1");
	assert_string_equal(mail.body, "why\n");
	assert_int_equal(mail.at_s, T);
	mail_rate_mail_done(&mail);
	mail_rate_free(rate);
}

static void test_digest_text(void **state)
{
	struct mail_rate *rate = mail_rate_new();
	struct mail_rate_mail mail;

	(void)state;
	for (int64_t id = 1; id <= 6 + 205; id++)
		assert_true(add_to(rate, ops, id, T));
	for (int i = 0; i < 6; i++) {
		assert_true(mail_rate_next(rate, T, &mail));
		mail_rate_mail_done(&mail);
	}
	assert_true(mail_rate_next(rate, T + 3600, &mail));
	assert_int_equal(mail.count, 205);
	assert_int_equal(mail.ids[204], 211);
	assert_string_equal(mail.subject, "voipguard: 205 more alerts");
	assert_int_equal(mail.at_s, T - 1);
	assert_non_null(strstr(mail.body, "2023-11-14 22:13:19 UTC  subject 7\n"));
	assert_non_null(strstr(mail.body, "subject 206\n"));
	assert_null(strstr(mail.body, "subject 207\n"));
	assert_non_null(strstr(mail.body, "and 5 more\n"));
	mail_rate_mail_done(&mail);
	mail_rate_free(rate);
}

static void test_held_cap(void **state)
{
	struct mail_rate *rate = mail_rate_new();
	struct mail_rate_mail mail;
	int64_t id = 0;

	(void)state;
	while (id < MAIL_RATE_HELD_MAX)
		assert_true(add_to(rate, ops, ++id, T));
	assert_false(add_to(rate, ops, 5000, T));
	/* another's first mails still leave */
	assert_true(add_to(rate, "other@example.org", 6000, T));
	for (int i = 0; i < 7; i++) {
		assert_true(mail_rate_next(rate, T, &mail));
		mail_rate_mail_done(&mail);
	}
	assert_false(mail_rate_next(rate, T, &mail));
	assert_true(mail_rate_next(rate, T + 3600, &mail));
	assert_int_equal(mail.count, MAIL_RATE_HELD_MAX - 6);
	assert_string_equal(mail.subject, "voipguard: 995 more alerts");
	assert_non_null(strstr(mail.body, "and 795 more\n"));
	mail_rate_mail_done(&mail);
	assert_false(mail_rate_next(rate, T + 200000, &mail));
	mail_rate_free(rate);
}

static void test_destinations(void **state)
{
	struct mail_rate *rate = mail_rate_new();
	struct mail_rate_mail mail;
	char dest[32];

	(void)state;
	for (int i = 0; i < MAIL_RATE_DESTS_MAX; i++) {
		(void)snprintf(dest, sizeof(dest), "d%d@example.org", i);
		assert_true(add_to(rate, dest, i + 1, T));
	}
	assert_false(add_to(rate, "late@example.org", 900, T));
	for (int i = 0; i < MAIL_RATE_DESTS_MAX; i++) {
		assert_true(mail_rate_next(rate, T, &mail));
		mail_rate_mail_done(&mail);
	}
	/* their hour keeps the slots, its end frees them */
	assert_false(add_to(rate, "late@example.org", 901, T + 3599));
	assert_true(add_to(rate, "late@example.org", 902, T + 3600));
	assert_true(mail_rate_next(rate, T + 3600, &mail));
	assert_string_equal(mail.dest, "late@example.org");
	mail_rate_mail_done(&mail);
	mail_rate_free(rate);
}

static void test_turns(void **state)
{
	struct mail_rate *rate = mail_rate_new();
	struct mail_rate_mail first;
	struct mail_rate_mail second;

	(void)state;
	for (int64_t id = 1; id <= 3; id++)
		assert_true(add_to(rate, "a@example.org", id, T));
	assert_true(add_to(rate, "b@example.org", 4, T));
	assert_true(mail_rate_next(rate, T, &first));
	assert_true(mail_rate_next(rate, T, &second));
	assert_string_not_equal(first.dest, second.dest);
	mail_rate_mail_done(&first);
	mail_rate_mail_done(&second);
	mail_rate_free(rate);
}

static void test_long_texts_are_cut(void **state)
{
	static char subject[MAIL_RATE_SUBJECT_MAX + 100];
	static char body[MAIL_RATE_BODY_MAX + 100];
	const struct store_alert alert = { 1, T, ops, "", subject, body };
	struct mail_rate *rate = mail_rate_new();
	struct mail_rate_mail mail;

	(void)state;
	memset(subject, 's', sizeof(subject) - 1);
	memcpy(subject + MAIL_RATE_SUBJECT_MAX - 1, "\xc3\xa9", 2); /* across the cut */
	memset(body, 'b', sizeof(body) - 1);
	assert_true(mail_rate_add(rate, &alert, T));
	assert_true(mail_rate_next(rate, T, &mail));
	assert_int_equal(strlen(mail.subject), MAIL_RATE_SUBJECT_MAX - 1);
	assert_int_equal(strlen(mail.body), MAIL_RATE_BODY_MAX);
	mail_rate_mail_done(&mail);
	mail_rate_free(rate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_single_is_unchanged),
		cmocka_unit_test(test_digest_text),
		cmocka_unit_test(test_held_cap),
		cmocka_unit_test(test_destinations),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_long_texts_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
