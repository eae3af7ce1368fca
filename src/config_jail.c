#include "config_jail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config.h"
#include "config_action.h"
#include "config_key.h"
#include "config_value.h"
#include "error.h"
#include "text.h"

enum {
	SHOWN_MAX = 160,
	IGNOREIP_MAX = 4096,
	LOGPATHS_MAX = 256,
	LOGPATH_BYTES_MAX = 4095, /* PATH_MAX without its NUL */
};

/* fail2ban's own defaults */
static const uint32_t MAXRETRY = 5;
static const uint32_t MAXRETRY_MAX = 1000; /* the counter's COUNTER_RETRY_MAX */
static const int64_t FINDTIME_S = 600;
static const int64_t BANTIME_S = 600;

struct jail_reader {
	struct config_reader *reader;
	struct config_jail *jail;
};

static bool is_word(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && strncmp(text, word, length) == 0;
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
	char shown[SHOWN_MAX];

	while (word > from && value->text[word - 1] != ' ' && value->text[word - 1] != '\t')
		word--;
	if (word > from && (is_word(value->text + word, to - word, "tail") ||
				   is_word(value->text + word, to - word, "head"))) {
		from_head = value->text[word] == 'h';
		for (to = word; to > from && strchr(" \t", value->text[to - 1]); to--)
			;
	}
	text_render(shown, sizeof(shown), value->text + from, to - from);
	if (memmem(value->text + from, to - from, " #", 2)) {
		config_value_error(r->reader, &at,
			"logpath: '%s': a comment behind a value begins with ' ;', not with '#'",
			shown);
		return;
	}
	if (value->text[from] != '/') {
		config_value_error(r->reader, &at,
			"logpath: '%s' is not an absolute path: it must begin with /", shown);
		return;
	}
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

/* A host name, a file: list: things whose addresses are not known yet. */
static bool is_indirect(const char *word)
{
	bool has_letter = false;

	if (strncmp(word, "file:", strlen("file:")) == 0)
		return true;
	for (const char *c = word; *c; c++) {
		bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');

		has_letter = has_letter || letter;
		if (!letter && !(*c >= '0' && *c <= '9') && *c != '-' && *c != '.' && *c != '_')
			return false;
	}
	return has_letter;
}

static void add_ignoreip(struct jail_reader *r, const char *word, const struct position *at)
{
	struct config_jail *jail = r->jail;
	char shown[SHOWN_MAX];
	struct error err;
	struct ip ip;

	text_render_string(shown, sizeof(shown), word);
	if (ip_parse_prefix(word, &ip, &err) == 0 && jail->n_ignoreip < IGNOREIP_MAX) {
		jail->ignoreip =
			alloc_grow(jail->ignoreip, jail->n_ignoreip + 1, sizeof(jail->ignoreip[0]));
		jail->ignoreip[jail->n_ignoreip++] = ip;
	} else if (jail->n_ignoreip == IGNOREIP_MAX) {
		config_value_error(r->reader, at, "ignoreip: more than %d addresses", IGNOREIP_MAX);
	} else if (!is_indirect(word)) {
		config_value_error(r->reader, at, "ignoreip: %s%s", err.text,
			strchr(word, '#') ? "; a comment behind a value begins with ' ;', "
					    "not with '#'"
					  : "");
	} else if (jail->enabled) {
		config_value_error(r->reader, at,
			"ignoreip: '%s' is not looked up yet, so its address would not be safe: "
			"write the address",
			shown);
	} else {
		finding_warning(r->reader->findings, at,
			"ignoreip: '%s' is not looked up yet: write the address", shown);
	}
}

static void read_ignoreip(struct jail_reader *r)
{
	static const char *const blanks = " \t\n,";
	struct dialect_value value;
	size_t at = 0;

	if (!config_value_get(r->reader, "ignoreip", &value))
		return;
	for (;;) {
		struct position place;
		size_t length;

		at += strspn(value.text + at, blanks);
		length = strcspn(value.text + at, blanks);
		if (!length)
			break;
		place = dialect_at(&value, at);
		cleanup_free char *word = alloc_bytes(value.text + at, length);
		add_ignoreip(r, word, &place);
		at += length;
	}
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
	struct call call;
	bool wanted =
		r->jail->enabled || dialect_own_key(r->reader->view.section, "filter") != NULL;

	if (wanted)
		return true;
	if (call_parse(value->text, &offset, &call, &wrong, &err) == 0)
		wanted = call.name && config_filter_exists(place, call.name);
	call_done(&call);
	return wanted;
}

static void read_filter(const struct config_place *place, struct jail_reader *r)
{
	const struct dialect_section *section = r->reader->view.section;
	struct dialect_option *known = NULL;
	struct config_filter filter = { 0 };
	struct dialect_value value;
	size_t n_known = 0;
	int rc = -1;

	if (!dialect_key(r->reader->tree, section, "filter"))
		value = dialect_value_of(section->name, strlen(section->name), &section->at);
	else if (!config_value_get(r->reader, "filter", &value))
		return;
	if (wants_filter(place, r, &value)) {
		rc = config_filter_open(place, &value, r->reader, &filter);
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
	r->reader->view.options = NULL;
	r->reader->view.n_options = 0;
	config_filter_free_options(known, n_known);
	config_filter_done(&filter);
	dialect_value_done(&value);
}

/* What a jail that is on cannot do without. One that is broken already hears enough. */
static void check_enabled(struct jail_reader *r)
{
	config_key_check_enabled(r->reader);
	if (r->reader->broken)
		return;
	if (!r->jail->n_logpaths)
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
	struct jail_reader r = { &reader, jail };
	char shown[SHOWN_MAX];

	*jail = (struct config_jail){
		.name = alloc_string(text_render_string(shown, sizeof(shown), section->name)),
		.at = section->at,
		.maxretry = MAXRETRY,
		.findtime_s = FINDTIME_S,
		.bantime_s = BANTIME_S,
		.ignoreself = true,
	};
	config_value_bool(&reader, "enabled", &jail->enabled);
	config_value_number(&reader, "maxretry", 1, MAXRETRY_MAX, &jail->maxretry);
	config_value_duration(&reader, "findtime", false, &jail->findtime_s);
	config_value_duration(&reader, "bantime", true, &jail->bantime_s);
	config_value_bool(&reader, "ignoreself", &jail->ignoreself);
	read_ignoreip(&r);
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
}

void config_jail_done(struct config_jail *jail)
{
	for (size_t i = 0; i < jail->n_logpaths; i++)
		free(jail->logpaths[i].pattern);
	config_filter_def_done(&jail->filter);
	free(jail->name);
	free(jail->logpaths);
	free(jail->ignoreip);
	free(jail->mail_dest);
	free(jail->mail_sender);
}
