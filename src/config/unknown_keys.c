#include "config/unknown_keys.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/findings.h"
#include "base/text.h"
#include "config/config.h"
#include "config/values.h"

enum { SHOWN_MAX = 128 };

/* Of jails; fail2ban's own that only its shell actions need are among them. */
static const char *const jail_keys[] = { "enabled", "filter", "logpath", "maxretry", "findtime",
	"bantime", "ignoreip", "ignoreself", "port", "protocol", "action", "failregex",
	"ignoreregex", "dest", "sender", "datepattern", "prefregex", "maxlines", "usedns", "mode",
	"backend", "journalmatch", "logtype", "maxmatches", "ignorecommand", "ignorecache",
	"logtimezone", "logencoding", "skip_if_nologs", "systemd_if_nologs", "bantime.increment",
	"bantime.factor", "bantime.formula", "bantime.multipliers", "bantime.maxtime",
	"bantime.rndtime", "bantime.overalljails", "banaction", "banaction_allports", "chain",
	"destemail", "mta", "sendername", "fail2ban_agent", "fail2ban_version", "fail2ban_confpath",
	"parser" };
static const char *const filter_keys[] = { "failregex", "ignoreregex", "prefregex", "datepattern",
	"maxlines", "journalmatch", "usedns", "mode", "logtype", "parser", "logtimezone" };

enum {
	N_JAIL_KEYS = sizeof(jail_keys) / sizeof(jail_keys[0]),
	N_FILTER_KEYS = sizeof(filter_keys) / sizeof(filter_keys[0])
};

static bool contains(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* No key would be called so: the line belongs to the value above it. */
static bool say_lost_line(struct config_reader *reader, const struct dialect_key *key)
{
	char shown[SHOWN_MAX];

	text_render_string(shown, sizeof(shown), key->name);
	if (strchr(key->name, '[') && !strpbrk(key->name, " *\\(")) {
		config_value_error(reader, &key->at,
			"unknown key '%s': it looks like an action that lost its indentation; "
			"indent the line so that it continues the action above",
			shown);
		return true;
	}
	if (strpbrk(key->name, " *\\([]^$'\"/")) {
		config_value_error(reader, &key->at,
			"unknown key '%s': it looks like a line of the value above that lost its "
			"indentation",
			shown);
		return true;
	}
	return false;
}

static void say_unknown(struct config_reader *reader, const struct dialect_key *key,
	const char *const *names, size_t count)
{
	const char *guess = guess_word(key->name, names, count);
	const struct dialect_section *section = reader->view.section;
	bool is_default = section && strcmp(section->name, "DEFAULT") == 0;
	bool was_broken = reader->broken;
	char shown[SHOWN_MAX];

	if (say_lost_line(reader, key))
		return;
	text_render_string(shown, sizeof(shown), key->name);
	if (guess)
		config_value_error(reader, &key->at, "unknown key '%s': did you mean '%s'?", shown,
			guess);
	else
		config_value_error(reader, &key->at, "unknown key '%s'", shown);
	/* [DEFAULT] is every jail's: a typo there must not leave the host naked, unless what was
	 * meant would protect somebody. */
	if (is_default && !(guess && strncmp(guess, "ignore", strlen("ignore")) == 0))
		reader->broken = was_broken;
}

void config_key_check(struct config_reader *reader, const struct dialect_section *section,
	const char *const *names, unsigned count)
{
	for (size_t i = 0; section && i < section->n_keys; i++)
		if (!contains(names, count, section->keys[i]->name) &&
			!dialect_is_referenced(reader->tree, section->keys[i]->name))
			say_unknown(reader, section->keys[i], names, count);
}

/* Variables of fail2ban's jail.conf that nothing need ask for. */
static bool is_variable(const char *name)
{
	static const char *const starts[] = { "action_", "banaction", "known/", "_" };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (strncmp(name, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

static bool is_filter_option(const struct config_reader *filter, const char *name)
{
	return filter && (dialect_own_key(dialect_section(filter->tree, "Definition"), name) ||
				 dialect_own_key(dialect_section(filter->tree, "Init"), name));
}

void config_key_check_jail(struct config_reader *reader, const struct dialect_section *section,
	const struct config_reader *filter)
{
	for (size_t i = 0; section && i < section->n_keys; i++) {
		const struct dialect_key *key = section->keys[i];

		if (!contains(jail_keys, N_JAIL_KEYS, key->name) && !is_variable(key->name) &&
			!is_filter_option(filter, key->name) &&
			!dialect_is_referenced(reader->tree, key->name))
			say_unknown(reader, key, jail_keys, N_JAIL_KEYS);
	}
}

/* A filter may have variables of any name; only what looks mistyped or lost is told. */
void config_key_check_filter(struct config_reader *reader)
{
	const struct dialect_section *section = dialect_section(reader->tree, "Definition");

	for (size_t i = 0; section && i < section->n_keys; i++) {
		const struct dialect_key *key = section->keys[i];

		if (contains(filter_keys, N_FILTER_KEYS, key->name) || is_variable(key->name) ||
			dialect_is_referenced(reader->tree, key->name))
			continue;
		if (guess_word(key->name, filter_keys, N_FILTER_KEYS))
			say_unknown(reader, key, filter_keys, N_FILTER_KEYS);
		else
			(void)say_lost_line(reader, key);
	}
}

void config_key_check_enabled(struct config_reader *reader)
{
	struct config_text command = config_value_scalar(reader, "ignorecommand");
	struct config_text cache = config_value_scalar(reader, "ignorecache");

	if (command.text)
		config_value_error(reader, &command.at,
			"ignorecommand is not run, so nobody it protects would be safe: this jail is "
			"left out; use ignoreip");
	else if (cache.text)
		finding_warning(reader->findings, &cache.at,
			"ignorecache does nothing without ignorecommand");
	free(command.text);
	free(cache.text);
}
