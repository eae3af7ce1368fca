#include "date/date.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "date/formats.h"
#include "date/template.h"

/* A pattern may match a piece without any part of a date (an empty group, for example). Such a line
 * has the date of the last line that had one, if that is no older than this many seconds; else it
 * has the current time. */
enum { LAST_DATE_S = 60 };

/* Where the one-word patterns EPOCH and LEPOCH look for their number: at the start of the line,
 * perhaps behind a "[", and in records of the kernel's audit: "audit(1380558241.123:". */
#define EPOCH_PLACES "(?:^|(?<=^\\[)|(?<=\\b(?-i:audit)\\())"

enum { BUILT_IN_PLACES = 3 };
static const enum date_place built_in_places[BUILT_IN_PLACES] = { DATE_LEADING, DATE_ANYWHERE,
	DATE_LAST };

/* Templates of which one is chosen for a line. */
struct group {
	struct date_template *templates; /* owned */
	size_t count;
	size_t hint; /* index of the template that matched last */
};

struct date {
	struct group patterns; /* those of the filter */
	/* True if all of them come from one {DATE} that must stand at the start of the line: then
	 * no two of them match the same line, and they can be tried in any order. */
	bool any_order;
	/* The built-in formats, in the order of built_in_places: each group is tried on lines in
	 * which those before it find nothing. A group is empty if no pattern asks for it. */
	struct group built_in[BUILT_IN_PLACES];
	struct date_clock clock;
	int64_t last_ms;
	bool has_last;
};

static int template_add(struct group *group, const char *pattern, enum date_anchor anchor,
	bool built_in, size_t *ret_offset, struct error *err)
{
	struct date_template *template;

	if (group->count == DATE_TEMPLATES_MAX)
		return error_set(err, "datepattern: more than %d templates", DATE_TEMPLATES_MAX);
	group->templates =
		alloc_grow(group->templates, group->count + 1, sizeof(*group->templates));
	template = &group->templates[group->count++]; /* group_done() frees it in any case */
	return date_template_init(template, pattern, anchor, built_in, ret_offset, err);
}

static void group_done(struct group *group)
{
	for (size_t i = 0; i < group->count; i++)
		date_template_done(&group->templates[i]);
	free(group->templates);
}

/* Adds a pattern that has {DATE} in it: one template for each built-in format. */
static int dates_add(struct date *date, const char *pattern, const char *mark,
	enum date_anchor anchor, size_t *ret_offset, struct error *err)
{
	bool is_first = !date->patterns.count;
	size_t length = (size_t)(mark - pattern);
	const char *format;

	for (size_t i = 0; (format = date_formats_pattern(DATE_INSIDE | DATE_LAST, i)); i++) {
		cleanup_free char *text = alloc_format("%.*s%s%s", (int)length, pattern, format,
			mark + strlen("{DATE}"));

		if (template_add(&date->patterns, text, anchor, false, ret_offset, err)) {
			if (*ret_offset > length && *ret_offset < length + strlen(format))
				*ret_offset = length;
			else if (*ret_offset > length)
				*ret_offset += strlen("{DATE}") - strlen(format);
			return -1;
		}
	}
	date->any_order = is_first && date->patterns.templates[0].is_anchored;
	return 0;
}

/* Adds the built-in formats of one place, unless they are there. */
static int formats_add(struct group *group, enum date_place place, struct error *err)
{
	const char *pattern;
	size_t offset;

	if (group->count)
		return 0;
	for (size_t i = 0; (pattern = date_formats_pattern(place, i)); i++) {
		bool at_start = place == DATE_LEADING && *pattern != '^';

		if (template_add(group, pattern, at_start ? DATE_START : DATE_WORD, true, &offset,
			    err))
			return error_prefix(err, "built-in date formats");
	}
	return 0;
}

/* Adds the built-in formats, as {DEFAULT} asks for; only_leading: only those at the start of the
 * line, for "{^LN-BEG}" with nothing behind it. */
static int defaults_add(struct date *date, bool only_leading, struct error *err)
{
	for (size_t i = 0; i < (only_leading ? 1 : BUILT_IN_PLACES); i++)
		if (formats_add(&date->built_in[i], built_in_places[i], err))
			return -1;
	return 0;
}

/* Reads a pattern that is one word, such as "EPOCH" or "^TAI64N". True: *ret_pattern is the pattern
 * that it stands for. */
static bool word_read(const char *text, enum date_anchor *anchor, const char **ret_pattern)
{
	static const struct {
		const char *word;
		const char *anywhere;
		const char *leading;
	} words[] = {
		{ "EPOCH", EPOCH_PLACES "{EPOCH}", "{EPOCH}" },
		{ "LEPOCH", EPOCH_PLACES "{LEPOCH}", "{LEPOCH}" },
		{ "TAI64N", "{TAI64N}", "{TAI64N}" },
	};
	bool caret = *text == '^' && *anchor == DATE_WORD;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcasecmp(text + caret, words[i].word) != 0)
			continue;
		if (caret)
			*anchor = DATE_START;
		*ret_pattern = *anchor == DATE_START ? words[i].leading : words[i].anywhere;
		return true;
	}
	return false;
}

static bool take_prefix(const char **text, const char *prefix)
{
	if (strncasecmp(*text, prefix, strlen(prefix)) != 0)
		return false;
	*text += strlen(prefix);
	return true;
}

static int pattern_add(struct date *date, const char *pattern, size_t *ret_offset,
	struct error *err)
{
	enum date_anchor anchor = DATE_WORD;
	const char *start = pattern;
	const char *mark;
	int rc;

	*ret_offset = 0;
	pattern += strspn(pattern, " \t");
	if (take_prefix(&pattern, "{^LN-BEG}"))
		anchor = DATE_START;
	else if (take_prefix(&pattern, "{UNB}"))
		anchor = DATE_FREE;
	else
		(void)take_prefix(&pattern, "{*WD-BEG}"); /* this is the default */
	if (!strcasecmp(pattern, "{NONE}"))
		return 0;
	if (!strcasecmp(pattern, "{DEFAULT}") || !*pattern)
		return defaults_add(date, anchor == DATE_START, err);
	date->any_order = false;
	mark = strcasestr(pattern, "{DATE}");
	if (mark) {
		rc = dates_add(date, pattern, mark, anchor, ret_offset, err);
	} else {
		if (word_read(pattern, &anchor, &pattern))
			start = pattern;
		rc = template_add(&date->patterns, pattern, anchor, false, ret_offset, err);
	}
	*ret_offset += (size_t)(pattern - start);
	return rc;
}

int date_new(const char *const *patterns, size_t n_patterns, const char *zone,
	struct date **ret_date, struct date_fault *ret_fault, struct error *err)
{
	struct date *date = alloc_zero(sizeof(*date));
	struct date_fault fault = { .pattern = n_patterns };

	if (date_zone_init(&date->clock.zone, zone, err))
		goto fail;
	if (!n_patterns && defaults_add(date, false, err))
		goto fail;
	for (size_t i = 0; i < n_patterns; i++) {
		if (!pattern_add(date, patterns[i], &fault.offset, err))
			continue;
		fault.pattern = i;
		goto fail;
	}
	*ret_date = date;
	return 0;
fail:
	*ret_fault = fault;
	date_free(date);
	return -1;
}

void date_free(struct date *date)
{
	if (!date)
		return;
	group_done(&date->patterns);
	for (size_t i = 0; i < BUILT_IN_PLACES; i++)
		group_done(&date->built_in[i]);
	date_zone_done(&date->clock.zone);
	free(date);
}

/* Chooses among the patterns that match, as fail2ban does: the first one, in their order, that
 * matches at the start of the line; else the last one of the list, if it matches; else the one that
 * matches furthest left. */
static bool sight_pattern(struct group *group, bool any_order, const char *line, size_t length,
	struct date_sighting *ret_best)
{
	struct date_sighting sighting;
	bool found = false;

	if (any_order && date_template_find(&group->templates[group->hint], line, length, ret_best))
		return true;
	for (size_t i = 0; i < group->count; i++) {
		bool is_final = i + 1 == group->count || group->templates[i].is_anchored;

		if (!date_template_find(&group->templates[i], line, length, &sighting))
			continue;
		is_final |= sighting.start <= 1;
		if (!found || is_final || sighting.start < ret_best->start)
			*ret_best = sighting;
		found = true;
		if (!is_final)
			continue;
		group->hint = i;
		return true;
	}
	return found;
}

/* Chooses among built-in formats: the one that matches furthest left, of several at that place the
 * first in the list. Only the two orders of day and month, 01-02-2012, can both match at the start
 * of a line: there the one that matched last is the better guess, since a log keeps to one
 * order. */
static bool sight_format(struct group *group, const char *line, size_t length,
	struct date_sighting *ret_best)
{
	struct date_sighting sighting;
	bool found = false;

	if (group->count && group->templates[group->hint].is_anchored &&
		date_template_find(&group->templates[group->hint], line, length, ret_best))
		return true;
	for (size_t i = 0; i < group->count; i++) {
		if (!date_template_find(&group->templates[i], line, length, &sighting) ||
			(found && sighting.start >= ret_best->start))
			continue;
		*ret_best = sighting;
		group->hint = i;
		found = true;
	}
	return found;
}

static bool sight_any(struct date *date, const char *line, size_t length, struct date_sighting *ret)
{
	if (sight_pattern(&date->patterns, date->any_order, line, length, ret))
		return true;
	for (size_t i = 0; i < BUILT_IN_PLACES; i++)
		if (sight_format(&date->built_in[i], line, length, ret))
			return true;
	return false;
}

static bool is_empty(const struct date_parts *parts)
{
	return parts->year < 0 && parts->month < 0 && parts->day < 0 && parts->day_of_year < 0 &&
	       parts->hour < 0 && parts->epoch_ms < 0;
}

bool date_find(struct date *date, const char *line, size_t length, int64_t now_s,
	struct date_found *ret_found)
{
	struct date_sighting sighting;

	if (!sight_any(date, line, length, &sighting))
		return false;
	*ret_found = (struct date_found){
		.cut_start = sighting.start,
		.cut_length = sighting.length,
		.has_zone = sighting.parts.has_zone || sighting.parts.epoch_ms >= 0,
	};
	if (is_empty(&sighting.parts)) {
		bool fresh = date->has_last && date->last_ms / 1000 > now_s - LAST_DATE_S;

		ret_found->at_ms = fresh ? date->last_ms : now_s * 1000;
		return true;
	}
	if (!date_clock_ms(&date->clock, &sighting.parts, now_s, &ret_found->at_ms)) {
		ret_found->at_ms = now_s * 1000;
		return true;
	}
	date->last_ms = ret_found->at_ms;
	date->has_last = true;
	return true;
}

static void borders_add(const struct group *group, bool before[256], bool behind[256])
{
	for (size_t i = 0; i < group->count; i++) {
		for (int byte = 0; byte < 256; byte++) {
			before[byte] |= group->templates[i].before[byte];
			behind[byte] |= group->templates[i].behind[byte];
		}
	}
}

void date_borders(const struct date *date, bool before[256], bool behind[256])
{
	borders_add(&date->patterns, before, behind);
	for (size_t i = 0; i < BUILT_IN_PLACES; i++)
		borders_add(&date->built_in[i], before, behind);
}
