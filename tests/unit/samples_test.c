/* tests/samples/NAME.log belongs to filters/NAME.conf. Before each log line stands what it must do:
 *   # expect: {"host":"198.51.100.1","time":"2026-11-23T09:42:34.807Z","rule":2}
 *   # expect: none
 * Other lines with '#' and empty ones are remarks. */
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

#include <jansson.h>

#include "config.h"
#include "filter.h"
#include "finding.h"
#include "utc.h"

/* Later than all of the samples. */
static const int64_t now_s = 1798800000;

enum { RULES_MAX = 1000 };

static void line_check(struct filter *filter, const char *where, const char *expect,
	const char *line, size_t length, bool seen[RULES_MAX])
{
	struct hit hit;
	bool is_hit = filter_match(filter, line, length, now_s, &hit) == FILTER_HIT;
	json_t *wanted = json_loads(expect, 0, NULL);
	char time[UTC_TEXT_MAX];
	const char *host = json_string_value(json_object_get(wanted, "host"));
	const char *wanted_time = json_string_value(json_object_get(wanted, "time"));

	if (is_hit != (wanted != NULL))
		fail_msg("%s: %s, expected %s", where, is_hit ? "hit" : "miss", expect);
	if (!is_hit)
		return;
	utc_format_ms(hit.at_ms, time);
	if (!host || hit.host_length != strlen(host) || strncmp(host, hit.host, hit.host_length))
		fail_msg("%s: host %.*s, expected %s", where, (int)hit.host_length, hit.host,
			expect);
	if (wanted_time && strcmp(wanted_time, time))
		fail_msg("%s: time %s, expected %s", where, time, expect);
	if (hit.rule != json_integer_value(json_object_get(wanted, "rule")))
		fail_msg("%s: rule %u, expected %s", where, hit.rule, expect);
	seen[hit.rule] = true;
	json_decref(wanted);
}

static void file_check(struct filter *filter, const char *path, bool seen[RULES_MAX])
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	char expect[500] = "";
	ssize_t length;
	unsigned number = 0;

	if (!file)
		fail_msg("%s is missing", path);
	while ((length = getline(&line, &room, file)) > 0) {
		char where[300];

		number++;
		line[length -= line[length - 1] == '\n'] = '\0';
		(void)snprintf(where, sizeof(where), "%s:%u", path, number);
		if (!strncmp(line, "# expect: ", 10)) {
			(void)snprintf(expect, sizeof(expect), "%s", line + 10);
		} else if (*line && *line != '#') {
			if (!*expect)
				fail_msg("%s: no expectation", where);
			line_check(filter, where, expect, line, (size_t)length, seen);
			*expect = '\0';
		}
	}
	free(line);
	(void)fclose(file);
}

static void filter_check(const char *name)
{
	static bool seen[RULES_MAX];
	struct findings findings = { 0 };
	struct config *config = NULL;
	struct filter_def def;
	struct filter *filter = NULL;
	char path[200];

	memset(seen, 0, sizeof(seen));
	if (!config_load_filter(NULL, "filters", name, false, &config, &def, &findings))
		filter = filter_new(&def, &findings);
	if (findings.count)
		print_error("%s\n", findings.list[0].text);
	assert_int_equal(findings.count, 0);
	assert_non_null(filter);
	(void)snprintf(path, sizeof(path), "tests/samples/%s.log", name);
	file_check(filter, path, seen);
	for (unsigned rule = 1; *filter_rule_text(filter, rule); rule++)
		if (!seen[rule])
			fail_msg("%s: no line for rule %u", path, rule);
	findings_done(&findings);
	filter_free(filter);
	config_free(config);
}

static void shipped_filters(void **state)
{
	glob_t files;

	(void)state;
	assert_int_equal(glob("filters/*.conf", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char name[100];
		const char *start = strrchr(files.gl_pathv[i], '/') + 1;

		(void)snprintf(name, sizeof(name), "%.*s", (int)(strlen(start) - 5), start);
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
