#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_that_can_be_fooled_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
