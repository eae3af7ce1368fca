/* Logs of a real Asterisk, each line with its true offender (tests/corpus/asterisk). */
/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/findings.h"
#include "base/times.h"
#include "config/config.h"
#include "follow/line.h"
#include "match/filter.h"

/* Later than all of the logs. */
static const int64_t now_s = 1798800000;

struct fixture {
	struct config *config;
	struct filter_def def;
	struct filter *filter;
};

static int fixture_open(void **state)
{
	static struct fixture fixture;
	struct findings findings = { 0 };

	if (!config_load_filter(NULL, "filters", "asterisk", false, &fixture.config, &fixture.def,
		    &findings))
		fixture.filter = filter_new(&fixture.def, &findings);
	for (size_t i = 0; i < findings.count; i++) {
		char *text = finding_format(&findings.list[i]);

		print_error("%s\n", text);
		free(text);
	}
	findings_done(&findings);
	*state = &fixture;
	return fixture.filter ? 0 : -1;
}

static int fixture_close(void **state)
{
	struct fixture *fixture = *state;

	filter_free(fixture->filter);
	config_free(fixture->config);
	return 0;
}

/* "" : the key is null or missing. */
static const char *text_of(const json_t *truth, const char *key)
{
	const char *text = json_string_value(json_object_get(truth, key));

	return text ? text : "";
}

/* The second of "2026-11-23T09:42:34.807Z", for comparing. */
static bool time_equal(const char *truth, int64_t at_ms)
{
	char text[UTC_TEXT_MAX];

	utc_format(at_ms / 1000, text);
	return strlen(truth) >= 19 && !strncmp(truth, text, 19);
}

/* Returns true for a hit on the offender. */
static bool line_check(struct filter *filter, const char *name, const json_t *truth,
	const char *line, size_t length)
{
	struct hit hit;
	const char *offender = text_of(truth, "offender");
	bool is_hit = filter_match(filter, &(struct line){ .text = line, .length = length }, now_s,
			      &hit) == FILTER_HIT;
	bool may_miss = !*offender || json_is_true(json_object_get(truth, "optional"));
	json_int_t number = json_integer_value(json_object_get(truth, "line"));

	if (!is_hit) {
		if (!may_miss)
			fail_msg("%s:%d: missed %s", name, (int)number, offender);
		return false;
	}
	if (hit.host_length != strlen(offender) ||
		strncmp(hit.host, offender, hit.host_length) != 0)
		fail_msg("%s:%d: charged %.*s, not '%s'", name, (int)number, (int)hit.host_length,
			hit.host, offender);
	if (!time_equal(text_of(truth, "time"), hit.at_ms))
		fail_msg("%s:%d: time %lld, not %s", name, (int)number, (long long)hit.at_ms,
			text_of(truth, "time"));
	return true;
}

/* Nobody is framed, and every offender is found but for those whom no reader can find (optional).
 * Returns the number of hits. */
static size_t log_check(struct filter *filter, const char *name)
{
	char path[200];
	char *line = NULL;
	char *truth_line = NULL;
	size_t room = 0;
	size_t truth_room = 0;
	size_t hits = 0;
	ssize_t length;
	FILE *log;
	FILE *truths;

	(void)snprintf(path, sizeof(path), "tests/corpus/asterisk/%s.log", name);
	log = fopen(path, "re");
	(void)snprintf(path, sizeof(path), "tests/corpus/asterisk/%s.truth.jsonl", name);
	truths = fopen(path, "re");
	assert_non_null(log);
	assert_non_null(truths);
	while ((length = getline(&line, &room, log)) > 0) {
		json_t *truth;

		assert_true(getline(&truth_line, &truth_room, truths) > 0);
		truth = json_loads(truth_line, 0, NULL);
		assert_non_null(truth);
		length -= line[length - 1] == '\n';
		hits += line_check(filter, name, truth, line, (size_t)length);
		json_decref(truth);
	}
	free(line);
	free(truth_line);
	(void)fclose(log);
	(void)fclose(truths);
	return hits;
}

static void captures(void **state)
{
	static const struct {
		const char *name;
		size_t hits_min;
	} logs[] = { { "classic", 60 }, { "default-mixed", 15 }, { "isoms", 15 }, { "isotz", 15 },
		{ "dst", 6 }, { "newyear", 6 }, { "slow", 16 }, { "burst", 12 },
		{ "rotate-messages.0", 3 }, { "rotate-messages.moved", 5 },
		{ "rotate-messages.copied", 3 }, { "rotate-messages", 3 }, { "json", 20 },
		{ "inject", 13 } };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(logs) / sizeof(*logs); i++)
		assert_true(log_check(fixture->filter, logs[i].name) >= logs[i].hits_min);
	assert_int_equal(filter_limit_hits(fixture->filter), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(captures),
	};

	return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
