/* What no configuration should be: a clear finding, and nothing worse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "config/config.h"
#include "config/config_fixture.h"

enum { MIB = 1024 * 1024 };

/* No control byte gets out. */
static void check_texts(const struct tree *tree)
{
	for (size_t i = 0; i < tree->findings.count; i++) {
		const char *text = tree->findings.list[i].text;

		for (const char *c = text; *c; c++)
			if ((unsigned char)*c < ' ' || *c == 0x7f)
				fail_msg("a control byte in '%s'", text);
		assert_true(text[0] && tree->findings.list[i].file[0]);
	}
}

static void one(const char *name, const char *text, size_t length, const char *place,
	const char *what)
{
	struct tree tree;

	make(&tree);
	write_file(&tree, name, text, length);
	load(&tree);
	check_texts(&tree);
	if (!has_finding(&tree, place, what)) {
		print_findings(&tree);
		fail_msg("no %s %s", place, what);
	}
	for (size_t i = 0; tree.rc == 0 && i < tree.config->n_jails; i++)
		assert_true(tree.config->jails[i].broken);
	done(&tree);
}

static void sizes_and_bytes(void **state)
{
	cleanup_free char *big = alloc_zero(MIB + 2);

	(void)state;
	one("jail.local", GOOD "bantime\0 = 1\n", sizeof(GOOD "bantime\0 = 1\n") - 1,
		"jail.local: error", "NUL byte in line 5");
	memset(big, 'x', MIB + 1);
	one("jail.local", big, MIB + 1, "jail.local: error", "larger than 1 MiB");
	memcpy(big, GOOD "dest = ", strlen(GOOD "dest = "));
	one("jail.local", big, MIB, "jail.local:5:", "16");
	for (size_t i = 0; i < MIB; i++)
		big[i] = (char)(i * 7919 >> 5 | 1);
	one("jail.local", big, 4096, "jail.local:1:", "error");
	memset(big, '[', 8000);
	one("jail.local", big, 8000, "jail.local:1:", "error");
	one("jail.local", "[a\n", 3, "jail.local:1:", "error");
	one("jail.local", "\xff\xfe[\0a\0]\0", 8, "jail.local: error", "UTF-16");
}

static void loops_and_growth(void **state)
{
	static const char bomb[] =
		GOOD "port = %(i)s\na = 0123456789abcdef\nb = %(a)s%(a)s%(a)s%(a)s%(a)s%(a)s\n"
		     "c = %(b)s%(b)s%(b)s%(b)s%(b)s%(b)s\nd = %(c)s%(c)s%(c)s%(c)s%(c)s%(c)s\n"
		     "e = %(d)s%(d)s%(d)s%(d)s%(d)s%(d)s\nf = %(e)s%(e)s%(e)s%(e)s%(e)s%(e)s\n"
		     "g = %(f)s%(f)s%(f)s%(f)s%(f)s%(f)s\ni = %(g)s%(g)s%(g)s%(g)s%(g)s%(g)s\n";
	static const char ring[] = GOOD "bantime = %(x)s\nx = %(y)s\ny = %(bantime)s\n";
	static const char deep[] = GOOD "port = %(a)s\na = %(b)s\nb = %(c)s\nc = %(d)s\nd = %(e)s\n"
					"e = %(f)s\nf = %(g)s\ng = %(h)s\nh = %(i)s\ni = %(j)s\n"
					"j = %(k)s\nk = 1\n";
	static const char self[] = GOOD "ignoreip = %(ignoreip)s 192.0.2.1\n";
	static const char open[] = GOOD "ignoreip = %(ignore\n";
	static const char missing[] = GOOD "[INCLUDES]\nbefore = a.conf\n  b.conf\n";

	(void)state;
	one("jail.local", bomb, strlen(bomb), "jail.local:", "256 KiB");
	one("jail.local", ring, strlen(ring), "jail.local:", "leads back to itself");
	one("jail.local", deep, strlen(deep), "jail.local:", "nests deeper");
	one("jail.local", self, strlen(self), "jail.local:5:12", "leads back to itself");
	one("jail.local", open, strlen(open), "jail.local:5:12", "not closed");
	one("jail.local", missing, strlen(missing), "jail.local:7:3", "no file 'b.conf'");
}

static void files_that_are_none(void **state)
{
	char path[128];
	struct tree tree;

	(void)state;
	make(&tree);
	put(&tree, "jails/a.conf", GOOD);
	(void)snprintf(path, sizeof(path), "%s/jails/fifo.conf", tree.dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)snprintf(path, sizeof(path), "%s/jails/dir.local", tree.dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/fail2ban.conf", tree.dir);
	assert_int_equal(symlink("fail2ban.conf", path), 0);
	load(&tree);
	check_texts(&tree);
	assert_true(has_finding(&tree, "jails/fifo.conf: error", "not a regular file"));
	assert_true(has_finding(&tree, "jails/dir.local: error", ""));
	assert_true(has_finding(&tree, "fail2ban.conf: error", "cannot read"));
	assert_true(tree.config->jails[0].broken);
	done(&tree);
}

static void numbers_beyond_all_sense(void **state)
{
	static const char *const keys[] = { "maxretry", "maxmatches", "findtime", "bantime",
		"bantime.factor", "bantime.multipliers", "bantime.maxtime", "bantime.rndtime",
		"maxlines", "port" };
	static const char *const values[] = { "99999999999999999999999999", "1e400", "-1e400",
		"18446744073709551616", "0x7fffffffffffffff", "1*1e300*1e300", "9e99w" };

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
			cleanup_free char *text =
				alloc_format(GOOD "%s = %s\n", keys[i], values[k]);

			one("jails/a.conf", text, strlen(text), "jails/a.conf:5:", "error");
		}
	}
}

static const char everything[] =
	"[INCLUDES]\nbefore = more.conf\n[DEFAULT]\nbantime.increment = true\n"
	"bantime.factor = 2 * (1 + 1)\nbantime.formula = ban.Time * 2\nbantime.multipliers = 1 2 4\n"
	"bantime.maxtime = 5w\nignoreip = 192.0.2.0/24 a.example file:/nonexistent\nusedns = warn\n"
	"act = iptables[name=\"a\", port='%(port)s']\n[a]\nenabled = true\nfilter = asterisk[m=\"x\"]\n"
	"logpath = /var/log/a head\n  /var/log/b*\nbackend = systemd[journalflags=1]\n"
	"journalmatch = _COMM=\"a b\" + _COMM=b\nport = 5060,5061\nprotocol = udp\naction = %(act)s\n"
	"  mail[dest=root]\ndest = A <a@example.org>, b\nmaxmatches = 3\nlogencoding = utf-8\n"
	"[mail]\nserver = [2001:db8::1]:25\n[voipguard]\ndbpurgeage = 1d 2h\n";

/* Bytes changed, dropped and doubled, by a generator that always says the same. */
static void every_kind_of_damage(void **state)
{
	uint32_t random = 12345;

	(void)state;
	for (int round = 0; round < 400; round++) {
		char text[sizeof(everything) * 2];
		size_t length = sizeof(everything) - 1;
		struct tree tree;

		memcpy(text, everything, length);
		for (int change = 0; change <= round % 8; change++) {
			size_t at;

			random = random * 1664525 + 1013904223;
			at = (random >> 8) % length;
			if (random >> 30 == 0)
				text[at] = (char)(random >> 3);
			else if (random >> 30 == 1)
				memmove(text + at, text + at + 1, --length - at);
			else
				text[at] = "[]=%()s<>\n ;#\"',\\+"[(random >> 4) % 18];
		}
		make(&tree);
		put(&tree, "more.conf", "[DEFAULT]\nport = 1\n");
		write_file(&tree, "jail.conf", text, length);
		load(&tree);
		check_texts(&tree);
		for (size_t i = 0; tree.rc == 0 && i < tree.config->n_jails; i++)
			free(config_show(tree.config, &tree.config->jails[i]));
		done(&tree);
	}
}

/* Seen in the field: what people write, and what must be said of it. */
static const struct {
	const char *text;
	const char *places[5]; /* of every error, in order */
	const char *what;      /* in the first */
} reported[] = {
	{ "[asterisk-iptables]\nenabled  = true\nfilter   = asterisk\nport     = 5060,5080\n"
	  "action   = iptables-allports[name=ASTERISK, protocol=all]\n"
	  "sendmail-whois[name=ASTERISK, dest=root, sender=asterisk@example.org]\n"
	  "logpath  = /var/log/asterisk/full\nmaxretry = 5\nbantime  = 86400\n",
		{ "jail.local:6:1:" }, "lost its indentation" },
	{ "[asterisk]\nenabled  = true\nfilter   = asterisk\nlogpath  = /var/log/a\n"
	  "maxretry = 1    #first\nfindtime = 3600   # one hour\nbantime  = 604800  ; 1 week\n"
	  "port     = 5060,5061 ;sip\nignoreip = 127.0.0.1\n           192.0.2.0/28 #office\n"
	  "           198.51.100.2 #admin\n           # 203.0.113.3 old\n           198.51.100.4\n\n"
	  "[sshd]\nenabled  = true\nmaxretry = 8,\nbantime  = -1\n",
		{ "jail.local:5:12:", "jail.local:6:12:", "jail.local:10:25:", "jail.local:11:25:",
			"jail.local:17:12:" },
		"no number" },
	{ "[asterisk]\nenabled  = true\nfilter   = asterisk\nlogpath  = /var/log/a\n"
	  "action_abuseipdb = abuseipdb\n"
	  "action   = %(action_)s%(action_abuseipdb)s[abuseipdb_apikey=\"0\"]\n"
	  "action_ = iptables-multiport[name=x, port=5060]\n",
		{ "jail.local:6:23:" }, "put each action on its own, indented line" },
	{ "[asterisk]\nenabled = true\nfilter  = asterisk\nlogpath = /var/log/a\n"
	  "logpath = /var/log/b\n\n[sip]\nenabled = false\n\n[asterisk]\nmaxretry = 2\n",
		{ "jail.local:5:1:", "jail.local:10:1:" }, "already set in line 4" },
};

static void reported_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(reported) / sizeof(reported[0]); i++) {
		size_t count = 0;
		struct tree tree;

		make(&tree);
		put(&tree, "jail.local", reported[i].text);
		load(&tree);
		findings_sort(&tree.findings);
		while (count < 5 && reported[i].places[count]) {
			if (!has_finding(&tree, reported[i].places[count], "error")) {
				print_findings(&tree);
				fail_msg("row %zu: no %s", i, reported[i].places[count]);
			}
			count++;
		}
		assert_int_equal(tree.findings.errors, count);
		assert_int_equal(tree.findings.count, count); /* warnings neither */
		assert_true(has_finding(&tree, reported[i].places[0], reported[i].what));
		done(&tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_and_bytes),
		cmocka_unit_test(loops_and_growth),
		cmocka_unit_test(files_that_are_none),
		cmocka_unit_test(numbers_beyond_all_sense),
		cmocka_unit_test(every_kind_of_damage),
		cmocka_unit_test(reported_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
