#include "date.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "date_template.h"
#include "error.h"

/* A date part that may be empty stands for the last date seen, if that is no older than this. */
enum { LAST_DATE_S = 60 };

struct date {
	struct date_template *templates; /* owned */
	/* A list that came from the built-in formats has two halves: [0, n_leading) hold on to the
	 * start of the line and any order will do, of the others the leftmost hit wins. */
	size_t n_templates;
	size_t n_leading;
	bool is_built_in;
	size_t hint; /* index of the leading one that hit last */
	struct date_clock clock;
	int64_t last_ms;
	bool has_last;
};

/* The formats that servers write, most exact first. Source: the list that fail2ban detects. */
static const char *const formats[] = {
	"%ExY(?P<_sep>[-/.])%m(?P=_sep)%d(?:T|  ?)%H:%M:%S(?:[.,]%f)?(?:\\s*%z)?",
	"(?:%a )?%b %d %k:%M:%S %Z %ExY",
	"%b %d, %ExY %I:%M:%S %p",
	"(?:%a,? )?%b %d %k:%M:%S(?:[.,]%f)?(?: %ExY)?",
	"(?:%a,? )?%b %d,? %ExY,? %k:%M:%S(?:[.,]%f)?",
	"(?:%a,? )?%d %b %ExY %H:%M:%S(?:[.,]%f)?(?: %z)?",
	"%d(?P<_sep>[-/])%m(?P=_sep)(?:%ExY|%Exy) %k:%M:%S(?:[.,]%f)?",
	"%d(?P<_sep>[-/])%b(?P=_sep)%ExY[ :]?%H:%M:%S(?:[.,]%f)?(?: %z)?",
	"%m/%d/%ExY:%H:%M:%S",
	"%m-%d-%ExY %k:%M:%S(?:[.,]%f)?",
	"%Exy%Exm%Exd  ?%H:%M:%S",
	"%Exy/%Exm/%Exd %H:%M:%S",
	"<%m/%d/%Exy@%H:%M:%S>",
	"%ExY%Exm%Exd(?:T|  ?)%ExH%ExM%ExS(?:[.,]%f)?(?:\\s*%z)?",
	"%Z (?:%a )?%b %d %k:%M:%S(?:[.,]%f)?(?: %ExY)?",
	"%b-%d-%Exy %I:%M:%S %p",
	"(?<=audit\\(){EPOCH}(?=[:.])",
	"{TAI64N}",
	/* too common to be dates but at the start of a line */
	"{EPOCH}(?![.\\d])",
	"%H:%M:%S",
};

enum { FORMATS = sizeof(formats) / sizeof(*formats), FORMATS_LEADING_ONLY = 2 };

static int template_add(struct date *date, const char *pattern, enum date_anchor anchor,
	bool built_in, struct error *err)
{
	if (date->n_templates == DATE_TEMPLATES_MAX)
		return error_set(err, "more than %d date templates", DATE_TEMPLATES_MAX);
	date->templates =
		alloc_grow(date->templates, date->n_templates + 1, sizeof(*date->templates));
	if (date_template_init(&date->templates[date->n_templates], pattern, anchor, built_in,
		    err)) {
		date_template_done(&date->templates[date->n_templates]);
		return -1;
	}
	date->n_templates++;
	return 0;
}

static int formats_add(struct date *date, enum date_anchor anchor, struct error *err)
{
	size_t count = anchor == DATE_START ? FORMATS : FORMATS - FORMATS_LEADING_ONLY;

	for (size_t i = 0; i < count; i++)
		if (template_add(date, formats[i], anchor, true, err))
			return -1;
	return 0;
}

/* {DATE} inside a pattern: the pattern once for each format. */
static int dates_add(struct date *date, const char *pattern, const char *mark,
	enum date_anchor anchor, struct error *err)
{
	for (size_t i = 0; i < FORMATS; i++) {
		cleanup_free char *text = alloc_format("%.*s%s%s", (int)(mark - pattern), pattern,
			formats[i], mark + strlen("{DATE}"));

		if (template_add(date, text, anchor, false, err))
			return -1;
	}
	return 0;
}

/* Bare EPOCH, LEPOCH, TAI64N inside a pattern are the same in braces; the caller frees. */
static char *words_brace(const char *pattern)
{
	static const char *const words[] = { "LEPOCH", "EPOCH", "TAI64N" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		const char *word = strstr(pattern, words[i]);

		if (!word)
			continue;
		if (word > pattern && word[-1] == '{')
			break;
		return alloc_format("%.*s{%s}%s", (int)(word - pattern), pattern, words[i],
			word + strlen(words[i]));
	}
	return alloc_string(pattern);
}

static bool take_prefix(const char **text, const char *prefix)
{
	if (strncmp(*text, prefix, strlen(prefix)))
		return false;
	*text += strlen(prefix);
	return true;
}

static int pattern_add(struct date *date, const char *pattern, struct error *err)
{
	enum date_anchor anchor = DATE_WORD;
	cleanup_free char *braced = NULL;
	const char *mark;

	pattern += strspn(pattern, " \t");
	if (take_prefix(&pattern, "{^LN-BEG}"))
		anchor = DATE_START;
	else if (take_prefix(&pattern, "{UNB}"))
		anchor = DATE_FREE;
	else
		(void)take_prefix(&pattern, "{*WD-BEG}"); /* the default */
	if (!strcmp(pattern, "{NONE}"))
		return 0;
	if (!strcmp(pattern, "{DEFAULT}") || !strcmp(pattern, "{DATE}") || !*pattern) {
		bool both = anchor != DATE_START && !date->n_templates;

		if (both && formats_add(date, DATE_START, err))
			return -1;
		date->n_leading = both ? date->n_templates : date->n_leading;
		date->is_built_in = both;
		return formats_add(date, anchor, err);
	}
	date->is_built_in = false;
	mark = strstr(pattern, "{DATE}");
	if (mark)
		return dates_add(date, pattern, mark, anchor, err);
	braced = words_brace(pattern);
	return template_add(date, braced, anchor, false, err);
}

int date_new(const char *const *patterns, size_t n_patterns, struct date **ret_date,
	size_t *ret_bad, struct error *err)
{
	static const char *const built_in[] = { "{DEFAULT}" };
	struct date *date = alloc_zero(sizeof(*date));
	size_t count = n_patterns ? n_patterns : 1;

	date_clock_init(&date->clock);
	for (size_t i = 0; i < count; i++) {
		if (!pattern_add(date, n_patterns ? patterns[i] : built_in[0], err))
			continue;
		*ret_bad = i;
		date_free(date);
		return -1;
	}
	*ret_date = date;
	return 0;
}

void date_free(struct date *date)
{
	if (!date)
		return;
	for (size_t i = 0; i < date->n_templates; i++)
		date_template_done(&date->templates[i]);
	free(date->templates);
	free(date);
}

/* A line that one template has found a date in. */
struct sighting {
	size_t start;
	size_t length;
	struct date_parts parts;
};

static bool sight(const struct date *date, size_t index, const char *line, size_t length,
	struct sighting *ret)
{
	return date_template_find(&date->templates[index], line, length, &ret->start, &ret->length,
		&ret->parts);
}

/* The first template of a list by an operator; of the built-in ones a leading one, the last that
 * hit first, else the leftmost. */
static bool sight_any(struct date *date, const char *line, size_t length, struct sighting *ret_best)
{
	struct sighting sighting;
	bool found = false;

	if (date->is_built_in && sight(date, date->hint, line, length, ret_best))
		return true;
	for (size_t i = 0; i < date->n_templates; i++) {
		if (i == date->n_leading && found)
			break;
		if (!sight(date, i, line, length, &sighting))
			continue;
		if (!found || sighting.start < ret_best->start)
			*ret_best = sighting;
		found = true;
		if (!date->is_built_in)
			return true;
		if (i < date->n_leading) {
			date->hint = i;
			return true;
		}
	}
	return found;
}

static bool is_empty(const struct date_parts *parts)
{
	return parts->year < 0 && parts->month < 0 && parts->day < 0 && parts->day_of_year < 0 &&
	       parts->hour < 0 && parts->epoch_ms < 0;
}

bool date_find(struct date *date, const char *line, size_t length, int64_t now_s,
	struct date_found *ret_found)
{
	struct sighting sighting;

	if (!date->n_templates || !sight_any(date, line, length, &sighting))
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
	ret_found->at_ms = date_clock_ms(&date->clock, &sighting.parts, now_s);
	date->last_ms = ret_found->at_ms;
	date->has_last = true;
	return true;
}

void date_borders(const struct date *date, bool before[256], bool behind[256])
{
	for (size_t i = 0; i < date->n_templates; i++) {
		for (int byte = 0; byte < 256; byte++) {
			before[byte] |= date->templates[i].before[byte];
			behind[byte] |= date->templates[i].behind[byte];
		}
	}
}
