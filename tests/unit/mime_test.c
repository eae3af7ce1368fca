#include "mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "mail.h"

static const struct {
	const char *text;
	const char *want; /* "address|name;..." or NULL: refused */
} addresses[] = {
	{ "a@b", "a@b|" },
	{ " ops+pbx@mail.example.org ", "ops+pbx@mail.example.org|" },
	{ "root", "root@pbx|" },
	{ "Ops Team <ops@example.org>", "ops@example.org|Ops Team" },
	{ "<ops@example.org>", "ops@example.org|" },
	{ "\"Doe, Jane\" <j.doe@example.org>,root", "j.doe@example.org|Doe, Jane;root@pbx|" },
	{ "J\xc3\xbcrg <j@example.org>", "j@example.org|J\xc3\xbcrg" },
	{ "a@[192.0.2.1], b@[IPv6:2001:db8::1]", "a@[192.0.2.1]|;b@[IPv6:2001:db8::1]|" },
	{ "", NULL },
	{ "a@b,", NULL },
	{ ",a@b", NULL },
	{ "a@b,,c@d", NULL },
	{ "a@", NULL },
	{ "@b", NULL },
	{ "a@b@c", NULL },
	{ "a b@c", NULL },
	{ "a..b@c", NULL },
	{ ".a@c", NULL },
	{ "a.@c", NULL },
	{ "a@b..c", NULL },
	{ "a@-b", NULL },
	{ "a@b c", NULL },
	{ "a@[]", NULL },
	{ "a@[192.0.2.1", NULL },
	{ "a@[x>\"]", NULL },
	{ "<a@b", NULL },
	{ "a@b>", NULL },
	{ "<a@b> c", NULL },
	{ "<>", NULL },
	{ "x <<a@b>", NULL },
	{ "x\\ <a@b>", NULL },
	{ "a@b\r\nRCPT TO:<x@y>", NULL },
	{ "a@b\n", NULL },
	{ "Name\r\nBcc: x@y <a@b>", NULL },
	{ "\xc3\xbc@example.org", NULL },
	{ "a@\xc3\xbc.example.org", NULL },
	{ "0123456789012345678901234567890123456789012345678901234567890123@b",
		"0123456789012345678901234567890123456789012345678901234567890123@b|" },
	{ "01234567890123456789012345678901234567890123456789012345678901234@b", NULL },
};

static void test_mailboxes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		cleanup_free struct mime_mailboxes *boxes = alloc_zero(sizeof(*boxes));
		struct error err = { "" };
		char got[1024] = "";
		size_t used = 0;
		int rc = mime_parse_mailboxes(addresses[i].text, "pbx", boxes, &err);

		for (size_t k = 0; k < boxes->count; k++)
			used += (size_t)snprintf(got + used, sizeof(got) - used, "%s%s|%s",
				k ? ";" : "", boxes->list[k].address, boxes->list[k].name);
		if (rc != (addresses[i].want ? 0 : -1) ||
			strcmp(got, addresses[i].want ? addresses[i].want : "") != 0)
			fail_msg("'%s': %d '%s' (%s)", addresses[i].text, rc, got, err.text);
		if (rc < 0)
			assert_true(err.text[0] && !strpbrk(err.text, "\r\n"));
	}
}

static void test_mailbox_cap(void **state)
{
	cleanup_free struct mime_mailboxes *boxes = alloc_zero(sizeof(*boxes));
	char text[4 * (MIME_MAILBOXES_MAX + 1) + 1];
	struct error err;

	(void)state;
	for (size_t i = 0; i <= MIME_MAILBOXES_MAX; i++)
		memcpy(text + 4 * i, "a@b,", 5);
	text[4 * (MIME_MAILBOXES_MAX + 1) - 1] = '\0';
	assert_int_equal(mime_parse_mailboxes(text, "pbx", boxes, &err), -1);
	text[4 * MIME_MAILBOXES_MAX - 1] = '\0';
	assert_int_equal(mime_parse_mailboxes(text, "pbx", boxes, &err), 0);
	assert_int_equal(boxes->count, MIME_MAILBOXES_MAX);
}

static char *compose(const char *from, const char *subject, const char *body)
{
	cleanup_free struct mime_mailboxes *sender = alloc_zero(sizeof(*sender));
	cleanup_free struct mime_mailboxes *to = alloc_zero(sizeof(*to));
	const struct mail_message message = {
		.subject = subject,
		.body = body,
		.date_s = 1700000000,
		.id = 42,
	};
	struct error err;

	assert_int_equal(mime_parse_mailboxes(from, "pbx", sender, &err), 0);
	assert_int_equal(mime_parse_mailboxes("ops@example.org, Two <two@example.org>", "pbx", to,
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
		cmocka_unit_test(test_mailboxes),
		cmocka_unit_test(test_mailbox_cap),
		cmocka_unit_test(test_compose),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_not_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
