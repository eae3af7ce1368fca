#include "try.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "alloc.h"
#include "config.h"
#include "error.h"
#include "filter.h"
#include "tail.h"
#include "text.h"
#include "utc.h"

enum { EXIT_FINE = 0, EXIT_WRONG = 1, SHOWN_MAX = 4096 };

struct tally {
	uint64_t lines;
	uint64_t hits;
	uint64_t ignored;
	uint64_t cut;
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

/* *ret_hosts: the texts of one hit are rendered into storage. */
static json_t *rendered(const char *bytes, size_t length)
{
	char shown[SHOWN_MAX];

	return json_string(text_render(shown, sizeof(shown), bytes, length));
}

static json_t *host_json(const struct hit *hit)
{
	char address[IP_TEXT_MAX];

	if (hit->ip.family)
		return json_string(ip_format(&hit->ip, address));
	return hit->host ? rendered(hit->host, hit->host_length) : json_null();
}

static bool is_proven(const struct hit *hit)
{
	for (size_t i = 0; i < hit->n_fields; i++)
		if (strcmp(hit->fields[i].name, "transport") == 0)
			return !(hit->fields[i].length == 3 &&
				 memcmp(hit->fields[i].value, "UDP", 3) == 0);
	return false;
}

static void print_json(uint64_t number, const struct hit *hit, bool ignored)
{
	json_t *object = json_object();
	json_t *fields = json_object();
	char stamp[UTC_TEXT_MAX];
	char *text;

	for (size_t i = 0; i < hit->n_fields; i++)
		json_object_set_new(fields, hit->fields[i].name,
			rendered(hit->fields[i].value, hit->fields[i].length));
	json_object_set_new(object, "line", json_integer((json_int_t)number));
	json_object_set_new(object, "host", host_json(hit));
	json_object_set_new(object, "time",
		hit->has_time ? json_string(utc_format_ms(hit->at_ms, stamp)) : json_null());
	if (!hit->has_time)
		json_object_set_new(object, "epoch", json_null());
	else if (hit->at_ms % 1000 == 0)
		json_object_set_new(object, "epoch", json_integer(hit->at_ms / 1000));
	else
		json_object_set_new(object, "epoch", json_real((double)hit->at_ms / 1000));
	json_object_set_new(object, "regex", json_integer(hit->rule));
	json_object_set_new(object, "ignored", json_boolean(ignored));
	json_object_set_new(object, "proof", json_string(is_proven(hit) ? "proven" : "unproven"));
	json_object_set_new(object, "fields", fields);
	text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
	(void)printf("%s\n", text ? text : "{}");
	free(text);
	json_decref(object);
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
	tally->ignored += result == FILTER_IGNORED;
	if (result == FILTER_MISS) {
		if (options->missed)
			(void)printf("%8" PRIu64 "  missed: %s\n", tally->lines,
				text_render(shown, sizeof(shown), line, length));
		return;
	}
	if (options->json)
		print_json(tally->lines, &hit, result == FILTER_IGNORED);
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

static void print_findings(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		cleanup_free char *text = finding_format(&findings->list[i]);

		(void)fprintf(stderr, "%s\n", text);
	}
}

static int run_file(const struct try_options *options, struct filter *filter)
{
	cleanup_file FILE *file = fopen(options->path, "re");
	cleanup_free char *line = NULL;
	struct tally tally = { 0 };
	struct stat info;
	size_t room = 0;
	ssize_t length;

	if (!file || fstat(fileno(file), &info) < 0 || S_ISDIR(info.st_mode)) {
		(void)fprintf(stderr, "voipguard: cannot read %s: %s\n", options->path,
			file ? "it is a directory" : strerror(errno));
		return EXIT_WRONG;
	}
	while ((length = getline(&line, &room, file)) >= 0) {
		if (length > 0 && line[length - 1] == '\n')
			length--;
		try_line(options, filter, line, (size_t)length, &tally);
	}
	if (ferror(file)) {
		(void)fprintf(stderr, "voipguard: cannot read %s: %s\n", options->path,
			strerror(errno));
		return EXIT_WRONG;
	}
	print_summary(options, &tally);
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
		status = run_file(options, filter);
	filter_free(filter);
	config_free(config);
	findings_done(&findings);
	return status;
}
