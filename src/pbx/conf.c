#include "pbx/conf.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/text.h"
#include "pbx/conf_line.h"
#include "pbx/sources.h"

/* ADD_SCAN_MAX: sections of one name that "(+filter)" looks through. */
enum { SHOWN_MAX = 120, ADD_SCAN_MAX = 64 };

static const struct {
	const char *name;
	enum conf_key key;
} spellings[] = {
	{ "type", CONF_TYPE },
	{ "match", CONF_MATCH },
	{ "identify/match", CONF_MATCH },
	{ "contact", CONF_CONTACT },
	{ "aor/contact", CONF_CONTACT },
	{ "server_uri", CONF_SERVER_URI },
	{ "registration/server_uri", CONF_SERVER_URI },
	{ "outbound_proxy", CONF_OUTBOUND_PROXY },
	{ "outboundproxy", CONF_OUTBOUND_PROXY },
	{ "endpoint/outbound_proxy", CONF_OUTBOUND_PROXY },
	{ "aor/outbound_proxy", CONF_OUTBOUND_PROXY },
	{ "registration/outbound_proxy", CONF_OUTBOUND_PROXY },
	{ "remote_hosts", CONF_REMOTE_HOSTS },
	{ "host", CONF_HOST },
	{ "permit", CONF_PERMIT },
	{ "deny", CONF_DENY },
	{ "register", CONF_REGISTER },
	{ "protocol", CONF_PROTOCOL },
	{ "bind", CONF_BIND },
	{ "bindaddr", CONF_BINDADDR },
	{ "udpbindaddr", CONF_BINDADDR },
	{ "bindport", CONF_BINDPORT },
	{ "port", CONF_BINDPORT },
	{ "tcpenable", CONF_TCPENABLE },
	{ "tcpbindaddr", CONF_TCPBINDADDR },
	{ "tlsenable", CONF_TLSENABLE },
	{ "sslenable", CONF_TLSENABLE },
	{ "tlsbindaddr", CONF_TLSBINDADDR },
	{ "sslbindaddr", CONF_TLSBINDADDR },
	{ "tlsbindport", CONF_TLSBINDPORT },
	{ "sslbindport", CONF_TLSBINDPORT },
	{ "enabled", CONF_ENABLED },
};

/* One reading of one file with what it includes. */
struct reader {
	struct conf *conf;
	struct sources *sources;
	struct conf_section *section;               /* the open one of this file; NULL: none */
	struct conf_section *newest;                /* the one that was opened last */
	const char *open_files[CONF_DEPTH_MAX + 1]; /* those that include each other */
	size_t depth;                               /* how many of them */
	bool said_sections;
	bool said_values;
};

/* ---- sections and values ---- */

static int by_name(const void *a, const void *b)
{
	return strcasecmp(((const struct conf_section *)a)->name,
		((const struct conf_section *)b)->name);
}

struct conf_section *conf_find(const struct conf *conf, const char *name)
{
	struct conf_section wanted = { .name = (char *)(uintptr_t)name };
	struct conf_section **found = tfind(&wanted, &conf->names, by_name);

	return found ? *found : NULL;
}

/* NULL: there are too many. */
static struct conf_section *section_add(struct reader *reader, const char *name,
	const struct position *at)
{
	struct conf *conf = reader->conf;
	struct conf_section *section;
	struct conf_section **first;

	if (conf->n_sections == CONF_SECTIONS_MAX) {
		if (!reader->said_sections)
			sources_warn(reader->sources, at,
				"more than %d sections: the rest is not read", CONF_SECTIONS_MAX);
		reader->said_sections = true;
		return NULL;
	}
	section = alloc_zero(sizeof(*section));
	section->name = alloc_string(name);
	if (conf->n_sections % 64 == 0)
		conf->sections = alloc_grow(conf->sections, conf->n_sections + 64,
			sizeof(struct conf_section *));
	conf->sections[conf->n_sections++] = section;
	first = tsearch(section, &conf->names, by_name); /* NULL: it cannot be found by its name */
	if (first && *first != section)
		(*first)->last_same->next_same = section;
	if (first)
		(*first)->last_same = section;
	return section;
}

/* Counts one more setting. False: there are too many, of this section or of all. */
static bool value_counts(struct reader *reader, const struct position *at)
{
	const struct conf_section *section = reader->section;

	if (reader->conf->n_values < CONF_VALUES_MAX &&
		section->n_values < CONF_SECTION_VALUES_MAX) {
		reader->conf->n_values++;
		return true;
	}
	if (!reader->said_values)
		sources_warn(reader->sources, at,
			"more than %d settings, or %d in one section: the rest is not read",
			CONF_VALUES_MAX, CONF_SECTION_VALUES_MAX);
	reader->said_values = true;
	return false;
}

static bool value_add(struct reader *reader, enum conf_key key, const char *text,
	const struct position *at)
{
	struct conf_section *section = reader->section;

	if (!value_counts(reader, at))
		return false;
	if ((section->n_values & (section->n_values - 1)) == 0) /* 0, 1, 2, 4, 8 ... are full */
		section->values = alloc_grow(section->values,
			section->n_values ? section->n_values * 2 : 1, sizeof(*section->values));
	section->values[section->n_values++] = (struct conf_value){ key, alloc_string(text), *at };
	return true;
}

static void text_forget(char *text)
{
	explicit_bzero(text, strlen(text));
	free(text);
}

/* key += text. Without a value of that key it is key = text. */
static void value_append(struct reader *reader, enum conf_key key, const char *text,
	const struct position *at)
{
	struct conf_value *last = NULL;
	char *both;

	for (size_t i = 0; i < reader->section->n_values; i++)
		if (reader->section->values[i].key == key)
			last = &reader->section->values[i];
	if (!last) {
		(void)value_add(reader, key, text, at); /* false: it has been said */
	} else if (value_counts(reader, at) &&
		   strlen(last->text) + strlen(text) <= CONF_VALUE_BYTES_MAX) {
		both = alloc_format("%s%s", last->text, text);
		text_forget(last->text);
		last->text = both;
	}
}

static bool key_of(const char *name, enum conf_key *ret_key)
{
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
		if (strcasecmp(spellings[i].name, name) == 0) {
			*ret_key = spellings[i].key;
			return true;
		}
	return false;
}

const struct conf_value *conf_last(const struct conf_section *section, enum conf_key key)
{
	for (size_t i = section->n_values; i-- > 0;)
		if (section->values[i].key == key)
			return &section->values[i];
	return NULL;
}

const char *conf_text(const struct conf_section *section, enum conf_key key)
{
	const struct conf_value *value = conf_last(section, key);

	return value ? value->text : "";
}

bool conf_is_on(const struct conf_section *section, enum conf_key key)
{
	static const char *const words[] = { "yes", "true", "y", "t", "1", "on" };
	const char *text = conf_text(section, key);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return false;
}

/* ---- lines ---- */

/* Whether the section has each setting of a filter "key=value&key=value", which is changed. One
 * whose key is not kept counts as had: nobody can tell here. */
static bool has_settings(const struct conf_section *section, char *filter)
{
	char *rest = filter;
	char *word;

	while ((word = conf_line_word(&rest, '&'))) {
		char *equals = strchr(word, '=');
		enum conf_key key;

		if (!equals)
			continue;
		*equals = '\0';
		if (key_of(word, &key) && strcasecmp(conf_text(section, key), equals + 1) != 0)
			return false;
	}
	return true;
}

/* The section that "[name](+filter)" goes on with; a template only if no other section fits. */
static struct conf_section *section_of_filter(const struct conf *conf, const char *name,
	const char *filter)
{
	struct conf_section *section = conf_find(conf, name);
	struct conf_section *template = NULL;

	for (size_t i = 0; section && i < ADD_SCAN_MAX; i++, section = section->next_same) {
		cleanup_free char *copy = alloc_string(filter);

		if (!has_settings(section, copy))
			continue;
		if (!section->is_template)
			return section;
		template = template ? template : section;
	}
	return template;
}

static void inherit(struct reader *reader, const char *name, const struct position *at)
{
	const struct conf_section *base = conf_find(reader->conf, name);

	if (!base) {
		sources_warn(reader->sources, at,
			"there is no section '%s' to inherit from: Asterisk refuses this file",
			text_shown_string(name).text);
		return;
	}
	/* the base may be this section itself: what it has now is all it gives */
	for (size_t i = 0, n = base->n_values; i < n; i++) {
		const struct conf_value value = base->values[i];

		if (!value_add(reader, value.key, value.text, &value.at))
			return;
	}
}

static void section_begin(struct reader *reader, const struct conf_line *line,
	const struct position *at)
{
	struct conf_section *section = NULL;
	char *rest = line->value;
	char *word = conf_line_word(&rest, ',');

	if (word && word[0] == '+') {
		section = section_of_filter(reader->conf, line->name, word + 1);
		if (!section)
			sources_warn(reader->sources, at,
				"there is no section '%s' to add to: Asterisk refuses this file",
				text_shown_string(line->name).text);
		word = conf_line_word(&rest, ',');
	}
	reader->section = section ? section : section_add(reader, line->name, at);
	reader->newest = reader->section;
	for (; reader->section && word; word = conf_line_word(&rest, ','))
		if (strcmp(word, "!") == 0)
			reader->section->is_template = true;
		else if (word[0])
			inherit(reader, word, at);
}

static void setting_take(struct reader *reader, const struct conf_line *line,
	const struct position *at)
{
	enum conf_key key;

	if (!reader->section || !key_of(line->name, &key))
		return;
	if (line->appends)
		value_append(reader, key, line->value, at);
	else
		(void)value_add(reader, key, line->value, at); /* false: it has been said */
}

/* ---- files ---- */

static void cannot_read(struct reader *reader, const struct pbx_file *file)
{
	struct position at = { .file = file->path };

	sources_warn(reader->sources, &at, "not read: %s", sources_why(file->error));
}

/* Whether the path may be read: it includes itself in no way, and there are not too many. */
static bool may_load(struct reader *reader, const char *path, const struct position *at)
{
	for (size_t i = 0; i < reader->depth; i++)
		if (strcmp(reader->open_files[i], path) == 0) {
			sources_warn(reader->sources, at, "'%s' includes itself: not read again",
				text_shown_string(path).text);
			return false;
		}
	if (reader->depth == CONF_DEPTH_MAX + 1) {
		sources_warn(reader->sources, at,
			"files include each other more than %d deep: '%s' "
			"is not read",
			CONF_DEPTH_MAX, text_shown_string(path).text);
		return false;
	}
	if (reader->sources->n_loads == CONF_LOADS_MAX) {
		sources_warn(reader->sources, at, "more than %d files: the rest is not read",
			CONF_LOADS_MAX);
		return false;
	}
	return true;
}

/* Takes the lines of a file, which are changed; the caller has put it among the open files. It is
 * declared up here because files include files. */
static void lines_take(struct reader *reader, const char *path, char *bytes, size_t length);

/* Reads a file in place of the line at `at` (line 0: it is the first file). may_lack: it is no
 * finding if it does not exist. */
static void file_take(struct reader *reader, const char *path, const struct position *at,
	bool may_lack)
{
	struct sources *sources = reader->sources;
	struct pbx_file *file;
	char *bytes = NULL;
	size_t length = 0;

	if (!may_load(reader, path, at))
		return;
	file = sources_file(sources, path);
	if (!file) {
		sources_warn(sources, at, "more than %d files: '%s' is not read", PBX_FILES_MAX,
			text_shown_string(path).text);
		return;
	}
	sources->n_loads++;
	if (sources_load(sources, file, &bytes, &length) == 0) {
		struct conf_section *outer = reader->section;

		reader->conf->is_read = reader->conf->is_read || at->line == 0;
		reader->section = reader->newest;
		reader->open_files[reader->depth++] = file->path;
		lines_take(reader, file->path, bytes, length);
		reader->depth--;
		reader->section = outer;
		sources_forget(bytes, length);
	} else if (file->error != ENOENT) {
		cannot_read(reader, file);
	} else if (!may_lack) {
		sources_warn(sources, at,
			"'%s' does not exist: Asterisk refuses the file that includes it",
			text_shown_string(path).text);
	}
}

/* Whether glob() would look for names: *ret_is_wild. False: so many that it could take long. */
static bool pattern_is_fair(const char *pattern, bool *ret_is_wild)
{
	size_t wild_parts = 0;
	size_t braces = 0;
	bool is_wild = false; /* this part of the path */

	for (const char *at = pattern; *at; at++) {
		bool is_magic = strchr("*?[", *at) != NULL;

		wild_parts += is_magic && !is_wild;
		is_wild = *at != '/' && (is_wild || is_magic);
		braces += *at == '{';
	}
	*ret_is_wild = wild_parts || braces;
	return wild_parts <= CONF_WILD_PARTS_MAX && braces <= CONF_WILD_PARTS_MAX;
}

/* Notes the directory that a pattern looks into, so that a new name in it is seen. Of one with a
 * wild name itself, or one that braces make, only the known files are looked at again. False: it is
 * there and cannot be listed; nobody knows which files fit. */
static bool directory_note(struct reader *reader, const char *pattern)
{
	size_t fixed = strcspn(pattern, "*?[{");
	cleanup_free char *path = alloc_bytes(pattern, fixed);
	char *slash = strrchr(path, '/');
	struct pbx_file *file;
	DIR *list;

	if (!slash)
		return true;
	slash[slash == path] = '\0';
	file = sources_file(reader->sources, path);
	if (!file)
		return true;
	file->stamp = sources_stamp(path);
	list = opendir(path);
	file->error = list ? 0 : errno;
	if (list)
		(void)closedir(list);
	return list || file->error == ENOENT;
}

static void include(struct reader *reader, const char *argument, const struct position *at,
	bool may_lack)
{
	cleanup_free char *path = argument[0] == '/'
					  ? alloc_string(argument)
					  : alloc_format("%s/%s", reader->sources->dir, argument);
	glob_t found = { 0 };
	bool is_listed;
	bool is_wild;

	if (!pattern_is_fair(path, &is_wild)) {
		sources_warn(reader->sources, at, "'%s' has too many wildcards: not read",
			text_shown_string(path).text);
		return;
	}
	if (!is_wild) {
		file_take(reader, path, at, may_lack);
		return;
	}
	is_listed = directory_note(reader, path);
	if (glob(path, GLOB_BRACE, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			file_take(reader, found.gl_pathv[i], at, may_lack);
	else if (!may_lack && is_listed)
		sources_warn(reader->sources, at,
			"no file fits '%s': Asterisk refuses the file that includes it",
			text_shown_string(path).text);
	globfree(&found);
}

static void command_take(struct reader *reader, const struct conf_line *line,
	const struct position *at)
{
	bool tries = strcasecmp(line->name, "tryinclude") == 0;

	if (strcasecmp(line->name, "exec") == 0)
		sources_warn(reader->sources, at,
			"#exec is never run here: what it would add is not known");
	else if ((tries || strcasecmp(line->name, "include") == 0) && line->value[0])
		include(reader, line->value, at, tries);
}

static void lines_take(struct reader *reader, const char *path, char *bytes, size_t length)
{
	static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8 */
	struct position at = { .file = path, .column = 1 };
	char *line = bytes;
	unsigned depth = 0;

	if (strncmp(line, mark, strlen(mark)) == 0)
		line += strlen(mark);
	while (line < bytes + length) {
		char *end = line + strcspn(line, "\n");
		char *next = end + (*end == '\n');
		struct conf_line found = { 0 };

		*end = '\0';
		at.line++;
		if (end - line > CONF_LINE_BYTES_MAX) {
			sources_warn(reader->sources, &at,
				"longer than %d bytes: not read, by Asterisk neither",
				CONF_LINE_BYTES_MAX);
		} else {
			conf_line_strip(line, &depth);
			found = conf_line_read(line);
		}
		switch (found.kind) {
		case CONF_LINE_NONE:
			break;
		case CONF_LINE_SECTION:
			section_begin(reader, &found, &at);
			break;
		case CONF_LINE_SETTING:
			setting_take(reader, &found, &at);
			break;
		case CONF_LINE_COMMAND:
			command_take(reader, &found, &at);
			break;
		}
		line = next;
	}
}

struct conf *conf_read(struct sources *sources, const char *name)
{
	struct conf *conf = alloc_zero(sizeof(*conf));
	struct reader reader = { .conf = conf, .sources = sources };
	cleanup_free char *path = alloc_format("%s/%s", sources->dir, name);
	struct position first = { .file = path };

	file_take(&reader, path, &first, true);
	return conf;
}

static void name_forget(void *section)
{
	(void)section; /* the list of sections owns it */
}

void conf_free(struct conf *conf)
{
	tdestroy(conf->names, name_forget);
	for (size_t i = 0; i < conf->n_sections; i++) {
		struct conf_section *section = conf->sections[i];

		for (size_t k = 0; k < section->n_values; k++)
			text_forget(section->values[k].text);
		free(section->values);
		free(section->name);
		free(section);
	}
	free(conf->sections);
	free(conf);
}
