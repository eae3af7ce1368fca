/* The JSON is put together by hand: to build a tree of jansson and print it costs more than to find
 * the hit. */
#include "commands/test_json.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "commands/test_furthest.h"
#include "commands/test_tally.h"
#include "match/filter.h"
#include "match/records.h"

/* A byte of a text becomes at most five, "\\xNN", when it is rendered and escaped; names of groups
 * have at most 128 bytes (PCRE2). So the host and all fields fit; what would not fit is left out.
 */
enum {
	NAME_MAX_BYTES = 128,
	TEXT_MAX_BYTES = 5 * HIT_TEXT_MAX + 8,
	PIECE_MAX_BYTES = TEXT_MAX_BYTES + 5 * NAME_MAX_BYTES + 8,
	MINUTE_MS = 60000,
	JSON_MAX_BYTES = (HIT_FIELDS_MAX + 1) * PIECE_MAX_BYTES + 512,
};

struct json_line {
	char bytes[JSON_MAX_BYTES];
	size_t used;
};

static void put(struct json_line *json, const char *bytes, size_t length)
{
	if (length > sizeof(json->bytes) - json->used)
		return;
	memcpy(json->bytes + json->used, bytes, length);
	json->used += length;
}

static void put_string(struct json_line *json, const char *text)
{
	put(json, text, strlen(text));
}

static void put_number(struct json_line *json, uint64_t number)
{
	char digits[20]; /* of 2^64 */
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	put(json, digits + at, sizeof(digits) - at);
}

static bool is_plain(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] < ' ' || bytes[i] > '~' || bytes[i] == '"' || bytes[i] == '\\')
			return false;
	return true;
}

/* Puts a string in quotes. Rendered text is UTF-8 without control bytes, so only quote and
 * backslash need an escape. */
static void put_text(struct json_line *json, const char *bytes, size_t length)
{
	char shown[TEXT_MAX_BYTES];

	put(json, "\"", 1);
	if (is_plain(bytes, length)) {
		put(json, bytes, length);
	} else {
		text_render(shown, sizeof(shown), bytes, length);
		for (const char *at = shown; *at; at++) {
			if (*at == '"' || *at == '\\')
				put(json, "\\", 1);
			put(json, at, 1);
		}
	}
	put(json, "\"", 1);
}

static void put_host(struct json_line *json, const struct hit *hit)
{
	char address[IP_TEXT_MAX];

	put_string(json, ",\"host\":");
	if (hit->ip.family == 4 && ip_is_host(&hit->ip)) {
		for (int i = 0; i < 4; i++) {
			put(json, i ? "." : "\"", 1);
			put_number(json, hit->ip.bytes[i]);
		}
		put(json, "\"", 1);
	} else if (hit->ip.family) {
		ip_format(&hit->ip, address);
		put_text(json, address, strlen(address));
	} else if (hit->host) {
		put_text(json, hit->host, hit->host_length);
	} else {
		put_string(json, "null");
	}
}

/* Seconds since the epoch, with a fraction that has no zeros at its end: 1795423860.25 */
static void put_epoch(struct json_line *json, int64_t at_ms)
{
	uint64_t ms = at_ms < 0 ? -(uint64_t)at_ms : (uint64_t)at_ms;
	char fraction[] = { '.', (char)('0' + ms % 1000 / 100), (char)('0' + ms % 100 / 10),
		(char)('0' + ms % 10) };
	size_t length = sizeof(fraction);

	if (at_ms < 0)
		put(json, "-", 1);
	put_number(json, ms / 1000);
	while (length > 1 && fraction[length - 1] == '0')
		length--;
	if (length > 1)
		put(json, fraction, length);
}

/* RFC 3339 in UTC: 2026-11-23T08:51:09.250Z. Only the text up to the minute comes from
 * utc_format(), once for each minute; the rest is counted in it, as time_t knows no leap second. */
static void put_stamp(struct json_line *json, struct test_json *state, int64_t at_ms)
{
	int64_t minute = at_ms / MINUTE_MS - (at_ms % MINUTE_MS < 0);
	int rest = (int)(at_ms - minute * MINUTE_MS);
	char tail[] = { (char)('0' + rest / 10000), (char)('0' + rest / 1000 % 10), '.',
		(char)('0' + rest / 100 % 10), (char)('0' + rest / 10 % 10),
		(char)('0' + rest % 10) };

	if (!state->has_stamp || state->minute != minute) {
		utc_format(minute * (MINUTE_MS / 1000), state->stamp);
		state->minute = minute;
		state->has_stamp = true;
	}
	if (!state->stamp[0]) /* utc_format() gives no text for a year that has not four digits */
		return;
	put(json, state->stamp, sizeof("2026-11-23T08:51:") - 1);
	put(json, tail, rest % 1000 ? sizeof(tail) : 2);
	put(json, "Z", 1);
}

static void put_time(struct json_line *json, struct test_json *state, const struct hit *hit)
{
	if (!hit->has_time) {
		put_string(json, ",\"time\":null,\"epoch\":null");
		return;
	}
	put_string(json, ",\"time\":\"");
	put_stamp(json, state, hit->at_ms);
	put_string(json, "\",\"epoch\":");
	put_epoch(json, hit->at_ms);
}

void test_json_hit(struct test_json *state, uint64_t number, const struct hit *hit, bool ignored)
{
	struct json_line json;

	json.used = 0;
	put_string(&json, "{\"line\":");
	put_number(&json, number);
	put_host(&json, hit);
	put_time(&json, state, hit);
	put_string(&json, ",\"regex\":");
	put_number(&json, hit->rule);
	put_string(&json, ignored ? ",\"ignored\":true" : ",\"ignored\":false");
	if (hit->doubtful)
		put_string(&json, ",\"charged\":false");
	put_string(&json, ",\"proof\":");
	/* a host name is never proven */
	put_string(&json, hit->ip.family && hit->proven ? "\"proven\"" : "\"unproven\"");
	put_string(&json, ",\"fields\":{");
	for (size_t i = 0; i < hit->n_fields; i++) {
		if (i)
			put(&json, ",", 1);
		put_text(&json, hit->fields[i].name, strlen(hit->fields[i].name));
		put(&json, ":", 1);
		put_text(&json, hit->fields[i].value, hit->fields[i].length);
	}
	put_string(&json, "}}\n");
	(void)fwrite(json.bytes, 1, json.used, state->out); /* run_file asks ferror() at the end */
}

static void put_key(struct json_line *json, const char *key, const char *bytes, size_t length)
{
	put_string(json, ",\"");
	put_string(json, key);
	put_string(json, "\":");
	put_text(json, bytes, length < HIT_TEXT_MAX ? length : HIT_TEXT_MAX);
}

static void put_why(struct json_line *json, const char *line, const struct test_why *why)
{
	const struct test_stop *stop = &why->best;
	size_t matched = stop->matched;
	char at[HIT_TEXT_MAX];

	if (why->has_date)
		put_key(json, "date", line + why->date_start, why->date_length);
	else
		put_string(json, ",\"date\":null");
	put_string(json, ",\"rule\":");
	if (stop->rule)
		put_number(json, stop->rule);
	else
		put_string(json, "null");
	text_format(at, sizeof(at), "%s:%u:%u", stop->at.file, stop->at.line, stop->at.column);
	put_key(json, "at", at, strlen(at));
	/* only the end of it, which stands right before the place */
	put_key(json, "matched", why->input + (matched > HIT_TEXT_MAX ? matched - HIT_TEXT_MAX : 0),
		matched);
	put_key(json, "stopped", stop->text, strlen(stop->text));
}

void test_json_missed(struct test_json *state, uint64_t number, const char *line, size_t length,
	const struct test_why *why)
{
	struct json_line json;

	json.used = 0;
	put_string(&json, "{\"missed\":{\"line\":");
	put_number(&json, number);
	put_key(&json, "text", line, length);
	if (why)
		put_why(&json, line, why);
	put_string(&json, "}}\n");
	(void)fwrite(json.bytes, 1, json.used, state->out); /* as above */
}

void test_json_unsound(struct test_json *state, uint64_t number, const char *line, size_t length,
	const char *kind, const char *why)
{
	struct json_line json;

	json.used = 0;
	put_string(&json, "{\"missed\":{\"line\":");
	put_number(&json, number);
	put_key(&json, "text", line, length);
	put_key(&json, "kind", kind, strlen(kind));
	put_key(&json, "why", why, strlen(why));
	put_string(&json, "}}\n");
	(void)fwrite(json.bytes, 1, json.used, state->out); /* as above */
}

static void put_unsound(struct json_line *json, const struct filter *filter)
{
	bool any = false;

	for (int kind = ASTERISK_RECORD + 1; kind < ASTERISK_KINDS; kind++) {
		uint64_t lines = records_lines(filter_records(filter), kind);

		if (!lines)
			continue;
		put_string(json, any ? ",\"" : ",\"unsound\":{\"");
		put_string(json, asterisk_kind_text(kind));
		put_string(json, "\":");
		put_number(json, lines);
		any = true;
	}
	if (any)
		put_string(json, "}");
}

void test_json_summary(struct test_json *state, const struct test_tally *tally,
	const struct filter *filter)
{
	struct json_line json;

	json.used = 0;
	put_string(&json, "{\"summary\":{\"lines\":");
	put_number(&json, tally->lines);
	put_string(&json, ",\"hits\":");
	put_number(&json, tally->hits);
	put_string(&json, ",\"ignored\":");
	put_number(&json, tally->ignored);
	put_string(&json, ",\"missed\":");
	put_number(&json, tally->lines - tally->hits - tally->ignored);
	put_unsound(&json, filter);
	put_string(&json, "}}\n");
	(void)fwrite(json.bytes, 1, json.used, state->out); /* as above */
}
