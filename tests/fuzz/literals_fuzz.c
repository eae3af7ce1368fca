/* The literals of a rule are in every line that it matches: checked against the regex itself, over
 * lines with and without a date cut out. Input: a number for the date, a rule, log lines. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/regex.h"
#include "date/date.h"
#include "dialect/tags.h"
#include "match/literals.h"

enum { LINES_MAX = 40 };

static const char *const patterns[] = { "{NONE}", "%Y-%m-%d", "{UNB}%H:%M", "^%b %d", "x(%Y)y",
	"{^LN-BEG}EPOCH", "{UNB}(%d)" };
enum { PATTERNS = sizeof(patterns) / sizeof(*patterns) };

static struct date *date_of(size_t number)
{
	static struct date *dates[PATTERNS];
	struct date_fault fault;
	struct error err;

	if (!dates[number])
		fuzz_need(date_new(&patterns[number], 1, "UTC", &dates[number], &fault, &err) == 0,
			"a date pattern of ours");
	return dates[number];
}

/* As filter.c cuts it, with the newline behind. */
static char *cut_of(struct date *date, const char *line, size_t length, size_t *ret_length)
{
	struct date_found found = { 0 };
	char *cut = malloc(length + 1);
	size_t rest;

	fuzz_need(cut, "memory");
	(void)date_find(date, line, length, FUZZ_NOW_S, &found);
	rest = found.cut_start + found.cut_length;
	if (length)
		memcpy(cut, line, found.cut_start);
	if (length > rest)
		memcpy(cut + found.cut_start, line + rest, length - rest);
	*ret_length = length - found.cut_length + 1;
	cut[*ret_length - 1] = '\n';
	return cut;
}

static void line_check(struct regex *regex, struct date *date, const struct literals *set,
	const char *line, size_t length)
{
	size_t cut_length;
	char *cut = cut_of(date, line, length, &cut_length);
	bool hits = regex_match(regex, cut, cut_length) == REGEX_HIT;

	for (size_t i = 0; i < set->count; i++) {
		const struct literal *literal = &set->list[i].literal;

		fuzz_need(!hits || memmem(line, length, literal->bytes, literal->length),
			"no match without the literal");
	}
	free(cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct fuzz_input input = { bytes, length };
	struct date *date = date_of(fuzz_byte(&input) % PATTERNS);
	char *rule = fuzz_text(&input, '\n');
	struct literals set = { 0 };
	struct literals_needed needed = { 0 };
	struct literals_cut cut = { 0 };
	struct tags tags = { 0 };
	struct regex *regex = NULL;
	struct error err = { "" };
	size_t offset = 0;

	date_borders(date, cut.before, cut.behind);
	if (tags_expand(rule, true, &tags, &offset, &err) < 0)
		fuzz_need(offset <= strlen(rule) && err.text[0], "a place in the rule");
	else if (regex_new(tags.pattern, false, &regex, &offset, &err) < 0)
		fuzz_need(offset <= strlen(tags.pattern) && err.text[0], "a place in the regex");
	else
		literals_add(&set, tags.pattern, &cut, &needed);
	fuzz_need_shown(err.text);
	for (size_t i = 0, before = LITERAL_BYTES_MAX; i < needed.count; i++) {
		size_t size = set.list[needed.numbers[i]].literal.length;

		fuzz_need(size >= LITERAL_BYTES_MIN && size <= before, "the longest first");
		before = size;
	}
	for (int i = 0; i < LINES_MAX && regex && !fuzz_is_at_end(&input); i++) {
		size_t line_length;
		char *line = fuzz_piece(&input, '\n', &line_length);

		line_check(regex, date, &set, line, line_length);
		free(line);
	}
	literals_done(&set);
	regex_free(regex);
	tags_done(&tags);
	free(rule);
	return 0;
}
