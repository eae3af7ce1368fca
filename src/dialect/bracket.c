#include "dialect/bracket.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"

void bracket_done(struct bracket *call)
{
	for (size_t i = 0; i < call->n_options; i++) {
		free(call->options[i].name);
		free(call->options[i].value);
	}
	free(call->options);
	free(call->name);
	*call = (struct bracket){ 0 };
}

const struct bracket_option *bracket_find(const struct bracket *call, const char *name)
{
	for (size_t i = call->n_options; i > 0; i--)
		if (strcmp(call->options[i - 1].name, name) == 0)
			return &call->options[i - 1];
	return NULL;
}

static size_t skip(const char *text, size_t at, const char *what)
{
	return at + strspn(text + at, what);
}

static void add(struct bracket *call, struct bracket_option option)
{
	call->options = alloc_grow(call->options, call->n_options + 1, sizeof(call->options[0]));
	call->options[call->n_options++] = option;
}

static int read_value(const char *text, size_t *at, struct bracket_option *option,
	struct error *err)
{
	char quote = text[*at];
	const char *end;
	size_t length;

	if (quote == '"' || quote == '\'') {
		end = strchr(text + *at + 1, quote);
		if (!end)
			return error_set(err, "the quote %c is not closed", quote);
		option->value_offset = *at + 1;
		length = (size_t)(end - text) - *at - 1;
		option->value = alloc_bytes(text + *at + 1, length);
		*at = (size_t)(end - text) + 1;
		return 0;
	}
	length = strcspn(text + *at, ",]\n");
	option->value_offset = *at;
	*at += length;
	while (length && (text[option->value_offset + length - 1] == ' ' ||
				 text[option->value_offset + length - 1] == '\t'))
		length--;
	option->value = alloc_bytes(text + option->value_offset, length);
	return 0;
}

static int read_option(const char *text, size_t *at, struct bracket *call, struct error *err)
{
	struct bracket_option option = { .name_offset = *at };
	size_t length = strcspn(text + *at, "=,]\n\"' ");
	char shown[64];

	if (call->n_options == BRACKET_OPTIONS_MAX)
		return error_set(err, "more than %d options", BRACKET_OPTIONS_MAX);
	text_render(shown, sizeof(shown), text + *at, length);
	if (!length || text[skip(text, *at + length, " \t")] != '=')
		return error_set(err,
			"'%s' is no option: write name=value, in quotes if the value "
			"holds a comma",
			shown);
	*at = skip(text, skip(text, *at + length, " \t") + 1, " \t");
	if (read_value(text, at, &option, err) < 0)
		return -1;
	option.name = alloc_bytes(text + option.name_offset, length);
	add(call, option);
	return 0;
}

/* *at is behind the "[". */
static int read_group(const char *text, size_t *at, struct bracket *call, struct error *err)
{
	for (;;) {
		*at = skip(text, *at, " \t\n,");
		if (text[*at] == ']') {
			(*at)++;
			return 0;
		}
		if (!text[*at])
			return error_set(err, "the bracket [ is not closed");
		if (read_option(text, at, call, err) < 0)
			return -1;
	}
}

static int check_end(const char *text, size_t at, struct bracket *call, struct error *err)
{
	size_t start = call->offset;
	size_t length = strcspn(text + start, "\n");
	char shown[300];

	if (!text[at] || text[at] == '\n')
		return 0;
	if (text[at] == '#')
		return error_set(err, "a comment behind a value begins with ' ;', not with '#'");
	call->has_tail = true;
	return error_set(err, "one follows directly behind the other in '%s'",
		text_render(shown, sizeof(shown), text + start, length));
}

/* many: a blank ends the call as a newline does. */
static int parse(const char *text, size_t *offset, bool many, struct bracket *ret_call,
	size_t *ret_wrong, struct error *err)
{
	size_t at = skip(text, *offset, " \t\r\n");
	size_t length = strcspn(text + at, "[ \t\r\n");
	int rc = 0;

	*ret_call = (struct bracket){ .offset = at };
	*offset = at;
	if (!text[at])
		return 0;
	ret_call->name = alloc_bytes(text + at, length);
	at += length;
	for (;;) {
		size_t next = skip(text, at, " \t\r\n");

		if (text[next] != '[')
			break;
		at = next + 1;
		rc = read_group(text, &at, ret_call, err);
		if (rc < 0)
			break;
	}
	if (rc == 0) {
		size_t end = skip(text, at, " \t\r");

		if (!many || end == at || text[end] == '#')
			rc = check_end(text, end, ret_call, err);
		at = end;
	}
	*ret_wrong = at;
	*offset = rc < 0 ? at + strcspn(text + at, "\n") : at;
	return rc;
}

int bracket_parse(const char *text, size_t *offset, struct bracket *ret_call, size_t *ret_wrong,
	struct error *err)
{
	return parse(text, offset, false, ret_call, ret_wrong, err);
}

int bracket_next(const char *text, size_t *offset, struct bracket *ret_call, size_t *ret_wrong,
	struct error *err)
{
	return parse(text, offset, true, ret_call, ret_wrong, err);
}
