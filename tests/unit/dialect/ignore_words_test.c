#include "dialect/ignore_words.h"

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
#include "base/findings.h"

#define LABEL "0123456789012345678901234567890123456789012345678901234567890ab" /* 63 */

static const struct {
	const char *word;
	int kind; /* -1: none */
} words[] = {
	{ "192.0.2.1", IGNORE_WORDS_ADDRESS },
	{ "192.0.2.0/24", IGNORE_WORDS_ADDRESS },
	{ "192.0.2.0/255.255.255.0", IGNORE_WORDS_ADDRESS },
	{ "2001:db8::/32", IGNORE_WORDS_ADDRESS },
	{ "2001:db8::/ffff:ffff::", IGNORE_WORDS_ADDRESS },
	{ "localhost", IGNORE_WORDS_NAME },
	{ "pbx-1.example.org", IGNORE_WORDS_NAME },
	{ "_sip.example.org.", IGNORE_WORDS_NAME },
	{ "1.example", IGNORE_WORDS_NAME },
	{ LABEL ".org", IGNORE_WORDS_NAME },
	{ LABEL "x.org", -1 },
	{ LABEL "." LABEL "." LABEL "." LABEL, -1 }, /* 255 */
	{ "file:/etc/x", IGNORE_WORDS_FILE },
	{ "file:///etc/x", IGNORE_WORDS_FILE },
	{ "file:etc/x", -1 },
	{ "file:", -1 },
	{ "file:..", -1 },
	{ "", -1 },
	{ ".", -1 },
	{ "-x.org", -1 },
	{ "a..b", -1 },
	{ ".a", -1 },
	{ "192.0.2.300", -1 },
	{ "192.0.2", -1 },
	{ "example.300", -1 },
	{ "192.0.2.0/33", -1 },
	{ "example.org/24", -1 },
	{ "example.org:5060", -1 },
	{ "#office", -1 },
	{ "a\xc3\xa9.org", -1 },
	{ "a b", -1 },
};

static void words_of_all_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		enum ignore_words_kind kind = IGNORE_WORDS_ADDRESS;
		struct error err = { "" };
		struct ip ip = { 0 };
		int rc = ignore_words_word(words[i].word, &kind, &ip, &err);

		if (rc != (words[i].kind < 0 ? -1 : 0) || (rc == 0 && (int)kind != words[i].kind))
			fail_msg("'%s': %d, kind %d (%s)", words[i].word, rc, kind, err.text);
		assert_int_equal(rc == 0 && kind == IGNORE_WORDS_ADDRESS, ip.family != 0);
		assert_int_equal(rc < 0, err.text[0] != '\0');
	}
	assert_string_equal(ignore_words_path("file:///etc/x"), "/etc/x");
}

static void a_file_is_read(void **state)
{
	static const char text[] =
		"# ours\r\n192.0.2.1,2001:db8::/32\r\n\t192.0.2.1  ;twice\n"
		"pbx.example.org #x 192.0.2.2\n\n   # end, 192.0.2.3\nvpn.example.org";
	struct findings findings = { 0 };
	struct ignore_words list;
	char address[IP_TEXT_MAX];

	(void)state;
	assert_int_equal(ignore_words_parse(text, strlen(text), "/l", &list, &findings), 0);
	assert_int_equal(findings.count, 0);
	assert_int_equal(list.n_addresses, 3);
	assert_string_equal(ip_format(&list.addresses[1], address), "2001:db8::/32");
	assert_int_equal(list.n_names, 2);
	assert_string_equal(list.names[0], "pbx.example.org");
	assert_string_equal(list.names[1], "vpn.example.org");
	ignore_words_done(&list);
	assert_int_equal(ignore_words_parse("", 0, "/l", &list, &findings), 0);
	assert_int_equal(list.n_addresses + list.n_names, 0);
	ignore_words_done(&list);
}

/* With its place; what is right counts all the same. */
static void wrong_words_are_found(void **state)
{
	static const char text[] = "192.0.2.1 192.0.2.300\n\n  file:/x,x#y\n192\0.0.2 ok";
	static const unsigned places[][2] = { { 1, 11 }, { 3, 3 }, { 3, 11 }, { 4, 1 } };
	struct findings findings = { 0 };
	struct ignore_words list;

	(void)state;
	assert_int_equal(ignore_words_parse(text, sizeof(text) - 1, "/l", &list, &findings), -1);
	assert_int_equal(findings.errors, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(findings.list[i].file, "/l");
		assert_int_equal(findings.list[i].line, places[i][0]);
		assert_int_equal(findings.list[i].column, places[i][1]);
	}
	assert_int_equal(list.n_addresses, 1);
	assert_int_equal(list.n_names, 1);
	ignore_words_done(&list);
	findings_done(&findings);
}

/* What leaves nobody to be banned is told, and taken: it may be meant. */
static void wide_ones_are_told(void **state)
{
	static const char text[] = "10.0.0.0/8\n0.0.0.0/7 2001::/16";
	struct findings findings = { 0 };
	struct ignore_words list;

	(void)state;
	assert_int_equal(ignore_words_parse(text, sizeof(text) - 1, "/l", &list, &findings), 0);
	assert_int_equal(list.n_addresses, 3);
	assert_int_equal(findings.count, 1);
	assert_false(findings.list[0].is_error);
	assert_int_equal(findings.list[0].line, 2);
	assert_int_equal(findings.list[0].column, 1);
	ignore_words_done(&list);
	findings_done(&findings);
}

static void lists_are_bounded(void **state)
{
	enum { LINES = IGNORE_WORDS_ADDRESSES_MAX + 2, NAMES = IGNORE_WORDS_NAMES_MAX + 1 };
	cleanup_free char *text = alloc_zero(LINES * 10 + NAMES * 2 + 1);
	struct findings findings = { 0 };
	struct ignore_words list;
	size_t used = 0;

	(void)state;
	for (int i = 0; i < LINES; i++, used += 10)
		memcpy(text + used, "192.0.2.1\n", 10);
	for (int i = 0; i < NAMES; i++, used += 2)
		memcpy(text + used, "x ", 2);
	assert_int_equal(ignore_words_parse(text, used, "/l", &list, &findings), -1);
	assert_int_equal(list.n_addresses, IGNORE_WORDS_ADDRESSES_MAX);
	assert_int_equal(list.n_names, IGNORE_WORDS_NAMES_MAX);
	assert_int_equal(findings.errors, 3);
	ignore_words_done(&list);
	findings_done(&findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_all_kinds),
		cmocka_unit_test(a_file_is_read),
		cmocka_unit_test(wrong_words_are_found),
		cmocka_unit_test(wide_ones_are_told),
		cmocka_unit_test(lists_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
