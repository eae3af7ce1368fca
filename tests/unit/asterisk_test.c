#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "asterisk.h"
#include "utc.h"

static const char *text_of(const json_t *truth, const char *key)
{
	const char *text = json_string_value(json_object_get(truth, key));

	return text ? text : "";
}

static bool is_offence(const struct asterisk_record *record)
{
	static const char *const events[] = { "FailedACL", "InvalidAccountID",
		"ChallengeResponseFailed", "InvalidPassword" };

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (record->event.length == strlen(events[i]) &&
			memcmp(record->event.text, events[i], record->event.length) == 0)
			return true;
	return false;
}

static unsigned wrong, missed, missed_optional, hits;

static void check_line(struct asterisk *reader, const char *name, const json_t *truth,
	const char *line, size_t length)
{
	const char *offender = text_of(truth, "offender");
	struct asterisk_record record;
	enum asterisk_kind kind = asterisk_read(reader, line, length, &record);
	int number = (int)json_integer_value(json_object_get(truth, "line"));
	char address[IP_TEXT_MAX] = "";
	char at[UTC_TEXT_MAX] = "";

	if (kind == ASTERISK_RECORD && is_offence(&record)) {
		ip_format(&record.ip, address);
		utc_format_ms(record.at_ms, at);
	}
	if (address[0] && strcmp(address, offender)) {
		print_message("%s:%d: charged %s, not '%s'\n", name, number, address, offender);
		wrong++;
	} else if (address[0] && strncmp(at, text_of(truth, "time"), 19)) {
		print_message("%s:%d: at %s, not %s\n", name, number, at, text_of(truth, "time"));
		wrong++;
	} else if (!address[0] && *offender) {
		bool optional = json_is_true(json_object_get(truth, "optional"));

		print_message("%s:%d: %s, missed %s%s (%s)\n", name, number,
			asterisk_kind_text(kind), offender, optional ? " (optional)" : "",
			text_of(truth, "note"));
		missed += !optional;
		missed_optional += optional;
	} else {
		hits += address[0] != 0;
	}
}

static void check_log(const char *name)
{
	struct asterisk *reader = asterisk_new();
	char path[200];
	char *line = NULL;
	char *truth_line = NULL;
	size_t room = 0;
	size_t truth_room = 0;
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
		check_line(reader, name, truth, line, (size_t)length);
		json_decref(truth);
	}
	free(line);
	free(truth_line);
	(void)fclose(log);
	(void)fclose(truths);
	asterisk_free(reader);
}

static void captures(void **state)
{
	static const char *const logs[] = { "classic", "default-mixed", "isoms", "isotz", "dst",
		"newyear", "slow", "burst", "json", "inject", "rotate-messages.0",
		"rotate-messages.moved", "rotate-messages.copied", "rotate-messages" };

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
		check_log(logs[i]);
	print_message("%u hits, %u wrong, %u missed, %u optional missed\n", hits, wrong, missed,
		missed_optional);
	assert_int_equal(wrong, 0);
	assert_int_equal(missed, 0);
	assert_true(hits >= 215);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(captures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
