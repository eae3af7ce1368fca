/* tests/samples/NAME.log belongs to filters/NAME.conf. A line that has something to say has before
 * it # expect: {"host":"198.51.100.1","time":"2026-11-23T09:42:34.807Z","rule":2} where time and
 * rule may be left out; every other line must be a miss (`# expect: none` says so aloud). These
 * hold from their line on: # options: mode=aggressive   options of the filter; nothing behind the
 * colon: none # now: 2016-09-18T05:00:00Z  the clock, for dates without a year # tz: Europe/Berlin
 * the local zone; UTC at the start Other lines with '#' and empty ones are remarks. Each rule of
 * each set of options must hit. */
/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/findings.h"
#include "base/times.h"
#include "config/config.h"
#include "follow/line.h"
#include "match/filter.h"

enum { RULES_MAX = 1000, SETS_MAX = 8, LINE_MAX_BYTES = 600 };

/* The filter with one set of options. */
struct set {
	char *call; /* "sshd[mode=aggressive]", owned */
	char *zone; /* owned */
	struct config *config;
	struct filter_def def;
	struct filter *filter;
	bool seen[RULES_MAX]; /* rules that hit, from 1 */
};

/* A file of samples while it is read. */
struct samples {
	const char *name; /* of the filter */
	char *path;       /* owned */
	unsigned line;
	int64_t now_s;
	char zone[LINE_MAX_BYTES];
	char options[LINE_MAX_BYTES];
	char expect[LINE_MAX_BYTES];
	struct set sets[SETS_MAX];
	size_t n_sets;
};

/* Later than all of the samples that do not say when they are. */
static const int64_t samples_now_s = 1798800000;

static void zone_set(const char *zone)
{
	assert_int_equal(setenv("TZ", zone, 1), 0);
	tzset();
}

static void set_load(struct set *set, const char *call, const char *zone)
{
	struct findings findings = { 0 };

	set->call = alloc_string(call);
	set->zone = alloc_string(zone);
	if (!config_load_filter(NULL, "filters", call, false, &set->config, &set->def, &findings))
		set->filter = filter_new(&set->def, &findings);
	if (findings.count)
		print_error("%s: %s\n", call, findings.list[0].text);
	assert_int_equal(findings.count, 0);
	assert_non_null(set->filter);
	findings_done(&findings);
}

/* The set for the options and the zone that hold now. */
static struct set *set_now(struct samples *samples)
{
	cleanup_free char *call = alloc_format(*samples->options ? "%s[%s]" : "%s%s", samples->name,
		samples->options);
	struct set *set;

	for (size_t i = 0; i < samples->n_sets; i++) {
		set = &samples->sets[i];
		if (!strcmp(set->call, call) && !strcmp(set->zone, samples->zone))
			return set;
	}
	if (samples->n_sets == SETS_MAX)
		fail_msg("%s: more than %d sets of options", samples->path, SETS_MAX);
	set = &samples->sets[samples->n_sets++];
	set_load(set, call, samples->zone);
	return set;
}

static void hit_check(const struct samples *samples, const struct set *set, const struct hit *hit,
	const json_t *wanted)
{
	const char *host = json_string_value(json_object_get(wanted, "host"));
	const char *wanted_time = json_string_value(json_object_get(wanted, "time"));
	const json_t *rule = json_object_get(wanted, "rule");
	char time[UTC_TEXT_MAX];

	utc_format_ms(hit->at_ms, time);
	if (json_is_false(json_object_get(wanted, "charged")) != (hit->proof == HIT_DOUBTFUL))
		fail_msg("%s:%u: %s: charged to %s, expected %s", samples->path, samples->line,
			set->call, hit->proof == HIT_DOUBTFUL ? "nobody" : "its host",
			samples->expect);
	if (!host || hit->host_length != strlen(host) || strncmp(host, hit->host, hit->host_length))
		fail_msg("%s:%u: %s: host %.*s, expected %s", samples->path, samples->line,
			set->call, (int)hit->host_length, hit->host, samples->expect);
	if (!hit->ip.family)
		fail_msg("%s:%u: %s: no address", samples->path, samples->line, set->call);
	if (wanted_time && strcmp(wanted_time, time))
		fail_msg("%s:%u: %s: time %s, expected %s", samples->path, samples->line, set->call,
			time, samples->expect);
	if (rule && hit->rule != json_integer_value(rule))
		fail_msg("%s:%u: %s: rule %u, expected %s", samples->path, samples->line, set->call,
			hit->rule, samples->expect);
}

static void line_check(struct samples *samples, const char *line, size_t length)
{
	struct set *set = set_now(samples);
	struct hit hit;
	bool is_hit = filter_match(set->filter, &(struct line){ .text = line, .length = length },
			      samples->now_s, &hit) == FILTER_HIT;
	json_t *wanted = json_loads(samples->expect, 0, NULL);

	if (*samples->expect && !wanted && strcmp(samples->expect, "none"))
		fail_msg("%s:%u: cannot be read: %s", samples->path, samples->line,
			samples->expect);
	if (is_hit != (wanted != NULL))
		fail_msg("%s:%u: %s: %s %.*s, expected %s", samples->path, samples->line, set->call,
			is_hit ? "hit" : "miss", is_hit ? (int)hit.host_length : 0,
			is_hit ? hit.host : "", *samples->expect ? samples->expect : "none");
	if (is_hit) {
		hit_check(samples, set, &hit, wanted);
		set->seen[hit.rule] = true;
	}
	json_decref(wanted);
	*samples->expect = '\0';
}

/* The text behind "# WORD:", or NULL. */
static const char *remark(const char *line, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(line, "# ", 2) || strncmp(line + 2, word, length) || line[2 + length] != ':')
		return NULL;
	line += 3 + length;
	return line + strspn(line, " ");
}

static void remark_read(struct samples *samples, const char *line)
{
	const char *expect = remark(line, "expect");
	const char *options = remark(line, "options");
	const char *zone = remark(line, "tz");
	const char *now = remark(line, "now");
	struct tm date = { 0 };

	if (expect)
		(void)snprintf(samples->expect, sizeof(samples->expect), "%s", expect);
	if (options)
		(void)snprintf(samples->options, sizeof(samples->options), "%s", options);
	if (zone) {
		(void)snprintf(samples->zone, sizeof(samples->zone), "%s", zone);
		zone_set(zone);
	}
	if (!now)
		return;
	if (!strptime(now, "%Y-%m-%dT%H:%M:%SZ", &date))
		fail_msg("%s:%u: not a time: %s", samples->path, samples->line, now);
	samples->now_s = timegm(&date);
}

static void file_check(struct samples *samples)
{
	FILE *file = fopen(samples->path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	if (!file)
		fail_msg("%s is missing", samples->path);
	while ((length = getline(&line, &room, file)) > 0) {
		samples->line++;
		line[length -= line[length - 1] == '\n'] = '\0';
		if (*line == '#')
			remark_read(samples, line);
		else if (*line)
			line_check(samples, line, (size_t)length);
	}
	if (*samples->expect)
		fail_msg("%s: no line behind the last expectation", samples->path);
	free(line);
	(void)fclose(file);
}

/* Has the rule hit with any set of options? */
static bool text_seen(const struct samples *samples, const char *text)
{
	for (size_t i = 0; i < samples->n_sets; i++) {
		const struct set *set = &samples->sets[i];

		for (unsigned rule = 1; *filter_rule_text(set->filter, rule); rule++)
			if (set->seen[rule] && !strcmp(filter_rule_text(set->filter, rule), text))
				return true;
	}
	return false;
}

static void seen_check(const struct samples *samples)
{
	for (size_t i = 0; i < samples->n_sets; i++) {
		const struct set *set = &samples->sets[i];

		if (strstr(set->call, "logtype=")) /* the same rules behind another prefix */
			continue;
		for (unsigned rule = 1; *filter_rule_text(set->filter, rule); rule++)
			if (!text_seen(samples, filter_rule_text(set->filter, rule)))
				fail_msg("%s: no line for rule %u of %s", samples->path, rule,
					set->call);
	}
}

static void filter_check(const char *name)
{
	struct samples samples = {
		.name = name,
		.path = alloc_format("tests/samples/%s.log", name),
		.now_s = samples_now_s,
		.zone = "UTC",
	};

	zone_set(samples.zone);
	(void)set_now(&samples);
	file_check(&samples);
	seen_check(&samples);
	for (size_t i = 0; i < samples.n_sets; i++) {
		filter_free(samples.sets[i].filter);
		config_free(samples.sets[i].config);
		free(samples.sets[i].call);
		free(samples.sets[i].zone);
	}
	free(samples.path);
}

static void shipped_filters(void **state)
{
	glob_t files;

	(void)state;
	assert_int_equal(glob("filters/*.conf", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *start = strrchr(files.gl_pathv[i], '/') + 1;
		cleanup_free char *name = alloc_format("%.*s", (int)(strlen(start) - 5), start);

		if (!strstr(name, "common")) /* holds text for others */
			filter_check(name);
	}
	globfree(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(shipped_filters) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
