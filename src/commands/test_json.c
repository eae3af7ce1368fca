/* The JSON is written by hand: to build a tree of jansson and print it costs more than to find the
 * hit. */
#include "commands/test_json.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "commands/test_furthest.h"
#include "commands/test_tally.h"
#include "match/filter.h"
#include "match/records.h"

enum { MINUTE_MS = 60000, SHOWN_MAX = 4 * HIT_TEXT_MAX + 8 };

/* No other thread uses the stream, and whether writing has failed is asked at the end, with
 * ferror(). */
static void put(FILE *out, const char *bytes, size_t length)
{
	(void)fwrite_unlocked(bytes, 1, length, out);
}

static void put_string(FILE *out, const char *text)
{
	put(out, text, strlen(text));
}

static void put_number(FILE *out, uint64_t number)
{
	char digits[20]; /* of 2^64 */
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	put(out, digits + at, sizeof(digits) - at);
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
static void put_text(FILE *out, const char *bytes, size_t length)
{
	char shown[SHOWN_MAX];

	put(out, "\"", 1);
	if (is_plain(bytes, length)) {
		put(out, bytes, length);
	} else {
		text_render(shown, sizeof(shown), bytes, length);
		for (const char *at = shown; *at; at++) {
			if (*at == '"' || *at == '\\')
				(void)putc_unlocked('\\', out);
			(void)putc_unlocked(*at, out);
		}
	}
	put(out, "\"", 1);
}

static void put_host(FILE *out, const struct hit *hit)
{
	char address[IP_TEXT_MAX];

	put_string(out, ",\"host\":");
	if (hit->ip.family == 4 && ip_is_host(&hit->ip)) {
		for (int i = 0; i < 4; i++) {
			put(out, i ? "." : "\"", 1);
			put_number(out, hit->ip.bytes[i]);
		}
		put(out, "\"", 1);
	} else if (hit->ip.family) {
		ip_format(&hit->ip, address);
		put_text(out, address, strlen(address));
	} else if (hit->host) {
		put_text(out, hit->host, hit->host_length);
	} else {
		put_string(out, "null");
	}
}

/* Seconds since the epoch, with a fraction that has no zeros at its end: 1795423860.25 */
static void put_epoch(FILE *out, int64_t at_ms)
{
	uint64_t ms = at_ms < 0 ? -(uint64_t)at_ms : (uint64_t)at_ms;
	char fraction[] = { '.', (char)('0' + ms % 1000 / 100), (char)('0' + ms % 100 / 10),
		(char)('0' + ms % 10) };
	size_t length = sizeof(fraction);

	if (at_ms < 0)
		put(out, "-", 1);
	put_number(out, ms / 1000);
	while (length > 1 && fraction[length - 1] == '0')
		length--;
	if (length > 1)
		put(out, fraction, length);
}

/* RFC 3339 in UTC: 2026-11-23T08:51:09.250Z. Only the text up to the minute comes from
 * utc_format(), once for each minute; the rest is counted in it, as time_t knows no leap second. */
static void put_stamp(FILE *out, struct test_json *state, int64_t at_ms)
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
	put(out, state->stamp, sizeof("2026-11-23T08:51:") - 1);
	put(out, tail, rest % 1000 ? sizeof(tail) : 2);
	put(out, "Z", 1);
}

static void put_time(FILE *out, struct test_json *state, const struct hit *hit)
{
	if (!hit->has_time) {
		put_string(out, ",\"time\":null,\"epoch\":null");
		return;
	}
	put_string(out, ",\"time\":\"");
	put_stamp(out, state, hit->at_ms);
	put_string(out, "\",\"epoch\":");
	put_epoch(out, hit->at_ms);
}

void test_json_hit(struct test_json *state, uint64_t number, const struct hit *hit, bool ignored)
{
	FILE *out = state->out;

	put_string(out, "{\"line\":");
	put_number(out, number);
	put_host(out, hit);
	put_time(out, state, hit);
	put_string(out, ",\"regex\":");
	put_number(out, hit->rule);
	put_string(out, ignored ? ",\"ignored\":true" : ",\"ignored\":false");
	if (hit->proof == HIT_DOUBTFUL)
		put_string(out, ",\"charged\":false");
	put_string(out, ",\"proof\":");
	/* a host name is never proven */
	put_string(out, hit->ip.family && hit->proof == HIT_PROVEN ? "\"proven\"" : "\"unproven\"");
	put_string(out, ",\"fields\":{");
	for (size_t i = 0; i < hit->n_fields; i++) {
		if (i)
			put(out, ",", 1);
		put_text(out, hit->fields[i].name, strlen(hit->fields[i].name));
		put(out, ":", 1);
		put_text(out, hit->fields[i].value, hit->fields[i].length);
	}
	put_string(out, "}}\n");
}

static void put_key(FILE *out, const char *key, const char *bytes, size_t length)
{
	(void)fprintf(out, ",\"%s\":", key);
	put_text(out, bytes, length < HIT_TEXT_MAX ? length : HIT_TEXT_MAX);
}

static void put_why(FILE *out, const char *line, const struct test_why *why)
{
	const struct test_stop *stop = &why->best;
	/* only the end of it, which stands right before the place */
	size_t before = stop->matched > HIT_TEXT_MAX ? stop->matched - HIT_TEXT_MAX : 0;
	char at[HIT_TEXT_MAX];

	if (why->has_date)
		put_key(out, "date", line + why->date_start, why->date_length);
	else
		put_string(out, ",\"date\":null");
	if (stop->rule)
		(void)fprintf(out, ",\"rule\":%u", stop->rule);
	else
		put_string(out, ",\"rule\":null");
	text_format(at, sizeof(at), "%s:%u:%u", stop->at.file, stop->at.line, stop->at.column);
	put_key(out, "at", at, strlen(at));
	put_key(out, "matched", why->input + before, stop->matched - before);
	put_key(out, "stopped", stop->text, strlen(stop->text));
}

static void put_missed(FILE *out, uint64_t number, const char *line, size_t length)
{
	put_string(out, "{\"missed\":{\"line\":");
	put_number(out, number);
	put_key(out, "text", line, length);
}

void test_json_missed(struct test_json *state, uint64_t number, const char *line, size_t length,
	const struct test_why *why)
{
	put_missed(state->out, number, line, length);
	if (why)
		put_why(state->out, line, why);
	put_string(state->out, "}}\n");
}

void test_json_unsound(struct test_json *state, uint64_t number, const char *line, size_t length,
	const char *kind, const char *why)
{
	put_missed(state->out, number, line, length);
	put_key(state->out, "kind", kind, strlen(kind));
	put_key(state->out, "why", why, strlen(why));
	put_string(state->out, "}}\n");
}

void test_json_summary(struct test_json *state, const struct test_tally *tally,
	const struct filter *filter)
{
	bool any = false;

	(void)fprintf(state->out,
		"{\"summary\":{\"lines\":%" PRIu64 ",\"hits\":%" PRIu64 ",\"ignored\":%" PRIu64
		",\"missed\":%" PRIu64,
		tally->lines, tally->hits, tally->ignored,
		tally->lines - tally->hits - tally->ignored);
	for (int kind = ASTERISK_RECORD + 1; kind < ASTERISK_KINDS; kind++) {
		uint64_t lines = filter_records(filter)->lines[kind];

		if (!lines)
			continue;
		(void)fprintf(state->out, "%s\"%s\":%" PRIu64, any ? "," : ",\"unsound\":{",
			asterisk_kind_text(kind), lines);
		any = true;
	}
	put_string(state->out, any ? "}}}\n" : "}}\n");
}
