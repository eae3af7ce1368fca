#include "config/logpath.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/text.h"
#include "config/config.h"
#include "config/key.h"
#include "config/values.h"

enum {
	LOGPATHS_MAX = 256,
	LOGPATH_BYTES_MAX = 4095, /* PATH_MAX without its NUL */
};

/* Says whether the text seems to be two paths in one line: a name may hold a blank or a comma, but
 * hardly one with a / behind it. */
static bool holds_second_path(const char *text, size_t length)
{
	for (size_t i = 1; i < length; i++)
		if (text[i] == '/' && strchr(" \t,", text[i - 1]))
			return true;
	return false;
}

/* False: a path of this form cannot be followed (follow/tail.h). That is found here, because only
 * here its place in the configuration is known. */
static bool leads_to_a_file(const char *path, size_t length)
{
	return path[length - 1] != '/' && !memmem(path, length, "/../", 4) &&
	       !(length >= 3 && memcmp(path + length - 3, "/..", 3) == 0);
}

/* False: the path is wrong, which becomes a finding. */
static bool check_path(struct config_reader *reader, const struct position *at, const char *path,
	size_t length)
{
	const struct shown shown = text_shown(path, length);
	const char *wrong = NULL;

	if (memmem(path, length, " #", 2))
		wrong = ": a comment behind a value begins with ' ;', not with '#'";
	else if (path[0] != '/' && strchr(shown.text, '='))
		wrong = " is not an absolute path: if it is a key, start it at the beginning of "
			"the line; indented, it continues logpath";
	else if (path[0] != '/')
		wrong = " is not an absolute path: it must begin with /";
	else if (!leads_to_a_file(path, length))
		wrong = " is not the path of a file: it ends in / or goes up by ..";
	if (wrong)
		values_error(reader, at, "logpath: '%s'%s", shown.text, wrong);
	else if (holds_second_path(path, length))
		finding_warning(reader->findings, at,
			"logpath: '%s' is taken as one path: a further path goes on an indented "
			"line of its own",
			shown.text);
	return !wrong;
}

static bool is_word(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && strncasecmp(text, word, length) == 0;
}

static void add_line(struct config_reader *reader, struct config_jail *jail,
	const struct dialect_value *value, size_t from, size_t to)
{
	struct config_logpath path = { .at = dialect_at(value, from) };
	size_t word = to;

	while (word > from && value->text[word - 1] != ' ' && value->text[word - 1] != '\t')
		word--;
	path.from_head = word > from && is_word(value->text + word, to - word, "head");
	path.is_said =
		path.from_head || (word > from && is_word(value->text + word, to - word, "tail"));
	if (path.is_said)
		for (to = word; to > from && strchr(" \t", value->text[to - 1]); to--)
			;
	if (!check_path(reader, &path.at, value->text + from, to - from))
		return;
	if (to - from > LOGPATH_BYTES_MAX || jail->n_logpaths == LOGPATHS_MAX) {
		values_error(reader, &path.at,
			"logpath: at most %d paths, each of at most %d bytes", LOGPATHS_MAX,
			LOGPATH_BYTES_MAX);
		return;
	}
	path.pattern = alloc_bytes(value->text + from, to - from);
	jail->logpaths =
		alloc_grow(jail->logpaths, jail->n_logpaths + 1, sizeof(jail->logpaths[0]));
	jail->logpaths[jail->n_logpaths++] = path;
}

void logpath_read(struct config_reader *reader, const struct key *key, void *base)
{
	const struct dialect_key *said = dialect_key(reader->tree, reader->view.section, key->name);
	struct dialect_value value;
	size_t from;
	size_t to;
	size_t at = 0;

	if (!values_get(reader, key->name, &value))
		return;
	while (dialect_next_line(&value, &at, &from, &to))
		add_line(reader, base, &value, from, to);
	if (values_is_empty(&value))
		values_error(reader, &said->at, "logpath is empty: no file is named");
	dialect_value_done(&value);
}

void logpath_print(struct sheet *sheet, const struct key *key, const void *base)
{
	const struct config_jail *jail = base;

	for (size_t i = 0; i < jail->n_logpaths; i++) {
		const struct config_logpath *path = &jail->logpaths[i];
		cleanup_free char *line = alloc_format("%s%s", path->pattern,
			path->from_head  ? " head"
			: sheet->is_file ? " tail"
					 : "");

		sheet_row(sheet, i ? "" : key->name, line);
	}
}

void logpath_done(struct config_jail *jail)
{
	for (size_t i = 0; i < jail->n_logpaths; i++)
		free(jail->logpaths[i].pattern);
	free(jail->logpaths);
	jail->logpaths = NULL;
	jail->n_logpaths = 0;
}
