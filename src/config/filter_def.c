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
#include "config/filter_keys.h"
#include "config/journal_source.h"
#include "config/key.h"
#include "config/rule_check.h"
#include "config/unknown_keys.h"

static const char *const folders[] = { "filters", "filter.d" };

static bool is_file(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

/* The path of a folder of filters: 0 and 1 are those of dir, 2 is the shipped one. NULL: there is
 * none. */
static char *folder(const struct config_place *place, unsigned index)
{
	if (index == 2)
		return place->shipped_dir ? alloc_string(place->shipped_dir) : NULL;
	return place->dir ? alloc_format("%s/%s", place->dir, folders[index]) : NULL;
}

/* The file of that name; a filter may consist of a .local file alone. NULL: there is none. */
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

bool filter_def_exists(const struct config_place *place, const char *name)
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
			(void)files_list(path, ".conf", &files); /* it need not be there */
		for (size_t k = 0; k < files.count; k++) {
			*strrchr(files.list[k], '.') = '\0';
			(void)dialect_name(names, files.list[k]);
		}
		dialect_names_done(&files);
	}
}

/* Reports a file without [Definition], which has no rule; perhaps the header is mistyped. */
static void check_definition(struct config_filter *filter)
{
	static const char *const names[] = { "Definition" };

	if (filter->reader.view.section || filter->reader.broken)
		return;
	for (size_t i = 0; i < filter->tree->n_sections; i++) {
		const struct dialect_section *section = filter->tree->sections[i];

		if (guess_word(section->name, names, 1))
			values_error(&filter->reader, &section->at,
				"a filter has no section [%s]: did you mean [Definition]?",
				text_shown_string(section->name).text);
	}
}

/* Where a wrong name of a filter is reported: at the key, or at the header of the jail if
 * [DEFAULT] makes the jail's name that of the filter. */
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
	const struct shown shown = text_shown_string(name);
	cleanup_free char *where =
		alloc_format(" (no %s.conf in filters, filter.d, or among the shipped ones)",
			shown.text);
	struct dialect_names names;

	list_filters(place, &names);
	(void)finding_error(place->findings, at, "there is no filter '%s'%s", shown.text,
		text_ends_in(name, ".conf")
			? ": write its name without .conf"
			: values_guess(name, (const char *const *)names.list, names.count, where)
				  .text);
	dialect_names_done(&names);
	return -1;
}

/* Reads the filter's file and what changes it: files beside it, and those in the folders of dir. */
static void read_files(const struct config_place *place, struct config_filter *filter)
{
	const char *dot = strrchr(filter->path, '.');
	cleanup_free char *base = alloc_bytes(filter->path, (size_t)(dot - filter->path));

	for (unsigned i = 0; i < 3; i++) {
		cleanup_free char *dir = folder(place, i);

		if (dir)
			dialect_add_dir(filter->tree, dir);
	}
	files_group_read(filter->tree, base);
	for (unsigned i = 0; i < 2 && !text_ends_in(filter->call.name, ".conf"); i++) {
		cleanup_free char *dir = folder(place, i);
		cleanup_free char *change =
			dir ? alloc_format("%s/%s", dir, filter->call.name) : NULL;

		if (change)
			files_group_read_changes(filter->tree, change);
	}
}

/* Adds an option; takes ownership of name and value. */
static void add_option(struct config_options *options, char *name, struct dialect_value value)
{
	options->list = alloc_grow(options->list, options->count + 1, sizeof(options->list[0]));
	options->list[options->count++] = (struct dialect_option){ name, value };
}

static bool is_rule_key(const char *name)
{
	return text_ends_in(name, "regex") || strcmp(name, "datepattern") == 0;
}

/* Of options of one name the last one counts: so logtype comes first, then the keys of the jail,
 * then the options in the brackets. */
static void collect_options(struct config_filter *filter, const struct dialect_value *value,
	const struct config_reader *jail, const char *logtype)
{
	const struct dialect_section *own = jail ? jail->view.section : NULL;
	struct position at = dialect_at(value, filter->call.offset);

	if (!filter_keys_set(filter, "logtype"))
		add_option(&filter->options, alloc_string("logtype"),
			dialect_value_of(logtype, strlen(logtype), &at));
	for (size_t i = 0; own && i < own->n_keys; i++) {
		const char *name = own->keys[i]->name;
		struct dialect_value text;

		if (is_rule_key(name) || !filter_keys_set(filter, name))
			continue;
		if (dialect_resolve(jail->tree, &jail->view, own->keys[i], &text, NULL) == 0)
			add_option(&filter->options, alloc_string(name), text);
	}
	for (size_t i = 0; i < filter->call.n_options; i++) {
		const struct bracket_option *option = &filter->call.options[i];
		struct dialect_value text = { 0 };

		dialect_append(&text, value, option->value_offset,
			option->value_offset + strlen(option->value), NULL);
		add_option(&filter->options, alloc_string(option->name), text);
	}
}

static bool is_name(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/');
}

int filter_def_open(const struct config_place *place, const struct dialect_value *value,
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
	filter->sections[0] = dialect_section(filter->tree, "Init");
	filter->sections[1] = dialect_section(filter->tree, "Definition");
	collect_options(filter, value, jail, place->journal ? "journal" : "file");
	filter->reader = (struct config_reader){
		.tree = filter->tree,
		.view = { filter->sections[1], filter->options.list, filter->options.count },
		.findings = place->findings,
		.broken = filter->tree->broken,
	};
	for (size_t i = 0; i < filter->tree->n_sections; i++)
		filter->reader.broken |= filter->tree->sections[i]->broken;
	check_definition(filter);
	unknown_keys_check_filter(&filter->reader);
	return 0;
}

void filter_def_free_options(struct config_options *options)
{
	for (size_t i = 0; i < options->count; i++) {
		free(options->list[i].name);
		dialect_value_done(&options->list[i].value);
	}
	free(options->list);
	*options = (struct config_options){ 0 };
}

void filter_def_close(struct config_filter *filter)
{
	filter_def_free_options(&filter->options);
	dialect_free(filter->tree);
	bracket_done(&filter->call);
	free(filter->path);
	*filter = (struct config_filter){ 0 };
}

void filter_def_known(const struct config_filter *filter, struct config_options *options)
{
	*options = (struct config_options){ 0 };
	for (unsigned s = 0; s < 2; s++) {
		const struct dialect_section *section = filter->sections[s];

		for (size_t i = 0; section && i < section->n_keys; i++) {
			struct dialect_value value;

			if (dialect_resolve(filter->tree, &filter->reader.view, section->keys[i],
				    &value, NULL) == 0)
				add_option(options,
					alloc_format("known/%s", section->keys[i]->name), value);
		}
	}
}

/* A key of [Init] counts before the same key of [Definition]. */
static bool get_init(struct config_filter *filter, const char *key_name,
	struct dialect_value *ret_value)
{
	struct config_reader init = filter->reader;
	bool found;

	init.view.section = filter->sections[0];
	if (!dialect_own_key(init.view.section, key_name))
		return false;
	found = values_get(&init, key_name, ret_value);
	filter->reader.broken |= init.broken;
	return found;
}

/* The value of the jail, else of the option, else of the filter, with its tags replaced. text NULL:
 * not set. */
static struct dialect_value get(struct config_filter *filter, struct config_reader *jail,
	const char *key)
{
	const struct dialect_option *option = dialect_option(&filter->reader.view, key);
	struct dialect_value value = { 0 };
	bool found = jail && values_get(jail, key, &value);

	if (!found && option) {
		dialect_append(&value, &option->value, 0, option->value.length, NULL);
		found = true;
	}
	if (!found)
		found = get_init(filter, key, &value);
	if (!found)
		found = values_get(&filter->reader, key, &value);
	if (found && dialect_tags(filter->tree, &filter->reader.view, &value,
			     filter->reader.findings) < 0)
		filter->reader.broken = true;
	return value;
}

static void read_list(const struct dialect_value *value, struct config_text **list, size_t *count)
{
	size_t from;
	size_t to;
	size_t at = 0;

	while (dialect_next_line(value, &at, &from, &to)) {
		*list = alloc_grow(*list, *count + 1, sizeof(**list));
		(*list)[(*count)++] = (struct config_text){
			.text = alloc_bytes(value->text + from, to - from),
			.at = dialect_at(value, from),
		};
	}
}

static void read_keys(struct config_filter *filter, struct config_reader *jail,
	struct filter_def *def)
{
	key_init_all(&filter_keys, def);
	for (size_t i = 0; i < filter_keys.count; i++) {
		const struct key *key = &filter_keys.rows[i];
		void *at = (char *)def + key->offset;
		struct dialect_value value;

		if (key->type == KEY_NAMED)
			continue;
		value = get(filter, jail, key->name);
		if (key->type == KEY_LIST && value.text) {
			read_list(&value, at,
				(size_t *)((char *)at + sizeof(struct config_text *)));
		} else if (value.text && value.length) {
			struct config_text text = { value.text, dialect_at(&value, 0) };

			key_read_text(&filter->reader, key, &text, def);
		}
		dialect_value_done(&value);
	}
}

void filter_def_read(struct config_filter *filter, struct config_reader *jail, bool is_used,
	struct filter_def *def)
{
	struct dialect_value logtype = get(filter, jail, "logtype");
	struct dialect_value match = get(filter, jail, "journalmatch");
	struct dialect_value rules = get(filter, jail, "failregex");
	struct dialect_value usedns = { 0 };

	*def = (struct filter_def){
		.name = alloc_string(filter->call.name),
		.path = alloc_string(filter->path),
		.journal = logtype.text && strcmp(logtype.text, "journal") == 0,
	};
	if (!jail) /* a jail has rules of its own for it */
		usedns = get(filter, NULL, "usedns");
	if (usedns.text && usedns.length) {
		struct config_text word = { usedns.text, dialect_at(&usedns, 0) };

		filter_keys_parse_usedns(&filter->reader, &word, &def->usedns);
	}
	read_keys(filter, jail, def);
	journal_source_match(&filter->reader, &match, &def->match);
	filter_keys_check_parser(filter, jail, def);
	filter_keys_check_proof(filter, def);
	if (rules.text)
		rule_check(&filter->reader, &rules, def, is_used);
	dialect_value_done(&logtype);
	dialect_value_done(&match);
	dialect_value_done(&rules);
	dialect_value_done(&usedns);
}

static void free_texts(struct config_text *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].text);
	free(list);
}

void filter_def_done(struct filter_def *def)
{
	free(def->name);
	free(def->path);
	free_texts(def->failregex, def->n_failregex);
	free_texts(def->ignoreregex, def->n_ignoreregex);
	free_texts(def->datepattern, def->n_datepattern);
	free(def->prefregex.text);
	free(def->parser.text);
	free(def->proof_word.text);
	free(def->logtimezone.text);
	journal_source_match_done(&def->match);
	*def = (struct filter_def){ 0 };
}
