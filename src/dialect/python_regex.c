#include "dialect/python_regex.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define FLAG_LETTERS "aiLmsux"

/* The pattern being read and the one being written. */
struct translation {
	const struct pattern *from;
	struct python_regex *to;
	char flags[sizeof(FLAG_LETTERS)]; /* letters of flags that hold for the whole pattern */
	size_t locale; /* where (?L) stands, which Python allows in patterns for bytes only */
};

static void add(struct translation *translation, const char *bytes, size_t length, size_t at)
{
	pattern_add(&translation->to->pattern, bytes, length, translation->from->origins[at]);
}

static void add_string(struct translation *translation, const char *text, size_t at)
{
	add(translation, text, strlen(text), at);
}

static void copy(struct translation *translation, size_t at, size_t length)
{
	for (size_t i = 0; i < length; i++)
		add(translation, translation->from->bytes + at + i, 1, at + i);
}

static void add_character(struct translation *translation, const char *digits, size_t length,
	int base, size_t at)
{
	char number[12];
	char text[24];

	memcpy(number, digits, length);
	number[length] = '\0';
	(void)text_format(text, sizeof(text), "\\x{%lx}", strtoul(number, NULL, base));
	add_string(translation, text, at);
}

/* Translates the escape at `at`; returns the length of what it has read. */
static size_t escape(struct translation *translation, size_t at, bool in_class)
{
	const char *text = translation->from->bytes + at;
	size_t digits = text[1] == 'u' ? 4 : text[1] == 'U' ? 8 : 0;
	size_t octal = strspn(text + 1, "01234567");

	if (digits && strspn(text + 2, "0123456789abcdefABCDEF") >= digits) {
		add_character(translation, text + 2, digits, 16, at);
		return 2 + digits;
	}
	if (octal >= 3 && text[1] <= '3') {
		add_character(translation, text + 1, 3, 8, at);
		return 4;
	}
	if (text[1] == 'v')
		add_string(translation, "\\x0b", at);
	else if (text[1] == 'Z' && !in_class)
		add_string(translation, "\\z", at);
	else
		copy(translation, at, 2);
	return 2;
}

/* Says whether the "[:", "[." or "[=" at text is closed by ":]", ".]" or "=]", as in [:alpha:]. */
static bool looks_posix(const char *text)
{
	size_t length;

	if (!text[1] || !strchr(":.=", text[1]))
		return false;
	length = strcspn(text + 2, ":.=]\\");
	return text[2 + length] == text[1] && text[3 + length] == ']';
}

/* Translates the class at `at`; returns the length of what it has read. */
static size_t class(struct translation *translation, size_t at)
{
	const char *text = translation->from->bytes + at;
	size_t end = pattern_piece(text);
	size_t i = 1;

	copy(translation, at, 1);
	while (i < end) {
		bool is_first = i == 1 || (i == 2 && text[1] == '^');

		if (text[i] == '\\' && text[i + 1]) {
			i += escape(translation, at + i, true);
			continue;
		}
		if (text[i] == '[') {
			add_string(translation, "\\", at + i);
			if (!translation->to->warning && looks_posix(text + i)) {
				translation->to->warning =
					"as in fail2ban, [:alpha:] and the like are no class "
					"but these characters: write [A-Za-z]";
				translation->to->warning_offset = at + i;
			}
		} else if (text[i] == ']' && is_first) {
			add_string(translation, "\\", at + i);
		}
		copy(translation, at + i, 1);
		i++;
	}
	return end;
}

/* The number of letters in "(?LETTERS" at `at`, and in *ret_end the byte behind them; 0: it begins
 * otherwise. */
static size_t flag_letters(struct translation *translation, size_t at, char *ret_end)
{
	const char *text = translation->from->bytes + at;
	size_t length;

	if (strncmp(text, "(?", 2) != 0)
		return 0;
	length = strspn(text + 2, FLAG_LETTERS);
	*ret_end = text[2 + length];
	if (memchr(text + 2, 'L', length) && at < translation->locale)
		translation->locale = at;
	return length;
}

/* Adds those flags that PCRE2 has: u and a have no meaning here. */
static void add_flags(struct translation *translation, const char *letters, size_t length,
	size_t at)
{
	for (size_t i = 0; i < length; i++)
		if (!strchr("au", letters[i]))
			add(translation, letters + i, 1, at);
}

static void flags_hoist(struct translation *translation, const char *letters, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		size_t count = strlen(translation->flags);

		if (strchr("au", letters[i]) || strchr(translation->flags, letters[i]))
			continue;
		translation->flags[count] = letters[i];
		translation->flags[count + 1] = '\0';
	}
}

/* Translates flags at `at`, "(?i)" alone or as the first thing in a group. Returns the length of
 * what it has read; 0: there are none. */
static size_t flags(struct translation *translation, size_t at)
{
	const char *text = translation->from->bytes + at;
	size_t group = !strncmp(text, "(?:", 3) ? 3 : 1;
	char end = '\0';
	size_t length = flag_letters(translation, at + group, &end);

	/* "((?i)" and "(?:(?i)" */
	if (length && end == ')') {
		add_string(translation, "(?", at);
		add_flags(translation, text + group + 2, length, at);
		add_string(translation, ":", at);
		return group + 2 + length + 1;
	}
	length = flag_letters(translation, at, &end);
	if (length && end == ')') {
		flags_hoist(translation, text + 2, length);
		return 2 + length + 1;
	}
	if (length && (end == ':' || end == '-')) {
		add_string(translation, "(?", at);
		add_flags(translation, text + 2, length, at);
		return 2 + length;
	}
	return 0;
}

/* Translates the "{," of "{,n}" and "{,}" at `at`. Returns the length of what it has read; 0: it is
 * something else. */
static size_t repeat(struct translation *translation, size_t at)
{
	const char *text = translation->from->bytes + at;

	if (strncmp(text, "{,", 2) || text[2 + strspn(text + 2, "0123456789")] != '}')
		return 0;
	add_string(translation, "{0,", at);
	return 2;
}

/* Puts the flags that hold for the whole pattern at its start. */
static void flags_write(struct translation *translation)
{
	struct pattern whole = { 0 };
	const struct pattern *rest = &translation->to->pattern;

	if (!*translation->flags)
		return;
	pattern_add(&whole, "(?", 2, 0);
	pattern_add(&whole, translation->flags, strlen(translation->flags), 0);
	pattern_add(&whole, ")", 1, 0);
	for (size_t i = 0; i < rest->length; i++)
		pattern_add(&whole, rest->bytes + i, 1, rest->origins[i]);
	pattern_add(&whole, "", 0, rest->origins[rest->length]);
	pattern_done(&translation->to->pattern);
	translation->to->pattern = whole;
}

int python_regex_translate(const struct pattern *pattern, struct python_regex *ret_spelling,
	size_t *ret_offset, struct error *err)
{
	struct translation translation = {
		.from = pattern,
		.to = ret_spelling,
		.locale = pattern->length,
	};
	size_t at = 0;

	*ret_spelling = (struct python_regex){ 0 };
	while (pattern->bytes[at]) {
		char byte = pattern->bytes[at];
		size_t step = 0;

		if (byte == '\\' && pattern->bytes[at + 1])
			step = escape(&translation, at, false);
		else if (byte == '[')
			step = class(&translation, at);
		else if (byte == '(')
			step = flags(&translation, at);
		else if (byte == '{')
			step = repeat(&translation, at);
		if (!step)
			copy(&translation, at, step = 1);
		at += step;
	}
	if (translation.locale < pattern->length) {
		*ret_offset = translation.locale;
		pattern_done(&ret_spelling->pattern);
		return error_set(err, "the flag L is for bytes: leave it out");
	}
	pattern_add(&ret_spelling->pattern, "", 0, pattern->origins[pattern->length]);
	flags_write(&translation);
	return 0;
}
