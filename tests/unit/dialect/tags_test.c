/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "dialect/tags.h"

#define IP4 "(?:::f{4,6}:)?(?P<ip4>(?:\\d{1,3}\\.){3}\\d{1,3})"
#define IP6 "(?P<ip6>(?:[0-9a-fA-F]{1,4}::?|:){1,7}(?:[0-9a-fA-F]{1,4}|(?<=:):))"
#define ADDR "\\[?(?:" IP4 "|" IP6 ")\\]?"

static void expansions(void **state)
{
	static const struct {
		const char *text;
		bool usedns;
		const char *pattern;
	} rows[] = {
		{ "^x <HOST>$", false, "^x " ADDR "$" },
		{ "<HOST>", true, "(?:" ADDR "|(?P<dns>[\\w\\-.^_]*\\w))" },
		{ "<ADDR>", true, ADDR },
		{ "<IP4>", true, IP4 },
		{ "<SUBNET>", true, "\\[?(?:" IP4 "|" IP6 ")(?:/(?P<cidr>\\d+))?\\]?" },
		{ "<F-SUBNET/>", true, "\\[?(?:" IP4 "|" IP6 ")(?:/(?P<cidr>\\d+))?\\]?" },
		{ "<F-ADDR/><F-IP4/>", true, ADDR IP4 },
		{ "<F-A-B>a</F-A_B></F-A-B>", true, "(?P<a_b>a</F-A_B>)" },
		{ "<F-ID/>:<F-PORT/>", true, "(?P<fid>\\S+):(?P<fport>\\w+)" },
		{ "<F-ID>a</F-ID>", true, "(?P<fid>a)" },
		{ "<F-USER>\\S+</F-USER>", true, "(?P<user>\\S+)" },
		{ "<F-ALT_USER1>x</F-ALT_USER1>", true, "(?P<alt_user1>x)" },
		{ "<F-CONTENT>.+</F-CONTENT>", true, "(?P<content>.+)" },
		{ "<F-MLFID>a</F-MLFID><F-NOFAIL>b</F-NOFAIL>", true, "(?P<mlfid>a)(?P<nofail>b)" },
		{ "<F-TUPLE_ID_1>a</F-TUPLE_ID_1>", true, "(?P<tuple_id_1>a)" },
		{ "a<SKIPLINES>b<SKIPLINES>", true,
			"a\\n(?P<skiplines0>(?:(?:.*\\n)*?))b\\n(?P<skiplines1>(?:(?:.*\\n)*?))" },
		/* nothing opened it */
		{ "</F-USER>a<F-USER>b</F-USER>", true, "</F-USER>a(?P<user>b)" },
		{ "<unknown> <F->", true, "<unknown> <F->" },
		{ "(?<=a)<b", true, "(?<=a)<b" },
		{ "a{,3}b{1,2}c{,x}", true, "a{0,3}b{1,2}c{,x}" },
		{ "a\\{,3}[{,3}]", true, "a\\{,3}[{,3}]" },
		{ "(?iu)a", true, "(?i)a" },
		{ "((?i)a)", true, "(?i:a)" },
		{ "[<HOST>]", true, "[<HOST>]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct tags tags = { 0 };
		struct error err;
		size_t offset = 0;

		assert_int_equal(tags_expand(rows[i].text, rows[i].usedns, &tags, &offset, &err),
			0);
		assert_string_equal(tags.pattern, rows[i].pattern);
		assert_int_equal(tags.origins[strlen(tags.pattern)], strlen(rows[i].text));
		tags_done(&tags);
	}
}

static void kinds(void **state)
{
	static const struct {
		const char *text;
		enum tags_kind kind;
		size_t length; /* 0: not looked at */
	} rows[] = {
		{ "<HOST> x", TAGS_ADDRESS, 6 },
		{ "<DNS>", TAGS_ADDRESS, 5 },
		{ "<SUBNET>", TAGS_ADDRESS, 8 },
		{ "<F-ADDR/>", TAGS_ADDRESS, 9 },
		{ "<F-ID/>", TAGS_ADDRESS, 7 },
		{ "<F-ID>a</F-ID>", TAGS_ADDRESS_GROUP, 6 },
		{ "<F-IP4>a</F-IP4>", TAGS_ADDRESS_GROUP, 7 },
		{ "(?P<fid>a)", TAGS_ADDRESS_GROUP, 8 },
		{ "(?P<host>a)", TAGS_ADDRESS_GROUP, 9 },
		{ "<F-MLFID>a</F-MLFID>", TAGS_SESSION, 9 },
		{ "(?P<mlfid>a)", TAGS_SESSION, 10 },
		{ "</F-ID>", TAGS_OTHER, 0 },
		{ "<CIDR>", TAGS_OTHER, 0 },
		{ "<F-USER>", TAGS_OTHER, 0 },
		{ "<F-IDENT>", TAGS_OTHER, 0 },
		{ "(?P<HOST>a)", TAGS_OTHER, 0 },
		{ "(?P<user>a)", TAGS_OTHER, 0 },
		{ "<host>", TAGS_OTHER, 0 },
		{ "<HOST", TAGS_OTHER, 0 },
		{ "(?P<", TAGS_OTHER, 0 },
		{ "", TAGS_OTHER, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t length = 0;

		if (tags_kind(rows[i].text, &length) != rows[i].kind ||
			(rows[i].length && length != rows[i].length))
			fail_msg("%s: %d, %zu", rows[i].text, tags_kind(rows[i].text, &length),
				length);
	}
	assert_true(tags_say_who("^x <F-USER>a</F-USER> (?P<ip4>b)"));
	assert_true(tags_say_who("<F-MLFID>a</F-MLFID>"));
	assert_false(tags_say_who("^x <F-USER>a</F-USER> <CIDR> $"));
	assert_false(tags_say_who(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(expansions), cmocka_unit_test(kinds) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
