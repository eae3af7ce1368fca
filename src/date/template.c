#include "date/template.h"

#include <string.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/pattern.h"
#include "base/regex.h"
#include "base/text.h"
#include "date/letters.h"

#define CUT_NAME "_cut"
#define CUT_OPENING "(?<" CUT_NAME ">"

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

/* What the regex of a template is made from. */
struct source {
	struct pattern plain; /* owned; with letters that stand for several written out */
	size_t open;          /* the parentheses of the group to cut; equal: all is cut */
	size_t close;
	enum date_anchor anchor;
	bool built_in;
};

/* Finds the first capturing group without a name: the offsets of its '(' and ')'. False: there is
 * none. */
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

static bool has_alternatives(const char *pattern)
{
	for (size_t at = 0; pattern[at]; at += pattern_piece(pattern + at))
		if (pattern[at] == '|')
			return true;
	return false;
}

/* ---- which bytes may stand beside the cut ---- */

/* The one byte that must stand in the line directly before what the pattern has from `at` on; -1:
 * that is not one certain byte. */
static int byte_before(const char *pattern, size_t at)
{
	char byte = at ? pattern[at - 1] : '\0';
	bool is_escaped = at > 1 && pattern[at - 2] == '\\' && !(at > 2 && pattern[at - 3] == '\\');

	if (!byte || (unsigned char)byte >= 0x80)
		return -1;
	if (is_escaped)
		return ascii_is_word(byte) ? -1 : byte;
	/* the Y of "%Y(" does not stand in the line */
	if (at > 1 && memchr(pattern, '%', at) && ascii_is_word(byte))
		return -1;
	/* ":", "=", "!" and ">" can be the end of the opening of a group, as in "(?:" */
	return strchr("\\.^$*+?()[]{}|%:=!>", byte) ? -1 : byte;
}

static int byte_behind(const char *pattern, size_t at)
{
	bool is_escaped = pattern[at] == '\\';
	char byte = pattern[at + is_escaped];
	char next = byte ? pattern[at + is_escaped + 1] : '\0';

	if (!byte || (unsigned char)byte >= 0x80 || (is_escaped && ascii_is_word(byte)) ||
		(next && strchr("*?{+", next)))
		return -1;
	return !is_escaped && strchr(".^$*+?()[]{}|%", byte) ? -1 : byte;
}

/* Allows one byte beside the cut. byte -1 allows every byte that is not of a word, and with `any`
 * those of words, too. */
static void border_set(bool border[256], int byte, bool any)
{
	for (int i = 0; byte < 0 && i < 256; i++)
		border[i] = any || !ascii_is_word((char)i);
	if (byte < 0)
		return;
	border[byte] = true;
	if (ascii_is_letter((char)byte))
		border[byte ^ 0x20] = true; /* the regex ignores case */
}

/* Says whether the pattern has "(?x)" or its like: then its blanks do not stand in the line. */
static bool ignores_blanks(const char *pattern)
{
	for (const char *at = strstr(pattern, "(?"); at; at = strstr(at + 2, "(?")) {
		size_t flags = strspn(at + 2, "imnsxUJ^-");

		if (memchr(at + 2, 'x', flags))
			return true;
	}
	return false;
}

static void borders_set(struct date_template *template, const struct source *source)
{
	const char *pattern = source->plain.bytes;
	bool has_group = source->open != source->close;
	bool is_plain =
		source->built_in || (!has_alternatives(pattern) && !ignores_blanks(pattern));
	int before = is_plain && has_group ? byte_before(pattern, source->open) : -1;
	int behind = is_plain && has_group ? byte_behind(pattern, source->close + 1) : -1;
	bool starts_bare = source->anchor == DATE_START && !source->open;

	if (!has_group && *pattern == '^' && is_plain)
		return;
	border_set(template->before, before, !source->built_in && !starts_bare);
	border_set(template->behind, behind, !source->built_in);
}

/* ---- the regex ---- */

/* Says whether the pattern itself says what must stand at its start (or end), so that nothing has
 * to be added there. "**" says only that. */
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
	return (pattern[1] == '$' && pattern[0] != '\\') || !strncmp(pattern, "\\b", 2) ||
	       !strncmp(pattern, "\\s", 2) || !strncmp(pattern, "**", 2);
}

/* What to put before a pattern, so that it does not match inside of a word. */
static const char *start_text(const struct source *source)
{
	if (source->anchor == DATE_START)
		return "^(?:\\W{0,2})?";
	if (source->anchor == DATE_FREE || is_held_at_start(source->plain.bytes))
		return "";
	return source->built_in ? "(?<!\\w)" : "(?:^|\\b|(?=\\W))";
}

static const char *end_text(const struct source *source)
{
	const struct pattern *plain = &source->plain;

	if (source->anchor == DATE_FREE || is_held_at_end(plain->bytes))
		return "";
	if (source->built_in)
		return plain->length && plain->bytes[plain->length - 1] == '>' ? "" : "(?!\\w)";
	return "(?=\\b|\\W|$)";
}

/* Adds the piece of the pattern at `at`. A letter becomes a field of template, if there is room for
 * one more. Returns the length of the piece in plain. */
static size_t piece_add(struct pattern *out, const struct pattern *plain, size_t at,
	struct date_template *template)
{
	const struct date_letter *letter = date_letter_at(plain->bytes + at);
	cleanup_free char *regex = letter ? date_letter_regex(letter) : NULL;
	size_t length = letter ? strlen(letter->letter) : pattern_piece(plain->bytes + at);
	char name[32] = "(?:";

	if (!letter) {
		for (size_t i = at; i < at + length; i++)
			pattern_add(out, plain->bytes + i, 1, plain->origins[i]);
		return length;
	}
	if (letter->field && template->n_fields < DATE_FIELDS_MAX) {
		(void)text_format(name, sizeof(name), "(?<_f%02zu>", template->n_fields);
		template->fields[template->n_fields++].field = letter->field;
	}
	pattern_add_string(out, name, plain->origins[at]);
	pattern_add_string(out, regex, plain->origins[at]);
	pattern_add_string(out, ")", plain->origins[at]);
	return length;
}

static void regex_write(struct pattern *out, const struct source *source,
	struct date_template *template)
{
	const struct pattern *plain = &source->plain;
	bool has_group = source->open != source->close;
	size_t at = 0;

	pattern_add_string(out, start_text(source), 0);
	pattern_add_string(out, has_group ? "" : CUT_OPENING, 0);
	while (at < plain->length) {
		if (has_group && at == source->open) {
			pattern_add_string(out, CUT_OPENING, plain->origins[at]);
			at++;
		} else if (!strncmp(plain->bytes + at, "**", 2)) {
			at += 2;
		} else {
			at += piece_add(out, plain, at, template);
		}
	}
	pattern_add_string(out, has_group ? "" : ")", plain->origins[at]);
	pattern_add_string(out, end_text(source), plain->origins[at]);
}

/* Returns -1 if the pattern has a percent sign with no letter behind it that is known here. */
static int letters_check(const char *pattern, size_t *ret_offset, struct error *err)
{
	for (size_t at = 0; pattern[at];) {
		const struct date_letter *letter = date_letter_at(pattern + at);

		if (pattern[at] == '%' && !letter) {
			*ret_offset = at;
			if (!pattern[at + 1])
				return error_set(err, "datepattern: a single %% at the end");
			return error_set(err, "datepattern: '%s' is no part of a date",
				text_shown(pattern + at, 2).text);
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
		(void)text_format(name, sizeof(name), "_f%02zu", i);
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

/* Compiles the template. -1: *ret_offset is where in the pattern that source was made from. */
static int compile(struct date_template *template, struct source *source, size_t *ret_offset,
	struct error *err)
{
	const char *plain = source->plain.bytes;
	struct pattern text = { 0 };
	size_t offset = 0;
	int rc;

	if (letters_check(plain, &offset, err) < 0) {
		*ret_offset = source->plain.origins[offset];
		return -1;
	}
	if (!group_find(plain, &source->open, &source->close))
		source->open = source->close = 0;
	borders_set(template, source);
	template->is_anchored =
		source->anchor == DATE_START || (*plain == '^' && !has_alternatives(plain));
	regex_write(&text, source, template);
	rc = regex_new(text.bytes, true, &template->regex, &offset, err);
	if (rc == 0)
		groups_read(template);
	else
		*ret_offset = text.origins[offset];
	pattern_done(&text);
	return rc == 0 ? 0 : error_prefix(err, "datepattern does not compile");
}

int date_template_init(struct date_template *template, const char *pattern, enum date_anchor anchor,
	bool built_in, size_t *ret_offset, struct error *err)
{
	struct source source = { .anchor = anchor, .built_in = built_in };
	int rc;

	*template = (struct date_template){ 0 };
	*ret_offset = 0;
	date_letters_expand(pattern, &source.plain);
	rc = compile(template, &source, ret_offset, err);
	pattern_done(&source.plain);
	return rc;
}

void date_template_done(struct date_template *template)
{
	regex_free(template->regex);
	template->regex = NULL;
}

bool date_template_find(const struct date_template *template, const char *line, size_t length,
	struct date_sighting *ret_sighting)
{
	struct date_parts *parts = &ret_sighting->parts;
	size_t start;
	size_t size;

	if (regex_match(template->regex, line, length) != REGEX_HIT)
		return false;
	if (!regex_group(template->regex, template->cut_group, &ret_sighting->start,
		    &ret_sighting->length))
		return false;
	*parts = no_parts;
	for (size_t i = 0; i < template->n_fields; i++)
		if (regex_group(template->regex, template->fields[i].group, &start, &size))
			date_field_read(template->fields[i].field, line + start, size, parts);
	if (parts->hour_12 >= 0)
		parts->hour = parts->hour_12 + (parts->is_pm ? 12 : 0);
	return true;
}
