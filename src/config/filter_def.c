#include "config/filter_def.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/findings.h"
#include "base/text.h"
#include "config/config.h"
#include "config/files.h"
#include "config/journal_source.h"
#include "config/parser.h"
#include "config/rule_check.h"
#include "config/unknown_keys.h"
#include "config/usedns.h"

enum { SHOWN_MAX = 128, MAXLINES_MAX = 100 };

static const char *const folders[] = { "filters", "filter.d" };

static bool is_file(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

/* Folder number index (0, 1: of dir; 2: shipped), or NULL. */
static char *folder(const struct config_place *place, unsigned index)
{
	if (index == 2)
		return place->shipped_dir ? alloc_string(place->shipped_dir) : NULL;
	return place->dir ? alloc_format("%s/%s", place->dir, folders[index]) : NULL;
}

/* A filter may be all in a .local file. */
static char *find_file(const struct config_place *place, const char *name)
{
	static const char *const ends[] = { ".conf", ".local" };

	for (unsigned i = 0; i < 6; i++) {
		cleanup_free char *dir = folder(place, i % 3);
		char *path = dir ? alloc_format("%s/%s%s", dir, name, ends[i / 3]) : NULL;

		if (path && is_file(path))
			return path;
		free(path);
	}
	return NULL;
}

bool config_filter_exists(const struct config_place *place, const char *name)
{
	cleanup_free char *path = find_file(place, name);

	return path != NULL;
}

/* The names of all filters that there are. */
static void list_filters(const struct config_place *place, struct dialect_names *names)
{
	*names = (struct dialect_names){ 0 };
	for (unsigned i = 0; i < 3; i++) {
		cleanup_free char *path = folder(place, i);
		struct dialect_names files = { 0 };

		if (path)
			(void)config_files_list(path, ".conf", &files); /* it need not be there */
		for (size_t k = 0; k < files.count; k++) {
			*strrchr(files.list[k], '.') = '\0';
			(void)dialect_name(names, files.list[k]);
		}
		dialect_names_done(&files);
	}
}

/* A file without [Definition] has no rule: a mistyped header is told where it stands. */
static void check_definition(struct config_filter *filter)
{
	static const char *const names[] = { "Definition" };

	if (filter->reader.view.section || filter->reader.broken)
		return;
	for (size_t i = 0; i < dialect_count(filter->tree); i++) {
		const struct dialect_section *section = dialect_section_at(filter->tree, i);
		char shown[SHOWN_MAX];

		if (guess_word(section->name, names, 1))
			config_value_error(&filter->reader, &section->at,
				"a filter has no section [%s]: did you mean [Definition]?",
				text_render_string(shown, sizeof(shown), section->name));
	}
}

/* A name that [DEFAULT] makes of the jail's own is wrong where the jail is named. */
static struct position place_of_name(const struct dialect_value *value, size_t offset,
	const struct config_reader *jail)
{
	if (jail && jail->view.section && !dialect_own_key(jail->view.section, "filter"))
		return jail->view.section->at;
	return dialect_at(value, offset);
}

static int say_unknown(const struct config_place *place, const struct position *at,
	const char *name)
{
	struct dialect_names names;
	const char *guess;
	size_t bare = strlen(name) - (text_ends_in(name, ".conf") ? strlen(".conf") : 0);
	char shown[SHOWN_MAX];

	list_filters(place, &names);
	guess = guess_word(name, (const char *const *)names.list, names.count);
	text_render_string(shown, sizeof(shown), name);
	if (name[bare])
		(void)finding_error(place->findings, at,
			"there is no filter '%s': write its name without .conf", shown);
	else if (guess)
		(void)finding_error(place->findings, at,
			"there is no filter '%s': did you mean '%s'?", shown, guess);
	else
		(void)finding_error(place->findings, at,
			"there is no filter '%s' (no %s.conf in filters, filter.d, or among the "
			"shipped ones)",
			shown, shown);
	dialect_names_done(&names);
	return -1;
}

/* path and what changes it: the files beside it and those in the folders of dir. */
static void read_files(const struct config_place *place, struct config_filter *filter)
{
	const char *dot = strrchr(filter->path, '.');
	cleanup_free char *base = alloc_bytes(filter->path, (size_t)(dot - filter->path));

	for (unsigned i = 0; i < 3; i++) {
		cleanup_free char *dir = folder(place, i);

		if (dir)
			dialect_add_dir(filter->tree, dir);
	}
	config_files_group_read(filter->tree, base);
	for (unsigned i = 0; i < 2 && !text_ends_in(filter->call.name, ".conf"); i++) {
		cleanup_free char *dir = folder(place, i);
		cleanup_free char *change =
			dir ? alloc_format("%s/%s", dir, filter->call.name) : NULL;

		if (change)
			config_files_group_read_changes(filter->tree, change);
	}
}

static void add_option(struct config_filter *filter, const char *name, struct dialect_value value)
{
	filter->options =
		alloc_grow(filter->options, filter->n_options + 1, sizeof(filter->options[0]));
	filter->options[filter->n_options++] =
		(struct dialect_option){ .name = alloc_string(name), .value = value };
}

static bool is_rule_key(const char *name)
{
	return text_ends_in(name, "regex") || strcmp(name, "datepattern") == 0;
}

/* logtype first, then the jail's keys, then the call's: the last one counts. */
static void collect_options(struct config_filter *filter, const struct dialect_value *value,
	const struct config_reader *jail, const char *logtype)
{
	const struct dialect_section *own = jail ? jail->view.section : NULL;
	struct position at = dialect_at(value, filter->call.offset);

	if (!dialect_own_key(dialect_section(filter->tree, "Definition"), "logtype") &&
		!dialect_own_key(dialect_section(filter->tree, "Init"), "logtype"))
		add_option(filter, "logtype", dialect_value_of(logtype, strlen(logtype), &at));
	for (size_t i = 0; own && i < own->n_keys; i++) {
		const char *name = own->keys[i]->name;
		struct dialect_value text;

		if (is_rule_key(name) ||
			(!dialect_own_key(dialect_section(filter->tree, "Definition"), name) &&
				!dialect_own_key(dialect_section(filter->tree, "Init"), name)))
			continue;
		if (dialect_resolve(jail->tree, &jail->view, own->keys[i], &text, NULL) == 0)
			add_option(filter, name, text);
	}
	for (size_t i = 0; i < filter->call.n_options; i++) {
		const struct bracket_option *option = &filter->call.options[i];
		struct dialect_value text = { 0 };

		dialect_append(&text, value, option->value_offset,
			option->value_offset + strlen(option->value), NULL);
		add_option(filter, option->name, text);
	}
}

static bool is_name(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/');
}

int config_filter_open(const struct config_place *place, const struct dialect_value *value,
	const struct config_reader *jail, struct config_filter *filter)
{
	struct position at;
	size_t offset = 0;
	size_t wrong = 0;
	struct error err;

	*filter = (struct config_filter){ 0 };
	if (bracket_parse(value->text, &offset, &filter->call, &wrong, &err) < 0) {
		at = dialect_at(value, wrong);
		return finding_error(place->findings, &at, "filter: %s", err.text);
	}
	at = place_of_name(value, filter->call.offset, jail);
	if (!filter->call.name)
		return finding_error(place->findings, &at, "filter: no name is given");
	if (text_ends_in(filter->call.name, ".conf") && (!jail || strchr(filter->call.name, '/')))
		filter->path = alloc_string(filter->call.name);
	else if (is_name(filter->call.name))
		filter->path = find_file(place, filter->call.name);
	if (!filter->path)
		return say_unknown(place, &at, filter->call.name);
	filter->tree = dialect_new(place->names, place->findings);
	read_files(place, filter);
	collect_options(filter, value, jail, place->journal ? "journal" : "file");
	filter->reader = (struct config_reader){
		.tree = filter->tree,
		.view = { dialect_section(filter->tree, "Definition"), filter->options,
			filter->n_options },
		.findings = place->findings,
		.broken = dialect_is_broken(filter->tree),
	};
	for (size_t i = 0; i < dialect_count(filter->tree); i++)
		filter->reader.broken |= dialect_section_at(filter->tree, i)->broken;
	check_definition(filter);
	config_key_check_filter(&filter->reader);
	return 0;
}

void config_filter_free_options(struct dialect_option *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(options[i].name);
		dialect_value_done(&options[i].value);
	}
	free(options);
}

void config_filter_done(struct config_filter *filter)
{
	config_filter_free_options(filter->options, filter->n_options);
	dialect_free(filter->tree);
	bracket_done(&filter->call);
	free(filter->path);
	*filter = (struct config_filter){ 0 };
}

void config_filter_known(struct config_filter *filter, struct dialect_option **ret_options,
	size_t *ret_count)
{
	static const char *const sections[] = { "Init", "Definition" };
	size_t count = 0;

	*ret_options = NULL;
	for (unsigned s = 0; s < 2; s++) {
		const struct dialect_section *section = dialect_section(filter->tree, sections[s]);

		for (size_t i = 0; section && i < section->n_keys; i++) {
			struct dialect_value value;

			if (dialect_resolve(filter->tree, &filter->reader.view, section->keys[i],
				    &value, NULL) < 0)
				continue;
			*ret_options = alloc_grow(*ret_options, count + 1, sizeof(**ret_options));
			(*ret_options)[count++] = (struct dialect_option){
				.name = alloc_format("known/%s", section->keys[i]->name),
				.value = value,
			};
		}
	}
	*ret_count = count;
}

/* What [Init] itself says counts before [Definition]. */
static bool get_init(struct config_filter *filter, const char *key_name,
	struct dialect_value *ret_value)
{
	const struct dialect_section *init = dialect_section(filter->tree, "Init");
	const struct dialect_key *key = init ? dialect_own_key(init, key_name) : NULL;
	struct dialect_view view = { init, filter->options, filter->n_options };

	if (!key)
		return false;
	if (dialect_resolve(filter->tree, &view, key, ret_value, filter->reader.findings) == 0)
		return true;
	filter->reader.broken = true;
	return false;
}

/* The option, else the jail's value, else the filter's; tags replaced. text NULL: not set. */
static struct dialect_value get(struct config_filter *filter, struct config_reader *jail,
	const char *key)
{
	struct dialect_value value = { 0 };
	bool found = false;

	if (jail && dialect_key(jail->tree, jail->view.section, key))
		found = config_value_get(jail, key, &value);
	for (size_t i = filter->n_options; !found && i > 0; i--) {
		const struct dialect_option *option = &filter->options[i - 1];

		if (strcmp(option->name, key) != 0)
			continue;
		dialect_append(&value, &option->value, 0, option->value.length, NULL);
		found = true;
	}
	if (!found)
		found = get_init(filter, key, &value);
	if (!found)
		found = config_value_get(&filter->reader, key, &value);
	if (found && dialect_tags(filter->tree, &filter->reader.view, &value,
			     filter->reader.findings) < 0)
		filter->reader.broken = true;
	return value;
}

struct list {
	struct config_text **list;
	size_t *count;
};

static void add_text(void *context, const struct dialect_value *value, size_t from, size_t to)
{
	struct list *list = context;

	*list->list = alloc_grow(*list->list, *list->count + 1, sizeof(**list->list));
	(*list->list)[(*list->count)++] = (struct config_text){
		.text = alloc_bytes(value->text + from, to - from),
		.at = dialect_at(value, from),
	};
}

static void read_list(struct config_filter *filter, struct config_reader *jail, const char *key,
	struct config_text **list, size_t *count)
{
	struct dialect_value value = get(filter, jail, key);
	struct list context = { list, count };

	if (value.text)
		config_value_lines(&value, add_text, &context);
	dialect_value_done(&value);
}

static struct config_text read_text(struct config_filter *filter, struct config_reader *jail,
	const char *key)
{
	struct dialect_value value = get(filter, jail, key);
	struct config_text text = { 0 };

	if (value.text && value.length) {
		text.text = alloc_string(value.text);
		text.at = dialect_at(&value, 0);
	}
	dialect_value_done(&value);
	return text;
}

static void read_words(struct config_filter *filter, struct config_reader *jail,
	struct filter_def *def)
{
	struct config_text maxlines = read_text(filter, jail, "maxlines");
	struct config_text usedns = { 0 };
	struct config_text logtype = read_text(filter, jail, "logtype");
	char shown[SHOWN_MAX];
	char *end;
	long lines;

	if (!jail) /* which has rules of its own for it */
		usedns = read_text(filter, NULL, "usedns");
	def->maxlines = 1;
	def->journal = logtype.text && strcmp(logtype.text, "journal") == 0;
	if (usedns.text && config_usedns_parse(usedns.text, &def->usedns) < 0)
		config_value_error(&filter->reader, &usedns.at,
			"usedns: '%s' is none of yes, warn, no, raw",
			text_render_string(shown, sizeof(shown), usedns.text));
	if (maxlines.text) {
		lines = strtol(maxlines.text, &end, 10);
		if (*end || lines < 1 || lines > MAXLINES_MAX)
			config_value_error(&filter->reader, &maxlines.at,
				"maxlines: '%s' is no number from 1 to %d",
				text_render_string(shown, sizeof(shown), maxlines.text),
				MAXLINES_MAX);
		else
			def->maxlines = (uint32_t)lines;
	}
	free(logtype.text);
	free(usedns.text);
	free(maxlines.text);
}

/* By a jail that is on, or by hand. */
static bool is_used(const struct config_reader *jail)
{
	struct config_reader silent;
	struct findings findings = { 0 };
	bool enabled = false;

	if (!jail)
		return true;
	silent = *jail;
	silent.findings = &findings; /* what is wrong with it has been said */
	config_value_bool(&silent, "enabled", &enabled);
	findings_done(&findings);
	return enabled;
}

void config_filter_define(struct config_filter *filter, struct config_reader *jail,
	struct filter_def *def)
{
	struct dialect_value rules = get(filter, jail, "failregex");
	struct dialect_value match = get(filter, jail, "journalmatch");

	*def = (struct filter_def){
		.name = alloc_string(filter->call.name),
		.path = alloc_string(filter->path),
	};
	read_list(filter, jail, "ignoreregex", &def->ignoreregex, &def->n_ignoreregex);
	read_list(filter, jail, "datepattern", &def->datepattern, &def->n_datepattern);
	def->prefregex = read_text(filter, jail, "prefregex");
	def->parser = read_text(filter, jail, "parser");
	def->logtimezone = read_text(filter, jail, "logtimezone");
	config_journal_match(&filter->reader, &match, &def->match);
	read_words(filter, jail, def);
	config_parser_check(filter, jail, def);
	if (rules.text) {
		struct list list = { &def->failregex, &def->n_failregex };

		config_value_lines(&rules, add_text, &list);
		config_rule_check(&filter->reader, &rules, def, is_used(jail));
	}
	dialect_value_done(&match);
	dialect_value_done(&rules);
}

static void free_texts(struct config_text *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].text);
	free(list);
}

void config_filter_def_done(struct filter_def *def)
{
	free(def->name);
	free(def->path);
	free_texts(def->failregex, def->n_failregex);
	free_texts(def->ignoreregex, def->n_ignoreregex);
	free_texts(def->datepattern, def->n_datepattern);
	free(def->prefregex.text);
	free(def->parser.text);
	free(def->logtimezone.text);
	config_journal_match_done(&def->match);
	*def = (struct filter_def){ 0 };
}
