#include "config/unknown_keys.h"

#include <stdbool.h>
#include <string.h>

#include "base/findings.h"
#include "base/text.h"
#include "config/filter_keys.h"
#include "config/key.h"
#include "config/values.h"

enum { NAMES_MAX = 128 };

/* What keys a section may have. */
struct expected {
	const char *names[NAMES_MAX];
	size_t count;
	bool variables;                     /* those of fail2ban's jail.conf, too */
	const struct config_filter *filter; /* and what this filter's files set; NULL: none */
	bool any;                           /* any other, but not one that looks mistyped */
};

static void add_names(struct expected *expected, const struct key_table *table)
{
	for (size_t i = 0; i < table->count && expected->count < NAMES_MAX; i++)
		expected->names[expected->count++] = table->rows[i].name;
}

/* Says whether the name is that of a variable of fail2ban's jail.conf, which may be set though
 * nothing refers to it. */
static bool is_variable(const char *name)
{
	static const char *const starts[] = { "action_", "banaction", "known/", "_" };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (strncmp(name, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

static bool is_expected(const struct config_reader *reader, const struct expected *expected,
	const char *name)
{
	for (size_t i = 0; i < expected->count; i++)
		if (strcmp(expected->names[i], name) == 0)
			return true;
	return dialect_is_referenced(reader->tree, name) ||
	       (expected->variables && is_variable(name)) ||
	       (expected->filter && filter_keys_set(expected->filter, name));
}

/* Reports a key whose name has bytes that no key has: it is a line of the value above. False: it
 * has none of them. */
static bool report_lost_line(struct config_reader *reader, const struct dialect_key *key)
{
	const char *what = NULL;

	if (strchr(key->name, '[') && !strpbrk(key->name, " *\\("))
		what = "an action that lost its indentation; indent the line so that it continues "
		       "the action above";
	else if (strpbrk(key->name, " *\\([]^$'\"/"))
		what = "a line of the value above that lost its indentation";
	if (what)
		values_error(reader, &key->at, "unknown key '%s': it looks like %s",
			text_shown_string(key->name).text, what);
	return what != NULL;
}

static void report_unknown(struct config_reader *reader, const struct dialect_key *key,
	const struct expected *expected)
{
	const char *guess = guess_word(key->name, expected->names, expected->count);
	bool is_default = strcmp(reader->view.section->name, "DEFAULT") == 0;
	bool was_broken = reader->broken;

	if (report_lost_line(reader, key) || (expected->any && !guess))
		return;
	values_error(reader, &key->at, "unknown key '%s'%s", text_shown_string(key->name).text,
		values_guess(key->name, expected->names, expected->count, "").text);
	/* a mistyped key of [DEFAULT] breaks no jail, or every one would stop to guard; but one
	 * that was to protect somebody does */
	if (is_default && !(guess && strncmp(guess, "ignore", strlen("ignore")) == 0))
		reader->broken = was_broken;
}

static void check_section(struct config_reader *reader, const struct expected *expected)
{
	const struct dialect_section *section = reader->view.section;

	for (size_t i = 0; section && i < section->n_keys; i++)
		if (!is_expected(reader, expected, section->keys[i]->name))
			report_unknown(reader, section->keys[i], expected);
}

void unknown_keys_check(struct config_reader *reader, const struct key_table *table)
{
	struct expected expected = { .count = 0 };

	add_names(&expected, table);
	check_section(reader, &expected);
}

void unknown_keys_check_jail(struct config_reader *reader, const struct key_table *table,
	const struct config_filter *filter)
{
	struct expected expected = { .variables = true, .filter = filter };

	add_names(&expected, table);
	add_names(&expected, &filter_keys);
	check_section(reader, &expected);
}

void unknown_keys_check_filter(struct config_reader *reader)
{
	struct expected expected = { .variables = true, .any = true };

	add_names(&expected, &filter_keys);
	check_section(reader, &expected);
}
