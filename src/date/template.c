#include "date/template.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/pattern.h"
#include "base/regex.h"
#include "base/text.h"
#include "date/borders.h"
#include "date/letters.h"

#define CUT_NAME "_cut"

static const struct date_parts no_parts = {
	.year = -1,
	.month = -1,
	.day = -1,
	.day_of_year = -1,
	.week = -1,
	.weekday = -1,
	.hour = -1,
	.hour_12 = -1,
	.minute = -1,
	.second = -1,
	.ms = -1,
	.epoch_ms = -1,
};

static void append(char **text, const char *piece, size_t length)
{
	char *longer = alloc_format("%s%.*s", *text, (int)length, piece);

	free(*text);
	*text = longer;
}

static void append_string(char **text, const char *piece)
{
	append(text, piece, strlen(piece));
}

/* The first plain group of pattern: offsets of its '(' and ')'. False: there is none. */
static bool group_find(const char *pattern, size_t *ret_open, size_t *ret_close)
{
	for (size_t at = 0; pattern[at]; at += pattern_piece(pattern + at)) {
		if (pattern[at] != '(' || pattern[at + 1] == '?' || pattern[at + 1] == '*')
			continue;
		*ret_open = at;
		*ret_close = at + pattern_group(pattern + at) - 1;
		return pattern[*ret_close] == ')';
	}
	return false;
}

/* Does the pattern hold on to the start (or end) by itself? Then "**" says no more than that. */
static bool is_held_at_start(const char *pattern)
{
	pattern += strspn(pattern, "(");
	if (!strncmp(pattern, "?:", 2))
		pattern += 2;
	pattern += strspn(pattern, "(");
	return *pattern == '^' || !strncmp(pattern, "**", 2);
}

static bool is_held_at_end(const char *pattern)
{
	size_t length = strlen(pattern);

	while (length && pattern[length - 1] == ')')
		length--;
	if (length < 2)
		return false;
	pattern += length - 2;
	return (pattern[1] == '$' && pattern[0] != '\\') || !strcmp(pattern, "\\b") ||
	       !strncmp(pattern, "\\b", 2) || !strncmp(pattern, "\\s", 2) ||
	       !strncmp(pattern, "**", 2);
}

/* Where the regex of a pattern comes from. */
struct source {
	const char *pattern;
	size_t open; /* the cut group, open = close: round the whole */
	size_t close;
	enum date_anchor anchor;
	bool built_in;
};

/* Appends the piece of the pattern at `at`, as a field of template (NULL: as no field). Returns
 * its length, 0 if it is no letter. */
static size_t letter_append(char **text, const char *at, struct date_template *template)
{
	const struct date_letter *letter = date_letter_at(at);
	cleanup_free char *regex = letter ? date_letter_regex(letter) : NULL;
	char name[32] = "(?:";

	if (!letter)
		return 0;
	if (letter->field && template && template->n_fields < DATE_FIELDS_MAX) {
		(void)snprintf(name, sizeof(name), "(?<_f%02zu>", template->n_fields); /* fits */
		template->fields[template->n_fields++].field = letter->field;
	}
	append_string(text, name);
	append_string(text, regex);
	append_string(text, ")");
	return strlen(letter->letter);
}

/* What a pattern needs around it, so that it does not hit inside a word. */
static const char *start_text(const struct source *source)
{
	if (source->anchor == DATE_START)
		return "^(?:\\W{0,2})?";
	if (source->anchor == DATE_FREE || is_held_at_start(source->pattern))
		return "";
	return source->built_in ? "(?<!\\w)" : "(?:^|\\b|(?=\\W))";
}

static const char *end_text(const struct source *source)
{
	size_t length = strlen(source->pattern);

	if (source->anchor == DATE_FREE || is_held_at_end(source->pattern))
		return "";
	if (source->built_in)
		return length && source->pattern[length - 1] == '>' ? "" : "(?!\\w)";
	return "(?=\\b|\\W|$)";
}

/* Writes the regex; stops as soon as it is longer than limit. *ret_at: how much of the pattern that
 * took. Caller frees. */
static char *regex_text(struct date_template *template, const struct source *source, size_t limit,
	size_t *ret_at)
{
	const char *pattern = source->pattern;
	bool whole = source->open == source->close;
	char *text = alloc_string(start_text(source));
	size_t at = 0;

	if (whole)
		append_string(&text, "(?<" CUT_NAME ">");
	while (pattern[at]) {
		size_t written = strlen(text);
		size_t step;

		*ret_at = at;
		if (!whole && at == source->open) {
			append_string(&text, "(?<" CUT_NAME ">");
			step = 1;
		} else if (!strncmp(pattern + at, "**", 2)) {
			step = 2;
		} else {
			step = letter_append(&text, pattern + at, template);
			if (!step) {
				step = pattern_piece(pattern + at);
				append(&text, pattern + at, step);
			}
		}
		at += step;
		if (strlen(text) <= limit)
			continue;
		if (step == strlen(text) - written) /* copied: it is in there */
			*ret_at += limit - written;
		return text;
	}
	*ret_at = at;
	if (whole)
		append_string(&text, ")");
	append_string(&text, end_text(source));
	return text;
}

/* A percent sign that no letter of ours follows. */
static int letters_check(const char *pattern, size_t *ret_offset, struct error *err)
{
	char shown[32];

	for (size_t at = 0; pattern[at];) {
		const struct date_letter *letter = date_letter_at(pattern + at);

		if (pattern[at] == '%' && !letter) {
			*ret_offset = at;
			if (!pattern[at + 1])
				return error_set(err, "datepattern: a single %% at the end");
			return error_set(err, "datepattern: '%s' is no part of a date",
				text_render(shown, sizeof(shown), pattern + at, 2));
		}
		at += letter ? strlen(letter->letter) : pattern_piece(pattern + at);
	}
	return 0;
}

static void groups_read(struct date_template *template)
{
	unsigned count = regex_name_count(template->regex);
	char name[32];

	template->cut_group = regex_group_number(template->regex, CUT_NAME);
	for (size_t i = 0; i < template->n_fields; i++) {
		(void)snprintf(name, sizeof(name), "_f%02zu", i); /* fits */
		template->fields[i].group = regex_group_number(template->regex, name);
	}
	for (unsigned i = 0; i < count && template->n_fields < DATE_FIELDS_MAX; i++) {
		unsigned group;
		char field = date_field_named(regex_name(template->regex, i, &group));

		if (!field)
			continue;
		template->fields[template->n_fields].group = group;
		template->fields[template->n_fields++].field = field;
	}
}

static bool has_bar(const char *pattern)
{
	for (size_t at = 0; pattern[at]; at += pattern_piece(pattern + at))
		if (pattern[at] == '|')
			return true;
	return false;
}

int date_template_init(struct date_template *template, const char *pattern, enum date_anchor anchor,
	bool built_in, size_t *ret_offset, struct error *err)
{
	cleanup_free char *plain = date_letters_expand(pattern);
	struct source source = { .pattern = plain, .anchor = anchor, .built_in = built_in };
	struct date_template unused = { 0 };
	cleanup_free char *text = NULL;
	cleanup_free char *part = NULL;
	size_t offset = 0;

	*template = (struct date_template){ 0 };
	*ret_offset = 0;
	if (letters_check(plain, ret_offset, err)) {
		*ret_offset = date_letters_origin(pattern, *ret_offset);
		return -1;
	}
	if (!group_find(plain, &source.open, &source.close))
		source.open = source.close = 0;
	date_borders_set(template, plain, source.open, source.close, anchor == DATE_START,
		built_in);
	template->is_anchored = anchor == DATE_START || (*plain == '^' && !has_bar(plain));
	text = regex_text(template, &source, SIZE_MAX, ret_offset);
	if (regex_new(text, true, &template->regex, &offset, err)) {
		part = regex_text(&unused, &source, offset, ret_offset);
		*ret_offset = date_letters_origin(pattern, *ret_offset);
		return error_prefix(err, "datepattern does not compile");
	}
	groups_read(template);
	return 0;
}

void date_template_done(struct date_template *template)
{
	regex_free(template->regex);
	template->regex = NULL;
}

char *date_template_shape(const char *pattern)
{
	char *text = alloc_string("");

	while (*pattern) {
		size_t step = letter_append(&text, pattern, NULL);

		if (!step) {
			step = pattern_piece(pattern);
			append(&text, pattern, step);
		}
		pattern += step;
	}
	return text;
}

bool date_template_find(const struct date_template *template, const char *line, size_t length,
	size_t *ret_start, size_t *ret_length, struct date_parts *ret_parts)
{
	size_t start;
	size_t size;

	if (regex_match(template->regex, line, length) != REGEX_HIT)
		return false;
	if (!regex_group(template->regex, template->cut_group, ret_start, ret_length))
		return false;
	*ret_parts = no_parts;
	for (size_t i = 0; i < template->n_fields; i++)
		if (regex_group(template->regex, template->fields[i].group, &start, &size))
			date_field_read(template->fields[i].field, line + start, size, ret_parts);
	if (ret_parts->hour_12 >= 0)
		ret_parts->hour = ret_parts->hour_12 + (ret_parts->is_pm ? 12 : 0);
	return true;
}
