#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/config_fixture.h"

/* What is said of a rule that can be fooled. */
enum told { FIXED, ANYWHERE, OVER };

/* Loads the rule behind the prefix (NULL: none) as the only one of a jail that is on. */
static enum told told_of(const char *prefix, const char *rule)
{
	struct tree tree;
	char text[1024];
	enum told told;

	make(&tree);
	(void)snprintf(text, sizeof(text), "[Definition]\n%s%s\nfailregex = %s\n",
		prefix ? "prefregex = " : "", prefix ? prefix : "", rule);
	put(&tree, "filters/f.conf", text);
	put(&tree, "jails/a.conf", "[a]\nenabled = true\nfilter = f\nlogpath = /var/log/a\n");
	load(&tree);
	told = has_finding(&tree, "filters/f.conf:", "anywhere in a line") ? ANYWHERE
	       : has_finding(&tree, "filters/f.conf:", "second address")   ? OVER
									   : FIXED;
	done(&tree);
	return told;
}

static const struct {
	const char *rule;
	enum told told;
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
	{ "refused <F-ADDR/>", ANYWHERE },
	{ "^login of .* from <F-IP4/>, reason", OVER },
	{ "^login of .* from <F-IP6>\\S+</F-IP6>, reason", OVER },
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
		enum told told = told_of(NULL, rows[i].rule);

		if (told == rows[i].told)
			continue;
		print_message("%s: %d, not %d\n", rows[i].rule, told, rows[i].told);
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
		assert_int_equal(told_of(prefixes[i].prefix, "^refused <HOST>"),
			prefixes[i].starts ? FIXED : ANYWHERE);
	assert_int_equal(told_of(prefixes[3].prefix, "^refused <HOST>$"), FIXED);
}

/* Rules that a client can fool are told where they are used, once each. */
static void rules_that_can_be_fooled_are_told(void **state)
{
	struct filter_def filter;
	struct tree tree;

	(void)state;
	make(&tree);
	put(&tree, "jails/a.conf",
		GOOD "failregex = refused <HOST>$\n  refused <HOST>\n"
		     "  ^login of .* from <HOST> x\n");
	load(&tree);
	assert_int_equal(tree.findings.count, 2);
	assert_int_equal(tree.findings.errors, 0);
	assert_true(has_finding(&tree, "jails/a.conf:6:3: warning", "anywhere in a line"));
	assert_true(has_finding(&tree, "jails/a.conf:7:3: warning", "second address"));
	assert_false(tree.config->jails[0].broken);
	done(&tree);
	make(&tree);
	put(&tree, "jails/a.conf", "[a]\nfilter = loose\n");
	put(&tree, "filters/loose.conf",
		"[Definition]\nprefregex = daemon: <F-CONTENT>.+</F-CONTENT>$\n"
		"failregex = ^refused <HOST>\n");
	(void)good(&tree, "a"); /* the jail is off */
	config_free(tree.config);
	tree.rc = config_load_filter(tree.dir, tree.shipped, "loose", false, &tree.config, &filter,
		&tree.findings);
	assert_int_equal(tree.rc, 0);
	assert_true(has_finding(&tree, "filters/loose.conf:3:13: warning", "anywhere"));
	done(&tree);
	make(&tree);
	put(&tree, "jails/a.conf", GOOD);
	put(&tree, "filters/asterisk.conf",
		"[Definition]\nparser = asterisk-security\nfailregex = refused <HOST>\n");
	(void)good(&tree, "a"); /* the reader knows its fields */
	done(&tree);
}

/* fail2ban keeps a mode that does not exist as the text <mdre-MODE>, without a word. */
static void a_mode_that_does_not_exist_is_told(void **state)
{
	static const char modes[] = "[Definition]\nfailregex = ^x <HOST>$\n  <mdre-<mode>>\n"
				    "mode = normal\nmdre-normal = ^y <HOST>$\n"
				    "mdre-aggressive = ^z <HOST>$\n";
	char with_prefix[sizeof(modes) + 64];
	struct tree tree;

	(void)state;
	make(&tree);
	put(&tree, "filters/modes.conf", modes);
	put(&tree, "jails/a.conf",
		"[a]\nenabled = true\nlogpath = /var/log/a\nfilter = modes[mode=agressive]\n");
	load(&tree);
	assert_true(has_finding(&tree, "filters/modes.conf:3:3: error",
		"<mdre-agressive> is set nowhere, so this is no rule: did you mean "
		"<mdre-aggressive>?"));
	assert_int_equal(tree.findings.count, 1);
	done(&tree);
	(void)snprintf(with_prefix, sizeof(with_prefix), "%sprefregex = ^<ADDR> <F-CONTENT>.+$\n",
		modes);
	make(&tree);
	put(&tree, "filters/modes.conf", with_prefix);
	put(&tree, "jails/a.conf",
		"[a]\nenabled = true\nlogpath = /var/log/a\nfilter = modes\nmode = agressive\n");
	load(&tree);
	assert_true(has_finding(&tree, "filters/modes.conf:3:3: warning", "never hits: did you"));
	assert_false(tree.config->jails[0].broken);
	done(&tree);
	make(&tree);
	put(&tree, "filters/modes.conf", modes);
	put(&tree, "jails/a.conf",
		"[a]\nenabled = true\nlogpath = /var/log/a\nfilter = modes\nmode = aggressive\n");
	(void)good(&tree, "a");
	done(&tree);
}

static void a_filter_without_definition_is_told(void **state)
{
	struct tree tree;

	(void)state;
	make(&tree);
	put(&tree, "filters/own.conf", "[INCLUDES]\n[Defintion]\nfailregex = ^x <HOST>$\n");
	put(&tree, "jails/a.conf", "[a]\nenabled = true\nlogpath = /var/log/a\nfilter = own\n");
	load(&tree);
	assert_true(has_finding(&tree, "filters/own.conf:2:1: error", "did you mean [Definition]"));
	assert_int_equal(tree.findings.count, 1);
	done(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_that_can_be_fooled),
		cmocka_unit_test(the_place_where_a_prefregex_hands_over),
		cmocka_unit_test(rules_that_can_be_fooled_are_told),
		cmocka_unit_test(a_filter_without_definition_is_told),
		cmocka_unit_test(a_mode_that_does_not_exist_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
