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
		cmocka_unit_test(rules_that_can_be_fooled_are_told),
		cmocka_unit_test(a_filter_without_definition_is_told),
		cmocka_unit_test(a_mode_that_does_not_exist_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
