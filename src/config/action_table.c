#include "config/action_table.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/findings.h"
#include "base/text.h"
#include "config/files.h"
#include "config/filter_def.h"
#include "config/values.h"
#include "dialect/tree.h"

static const struct action actions[] = {
	/* ours, for jails of our own tree */
	{ "voipguard", ACTION_PORTS, NULL },
	{ "voipguard-allports", ACTION_ALL_PORTS, NULL },

	/* rules that name ports; `type` can say otherwise */
	{ "iptables", ACTION_PORTS, NULL },
	{ "iptables-new", ACTION_PORTS, NULL },
	{ "iptables-multiport", ACTION_PORTS, NULL },
	{ "iptables-multiport-log", ACTION_PORTS, NULL },
	{ "iptables-ipset", ACTION_PORTS, NULL },
	{ "iptables-ipset-proto4", ACTION_PORTS, NULL },
	{ "iptables-ipset-proto6", ACTION_PORTS, NULL },
	{ "nftables", ACTION_PORTS, NULL },
	{ "nftables-multiport", ACTION_PORTS, NULL },
	{ "firewallcmd-new", ACTION_PORTS, NULL },
	{ "firewallcmd-multiport", ACTION_PORTS, NULL },
	{ "firewallcmd-ipset", ACTION_PORTS, NULL },
	{ "firewallcmd-rich-rules", ACTION_PORTS, NULL },
	{ "firewallcmd-rich-logging", ACTION_PORTS, NULL },
	{ "bsd-ipfw", ACTION_PORTS, NULL },
	{ "ipfw", ACTION_PORTS, NULL },
	{ "osx-ipfw", ACTION_PORTS, NULL },
	{ "pf", ACTION_PORTS, NULL },

	/* rules for an address, whatever the port */
	{ "iptables-allports", ACTION_ALL_PORTS, NULL },
	{ "iptables-ipset-proto6-allports", ACTION_ALL_PORTS, NULL },
	{ "iptables-xt_recent-echo", ACTION_ALL_PORTS, NULL },
	{ "nftables-allports", ACTION_ALL_PORTS, NULL },
	{ "firewallcmd-allports", ACTION_ALL_PORTS, NULL },
	{ "symbiosis-blacklist-allports", ACTION_ALL_PORTS, NULL },
	{ "apf", ACTION_ALL_PORTS, NULL },
	{ "hostsdeny", ACTION_ALL_PORTS, NULL },
	{ "ipfilter", ACTION_ALL_PORTS, NULL },
	{ "npf", ACTION_ALL_PORTS, NULL },
	{ "osx-afctl", ACTION_ALL_PORTS, NULL },
	{ "route", ACTION_ALL_PORTS, NULL },
	{ "shorewall", ACTION_ALL_PORTS, NULL },
	{ "shorewall-ipset-proto6", ACTION_ALL_PORTS, NULL },
	{ "ufw", ACTION_ALL_PORTS, NULL },

	/* whois, log lines and a digest: an alert has what the daemon knows */
	{ "mail", ACTION_MAIL, NULL },
	{ "mail-buffered", ACTION_MAIL, NULL },
	{ "mail-whois", ACTION_MAIL, NULL },
	{ "mail-whois-lines", ACTION_MAIL, NULL },
	{ "sendmail", ACTION_MAIL, NULL },
	{ "sendmail-buffered", ACTION_MAIL, NULL },
	{ "sendmail-geoip-lines", ACTION_MAIL, NULL },
	{ "sendmail-whois", ACTION_MAIL, NULL },
	{ "sendmail-whois-ipjailmatches", ACTION_MAIL, NULL },
	{ "sendmail-whois-ipmatches", ACTION_MAIL, NULL },
	{ "sendmail-whois-lines", ACTION_MAIL, NULL },
	{ "sendmail-whois-matches", ACTION_MAIL, NULL },
	{ "smtp.py", ACTION_MAIL, NULL },

	{ "abuseipdb", ACTION_TELL, "reports addresses to AbuseIPDB" },
	{ "apprise", ACTION_TELL, "sends messages over Apprise" },
	{ "badips", ACTION_TELL, "reports addresses to badips.com" },
	{ "badips.py", ACTION_TELL, "reports addresses to badips.com" },
	{ "blocklist_de", ACTION_TELL, "reports addresses to blocklist.de" },
	{ "complain", ACTION_TELL, "writes to the network that an address belongs to" },
	{ "dshield", ACTION_TELL, "reports addresses to DShield" },
	{ "ipthreat", ACTION_TELL, "reports addresses to IPThreat" },
	{ "mynetwatchman", ACTION_TELL, "reports addresses to myNetWatchman" },
	{ "nsupdate", ACTION_TELL, "publishes addresses in a DNS zone" },
	{ "xarf-login-attack", ACTION_TELL, "writes to the network that an address belongs to" },

	{ "cloudflare", ACTION_ELSEWHERE, "closes at Cloudflare" },
	{ "cloudflare-token", ACTION_ELSEWHERE, "closes at Cloudflare" },
	{ "mikrotik", ACTION_ELSEWHERE, "closes on a MikroTik router" },
	{ "netscaler", ACTION_ELSEWHERE, "closes on a NetScaler" },
	{ "nginx-block-map", ACTION_ELSEWHERE, "closes in nginx" },

	{ "dummy", ACTION_NOTHING, "only writes to a file" },
};

/* Shell text of an action, given in its brackets. */
#define SHELL "its shell text is never run"
#define BANTIME "the jail's bantime counts"
#define SERVER "mail goes to the server of [mail]"
#define NO_RULE "rules of your own are not made; the ports are closed for the address"

static const struct action_option options[] = {
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

const struct action *action_table_find(const char *name)
{
	for (size_t i = 0; i < N_ACTIONS; i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

const char *action_table_guess(const char *name)
{
	const char *names[N_ACTIONS];

	for (size_t i = 0; i < N_ACTIONS; i++)
		names[i] = actions[i].name;
	return guess_word(name, names, N_ACTIONS);
}

const struct action_option *action_table_option(const char *name)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

const char *action_table_guess_option(const char *name)
{
	const char *names[N_OPTIONS];

	for (size_t i = 0; i < N_OPTIONS; i++)
		names[i] = options[i].name;
	return guess_word(name, names, N_OPTIONS);
}

/* ---- an action's file ---- */

/* Keys whose text a shell would run; the first that is found is named. */
static const char *const shell_keys[] = { "actionban", "actionunban", "actionprolong",
	"actionreban", "actionstart", "actionstop", "actionflush", "actionreload", "actioncheck",
	"actionrepair" };

bool action_table_open_file(const struct config_place *place, const char *name,
	struct action_file *file)
{
	cleanup_free char *base = NULL;
	struct stat info;

	*file = (struct action_file){ 0 };
	if (!place->dir || !name[0] || name[0] == '.' || strchr(name, '/'))
		return false;
	base = alloc_format("%s/action.d/%s", place->dir, name);
	if (text_ends_in(name, ".py") && stat(base, &info) == 0) {
		file->program = (struct position){ .file = dialect_name(place->names, base) };
		return true;
	}
	if (!files_group_exists(base))
		return false;
	file->tree = dialect_new(place->names, &file->findings);
	files_group_read(file->tree, base);
	return true;
}

void action_table_close_file(struct action_file *file)
{
	dialect_free(file->tree);
	findings_done(&file->findings);
	*file = (struct action_file){ 0 };
}

static const struct dialect_key *find_key(const struct action_file *file, const char *name)
{
	return file->tree ? dialect_key(file->tree, dialect_section(file->tree, "Definition"), name)
			  : NULL;
}

const char *action_table_shell(const struct action_file *file, struct position *ret_at)
{
	const struct dialect_key *key = find_key(file, "actionban");

	if (file->program.file) {
		*ret_at = file->program;
		return "program";
	}
	if (!key || values_is_empty(&key->value))
		return NULL;
	*ret_at = key->at;
	return "actionban";
}

const char *action_table_change(const struct action_file *file, struct position *ret_at)
{
	for (size_t i = 0; i < sizeof(shell_keys) / sizeof(shell_keys[0]); i++) {
		const struct dialect_key *key = find_key(file, shell_keys[i]);
		const char *folder = key ? strstr(key->at.file, "/action.d/") : NULL;

		if (!folder)
			continue;
		folder += strlen("/action.d/");
		if (!text_ends_in(key->at.file, ".local") && !strchr(folder, '/'))
			continue;
		*ret_at = key->at;
		return shell_keys[i];
	}
	return NULL;
}

bool action_table_knows(const struct action_file *file, const char *option)
{
	return file->tree && (find_key(file, option) ||
				     dialect_own_key(dialect_section(file->tree, "Init"), option) ||
				     dialect_is_referenced(file->tree, option));
}
