#include "commands/test.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "commands/client.h"
#include "commands/test_furthest.h"
#include "commands/test_input.h"
#include "commands/test_json.h"
#include "commands/test_tally.h"
#include "commands/test_text.h"
#include "config/config.h"
#include "dialect/tags.h"
#include "follow/line.h"
#include "follow/tail.h"
#include "match/filter.h"
#include "match/records.h"

/* One run of the command. */
struct trial {
	const struct test_options *options;
	const struct filter_def *def;
	struct filter *filter;          /* borrowed */
	struct test_furthest *furthest; /* owned */
	struct test_tally tally;
	struct test_json json;
	struct test_text text;
};

/* A text with a tag for the address, such as <HOST>, is a rule and not the name of a filter. */
static bool is_regex(const char *filter)
{
	return tags_say_who(filter) || strstr(filter, "<F-") || strstr(filter, "<CIDR>");
}

/* Whether the text has signs that no name has: then it is a rule whose author has left the address
 * out. */
static bool looks_like_regex(const char *filter)
{
	size_t name = strcspn(filter, "[");

	return !text_ends_in(filter, ".conf") && strcspn(filter, "\\^$(|*+? ") < name;
}

/* Prints a line that the parser gave up on, so that no rule has seen it. */
static void unsound_line(struct trial *trial, const char *line, size_t length)
{
	enum asterisk_kind kind = filter_records(trial->filter)->kind;
	const char *name = asterisk_kind_text(kind);
	const char *why = asterisk_kind_why(kind);

	if (filter_records(trial->filter)->waits) {
		name = "waits";
		why = "is of a record that a newline in a caller's value has broken: the next may "
		      "end it";
	}
	if (trial->options->json)
		test_json_unsound(&trial->json, trial->tally.lines, line, length, name, why);
	else
		test_text_unsound(&trial->text, trial->tally.lines, line, length, name, why);
}

/* Counts a line that is no hit, and with --missed prints it. held: the number of the rule that
 * keeps it for its session, 0: none does. */
static void missed_line(struct trial *trial, unsigned held, const char *line, size_t length)
{
	const struct records *records = filter_records(trial->filter);
	const char *seen = line;
	size_t seen_length = length;
	struct test_why why;

	if (held)
		trial->tally.held[held - 1]++;
	if (!trial->options->missed || length > TAIL_LINE_MAX)
		return;
	if (trial->def->parser.text) {
		if (records->kind != ASTERISK_RECORD && records->kind != ASTERISK_SYSLOG) {
			unsound_line(trial, line, length);
			return;
		}
		seen = records->record.text.text;
		seen_length = records->record.text.length;
	}
	if (!trial->options->json) {
		test_text_missed(&trial->text, trial->tally.lines, held, line, length, seen,
			seen_length);
		return;
	}
	if (trial->text.explained++ < TEST_EXPLAINED_MAX) {
		test_furthest_line(trial->furthest, trial->tally.lines, seen, seen_length,
			trial->options->now_s, &why);
		test_json_missed(&trial->json, trial->tally.lines, line, length, &why);
	} else {
		test_json_missed(&trial->json, trial->tally.lines, line, length, NULL);
	}
}

/* Tells the filter of a piece of the rest of a line that was cut: it may count what is in it. */
static void rest_try(const struct trial *trial, const char *text, size_t length)
{
	const struct line piece = { .text = text, .length = length, .rest = true };
	struct hit hit;

	(void)filter_match(trial->filter, &piece, trial->options->now_s, &hit); /* always a miss */
}

/* Tries the filter on one line. ahead: how many bytes that follow its newline are in memory behind
 * it. */
static void line_try(struct trial *trial, const char *line, size_t length, size_t ahead)
{
	bool is_cut = length > TAIL_LINE_MAX;
	const struct line tried = { .text = line,
		.length = is_cut ? TAIL_LINE_MAX : length,
		.ahead = is_cut ? 0 : ahead,
		.cut = is_cut };
	struct test_tally *tally = &trial->tally;
	enum filter_result result;
	struct hit hit = { 0 };

	tally->lines++;
	tally->cut += is_cut;
	result = filter_match(trial->filter, &tried, trial->options->now_s, &hit);
	if (result == FILTER_MISS) {
		missed_line(trial, hit.rule, line, length);
		if (is_cut)
			rest_try(trial, line + TAIL_LINE_MAX, length - TAIL_LINE_MAX);
		return;
	}
	tally->hits += result == FILTER_HIT;
	tally->ignored += result == FILTER_IGNORED;
	if (result == FILTER_HIT)
		tally->by_rule[hit.rule - 1]++;
	if (trial->options->json)
		test_json_hit(&trial->json, tally->lines, &hit, result == FILTER_IGNORED);
	else
		test_text_hit(&trial->text, tally->lines, line, length, &hit,
			result == FILTER_IGNORED);
}

static void lines_try(struct trial *trial, const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		const char *newline = memchr(text + at, '\n', length - at);
		size_t end = newline ? (size_t)(newline - text) : length;
		size_t next = newline ? end + 1 : length;

		line_try(trial, text + at, end - at, length - next);
		at = next;
	}
}

static int read_lines(struct trial *trial, int fd)
{
	struct test_input input;
	struct error err;
	const char *text;
	size_t length;
	int rc;

	test_input_init(&input, fd);
	while ((rc = test_input_next(&input, &text, &length, &err)) == 0 && length)
		if (input.is_rest)
			rest_try(trial, text, length);
		else
			lines_try(trial, text, length);
	test_input_done(&input);
	if (rc == 0)
		return EXIT_DONE;
	return client_say(EXIT_NO, "cannot read %s: %s",
		text_shown_string(trial->options->path).text, err.text);
}

static int run_file(const struct test_options *options, const struct filter_def *def,
	struct filter *filter)
{
	cleanup_close int fd = -1;
	struct trial trial = { .options = options, .def = def, .filter = filter };
	struct error err;
	int status;

	if (test_input_open(options->path, &fd, &err) < 0)
		return client_say(EXIT_NO, "%s", err.text);
	trial.furthest = test_furthest_new(def);
	trial.tally.by_rule = alloc_array(def->n_failregex, sizeof(*trial.tally.by_rule));
	trial.tally.held = alloc_array(def->n_failregex, sizeof(*trial.tally.held));
	trial.json.out = stdout;
	trial.text = (struct test_text){ .out = stdout,
		.def = def,
		.furthest = trial.furthest,
		.now_s = options->now_s };
	status = read_lines(&trial, fd);
	if (status == EXIT_DONE) {
		if (options->json)
			test_json_summary(&trial.json, &trial.tally, filter);
		else
			test_text_summary(&trial.text, &trial.tally, filter);
		status = fflush(stdout) == 0 && !ferror(stdout) ? EXIT_DONE : EXIT_NO;
	}
	test_furthest_free(trial.furthest);
	free(trial.tally.by_rule);
	free(trial.tally.held);
	return status;
}

/* Finds what options->filter means; leaves *def as it is if that is a rule. -1: the findings say
 * why. */
static int load(const struct test_options *options, struct config **ret_config,
	struct filter_def *def, struct findings *findings)
{
	static const struct position at = { .file = "filter", .line = 0 };

	if (is_regex(options->filter))
		return 0;
	if (looks_like_regex(options->filter))
		return finding_error(findings, &at,
			"neither a filter's name, nor a file that ends in .conf, nor a rule: a rule "
			"says where the address stands by <HOST>, <ADDR> or <F-ID/>");
	return config_load_filter(options->config_dir, NULL, options->filter, options->journal,
		ret_config, def, findings);
}

int test_run(const struct test_options *options)
{
	struct config_text rule = { .text = (char *)(uintptr_t)options->filter,
		.at = { .file = "rule", .line = 1, .column = 1 } };
	struct filter_def def = { .name = (char *)(uintptr_t) "rule",
		.failregex = &rule,
		.n_failregex = 1,
		.maxlines = 1,
		.journal = options->journal };
	struct findings findings = { 0 };
	struct config *config = NULL;
	struct filter *filter = NULL;
	int status = EXIT_NO;

	if (load(options, &config, &def, &findings) == 0) {
		/* host names are shown as they stand: none is looked up, and none is proven */
		if (def.usedns == USEDNS_UNSET)
			def.usedns = USEDNS_YES;
		filter = filter_new(&def, &findings);
	}
	findings_print(&findings, stderr);
	if (filter && !findings.errors)
		status = run_file(options, &def, filter);
	filter_free(filter);
	config_free(config);
	findings_done(&findings);
	return status;
}
