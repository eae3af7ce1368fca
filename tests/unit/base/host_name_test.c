/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/host_name.h"

static void names(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = {
		{ "pbx.example.org", true },
		{ "pbx", true },
		{ "a_b-c.example.org.", true },
		{ "1.example", true },
		{ "", false },
		{ ".", false },
		{ "a..b", false },
		{ ".a", false },
		{ "a.b..", false },
		{ "192.0.2.1", false },
		{ "example.1", false },
		{ "a b", false },
		{ "a\nb", false },
		{ "b\xc3\xbc"
		  "cher.example",
			false },
		{ "$(reboot).example", false },
		{ "a%eth0", false },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", true },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", false },
		{ "_sip.example.org", true },
		{ "-a.example", false },
		{ "a.-b", false },
		{ "a.b-", true },
		{ "192.0.2", false },
		{ "1.a1", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (host_name_is_valid(rows[i].name, strlen(rows[i].name)) != rows[i].good)
			fail_msg("'%s'", rows[i].name);
}

static void longest(void **state)
{
	char name[260];

	(void)state;
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 ? '.' : 'a';
	assert_true(host_name_is_valid(name, 253));
	assert_true(host_name_is_valid(name, 252)); /* with a final dot */
	name[253] = '.';
	assert_true(host_name_is_valid(name, 254));
	name[254] = 'a';
	assert_false(host_name_is_valid(name, 255));
	/* no byte behind the length is read */
	assert_true(host_name_is_valid("a b", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names), cmocka_unit_test(longest) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
