/* A pattern over lines: the code for ASCII lines says what the one for all lines says, and groups
 * lie in the line. Input: a pattern, then lines. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/regex.c"

enum { LINES_MAX = 40 };

static void groups_check(const struct regex *regex, size_t length)
{
	size_t start;
	size_t size;

	for (unsigned i = 0; i <= REGEX_GROUPS_MAX; i++)
		if (regex_group(regex, i, &start, &size))
			fuzz_need(start <= length && size <= length - start, "a group in the line");
}

static void line_check(struct regex *regex, const char *line, size_t length)
{
	pcre2_code *ascii = regex->ascii;
	enum regex_result fast = regex_match(regex, line, length);
	enum regex_result slow;
	size_t start[2] = { 0 };
	size_t size[2] = { 0 };

	if (fast == REGEX_HIT) {
		groups_check(regex, length);
		(void)regex_group(regex, 0, &start[0], &size[0]);
	}
	regex->ascii = NULL;
	slow = regex_match(regex, line, length);
	regex->ascii = ascii;
	if (fast == REGEX_LIMIT || slow == REGEX_LIMIT)
		return;
	fuzz_need(fast == slow, "both codes say alike");
	if (slow != REGEX_HIT)
		return;
	groups_check(regex, length);
	(void)regex_group(regex, 0, &start[1], &size[1]);
	fuzz_need(start[0] == start[1] && size[0] == size[1], "both match the same");
}

static void names_check(const struct regex *regex)
{
	for (unsigned i = 0; i < regex_name_count(regex); i++) {
		unsigned group = 0;
		const char *name = regex_name(regex, i, &group);

		fuzz_need(*name && group && group <= REGEX_GROUPS_MAX, "a group has a name");
		fuzz_need(regex_group_number(regex, name) != 0, "found by its name");
	}
}

/* The traced one is no less able to say where a match ends. */
static void reach_check(const char *pattern, bool ignore_case, const char *line, size_t length)
{
	struct regex_reach reach;
	struct regex *regex = NULL;
	struct error err = { "" };
	size_t offset = 0;

	if (regex_new_traced(pattern, ignore_case, &regex, &offset, &err) < 0)
		return;
	regex_reach(regex, line, length, &reach);
	fuzz_need(reach.pattern <= strlen(pattern) &&
			  reach.item <= strlen(pattern) - reach.pattern && reach.subject <= length,
		"a place in the pattern and the line");
	regex_free(regex);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct fuzz_input input = { bytes, length };
	bool ignore_case = fuzz_byte(&input) & 1;
	char *pattern = fuzz_text(&input, '\n');
	struct error err = { "" };
	struct regex *regex = NULL;
	size_t offset = 0;
	int rc = regex_new(pattern, ignore_case, &regex, &offset, &err);

	if (rc < 0) {
		fuzz_need(offset <= strlen(pattern) && err.text[0], "says what and where");
		fuzz_need_shown(err.text);
	} else {
		names_check(regex);
	}
	for (int i = 0; i < LINES_MAX && !rc && !fuzz_is_at_end(&input); i++) {
		size_t line_length;
		char *line = fuzz_piece(&input, '\n', &line_length);

		line_check(regex, line, line_length);
		if (i == 0)
			reach_check(pattern, ignore_case, line, line_length);
		free(line);
	}
	regex_free(regex);
	free(pattern);
	return 0;
}
