#include "config/action_table.h"

#include <string.h>

#include "base/findings.h"

static const struct config_action actions[] = {
	/* ours, for jails of our own tree */
	{ "voipguard", CONFIG_ACTION_PORTS, NULL },
	{ "voipguard-allports", CONFIG_ACTION_ALL_PORTS, NULL },

	/* rules that name ports; `type` can say otherwise */
	{ "iptables", CONFIG_ACTION_PORTS, NULL },
	{ "iptables-new", CONFIG_ACTION_PORTS, NULL },
	{ "iptables-multiport", CONFIG_ACTION_PORTS, NULL },
	{ "iptables-multiport-log", CONFIG_ACTION_PORTS, NULL },
	{ "iptables-ipset", CONFIG_ACTION_PORTS, NULL },
	{ "iptables-ipset-proto4", CONFIG_ACTION_PORTS, NULL },
	{ "iptables-ipset-proto6", CONFIG_ACTION_PORTS, NULL },
	{ "nftables", CONFIG_ACTION_PORTS, NULL },
	{ "nftables-multiport", CONFIG_ACTION_PORTS, NULL },
	{ "firewallcmd-new", CONFIG_ACTION_PORTS, NULL },
	{ "firewallcmd-multiport", CONFIG_ACTION_PORTS, NULL },
	{ "firewallcmd-ipset", CONFIG_ACTION_PORTS, NULL },
	{ "firewallcmd-rich-rules", CONFIG_ACTION_PORTS, NULL },
	{ "firewallcmd-rich-logging", CONFIG_ACTION_PORTS, NULL },
	{ "bsd-ipfw", CONFIG_ACTION_PORTS, NULL },
	{ "ipfw", CONFIG_ACTION_PORTS, NULL },
	{ "osx-ipfw", CONFIG_ACTION_PORTS, NULL },
	{ "pf", CONFIG_ACTION_PORTS, NULL },

	/* rules for an address, whatever the port */
	{ "iptables-allports", CONFIG_ACTION_ALL_PORTS, NULL },
	{ "iptables-ipset-proto6-allports", CONFIG_ACTION_ALL_PORTS, NULL },
	{ "iptables-xt_recent-echo", CONFIG_ACTION_ALL_PORTS, NULL },
	{ "nftables-allports", CONFIG_ACTION_ALL_PORTS, NULL },
	{ "firewallcmd-allports", CONFIG_ACTION_ALL_PORTS, NULL },
	{ "symbiosis-blacklist-allports", CONFIG_ACTION_ALL_PORTS, NULL },
	{ "apf", CONFIG_ACTION_ALL_PORTS, NULL },
	{ "hostsdeny", CONFIG_ACTION_ALL_PORTS, NULL },
	{ "ipfilter", CONFIG_ACTION_ALL_PORTS, NULL },
	{ "npf", CONFIG_ACTION_ALL_PORTS, NULL },
	{ "osx-afctl", CONFIG_ACTION_ALL_PORTS, NULL },
	{ "route", CONFIG_ACTION_ALL_PORTS, NULL },
	{ "shorewall", CONFIG_ACTION_ALL_PORTS, NULL },
	{ "shorewall-ipset-proto6", CONFIG_ACTION_ALL_PORTS, NULL },
	{ "ufw", CONFIG_ACTION_ALL_PORTS, NULL },

	/* whois, log lines and a digest: an alert has what the daemon knows */
	{ "mail", CONFIG_ACTION_MAIL, NULL },
	{ "mail-buffered", CONFIG_ACTION_MAIL, NULL },
	{ "mail-whois", CONFIG_ACTION_MAIL, NULL },
	{ "mail-whois-lines", CONFIG_ACTION_MAIL, NULL },
	{ "sendmail", CONFIG_ACTION_MAIL, NULL },
	{ "sendmail-buffered", CONFIG_ACTION_MAIL, NULL },
	{ "sendmail-geoip-lines", CONFIG_ACTION_MAIL, NULL },
	{ "sendmail-whois", CONFIG_ACTION_MAIL, NULL },
	{ "sendmail-whois-ipjailmatches", CONFIG_ACTION_MAIL, NULL },
	{ "sendmail-whois-ipmatches", CONFIG_ACTION_MAIL, NULL },
	{ "sendmail-whois-lines", CONFIG_ACTION_MAIL, NULL },
	{ "sendmail-whois-matches", CONFIG_ACTION_MAIL, NULL },
	{ "smtp.py", CONFIG_ACTION_MAIL, NULL },

	{ "abuseipdb", CONFIG_ACTION_TELL, "reports addresses to AbuseIPDB" },
	{ "apprise", CONFIG_ACTION_TELL, "sends messages over Apprise" },
	{ "badips", CONFIG_ACTION_TELL, "reports addresses to badips.com" },
	{ "badips.py", CONFIG_ACTION_TELL, "reports addresses to badips.com" },
	{ "blocklist_de", CONFIG_ACTION_TELL, "reports addresses to blocklist.de" },
	{ "complain", CONFIG_ACTION_TELL, "writes to the network that an address belongs to" },
	{ "dshield", CONFIG_ACTION_TELL, "reports addresses to DShield" },
	{ "ipthreat", CONFIG_ACTION_TELL, "reports addresses to IPThreat" },
	{ "mynetwatchman", CONFIG_ACTION_TELL, "reports addresses to myNetWatchman" },
	{ "nsupdate", CONFIG_ACTION_TELL, "publishes addresses in a DNS zone" },
	{ "xarf-login-attack", CONFIG_ACTION_TELL,
		"writes to the network that an address belongs to" },

	{ "cloudflare", CONFIG_ACTION_ELSEWHERE, "closes at Cloudflare" },
	{ "cloudflare-token", CONFIG_ACTION_ELSEWHERE, "closes at Cloudflare" },
	{ "mikrotik", CONFIG_ACTION_ELSEWHERE, "closes on a MikroTik router" },
	{ "netscaler", CONFIG_ACTION_ELSEWHERE, "closes on a NetScaler" },
	{ "nginx-block-map", CONFIG_ACTION_ELSEWHERE, "closes in nginx" },

	{ "dummy", CONFIG_ACTION_NOTHING, "only writes to a file" },
};

/* Shell text of an action, given in its brackets. */
#define SHELL "its shell text is never run"
#define BANTIME "the jail's bantime counts"
#define SERVER "mail goes to the server of [mail]"
#define NO_RULE "rules of your own are not made; the ports are closed for the address"

static const struct config_action_option options[] = {
	/* used */
	{ "name", NULL },
	{ "port", NULL },
	{ "protocol", NULL },
	{ "type", NULL },
	{ "actiontype", NULL },
	{ "blocktype", NULL },
	{ "dest", NULL },
	{ "sender", NULL },
	/* of no consequence: a ban of ours needs no chain, table or program */
	{ "actname", NULL },
	{ "chain", NULL },
	{ "family", NULL },
	{ "returntype", NULL },
	{ "rejecttype", NULL },
	{ "lockingopt", NULL },
	{ "iptables", NULL },
	{ "nftables", NULL },
	{ "table", NULL },
	{ "table_family", NULL },
	{ "tablename", NULL },
	{ "chain_type", NULL },
	{ "chain_hook", NULL },
	{ "chain_priority", NULL },
	{ "addr_family", NULL },
	{ "addr_set", NULL },
	{ "addr_type", NULL },
	{ "set_prefix", NULL },
	{ "ipmset", NULL },
	{ "ipsettype", NULL },
	{ "maxelem", NULL },
	{ "zone", NULL },
	{ "add", NULL },
	{ "insert", NULL },
	{ "destination", NULL },
	{ "comment", NULL },
	{ "kill", NULL },
	{ "kill-mode", NULL },
	{ "block", NULL },
	{ "localhost", NULL },
	{ "dst", NULL },
	{ "daemon_list", NULL },
	{ "file", NULL },
	{ "norestored", NULL },
	{ "actionstart_on_demand", NULL },
	{ "actionrepair_on_unban", NULL },
	{ "sendername", NULL },
	{ "logpath", NULL },
	{ "lines", NULL },
	{ "tmpfile", NULL },
	{ "grepopts", NULL },
	{ "grepmax", NULL },
	{ "greplimit", NULL },
	{ "matches", NULL },
	{ "service", NULL },
	{ "debug", NULL },
	/* told */
	{ "application", "all ports are closed" },
	{ "rule_match", NO_RULE },
	{ "pre-rule", NO_RULE },
	{ "rich-suffix", NO_RULE },
	{ "bantime", BANTIME },
	{ "timeout", BANTIME },
	{ "default-timeout", BANTIME },
	{ "ipsettime", BANTIME },
	{ "default-ipsettime", BANTIME },
	{ "mailcmd", SERVER },
	{ "host", SERVER },
	{ "user", SERVER },
	{ "password", SERVER },
	{ "ssl", SERVER },
	{ "actionstart", SHELL },
	{ "actionstop", SHELL },
	{ "actionflush", SHELL },
	{ "actionreload", SHELL },
	{ "actioncheck", SHELL },
	{ "actionrepair", SHELL },
	{ "actionban", SHELL },
	{ "actionprolong", SHELL },
	{ "actionreban", SHELL },
	{ "actionunban", SHELL },
};

enum {
	N_ACTIONS = sizeof(actions) / sizeof(actions[0]),
	N_OPTIONS = sizeof(options) / sizeof(options[0])
};

const struct config_action *config_action_table_find(const char *name)
{
	for (size_t i = 0; i < N_ACTIONS; i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

const char *config_action_table_guess(const char *name)
{
	const char *names[N_ACTIONS];

	for (size_t i = 0; i < N_ACTIONS; i++)
		names[i] = actions[i].name;
	return guess_word(name, names, N_ACTIONS);
}

const struct config_action_option *config_action_table_option(const char *name)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

const char *config_action_table_guess_option(const char *name)
{
	const char *names[N_OPTIONS];

	for (size_t i = 0; i < N_OPTIONS; i++)
		names[i] = options[i].name;
	return guess_word(name, names, N_OPTIONS);
}
