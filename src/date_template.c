#include "date_template.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "error.h"
#include "regex.h"

#define CUT_NAME "_cut"
#define DAYS_SHORT "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
#define DAYS_LONG "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
#define MONTHS_SHORT "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
#define MONTHS_LONG                                                                                \
	"January|February|March|April|May|June|July|August|September|October|November|December"
#define ZONE "Z|UTC|GMT|[+-][0-1]\\d(?::?[0-5]\\d)?"

/* A letter of the pattern: its field, NUL if the value is not needed, and its regex. Fields are
 * strftime's letters and E epoch, L epoch with optional ms or us digits, T the hex of TAI64N. */
struct letter {
	const char *letter;
	char field;
	const char *regex;
};

static const struct letter letters[] = {
	{ "%ExY", 'Y', "(?:19|20)\\d\\d" },
	{ "%Exy", 'y', "\\d\\d" },
	{ "%Exm", 'm', "0[1-9]|1[0-2]" },
	{ "%Exd", 'd', "0[1-9]|[12]\\d|3[01]" },
	{ "%ExH", 'H', "[01]\\d|2[0-3]" },
	{ "%Exk", 'H', " ?\\d|1\\d|2[0-3]" },
	{ "%Exl", 'I', "1[0-2]| ?[1-9]" },
	{ "%ExM", 'M', "[0-5]\\d" },
	{ "%ExS", 'S', "[0-5]\\d|6[01]" },
	{ "%Exz", 'z', ZONE },
	{ "%ExZ", 'Z', "(?-i:[A-Z]{3,5})" },
	{ "%Y", 'Y', "\\d{4}" },
	{ "%y", 'y', "\\d\\d" },
	{ "%m", 'm', "1[0-2]|0?[1-9]" },
	{ "%d", 'd', "3[01]|[12]\\d|[0 ]?[1-9]" },
	{ "%e", 'd', "3[01]|[12]\\d|[0 ]?[1-9]" },
	{ "%H", 'H', "2[0-3]|[01]\\d|\\d" },
	{ "%k", 'H', "2[0-3]|[01]\\d| ?\\d" },
	{ "%I", 'I', "1[0-2]|0?[1-9]" },
	{ "%l", 'I', "1[0-2]|[0 ]?[1-9]" },
	{ "%M", 'M', "[0-5]\\d|\\d" },
	{ "%S", 'S', "6[01]|[0-5]\\d|\\d" },
	{ "%f", 'f', "\\d{1,9}" },
	{ "%j", 'j', "36[0-6]|3[0-5]\\d|[12]\\d\\d|0?[1-9]\\d|0{0,2}[1-9]" },
	{ "%b", 'b', MONTHS_SHORT },
	{ "%B", 'b', MONTHS_LONG },
	{ "%a", 0, DAYS_SHORT },
	{ "%A", 0, DAYS_LONG },
	{ "%p", 'p', "[AP]M" },
	{ "%z", 'z', ZONE },
	{ "%Z", 'Z', "(?-i:[A-Z]{3,5})" },
	{ "%w", 0, "[0-6]" },
	{ "%u", 0, "[1-7]" },
	{ "%U", 0, "[0-5]\\d" },
	{ "%W", 0, "[0-5]\\d" },
	{ "%%", 0, "%" },
	{ "{EPOCH}", 'E', "\\d{10,11}\\b(?:\\.\\d{3,6})?" },
	{ "{LEPOCH}", 'L', "\\d{10,11}(?:\\d{3}(?:\\.\\d{1,6}|\\d{3})?)?" },
	{ "{TAI64N}", 'T', "@[0-9a-f]{24}" },
};

/* Letters that are several. */
static const char *const shorthands[][2] = {
	{ "%F", "%Y-%m-%d" },
	{ "%T", "%H:%M:%S" },
	{ "%R", "%H:%M" },
	{ "%D", "%m/%d/%y" },
	{ "%c", "%a %b %e %H:%M:%S %Y" },
	{ "%x", "%m/%d/%y" },
	{ "%X", "%H:%M:%S" },
};

static bool is_word(int byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= 'a' && byte <= 'z') || byte == '_';
}

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

static const struct letter *letter_at(const char *text)
{
	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		if (!strncmp(text, letters[i].letter, strlen(letters[i].letter)))
			return &letters[i];
	return NULL;
}

static char *shorthands_expand(const char *pattern)
{
	char *text = alloc_string("");

	while (*pattern) {
		size_t step = (*pattern == '\\' || *pattern == '%') && pattern[1] ? 2 : 1;
		const char *piece = NULL;

		for (size_t i = 0; step == 2 && i < sizeof(shorthands) / sizeof(*shorthands); i++)
			if (!strncmp(pattern, shorthands[i][0], 2))
				piece = shorthands[i][1];
		append(&text, piece ? piece : pattern, piece ? strlen(piece) : step);
		pattern += step;
	}
	return text;
}

/* Length of a class from its '['. */
static size_t class_length(const char *text)
{
	size_t at = 1;

	at += text[at] == '^';
	at += text[at] == ']';
	while (text[at] && text[at] != ']')
		at += text[at] == '\\' && text[at + 1] ? 2 : 1;
	return at + (text[at] == ']');
}

/* Length of what stands at text: an escape, a class, a byte. */
static size_t construct_length(const char *text)
{
	if (*text == '\\' && text[1])
		return 2;
	return *text == '[' ? class_length(text) : 1;
}

/* The first plain group of pattern: offsets of its '(' and ')'. False: there is none. */
static bool group_find(const char *pattern, size_t *ret_open, size_t *ret_close)
{
	size_t at = 0;
	size_t depth = 0;
	size_t inside = 0; /* depth within the group found */

	while (pattern[at]) {
		if (pattern[at] == '(') {
			depth++;
			if (!inside && pattern[at + 1] != '?' && pattern[at + 1] != '*') {
				inside = depth;
				*ret_open = at;
			}
		} else if (pattern[at] == ')' && depth) {
			if (depth-- == inside) {
				*ret_close = at;
				return true;
			}
		}
		at += construct_length(pattern + at);
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

/* The one byte that a regex has right before offset `at`, -1 if that is not plain. */
static int byte_before(const char *pattern, size_t at)
{
	char byte = at ? pattern[at - 1] : '\0';
	bool is_escaped = at > 1 && pattern[at - 2] == '\\' && !(at > 2 && pattern[at - 3] == '\\');

	if (!byte || (unsigned char)byte >= 0x80)
		return -1;
	if (is_escaped)
		return is_word((unsigned char)byte) ? -1 : byte;
	/* of "%Y(" the letter is no byte of the line */
	if (at > 1 && memchr(pattern, '%', at) && is_word((unsigned char)byte))
		return -1;
	/* ":", "=", "!", ">" can end the opening of a group */
	return strchr("\\.^$*+?()[]{}|%:=!>", byte) ? -1 : byte;
}

static int byte_behind(const char *pattern, size_t at)
{
	bool is_escaped = pattern[at] == '\\';
	char byte = pattern[at + is_escaped];

	if (!byte || (unsigned char)byte >= 0x80 || (is_escaped && is_word((unsigned char)byte)) ||
		strchr("*?{+", pattern[at + is_escaped + 1] ? pattern[at + is_escaped + 1] : 'x'))
		return -1;
	return !is_escaped && strchr(".^$*+?()[]{}|%", byte) ? -1 : byte;
}

static void border_one(bool border[256], int byte)
{
	border[byte] = true;
	if (is_word(byte) && byte > '9')
		border[byte ^ 0x20] = true; /* dates are matched in any case */
}

/* any: every byte; else every byte that is not of a word. */
static void border_many(bool border[256], bool any)
{
	for (int i = 0; i < 256; i++)
		border[i] = any || !is_word(i);
}

static bool has_alternatives(const char *pattern)
{
	for (size_t at = 0; pattern[at]; at += construct_length(pattern + at))
		if (pattern[at] == '|')
			return true;
	return false;
}

/* Which bytes may touch the cut, from the text around its group; open = close: the whole. */
static void borders_set(struct date_template *template, const char *pattern, size_t open,
	size_t close, enum date_anchor anchor, bool built_in)
{
	int before = open != close ? byte_before(pattern, open) : -1;
	int behind = open != close && pattern[close + 1] ? byte_behind(pattern, close + 1) : -1;

	if (has_alternatives(pattern) && !built_in)
		before = behind = -1;
	if (before >= 0)
		border_one(template->before, before);
	else if (open == close && *pattern == '^' && !has_alternatives(pattern))
		; /* cut at the start of the line: nothing stands before it */
	else
		border_many(template->before, !(built_in || (anchor == DATE_START && !open)));
	if (behind >= 0)
		border_one(template->behind, behind);
	else
		border_many(template->behind, !built_in);
}

/* Writes the regex of pattern, whose cut group opens at `open` (open = close: round the whole). */
static char *regex_text(struct date_template *template, const char *pattern, size_t open,
	size_t close, enum date_anchor anchor, bool built_in)
{
	bool starts = anchor == DATE_WORD && !is_held_at_start(pattern);
	bool ends = anchor != DATE_FREE && !is_held_at_end(pattern);
	char *text = alloc_string(anchor == DATE_START ? "^(?:\\W{0,2})?"
				  : starts && built_in ? "(?<!\\w)"
				  : starts             ? "(?:^|\\b|(?=\\W))"
						       : "");
	size_t at = 0;

	if (open == close)
		append_string(&text, "(?<" CUT_NAME ">");
	while (pattern[at]) {
		const struct letter *letter = letter_at(pattern + at);
		size_t step = letter ? strlen(letter->letter) : construct_length(pattern + at);

		if (letter && letter->field && template->n_fields < DATE_FIELDS_MAX) {
			char name[16] = "(?<_f0>";

			name[5] = letter->field;
			append_string(&text, name);
			append_string(&text, letter->regex);
			append_string(&text, ")");
			template->fields[template->n_fields++].letter = letter->field;
		} else if (letter) {
			append_string(&text, letter->regex);
		} else if (open != close && at == open) {
			append_string(&text, "(?<" CUT_NAME ">");
		} else if (!strncmp(pattern + at, "**", 2)) {
			step = 2;
		} else {
			append(&text, pattern + at, step);
		}
		at += step;
	}
	if (open == close)
		append_string(&text, ")");
	append_string(&text, !ends ? "" : built_in ? "(?!\\w)" : "(?=\\b|\\W|$)");
	return text;
}

int date_template_init(struct date_template *template, const char *pattern, enum date_anchor anchor,
	bool built_in, struct error *err)
{
	cleanup_free char *plain = shorthands_expand(pattern);
	cleanup_free char *text = NULL;
	size_t open = 0;
	size_t close = 0;
	size_t offset;

	*template = (struct date_template){ 0 };
	if (!group_find(plain, &open, &close))
		open = close = 0;
	borders_set(template, plain, open, close, anchor, built_in);
	text = regex_text(template, plain, open, close, anchor, built_in);
	if (regex_new(text, true, &template->regex, &offset, err))
		return error_prefix(err, "datepattern does not compile");
	template->cut_group = regex_group_number(template->regex, CUT_NAME);
	for (size_t i = 0; i < template->n_fields; i++) {
		char name[] = "_f0";

		name[2] = template->fields[i].letter;
		template->fields[i].group = regex_group_number(template->regex, name);
	}
	return 0;
}

void date_template_done(struct date_template *template)
{
	regex_free(template->regex);
	template->regex = NULL;
}

/* Decimal digits, blanks before them allowed; at most 18 of them count. */
static int64_t number_read(const char *text, size_t length)
{
	int64_t number = 0;

	for (size_t i = 0; i < length && i < 18; i++)
		if (text[i] >= '0' && text[i] <= '9')
			number = number * 10 + (text[i] - '0');
	return number;
}

static int month_read(const char *text)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	for (int i = 0; i < 12; i++)
		if (!strncasecmp(names + 3 * i, text, 3))
			return i + 1;
	return -1;
}

/* Milliseconds of the digits behind a decimal point. */
static int fraction_read(const char *text, size_t length)
{
	int ms = 0;

	for (size_t i = 0; i < 3; i++)
		ms = ms * 10 + (i < length && text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 0);
	return ms;
}

/* "+0530", "+05:30", "Z", "CEST". Unknown names say nothing. */
static void zone_read(const char *text, size_t length, struct date_parts *parts)
{
	static const struct {
		const char *name;
		int minutes;
	} zones[] = { { "Z", 0 }, { "UTC", 0 }, { "GMT", 0 }, { "WET", 0 }, { "WEST", 60 },
		{ "BST", 60 }, { "CET", 60 }, { "CEST", 120 }, { "MET", 60 }, { "MEST", 120 },
		{ "EET", 120 }, { "EEST", 180 }, { "MSK", 180 }, { "JST", 540 }, { "AEST", 600 },
		{ "AEDT", 660 }, { "NZST", 720 }, { "NZDT", 780 }, { "HST", -600 },
		{ "AKST", -540 }, { "AKDT", -480 }, { "PST", -480 }, { "PDT", -420 },
		{ "MST", -420 }, { "MDT", -360 }, { "CST", -360 }, { "CDT", -300 }, { "EST", -300 },
		{ "EDT", -240 } };

	if (length >= 3 && (*text == '+' || *text == '-')) {
		int64_t hours = number_read(text + 1, 2);
		int64_t minutes = length >= 5 ? number_read(text + length - 2, 2) : 0;

		parts->zone_s = (int)(hours * 3600 + minutes * 60) * (*text == '-' ? -1 : 1);
		parts->has_zone = true;
		return;
	}
	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		if (strlen(zones[i].name) != length || strncasecmp(zones[i].name, text, length))
			continue;
		parts->zone_s = zones[i].minutes * 60;
		parts->has_zone = true;
	}
}

/* "1380558241", "1380558241.123"; with 13 or 16 digits (LEPOCH) ms or us. */
static int64_t epoch_read(const char *text, size_t length)
{
	const char *point = memchr(text, '.', length);
	size_t digits = point ? (size_t)(point - text) : length;
	int64_t number = number_read(text, digits);

	if (digits >= 16)
		return number / 1000;
	if (digits >= 13)
		return number;
	return number * 1000 + (point ? fraction_read(point + 1, length - digits - 1) : 0);
}

/* "@4000000050f71ce6..." : the 15 digits behind "@4" are seconds, as fail2ban reads them. */
static int64_t tai_read(const char *text)
{
	char digits[16] = { 0 };

	memcpy(digits, text + 2, 15);
	return (int64_t)(strtoull(digits, NULL, 16) & 0xffffffffffULL) * 1000;
}

static void field_read(char letter, const char *text, size_t length, struct date_parts *parts)
{
	int number = (int)number_read(text, length < 9 ? length : 9);

	if (letter == 'Y')
		parts->year = number;
	else if (letter == 'y')
		parts->year = number + (number < 69 ? 2000 : 1900); /* POSIX strptime's turn */
	else if (letter == 'm')
		parts->month = number;
	else if (letter == 'b')
		parts->month = month_read(text);
	else if (letter == 'd')
		parts->day = number;
	else if (letter == 'j')
		parts->day_of_year = number;
	else if (letter == 'H')
		parts->hour = number;
	else if (letter == 'I')
		parts->hour = number % 12;
	else if (letter == 'M')
		parts->minute = number;
	else if (letter == 'S')
		parts->second = number;
	else if (letter == 'f')
		parts->ms = fraction_read(text, length);
	else if (letter == 'z' || letter == 'Z')
		zone_read(text, length, parts);
	else if (letter == 'E' || letter == 'L')
		parts->epoch_ms = epoch_read(text, length);
	else if (letter == 'T')
		parts->epoch_ms = tai_read(text);
}

bool date_template_find(const struct date_template *template, const char *line, size_t length,
	size_t *ret_start, size_t *ret_length, struct date_parts *ret_parts)
{
	bool is_pm = false;
	size_t start;
	size_t size;

	if (regex_match(template->regex, line, length) != REGEX_HIT)
		return false;
	if (!regex_group(template->regex, template->cut_group, ret_start, ret_length))
		return false;
	*ret_parts = (struct date_parts){ .year = -1,
		.month = -1,
		.day = -1,
		.day_of_year = -1,
		.hour = -1,
		.minute = -1,
		.second = -1,
		.ms = -1,
		.epoch_ms = -1 };
	for (size_t i = 0; i < template->n_fields; i++) {
		if (!regex_group(template->regex, template->fields[i].group, &start, &size))
			continue;
		if (template->fields[i].letter == 'p')
			is_pm = (line[start] | 0x20) == 'p';
		else
			field_read(template->fields[i].letter, line + start, size, ret_parts);
	}
	if (is_pm && ret_parts->hour >= 0 && ret_parts->hour < 12)
		ret_parts->hour += 12;
	return true;
}
