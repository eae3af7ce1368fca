/* Dates: patterns and a zone from the input, then lines. Input: pattern lines, an empty line, a
 * zone (empty: local time), then log lines. No pattern: the built-in formats. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "date/date.h"

enum { PATTERNS_MAX = 4, LINES_MAX = 40 };

/* TAI64N has 40 bits of seconds; %Y ends long before, with four digits. */
static const int64_t AT_MS_MAX = ((int64_t)1 << 40) * 1000;

static void found_check(const struct date_found *found, const struct date *date, const char *line,
	size_t length)
{
	bool before[256] = { false };
	bool behind[256] = { false };
	size_t end = found->cut_start + found->cut_length;

	fuzz_need(found->cut_start <= length && found->cut_length <= length && end <= length,
		"the date lies in the line");
	date_borders(date, before, behind);
	if (found->cut_start && end < length && found->cut_length)
		fuzz_need(before[(unsigned char)line[found->cut_start - 1]] &&
				  behind[(unsigned char)line[end]],
			"the borders of a cut are among those told");
	fuzz_need(found->at_ms < AT_MS_MAX && found->at_ms > -AT_MS_MAX, "a time that can be");
}

static void find_check(struct date *date, const char *line, size_t length)
{
	struct date_found first = { 0 };
	struct date_found second = { 0 };
	bool is_found = date_find(date, line, length, FUZZ_NOW_S, &first);

	fuzz_need(date_find(date, line, length, FUZZ_NOW_S, &second) == is_found, "found again");
	if (!is_found)
		return;
	found_check(&first, date, line, length);
	fuzz_need(first.cut_start == second.cut_start && first.cut_length == second.cut_length &&
			  first.at_ms == second.at_ms && first.has_zone == second.has_zone,
		"the same each time");
}

/* The built-in formats take long to compile. */
static struct date *built_in(void)
{
	static struct date *date;
	struct date_fault fault;
	struct error err;

	if (!date)
		fuzz_need(date_new(NULL, 0, "UTC", &date, &fault, &err) == 0, "the built-in ones");
	return date;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct fuzz_input input = { bytes, length };
	const char *patterns[PATTERNS_MAX];
	char *owned[PATTERNS_MAX + 1];
	struct date_fault fault = { 0 };
	struct error err = { "" };
	struct date *date = NULL;
	size_t n_patterns = 0;
	char *zone;
	int rc;

	while (n_patterns < PATTERNS_MAX) {
		patterns[n_patterns] = owned[n_patterns] = fuzz_text(&input, '\n');
		if (!*patterns[n_patterns])
			break;
		n_patterns++;
	}
	if (n_patterns < PATTERNS_MAX)
		free(owned[n_patterns]);
	zone = fuzz_text(&input, '\n');
	if (n_patterns)
		rc = date_new(patterns, n_patterns, *zone ? zone : NULL, &date, &fault, &err);
	else
		rc = (date = built_in()) ? 0 : -1;
	if (rc < 0) {
		fuzz_need(err.text[0] && fault.pattern <= n_patterns, "says what and where");
		fuzz_need(fault.pattern == n_patterns ||
				  fault.offset <= strlen(patterns[fault.pattern]),
			"the place is in the pattern");
		fuzz_need_shown(err.text);
	}
	for (int i = 0; i < LINES_MAX && rc == 0 && !fuzz_is_at_end(&input); i++) {
		size_t line_length;
		char *line = fuzz_piece(&input, '\n', &line_length);

		find_check(date, line, line_length);
		free(line);
	}
	if (n_patterns)
		date_free(date);
	for (size_t i = 0; i < n_patterns; i++)
		free(owned[i]);
	free(zone);
	return 0;
}
