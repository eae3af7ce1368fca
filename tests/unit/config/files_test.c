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
#include "config/files.h"
#include "dialect/tree.h"

/* Each file appends its letter to k and is written in a random order. */
static const char *const order[][2] = {
	{ "x.d/20.conf", "c" },
	{ "x.d/x.local", "f" },
	{ "x.local", "d" },
	{ "x.conf", "a" },
	{ "x.d/10.conf", "b" },
	{ "x.d/05.local", "e" },
	{ "x.d/.hidden.conf", "-" },
	{ "x.d/10.conf.dpkg-old", "-" },
	{ "x.conf.local", "-" },
};

static void files_in_fail2bans_order(void **state)
{
	struct dialect_names names = { 0 };
	struct dialect_view view = { 0 };
	struct dialect_value value;
	struct dialect *tree;
	struct tree files;
	char base[96];

	(void)state;
	make(&files);
	(void)snprintf(base, sizeof(base), "%s/x", files.dir);
	assert_false(files_group_exists(base));
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "[s]\nk = %%(known/k)s%s\n", order[i][1]);
		put(&files, order[i][0], strcmp(order[i][1], "a") == 0 ? "[s]\nk = a\n" : text);
		assert_true(i == 0 || files_group_exists(base));
	}
	tree = dialect_new(&names, &files.findings);
	files_group_read(tree, base);
	view.section = dialect_section(tree, "s");
	assert_int_equal(dialect_resolve(tree, &view, dialect_own_key(view.section, "k"), &value,
				 &files.findings),
		0);
	assert_string_equal(value.text, "abcdef");
	assert_int_equal(files.findings.count, 0);
	dialect_value_done(&value);
	dialect_free(tree);
	dialect_names_done(&names);
	files.rc = -1;
	done(&files);
}

/* The same for a filter, also where only what changes it is in the tree. */
static void filters_are_read_so(void **state)
{
	const struct config_jail *jail;
	struct tree tree;

	(void)state;
	make(&tree);
	put(&tree, "jails/a.conf", GOOD);
	put(&tree, "filter.d/asterisk.d/1.conf", "[Definition]\nfailregex = ^one <HOST>\n");
	jail = good(&tree, "a");
	assert_string_equal(jail->filter.failregex[0].text, "^one <HOST>");
	done(&tree);
	make(&tree);
	put(&tree, "jails/a.conf", GOOD);
	put(&tree, "filters/asterisk.conf", "[Definition]\nfailregex = ^own <HOST>\n");
	put(&tree, "filters/asterisk.d/1.conf",
		"[Definition]\nfailregex = %(known/failregex)s\n  ^one <HOST>\n");
	put(&tree, "filters/asterisk.local",
		"[Definition]\nfailregex = %(known/failregex)s\n  ^two <HOST>\n");
	put(&tree, "filters/asterisk.d/1.local",
		"[Definition]\nfailregex = %(known/failregex)s\n  ^three <HOST>\n");
	jail = good(&tree, "a");
	assert_int_equal(jail->filter.n_failregex, 4);
	assert_string_equal(jail->filter.failregex[0].text, "^own <HOST>");
	assert_string_equal(jail->filter.failregex[3].text, "^three <HOST>");
	assert_non_null(strstr(jail->filter.failregex[3].at.file, "asterisk.d/1.local"));
	assert_int_equal(jail->filter.failregex[3].at.line, 3);
	done(&tree);
	make(&tree);
	put(&tree, "jails/a.conf", "[a]\nenabled = 1\nfilter = mine\nlogpath = /var/log/a\n");
	put(&tree, "filter.d/mine.local", "[Definition]\nfailregex = ^mine <HOST>\n");
	jail = good(&tree, "a");
	assert_string_equal(jail->filter.failregex[0].text, "^mine <HOST>");
	done(&tree);
}

/* Includes that never end are told where they are asked for. */
static void includes_are_bounded(void **state)
{
	struct tree tree;
	char name[32];
	char text[64];

	(void)state;
	make(&tree);
	put(&tree, "jails/a.conf", "[INCLUDES]\nbefore = b.inc\n" GOOD);
	put(&tree, "jails/b.inc", "[INCLUDES]\n\nafter = a.conf\n");
	load(&tree);
	assert_int_equal(tree.findings.count, 1);
	assert_true(has_finding(&tree, "jails/b.inc:3:9: error", "a.conf' includes itself"));
	done(&tree);
	make(&tree);
	for (int i = 0; i < 13; i++) {
		(void)snprintf(name, sizeof(name), "jails/%d.%s", i, i ? "inc" : "conf");
		(void)snprintf(text, sizeof(text), "[INCLUDES]\nbefore = %d.inc\n", i + 1);
		put(&tree, name, text);
	}
	load(&tree);
	assert_int_equal(tree.findings.count, 1);
	assert_true(has_finding(&tree, "jails/10.inc:2:10: error", "nest deeper than 10"));
	done(&tree);
	make(&tree);
	put(&tree, "jails/a.conf", "[INCLUDES]\nbefore = b.inc\n  nowhere.conf\n" GOOD);
	put(&tree, "jails/b.inc", "[INCLUDES]\nafter = nowhere.local\n");
	load(&tree);
	assert_int_equal(tree.findings.count, 1);
	assert_true(has_finding(&tree, "jails/a.conf:3:3: error", "no file 'nowhere.conf'"));
	done(&tree);
}

static void too_much_is_told(void **state)
{
	char *text = calloc(1, 64 * 1024);
	struct tree tree;
	char name[64];

	(void)state;
	assert_non_null(text);
	make(&tree);
	put(&tree, "jails/a.conf", GOOD);
	for (int i = 0; i < DIALECT_FILES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "filters/asterisk.d/%04d.conf", i);
		put(&tree, name, "");
	}
	load(&tree);
	assert_int_equal(tree.findings.count, 1);
	assert_true(has_finding(&tree, "filters/asterisk.d/0999.conf: error", "1000 files"));
	assert_true(tree.config->jails[0].broken);
	done(&tree);
	make(&tree);
	strcpy(text, "[DEFAULT]\n");
	for (int i = 0; i <= DIALECT_KEYS_MAX; i++)
		(void)snprintf(text + strlen(text), 32, "_k%d = %d\n", i, i);
	strcat(text, GOOD);
	put(&tree, "jails/a.conf", text);
	load(&tree);
	assert_int_equal(tree.findings.count, 1);
	assert_true(has_finding(&tree, "jails/a.conf:2002:1: error", "2000 keys"));
	assert_true(tree.config->jails[0].broken);
	done(&tree);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_in_fail2bans_order),
		cmocka_unit_test(filters_are_read_so),
		cmocka_unit_test(includes_are_bounded),
		cmocka_unit_test(too_much_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
