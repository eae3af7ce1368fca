#include "config/jail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/mail_address.h"
#include "base/text.h"
#include "config/action.h"
#include "config/bantime.h"
#include "config/config.h"
#include "config/ignoreip.h"
#include "config/journal_source.h"
#include "config/unknown_keys.h"
#include "config/usedns.h"
#include "config/values.h"

enum {
	SHOWN_MAX = 160,
	LOGPATHS_MAX = 256,
	LOGPATH_BYTES_MAX = 4095, /* PATH_MAX without its NUL */
	MAXMATCHES_MAX = 1000,
};

/* fail2ban's own defaults */
static const uint32_t MAXRETRY = 5;
static const uint32_t MAXRETRY_MAX = 1000; /* the counter's COUNTER_RETRY_MAX */
static const int64_t FINDTIME_S = 600;
static const int64_t BANTIME_S = 600;

struct jail_reader {
	struct config_reader *reader;
	struct config_jail *jail;
	struct position from_end; /* of a logpath that says neither head nor tail; line 0: none */
};

static bool is_word(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && strncasecmp(text, word, length) == 0;
}

/* A name may hold a blank or a comma, but hardly one with a / behind it. */
static bool holds_second_path(const char *text, size_t length)
{
	for (size_t i = 1; i < length; i++)
		if (text[i] == '/' && strchr(" \t,", text[i - 1]))
			return true;
	return false;
}

/* What tail_add would refuse, when it is too late for a place in a file. */
static bool leads_to_a_file(const char *path, size_t length)
{
	return path[length - 1] != '/' && !memmem(path, length, "/../", 4) &&
	       !(length >= 3 && memcmp(path + length - 3, "/..", 3) == 0);
}

static bool is_logpath(const struct jail_reader *r, const struct position *at, const char *path,
	size_t length)
{
	char shown[SHOWN_MAX];

	text_render(shown, sizeof(shown), path, length);
	if (memmem(path, length, " #", 2)) {
		config_value_error(r->reader, at,
			"logpath: '%s': a comment behind a value begins with ' ;', not with '#'",
			shown);
		return false;
	}
	if (path[0] != '/' && strchr(shown, '=')) {
		config_value_error(r->reader, at,
			"logpath: '%s' is not an absolute path: if it is a key, start it at the "
			"beginning of the line; indented, it continues logpath",
			shown);
		return false;
	}
	if (path[0] != '/') {
		config_value_error(r->reader, at,
			"logpath: '%s' is not an absolute path: it must begin with /", shown);
		return false;
	}
	if (!leads_to_a_file(path, length)) {
		config_value_error(r->reader, at,
			"logpath: '%s' is not the path of a file: it ends in / or goes up by ..",
			shown);
		return false;
	}
	if (holds_second_path(path, length))
		finding_warning(r->reader->findings, at,
			"logpath: '%s' is taken as one path: a further path goes on an indented "
			"line of its own",
			shown);
	return true;
}

/* PATH [head|tail]: a file that is there when its jail first runs is followed from its end, so that
 * an old log does not ban anew; head reads it from its first byte. */
static void add_logpath(void *context, const struct dialect_value *value, size_t from, size_t to)
{
	struct jail_reader *r = context;
	struct config_jail *jail = r->jail;
	struct position at = dialect_at(value, from);
	bool from_head = false;
	size_t word = to;

	while (word > from && value->text[word - 1] != ' ' && value->text[word - 1] != '\t')
		word--;
	if (word > from && (is_word(value->text + word, to - word, "tail") ||
				   is_word(value->text + word, to - word, "head"))) {
		from_head = (value->text[word] | 32) == 'h';
		for (to = word; to > from && strchr(" \t", value->text[to - 1]); to--)
			;
	} else if (!r->from_end.line) {
		r->from_end = at;
	}
	if (!is_logpath(r, &at, value->text + from, to - from))
		return;
	if (to - from > LOGPATH_BYTES_MAX || jail->n_logpaths == LOGPATHS_MAX) {
		config_value_error(r->reader, &at,
			"logpath: at most %d paths, each of at most %d bytes", LOGPATHS_MAX,
			LOGPATH_BYTES_MAX);
		return;
	}
	jail->logpaths =
		alloc_grow(jail->logpaths, jail->n_logpaths + 1, sizeof(jail->logpaths[0]));
	jail->logpaths[jail->n_logpaths++] = (struct config_logpath){
		.pattern = alloc_bytes(value->text + from, to - from),
		.from_head = from_head,
		.at = at,
	};
}

static void drop_logpaths(struct config_jail *jail)
{
	for (size_t i = 0; i < jail->n_logpaths; i++)
		free(jail->logpaths[i].pattern);
	free(jail->logpaths);
	jail->logpaths = NULL;
	jail->n_logpaths = 0;
}

static void read_logpath(struct jail_reader *r)
{
	const struct dialect_key *key =
		dialect_key(r->reader->tree, r->reader->view.section, "logpath");
	struct dialect_value value;

	if (!key || !config_value_get(r->reader, "logpath", &value))
		return;
	config_value_lines(&value, add_logpath, r);
	if (!value.text[strspn(value.text, " \t\n")])
		config_value_error(r->reader, &key->at, "logpath is empty: no file is named");
	dialect_value_done(&value);
}

static bool names_known(const struct dialect_section *section)
{
	for (size_t i = 0; i < section->n_keys; i++)
		if (strstr(section->keys[i]->value.text, "%(known/"))
			return true;
	return false;
}

/* The jail is on, or says the name itself: then there must be such a filter. */
static bool wants_filter(const struct config_place *place, const struct jail_reader *r,
	const struct dialect_value *value)
{
	size_t offset = 0;
	size_t wrong = 0;
	struct error err;
	struct bracket call;
	bool wanted =
		r->jail->enabled || dialect_own_key(r->reader->view.section, "filter") != NULL;

	if (wanted)
		return true;
	if (bracket_parse(value->text, &offset, &call, &wrong, &err) == 0)
		wanted = call.name && config_filter_exists(place, call.name);
	bracket_done(&call);
	return wanted;
}

/* value names it. The jail's keys are checked beside those of its filter. */
static void define_filter(const struct config_place *place, struct jail_reader *r,
	const struct dialect_value *value)
{
	const struct dialect_section *section = r->reader->view.section;
	struct dialect_option *known = NULL;
	struct config_filter filter = { 0 };
	size_t n_known = 0;
	int rc = -1;

	if (wants_filter(place, r, value)) {
		rc = config_filter_open(place, value, r->reader, &filter);
		r->reader->broken |= rc < 0;
	}
	if (rc == 0 && names_known(section)) {
		config_filter_known(&filter, &known, &n_known);
		r->reader->view.options = known;
		r->reader->view.n_options = n_known;
	}
	config_key_check_jail(r->reader, section, rc == 0 ? &filter.reader : NULL);
	if (rc == 0) {
		config_filter_define(&filter, r->reader, &r->jail->filter);
		r->reader->broken |= filter.reader.broken;
	}
	r->jail->filter.usedns = config_usedns_read(r->reader, rc == 0 ? &filter : NULL,
		r->jail->enabled, r->jail->filter.parser.text != NULL);
	r->jail->filter.journal = place->journal;
	r->reader->view.options = NULL;
	r->reader->view.n_options = 0;
	config_filter_free_options(known, n_known);
	config_filter_done(&filter);
}

static void read_filter(const struct config_place *place, struct jail_reader *r)
{
	const struct dialect_section *section = r->reader->view.section;
	struct config_place here = *place;
	struct config_jail *jail = r->jail;
	struct dialect_value value;

	if (!dialect_key(r->reader->tree, section, "filter"))
		value = dialect_value_of(section->name, strlen(section->name), &section->at);
	else if (!config_value_get(r->reader, "filter", &value))
		return;
	here.journal = jail->backend == BACKEND_JOURNAL;
	define_filter(&here, r, &value);
	if (config_journal_replaces(r->reader, jail, place->fail2ban)) {
		jail->backend = BACKEND_JOURNAL;
		here.journal = true;
		config_filter_def_done(&jail->filter); /* logtype decides over its rules */
		define_filter(&here, r, &value);
		if (jail->enabled)
			finding_warning(place->findings, &jail->logpaths[0].at,
				"no file of logpath is there: the journal is read instead, and no "
				"file that appears later (systemd_if_nologs)");
	}
	dialect_value_done(&value);
}

/* Lines are matched byte by byte, whatever they are written in: a rule's letters beyond ASCII must
 * be those bytes. All of these have ASCII as it is. */
static void check_encoding(struct config_reader *reader)
{
	static const char *const words[] = { "auto", "ascii", "us-ascii", "utf-8", "utf8",
		"utf-8-sig", "latin-1", "latin1", "iso-8859-1", "iso8859-1", "iso-8859-2",
		"iso-8859-5", "iso-8859-15", "cp1250", "cp1251", "cp1252", "windows-1250",
		"windows-1251", "windows-1252", "koi8-r", "koi8-u" };
	struct config_text text = config_value_scalar(reader, "logencoding");
	char shown[SHOWN_MAX];
	bool known = !text.text;

	for (char *c = text.text; c && *c; c++)
		*c = *c == '_' ? '-' : *c;
	for (size_t i = 0; !known && i < sizeof(words) / sizeof(words[0]); i++)
		known = strcasecmp(text.text, words[i]) == 0;
	if (!known)
		finding_warning(reader->findings, &text.at,
			"logencoding: '%s' is not known: the bytes of a line are matched as they "
			"are",
			text_render_string(shown, sizeof(shown), text.text));
	free(text.text);
}

static void read_limits(struct config_reader *reader, struct config_jail *jail)
{
	bool ignored = false;

	jail->maxretry = MAXRETRY;
	jail->findtime_s = FINDTIME_S;
	jail->bantime_s = BANTIME_S;
	jail->ignoreself = true;
	config_value_bool(reader, "enabled", &jail->enabled);
	config_value_number(reader, "maxretry", 1, MAXRETRY_MAX, &jail->maxretry);
	jail->maxmatches = jail->maxretry;
	config_value_number(reader, "maxmatches", 0, MAXMATCHES_MAX, &jail->maxmatches);
	config_value_duration(reader, "findtime", false, &jail->findtime_s);
	config_value_duration(reader, "bantime", true, &jail->bantime_s);
	config_value_bool(reader, "ignoreself", &jail->ignoreself);
	/* a file that is not there is waited for: the jail need not be skipped */
	config_value_bool(reader, "skip_if_nologs", &ignored);
	check_encoding(reader);
	config_increment_read(reader, jail);
}

/* The place of the value, else that of the jail. */
static struct position place_of(const struct jail_reader *r, const char *key_name)
{
	const struct dialect_key *key =
		dialect_key(r->reader->tree, r->reader->view.section, key_name);

	return key && key->at.line ? dialect_at(&key->value, 0) : r->jail->at;
}

/* What fail2ban does otherwise for every jail is said once, where it first matters. */
static void tell(const struct config_place *place, const struct jail_reader *r)
{
	struct config_told *told = place->told;
	struct position at = place_of(r, "findtime");

	if (!told)
		return;
	if (!told->window && r->jail->maxretry > 1)
		finding_warning(place->findings, &at,
			"failures count for exactly findtime: fail2ban lets a share of older ones "
			"count on, so it bans at slightly other moments");
	told->window |= r->jail->maxretry > 1;
	if (!told->from_end && r->from_end.line && r->jail->backend != BACKEND_JOURNAL)
		finding_warning(place->findings, &r->from_end,
			"a log that is there when its jail first runs is followed from its end, "
			"where fail2ban reads the last findtime: write 'head' behind the path to "
			"read it from its beginning");
	told->from_end |= r->from_end.line != 0 && r->jail->backend != BACKEND_JOURNAL;
}

/* What a jail that is on cannot do without. One that is broken already hears enough. */
static void check_enabled(struct jail_reader *r)
{
	const struct config_jail *jail = r->jail;
	struct position at = place_of(r, "backend");
	struct dialect_value action;

	config_key_check_enabled(r->reader);
	if (r->reader->broken)
		return;
	if (jail->backend == BACKEND_JOURNAL && !jail->filter.match.n_words &&
		!jail->journal.path && !jail->journal.n_files)
		finding_warning(r->reader->findings, &at,
			"without journalmatch every entry of the journal is read: whoever can "
			"write one can have others banned");
	if (config_value_get(r->reader, "action", &action)) {
		at = place_of(r, "action");
		if (!action.text[strspn(action.text, " \t\n")])
			finding_warning(r->reader->findings, &at,
				"action is empty: failures are only counted, nobody is banned");
		dialect_value_done(&action);
	}
	if (!r->jail->n_logpaths && r->jail->backend != BACKEND_JOURNAL)
		config_value_error(r->reader, &r->jail->at, "jail [%s] has no logpath",
			r->jail->name);
	if (!r->jail->filter.n_failregex)
		config_value_error(r->reader, &r->jail->at, "jail [%s] has no failregex",
			r->jail->name);
}

void config_jail_read(const struct config_place *place, const struct dialect *tree,
	const struct dialect_section *section, struct config_jail *jail)
{
	const struct dialect_section *defaults = dialect_section(tree, "DEFAULT");
	struct config_reader reader = {
		.tree = tree,
		.view = { .section = section },
		.findings = place->findings,
		.broken = section->broken || (defaults && defaults->broken),
	};
	struct jail_reader r = { .reader = &reader, .jail = jail };
	char shown[SHOWN_MAX];

	*jail = (struct config_jail){
		.name = alloc_string(text_render_string(shown, sizeof(shown), section->name)),
		.at = section->at,
	};
	read_limits(&reader, jail);
	config_ignore_read(&reader, jail);
	config_journal_backend(&reader, jail);
	read_logpath(&r);
	config_action_read(place, &reader, jail);
	if (reader.broken && jail->enabled && !dialect_own_key(section, "filter") &&
		!config_filter_exists(place, section->name))
		config_key_check_jail(&reader, section, NULL);
	else
		read_filter(place, &r);
	if (jail->enabled)
		check_enabled(&r);
	jail->broken = reader.broken || dialect_is_broken(tree);
	if (jail->enabled && !jail->broken)
		tell(place, &r);
	if (jail->backend == BACKEND_JOURNAL)
		drop_logpaths(jail);
}

void config_jail_done(struct config_jail *jail)
{
	drop_logpaths(jail);
	config_filter_def_done(&jail->filter);
	config_increment_done(jail);
	config_ignore_done(jail);
	config_journal_done(jail);
	free(jail->name);
	free(jail->mail_dest);
	free(jail->mail_sender);
}
