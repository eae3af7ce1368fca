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

static void join_scopes(const struct config_jail *jail, char *out, size_t out_bytes)
{
	out[0] = '\0';
	for (size_t i = 0; i < jail->n_scopes; i++) {
		char one[SCOPE_TEXT_MAX];
		size_t used = strlen(out);

		(void)snprintf(out + used, out_bytes - used, "%s%s", i ? " " : "",
			scope_format(&jail->scopes[i], one));
	}
}

/* Keys of jail [a] in jail.local, which begin in its line 5. */
struct row {
	const char *keys;
	const char *closes; /* joined by blanks; "": it only counts */
	const char *dest;   /* NULL: no mail */
	const char *place;  /* of the only finding; NULL: none */
	const char *what;
};

static bool row_holds(const struct row *row, const struct tree *tree)
{
	const struct config_jail *jail = config_find(tree->config, "a");
	size_t count = tree->findings.count - count_habits(tree);
	char closes[1024];

	join_scopes(jail, closes, sizeof(closes));
	if (strcmp(closes, row->closes) != 0 || jail->bans != (row->closes[0] != '\0')) {
		print_message("closes '%s'\n", closes);
		return false;
	}
	if (strcmp(jail->mail_dest ? jail->mail_dest : "", row->dest ? row->dest : "") != 0) {
		print_message("dest '%s'\n", jail->mail_dest);
		return false;
	}
	if (jail->broken != (tree->findings.errors > 0))
		return false;
	return row->place ? count == 1 && has_finding(tree, row->place, row->what) : count == 0;
}

static void check_rows(const struct row *rows, size_t count, const char *const files[][2],
	size_t n_files)
{
	unsigned failed = 0;

	for (size_t i = 0; i < count; i++) {
		struct tree tree;
		char text[2048];

		make(&tree);
		(void)snprintf(text, sizeof(text), GOOD "%s", rows[i].keys);
		for (size_t j = 0; j < n_files; j++)
			put(&tree, files[j][0], files[j][1]);
		put(&tree, "jail.local", text);
		load(&tree);
		assert_int_equal(tree.rc, 0);
		if (!row_holds(&rows[i], &tree)) {
			print_message("row %zu: %s\n", i, rows[i].keys);
			print_findings(&tree);
			failed++;
		}
		done(&tree);
	}
	assert_int_equal(failed, 0);
}

#define BAN "closed by voipguard's own ban"

static const struct row rows[] = {
	/* ports and protocols: the bracket, the jail, all */
	{ "", "all", NULL, NULL, NULL },
	{ "action =\n", "", NULL, "jail.local:5:9", "nobody is banned" },
	{ "port = anyport\n", "all", NULL, NULL, NULL },
	{ "port = 5060\n", "tcp:5060 udp:5060", NULL, NULL, NULL },
	{ "port = 5060\nprotocol = udp\naction = iptables-multiport\n", "udp:5060", NULL, NULL,
		NULL },
	{ "port = 5060\nprotocol = udp\naction = iptables[port=5061, protocol=tcp]\n", "tcp:5061",
		NULL, NULL, NULL },
	{ "action = iptables[port=\"5060,5061\"]\n", "tcp:5060,5061 udp:5060,5061", NULL, NULL,
		NULL },
	{ "action = iptables[protocol=\"tcp, udp\", port=22]\n", "tcp:22 udp:22", NULL, NULL,
		NULL },
	{ "action = iptables[protocol=17, port=5060]\n", "udp:5060", NULL, NULL, NULL },
	{ "action = iptables[port=0:65535, protocol=all]\n", "all", NULL, NULL, NULL },
	{ "action = iptables[port=0:65535, protocol=udp]\n", "udp:1-65535", NULL, NULL, NULL },
	{ "protocol = udp\naction = iptables-new\n", "udp:1-65535", NULL, NULL, NULL },
	{ "port = 5060\naction = iptables[port=<known/port>, protocol=\"<known/protocol>\"]\n",
		"tcp:5060 udp:5060", NULL, NULL, NULL },
	/* all ports */
	{ "port = 5060\naction = nftables-allports\n", "all", NULL, NULL, NULL },
	{ "port = 5060\naction = iptables-allports[name=SIP, protocol=all]\n", "all", NULL, NULL,
		NULL },
	{ "action = iptables-allports[protocol=tcp]\n", "tcp:1-65535", NULL, NULL, NULL },
	{ "port = 5060\naction = nftables[type=allports]\n", "all", NULL, NULL, NULL },
	{ "port = 5060\naction = nftables-allports[type=multiport]\n", "tcp:5060 udp:5060", NULL,
		NULL, NULL },
	{ "port = 5060\naction = firewallcmd-ipset[actiontype=<allports>]\n", "all", NULL, NULL,
		NULL },
	{ "port = 5060\naction = ufw\n", "all", NULL, NULL, NULL },
	{ "port = 5060\naction = route\n", "all", NULL, NULL, NULL },
	{ "port = 5060\naction = hostsdeny\n", "all", NULL, NULL, NULL },
	{ "port = 5060\naction = shorewall\n", "all", NULL, NULL, NULL },
	{ "port = 5060\nprotocol = tcp\naction = pf\n", "tcp:5060", NULL, NULL, NULL },
	/* several add up */
	{ "action = iptables[port=1, protocol=tcp]\n  iptables[port=2, protocol=udp]\n",
		"tcp:1 udp:2", NULL, NULL, NULL },
	{ "action = iptables[port=1, protocol=tcp] iptables[port=2, protocol=udp]\n", "tcp:1 udp:2",
		NULL, NULL, NULL },
	{ "action = iptables[port=1]\n  ufw\n", "all", NULL, NULL, NULL },
	{ "action = iptables[port=1,\n      protocol=tcp\n   ]\n   [name=x]\n   mail\n", "tcp:1",
		"root", NULL, NULL },
	/* mail */
	{ "action = sendmail-whois[dest=a@example.org]\n", "", "a@example.org", NULL, NULL },
	{ "action = mail-whois-lines[name=x, dest=\"a@example.org\", sender=b@example.org,\n"
	  "  sendername=F, logpath=/var/log/a]\n",
		"", "a@example.org", NULL, NULL },
	{ "action = smtp.py[dest=a@example.org]\n  route\n", "all", "a@example.org", NULL, NULL },
	{ "action = mail[dest=root]\n  mail[dest=root@example.org]\n  mail[dest=root]\n", "",
		"root,root@example.org", NULL, NULL },
	{ "destemail = d@example.org\naction = sendmail-buffered\n", "", "d@example.org", NULL,
		NULL },
	{ "destemail = d@example.org\ndest = e@example.org\naction = sendmail\n", "",
		"e@example.org", NULL, NULL },
	{ "destemail = d@example.org\naction = sendmail\n[mail]\ndest = m@example.org\n", "",
		"m@example.org", NULL, NULL },
	{ "destemail = d@example.org\naction = ufw\n", "all", NULL, NULL, NULL },
	/* what jail.conf would say, if there were one */
	{ "port = 5060\nprotocol = udp\naction = %(action_)s\n", "udp:5060", NULL, NULL, NULL },
	{ "port = 5060\nbanaction = nftables-allports\n", "all", NULL, NULL, NULL },
	{ "port = 5060\nbanaction = %(banaction_allports)s\n", "all", NULL, NULL, NULL },
	{ "destemail = d@example.org\naction = %(action_mwl)s\n", "all", "d@example.org", NULL,
		NULL },
	{ "mta = mail\naction = %(action_mw)s[dest=e@example.org]\n", "all", "e@example.org", NULL,
		NULL },
	{ "port = 5060\nprotocol = udp\naction = %(action_xarf)s\n", "udp:5060", NULL,
		"jail.local:7:1: warning", BAN },
	/* what is not done, and what is instead */
	{ "port = 5060\nprotocol = udp\naction = abuseipdb[abuseipdb_apikey=x]\n", "udp:5060", NULL,
		"jail.local:7:10: warning", BAN ": udp:5060" },
	{ "action = iptables[port=1, protocol=tcp]\n  blocklist_de[email=x, service=y]\n", "tcp:1",
		NULL, "jail.local:6:3: warning", BAN ": tcp:1" },
	{ "action = cloudflare[cfuser=x]\n", "all", NULL, "jail.local:5:10: warning",
		"closes at Cloudflare; instead the address is " BAN ": all ports" },
	{ "action = xarf-login-attack[port=\"???\"]\n", "all", NULL, "jail.local:5:10: warning",
		BAN },
	{ "action = dummy\n", "", NULL, "jail.local:5:10: warning", "failures are only counted" },
	{ "action = mail\n  dummy\n", "", "root", "jail.local:6:3: warning", "only counted" },
	{ "action = iptables-multport[port=5060, protocol=udp]\n", "udp:5060", NULL,
		"jail.local:5:10: warning", "did you mean 'iptables-multiport'?" },
	{ "port = 1\naction = my-allports\n", "all", NULL, "jail.local:6:10: warning",
		"not known and not run" },
	{ "action = no/such\n", "all", NULL, "jail.local:5:10: warning", "not known" },
	/* options */
	{ "action = iptables[name=x, chain=INPUT, actname=y, returntype=RETURN]\n", "all", NULL,
		NULL, NULL },
	{ "action = iptables[nmae=x]\n", "all", NULL, "jail.local:5:19: warning",
		"did you mean 'name'?" },
	{ "action = iptables[colour=x]\n", "all", NULL, "jail.local:5:19: warning",
		"unknown option 'colour'" },
	{ "action = iptables[blocktype=DROP]\n", "all", NULL, NULL, NULL },
	{ "action = iptables[blocktype=\"REJECT --reject-with tcp-reset\"]\n", "all", NULL,
		"jail.local:5:30: warning", "dropped without an answer" },
	{ "action = iptables[blocktype=RETURN, returntype=DROP]\n", "all", NULL,
		"jail.local:5:29: error", "lets an address in" },
	{ "action = route[blocktype=blackhole]\n", "all", NULL, NULL, NULL },
	{ "action = ipfilter[blocktype=\"return-icmp(port-unr)\"]\n", "all", NULL,
		"jail.local:5:30: warning", "dropped" },
	{ "action = ufw[application=OpenSSH]\n", "all", NULL, "jail.local:5:14: warning",
		"all ports are closed" },
	{ "action = iptables[actionban=\"/bin/x <ip>\"]\n", "all", NULL, "jail.local:5:19: warning",
		"never run" },
	{ "action = mail[mailcmd=\"/bin/x\"]\n", "", "root", "jail.local:5:15: warning", "[mail]" },
	{ "action = nftables[rule_match=\"meta mark 1\", type=custom]\n", "all", NULL,
		"jail.local:5:19: warning", "rules of your own" },
	/* wrong */
	{ "action = iptables[port=x]\n", "", NULL, "jail.local:5:24: error", "port: 'x'" },
	{ "action = iptables[protocol=tpc]\n", "", NULL, "jail.local:5:28: error", "none of tcp" },
	{ "protocol = udp # sip\n", "udp:1-65535", NULL, "jail.local:5:12: error",
		"'#' is none of tcp, udp, sctp, all; a comment" },
	{ "action = ufw # all\n", "", NULL, "jail.local:5:14: error", "not with '#'" },
	{ "action = ufw[a=1]mail[b=2]\n", "", NULL, "jail.local:5:18: error",
		"put each action on its own, indented line" },
	{ "action = mail[dest=a@example.org,b@example.org]\n", "", NULL, "jail.local:5:34: error",
		"in quotes" },
	{ "action = ufw[a=\"1]\n", "", NULL, "jail.local:5:16: error", "not closed" },
};

static void actions_become_scopes_and_mail(void **state)
{
	(void)state;
	check_rows(rows, sizeof(rows) / sizeof(rows[0]), NULL, 0);
}

/* Files of an operator's own, over what fail2ban ships. */
static const char *const own_files[][2] = {
	{ "action.d/iptables.conf",
		"[Definition]\nactionban = <iptables> -I f2b-<name> <ip>\n[Init]\nprotocol = tcp\n"
		"port = ssh\nblocktype = REJECT\n" },
	{ "action.d/route.conf", "[Definition]\nactionban = ip route add <ip>\n" },
	{ "action.d/route.local", "[Init]\nblocktype = blackhole\n" },
	{ "action.d/ufw.conf", "[Definition]\nactionban = ufw deny <ip>\n" },
	{ "action.d/ufw.local", "[Definition]\n\nactionban = ufw deny <ip>\n  curl x/<ip>\n" },
	{ "action.d/npf.conf", "[Definition]\nactionban = npfctl <ip>\n" },
	{ "action.d/npf.d/10.conf", "[Definition]\nactionstart = date\n" },
	{ "action.d/telegram.conf", "[INCLUDES]\nbefore = base.conf\n[Definition]\n"
				    "actionban = curl <token> <text>\n[Init]\ntoken =\n" },
	{ "action.d/base.conf", "[Init]\ntext =\n" },
	{ "action.d/only.local", "[Definition]\nactionban = /bin/x <ip>\n" },
	{ "action.d/empty.conf", "[Definition]\nactionban =\n" },
	{ "action.d/own.py", "import os\n" },
};

static const struct row own_rows[] = {
	/* a default of the file is nobody's wish */
	{ "action = iptables\n", "all", NULL, NULL, NULL },
	{ "action = iptables[blocktype=<known/blocktype>]\n", "all", NULL, NULL, NULL },
	{ "action = route\n", "all", NULL, NULL, NULL },
	{ "action = ufw\n", "all", NULL, "jail.local:5:10: warning",
		"action.d/ufw.local:3 is never run; instead the address is " BAN },
	{ "action = npf\n", "all", NULL, "jail.local:5:10: warning", "actionstart of" },
	{ "action = telegram[token=1, text=2]\n", "all", NULL, "jail.local:5:10: warning",
		"telegram.conf:4) is never run; instead the address is " BAN ": all ports" },
	{ "action = route\n  telegram\n", "all", NULL, "jail.local:6:3: warning", BAN },
	{ "action = only\n", "all", NULL, "jail.local:5:10: warning", "only.local:2) is never" },
	{ "action = empty\n", "all", NULL, "jail.local:5:10: warning", "has no actionban" },
	{ "action = own.py\n", "all", NULL, "jail.local:5:10: warning", "action.d/own.py) is" },
};

static void files_of_ones_own_are_named_and_not_run(void **state)
{
	(void)state;
	check_rows(own_rows, sizeof(own_rows) / sizeof(own_rows[0]), own_files,
		sizeof(own_files) / sizeof(own_files[0]));
}

/* What is not done is told of jails that run. A name that nobody knows is a slip anywhere. */
static void a_jail_that_is_off_is_silent(void **state)
{
	struct tree tree;

	(void)state;
	make(&tree);
	for (size_t i = 0; i < sizeof(own_files) / sizeof(own_files[0]); i++)
		put(&tree, own_files[i][0], own_files[i][1]);
	put(&tree, "jails/a.conf",
		"[a]\naction = telegram\n  ufw[k=1]\n  dummy\n  iptables[blocktype=RETURN]\n");
	(void)good(&tree, "a");
	done(&tree);
	make(&tree);
	put(&tree, "jails/a.conf", "[a]\naction = iptablse\n");
	load(&tree);
	assert_true(has_finding(&tree, "jails/a.conf:2:10: warning", "did you mean 'iptables'?"));
	done(&tree);
}

/* The shape of the jail.conf that distributions ship. */
static const char *const jail_conf[][2] = { { "jail.conf",
	"[DEFAULT]\ndestemail = root@localhost\nsender = root@<fq-hostname>\nmta = sendmail\n"
	"protocol = tcp\nchain = <known/chain>\nport = 0:65535\nbanaction = iptables-multiport\n"
	"banaction_allports = iptables-allports\n"
	"action_ = %(banaction)s[port=\"%(port)s\", protocol=\"%(protocol)s\", "
	"chain=\"%(chain)s\"]\n"
	"action_mw = %(action_)s\n  %(mta)s-whois[sender=\"%(sender)s\", dest=\"%(destemail)s\", "
	"protocol=\"%(protocol)s\", chain=\"%(chain)s\"]\n"
	"action_mwl = %(action_)s\n  %(mta)s-whois-lines[sender=\"%(sender)s\", "
	"dest=\"%(destemail)s\", logpath=\"%(logpath)s\", chain=\"%(chain)s\"]\n"
	"action_xarf = %(action_)s\n  xarf-login-attack[service=%(__name__)s, "
	"sender=\"%(sender)s\", logpath=\"%(logpath)s\", port=\"%(port)s\"]\n"
	"action_cf_mwl = cloudflare[cfuser=\"%(cfemail)s\", cftoken=\"%(cfapikey)s\"]\n"
	"  %(mta)s-whois-lines[sender=\"%(sender)s\", dest=\"%(destemail)s\"]\n"
	"action_abuseipdb = abuseipdb\naction = %(action_)s\n"
	"[sip]\nport = 5060,5061\n"
	"action_ = %(default/action_)s[name=%(__name__)s-tcp, protocol=\"tcp\"]\n"
	"  %(default/action_)s[name=%(__name__)s-udp, protocol=\"udp\"]\n"
	"logpath = /var/log/asterisk/messages\n" } };

static const struct row shipped_rows[] = {
	{ "", "tcp:1-65535", NULL, NULL, NULL },
	{ "port = ssh\n", "tcp:22", NULL, NULL, NULL },
	{ "port = ssh\naction = %(action_mw)s\n", "tcp:22", "root@localhost", NULL, NULL },
	{ "port = ssh\naction = %(action_mwl)s\nmta = mail\n", "tcp:22", "root@localhost", NULL,
		NULL },
	{ "port = ssh\naction = %(action_xarf)s\n", "tcp:22", NULL, "jail.conf:16:3: warning",
		BAN ": tcp:22" },
	{ "port = ssh\naction = %(action_cf_mwl)s\ncfemail = x\ncfapikey = y\n", "tcp:22 udp:22",
		"root@localhost", "jail.conf:17:17: warning", "Cloudflare" },
	{ "port = ssh\naction = %(action_)s\n   %(action_abuseipdb)s[k=1]\n", "tcp:22", NULL,
		"jail.local:7:4: warning", BAN },
	{ "banaction = %(banaction_allports)s\n", "tcp:1-65535", NULL, NULL, NULL },
	/* the shipped protocol is for action_'s brackets */
	{ "action = nftables-allports\n", "all", NULL, NULL, NULL },
	{ "port = sip\naction = iptables-multiport\n", "tcp:5060 udp:5060", NULL, NULL, NULL },
	{ "protocol = tcp\naction = nftables-allports\n", "tcp:1-65535", NULL, NULL, NULL },
	{ "action = nftables-allports\n[DEFAULT]\nprotocol = udp\n", "udp:1-65535", NULL, NULL,
		NULL },
	{ "port = sip\naction = %(action_)s%(action_abuseipdb)s[k=1]\n", "", NULL,
		"jail.local:6:21: error", "abuseipdb[k=1]': put each action on its own" },
};

static void the_shipped_jail_conf(void **state)
{
	const struct config_jail *jail;
	struct tree tree;
	char closes[1024];

	(void)state;
	check_rows(shipped_rows, sizeof(shipped_rows) / sizeof(shipped_rows[0]), jail_conf, 1);
	make(&tree);
	put(&tree, jail_conf[0][0], jail_conf[0][1]);
	put(&tree, "jail.local",
		"[sip]\nenabled = 1\nfilter = asterisk\naction = %(action_mwl)s\n");
	jail = good(&tree, "sip");
	join_scopes(jail, closes, sizeof(closes));
	assert_string_equal(closes, "tcp:5060,5061 udp:5060,5061");
	assert_string_equal(jail->mail_dest, "root@localhost");
	assert_string_equal(jail->mail_sender, "root"); /* of this host */
	done(&tree);
}

static void more_than_a_jail_takes(void **state)
{
	char text[4096] = GOOD "action =";
	struct tree tree;

	(void)state;
	for (int i = 0; i < 65; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), " mail\n ");
	make(&tree);
	put(&tree, "jail.local", text);
	load(&tree);
	assert_true(has_finding(&tree, "jail.local:69:3: error", "more than 64 actions"));
	done(&tree);
	make(&tree);
	put(&tree, "jail.local",
		GOOD "action = iptables[port=1, protocol=tcp] iptables[port=2, protocol=tcp]\n"
		     "  iptables[port=3, protocol=tcp] iptables[port=4, protocol=tcp]\n"
		     "  iptables[port=5, protocol=tcp]\n");
	load(&tree);
	assert_true(has_finding(&tree, "jail.local:7:17: error", "more than 4 different sets"));
	done(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_become_scopes_and_mail),
		cmocka_unit_test(files_of_ones_own_are_named_and_not_run),
		cmocka_unit_test(a_jail_that_is_off_is_silent),
		cmocka_unit_test(the_shipped_jail_conf),
		cmocka_unit_test(more_than_a_jail_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
