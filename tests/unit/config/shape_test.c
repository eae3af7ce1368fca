#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/shape.h"

#define FIXED CONFIG_SHAPE_FIXED
#define ANYWHERE CONFIG_SHAPE_ANYWHERE
#define OVER CONFIG_SHAPE_RUNS_OVER

static const struct {
	const char *rule;
	enum config_shape shape;
} rows[] = {
	/* as guides print them: anything may hold such a text */
	{ "NOTICE.* .*: Registration from '.*' failed for '<HOST>' - Wrong password", ANYWHERE },
	{ "SECURITY.* SecurityEvent=\"InvalidPassword\".*RemoteAddress=\".+?/.+?/<HOST>/.+?\".*",
		ANYWHERE },
	{ "authentication failure; .* rhost=<HOST>", ANYWHERE },
	{ "<HOST> - - \\[.*\\] \"GET /admin", ANYWHERE },
	{ "^.*refused from <HOST>", ANYWHERE },
	{ "^.+: refused from <HOST>.*$", ANYWHERE },
	{ "refused (?P<host>\\S+)", ANYWHERE },
	{ "refused <F-ID>\\S+</F-ID>", ANYWHERE },
	/* the end holds it */
	{ "refused from <HOST>$", FIXED },
	{ "^.*refused from <HOST>$", FIXED },
	{ "refused from <HOST>(?:: |$)", ANYWHERE },
	{ "refused from <HOST>(?: port \\d+)?$", FIXED },
	{ "refused from <HOST>.*$", ANYWHERE },
	/* the beginning, and what stands between */
	{ "^<HOST> - - \\[.*\\] \"GET /admin", FIXED },
	{ "^refused <HOST>", FIXED },
	{ "\\A\\[\\d+\\] refused <HOST>", FIXED },
	{ "^login of .* from <HOST>", OVER },
	{ "^login of .*? from <HOST> port \\d+", OVER },
	{ "^login of .* from <HOST>$", FIXED },
	{ "^login of .*? from <HOST>(?: port \\d+)?\\s*$", FIXED },
	{ "^login of .* from <HOST>, reason .*$", OVER },
	{ "^login of <F-USER>\\S+</F-USER> from <HOST>", OVER },
	{ "^login of <F-USER>(?P<u>\\S+)|root</F-USER> from <HOST>", OVER },
	{ "^login of <F-USER>[^']*</F-USER>' from <HOST>", FIXED },
	{ "^refused '[^']*' \\((?:(?:TCP|UDP):)?<HOST>:\\d+\\) to '[^']*'", FIXED },
	{ "^connect from \\S+ \\(<HOST>\\)", FIXED },
	{ "^connect from \\S+\\[<HOST>\\]", FIXED },
	{ "^failure; ruser=\\S* rhost=<HOST>(?:\\s+user=.*)?\\s*$", OVER },
	{ "^login of .{3,} from <HOST>", OVER },
	{ "^login of .{3} from <HOST>", FIXED },
	{ "^login of [\\s\\S]* from <HOST>", OVER },
	/* in front of the daemon's first word stands the log's prefix */
	{ "^\\s*\\S+ \\S+ (?:\\[\\d+\\] )?daemon: refused <HOST>", FIXED },
	{ "^(?:\\S+\\s+)?(?:kernel: )?(?:@vserver_\\S+\\s+)?daemon: refused <HOST> x", FIXED },
	/* alternatives are judged one by one */
	{ "^refused <HOST>|failed for <HOST>", ANYWHERE },
	{ "^(?:login .* failed|refused) for <HOST>", OVER },
	{ "^(?:hello .*|refused <HOST>) x", FIXED },
	{ "^(?:from <HOST>|login .* by <HOST>)$", FIXED },
	{ "^(?:from <HOST>|login .* by <HOST>) x", OVER },
	/* look-arounds, flags and classes take nothing */
	{ "^(?i)login(?!.* x)(?# .* ) from <HOST>", FIXED },
	{ "^login [.*]+ from [^]\\]]<HOST> x", FIXED },
	{ "^login \\.* from <HOST> x", FIXED },
	{ "^login of (?:(?! from ).)* from <HOST> x", FIXED },
	{ "^first .*<SKIPLINES>^second <HOST> x", FIXED },
	/* not ours to judge */
	{ "no address .* here", FIXED },
	{ "<F-NOFAIL>x</F-NOFAIL> .* <HOST>", FIXED },
	{ "((((((((((((((((((((((((((((((((((((<HOST>", FIXED },
	{ "a)b <HOST>", ANYWHERE },
	{ "^[login", FIXED },
	{ "^login (?", FIXED },
	{ "^login \\", FIXED },
	{ "", FIXED },
};

static void rules_that_can_be_fooled(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum config_shape shape = config_shape_of(rows[i].rule, true);

		if (shape == rows[i].shape)
			continue;
		print_message("%s: %d, not %d\n", rows[i].rule, shape, rows[i].shape);
		failed++;
	}
	assert_int_equal(failed, 0);
}

/* A rule's ^ is worth what the prefregex is. */
static void the_place_where_a_prefregex_hands_over(void **state)
{
	static const struct {
		const char *prefix;
		bool starts;
	} prefixes[] = {
		{ "^\\s*daemon\\[\\d+\\]: <F-CONTENT>.+</F-CONTENT>$", true },
		{ "^(?:\\S+\\s+)?daemon: <F-CONTENT>.+</F-CONTENT>$", true },
		{ "^<F-MLFID>\\S+ daemon: </F-MLFID><F-CONTENT>.+</F-CONTENT>", true },
		{ "daemon: <F-CONTENT>.+</F-CONTENT>$", false },
		{ "^.*: <F-CONTENT>.+</F-CONTENT>$", false },
		{ "^daemon .*: <F-CONTENT>.+</F-CONTENT>$", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		assert_int_equal(config_shape_starts(prefixes[i].prefix), prefixes[i].starts);
	assert_int_equal(config_shape_of("^refused <HOST>", false), ANYWHERE);
	assert_int_equal(config_shape_of("^refused <HOST>$", false), FIXED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_that_can_be_fooled),
		cmocka_unit_test(the_place_where_a_prefregex_hands_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
