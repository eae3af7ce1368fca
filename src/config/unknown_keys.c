#include "config/unknown_keys.h"

#include <stdbool.h>
#include <string.h>

#include "base/findings.h"
#include "base/text.h"
#include "config/filter_keys.h"
#include "config/key.h"
#include "config/values.h"

enum { NAMES_MAX = 128 };

/* The keys that a section may have. */
struct names {
	const char *list[NAMES_MAX];
	size_t count;
};

static void add_names(struct names *names, const struct key_table *table)
{
	for (size_t i = 0; i < table->count && names->count < NAMES_MAX; i++)
		names->list[names->count++] = table->rows[i].name;
}

/* Says whether the key is one of the names, or another value refers to it. */
static bool is_known(const struct config_reader *reader, const struct names *names,
	const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->list[i], name) == 0)
			return true;
	return dialect_is_referenced(reader->tree, name);
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
	const struct names *names)
{
	const char *guess = guess_word(key->name, names->list, names->count);
	bool is_default = strcmp(reader->view.section->name, "DEFAULT") == 0;
	bool was_broken = reader->broken;

	if (report_lost_line(reader, key))
		return;
	values_error(reader, &key->at, "unknown key '%s'%s", text_shown_string(key->name).text,
		values_guess(key->name, names->list, names->count, "").text);
	/* a mistyped key of [DEFAULT] breaks no jail, or every one would stop to guard; but one
	 * that was to protect somebody does */
	if (is_default && !(guess && strncmp(guess, "ignore", strlen("ignore")) == 0))
		reader->broken = was_broken;
}

void unknown_keys_check(struct config_reader *reader, const struct key_table *table)
{
	const struct dialect_section *section = reader->view.section;
	struct names names = { .count = 0 };

	add_names(&names, table);
	for (size_t i = 0; section && i < section->n_keys; i++)
		if (!is_known(reader, &names, section->keys[i]->name))
			report_unknown(reader, section->keys[i], &names);
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

void unknown_keys_check_jail(struct config_reader *reader, const struct key_table *table,
	const struct config_filter *filter)
{
	const struct dialect_section *section = reader->view.section;
	struct names names = { .count = 0 };

	add_names(&names, table);
	add_names(&names, &filter_keys);
	for (size_t i = 0; section && i < section->n_keys; i++) {
		const struct dialect_key *key = section->keys[i];

		if (!is_known(reader, &names, key->name) && !is_variable(key->name) &&
			!(filter && filter_keys_set(filter, key->name)))
			report_unknown(reader, key, &names);
	}
}

void unknown_keys_check_filter(struct config_reader *reader)
{
	const struct dialect_section *section = dialect_section(reader->tree, "Definition");
	struct names names = { .count = 0 };

	add_names(&names, &filter_keys);
	for (size_t i = 0; section && i < section->n_keys; i++) {
		const struct dialect_key *key = section->keys[i];

		if (is_known(reader, &names, key->name) || is_variable(key->name))
			continue;
		if (guess_word(key->name, names.list, names.count))
			report_unknown(reader, key, &names);
		else
			(void)report_lost_line(reader, key); /* or it is a variable */
	}
}
