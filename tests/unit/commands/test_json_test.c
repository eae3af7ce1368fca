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

#include "base/alloc.h"
#include "base/text.h"
#include "base/times.h"
#include "commands/test_json.h"
#include "match/filter.h"

/* What is written for hit, without its newline; the caller frees. */
static char *written(struct test_json *state, uint64_t number, const struct hit *hit, bool ignored)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	state->out = out;
	test_json_hit(state, number, hit, ignored);
	assert_int_equal(fclose(out), 0);
	assert_true(length > 0 && text[length - 1] == '\n');
	text[length - 1] = '\0';
	assert_null(strchr(text, '\n'));
	return text;
}

static json_t *rendered(const char *bytes, size_t length)
{
	char shown[8 * HIT_TEXT_MAX];

	return json_string(text_render(shown, sizeof(shown), bytes, length));
}

/* The same by the library. */
static char *expected(uint64_t number, const struct hit *hit, const char *address, bool ignored,
	const char *proof)
{
	json_t *fields = json_object();
	json_t *epoch = json_null();
	char stamp[UTC_TEXT_MAX];
	char *text;
	json_t *object;

	for (size_t i = 0; i < hit->n_fields; i++)
		assert_int_equal(json_object_set_new(fields, hit->fields[i].name,
					 rendered(hit->fields[i].value, hit->fields[i].length)),
			0);
	if (hit->has_time)
		epoch = hit->at_ms % 1000 ? json_real((double)hit->at_ms / 1000)
					  : json_integer(hit->at_ms / 1000);
	object = json_pack("{s:I,s:o,s:o,s:o,s:i,s:b,s:s,s:o}", "line", (json_int_t)number, "host",
		address     ? json_string(address)
		: hit->host ? rendered(hit->host, hit->host_length)
			    : json_null(),
		"time", hit->has_time ? json_string(utc_format_ms(hit->at_ms, stamp)) : json_null(),
		"epoch", epoch, "regex", (int)hit->rule, "ignored", ignored, "proof", proof,
		"fields", fields);
	assert_non_null(object);
	text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_decref(object);
	return text;
}

static void compare(struct test_json *state, const struct hit *hit, const char *address,
	bool ignored, const char *proof)
{
	cleanup_free char *ours = written(state, 4294967297, hit, ignored);
	cleanup_free char *theirs = expected(4294967297, hit, address, ignored, proof);

	assert_string_equal(ours, theirs);
}

static void times(void **state)
{
	struct test_json json = { 0 };
	static const int64_t rows[] = { 0, 1, 10, 100, 999, 1000, 1001, 1795426955686,
		1795426955600, 1795426955060, 253402300799999, -1, -999, -1000, -1500,
		-62167219200000, -62167219200001, 1795426955686, 1795427014999, 1795427015000,
		253402300800001 };
	struct hit hit = { .host = "x", .host_length = 1, .rule = 3 };

	(void)state;
	compare(&json, &hit, NULL, false, "unproven");
	hit.has_time = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		hit.at_ms = rows[i];
		compare(&json, &hit, NULL, true, "unproven");
	}
}

static void hosts(void **state)
{
	struct test_json json = { 0 };
	static const char *const rows[] = { "0.0.0.0", "192.0.2.1", "203.0.113.255", "10.100.9.99",
		"2001:db8::1" };
	struct hit hit = { .rule = 1 };

	(void)state;
	compare(&json, &hit, NULL, false, "unproven");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(ip_parse(rows[i], strlen(rows[i]), &hit.ip), 0);
		compare(&json, &hit, rows[i], false, "unproven");
	}
	hit.ip = ip_mask(&hit.ip, 64);
	compare(&json, &hit, "2001:db8::/64", false, "unproven");
}

static void proofs(void **state)
{
	struct test_json json = { 0 };
	static const struct {
		const char *host;
		bool proven;
		const char *proof;
	} rows[] = { { "192.0.2.1", false, "unproven" }, { "192.0.2.1", true, "proven" },
		{ "x", true, "unproven" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct hit hit = { .host = "x",
			.host_length = 1,
			.proof = rows[i].proven ? HIT_PROVEN : HIT_UNPROVEN };
		bool is_name = !strcmp(rows[i].host, "x");

		if (!is_name)
			assert_int_equal(ip_parse(rows[i].host, strlen(rows[i].host), &hit.ip), 0);
		compare(&json, &hit, is_name ? NULL : rows[i].host, false, rows[i].proof);
	}
}

/* Every byte alone and between others, then the longest values of the worst kind. */
static void bytes(void **state)
{
	struct test_json json = { 0 };
	static const char *const worst[] = { "\\", "\"", "\xff", "\x1b", "\xc3\xa4",
		"\xf0\x9f\x98\x80", "\xe2\x80\xae", "\x7f" };

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		const char text[] = { 'a', (char)byte, (char)(byte ^ 0x55), 'z' };
		struct hit hit = { .host = text, .host_length = sizeof(text), .n_fields = 2 };

		hit.fields[0] = (struct hit_field){ "user", text + 1, 1 };
		hit.fields[1] = (struct hit_field){ "session", text, sizeof(text) };
		compare(&json, &hit, NULL, false, "unproven");
	}
	for (size_t i = 0; i < sizeof(worst) / sizeof(*worst); i++) {
		static const char names[] = "abcdefghijklmnop";
		char name[HIT_FIELDS_MAX][2];
		char text[HIT_TEXT_MAX];
		struct hit hit = { .host = text, .host_length = sizeof(text) };

		for (size_t at = 0; at < sizeof(text); at++)
			text[at] = worst[i][at % strlen(worst[i])];
		for (size_t k = 0; k < HIT_FIELDS_MAX; k++) {
			name[k][0] = names[k];
			name[k][1] = '\0';
			hit.fields[hit.n_fields++] =
				(struct hit_field){ name[k], text, sizeof(text) };
		}
		compare(&json, &hit, NULL, false, "unproven");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(times), cmocka_unit_test(hosts),
		cmocka_unit_test(proofs), cmocka_unit_test(bytes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
