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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(expansions) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
