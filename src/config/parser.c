#include "config/parser.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "config/config.h"
#include "config/filter_def.h"
#include "config/values.h"

enum { SHOWN_MAX = 128 };

static const struct {
	const char *key;
	const char *because;
} idle[] = {
	{ "datepattern", "each record brings its own time" },
	{ "maxlines", "the parser itself says where a record ends" },
	{ "logtimezone", "the time of a record has its zone with it" },
	{ "usedns", "a record has an address, never a name" },
};

static const char *file_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* NAME.conf, NAME.local and what lies in NAME.d: not a file that these include. */
static bool is_own_file(const struct config_filter *filter, const char *path)
{
	const char *own = file_of(filter->path);
	const char *dot = strrchr(own, '.');
	cleanup_free char *stem = alloc_format("%.*s.", (int)(dot - own), own);
	cleanup_free char *folder = alloc_format("/%sd/", stem);

	return strncmp(file_of(path), stem, strlen(stem)) == 0 || strstr(path, folder);
}

static bool find_in_files(const struct config_filter *filter, const char *name,
	struct position *ret_at)
{
	static const char *const sections[] = { "Init", "Definition" };

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		const struct dialect_section *section = dialect_section(filter->tree, sections[i]);
		const struct dialect_key *key = section ? dialect_own_key(section, name) : NULL;

		if (!key || !key->at.file || !is_own_file(filter, key->at.file))
			continue;
		*ret_at = key->at;
		return true;
	}
	return false;
}

/* Where somebody set the key for this jail: there it has to be taken out. */
static bool find_key(const struct config_filter *filter, const struct config_reader *jail,
	const char *name, struct position *ret_at)
{
	const struct dialect_section *section = jail ? jail->view.section : NULL;
	const struct dialect_key *key = section ? dialect_own_key(section, name) : NULL;

	if (key) {
		*ret_at = key->at;
		return true;
	}
	for (size_t i = filter->n_options; i > 0; i--) {
		const struct dialect_option *option = &filter->options[i - 1];

		if (strcmp(option->name, name) != 0)
			continue;
		*ret_at = dialect_at(&option->value, 0);
		return true;
	}
	return find_in_files(filter, name, ret_at);
}

void config_parser_check(struct config_filter *filter, const struct config_reader *jail,
	const struct filter_def *def)
{
	char shown[SHOWN_MAX];
	struct position at;

	if (!def->parser.text)
		return;
	if (strcmp(def->parser.text, "asterisk-security") != 0) {
		config_value_error(&filter->reader, &def->parser.at,
			"parser: '%s' is not known; there is asterisk-security",
			text_render_string(shown, sizeof(shown), def->parser.text));
		return;
	}
	for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++)
		if (find_key(filter, jail, idle[i].key, &at))
			finding_warning(filter->reader.findings, &at,
				"%s has no effect with parser = %s: %s", idle[i].key,
				def->parser.text, idle[i].because);
}
