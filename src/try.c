#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "config.h"
#include "error.h"
#include "filter.h"
#include "lines.h"
#include "tail.h"
#include "text.h"
#include "try_json.h"
#include "utc.h"

enum { EXIT_FINE = 0, EXIT_WRONG = 1, SHOWN_MAX = 4096 };

struct tally {
	uint64_t lines;
	uint64_t hits;
	uint64_t ignored;
	uint64_t cut;
	uint64_t *by_rule; /* owned; hits of each failregex */
	struct try_json json;
};

/* A text that holds an address tag is a rule, not a name. */
static bool is_regex(const char *filter)
{
	static const char *const tags[] = { "<HOST>", "<ADDR>", "<IP4>", "<IP6>", "<DNS>",
		"<SUBNET>", "<CIDR>", "<F-ID", "(?P<host>", "(?P<ip4>", "(?P<ip6>" };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (strstr(filter, tags[i]))
			return true;
	return false;
}

static void print_text(uint64_t number, const struct hit *hit, bool ignored)
{
	char address[IP_TEXT_MAX];
	char shown[512];
	char stamp[UTC_TEXT_MAX];

	if (hit->ip.family)
		ip_format(&hit->ip, address);
	else
		text_render(shown, sizeof(shown), hit->host ? hit->host : "",
			hit->host ? hit->host_length : 0);
	(void)printf("%8" PRIu64 "  %-39s  %-24s  rule %u%s\n", number,
		hit->ip.family ? address : shown,
		hit->has_time ? utc_format_ms(hit->at_ms, stamp) : "no date", hit->rule,
		ignored ? "  ignored" : "");
}

static void try_line(const struct try_options *options, struct filter *filter, const char *line,
	size_t length, struct tally *tally)
{
	enum filter_result result = FILTER_MISS;
	struct hit hit;
	char shown[SHOWN_MAX];

	tally->lines++;
	if (length > TAIL_LINE_MAX)
		tally->cut++;
	else
		result = filter_match(filter, line, length, options->now_s, &hit);
	tally->hits += result == FILTER_HIT;
	if (result == FILTER_HIT)
		tally->by_rule[hit.rule - 1]++;
	tally->ignored += result == FILTER_IGNORED;
	if (result == FILTER_MISS) {
		if (options->missed)
			(void)printf("%8" PRIu64 "  missed: %s\n", tally->lines,
				text_render(shown, sizeof(shown), line, length));
		return;
	}
	if (options->json)
		try_json_hit(&tally->json, tally->lines, &hit, result == FILTER_IGNORED);
	else
		print_text(tally->lines, &hit, result == FILTER_IGNORED);
}

static void print_summary(const struct try_options *options, const struct tally *tally)
{
	uint64_t missed = tally->lines - tally->hits - tally->ignored;

	if (options->json)
		(void)printf("{\"summary\":{\"lines\":%" PRIu64 ",\"hits\":%" PRIu64
			     ",\"ignored\":%" PRIu64 ",\"missed\":%" PRIu64 "}}\n",
			tally->lines, tally->hits, tally->ignored, missed);
	else
		(void)printf("%" PRIu64 " lines: %" PRIu64 " hits, %" PRIu64 " ignored, %" PRIu64
			     " missed%s\n",
			tally->lines, tally->hits, tally->ignored, missed,
			tally->cut ? " (some are over 16 KiB: no rule sees them)" : "");
}

/* Hits of each rule: one that never hits may be the mistake. */
static void print_rules(const struct filter_def *def, const struct tally *tally)
{
	for (size_t i = 0; i < def->n_failregex; i++) {
		const struct config_text *rule = &def->failregex[i];
		char count[32];
		char shown[SHOWN_MAX];

		(void)snprintf(count, sizeof(count), "%" PRIu64 " hits", tally->by_rule[i]);
		(void)printf("  rule %zu  %s  %s:%u  %s\n", i + 1,
			tally->by_rule[i] ? count : "never hit", rule->at.file, rule->at.line,
			text_render_string(shown, sizeof(shown), rule->text));
	}
}

static void print_findings(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		cleanup_free char *text = finding_format(&findings->list[i]);

		(void)fprintf(stderr, "%s\n", text);
	}
}

/* Length of the line at text, its newline counted. */
static size_t line_bytes(const char *text, size_t length)
{
	const char *newline = memchr(text, '\n', length);

	return newline ? (size_t)(newline - text) + 1 : length;
}

/* Lines that the filter passed over. */
static void count_lines(const char *text, size_t length, struct tally *tally)
{
	for (size_t at = 0; at < length;) {
		size_t bytes = line_bytes(text + at, length - at);

		tally->cut += bytes - (text[at + bytes - 1] == '\n') > TAIL_LINE_MAX;
		tally->lines++;
		at += bytes;
	}
}

static void try_lines(const struct try_options *options, struct filter *filter, const char *text,
	size_t length, struct tally *tally)
{
	size_t at = 0;

	while (at < length) {
		size_t skip = options->missed ? 0 : filter_skip(filter, text + at, length - at);
		size_t bytes;

		count_lines(text + at, skip, tally);
		at += skip;
		if (at == length)
			break;
		bytes = line_bytes(text + at, length - at);
		try_line(options, filter, text + at, bytes - (text[at + bytes - 1] == '\n'), tally);
		at += bytes;
	}
}

static int run_file(const struct try_options *options, const struct filter_def *def,
	struct filter *filter)
{
	cleanup_close int fd = open(options->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct tally tally = { .json.out = stdout };
	struct lines lines;
	struct error err;
	struct stat info;
	const char *text;
	size_t length;
	int rc;

	if (fd < 0 || fstat(fd, &info) < 0 || S_ISDIR(info.st_mode)) {
		(void)fprintf(stderr, "voipguard: cannot read %s: %s\n", options->path,
			fd >= 0 ? "it is a directory" : strerror(errno));
		return EXIT_WRONG;
	}
	tally.by_rule = alloc_array(def->n_failregex, sizeof(*tally.by_rule));
	lines_init(&lines, fd);
	while ((rc = lines_next(&lines, &text, &length, &err)) == 0 && length)
		try_lines(options, filter, text, length, &tally);
	lines_done(&lines);
	if (rc) {
		(void)fprintf(stderr, "voipguard: cannot read %s: %s\n", options->path, err.text);
		free(tally.by_rule);
		return EXIT_WRONG;
	}
	print_summary(options, &tally);
	if (!options->json)
		print_rules(def, &tally);
	free(tally.by_rule);
	return fflush(stdout) == 0 ? EXIT_FINE : EXIT_WRONG;
}

int try_run(const struct try_options *options)
{
	struct config_text rule = { .text = (char *)(uintptr_t)options->filter,
		.at = { .file = "rule", .line = 1, .column = 1 } };
	struct filter_def def = { .name = (char *)(uintptr_t) "rule",
		.failregex = &rule,
		.n_failregex = 1,
		.maxlines = 1 };
	struct findings findings = { 0 };
	struct config *config = NULL;
	struct filter *filter = NULL;
	int status = EXIT_WRONG;
	int rc = 0;

	if (!is_regex(options->filter))
		rc = config_load_filter(options->config_dir, NULL, options->filter, &config, &def,
			&findings);
	if (rc == 0)
		filter = filter_new(&def, &findings);
	print_findings(&findings);
	if (filter && !findings.errors)
		status = run_file(options, &def, filter);
	filter_free(filter);
	config_free(config);
	findings_done(&findings);
	return status;
}
