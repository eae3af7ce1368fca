#include "date/formats.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/pattern.h"
#include "base/regex.h"
#include "base/text.h"

#define FRACTION "(?:\\.%f)?"
#define FRACTION_COMMA "(?:[.,]%f)?"
#define SAME_MARK "(?<_mark>[-/.])%m\\k<_mark>"
#define SAME_DASH "(?<_dash>[-/])%m\\k<_dash>"
#define SAME_DASH_NAME "(?<_line>[-/])%b\\k<_line>"

/* So many bytes from its start on are enough to tell whether a format matches: the longest is
 * "+00:00 Sun Jan 23 21:59:59.123456789 2005", and the regex looks at what stands behind it. */
enum { DATE_BYTES_MAX = 64 };

enum { USUAL = DATE_LEADING | DATE_ANYWHERE | DATE_INSIDE };

/* fail2ban's formats, in the order in which it prefers one to another. */
static const struct {
	const char *pattern;
	unsigned places;
} table[] = {
	/* 2005-01-23T21:59:59.981746Z, 2005/01/23 21:59:59, 2005.01.23  8:59:59 +02:00 */
	{ "%ExY" SAME_MARK "%d(?:T|  ?)%H:%M:%S" FRACTION_COMMA "(?:\\s*%z)?", USUAL },
	/* Sun Jan 23 21:59:59.011 2005, Jan 23 21:59:59 */
	{ "(?:%a )?%b %d %k:%M:%S" FRACTION "(?: %ExY)?", USUAL },
	/* Sun Jan 23 2005 21:59:59.011 */
	{ "(?:%a )?%b %d %ExY %k:%M:%S" FRACTION, USUAL },
	/* 23/01/2005 21:59:59, 23-01-05 21:59:59 */
	{ "%d" SAME_DASH "(?:%ExY|%Exy) %k:%M:%S", USUAL },
	/* 31/Oct/2006:09:22:55 -0000, 26-Jul-2007 15:20:52.252 */
	{ "%d" SAME_DASH_NAME "%ExY[ :]?%H:%M:%S" FRACTION "(?: %z)?", USUAL },
	/* 05/20/2008:01:57:39 */
	{ "%m/%d/%ExY:%H:%M:%S", USUAL },
	/* 01-27-2012 16:22:44.252 */
	{ "%m-%d-%ExY %k:%M:%S" FRACTION, USUAL },
	/* such a number is a date only at the start of a line, and in records of the kernel's
	 * audit */
	{ "{EPOCH}", DATE_LEADING },
	{ "(?<=\\b(?-i:audit)\\(){EPOCH}", DATE_ANYWHERE },
	{ "%H:%M:%S", DATE_LEADING | DATE_INSIDE },
	{ "^<%m/%d/%Exy@%H:%M:%S>", DATE_LEADING },
	/* MySQL: 130322 11:46:11 */
	{ "%Exy%Exm%Exd  ?%H:%M:%S", USUAL },
	/* Jan 23, 2005 9:59:59 PM */
	{ "%b %d, %ExY %I:%M:%S %p", USUAL },
	/* Apr-27-13 02:33:06 */
	{ "^%b-%d-%Exy %k:%M:%S", DATE_LEADING },
	/* 20050123T215959, 20050123 215959.5+0200, 20050123 21:59:59 */
	{ "%ExY%Exm%Exd(?:T|  ?)%ExH:?%ExM:?%ExS" FRACTION_COMMA "(?:\\s*%z)?", USUAL },
	/* PDT Apr 16 21:05:29, +00:00 Jan 23 21:59:59.011 2005 */
	{ "%Z (?:%a )?%b %d %k:%M:%S" FRACTION "(?: %ExY)?", USUAL },
	{ "%z (?:%a )?%b %d %k:%M:%S" FRACTION "(?: %ExY)?", USUAL },
	{ "{TAI64N}", DATE_LEADING | DATE_ANYWHERE },
	/* These are not fail2ban's, which sees no date there: those of RFC 2822, of Java, and of
	 * nginx with a short year. */
	{ "(?:%a, )?%d %b %ExY %k:%M:%S" FRACTION_COMMA "(?: %z)?", DATE_LAST | DATE_INSIDE },
	{ "(?:%a,? )?%b %d, %ExY %k:%M:%S" FRACTION_COMMA, DATE_LAST | DATE_INSIDE },
	{ "%Exy/%Exm/%Exd %H:%M:%S", DATE_LAST | DATE_INSIDE },
};

const char *date_formats_pattern(enum date_place place, size_t index)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].places & place && !index--)
			return table[i].pattern;
	return NULL;
}

/* Compiles one regex of DATE_SHAPE_FORMATS alternatives, the formats from number `first` on, each
 * in a group of its own that tells which one matched. */
static int shape_init(struct date_formats *formats, enum date_place place, size_t first,
	struct error *err)
{
	struct regex **shape = &formats->shapes[first / DATE_SHAPE_FORMATS];
	struct pattern text = { 0 };
	const char *pattern;
	char name[32];
	size_t offset;
	int rc;

	pattern_add_string(&text, place == DATE_LEADING ? "^(?:\\W{0,2})?(?:" : "(?<!\\w)(?:", 0);
	for (size_t i = first; i < first + DATE_SHAPE_FORMATS && i < formats->count; i++) {
		pattern = date_formats_pattern(place, i);
		(void)text_format(name, sizeof(name), "%s(?<_a%02zu>", i > first ? "|" : "", i);
		pattern_add_string(&text, name, 0);
		date_template_shape(pattern, &text);
		pattern_add_string(&text, pattern[strlen(pattern) - 1] == '>' ? ")" : ")(?!\\w)",
			0);
	}
	pattern_add_string(&text, ")", 0);
	rc = regex_new(text.bytes, true, shape, &offset, err);
	pattern_done(&text);
	if (rc)
		return error_prefix(err, "built-in date formats");
	for (size_t i = first; i < first + DATE_SHAPE_FORMATS && i < formats->count; i++) {
		(void)text_format(name, sizeof(name), "_a%02zu", i);
		formats->groups[i] = regex_group_number(*shape, name);
	}
	return 0;
}

static enum date_anchor anchor_of(enum date_place place, const char *pattern)
{
	return place == DATE_LEADING && *pattern != '^' ? DATE_START : DATE_WORD;
}

int date_formats_init(struct date_formats *formats, enum date_place place, struct error *err)
{
	const char *pattern;
	size_t offset;

	*formats = (struct date_formats){ 0 };
	formats->templates = alloc_array(DATE_FORMATS_MAX, sizeof(*formats->templates));
	while ((pattern = date_formats_pattern(place, formats->count))) {
		struct date_template *template = &formats->templates[formats->count];

		if (formats->count++ == DATE_FORMATS_MAX)
			return error_set(err, "more than %d built-in date formats",
				DATE_FORMATS_MAX);
		if (date_template_init(template, pattern, anchor_of(place, pattern), true, &offset,
			    err))
			return -1;
	}
	for (size_t first = 0; first < formats->count; first += DATE_SHAPE_FORMATS)
		if (shape_init(formats, place, first, err))
			return -1;
	return 0;
}

void date_formats_done(struct date_formats *formats)
{
	for (size_t i = 0; i < formats->count; i++)
		date_template_done(&formats->templates[i]);
	for (size_t i = 0; i < DATE_SHAPES_MAX; i++)
		regex_free(formats->shapes[i]);
	free(formats->templates);
	*formats = (struct date_formats){ 0 };
}

/* The index of the format that matches furthest left, of several at that place the first in the
 * list; formats->count: none matches. */
static size_t shapes_find(const struct date_formats *formats, const char *line, size_t length)
{
	size_t best = formats->count;
	size_t best_start = length + 1;
	size_t start;
	size_t size;

	for (size_t first = 0; first < formats->count; first += DATE_SHAPE_FORMATS) {
		struct regex *shape = formats->shapes[first / DATE_SHAPE_FORMATS];
		size_t end = first + DATE_SHAPE_FORMATS;

		/* from here on only a match further left is of use */
		if (best_start + DATE_BYTES_MAX < length)
			length = best_start + DATE_BYTES_MAX;
		if (regex_match(shape, line, length) != REGEX_HIT)
			continue;
		for (size_t i = first; i < end && i < formats->count; i++) {
			if (!regex_group(shape, formats->groups[i], &start, &size) ||
				start >= best_start)
				continue;
			best = i;
			best_start = start;
		}
	}
	return best;
}

bool date_formats_find(struct date_formats *formats, const char *line, size_t length,
	struct date_sighting *ret_sighting)
{
	size_t index;

	if (!formats->count)
		return false;
	/* Only the two orders of day and month, 01-02-2012, can both match at the start of a line:
	 * there the one that matched last is the better guess, since a log keeps to one order. */
	if (formats->templates[formats->hint].is_anchored &&
		date_template_find(&formats->templates[formats->hint], line, length, ret_sighting))
		return true;
	index = shapes_find(formats, line, length);
	if (index == formats->count ||
		!date_template_find(&formats->templates[index], line, length, ret_sighting))
		return false;
	formats->hint = index;
	return true;
}
