#include "notifier/mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/mail_address.h"
#include "notifier/smtp.h"

static char *compose(const char *from, const char *subject, const char *body)
{
	cleanup_free struct mailboxes *sender = alloc_zero(sizeof(*sender));
	cleanup_free struct mailboxes *to = alloc_zero(sizeof(*to));
	const struct smtp_mail message = {
		.subject = subject,
		.body = body,
		.date_s = 1700000000,
		.id = 42,
	};
	struct error err;

	assert_int_equal(mailbox_parse(from, "pbx", sender, NULL, &err), 0);
	assert_int_equal(mailbox_parse("ops@example.org, Two <two@example.org>", "pbx", to, NULL,
				 &err),
		0);
	return mime_compose(&message, &sender->list[0], to, "pbx");
}

/* What every message promises: 7-bit lines below 78, ended by CR LF, no other control bytes. */
static void check_lines(const char *text)
{
	size_t column = 0;

	for (const char *at = text; *at; at++) {
		unsigned char c = (unsigned char)*at;

		if (c == '\n')
			column = 0;
		else
			column++;
		assert_true(c < 0x7f && (c >= 0x20 || c == '\t' || c == '\r' || c == '\n'));
		assert_true(c != '\n' || (at > text && at[-1] == '\r'));
		assert_true(c != '\r' || at[1] == '\n');
		assert_true(column <= 78); /* with its CR */
	}
	assert_true(strlen(text) > 2 && strcmp(text + strlen(text) - 2, "\r\n") == 0);
}

static void test_compose(void **state)
{
	static const char want[] = "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
				   "From: \"Guard\" <g@example.org>\r\n"
				   "To: ops@example.org,\r\n"
				   " \"Two\" <two@example.org>\r\n"
				   "Subject: banned 192.0.2.1\r\n"
				   "Message-ID: <000000000000002a.1700000000@pbx>\r\n"
				   "Auto-Submitted: auto-generated\r\n"
				   "MIME-Version: 1.0\r\n"
				   "Content-Type: text/plain; charset=utf-8\r\n"
				   "Content-Transfer-Encoding: quoted-printable\r\n"
				   "\r\n"
				   "why\r\n"
				   "because\r\n";
	cleanup_free char *text =
		compose("Guard <g@example.org>", "banned 192.0.2.1", "why\nbecause");

	(void)state;
	assert_string_equal(text, want);
	check_lines(text);
}

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_pieces(void **state)
{
	static const struct {
		const char *subject;
		const char *body;
		const char *want; /* part of the message */
	} rows[] = {
		{ "Jos\xc3\xa9", "", "Subject: =?utf-8?B?Sm9zw6k=?=\r\n" },
		{ "=?utf-8?Q?x?=", "", "Subject: =?utf-8?B?PT91dGYtOD9RP3g/PQ==?=\r\n" },
		{ "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		  "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		  "x\xc3\xa9",
			"",
			"Subject: =?utf-8?B?w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqXg=?=\r\n"
			" =?utf-8?B?w6k=?=\r\n" },
		{ "x\r\nBcc: evil@example.org", "",
			"Subject: x\\x0d\\x0aBcc: evil@example.org\r\n" },
		{ "x\\x0d already rendered", "", "Subject: x\\x0d already rendered\r\n" },
		{ A50 " " A50, "", "Subject: " A50 "\r\n " A50 "\r\n" },
		{ "s", ".dot\n..\n", "\r\n\r\n=2Edot\r\n=2E.\r\n" },
		{ "s", "a=b \n\tc\t\n", "a=3Db=20\r\n\tc=09\r\n" },
		{ "s", "\xc3\xa9", "=C3=A9\r\n" },
		{ "s", "a\r\nb\x1b[1m", "a\\x0d\r\nb\\x1b[1m\r\n" },
		{ "s", A50 A50,
			"\r\n" A50 "aaaaaaaaaaaaaaaaaaaaaaaaa=\r\naaaaaaaaaaaaaaaaaaaaaaaaa\r\n" },
		{ "s", A50 "aaaaaaaaaaaaaaaaaaaaaaaaa.", "aaa=\r\n=2E\r\n" },
		{ "s", "\n\nx", "\r\n\r\n\r\n\r\nx\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cleanup_free char *text = compose("g@example.org", rows[i].subject, rows[i].body);

		check_lines(text);
		if (!strstr(text, rows[i].want))
			fail_msg("row %zu: no '%s' in '%s'", i, rows[i].want, text);
	}
}

static void test_cuts(void **state)
{
	static char subject[MIME_SUBJECT_MAX + 50];
	static char body[MIME_BODY_MAX + 50];
	cleanup_free char *text = NULL;

	(void)state;
	memset(subject, 's', sizeof(subject) - 1);
	memset(body, 'b', sizeof(body) - 1);
	for (size_t i = 60; i < sizeof(subject) - 1; i += 60)
		subject[i] = ' ';
	text = compose("g@example.org", subject, body);
	check_lines(text);
	assert_non_null(strstr(text, "...\r\nMessage-ID"));
	assert_non_null(strstr(text, "\r\n[cut]\r\n"));
}

/* Bytes that are not UTF-8 end up encoded, not in an endless loop. */
static void test_not_utf8(void **state)
{
	char subject[200];
	cleanup_free char *text = NULL;

	(void)state;
	memset(subject, 0x80, sizeof(subject) - 1);
	subject[sizeof(subject) - 1] = '\0';
	text = compose("g@example.org", subject, subject);
	check_lines(text);
	assert_non_null(strstr(text, "=80=80"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compose),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_not_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
