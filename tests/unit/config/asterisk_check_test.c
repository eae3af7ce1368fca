/* What `check` says of jails over Asterisk's log. */
/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/findings.h"
#include "config/asterisk_check.h"
#include "config/config_fixture.h"

#define PLAIN "[Definition]\nfailregex = SecurityEvent=\"FailedACL\".*RemoteAddress=\"<HOST>\"$\n"
#define PARSER                                                                                     \
	"[Definition]\nparser = asterisk-security\nfailregex = ^SecurityEvent=\"FailedACL\"\n"
#define JAIL(name, filter)                                                                         \
	"[" name "]\nenabled = true\nfilter = " filter "\nlogpath = /nowhere/a\naction = nftables\n"

static unsigned count_with(const struct findings *findings, const char *word)
{
	unsigned count = 0;

	for (size_t i = 0; i < findings->count; i++)
		count += !findings->list[i].is_error && strstr(findings->list[i].text, word);
	return count;
}

static void rules(void **state)
{
	static const struct {
		const char *jails;
		const char *filter; /* of the file own.conf */
		const char *word;
		unsigned count;
	} rows[] = {
		{ JAIL("a", "own"), PLAIN, "plain rule over SECURITY", 1 },
		{ JAIL("a", "own"), PARSER, "plain rule", 0 },
		{ JAIL("a", "own"), PARSER, "", 0 }, /* nothing at all */
		{ JAIL("a", "own") JAIL("b", "own"), PLAIN, "plain rule over SECURITY", 1 },
		{ "[a]\nenabled = false\nfilter = own\n" JAIL("b", "own"), PLAIN,
			"plain rule over SECURITY", 1 },
		{ JAIL("a", "own"), "[Definition]\nfailregex = ^x <HOST>$\n", "plain rule", 0 },
		/* the fixture's: from <HOST>$ */
		{ JAIL("a", "asterisk"), PLAIN, "plain rule over Asterisk's messages", 1 },
		{ "[a]\nenabled = true\nfilter = asterisk\nlogpath = /nowhere/a\naction =\n", PLAIN,
			"plain rule", 0 }, /* bans nobody */
		{ "[a]\nenabled = false\nfilter = own\nlogpath = /nowhere/a\n", PLAIN, "plain rule",
			0 },
		{ JAIL("a", "own"),
			"[Definition]\nparser = asterisk-security\n"
			"failregex = ^SECURITY res_security_log.c: SecurityEvent=\"FailedACL\"\n",
			"never matches", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct findings findings = { 0 };
		struct tree tree;

		make(&tree);
		put(&tree, "filters/own.conf", rows[i].filter);
		put(&tree, "jails/a.local", rows[i].jails);
		load(&tree);
		assert_int_equal(tree.findings.errors, 0);
		asterisk_check(tree.config, &findings);
		if (count_with(&findings, rows[i].word) != rows[i].count)
			fail_msg("row %zu: %zu findings", i, findings.count);
		findings_done(&findings);
		done(&tree);
	}
}

/* Keys that a parser has no use for, where an operator set them. */
static const struct {
	const char *jails;
	const char *filter;
	const char *place; /* of the only finding; NULL: none */
	const char *key;
} idle_keys[] = {
	{ JAIL("a", "own") "datepattern = %%Y\n", PARSER, "jails/a.local:6:1: warning",
		"datepattern" },
	{ JAIL("a", "own") "maxlines = 3\n", PARSER, "jails/a.local:6:1: warning", "maxlines" },
	{ JAIL("a", "own") "logtimezone = UTC\n", PARSER, "jails/a.local:6:1: warning",
		"logtimezone" },
	{ JAIL("a", "own") "usedns = yes\n", PARSER, "jails/a.local:6:1: warning", "usedns" },
	{ JAIL("a", "own[maxlines=3]"), PARSER, "jails/a.local:3:23: warning", "maxlines" },
	{ JAIL("a", "own"), PARSER "datepattern = %%Y\n", "filters/own.conf:4:1: warning",
		"datepattern" },
	{ JAIL("a", "own"), PARSER "[Init]\nmaxlines = 3\n", "filters/own.conf:5:1: warning",
		"maxlines" },
	{ JAIL("a", "own") "maxlines = 5\n", PARSER "maxlines = 3\n", "jails/a.local:6:1: warning",
		"maxlines" },
	{ JAIL("a", "own"), PARSER "usedns = yes\n", "filters/own.conf:4:1: warning", "usedns" },
	{ "[DEFAULT]\nmaxlines = 3\nusedns = yes\ndatepattern = %%Y\nlogtimezone = UTC\n" JAIL("a",
		  "own"),
		PARSER, NULL, NULL },
	{ JAIL("a", "own"), "[INCLUDES]\nbefore = dates.conf\n" PARSER, NULL, NULL },
	{ JAIL("a", "own") "datepattern = %%Y\n",
		"[Definition]\nfailregex = ^%%(_x)s<HOST>$\n"
		"_x = SIP \n",
		NULL, NULL },
};

static void keys_without_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(idle_keys) / sizeof(*idle_keys); i++) {
		struct tree tree;

		make(&tree);
		put(&tree, "filters/own.conf", idle_keys[i].filter);
		put(&tree, "filters/dates.conf", "[Definition]\ndatepattern = %%Y\n");
		put(&tree, "jails/a.local", idle_keys[i].jails);
		load(&tree);
		if (tree.findings.count != (idle_keys[i].place != NULL) ||
			(idle_keys[i].place &&
				(!has_finding(&tree, idle_keys[i].place, idle_keys[i].key) ||
					!has_finding(&tree, idle_keys[i].place, "no effect")))) {
			print_findings(&tree);
			fail_msg("row %zu", i);
		}
		done(&tree);
	}
}

#define RECORD(second)                                                                             \
	"[x] SECURITY[1] res_security_log.c: SecurityEvent=\"FailedACL\",EventTV=\"2026-11-23T08:" \
	"51:" second ".686+0000\",Severity=\"Error\"\n"
#define JSON_RECORD(second)                                                                               \
	"{\"logmsg\":{\"message\":\"SecurityEvent=\\\"FailedACL\\\",EventTV=\\\"2026-11-23T08:51:" second \
	".686+0000\\\",Severity\"}}\n"

/* One channel in two files. */
static void twice(void **state)
{
	static const struct {
		const char *messages;
		const char *security; /* NULL: a link to messages */
		bool told;
	} rows[] = {
		{ RECORD("01") RECORD("02"), RECORD("01") RECORD("02"), true },
		{ "[x] NOTICE[1] x.c: y\n" RECORD("01") "z\n", RECORD("01"), true },
		{ RECORD("01") RECORD("02"), JSON_RECORD("01") JSON_RECORD("02"), true },
		{ RECORD("01") RECORD("02"), RECORD("03") RECORD("04"), false },
		{ RECORD("01") RECORD("02") RECORD("03"),
			RECORD("03") RECORD("04") RECORD("05") RECORD("06"), false },
		{ "[x] NOTICE[1] x.c: y\n", RECORD("01"), false },
		{ RECORD("01"), "", false },
		{ "EventTV=", "EventTV=\"", false },
		{ RECORD("01"), NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (int two_jails = 0; two_jails < 2; two_jails++) {
			struct findings findings = { 0 };
			struct tree tree;
			char jails[1000];
			char paths[2][200];

			make(&tree);
			put(&tree, "filters/own.conf", PARSER);
			put(&tree, "log/messages", rows[i].messages);
			(void)snprintf(paths[0], sizeof(paths[0]), "%s/log/messages", tree.dir);
			(void)snprintf(paths[1], sizeof(paths[1]), "%s/log/security", tree.dir);
			if (rows[i].security)
				put(&tree, "log/security", rows[i].security);
			else
				assert_int_equal(symlink(paths[0], paths[1]), 0);
			(void)snprintf(jails, sizeof(jails),
				"[a]\nenabled = true\nfilter = own\naction = nftables\n"
				"logpath = %s\n%s %s\n",
				paths[0],
				two_jails ? "[b]\nenabled = true\nfilter = own\n"
					    "action = nftables\nlogpath ="
					  : "",
				paths[1]);
			put(&tree, "jails/a.local", jails);
			load(&tree);
			assert_int_equal(tree.findings.errors, 0);
			asterisk_check(tree.config, &findings);
			if (count_with(&findings, "an attempt would count twice") != rows[i].told)
				fail_msg("row %zu: %zu findings", i, findings.count);
			findings_done(&findings);
			done(&tree);
		}
	}
}

/* Other levels beside the records in one text file. */
static void levels(void **state)
{
	static const struct {
		const char *log;
		const char *told; /* NULL: nothing */
	} rows[] = {
		{ RECORD("01") "[x] NOTICE[1] x.c: y\n", "gets NOTICE messages too" },
		{ "[x] VERBOSE[1][C-1] x.c: y\n" RECORD("01"), "gets VERBOSE messages too" },
		{ RECORD("01") "[x] Asterisk 22.1.0 built by x\n", NULL },
		{ "[x] NOTICE[1] x.c: y\n", NULL },
		{ JSON_RECORD("01") "{\"logmsg\":{\"level\":\"NOTICE\"}}\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct findings findings = { 0 };
		struct tree tree;
		char jails[500];

		make(&tree);
		put(&tree, "filters/own.conf", PARSER);
		put(&tree, "log/messages", rows[i].log);
		(void)snprintf(jails, sizeof(jails),
			"[a]\nenabled = true\nfilter = own\naction = nftables\n"
			"logpath = %s/log/messages\n",
			tree.dir);
		put(&tree, "jails/a.local", jails);
		load(&tree);
		asterisk_check(tree.config, &findings);
		if (findings.count != (rows[i].told != NULL) ||
			(rows[i].told && count_with(&findings, rows[i].told) != 1))
			fail_msg("row %zu: %zu findings", i, findings.count);
		findings_done(&findings);
		done(&tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules),
		cmocka_unit_test(keys_without_meaning),
		cmocka_unit_test(twice),
		cmocka_unit_test(levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
