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
#include "dialect/tree.h"

/* One jail.local each; the only finding stands at `place` and holds `what`. */
static const struct {
	const char *text;
	const char *place;
	const char *what;
} bad[] = {
	{ GOOD "maxrety = 4\n", "jail.local:5:1: error", "did you mean 'maxretry'?" },
	{ GOOD "colour = red\n", "jail.local:5:1: error", "unknown key 'colour'" },
	{ GOOD "maxretry = 1    #first\n", "jail.local:5:12: error", "is no number" },
	{ GOOD "maxretry = 8,\n", "jail.local:5:12: error", "is no number" },
	{ GOOD "maxretry = 0\n", "jail.local:5:12: error", "between 1 and 1000" },
	{ GOOD "maxretry = 1001\n", "jail.local:5:12: error", "between 1 and 1000" },
	{ GOOD "findtime = 3600   # one hour\n", "jail.local:5:12: error", "is not a time" },
	{ GOOD "findtime = -1\n", "jail.local:5:12: error", "at least one second" },
	{ GOOD "bantime = soon\n", "jail.local:5:11: error", "is not a time" },
	{ GOOD "ignoreip = 192.0.2.1\n   192.0.2.0/28 #office\n", "jail.local:6:17: error",
		"'#office' is not an address" },
	{ GOOD "ignoreip = 192.0.2.1, 192.0.2.300\n", "jail.local:5:23: error", "192.0.2.300" },
	{ GOOD "enabled = 1\n", "jail.local:5:1: error", "already set in line 2" },
	{ GOOD "ignoreself = maybe\n", "jail.local:5:14: error", "neither true nor false" },
	{ GOOD "[b]\n[a]\nport = 1\n", "jail.local:6:1: error", "stands already in line 1" },
	{ "[a]\nlogpath =\nenabled = 1\nfilter = asterisk\n", "jail.local:2:1: error",
		"logpath is empty" },
	{ "[a]\nlogpath = /a # b\nenabled = 1\nfilter = asterisk\n", "jail.local:2:11: error",
		"not with '#'" },
	{ "[a]\nlogpath = /var/log/a/\nenabled = 1\nfilter = asterisk\n", "jail.local:2:11: error",
		"not the path of a file" },
	{ "[a]\nlogpath = /var/log/../log/a\nenabled = 1\nfilter = asterisk\n",
		"jail.local:2:11: error", "not the path of a file" },
	{ "[a]\nlogpath = /var/log/..\nenabled = 1\nfilter = asterisk\n", "jail.local:2:11: error",
		"not the path of a file" },
	{ "[a]\nlogpath = /\nenabled = 1\nfilter = asterisk\n", "jail.local:2:11: error",
		"not the path of a file" },
	{ "[a]\nlogpath = log/a\nenabled = 1\nfilter = asterisk\n", "jail.local:2:11: error",
		"not an absolute path" },
	{ "[a]\nlogpath = /var/log/a\nenabled = 1\nfilter = asterix\n", "jail.local:4:10: error",
		"did you mean 'asterisk'?" },
	{ "[a]\nlogpath = /var/log/a\nenabled = 1\nfilter = asterisk.conf\n",
		"jail.local:4:10: error", "without .conf" },
	{ "[a]\nlogpath = /var/log/a /var/log/b\nenabled = 1\nfilter = asterisk\n",
		"jail.local:2:11: warning", "an indented line of its own" },
	{ "[a]\nlogpath = /var/log/a,/var/log/b\nenabled = 1\nfilter = asterisk\n",
		"jail.local:2:11: warning", "an indented line of its own" },
	{ "[a]\nenabled = 1\nfilter = asterisk\n", "jail.local:1:1: error", "no logpath" },
	{ GOOD "failregex = ^x <HOST>\n    SecurityEvent=\"A\"\n", "jail.local:6:5: error",
		"has no address" },
	{ GOOD "failregex = SECURITY.* RemoteAddress=\".+?/.+?//.+?\".*\n",
		"jail.local:5:13: error", "<HOST> seems to be lost" },
	{ GOOD "failregex = ^x &lt;HOST&gt;$\n", "jail.local:5:13: error", "wrote &lt;" },
	{ GOOD "failregex = ^x <host>$\n", "jail.local:5:13: error", "in capitals" },
	{ GOOD "failregex = ^x <HOST $\n", "jail.local:5:13: error", "the > of <HOST>" },
	{ GOOD "failregex = a ; b <HOST>\n", "jail.local:5:15: error", "write '\\;'" },
	{ GOOD "failregex = <HOST> (a ; b)\n", "jail.local:5:23: warning", "write '\\;'" },
	{ GOOD "action = iptables-allports[name=A, protocol=all]\n"
	       "sendmail[name=A, dest=root@example.org]\n",
		"jail.local:6:1: error", "action that lost its indentation" },
	{ GOOD "action = iptables\nsendmail[name]\n", "jail.local:6:1: error",
		"action that lost its indentation" },
	{ GOOD "action = iptables[a=1]sendmail[b=2]\n", "jail.local:5:23: error",
		"put each action on its own, indented line" },
	{ GOOD "action = iptables[a=\"1]\n", "jail.local:5:21: error", "not closed" },
	{ GOOD "action = cloudflare[x=1]\n", "jail.local:5:10: warning",
		"closed by voipguard's own ban" },
	{ GOOD "port = shh\naction = iptables-multiport[port=\"%(port)s\"]\n",
		"jail.local:5:8: error", "'shh'" },
	{ GOOD "action = iptables-multiport[port=\"%(port)s\"]\nport = 22\n protocol = tcp\n",
		"jail.local:7:2: error", "is indented" },
	{ GOOD "action =\n", "jail.local:5:9: warning", "nobody is banned" },
	{ "[a]\nenabled = 1\nfilter = asterisk\nlogpath = /a\n port = 1\n", "jail.local:5:2: error",
		"if it is a key" },
	{ "[DEFAULT]\nfilter = %(__name__)s\n[asterix]\nenabled = 1\nlogpath = /a\n",
		"jail.local:3:1: error", "did you mean 'asterisk'?" },
	{ GOOD "port = 5060,seventy\n", "jail.local:5:8: error", "port" },
	{ GOOD "port = 5060\nprotocol = tpc\n", "jail.local:6:12: error", "none of tcp" },
	{ GOOD "chain = \xe2\x80\x9cINPUT\xe2\x80\x9d\n", "jail.local:5:9: error",
		"typographic quotation mark" },
	{ GOOD " [b]\nport = 1\n", "jail.local:5:2: error", "is indented" },
	{ GOOD "  maxretry = 3\n", "jail.local:5:3: error", NULL },
	{ GOOD "port = %(porto)s\n", "jail.local:5:8: error", "set nowhere" },
	{ GOOD "port = %(x)s\nx = %(y)s\ny = %(x)s\n", "jail.local:", "leads back to itself" },
	{ GOOD "port = 50%\n", "jail.local:5:10: error", "stands alone" },
	{ GOOD "ignorecommand = /bin/x\n", "jail.local:5:17: error", "left out" },
	{ GOOD "backend = systemd\n", "jail.local:5:11: warning", "without journalmatch" },
	{ GOOD "[voipguard]\non_stop = never\n", "jail.local:6:11: error", "keep nor lift" },
	{ GOOD "[voipguard]\nsip_port = 5060,seventy\n", "jail.local:6:12: error", "'seventy'" },
	{ GOOD "[voipguard]\nnflog_group = 65536\n", "jail.local:6:15: error",
		"is not between 0 and 65535" },
	{ GOOD "[voipguard]\nasterisk_dir = etc/asterisk\n", "jail.local:6:16: error",
		"'etc/asterisk' is neither an absolute path nor none" },
	{ GOOD "[voipguard]\nasterisk_dir = /none/such\n", "jail.local:6:16: warning",
		"there is no directory '/none/such'" },
	{ GOOD "[voipguard]\non_stpo = keep\n", "jail.local:6:1: error", "'on_stop'" },
	{ GOOD "[mail]\nserver = localhost:smtp\n", "jail.local:6:20: error", "no port" },
	{ GOOD "[mail]\ntls = maybe\n", "jail.local:6:7: error", "none nor required" },
	{ GOOD "[mail]\nuser = u\npassword_file = nowhere\n", "jail.local:7:17: error",
		"cannot read" },
	{ GOOD "[INCLUDES]\nbefore = nowhere.conf\n", "jail.local:6:10: error",
		"no file 'nowhere.conf'" },
	{ GOOD "[INCLUDES]\nafter = jail.local\n", "jail.local:6:9: error", "includes itself" },
	/* values of a jail that is off count, what it lacks does not */
	{ "[a]\nmaxretry = x\n", "jail.local:2:12: error", "is no number" },
	{ "k = v\n[a]\n", "jail.local:1:1: error", "before the first [section]" },
};

static void bad_input_is_one_finding(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct tree tree;

		make(&tree);
		put(&tree, "jail.local", bad[i].text);
		load(&tree);
		if (tree.findings.count != count_habits(&tree) + 1 ||
			!has_finding(&tree, bad[i].place, bad[i].what ? bad[i].what : "")) {
			print_message("row %zu wants %s %s\n", i, bad[i].place, bad[i].what);
			print_findings(&tree);
			failed++;
		}
		if (strstr(bad[i].place, "error") && tree.rc == 0 &&
			!strstr(bad[i].text, "[mail]") && !strstr(bad[i].text, "[voipguard]"))
			assert_true(tree.config->jails[0].broken);
		done(&tree);
	}
	assert_int_equal(failed, 0);
}

static void the_classic_jail_loads(void **state)
{
	const struct config_jail *jail;
	struct tree tree;

	(void)state;
	make(&tree);
	put(&tree, "jails/sip.conf",
		"[asterisk-iptables]\nenabled = true\nfilter = sip\n"
		"action = iptables-allports[name=ASTERISK, protocol=all]\n"
		"         sendmail[name=ASTERISK, dest=root@example.org, "
		"sender=fail2ban@example.org]\n"
		"logpath = /var/log/asterisk/messages\nmaxretry = 4\nfindtime = 21600\n"
		"bantime = 86400\n");
	put(&tree, "shipped/common.conf", "[DEFAULT]\n__prefix_line = PRE\n");
	put(&tree, "filters/sip.conf",
		"[INCLUDES]\nbefore = common.conf\n[Definition]\n"
		"failregex = SECURITY.* SecurityEvent=\"FailedACL\".*"
		"RemoteAddress=\".+?/.+?/<HOST>/.+?\".*\n"
		"            %(__prefix_line)s <HOST>\nignoreregex =\n");
	jail = good(&tree, "asterisk-iptables");
	assert_true(jail->enabled && jail->bans);
	assert_int_equal(jail->maxretry, 4);
	assert_int_equal(jail->findtime_s, 21600);
	assert_int_equal(jail->bantime_s, 86400);
	assert_int_equal(jail->n_scopes, 1);
	assert_int_equal(jail->scopes[0].protocol, 0);
	assert_string_equal(jail->mail_dest, "root@example.org");
	assert_string_equal(jail->mail_sender, "fail2ban@example.org");
	assert_int_equal(jail->n_logpaths, 1);
	assert_int_equal(jail->filter.n_failregex, 2);
	assert_int_equal(jail->filter.n_ignoreregex, 0);
	assert_string_equal(jail->filter.failregex[1].text, "PRE <HOST>");
	assert_int_equal(jail->filter.failregex[1].at.line, 5);
	assert_int_equal(jail->filter.failregex[1].at.column, 13);
	done(&tree);
}

static void later_files_win(void **state)
{
	const struct config_jail *jail;
	struct tree tree;

	(void)state;
	make(&tree);
	put(&tree, "jails/asterisk.conf", GOOD "bantime = 1h\n");
	put(&tree, "jails/defaults.conf", "[DEFAULT]\nignoreip = 192.0.2.1\nbantime = 2h\n");
	put(&tree, "jails/a.local",
		"[a]\nmaxretry = 7\nlogpath = %(known/logpath)s\n  /var/log/b head\n");
	put(&tree, "jails/defaults.local", "[DEFAULT]\nignoreip = %(known/ignoreip)s 192.0.2.2\n");
	put(&tree, "filters/asterisk.local", "[Definition]\nfailregex = local <HOST>\n");
	jail = good(&tree, "a");
	assert_int_equal(jail->bantime_s, 3600);
	assert_int_equal(jail->maxretry, 7);
	assert_int_equal(jail->n_ignoreip, 2);
	assert_int_equal(jail->n_logpaths, 2);
	assert_string_equal(jail->logpaths[1].pattern, "/var/log/b");
	assert_false(jail->logpaths[0].from_head);
	assert_true(jail->logpaths[1].from_head);
	assert_string_equal(jail->filter.failregex[0].text, "local <HOST>");
	done(&tree);
}

static void the_fail2ban_tree_loads(void **state)
{
	const struct config_jail *jail;
	struct tree tree;

	(void)state;
	make(&tree);
	put(&tree, "jail.conf",
		"[INCLUDES]\nbefore = paths.conf\n[DEFAULT]\nport = 0:65535\nmode = normal\n"
		"filter = %(__name__)s[mode=%(mode)s]\nprotocol = tcp\n"
		"banaction = iptables-multiport\n"
		"action_ = %(banaction)s[port=\"%(port)s\", protocol=\"%(protocol)s\"]\n"
		"action = %(action_)s\n[sip]\nport = 5060,5061\nlogpath = %(sip_log)s\n"
		"action = %(banaction)s[name=t, port=\"%(port)s\", protocol=\"tcp\"]\n"
		"         %(banaction)s[name=u, port=\"%(port)s\", protocol=\"udp\"]\n");
	put(&tree, "paths.conf", "[INCLUDES]\nafter = own.local\n[DEFAULT]\nsip_log = /var/s\n");
	put(&tree, "jail.d/on.local",
		"[sip]\nenabled = yes\nfailregex = %(known/failregex)s\n"
		"  more <HOST>\n");
	put(&tree, "filter.d/sip.conf",
		"[Definition]\nre-normal = n\nre-hard = h\nfailregex = <re-<mode>> <HOST>\n"
		"  (?P<mode>x) <HOST> <F-USER>y</F-USER>\n[Init]\nmode = hard\n");
	jail = good(&tree, "sip");
	assert_int_equal(jail->n_scopes, 2);
	assert_int_equal(jail->scopes[0].protocol, 6);
	assert_int_equal(jail->scopes[1].protocol, 17);
	assert_int_equal(jail->filter.n_failregex, 3);
	assert_string_equal(jail->filter.failregex[0].text, "n <HOST>");
	assert_string_equal(jail->filter.failregex[1].text,
		"(?P<mode>x) <HOST> <F-USER>y</F-USER>");
	assert_non_null(strstr(jail->filter.failregex[0].at.file, "filter.d/sip.conf"));
	assert_int_equal(jail->filter.failregex[0].at.line, 4);
	assert_non_null(strstr(jail->filter.failregex[2].at.file, "on.local"));
	assert_int_equal(jail->filter.failregex[2].at.line, 4);
	assert_int_equal(jail->filter.failregex[2].at.column, 3);
	done(&tree);
}

static const struct {
	const char *keys;
	const char *scopes; /* joined by blanks */
	const char *dest;   /* NULL: none */
} actions[] = {
	{ "", "all", NULL },
	{ "port = 5060\nprotocol = udp\n", "udp:5060", NULL },
	{ "port = 5060\n", "tcp:5060 udp:5060", NULL },
	{ "port = 5060\naction = iptables-allports\n", "all", NULL },
	{ "action = iptables-multiport[name=x]\n", "all", NULL },
	{ "port = 1\naction = iptables-multiport[port=\"5060,5061\", protocol=tcp]\n",
		"tcp:5060,5061", NULL },
	{ "port = 5060\naction = nftables[type=allports]\n", "all", NULL },
	{ "port = 5060\naction = nftables-multiport[protocol=udp]\n", "udp:5060", NULL },
	{ "port = 0:65535\naction = ufw\n", "all", NULL },
	{ "action = sendmail-whois[dest=a@example.org]\n", "", "a@example.org" },
	{ "action = mail\n", "", "root" },
	{ "dest = b@example.org\naction = mail\n  ufw\n", "all", "b@example.org" },
	{ "dest = b@example.org\n", "all", "b@example.org" },
	{ "[mail]\ndest = c@example.org\n", "all", "c@example.org" },
};

static void actions_become_scopes_and_mail(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		const struct config_jail *jail;
		char text[1024];
		char scopes[512] = "";
		struct tree tree;

		make(&tree);
		(void)snprintf(text, sizeof(text), GOOD "%s", actions[i].keys);
		put(&tree, "jails/a.conf", text);
		jail = good(&tree, "a");
		for (size_t j = 0; j < jail->n_scopes; j++) {
			char one[SCOPE_TEXT_MAX];
			size_t used = strlen(scopes);

			(void)snprintf(scopes + used, sizeof(scopes) - used, "%s%s", j ? " " : "",
				scope_format(&jail->scopes[j], one));
		}
		assert_string_equal(scopes, actions[i].scopes);
		assert_int_equal(jail->bans, actions[i].scopes[0] != '\0');
		if (actions[i].dest)
			assert_string_equal(jail->mail_dest, actions[i].dest);
		else
			assert_null(jail->mail_dest);
		done(&tree);
	}
}

static void the_daemons_own_keys(void **state)
{
	char ports[SCOPE_TEXT_MAX];
	struct tree tree;

	(void)state;
	make(&tree);
	put(&tree, "jails/a.conf",
		GOOD "[mail]\nserver = [2001:db8::1]:587\ntls = required\nuser = u\n"
		     "password_file = secret\n[voipguard]\non_stop = lift\n"
		     "sip_port = 5060-5062,5080\nnflog_group = 0\nasterisk_dir = none\n");
	put(&tree, "secret", "p w\nrest\n");
	(void)good(&tree, "a");
	assert_string_equal(tree.config->mail.server, "2001:db8::1");
	assert_int_equal(tree.config->mail.port, 587);
	assert_true(tree.config->mail.tls_required);
	assert_string_equal(tree.config->mail.password, "p w");
	assert_true(tree.config->lift_on_stop);
	assert_string_equal(scope_format(&tree.config->sip_ports, ports), "udp:5060-5062,5080");
	assert_int_equal(tree.config->nflog_group, 0);
	assert_null(tree.config->asterisk_dir);
	done(&tree);
	make(&tree);
	put(&tree, "jails/a.conf", GOOD);
	(void)good(&tree, "a");
	assert_string_equal(scope_format(&tree.config->sip_ports, ports), "udp:5060");
	assert_int_equal(tree.config->nflog_group, 5060);
	assert_string_equal(tree.config->asterisk_dir, "/etc/asterisk");
	done(&tree);
	make(&tree);
	put(&tree, "jails/a.conf", GOOD "[voipguard]\nasterisk_dir = /usr\n");
	(void)good(&tree, "a");
	assert_string_equal(tree.config->asterisk_dir, "/usr");
	done(&tree);
}

static void several_findings_in_one_run(void **state)
{
	struct tree tree;

	(void)state;
	make(&tree);
	put(&tree, "jail.local",
		"[asterisk]\nenabled  = true\nfilter   = asterisk\nlogpath  = /var/log/a\n"
		"maxretry = 1    #first\nfindtime = 3600   # one hour\nbantime  = 604800  ; 1 week\n"
		"port     = 5060,5061 ;sip\nignoreip = 127.0.0.1\n"
		"           192.0.2.0/28 #office\n           198.51.100.2 #admin\n"
		"           # 203.0.113.3 old\n           198.51.100.4\n\n"
		"[sshd]\nenabled  = true\nmaxretry = 8,\nbantime  = -1\n");
	load(&tree);
	assert_int_equal(tree.rc, 0);
	assert_int_equal(tree.findings.count, 5);
	assert_true(has_finding(&tree, "jail.local:5:12: error", ""));
	assert_true(has_finding(&tree, "jail.local:6:12: error", ""));
	assert_true(has_finding(&tree, "jail.local:10:25: error", ""));
	assert_true(has_finding(&tree, "jail.local:11:25: error", ""));
	assert_true(has_finding(&tree, "jail.local:17:12: error", ""));
	assert_int_equal(tree.config->jails[0].bantime_s, 604800);
	assert_int_equal(tree.config->jails[0].n_ignoreip, 4);
	assert_int_equal(tree.config->jails[1].bantime_s, -1);
	done(&tree);
}

static void unreadable_trees(void **state)
{
	struct tree tree;

	(void)state;
	make(&tree);
	load(&tree);
	assert_int_equal(tree.rc, -1);
	assert_int_equal(tree.findings.errors, 1);
	write_file(&tree, "jails/a.conf", "[a]\nk = \0\n", 10);
	findings_done(&tree.findings);
	load(&tree);
	assert_int_equal(tree.rc, 0);
	assert_true(has_finding(&tree, "jails/a.conf: error", "binary file"));
	done(&tree);
	tree.rc = config_load("/nonexistent", NULL, &tree.config, &tree.findings);
	assert_int_equal(tree.rc, -1);
	assert_int_equal(tree.findings.errors, 1);
	findings_done(&tree.findings);
}

static void a_file_too_many_is_told(void **state)
{
	struct tree tree;
	char name[32];

	(void)state;
	make(&tree);
	for (int i = 0; i <= DIALECT_FILES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "jails/%d.conf", i); /* 999 sorts last */
		put(&tree, name, "");
	}
	load(&tree);
	assert_int_equal(tree.rc, 0);
	assert_true(has_finding(&tree, "jails/999.conf: error", "more than 1000 files"));
	done(&tree);
}

static void one_filter_alone(void **state)
{
	struct filter_def filter;
	struct tree tree;
	char path[128];

	(void)state;
	make(&tree);
	tree.rc = config_load_filter(NULL, tree.shipped, "asterisk", false, &tree.config, &filter,
		&tree.findings);
	assert_int_equal(tree.rc, 0);
	assert_string_equal(filter.failregex[0].text, "from <HOST>$");
	config_free(tree.config);
	put(&tree, "own.conf",
		"[Definition]\nx = a\nfailregex = <x> ; cut here <HOST>\n    <x> <HOST>\n");
	(void)snprintf(path, sizeof(path), "%s/own.conf[x=b]", tree.dir);
	tree.rc = config_load_filter(NULL, tree.shipped, path, false, &tree.config, &filter,
		&tree.findings);
	assert_int_equal(tree.rc, -1);
	assert_true(has_finding(&tree, "own.conf:3:17: error", "write '\\;'"));
	put(&tree, "own.conf", "[Definition]\nx = a\nfailregex = <x> <HOST>\n");
	tree.rc = config_load_filter(NULL, tree.shipped, path, false, &tree.config, &filter,
		&tree.findings);
	assert_int_equal(tree.rc, 0);
	assert_string_equal(filter.failregex[0].text, "b <HOST>");
	config_free(tree.config);
	/* what [Init] says of a key counts before [Definition], what the call says before both */
	put(&tree, "own.conf",
		"[Definition]\nfailregex = a <HOST>\ndatepattern = ^EPOCH\nmaxlines = 3\n"
		"[Init]\ndatepattern = ^TAI64N\nmaxlines = 4\n");
	(void)snprintf(path, sizeof(path), "%s/own.conf[maxlines=5]", tree.dir);
	tree.rc = config_load_filter(NULL, tree.shipped, path, false, &tree.config, &filter,
		&tree.findings);
	assert_int_equal(tree.rc, 0);
	assert_string_equal(filter.datepattern[0].text, "^TAI64N");
	assert_int_equal(filter.maxlines, 5);
	assert_false(filter.journal);
	config_free(tree.config);
	/* logtype is what the caller says, unless the filter is told otherwise */
	tree.rc = config_load_filter(NULL, tree.shipped, "asterisk", true, &tree.config, &filter,
		&tree.findings);
	assert_int_equal(tree.rc, 0);
	assert_true(filter.journal);
	config_free(tree.config);
	tree.rc = config_load_filter(NULL, tree.shipped, "asterisk[logtype=file]", true,
		&tree.config, &filter, &tree.findings);
	assert_int_equal(tree.rc, 0);
	assert_false(filter.journal);
	done(&tree);
}

static void show_lists_everything(void **state)
{
	static const char *const wanted[] = { "jail         a\n", "maxretry     5\n",
		"findtime     10m\n", "closes       all\n", "logpath      /var/log/a\n",
		"failregex    from <HOST>\\d$\n" };
	struct tree tree;
	char *text;

	(void)state;
	make(&tree);
	put(&tree, "shipped/asterisk.conf", "[Definition]\nfailregex = from <HOST>\\d$\n");
	put(&tree, "jails/a.conf", GOOD);
	(void)good(&tree, "a");
	text = config_show(tree.config, config_find(tree.config, "a"));
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_non_null(strstr(text, wanted[i]));
	free(text);
	done(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_input_is_one_finding),
		cmocka_unit_test(the_classic_jail_loads),
		cmocka_unit_test(later_files_win),
		cmocka_unit_test(the_fail2ban_tree_loads),
		cmocka_unit_test(actions_become_scopes_and_mail),
		cmocka_unit_test(the_daemons_own_keys),
		cmocka_unit_test(several_findings_in_one_run),
		cmocka_unit_test(unreadable_trees),
		cmocka_unit_test(a_file_too_many_is_told),
		cmocka_unit_test(one_filter_alone),
		cmocka_unit_test(show_lists_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
