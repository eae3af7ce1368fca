#include "dialect/tree.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/text.h"
#include "dialect/ini.h"

/* A file that was read. It is known by device and inode, whatever path led to it. */
struct dialect_source {
	dev_t device;
	ino_t inode;
	bool open; /* its includes are being read: to include it now would be a circle */
};

/* One file that is being read, before its sections are merged into the tree. */
struct part {
	struct dialect *tree;
	const char *file;
	struct dialect_section **sections;
	size_t n_sections;
	struct dialect_section *section; /* being filled */
	struct dialect_key *key;
};

static void key_free(struct dialect_key *key)
{
	while (key) {
		struct dialect_key *known = key->known;

		free(key->name);
		dialect_value_done(&key->value);
		free(key);
		key = known;
	}
}

static void section_free(struct dialect_section *section)
{
	for (size_t i = 0; i < section->n_keys; i++)
		key_free(section->keys[i]);
	free(section->keys);
	free(section->name);
	free(section);
}

struct dialect *dialect_new(struct dialect_names *names, struct findings *findings)
{
	struct dialect *tree = alloc_zero(sizeof(*tree));

	tree->names = names;
	tree->findings = findings;
	return tree;
}

void dialect_free(struct dialect *tree)
{
	if (!tree)
		return;
	for (size_t i = 0; i < tree->n_sections; i++)
		section_free(tree->sections[i]);
	for (size_t i = 0; i < tree->n_dirs; i++)
		free(tree->dirs[i]);
	free(tree->sources);
	free(tree->sections);
	free(tree);
}

void dialect_add_dir(struct dialect *tree, const char *dir)
{
	if (tree->n_dirs < DIALECT_DIRS_MAX)
		tree->dirs[tree->n_dirs++] = alloc_string(dir);
}

static struct dialect_section *find_section(struct dialect_section **sections, size_t count,
	const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(sections[i]->name, name) == 0)
			return sections[i];
	return NULL;
}

const struct dialect_section *dialect_section(const struct dialect *tree, const char *name)
{
	return find_section(tree->sections, tree->n_sections, name);
}

static size_t key_index(const struct dialect_section *section, const char *name)
{
	size_t i = 0;

	while (i < section->n_keys && strcmp(section->keys[i]->name, name) != 0)
		i++;
	return i;
}

const struct dialect_key *dialect_own_key(const struct dialect_section *section, const char *name)
{
	size_t i = section ? key_index(section, name) : 0;

	return section && i < section->n_keys ? section->keys[i] : NULL;
}

const struct dialect_key *dialect_key(const struct dialect *tree,
	const struct dialect_section *section, const char *name)
{
	const struct dialect_key *key = dialect_own_key(section, name);

	return key ? key : dialect_own_key(dialect_section(tree, "DEFAULT"), name);
}

/* Says whether text holds "(name)" or "/name)", as in %(section/name)s, or "<name>" or "/name>", in
 * any case. */
static bool mentions(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = text; (at = strcasestr(at, name)) != NULL; at++) {
		if (at == text)
			continue;
		if ((at[-1] == '(' || at[-1] == '/') && at[length] == ')')
			return true;
		if ((at[-1] == '<' || at[-1] == '/') && at[length] == '>')
			return true;
	}
	return false;
}

static bool section_mentions(const struct dialect_section *section, const char *name)
{
	for (size_t i = 0; i < section->n_keys; i++)
		for (const struct dialect_key *key = section->keys[i]; key; key = key->known)
			if (mentions(key->value.text, name))
				return true;
	return false;
}

bool dialect_is_referenced(const struct dialect *tree, const char *name)
{
	for (size_t i = 0; i < tree->n_sections; i++)
		if (section_mentions(tree->sections[i], name))
			return true;
	return false;
}

/* Puts the new key in the place of the one of that name, which stays as key->known. */
static void merge_key(struct dialect_section *section, struct dialect_key *key)
{
	size_t i = key_index(section, key->name);

	if (i < section->n_keys) {
		key->known = section->keys[i];
		section->keys[i] = key;
		return;
	}
	section->keys = alloc_grow(section->keys, section->n_keys + 1, sizeof(section->keys[0]));
	section->keys[section->n_keys++] = key;
}

/* The keys of [Init?family=inet6] become keys of [Init] with the name "KEY?family=inet6". */
static void split_condition(struct dialect_section *section)
{
	char *condition = strchr(section->name, '?');

	if (!condition)
		return;
	for (size_t i = 0; i < section->n_keys; i++) {
		char *name = alloc_format("%s%s", section->keys[i]->name, condition);

		free(section->keys[i]->name);
		section->keys[i]->name = name;
	}
	*condition = '\0';
}

/* Merges section into the tree; takes ownership of it. */
static void merge_section(struct dialect *tree, struct dialect_section *section)
{
	struct dialect_section *old;

	split_condition(section);
	old = find_section(tree->sections, tree->n_sections, section->name);
	if (!old) {
		tree->sections =
			alloc_grow(tree->sections, tree->n_sections + 1, sizeof(tree->sections[0]));
		tree->sections[tree->n_sections++] = section;
		return;
	}
	old->broken = old->broken || section->broken;
	for (size_t i = 0; i < section->n_keys; i++)
		merge_key(old, section->keys[i]);
	section->n_keys = 0;
	section_free(section);
}

static struct dialect_key *key_new(const char *name, size_t length)
{
	struct dialect_key *key = alloc_zero(sizeof(*key));

	key->name = ascii_lower_string(alloc_bytes(name, length));
	return key;
}

void dialect_preset(struct dialect *tree, const char *key_name, const char *text)
{
	struct dialect_section *section = alloc_zero(sizeof(*section));
	struct dialect_key *key = key_new(key_name, strlen(key_name));
	struct position at = { .file = "" };

	section->name = alloc_string("DEFAULT");
	key->value = dialect_value_of(text, strlen(text), &at);
	merge_key(section, key);
	merge_section(tree, section);
}

static void break_section(struct part *part)
{
	if (part->section)
		part->section->broken = true;
	else
		part->tree->broken = true;
}

static void add_section(struct part *part, const struct ini_token *token)
{
	struct position at = { part->file, token->line, token->column };
	cleanup_free char *name = alloc_bytes(token->name, token->name_length);
	struct dialect_section *section = find_section(part->sections, part->n_sections, name);

	part->key = NULL;
	part->section = section;
	if (section) {
		/* ConfigParser lets only [DEFAULT] stand in one file twice */
		if (strcmp(name, "DEFAULT") == 0)
			return;
		section->broken = true;
		(void)finding_error(part->tree->findings, &at,
			"section [%s] stands already in line %u of this file: join the two",
			text_shown_string(name).text, section->at.line);
		return;
	}
	if (part->tree->n_sections + part->n_sections >= DIALECT_SECTIONS_MAX) {
		part->tree->broken = true;
		(void)finding_error(part->tree->findings, &at, "more than %d sections",
			DIALECT_SECTIONS_MAX);
		return;
	}
	section = alloc_zero(sizeof(*section));
	section->name = alloc_string(name);
	section->at = at;
	part->sections =
		alloc_grow(part->sections, part->n_sections + 1, sizeof(part->sections[0]));
	part->sections[part->n_sections++] = section;
	part->section = section;
}

/* Reports the quotation marks of a word processor where a value begins. Those in a rule are
 * allowed, since logs may have them. */
static void check_quotes(struct part *part, const struct ini_token *token)
{
	bool is_start = !text_ends_in(part->key->name, "regex");

	for (size_t i = 0; i + 2 < token->value_length; i++) {
		const unsigned char *c = (const unsigned char *)token->value + i;
		struct position at = { part->file, token->line, token->value_column + (unsigned)i };

		/* U+2018 to U+201F */
		if (is_start && c[0] == 0xe2 && c[1] == 0x80 && c[2] >= 0x98 && c[2] <= 0x9f) {
			break_section(part);
			(void)finding_error(part->tree->findings, &at,
				"a typographic quotation mark; type \" or ' instead");
			return;
		}
		is_start = *c == '=' && !text_ends_in(part->key->name, "regex");
	}
}

static void append_line(struct part *part, const struct ini_token *token)
{
	struct position at = { part->file, token->line, token->value_column };
	struct dialect_value *value = &part->key->value;

	if (value->text)
		dialect_add(value, "\n", 1, &at, 0);
	dialect_add(value, token->value, token->value_length, &at, token->cut_column);
	check_quotes(part, token);
}

static void add_key(struct part *part, const struct ini_token *token)
{
	struct position at = { part->file, token->line, token->column };
	struct dialect_key *key;
	size_t i;

	part->key = NULL;
	if (!part->section)
		return;
	key = key_new(token->name, token->name_length);
	key->at = at;
	i = key_index(part->section, key->name);
	if (i < part->section->n_keys || i == DIALECT_KEYS_MAX) {
		part->section->broken = true;
		if (i == DIALECT_KEYS_MAX)
			(void)finding_error(part->tree->findings, &at, "more than %d keys",
				DIALECT_KEYS_MAX);
		else
			(void)finding_error(part->tree->findings, &at,
				"'%s' is already set in line %u of this section: "
				"a further value goes on an indented line below the first",
				text_shown_string(key->name).text, part->section->keys[i]->at.line);
		key_free(key);
		return;
	}
	merge_key(part->section, key);
	part->key = key;
	append_line(part, token);
}

static void strip_end(struct dialect_value *value)
{
	while (value->length && (value->text[value->length - 1] == '\n'))
		value->text[--value->length] = '\0';
	while (value->n_spans > 1 && value->spans[value->n_spans - 1].offset > value->length)
		value->n_spans--;
}

static void parse(struct part *part, const char *bytes, size_t length)
{
	struct ini_token token;
	struct ini ini;

	ini_init(&ini, bytes, length);
	while (ini_next(&ini, &token) != INI_END) {
		struct position at = { part->file, token.line, token.column };

		switch (token.kind) {
		case INI_SECTION:
			add_section(part, &token);
			break;
		case INI_KEY:
			add_key(part, &token);
			break;
		case INI_LINE:
			if (part->key)
				append_line(part, &token);
			break;
		case INI_PROBLEM:
			break_section(part);
			(void)finding_error(part->tree->findings, &at, "%s", token.problem.text);
			break;
		case INI_END:
			break;
		}
	}
	for (size_t i = 0; i < part->n_sections; i++)
		for (size_t j = 0; j < part->sections[i]->n_keys; j++)
			strip_end(&part->sections[i]->keys[j]->value);
}

/* Says whether the file is to be read: true if it is new. *ret_source is then its index, which has
 * to be closed. A circle of includes becomes a finding. */
static bool source_open(struct dialect *tree, const char *path, const struct position *from,
	size_t *ret_source)
{
	struct position whole = { .file = dialect_name(tree->names, path) };
	const struct position *at = from ? from : &whole;
	struct stat info;

	if (stat(path, &info) < 0)
		return true; /* the attempt to read it reports why */
	for (size_t i = 0; i < tree->n_sources; i++) {
		const struct dialect_source *source = &tree->sources[i];

		if (source->device != info.st_dev || source->inode != info.st_ino)
			continue;
		if (source->open) {
			tree->broken = true;
			(void)finding_error(tree->findings, at,
				"'%s' includes itself, directly or over other files",
				text_shown_string(path).text);
		}
		return false;
	}
	if (tree->n_sources == DIALECT_FILES_MAX) {
		tree->broken = true;
		(void)finding_error(tree->findings, at, "more than %d files", DIALECT_FILES_MAX);
		return false;
	}
	tree->sources = alloc_grow(tree->sources, tree->n_sources + 1, sizeof(*tree->sources));
	*ret_source = tree->n_sources++;
	tree->sources[*ret_source] = (struct dialect_source){ info.st_dev, info.st_ino, true };
	return true;
}

static bool exists(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0;
}

/* The path of an include: beside the file that names it, else in one of the tree's directories. The
 * caller frees it. NULL: there is no such file. */
static char *find_include(const struct dialect *tree, const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');
	char *path;

	if (name[0] == '/')
		path = alloc_string(name);
	else
		path = alloc_format("%.*s%s", slash ? (int)(slash - file) + 1 : 0, file, name);
	for (size_t i = 0; !exists(path) && name[0] != '/' && i < tree->n_dirs; i++) {
		free(path);
		path = alloc_format("%s/%s", tree->dirs[i], name);
	}
	if (exists(path))
		return path;
	free(path);
	return NULL;
}

/* A file that another one includes. */
struct include {
	char *path; /* owned */
	struct position at;
};

static void add_include(struct part *part, const struct position *at, const char *name,
	struct include **list, size_t *count)
{
	char *path = find_include(part->tree, part->file, name);

	if (!path) {
		/* fail2ban's own files include .local files that need not exist */
		if (text_ends_in(name, ".local"))
			return;
		part->tree->broken = true;
		(void)finding_error(part->tree->findings, at, "there is no file '%s' to include",
			text_shown_string(name).text);
		return;
	}
	*list = alloc_grow(*list, *count + 2, sizeof(**list));
	(*list)[(*count)++] = (struct include){ path, *at };
	if (!text_ends_in(path, ".conf"))
		return;
	path = alloc_format("%.*s.local", (int)(strlen(path) - strlen(".conf")), path);
	if (exists(path))
		(*list)[(*count)++] = (struct include){ path, *at };
	else
		free(path);
}

/* Adds the files that a key of [INCLUDES] names, "before" or "after", to the list, whose new length
 * it returns. */
static size_t list_includes(struct part *part, const char *key_name, struct include **list,
	size_t count)
{
	const struct dialect_key *key =
		dialect_own_key(find_section(part->sections, part->n_sections, "INCLUDES"),
			key_name);
	size_t from;
	size_t to;
	size_t at = 0;

	while (key && dialect_next_line(&key->value, &at, &from, &to)) {
		struct position place = dialect_at(&key->value, from);
		cleanup_free char *name = alloc_bytes(key->value.text + from, to - from);

		add_include(part, &place, name, list, &count);
	}
	return count;
}

static void merge(struct part *part)
{
	for (size_t i = 0; i < part->n_sections; i++)
		merge_section(part->tree, part->sections[i]);
	free(part->sections);
	part->sections = NULL;
	part->n_sections = 0;
}

static void parse_file(struct part *part, const char *path, const struct position *from)
{
	struct position whole = { .file = part->file };
	cleanup_free char *bytes = NULL;
	struct error err;
	size_t length;

	if (ini_load(path, &bytes, &length, &err) == 0) {
		parse(part, bytes, length);
		return;
	}
	part->tree->broken = true;
	if (from)
		(void)finding_error(part->tree->findings, from, "'%s': %s",
			text_shown_string(path).text, err.text);
	else
		(void)finding_error(part->tree->findings, &whole, "%s", err.text);
}

/* Reads a file with its includes. from is the place that includes it; NULL: no file does. */
static void read_file(struct dialect *tree, const char *path, const struct position *from,
	unsigned depth)
{
	struct part part = { .tree = tree, .file = dialect_name(tree->names, path) };
	size_t source = DIALECT_FILES_MAX;
	struct include *list = NULL;
	size_t n_before;
	size_t count;

	if (depth > DIALECT_INCLUDE_DEPTH_MAX) {
		tree->broken = true;
		(void)finding_error(tree->findings, from, "includes nest deeper than %d",
			DIALECT_INCLUDE_DEPTH_MAX);
		return;
	}
	if (!source_open(tree, path, from, &source))
		return;
	parse_file(&part, path, from);
	n_before = list_includes(&part, "before", &list, 0);
	count = list_includes(&part, "after", &list, n_before);
	for (size_t i = 0; i < count; i++) {
		if (i == n_before)
			merge(&part);
		read_file(tree, list[i].path, &list[i].at, depth + 1);
		free(list[i].path);
	}
	if (n_before == count)
		merge(&part);
	free(list);
	if (source < DIALECT_FILES_MAX)
		tree->sources[source].open = false;
}

void dialect_read(struct dialect *tree, const char *path)
{
	read_file(tree, path, NULL, 0);
}
