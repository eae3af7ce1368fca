#include "dialect/bracket.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"

void bracket_done(struct bracket *bracket)
{
	for (size_t i = 0; i < bracket->n_options; i++) {
		free(bracket->options[i].name);
		free(bracket->options[i].value);
	}
	free(bracket->options);
	free(bracket->name);
	*bracket = (struct bracket){ 0 };
}

const struct bracket_option *bracket_find(const struct bracket *bracket, const char *name)
{
	for (size_t i = bracket->n_options; i > 0; i--)
		if (strcmp(bracket->options[i - 1].name, name) == 0)
			return &bracket->options[i - 1];
	return NULL;
}

/* The offset of the first byte from `at` on that is not among the bytes of `what`. */
static size_t skip(const char *text, size_t at, const char *what)
{
	return at + strspn(text + at, what);
}

static void add_option(struct bracket *bracket, struct bracket_option option)
{
	bracket->options =
		alloc_grow(bracket->options, bracket->n_options + 1, sizeof(bracket->options[0]));
	bracket->options[bracket->n_options++] = option;
}

static int read_value(const char *text, size_t *at, struct bracket_option *option,
	struct error *err)
{
	char quote = text[*at] == '"' || text[*at] == '\'' ? text[*at] : '\0';
	const char *start = text + *at + (quote != '\0');
	const char *end = quote ? strchr(start, quote) : start + strcspn(start, ",]\n");

	if (!end)
		return error_set(err, "the quote %c is not closed", quote);
	*at = (size_t)(end - text) + (quote != '\0');
	while (!quote && end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	option->value_offset = (size_t)(start - text);
	option->value = alloc_bytes(start, (size_t)(end - start));
	return 0;
}

static int read_option(const char *text, size_t *at, struct bracket *bracket, struct error *err)
{
	struct bracket_option option = { .name_offset = *at };
	size_t length = strcspn(text + *at, "=,]\n\"' ");

	if (bracket->n_options == BRACKET_OPTIONS_MAX)
		return error_set(err, "more than %d options", BRACKET_OPTIONS_MAX);
	if (!length || text[skip(text, *at + length, " \t")] != '=')
		return error_set(err,
			"'%s' is no option: write name=value, in quotes if the value "
			"holds a comma",
			text_shown(text + *at, length).text);
	*at = skip(text, skip(text, *at + length, " \t") + 1, " \t");
	if (read_value(text, at, &option, err) < 0)
		return -1;
	option.name = alloc_bytes(text + option.name_offset, length);
	add_option(bracket, option);
	return 0;
}

/* Reads options up to the "]". *at is behind the "[", and is moved behind the "]". */
static int read_group(const char *text, size_t *at, struct bracket *bracket, struct error *err)
{
	for (;;) {
		*at = skip(text, *at, " \t\n,");
		if (text[*at] == ']') {
			(*at)++;
			return 0;
		}
		if (!text[*at])
			return error_set(err, "the bracket [ is not closed");
		if (read_option(text, at, bracket, err) < 0)
			return -1;
	}
}

static int check_end(const char *text, size_t at, struct bracket *bracket, struct error *err)
{
	size_t start = bracket->offset;
	size_t length = strcspn(text + start, "\n");

	if (!text[at] || text[at] == '\n')
		return 0;
	if (text[at] == '#')
		return error_set(err, "a comment behind a value begins with ' ;', not with '#'");
	bracket->has_tail = true;
	return error_set(err, "one follows directly behind the other in '%s'",
		text_shown(text + start, length).text);
}

/* many: other entries may follow on the same line, behind a blank. */
static int parse(const char *text, size_t *offset, bool many, struct bracket *ret_bracket,
	size_t *ret_wrong, struct error *err)
{
	size_t at = skip(text, *offset, " \t\r\n");
	size_t length = strcspn(text + at, "[ \t\r\n");
	int rc = 0;

	*ret_bracket = (struct bracket){ .offset = at };
	*offset = at;
	if (!text[at])
		return 0;
	ret_bracket->name = alloc_bytes(text + at, length);
	at += length;
	for (;;) {
		size_t next = skip(text, at, " \t\r\n");

		if (text[next] != '[')
			break;
		at = next + 1;
		rc = read_group(text, &at, ret_bracket, err);
		if (rc < 0)
			break;
	}
	if (rc == 0) {
		size_t end = skip(text, at, " \t\r");

		if (!many || end == at || text[end] == '#')
			rc = check_end(text, end, ret_bracket, err);
		at = end;
	}
	*ret_wrong = at;
	*offset = rc < 0 ? at + strcspn(text + at, "\n") : at;
	return rc;
}

int bracket_parse(const char *text, size_t *offset, struct bracket *ret_bracket, size_t *ret_wrong,
	struct error *err)
{
	return parse(text, offset, false, ret_bracket, ret_wrong, err);
}

int bracket_next(const char *text, size_t *offset, struct bracket *ret_bracket, size_t *ret_wrong,
	struct error *err)
{
	return parse(text, offset, true, ret_bracket, ret_wrong, err);
}
