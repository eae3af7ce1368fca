#include "config/jail.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "config/action.h"
#include "config/bantime.h"
#include "config/config.h"
#include "config/filter_def.h"
#include "config/filter_keys.h"
#include "config/ignoreip.h"
#include "config/journal_source.h"
#include "config/key.h"
#include "config/logpath.h"
#include "config/unknown_keys.h"
#include "config/unproven.h"
#include "config/values.h"

enum { NAME_SHOWN_MAX = 160 };

/* ---- filter ---- */

static bool names_known(const struct dialect_section *section)
{
	for (size_t i = 0; i < section->n_keys; i++)
		if (strstr(section->keys[i]->value.text, "%(known/"))
			return true;
	return false;
}

/* A jail that is on, or that says the name itself, must have such a filter. */
static bool wants_filter(const struct config_reader *reader, const struct config_jail *jail,
	const struct dialect_value *value)
{
	size_t offset = 0;
	size_t wrong = 0;
	struct error err;
	struct bracket call;
	bool wanted = jail->enabled || dialect_own_key(reader->view.section, "filter") != NULL;

	if (wanted)
		return true;
	if (bracket_parse(value->text, &offset, &call, &wrong, &err) == 0)
		wanted = call.name && filter_def_exists(reader->place, call.name);
	bracket_done(&call);
	return wanted;
}

/* Reads the filter that value names. The jail's keys are checked beside those of its filter. */
static void define_filter(const struct config_place *place, struct config_reader *reader,
	struct config_jail *jail, const struct dialect_value *value)
{
	struct config_options known = { 0 };
	struct config_filter filter = { 0 };
	int rc = -1;

	if (wants_filter(reader, jail, value)) {
		rc = filter_def_open(place, value, reader, &filter);
		reader->broken |= rc < 0;
	}
	if (rc == 0 && names_known(reader->view.section)) {
		filter_def_known(&filter, &known);
		reader->view.options = known.list;
		reader->view.n_options = known.count;
	}
	unknown_keys_check_jail(reader, &jail_keys, rc == 0 ? &filter : NULL);
	if (rc == 0) {
		filter_def_read(&filter, reader, jail->enabled, &jail->filter);
		reader->broken |= filter.reader.broken;
	}
	jail->filter.usedns = filter_keys_read_usedns(reader, rc == 0 ? &filter : NULL,
		jail->enabled, jail->filter.parser.text != NULL);
	jail->filter.journal = place->journal;
	reader->view.options = NULL;
	reader->view.n_options = 0;
	filter_def_free_options(&known);
	filter_def_close(&filter);
}

/* The filter's logtype, and so its rules, may depend on whether the journal is read. */
static void read_filter(struct config_reader *reader, const struct key *key, void *base)
{
	const struct dialect_section *section = reader->view.section;
	struct config_place place = *reader->place;
	struct config_jail *jail = base;
	struct dialect_value value;

	if (reader->broken && jail->enabled && !dialect_own_key(section, key->name) &&
		!filter_def_exists(reader->place, section->name)) {
		unknown_keys_check_jail(reader, &jail_keys, NULL);
		return;
	}
	if (!dialect_key(reader->tree, section, key->name))
		value = dialect_value_of(section->name, strlen(section->name), &section->at);
	else if (!values_get(reader, key->name, &value))
		return;
	place.journal = jail->backend == BACKEND_JOURNAL;
	define_filter(&place, reader, jail, &value);
	if (journal_source_replaces(jail)) {
		jail->backend = BACKEND_JOURNAL;
		place.journal = true;
		filter_def_done(&jail->filter);
		define_filter(&place, reader, jail, &value);
		if (jail->enabled)
			finding_warning(reader->findings, &jail->logpaths[0].at,
				"no file of logpath is there: the journal is read instead, and no "
				"file that appears later (systemd_if_nologs)");
	}
	dialect_value_done(&value);
}

static void print_filter(struct sheet *sheet, const struct key *key, const void *base)
{
	const struct filter_def *filter = &((const struct config_jail *)base)->filter;

	sheet_row(sheet, key->name, filter->name ? filter->name : "(none)");
	if (!sheet->is_file && filter->path)
		sheet_row(sheet, "file", filter->path);
	if (!sheet->is_file)
		key_print_all(sheet, &filter_keys, filter);
	else if (filter->usedns > USEDNS_NO)
		sheet_row(sheet, "usedns", filter_keys_usedns_word(filter->usedns));
}

/* ---- keys with a rule of their own ---- */

static void print_enabled(struct sheet *sheet, const struct key *key, const void *base)
{
	const struct config_jail *jail = base;

	key_print_value(sheet, key, base);
	if (!sheet->is_file && jail->broken)
		sheet_row(sheet, "broken", "yes: see the errors; it does not run");
}

static void read_maxmatches(struct config_reader *reader, const struct key *key, void *base)
{
	struct config_jail *jail = base;

	jail->maxmatches = jail->maxretry;
	key_read_value(reader, key, base);
}

static void print_maxmatches(struct sheet *sheet, const struct key *key, const void *base)
{
	const struct config_jail *jail = base;

	if (!sheet->is_file || jail->maxmatches != jail->maxretry)
		key_print_value(sheet, key, base);
}

/* Checks the key logencoding. Lines are matched as bytes, whatever encoding they are written in, so
 * a letter beyond ASCII in a rule must be those bytes. In all encodings that are accepted here
 * ASCII is the same. */
static void check_encoding(struct config_reader *reader, const struct key *key, void *base)
{
	static const char *const words[] = { "auto", "ascii", "us-ascii", "utf-8", "utf8",
		"utf-8-sig", "latin-1", "latin1", "iso-8859-1", "iso8859-1", "iso-8859-2",
		"iso-8859-5", "iso-8859-15", "cp1250", "cp1251", "cp1252", "windows-1250",
		"windows-1251", "windows-1252", "koi8-r", "koi8-u" };
	struct config_text text = values_scalar(reader, key->name);
	bool known = !text.text;

	(void)base;
	for (char *c = text.text; c && *c; c++)
		*c = *c == '_' ? '-' : *c;
	for (size_t i = 0; !known && i < sizeof(words) / sizeof(words[0]); i++)
		known = strcasecmp(text.text, words[i]) == 0;
	if (!known)
		finding_warning(reader->findings, &text.at,
			"logencoding: '%s' is not known: the bytes of a line are matched as they "
			"are",
			text_shown_string(text.text).text);
	free(text.text);
}

/* Reports, for a jail that is on, a key that would need a command to be run. */
static void check_command(struct config_reader *reader, const struct key *key, void *base)
{
	const struct config_jail *jail = base;
	struct config_text command;
	struct config_text cache;

	if (!jail->enabled)
		return;
	command = values_scalar(reader, key->name);
	cache = values_scalar(reader, "ignorecache");
	if (command.text)
		values_error(reader, &command.at,
			"ignorecommand is not run, so nobody it protects would be safe: this jail is "
			"left out; use ignoreip");
	else if (cache.text)
		finding_warning(reader->findings, &cache.at,
			"ignorecache does nothing without ignorecommand");
	free(command.text);
	free(cache.text);
}

/* ---- the table ---- */

static const struct key rows[] = {
	{ "enabled", KEY_BOOL, .offset = offsetof(struct config_jail, enabled),
		.print = print_enabled },
	{ "backend", .type = KEY_NAMED, .read = journal_source_read,
		.print = journal_source_print },
	{ "logpath", .type = KEY_NAMED, .read = logpath_read, .print = logpath_print },
	{ "maxretry", KEY_NUMBER, .offset = offsetof(struct config_jail, maxretry), .initial = 5,
		.least = 1, .most = 1000 }, /* COUNTER_RETRY_MAX */
	{ "maxmatches", KEY_NUMBER, .offset = offsetof(struct config_jail, maxmatches),
		.most = 1000, .read = read_maxmatches, .print = print_maxmatches },
	{ "findtime", KEY_SPAN, .offset = offsetof(struct config_jail, findtime_s), .initial = 600,
		.least = 1, .wanted = "at least one second" },
	{ "bantime", KEY_SPAN, .offset = offsetof(struct config_jail, bantime_s), .initial = 600,
		.least = -1, .wanted = "at least one second, or -1 for ever" },
	{ "bantime.increment", KEY_BOOL, .offset = offsetof(struct config_jail, increment.on),
		.needs = offsetof(struct config_jail, increment.on),
		.print = bantime_print_increment },
	{ "bantime.factor", .type = KEY_NAMED, .needs = offsetof(struct config_jail, increment.on),
		.read = bantime_read_factor, .print = bantime_print_factor },
	{ "bantime.multipliers", .type = KEY_NAMED,
		.needs = offsetof(struct config_jail, increment.on),
		.read = bantime_read_multipliers, .print = bantime_print_multipliers },
	{ "bantime.formula", .type = KEY_NAMED, .needs = offsetof(struct config_jail, increment.on),
		.read = bantime_read_formula, .print = bantime_print_formula },
	{ "bantime.maxtime", KEY_SPAN, .offset = offsetof(struct config_jail, increment.maxtime_s),
		.least = 1, .wanted = "at least 1 second",
		.needs = offsetof(struct config_jail, increment.on), .read = bantime_read_maxtime },
	{ "bantime.rndtime", KEY_SPAN, .offset = offsetof(struct config_jail, increment.rndtime_s),
		.wanted = "at least 0 seconds",
		.needs = offsetof(struct config_jail, increment.on) },
	{ "bantime.overalljails", KEY_BOOL,
		.offset = offsetof(struct config_jail, increment.all_jails),
		.needs = offsetof(struct config_jail, increment.on),
		.print = bantime_print_overalljails },
	{ "ignoreself", KEY_BOOL, .offset = offsetof(struct config_jail, ignoreself),
		.initial = true },
	{ "ignoreip", .type = KEY_NAMED, .read = ignoreip_read, .print = ignoreip_print },
	{ "action", .type = KEY_NAMED, .read = action_read, .print = action_print },
	{ "systemd_if_nologs", KEY_BOOL, .offset = offsetof(struct config_jail, journal_if_no_logs),
		.is_quiet = true, .read = journal_source_read_if_no_logs },
	{ "filter", .type = KEY_NAMED, .read = read_filter, .print = print_filter },
	{ "unproven", .type = KEY_NAMED, .read = unproven_read, .print = unproven_print },
	{ "ignorecommand", .type = KEY_NAMED, .read = check_command },
	{ "logencoding", .type = KEY_NAMED, .read = check_encoding },
	{ "skip_if_nologs", .type = KEY_CHECKED }, /* a log that is not there is waited for */
	/* read with action */
	{ "port", .type = KEY_NAMED },
	{ "protocol", .type = KEY_NAMED },
	{ "dest", .type = KEY_NAMED },
	{ "sender", .type = KEY_NAMED },
	{ "destemail", .type = KEY_NAMED },
	{ "ignorecache", .type = KEY_NAMED }, /* read with ignorecommand */
	/* variables of fail2ban's jail.conf, for its actions */
	{ "banaction", .type = KEY_NAMED },
	{ "banaction_allports", .type = KEY_NAMED },
	{ "chain", .type = KEY_NAMED },
	{ "mta", .type = KEY_NAMED },
	{ "sendername", .type = KEY_NAMED },
	{ "fail2ban_agent", .type = KEY_NAMED },
	{ "fail2ban_version", .type = KEY_NAMED },
	{ "fail2ban_confpath", .type = KEY_NAMED },
};
const struct key_table jail_keys = { rows, sizeof(rows) / sizeof(rows[0]) };

/* ---- a jail ---- */

/* The place of the value, else that of the jail. */
static struct position place_of(const struct config_reader *reader, const struct config_jail *jail,
	const char *key_name)
{
	const struct dialect_key *key = dialect_key(reader->tree, reader->view.section, key_name);

	return key && key->at.line ? dialect_at(&key->value, 0) : jail->at;
}

/* A path with neither head nor tail behind it; NULL: there is none. */
static const struct config_logpath *plain_logpath(const struct config_jail *jail)
{
	for (size_t i = 0; i < jail->n_logpaths; i++)
		if (!jail->logpaths[i].is_said)
			return &jail->logpaths[i];
	return NULL;
}

/* Hints at a difference from fail2ban that concerns every jail, once, for the first jail that it
 * concerns. */
static void report_differences(const struct config_reader *reader, const struct config_jail *jail)
{
	const struct config_logpath *plain = plain_logpath(jail);
	struct config_told *told = reader->place->told;
	struct position at = place_of(reader, jail, "findtime");

	if (!told)
		return;
	if (!told->window && jail->maxretry > 1)
		finding_warning(reader->findings, &at,
			"failures count for exactly findtime: fail2ban lets a share of older ones "
			"count on, so it bans at slightly other moments");
	told->window |= jail->maxretry > 1;
	if (!plain || jail->backend == BACKEND_JOURNAL)
		return;
	if (!told->from_end)
		finding_warning(reader->findings, &plain->at,
			"a log that is there when its jail first runs is followed from its end, "
			"where fail2ban reads the last findtime: write 'head' behind the path to "
			"read it from its beginning");
	told->from_end = true;
}

/* Reports what a jail that is on lacks and cannot do without. */
static void check_enabled(struct config_reader *reader, const struct config_jail *jail)
{
	struct position at = place_of(reader, jail, "backend");
	struct dialect_value action;

	if (jail->backend == BACKEND_JOURNAL && !jail->filter.match.n_words &&
		!jail->journal.path && !jail->journal.n_files)
		finding_warning(reader->findings, &at,
			"without journalmatch every entry of the journal is read: whoever can "
			"write one can have others banned");
	if (values_get(reader, "action", &action)) {
		at = place_of(reader, jail, "action");
		if (values_is_empty(&action))
			finding_warning(reader->findings, &at,
				"action is empty: failures are only counted, nobody is banned");
		dialect_value_done(&action);
	}
	if (!jail->n_logpaths && jail->backend != BACKEND_JOURNAL)
		values_error(reader, &jail->at, "jail [%s] has no logpath", jail->name);
	if (!jail->filter.n_failregex)
		values_error(reader, &jail->at, "jail [%s] has no failregex", jail->name);
}

void jail_read(const struct config_place *place, const struct dialect *tree,
	const struct dialect_section *section, struct config_jail *jail)
{
	const struct dialect_section *defaults = dialect_section(tree, "DEFAULT");
	struct config_reader reader = {
		.place = place,
		.tree = tree,
		.view = { .section = section },
		.findings = place->findings,
		.broken = section->broken || (defaults && defaults->broken),
	};
	char name[NAME_SHOWN_MAX];

	*jail = (struct config_jail){
		.name = alloc_string(text_render_string(name, sizeof(name), section->name)),
		.at = section->at,
	};
	key_init_all(&jail_keys, jail);
	key_read_all(&reader, &jail_keys, jail);
	if (jail->enabled && !reader.broken)
		check_enabled(&reader, jail);
	jail->broken = reader.broken || tree->broken;
	if (jail->enabled && !jail->broken)
		report_differences(&reader, jail);
	if (jail->backend == BACKEND_JOURNAL)
		logpath_done(jail);
}

void jail_done(struct config_jail *jail)
{
	logpath_done(jail);
	filter_def_done(&jail->filter);
	bantime_done(jail);
	ignoreip_done(jail);
	journal_source_done(jail);
	free(jail->name);
	free(jail->mail_dest);
	free(jail->mail_sender);
}
