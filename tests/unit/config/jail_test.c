#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/config.h"
#include "config/config_fixture.h"

#define ON GOOD "bantime.increment = true\n"
#define MAILS "a@b, a@b, a@b, a@b, a@b, a@b, a@b, a@b, "

/* One jails/a.conf each, a tree of our own: the only finding stands at `place` and holds `what`.
 * An error breaks the jail unless `guards`. */
static const struct {
	const char *text;
	const char *place;
	const char *what;
	bool guards;
} bad[] = {
	{ GOOD "bantime.factor = 0\n", "jails/a.conf:5:18: error", "above 0", false },
	{ GOOD "bantime.factor = 3-4\n", "jails/a.conf:5:18: error", "above 0", false },
	{ GOOD "bantime.factor = 1e7\n", "jails/a.conf:5:18: error", "1000000", false },
	{ GOOD "bantime.factor = 1e999\n", "jails/a.conf:5:18: error", "1000000", false },
	{ GOOD "bantime.factor = 2 * x\n", "jails/a.conf:5:22: error", "no arithmetic", false },
	{ GOOD "bantime.factor = 2 ** 3\n", "jails/a.conf:5:21: error", "no arithmetic", false },
	{ GOOD "bantime.factor = (1 + 2\n", "jails/a.conf:5:24: error", "no arithmetic", false },
	{ GOOD "bantime.factor = 1 / (2-2)\n", "jails/a.conf:5:20: error", "no arithmetic", false },
	{ GOOD "bantime.factor = 0x10\n", "jails/a.conf:5:18: error", "no arithmetic", false },
	{ GOOD "bantime.factor = nan\n", "jails/a.conf:5:18: error", "no arithmetic", false },
	{ GOOD "x = 1 *\nbantime.factor = %(x)s y\n", "jails/a.conf:6:24: error", "no arithmetic",
		false },
	{ GOOD "bantime.factor = ((((((((((((((((((((1))))))))))))))))))))\n",
		"jails/a.conf:5:34: error", "no arithmetic", false },
	{ GOOD "bantime.multipliers = 1 2 x\n", "jails/a.conf:5:27: error", "'x' is no number",
		false },
	{ GOOD "bantime.multipliers = 1, 2\n", "jails/a.conf:5:23: error", "blanks stand", false },
	{ GOOD "bantime.multipliers = 1 0\n", "jails/a.conf:5:25: error", "above 0", false },
	{ GOOD "bantime.multipliers = 1\n  2 # more\n", "jails/a.conf:6:5: error",
		"begins with ' ;'", false },
	{ GOOD "bantime.maxtime = 0\n", "jails/a.conf:5:19: error", "at least 1 second", false },
	{ GOOD "bantime.maxtime = 5w?\n", "jails/a.conf:5:19: error", "is not a time", false },
	{ GOOD "bantime.rndtime = -1\n", "jails/a.conf:5:19: error", "at least 0 seconds", false },
	{ GOOD "bantime.maxtime = 99999999999999999999999y\n", "jails/a.conf:5:19: error",
		"is not a time", false },
	{ ON "bantime.maxtime = 5m\n", "jails/a.conf:6:19: warning", "shorter than bantime",
		false },
	{ GOOD "bantime.overalljails = often\n", "jails/a.conf:5:24: error", "neither true",
		false },
	{ ON "bantime.formula = ban.Time * 2\n", "jails/a.conf:6:19: error",
		"take one of them, or list the steps in bantime.multipliers", false },
	{ GOOD "bantime.formula = ban.Time * 2\n", "jails/a.conf:5:19: warning", "not used here",
		false },
	{ ON "bantime.formula = ban.Time * 2\nbantime.multipliers = 1 2\n",
		"jails/a.conf:6:19: warning", "not used here", false },
	{ GOOD "unproven = port\n", "jails/a.conf:5:12: error", "none of ports, jail, alert",
		false },
	{ GOOD "proof = udp\n", "jails/a.conf:5:9: error", "neither tcp nor none", false },
	{ GOOD "maxmatches = many\n", "jails/a.conf:5:14: error", "no number", false },
	{ GOOD "maxmatches = 1001\n", "jails/a.conf:5:14: error", "between 0 and 1000", false },
	{ GOOD "maxretry = 99999999999999999999\n", "jails/a.conf:5:12: error", "no number",
		false },
	{ GOOD "maxretry = -1\n", "jails/a.conf:5:12: error", "no number", false },
	{ GOOD "findtime = 0\n", "jails/a.conf:5:12: error", "at least one second", false },
	{ GOOD "bantime = 0\n", "jails/a.conf:5:11: error", "-1 for ever", false },
	{ GOOD "backend = pynotify\n", "jails/a.conf:5:11: error", "did you mean 'pyinotify'?",
		false },
	{ GOOD "backend = kafka\n", "jails/a.conf:5:11: error", "auto, polling and systemd",
		false },
	{ GOOD "backend = polling[rotated=1]\n", "jails/a.conf:5:19: error", "only systemd",
		false },
	{ GOOD "backend = systemd[journalpaht=/x]\n", "jails/a.conf:5:19: error",
		"did you mean 'journalpath'?", false },
	{ GOOD "backend = systemd[journalpath=x]\n", "jails/a.conf:5:31: error",
		"not an absolute path", false },
	{ GOOD "backend = systemd[journalfiles=\"/x y\"]\n", "jails/a.conf:5:36: error",
		"'y' is not an absolute path", false },
	{ GOOD "backend = systemd[journalpath=/x,journalfiles=/y]\n", "jails/a.conf:5:34: error",
		"exclude each other", false },
	{ GOOD "backend = systemd[journalflags=16]\n", "jails/a.conf:5:32: error", "no sum of",
		false },
	{ GOOD "backend = systemd[journalpath=/x, rotated=maybe]\n", "jails/a.conf:5:43: error",
		"neither true", false },
	{ GOOD "backend = systemd[a\n", "jails/a.conf:5:", "backend:", false },
	{ GOOD "backend = auto\n  polling\n", "jails/a.conf:6:3: error", "only one", false },
	{ GOOD "backend = systemd\n", "jails/a.conf:5:11: warning", "without journalmatch", false },
	{ GOOD "journalmatch = _COMM=a b\n", "jails/a.conf:5:24: error", "neither FIELD=value",
		false },
	{ GOOD "journalmatch = _COMM=a +\n", "jails/a.conf:5:24: error", "nothing stands behind",
		false },
	{ GOOD "journalmatch = + _COMM=a\n", "jails/a.conf:5:16: error", "nothing stands before",
		false },
	{ GOOD "journalmatch = _COMM=a\n  _comm=b\n", "jails/a.conf:6:3: error", "'_comm=b'",
		false },
	{ GOOD "journalmatch = _COMM=\"a\n", "jails/a.conf:5:16: error", "not closed", false },
	{ GOOD "skip_if_nologs = perhaps\n", "jails/a.conf:5:18: error", "neither true", false },
	{ GOOD "systemd_if_nologs = perhaps\n", "jails/a.conf:5:21: error", "neither true", false },
	{ GOOD "logencoding = ebcdic\n", "jails/a.conf:5:15: warning", "matched as they are",
		false },
	{ GOOD "ignorecache = key=\"<ip>\"\n", "jails/a.conf:5:15: warning",
		"without ignorecommand", false },
	{ GOOD "ignorecache = key=\"<ip>\"\nignorecommand = /bin/x\n", "jails/a.conf:6:17: error",
		"left out", false },
	{ GOOD "ignoreip = 192.0.2.1/33\n", "jails/a.conf:5:12: error", "192.0.2.1/33", false },
	{ GOOD "ignoreip = 192.0.2.0/255.0.255.0\n", "jails/a.conf:5:12: error", "255.0.255.0",
		false },
	{ GOOD "ignoreip = pbx..example.org\n", "jails/a.conf:5:12: error", "is not an address",
		false },
	{ GOOD "ignoreip = 192.0.2.1 file:list\n", "jails/a.conf:5:22: error", "no absolute path",
		false },
	{ GOOD "ignoreip = file:/nonexistent/list\n", "jails/a.conf:5:12: error",
		"ban whom it protects", false },
	{ GOOD "ignoreip = file:/tmp\n", "jails/a.conf:5:12: error", "not a regular file", false },
	{ GOOD "ignoreip = 192.0.2.1 0.0.0.0/0\n", "jails/a.conf:5:22: warning",
		"no IPv4 address is ever banned", false },
	{ GOOD "ignoreip = 10.0.0.0/8\n  2001::/16, ::/0\n", "jails/a.conf:6:14: warning",
		"no IPv6 address is ever banned", false },
	{ GOOD "ignoreip = 2000::/3\n", "jails/a.conf:5:12: warning", "is everybody", false },
	{ GOOD "ignoreip = 128.0.0.0/1\n", "jails/a.conf:5:12: warning", "large part of", false },
	{ GOOD "ignoreip = 2001::/15\n", "jails/a.conf:5:12: warning", "large part of", false },
	{ "[DEFAULT]\nignoreip = 0.0.0.0/0\n" GOOD "[b]\n", "jails/a.conf:2:12: warning",
		"is everybody", false },
	{ GOOD "usedns = perhaps\n", "jails/a.conf:5:10: error", "none of yes, warn, no", false },
	{ GOOD "usedns = warn\n", "jails/a.conf:5:10: warning", "a resolved address is unproven",
		false },
	{ "[DEFAULT]\nusedns = yes\n" GOOD, "jails/a.conf:2:10: warning", "not honoured", false },
	{ GOOD "dest = root@, x\n", "jails/a.conf:5:8: error", "no domain", true },
	{ GOOD "dest = a@b, c d\n", "jails/a.conf:5:13: error", "'c d' is not a mail address",
		true },
	{ GOOD "dest = " MAILS MAILS MAILS MAILS "c@d\n", "jails/a.conf:5:168: error",
		"more than 32", true },
	{ GOOD "sender = a@b, c@d\n", "jails/a.conf:5:10: error", "2 mail addresses, where 1",
		true },
	{ GOOD "[mail]\ndest = @\n", "jails/a.conf:6:8: error", "dest: '@'", true },
	{ GOOD "[voipguard]\ndbpurgeage = 0\n", "jails/a.conf:6:14: error", "one second", true },
};

static void each_is_one_finding(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bool error = strstr(bad[i].place, "warning") == NULL;
		struct tree tree;

		make(&tree);
		put(&tree, "jails/a.conf", bad[i].text);
		load(&tree);
		if (tree.rc < 0 || tree.findings.count != 1 ||
			!has_finding(&tree, bad[i].place, bad[i].what) ||
			tree.config->jails[0].broken != (error && !bad[i].guards)) {
			print_message("row %zu wants %s %s\n", i, bad[i].place, bad[i].what);
			print_findings(&tree);
			failed++;
		}
		done(&tree);
	}
	assert_int_equal(failed, 0);
}

#define PYTHON_DOUBLE "ban.Time * (1<<(ban.Count if ban.Count<20 else 20)) * banFactor"
#define PYTHON_EXP "ban.Time * math.exp(float(ban.Count+1)*banFactor)/math.exp(1*banFactor)"

static const struct {
	const char *text;
	struct config_increment want; /* without the list */
	double last;                  /* multiplier */
} increments[] = {
	{ "", { .factor = 1 }, 0 },
	{ "bantime.increment = false\nbantime.formula =\nbantime.factor =\nbantime.maxtime =\n",
		{ .factor = 1 }, 0 },
	{ "bantime.increment = yes\nbantime.maxtime = 5w\nbantime.rndtime = 2048\n"
	  "bantime.overalljails = true\n",
		{ .on = true,
			.factor = 1,
			.maxtime_s = 3024000,
			.rndtime_s = 2048,
			.all_jails = true },
		0 },
	{ "bantime.factor = 24 * 60 / (2 + 6 * -1 - -8)\nbantime.rndtime = 0\n", { .factor = 360 },
		0 },
	{ "bantime.increment = 1\nbantime.formula = " PYTHON_DOUBLE "\n",
		{ .on = true, .factor = 1 }, 0 },
	{ "bantime.increment = 1\nbantime.factor = 2.0 / 2.885385\nbantime.formula = " PYTHON_EXP
	  "\n",
		{ .on = true, .factor = 2.0 / 2.885385, .formula = FORMULA_EXPONENTIAL }, 0 },
	{ "bantime.increment = 1\nbantime.formula=" PYTHON_EXP
	  "\nbantime.multipliers = 1 2 4\n  8 1.65e+01\n",
		{ .on = true, .factor = 1, .formula = FORMULA_MULTIPLIERS, .n_multipliers = 5 },
		16.5 },
};

static void increments_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(increments) / sizeof(increments[0]); i++) {
		const struct config_increment *want = &increments[i].want;
		const struct config_increment *got;
		struct tree tree;
		char text[1024];

		make(&tree);
		/* half of them from [DEFAULT] */
		(void)snprintf(text, sizeof(text), i % 2 ? "[DEFAULT]\n%s" GOOD : GOOD "%s",
			increments[i].text);
		put(&tree, "jails/a.conf", text);
		got = &good(&tree, "a")->increment;
		assert_int_equal(got->on, want->on);
		assert_int_equal(got->formula, want->formula);
		assert_true(got->factor > want->factor - 1e-9 && got->factor < want->factor + 1e-9);
		assert_int_equal(got->n_multipliers, want->n_multipliers);
		assert_int_equal(got->maxtime_s, want->maxtime_s);
		assert_int_equal(got->rndtime_s, want->rndtime_s);
		assert_int_equal(got->all_jails, want->all_jails);
		if (want->n_multipliers)
			assert_true(got->multipliers[got->n_multipliers - 1] == increments[i].last);
		done(&tree);
	}
}

static void multipliers_are_bounded(void **state)
{
	char text[512] = GOOD "bantime.multipliers =";
	struct tree tree;

	(void)state;
	for (int i = 0; i < 101; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), " 1");
	make(&tree);
	put(&tree, "jails/a.conf", text);
	load(&tree);
	assert_int_equal(tree.findings.count, 1);
	assert_true(has_finding(&tree, "jails/a.conf:5:223: error", "more than 100"));
	done(&tree);
}

static const struct {
	const char *text;
	enum config_backend backend;
	const char *match; /* words joined by | */
	struct config_journal_source source;
} backends[] = {
	{ "", BACKEND_AUTO, "", { .flags = -1 } },
	{ "backend = pyinotify\n", BACKEND_AUTO, "", { .flags = -1 } },
	{ "backend = gamin\n", BACKEND_AUTO, "", { .flags = -1 } },
	{ "backend = POLLING\n", BACKEND_POLLING, "", { .flags = -1 } },
	{ "backend = systemd\njournalmatch = _SYSTEMD_UNIT=asterisk.service + _COMM=asterisk\n",
		BACKEND_JOURNAL, "_SYSTEMD_UNIT=asterisk.service|+|_COMM=asterisk",
		{ .flags = -1 } },
	{ "backend = systemd\njournalmatch = SYSLOG_IDENTIFIER=\"a b\" 'MESSAGE=x\\y'\n  _COMM=c\\ d\n",
		BACKEND_JOURNAL, "SYSLOG_IDENTIFIER=a b|MESSAGE=x\\y|+|_COMM=c d",
		{ .flags = -1 } },
	{ "backend = systemd[journalpath=\"/run/log/journal\", journalflags=1, rotated=on]\n",
		BACKEND_JOURNAL, "",
		{ .path = (char[]){ "/run/log/journal" }, .flags = 1, .rotated = true } },
	{ "backend = systemd[journalfiles=\"/a/*.journal,/b\"][namespace=pbx]\n", BACKEND_JOURNAL,
		"", { .n_files = 2, .flags = -1, .namespace = (char[]){ "pbx" } } },
};

static void same_text(const char *got, const char *want)
{
	assert_int_equal(got != NULL, want != NULL);
	if (want)
		assert_string_equal(got, want);
}

static void backends_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
		const struct config_journal_source *want = &backends[i].source;
		const struct config_jail *jail;
		struct tree tree;
		char text[1024];
		char words[512] = "";

		make(&tree);
		put(&tree, "shipped/asterisk.conf",
			"[Definition]\nfailregex = <lt_<logtype>/pre> <HOST>\n"
			"[lt_file]\npre = F\n[lt_journal]\npre = J\n");
		(void)snprintf(text, sizeof(text), GOOD "%s", backends[i].text);
		put(&tree, "jails/a.conf", text);
		jail = good(&tree, "a");
		assert_int_equal(jail->backend, backends[i].backend);
		assert_int_equal(jail->n_logpaths, jail->backend != BACKEND_JOURNAL);
		assert_int_equal(jail->filter.journal, jail->backend == BACKEND_JOURNAL);
		assert_string_equal(jail->filter.failregex[0].text,
			jail->backend == BACKEND_JOURNAL ? "J <HOST>" : "F <HOST>");
		for (size_t k = 0; k < jail->filter.match.n_words; k++)
			(void)snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s",
				k ? "|" : "", jail->filter.match.words[k].text);
		assert_string_equal(words, backends[i].match);
		same_text(jail->journal.path, want->path);
		same_text(jail->journal.namespace, want->namespace);
		assert_int_equal(jail->journal.n_files, want->n_files);
		if (want->n_files)
			assert_string_equal(jail->journal.files[1], "/b");
		assert_int_equal(jail->journal.flags, want->flags);
		assert_int_equal(jail->journal.rotated, want->rotated);
		done(&tree);
	}
}

/* systemd needs no logpath, nor a match where it names the files. */
static void journal_alone(void **state)
{
	const struct config_jail *jail;
	struct tree tree;

	(void)state;
	make(&tree);
	put(&tree, "filters/own.conf",
		"[Definition]\nfailregex = <HOST>\njournalmatch = _COMM=<name>\nname = pbx\n");
	put(&tree, "jails/a.conf", "[a]\nenabled = 1\nfilter = own[name=two]\nbackend = systemd\n");
	jail = good(&tree, "a");
	assert_int_equal(jail->filter.match.n_words, 1);
	assert_string_equal(jail->filter.match.words[0].text, "_COMM=two");
	done(&tree);
}

static const struct {
	const char *file; /* of the jail */
	const char *keys;
	bool journal;
} nologs[] = {
	{ "jail.local", "logpath = /nonexistent/log\n", true },
	{ "jail.local", "logpath = /nonexistent/*.log\n", true },
	{ "jail.local", "logpath = /nonexistent/log\n  /etc/passw[d]\n", false },
	{ "jail.local", "logpath = /nonexistent/log\nsystemd_if_nologs = false\n", false },
	{ "jail.local", "logpath = /nonexistent/log\nbackend = polling\n", false },
	{ "jail.local", "logpath = /nonexistent/log\njournalmatch =\n", false },
	/* of ours a log is waited for, unless it is said */
	{ "jails/a.conf", "logpath = /nonexistent/log\n", false },
	{ "jails/a.conf", "logpath = /nonexistent/log\nsystemd_if_nologs = true\n", true },
};

static void journal_where_no_log_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(nologs) / sizeof(nologs[0]); i++) {
		const struct config_jail *jail;
		struct tree tree;
		char text[512];

		make(&tree);
		put(&tree, "shipped/asterisk.conf",
			"[Definition]\nfailregex = <logtype> <HOST>\njournalmatch = _COMM=a\n");
		(void)snprintf(text, sizeof(text), "[a]\nenabled = 1\nfilter = asterisk\n%s",
			nologs[i].keys);
		put(&tree, nologs[i].file, text);
		load(&tree);
		jail = config_find(tree.config, "a");
		assert_false(jail->broken);
		if ((jail->backend == BACKEND_JOURNAL) != nologs[i].journal)
			fail_msg("row %zu", i);
		assert_string_equal(jail->filter.failregex[0].text,
			nologs[i].journal ? "journal <HOST>" : "file <HOST>");
		assert_int_equal(jail->filter.n_failregex, 1);
		assert_int_equal(jail->n_logpaths == 0, nologs[i].journal);
		assert_int_equal(has_finding(&tree, nologs[i].file, "the journal is read instead"),
			nologs[i].journal);
		done(&tree);
	}
}

static void ignoreip_of_all_kinds(void **state)
{
	const struct config_jail *jail;
	char address[IP_TEXT_MAX];
	struct tree tree;
	char text[512];

	(void)state;
	make(&tree);
	put(&tree, "list", "192.0.2.7 # why\n\n# whole line\nvpn.example.org,2001:db8::/32\n");
	(void)snprintf(text, sizeof(text),
		GOOD "ignoreip = 192.0.2.0/255.255.255.0, 2001:db8::1/ffff:ffff:: ::1\n"
		     "  pbx.example.org file:%s/list localhost file://%s/list\n",
		tree.dir, tree.dir);
	put(&tree, "jails/a.conf", text);
	jail = good(&tree, "a");
	assert_int_equal(jail->n_ignoreip, 3);
	assert_string_equal(ip_format(&jail->ignoreip[0], address), "192.0.2.0/24");
	assert_string_equal(ip_format(&jail->ignoreip[1], address), "2001:db8::/32");
	assert_int_equal(jail->n_ignores, 4);
	assert_string_equal(jail->ignores[0].text, "pbx.example.org");
	assert_false(jail->ignores[0].is_file);
	assert_int_equal(jail->ignores[0].at.line, 6);
	assert_int_equal(jail->ignores[0].at.column, 3);
	assert_true(jail->ignores[1].is_file);
	(void)snprintf(text, sizeof(text), "%s/list", tree.dir);
	assert_string_equal(jail->ignores[1].text, text);
	assert_string_equal(jail->ignores[2].text, "localhost");
	assert_string_equal(jail->ignores[3].text, text);
	done(&tree);
}

/* What is wrong in such a file is told at its place; a jail that is off does not read it. */
static void ignoreip_file_with_errors(void **state)
{
	struct tree tree;
	char text[512];

	(void)state;
	make(&tree);
	put(&tree, "list", "192.0.2.7\n  192.0.2.300\n::/0\n");
	(void)snprintf(text, sizeof(text),
		GOOD "ignoreip = file:%s/list\n[b]\nignoreip = file:/nonexistent\n", tree.dir);
	put(&tree, "jails/a.conf", text);
	load(&tree);
	assert_int_equal(tree.findings.count, 2);
	assert_true(has_finding(&tree, "list:2:3: error", "192.0.2.300"));
	assert_true(has_finding(&tree, "list:3:1: warning", "::/0 is everybody"));
	assert_true(config_find(tree.config, "a")->broken);
	assert_false(config_find(tree.config, "b")->broken);
	done(&tree);
}

static const struct {
	const char *jail; /* its key */
	const char *filter;
	enum usedns want;
	const char *place; /* of the only finding; NULL: none */
} names[] = {
	{ "", "", USEDNS_NO, NULL },
	{ "usedns = no\n", "usedns = yes\n", USEDNS_NO, NULL },
	{ "usedns = raw\n", "", USEDNS_RAW, NULL },
	{ "usedns = yes\n", "usedns = yes\n", USEDNS_YES, "jails/a.conf:5:10: warning" },
	{ "usedns = warn\n", "", USEDNS_WARN, "jails/a.conf:5:10: warning" },
	{ "", "usedns = warn\n", USEDNS_NO, "shipped/asterisk.conf:3:10: warning" },
	{ "", "usedns = no\n", USEDNS_NO, NULL },
};

static void usedns_of_the_jail_alone(void **state)
{
	struct filter_def filter;
	struct tree tree;
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		make(&tree);
		(void)snprintf(text, sizeof(text), GOOD "%s", names[i].jail);
		put(&tree, "jails/a.conf", text);
		(void)snprintf(text, sizeof(text), "[Definition]\nfailregex = <HOST>\n%s",
			names[i].filter);
		put(&tree, "shipped/asterisk.conf", text);
		load(&tree);
		assert_int_equal(tree.config->jails[0].filter.usedns, names[i].want);
		assert_int_equal(tree.findings.count - count_habits(&tree), names[i].place != NULL);
		if (names[i].place)
			assert_true(has_finding(&tree, names[i].place, "usedns"));
		done(&tree);
	}
	/* once for all jails; a call's option counts as the filter's; no finding of one that is off
	 */
	make(&tree);
	put(&tree, "jails/a.conf",
		"[DEFAULT]\nusedns = warn\n" GOOD
		"[b]\nenabled = 1\nlogpath = /x\nfilter = asterisk[usedns=yes]\n");
	load(&tree);
	assert_int_equal(tree.findings.count, 2);
	assert_true(has_finding(&tree, "jails/a.conf:2:10: warning", "not honoured"));
	assert_true(has_finding(&tree, "jails/a.conf:10:26: warning", "not honoured"));
	config_free(tree.config);
	tree.rc = config_load_filter(NULL, tree.shipped, "asterisk[usedns=yes]", false,
		&tree.config, &filter, &tree.findings);
	assert_int_equal(tree.rc, 0);
	assert_int_equal(filter.usedns, USEDNS_YES);
	config_free(tree.config);
	tree.rc = config_load_filter(NULL, tree.shipped, "asterisk[logtype=journal]", false,
		&tree.config, &filter, &tree.findings);
	assert_int_equal(tree.rc, 0);
	assert_int_equal(filter.usedns, USEDNS_UNSET);
	assert_true(filter.journal);
	done(&tree);
}

static const struct {
	const char *files[4]; /* fail2ban.conf, fail2ban.d/x.conf, fail2ban.local, jails/v.local */
	int64_t want_s;
	const char *place; /* of the only finding; NULL: none */
} ages[] = {
	{ { "" }, 86400, NULL },
	{ { "[Definition]\ndbpurgeage = 2d\nloglevel = INFO\nsocket = /x\n[Thread]\nstacksize = 0\n" },
		172800, NULL },
	{ { "[DEFAULT]\ndbpurgeage = 3d\n[Definition]\n" }, 259200, NULL },
	{ { "[DEFAULT]\ndbpurgeage = 3d\n", "[Definition]\ndbpurgeage = 648000\n" }, 648000, NULL },
	{ { "[Definition]\ndbpurgeage = 3d\n", "[Definition]\ndbpurgeage = 4d\n",
		  "[Definition]\ndbpurgeage = 5d\n" },
		432000, NULL },
	{ { "[Definition]\ndbpurgeage = 3d\n", NULL, NULL, "[voipguard]\ndbpurgeage = 1w\n" },
		604800, NULL },
	{ { "[Definition]\ndbpurgeage = soon\n" }, 86400, "fail2ban.conf:2:14: error" },
	{ { "[Definition]\ndbpurgage = 1d\n" }, 86400, "fail2ban.conf:2:1: error" },
};

static void dbpurgeage_from_all_files(void **state)
{
	static const char *const files[] = { "fail2ban.conf", "fail2ban.d/x.conf", "fail2ban.local",
		"jails/v.local" };

	(void)state;
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		struct tree tree;

		make(&tree);
		put(&tree, "jails/a.conf", GOOD);
		for (int k = 0; k < 4; k++)
			if (ages[i].files[k])
				put(&tree, files[k], ages[i].files[k]);
		load(&tree);
		assert_int_equal(tree.config->dbpurgeage_s, ages[i].want_s);
		assert_int_equal(tree.findings.count, ages[i].place != NULL);
		if (ages[i].place)
			assert_true(has_finding(&tree, ages[i].place, "dbpurg"));
		assert_false(tree.config->jails[0].broken);
		done(&tree);
	}
}

static void limits_of_matches_and_mail(void **state)
{
	const struct config_jail *jail;
	struct tree tree;

	(void)state;
	make(&tree);
	put(&tree, "jails/a.conf",
		GOOD "maxretry = 7\nlogencoding = ISO_8859-1\nskip_if_nologs = true\n"
		     "dest = \"Doe, J\" <j@example.org>, root\nsender = root@<fq-hostname>\n"
		     "bantime = -1\n"
		     "[b]\nmaxmatches = 0\n");
	jail = good(&tree, "a");
	assert_int_equal(jail->maxmatches, 7);
	assert_int_equal(jail->bantime_s, -1);
	assert_string_equal(jail->mail_dest, "\"Doe, J\" <j@example.org>, root");
	assert_string_equal(jail->mail_sender, "root");
	assert_int_equal(config_find(tree.config, "b")->maxmatches, 0);
	done(&tree);
}

/* Once a run, where it can matter. */
static void habits_of_fail2ban(void **state)
{
	static const struct {
		const char *file;
		const char *text;
		size_t count;
	} rows[] = {
		{ "jails/a.conf", GOOD, 0 },
		{ "jail.local",
			"[DEFAULT]\nfindtime = 1h\n" GOOD
			"[b]\nenabled = 1\nlogpath = /x\nfilter = asterisk\nfindtime = 5m\n",
			2 },
		{ "jail.conf", GOOD "maxretry = 1\n", 1 },
		{ "jail.conf",
			"[a]\nenabled = 1\nfilter = asterisk\nlogpath = /x HEAD\n  /y tail\n", 1 },
		{ "jail.local", "[a]\nlogpath = /x\n", 0 },
		{ "jail.local", GOOD "bantime = soon\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tree tree;

		make(&tree);
		put(&tree, rows[i].file, rows[i].text);
		load(&tree);
		if (count_habits(&tree) != rows[i].count)
			fail_msg("row %zu: %zu", i, count_habits(&tree));
		if (i == 1)
			assert_true(has_finding(&tree, "jail.local:2:12: warning", "findtime"));
		done(&tree);
	}
}

static void shown(void **state)
{
	static const char *const wanted[] = { "backend      auto\n", "maxmatches   5\n",
		"increment    bantime * factor * multiplier[n]\n", "multipliers  1 2.5\n",
		"maxtime      7d\n", "rndtime      5m\n", "dbpurgeage   2d\n",
		"             pbx.example.org\n", "overalljails true\n",
		"findtime     2629800s\n" };
	static const char *const of_journal[] = { "backend      systemd\n", "journalpath  /j\n",
		"journalflags 4\n", "namespace    n\n", "rotated      true\n",
		"journalmatch A=1\n             +\n             B=2\n" };
	struct tree tree;
	char *text;

	(void)state;
	make(&tree);
	put(&tree, "jails/a.conf",
		ON "bantime.multipliers = 1 2.5\nbantime.maxtime = 1w\nbantime.rndtime = 5m\n"
		   "bantime.overalljails = 1\nignoreip = 192.0.2.1 pbx.example.org\n"
		   "findtime = 1mo\n"
		   "[voipguard]\ndbpurgeage = 2d\n[b]\nbackend = systemd[journalpath=/j,"
		   "journalflags=4, namespace=n, rotated=1]\njournalmatch = A=1 + B=2\n"
		   "filter = asterisk\n");
	(void)good(&tree, "a");
	text = config_show(tree.config, config_find(tree.config, "a"));
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!strstr(text, wanted[i]))
			fail_msg("no %s in %s", wanted[i], text);
	free(text);
	text = config_show(tree.config, config_find(tree.config, "b"));
	for (size_t i = 0; i < sizeof(of_journal) / sizeof(of_journal[0]); i++)
		if (!strstr(text, of_journal[i]))
			fail_msg("no %s in %s", of_journal[i], text);
	free(text);
	done(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_one_finding),
		cmocka_unit_test(increments_are_read),
		cmocka_unit_test(multipliers_are_bounded),
		cmocka_unit_test(backends_are_read),
		cmocka_unit_test(journal_alone),
		cmocka_unit_test(journal_where_no_log_is),
		cmocka_unit_test(ignoreip_of_all_kinds),
		cmocka_unit_test(ignoreip_file_with_errors),
		cmocka_unit_test(usedns_of_the_jail_alone),
		cmocka_unit_test(dbpurgeage_from_all_files),
		cmocka_unit_test(limits_of_matches_and_mail),
		cmocka_unit_test(habits_of_fail2ban),
		cmocka_unit_test(shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
