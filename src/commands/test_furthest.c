/* Works in the order of fail2ban: the date is cut out of the line, prefregex narrows the rest, and
 * each failregex is tried on that. The rules are compiled a second time for the interpreter of
 * PCRE2, with a callout before each item of the pattern, which records how far it came. */
#include "commands/test_furthest.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/regex.h"
#include "base/text.h"
#include "config/config.h"
#include "date/date.h"
#include "dialect/tags.h"

enum { MATCHED_SHOWN = 80 };

/* match/rule.c puts this before a rule that sees several lines. */
static const char multiline[] = "(?m)";

/* One rule, and the line in which it came furthest. */
struct traced {
	const struct config_text *source; /* borrowed */
	struct tags tags;
	struct regex *regex; /* owned; NULL: it could not be compiled this way */
	/* bytes that we put before tags.pattern: the length of `multiline`, or 0 */
	size_t before;
	/* best_line 0: no line has been tried */
	struct test_stop best;
	uint64_t best_line;
	char matched[MATCHED_SHOWN];
};

struct test_furthest {
	const struct filter_def *def; /* borrowed */
	struct date *date;            /* owned; NULL: no date is looked for */
	struct traced prefix;
	struct traced *rules; /* owned; as many as the def has */
	char *input;          /* owned */
};

static void traced_init(struct traced *traced, const struct config_text *source,
	const struct filter_def *def)
{
	cleanup_free char *pattern = NULL;
	struct error err;
	size_t offset;

	traced->source = source;
	traced->before = def->maxlines > 1 ? strlen(multiline) : 0;
	if (tags_expand(source->text, def->usedns > USEDNS_NO, &traced->tags, &offset, &err))
		return;
	pattern = alloc_format("%.*s%s", (int)traced->before, multiline, traced->tags.pattern);
	if (regex_new_traced(pattern, false, &traced->regex, &offset, &err))
		tags_done(&traced->tags);
}

static void traced_done(struct traced *traced)
{
	if (traced->regex)
		tags_done(&traced->tags);
	regex_free(traced->regex);
}

static struct date *date_of(const struct filter_def *def)
{
	const char **patterns = alloc_array(def->n_datepattern + 1, sizeof(*patterns));
	struct date *date = NULL;
	struct date_fault fault;
	struct error err;

	for (size_t i = 0; i < def->n_datepattern; i++)
		patterns[i] = def->datepattern[i].text;
	if (date_new(patterns, def->n_datepattern, def->logtimezone.text, &date, &fault, &err) < 0)
		date = NULL; /* filter_new has made a finding of it */
	free(patterns);
	return date;
}

struct test_furthest *test_furthest_new(const struct filter_def *def)
{
	struct test_furthest *furthest = alloc_zero(sizeof(*furthest));

	furthest->def = def;
	furthest->date = def->journal || def->parser.text ? NULL : date_of(def);
	if (def->prefregex.text)
		traced_init(&furthest->prefix, &def->prefregex, def);
	furthest->rules = alloc_array(def->n_failregex, sizeof(*furthest->rules));
	for (size_t i = 0; i < def->n_failregex; i++)
		traced_init(&furthest->rules[i], &def->failregex[i], def);
	return furthest;
}

void test_furthest_free(struct test_furthest *furthest)
{
	if (!furthest)
		return;
	for (size_t i = 0; i < furthest->def->n_failregex; i++)
		traced_done(&furthest->rules[i]);
	traced_done(&furthest->prefix);
	date_free(furthest->date);
	free(furthest->rules);
	free(furthest->input);
	free(furthest);
}

bool test_furthest_date(struct test_furthest *furthest, const char *line, size_t length,
	int64_t now_s, struct test_why *why)
{
	struct date_found found = { 0 };

	*why = (struct test_why){ 0 };
	why->has_date = furthest->date && date_find(furthest->date, line, length, now_s, &found);
	why->date_start = found.cut_start;
	why->date_length = found.cut_length;
	why->at_ms = found.at_ms;
	return why->has_date;
}

/* Makes what the rules get: the line without its date and with a newline. */
static void input_make(struct test_furthest *furthest, const char *line, size_t length,
	struct test_why *why)
{
	size_t behind = why->date_start + why->date_length;

	furthest->input = alloc_grow(furthest->input, length + 1, 1);
	memcpy(furthest->input, line, why->date_start);
	memcpy(furthest->input + why->date_start, line + behind, length - behind);
	why->input = furthest->input;
	why->input_length = length - why->date_length + 1;
	furthest->input[why->input_length - 1] = '\n';
}

/* Tries one rule. False: it does not match, and *ret_stop says where it failed. */
static bool rule_try(struct traced *traced, unsigned rule, const struct test_why *why,
	struct test_stop *ret_stop)
{
	const struct config_text *source = traced->source;
	struct regex_reach reach = { 0 };
	size_t offset = 0;

	if (traced->regex) {
		regex_reach(traced->regex, why->input, why->input_length, &reach);
		if (reach.pattern > traced->before)
			offset = traced->tags.origins[reach.pattern - traced->before];
	}
	*ret_stop = (struct test_stop){
		.rule = rule,
		.at = source->at,
		.text = source->text + offset,
		.share = offset * 1000 / (strlen(source->text) + 1),
		.matched = reach.subject < why->input_length ? reach.subject : why->input_length,
		.is_whole = reach.is_whole,
	};
	if (ret_stop->at.line)
		ret_stop->at.column += (unsigned)offset;
	return reach.is_whole;
}

/* Keeps the line if the rule came further in it than in all before. */
static void remember(struct traced *traced, uint64_t number, const struct test_why *why,
	const struct test_stop *stop)
{
	if (traced->best_line && stop->share <= traced->best.share)
		return;
	traced->best = *stop;
	traced->best_line = number;
	text_render(traced->matched, sizeof(traced->matched), why->input, stop->matched);
}

/* Tries prefregex, and narrows the input to its group "content". False: it does not match. */
static bool prefix_try(struct traced *prefix, uint64_t number, struct test_why *why)
{
	unsigned group = regex_group_number(prefix->regex, "content");
	size_t start;
	size_t length;

	if (!rule_try(prefix, 0, why, &why->best)) {
		remember(prefix, number, why, &why->best);
		return false;
	}
	if (group && regex_group(prefix->regex, group, &start, &length)) {
		why->input += start;
		why->input_length = length;
	}
	return true;
}

void test_furthest_line(struct test_furthest *furthest, uint64_t number, const char *line,
	size_t length, int64_t now_s, struct test_why *why)
{
	(void)test_furthest_date(furthest, line, length, now_s, why);
	input_make(furthest, line, length, why);
	if (furthest->prefix.regex && !prefix_try(&furthest->prefix, number, why))
		return;
	why->best = (struct test_stop){ 0 };
	for (size_t i = 0; i < furthest->def->n_failregex; i++) {
		struct test_stop stop;

		(void)rule_try(&furthest->rules[i], (unsigned)i + 1, why, &stop);
		remember(&furthest->rules[i], number, why, &stop);
		if (!why->best.text || stop.is_whole > why->best.is_whole ||
			(stop.is_whole == why->best.is_whole && stop.share > why->best.share))
			why->best = stop;
	}
}

uint64_t test_furthest_best(const struct test_furthest *furthest, unsigned rule,
	struct test_stop *ret_stop, const char **ret_matched)
{
	const struct traced *traced = rule ? &furthest->rules[rule - 1] : &furthest->prefix;

	*ret_stop = traced->best;
	*ret_matched = traced->matched;
	return traced->best_line;
}
