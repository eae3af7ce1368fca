#include "date/borders.h"

#include <string.h>

#include "base/ascii.h"
#include "base/pattern.h"
#include "date/template.h"

/* The one byte that a regex has right before offset `at`, -1 if that is not plain. */
static int byte_before(const char *pattern, size_t at)
{
	char byte = at ? pattern[at - 1] : '\0';
	bool is_escaped = at > 1 && pattern[at - 2] == '\\' && !(at > 2 && pattern[at - 3] == '\\');

	if (!byte || (unsigned char)byte >= 0x80)
		return -1;
	if (is_escaped)
		return ascii_is_word(byte) ? -1 : byte;
	/* of "%Y(" the letter is no byte of the line */
	if (at > 1 && memchr(pattern, '%', at) && ascii_is_word(byte))
		return -1;
	/* ":", "=", "!", ">" can end the opening of a group */
	return strchr("\\.^$*+?()[]{}|%:=!>", byte) ? -1 : byte;
}

static int byte_behind(const char *pattern, size_t at)
{
	bool is_escaped = pattern[at] == '\\';
	char byte = pattern[at + is_escaped];

	if (!byte || (unsigned char)byte >= 0x80 || (is_escaped && ascii_is_word(byte)) ||
		strchr("*?{+", pattern[at + is_escaped + 1] ? pattern[at + is_escaped + 1] : 'x'))
		return -1;
	return !is_escaped && strchr(".^$*+?()[]{}|%", byte) ? -1 : byte;
}

static void border_one(bool border[256], int byte)
{
	border[byte] = true;
	if (ascii_is_letter((char)byte))
		border[byte ^ 0x20] = true; /* dates are matched in any case */
}

/* any: every byte; else every byte that is not of a word. */
static void border_many(bool border[256], bool any)
{
	for (int i = 0; i < 256; i++)
		border[i] = any || !ascii_is_word((char)i);
}

static bool has_alternatives(const char *pattern)
{
	for (size_t at = 0; pattern[at]; at += pattern_piece(pattern + at))
		if (pattern[at] == '|')
			return true;
	return false;
}

/* "(?x)" and its like: blanks of the pattern are none of the line. */
static bool ignores_blanks(const char *pattern)
{
	for (const char *at = strstr(pattern, "(?"); at; at = strstr(at + 2, "(?")) {
		size_t flags = strspn(at + 2, "imnsxUJ^-");

		if (memchr(at + 2, 'x', flags))
			return true;
	}
	return false;
}

void date_borders_set(struct date_template *template, const char *pattern, size_t open,
	size_t close, bool starts_bare, bool built_in)
{
	int before = open != close ? byte_before(pattern, open) : -1;
	int behind = open != close && pattern[close + 1] ? byte_behind(pattern, close + 1) : -1;
	bool is_plain = built_in || (!has_alternatives(pattern) && !ignores_blanks(pattern));

	if (!is_plain)
		before = behind = -1;
	/* cut at the start of the line: nothing stands before it, hence no text spans it */
	if (before < 0 && open == close && *pattern == '^' && is_plain)
		return;
	if (before >= 0)
		border_one(template->before, before);
	else
		border_many(template->before, !(built_in || (starts_bare && !open)));
	if (behind >= 0)
		border_one(template->behind, behind);
	else
		border_many(template->behind, !built_in);
}
