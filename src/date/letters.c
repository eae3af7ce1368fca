#include "date/letters.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/pattern.h"
#include "date/instant.h"

#define DAYS_SHORT "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
#define DAYS_LONG "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
#define MONTHS_SHORT "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
#define MONTHS_LONG                                                                                \
	"January|February|March|April|May|June|July|August|September|October|November|December"
#define CAPITALS "(?=[A-Z]{1,5}(?![A-Z]))"
#define OFFSET "[+-][01]\\d(?::?[0-5]\\d)?"

/* A letter stands before any other one that is a beginning of it. */
static const struct date_letter letters[] = {
	/* logs of other centuries are not read: to ask for "20" and a decade keeps numbers in host
	 * names from being years */
	{ "%ExY", 'Y', "20[0-4]\\d" },
	{ "%Exy", 'y', "\\d\\d" },
	{ "%Exm", 'm', "0[1-9]|1[0-2]" },
	{ "%Exd", 'd', "0[1-9]|[12]\\d|3[01]" },
	{ "%ExH", 'H', "[01]\\d|2[0-3]" },
	{ "%Exk", 'H', " ?(?:2[0-3]|[01]?\\d)" },
	{ "%Exl", 'I', " ?(?:1[0-2]|\\d)" },
	{ "%ExM", 'M', "[0-5]\\d" },
	{ "%ExS", 'S', "[0-5]\\d|6[01]" },
	{ "%Exz", 'z', NULL },
	{ "%ExZ", 'Z', NULL },
	{ "%Y", 'Y', "\\d{4}" },
	{ "%y", 'y', "\\d\\d" },
	{ "%G", 'G', "\\d{4}" },
	{ "%m", 'm', "0[1-9]|1[0-2]|[1-9]" },
	{ "%d", 'd', "[12]\\d|3[01]|[0 ]?[1-9]" },
	{ "%e", 'd', "[12]\\d|3[01]|[0 ]?[1-9]" },
	{ "%H", 'H', "[01]\\d|2[0-3]|\\d" },
	{ "%k", 'H', " ?(?:[01]\\d|2[0-3]|\\d)" },
	{ "%I", 'I', "1[0-2]|0?[1-9]" },
	{ "%l", 'I', " ?(?:1[0-2]|0?\\d)" },
	{ "%M", 'M', "[0-5]\\d|\\d" },
	{ "%S", 'S', "[0-5]\\d|6[01]|\\d" },
	{ "%f", 'f', "\\d{1,9}" },
	{ "%j", 'j', "36[0-6]|3[0-5]\\d|[12]\\d\\d|0?[1-9]\\d|0{0,2}[1-9]" },
	{ "%b", 'b', MONTHS_SHORT },
	{ "%h", 'b', MONTHS_SHORT },
	{ "%B", 'b', MONTHS_LONG },
	{ "%a", 'a', DAYS_SHORT },
	{ "%A", 'a', DAYS_LONG },
	{ "%p", 'p', "[AP]M" },
	{ "%z", 'z', "(?-i:Z|UTC|GMT|" OFFSET ")" },
	{ "%Z", 'Z', NULL },
	{ "%w", 'w', "[0-6]" },
	{ "%u", 'u', "[1-7]" },
	{ "%U", 'U', "5[0-3]|[0-4]?\\d" },
	{ "%W", 'W', "5[0-3]|[0-4]?\\d" },
	{ "%V", 'V', "5[0-3]|[1-4]\\d|0?[1-9]" },
	{ "%%", '\0', "%" },
	{ "{EPOCH}", 'E', "\\d{10,11}\\b(?:\\.\\d{3,6})?" },
	{ "{LEPOCH}", 'L', "\\d{10,11}(?:\\d{3}(?:\\.\\d{1,6}|\\d{3})?)?" },
	{ "{TAI64N}", 'T', "(?-i:@[0-9a-f]{24})" },
};

/* Letters that stand for several others. */
static const char *const shorthands[][2] = {
	{ "%F", "%Y-%m-%d" },
	{ "%T", "%H:%M:%S" },
	{ "%R", "%H:%M" },
	{ "%D", "%m/%d/%y" },
	{ "%c", "%a %b %e %H:%M:%S %Y" },
	{ "%x", "%m/%d/%y" },
	{ "%X", "%H:%M:%S" },
};

const struct date_letter *date_letter_at(const char *text)
{
	if (*text != '%' && *text != '{')
		return NULL;
	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++) {
		size_t length = strlen(letters[i].letter);

		if (*text == '{' ? !strncasecmp(text, letters[i].letter, length)
				 : !strncmp(text, letters[i].letter, length))
			return &letters[i];
	}
	return NULL;
}

char *date_letter_regex(const struct date_letter *letter)
{
	cleanup_free char *names = NULL;

	if (letter->regex)
		return alloc_string(letter->regex);
	/* only names in capitals, else any word before a date would be a zone; the look-ahead is
	 * false for most words, and spares them the long list of names */
	names = date_zone_regex(letter->letter[1] == 'E');
	if (letter->field == 'z')
		return alloc_format("(?-i:(?:(?:%s)(?![A-Z]))?" OFFSET "|" CAPITALS "(?:%s))",
			names, names);
	return alloc_format("(?-i:" CAPITALS "(?:%s))", names);
}

void date_letters_expand(const char *text, struct pattern *ret_pattern)
{
	size_t at = 0;

	while (text[at]) {
		size_t step = (text[at] == '\\' || text[at] == '%') && text[at + 1] ? 2 : 1;
		const char *longer = NULL;

		for (size_t i = 0; i < sizeof(shorthands) / sizeof(*shorthands); i++)
			if (!strncmp(text + at, shorthands[i][0], 2))
				longer = shorthands[i][1];
		if (longer)
			pattern_add_string(ret_pattern, longer, at);
		else
			pattern_copy(ret_pattern, text + at, step, at);
		at += step;
	}
	pattern_add(ret_pattern, "", 0, at);
}

char date_field_named(const char *name)
{
	static const char fields[] = "YyGmbBdHIMSfjaApzZwuUWV";

	if (!*name || name[1] || !strchr(fields, *name))
		return '\0';
	return *name == 'B' ? 'b' : *name == 'A' ? 'a' : *name;
}

/* Reads decimal digits, blanks before them allowed; at most the first 18 bytes count, which fit
 * into an int64_t. */
static int64_t number_read(const char *text, size_t length)
{
	const char *end = text + (length < 18 ? length : 18);
	int64_t number = 0;

	for (; text < end; text++)
		if (ascii_is_digit(*text))
			number = number * 10 + (*text - '0');
	return number;
}

static int int_read(const char *text, size_t length)
{
	return (int)number_read(text, length < 9 ? length : 9);
}

static int short_year_read(const char *text, size_t length)
{
	return int_read(text, length) + 2000;
}

static int month_read(const char *text, size_t length)
{
	int number = int_read(text, length);

	return number >= 1 && number <= 12 ? number : -1;
}

/* Reads 0 to 6 with Sunday 0 (%w), or 1 to 7 with Sunday 7 (%u); the result has Monday 0. */
static int weekday_read(const char *text, size_t length)
{
	return (int_read(text, length) + 6) % 7;
}

static int hour_12_read(const char *text, size_t length)
{
	return int_read(text, length) % 12;
}

/* The index, from 0, of the name that text begins with in a list of names of 3 letters; -1: it is
 * none of them. */
static int name_read(const char *names, const char *text, size_t length)
{
	for (int i = 0; length >= 3 && names[3 * i]; i++)
		if (!strncasecmp(names + 3 * (size_t)i, text, 3))
			return i;
	return -1;
}

static int month_name_read(const char *text, size_t length)
{
	int index = name_read("janfebmaraprmayjunjulaugsepoctnovdec", text, length);

	return index < 0 ? -1 : index + 1;
}

static int weekday_name_read(const char *text, size_t length)
{
	return name_read("montuewedthufrisatsun", text, length);
}

/* Milliseconds of the digits behind a decimal point: "5" is 500, "1239" is 123. */
static int fraction_read(const char *text, size_t length)
{
	int ms = 0;

	for (size_t i = 0; i < 3; i++)
		ms = ms * 10 + (i < length && ascii_is_digit(text[i]) ? text[i] - '0' : 0);
	return ms;
}

/* Reads "1380558241" or "1380558241.123" as seconds, 13 digits as milliseconds and 16 as
 * microseconds (LEPOCH); the result is in milliseconds. */
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

/* Reads "@4000000050f71ce612345678": behind "@4" 15 hex digits of seconds and 8 of nanoseconds. The
 * seconds are read as fail2ban does: TAI's leap seconds are not taken off. The result is in
 * milliseconds; -1: text is too short. */
static int64_t tai_read(const char *text, size_t length)
{
	char seconds[16] = { 0 };
	char nanoseconds[9] = { 0 };

	if (length < 25)
		return -1;
	memcpy(seconds, text + 2, 15);
	memcpy(nanoseconds, text + 17, 8);
	return (int64_t)(strtoull(seconds, NULL, 16) & 0xffffffffffULL) * 1000 +
	       (int64_t)(strtoull(nanoseconds, NULL, 16) / 1000000 % 1000);
}

/* The fields that are one number, each with its place in struct date_parts. Those that most lines
 * have come first. */
static const struct {
	char field;
	size_t place;
	int (*read)(const char *text, size_t length);
} numbers[] = {
	{ 'Y', offsetof(struct date_parts, year), int_read },
	{ 'm', offsetof(struct date_parts, month), month_read },
	{ 'b', offsetof(struct date_parts, month), month_name_read },
	{ 'd', offsetof(struct date_parts, day), int_read },
	{ 'H', offsetof(struct date_parts, hour), int_read },
	{ 'M', offsetof(struct date_parts, minute), int_read },
	{ 'S', offsetof(struct date_parts, second), int_read },
	{ 'f', offsetof(struct date_parts, ms), fraction_read },
	{ 'a', offsetof(struct date_parts, weekday), weekday_name_read },
	{ 'y', offsetof(struct date_parts, year), short_year_read },
	{ 'G', offsetof(struct date_parts, year), int_read },
	{ 'j', offsetof(struct date_parts, day_of_year), int_read },
	{ 'w', offsetof(struct date_parts, weekday), weekday_read },
	{ 'u', offsetof(struct date_parts, weekday), weekday_read },
	{ 'I', offsetof(struct date_parts, hour_12), hour_12_read },
	{ 'U', offsetof(struct date_parts, week), int_read },
	{ 'W', offsetof(struct date_parts, week), int_read },
	{ 'V', offsetof(struct date_parts, week), int_read },
};

void date_field_read(char field, const char *text, size_t length, struct date_parts *parts)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (numbers[i].field != field)
			continue;
		*(int *)((char *)parts + numbers[i].place) = numbers[i].read(text, length);
		break;
	}
	switch (field) {
	case 'U':
		parts->week_kind = DATE_WEEK_SUNDAY;
		break;
	case 'W':
		parts->week_kind = DATE_WEEK_MONDAY;
		break;
	case 'V':
		parts->week_kind = DATE_WEEK_ISO;
		break;
	case 'p':
		parts->is_pm = length && ascii_lower(*text) == 'p';
		break;
	case 'z':
	case 'Z':
		parts->has_zone = date_zone_read(text, length, &parts->zone_s);
		break;
	case 'E':
	case 'L':
		parts->epoch_ms = epoch_read(text, length);
		break;
	case 'T':
		parts->epoch_ms = tai_read(text, length);
		break;
	default:
		break;
	}
}
