#include "base/mail_address.h"

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
		cleanup_free struct mailboxes *boxes = alloc_zero(sizeof(*boxes));
		struct error err = { "" };
		char got[1024] = "";
		size_t used = 0;
		int rc = mailbox_parse(addresses[i].text, "pbx", boxes, NULL, &err);

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
	cleanup_free struct mailboxes *boxes = alloc_zero(sizeof(*boxes));
	char text[4 * (MAILBOX_LIST_MAX + 1) + 1];
	struct error err;

	(void)state;
	for (size_t i = 0; i <= MAILBOX_LIST_MAX; i++)
		memcpy(text + 4 * i, "a@b,", 5);
	text[4 * (MAILBOX_LIST_MAX + 1) - 1] = '\0';
	assert_int_equal(mailbox_parse(text, "pbx", boxes, NULL, &err), -1);
	text[4 * MAILBOX_LIST_MAX - 1] = '\0';
	assert_int_equal(mailbox_parse(text, "pbx", boxes, NULL, &err), 0);
	assert_int_equal(boxes->count, MAILBOX_LIST_MAX);
}

static void test_place(void **state)
{
	static const struct {
		const char *text;
		size_t wrong;
	} rows[] = {
		{ "a@", 0 },
		{ "a@b, c@d,  e f@g", 11 },
		{ "a@b,,c@d", 4 },
		{ "a@b, \x01", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cleanup_free struct mailboxes *boxes = alloc_zero(sizeof(*boxes));
		struct error err;
		size_t wrong = 99;

		assert_int_equal(mailbox_parse(rows[i].text, "pbx", boxes, &wrong, &err), -1);
		assert_int_equal(wrong, rows[i].wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mailboxes),
		cmocka_unit_test(test_mailbox_cap),
		cmocka_unit_test(test_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
