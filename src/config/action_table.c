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

static const struct action_group actions[] = {
	/* rules that name ports, unless `type` says otherwise; the first one is not fail2ban's */
	{ ACTION_PORTS, NULL,
		{ "voipguard", "iptables", "iptables-new", "iptables-multiport",
			"iptables-multiport-log", "iptables-ipset", "iptables-ipset-proto4",
			"iptables-ipset-proto6", "nftables", "nftables-multiport",
			"firewallcmd-new", "firewallcmd-multiport", "firewallcmd-ipset",
			"firewallcmd-rich-rules", "firewallcmd-rich-logging", "bsd-ipfw", "ipfw",
			"osx-ipfw", "pf" } },
	/* rules for an address, whatever the port; the first one is not fail2ban's */
	{ ACTION_ALL_PORTS, NULL,
		{ "voipguard-allports", "iptables-allports", "iptables-ipset-proto6-allports",
			"iptables-xt_recent-echo", "nftables-allports", "firewallcmd-allports",
			"symbiosis-blacklist-allports", "apf", "hostsdeny", "ipfilter", "npf",
			"osx-afctl", "route", "shorewall", "shorewall-ipset-proto6", "ufw" } },
	/* for all of them an alert is sent, with what the daemon knows */
	{ ACTION_MAIL, NULL,
		{ "mail", "mail-buffered", "mail-whois", "mail-whois-lines", "sendmail",
			"sendmail-buffered", "sendmail-geoip-lines", "sendmail-whois",
			"sendmail-whois-ipjailmatches", "sendmail-whois-ipmatches",
			"sendmail-whois-lines", "sendmail-whois-matches", "smtp.py" } },
	{ ACTION_TELL, "reports addresses to AbuseIPDB", { "abuseipdb" } },
	{ ACTION_TELL, "sends messages over Apprise", { "apprise" } },
	{ ACTION_TELL, "reports addresses to badips.com", { "badips", "badips.py" } },
	{ ACTION_TELL, "reports addresses to blocklist.de", { "blocklist_de" } },
	{ ACTION_TELL, "writes to the network that an address belongs to",
		{ "complain", "xarf-login-attack" } },
	{ ACTION_TELL, "reports addresses to DShield", { "dshield" } },
	{ ACTION_TELL, "reports addresses to IPThreat", { "ipthreat" } },
	{ ACTION_TELL, "reports addresses to myNetWatchman", { "mynetwatchman" } },
	{ ACTION_TELL, "publishes addresses in a DNS zone", { "nsupdate" } },
	{ ACTION_ELSEWHERE, "closes at Cloudflare", { "cloudflare", "cloudflare-token" } },
	{ ACTION_ELSEWHERE, "closes on a MikroTik router", { "mikrotik" } },
	{ ACTION_ELSEWHERE, "closes on a NetScaler", { "netscaler" } },
	{ ACTION_ELSEWHERE, "closes in nginx", { "nginx-block-map" } },
	{ ACTION_NOTHING, "only writes to a file", { "dummy" } },
};

static const struct action_group options[] = {
	/* used here */
	{ 0, NULL,
		{ "name", "port", "protocol", "type", "actiontype", "blocktype", "dest",
			"sender" } },
	/* of no consequence: a ban here needs no chain, table or program */
	{ 0, NULL,
		{ "actname", "chain", "family", "returntype", "rejecttype", "lockingopt",
			"iptables", "nftables", "table", "table_family", "tablename", "chain_type",
			"chain_hook", "chain_priority", "addr_family", "addr_set", "addr_type",
			"set_prefix", "ipmset", "ipsettype", "maxelem", "zone", "add", "insert",
			"destination", "comment", "kill", "kill-mode", "block", "localhost", "dst",
			"daemon_list", "file", "norestored", "actionstart_on_demand",
			"actionrepair_on_unban", "sendername", "logpath", "lines", "tmpfile",
			"grepopts", "grepmax", "greplimit", "matches", "service", "debug" } },
	{ 0, "all ports are closed", { "application" } },
	{ 0, "rules of your own are not made; the ports are closed for the address",
		{ "rule_match", "pre-rule", "rich-suffix" } },
	{ 0, "the jail's bantime counts",
		{ "bantime", "timeout", "default-timeout", "ipsettime", "default-ipsettime" } },
	{ 0, "mail goes to the server of [mail]",
		{ "mailcmd", "host", "user", "password", "ssl" } },
	{ 0, "its shell text is never run",
		{ "actionstart", "actionstop", "actionflush", "actionreload", "actioncheck",
			"actionrepair", "actionban", "actionprolong", "actionreban",
			"actionunban" } },
};
enum {
	N_ACTIONS = sizeof(actions) / sizeof(actions[0]),
	N_OPTIONS = sizeof(options) / sizeof(options[0]),
	ALL_NAMES_MAX = 128,
};

static const struct action_group *find(const struct action_group *groups, size_t count,
	const char *name, struct shown *ret_guess)
{
	const char *names[ALL_NAMES_MAX];
	size_t n_names = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < ACTION_NAMES_MAX && groups[i].names[k]; k++) {
			if (strcmp(groups[i].names[k], name) == 0)
				return &groups[i];
			if (n_names < ALL_NAMES_MAX)
				names[n_names++] = groups[i].names[k];
		}
	}
	*ret_guess = values_guess(name, names, n_names, "");
	return NULL;
}

const struct action_group *action_table_find(const char *name, struct shown *ret_guess)
{
	return find(actions, N_ACTIONS, name, ret_guess);
}

const struct action_group *action_table_option(const char *name, struct shown *ret_guess)
{
	return find(options, N_OPTIONS, name, ret_guess);
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
