#include "filter_record.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "filter.h"
#include "siphash.h"

/* Each call of filter_records_skip looks at this much once for every word, so that lines which
 * hold one of them, and come one by one, do not make it search the whole text anew. */
enum { SKIP_BYTES_MAX = 8192 };

struct filter_records *filter_records_new(void)
{
	struct filter_records *records = alloc_zero(sizeof(*records));

	records->reader = asterisk_new();
	return records;
}

void filter_records_free(struct filter_records *records)
{
	if (!records)
		return;
	asterisk_free(records->reader);
	free(records);
}

static void count(struct filter_records *records, enum asterisk_kind kind)
{
	records->kinds[kind]++;
	records->blind += asterisk_kind_is_blind(kind);
}

/* The last record was put together of several lines. */
static bool is_joined(const struct filter_records *records, const char *line, size_t length)
{
	const char *text = records->record.text.text;

	return length && line[0] != '{' && (text < line || text >= line + length);
}

bool filter_records_read(struct filter_records *records, const char *line, size_t length)
{
	bool waited = records->waits;
	bool is_record;

	records->kind = asterisk_read(records->reader, line, length, &records->record);
	records->waits = asterisk_waits(records->reader);
	is_record = records->kind == ASTERISK_RECORD;
	/* the beginning before it is lost, unless this is its rest */
	if (waited && !(is_record && is_joined(records, line, length)) &&
		!(records->waits && records->kind == ASTERISK_REST))
		count(records, ASTERISK_CUT);
	if (!records->waits || records->kind == ASTERISK_REST)
		count(records, records->kind);
	return is_record;
}

void filter_records_cut(struct filter_records *records, const char *start, size_t length)
{
	if (records->waits)
		count(records, ASTERISK_CUT);
	records->waits = false;
	asterisk_gap(records->reader);
	records->kind = memmem(start, length, "SecurityEvent=", strlen("SecurityEvent="))
				? ASTERISK_CUT
				: ASTERISK_OTHER;
	count(records, records->kind);
}

static bool is(struct asterisk_piece piece, const char *text)
{
	return piece.length == strlen(text) && memcmp(piece.text, text, piece.length) == 0;
}

static enum hit_event event_of(const struct asterisk_record *record)
{
	if (is(record->event, "ChallengeResponseFailed") || is(record->event, "InvalidPassword"))
		return HIT_GUESS;
	if (is(record->event, "InvalidAccountID"))
		return HIT_UNKNOWN_ACCOUNT;
	return is(record->event, "FailedACL") ? HIT_ACL : HIT_PLAIN;
}

/* The key is no secret: it has to be the same after a restart, and who can make two sessions equal
 * could have used one twice. */
static uint64_t session_of(struct asterisk_piece session)
{
	static const uint8_t key[SIPHASH_KEY_BYTES] = "SessionID";
	uint64_t hash;

	if (!session.length)
		return 0;
	hash = siphash(key, session.text, session.length);
	return hash ? hash : 1;
}

static void put(struct hit *hit, const char *name, struct asterisk_piece piece)
{
	hit->fields[hit->n_fields++] = (struct hit_field){ .name = name,
		.value = piece.length ? piece.text : "",
		.length = piece.length < HIT_TEXT_MAX ? piece.length : HIT_TEXT_MAX };
}

void filter_records_hit(struct filter_records *records, int64_t now_s, struct hit *hit)
{
	const struct asterisk_record *record = &records->record;

	*hit = (struct hit){
		.ip = record->ip,
		.host = records->host,
		.has_time = true,
		.at_ms = record->at_ms > now_s * 1000 + 999 ? now_s * 1000 : record->at_ms,
		.n_lines = 1,
		.proven = record->proven,
		.session = session_of(record->session),
		.event = event_of(record),
	};
	ip_format(&record->ip, records->host);
	hit->host_length = strlen(records->host);
	put(hit, "event", record->event);
	put(hit, "service", record->service);
	put(hit, "transport", record->transport);
	put(hit, "account", record->account);
	put(hit, "session", record->session);
	put(hit, "challenge", record->challenge);
	if (!record->account.length)
		return;
	hit->account = record->account.text;
	hit->account_length =
		record->account.length < HIT_TEXT_MAX ? record->account.length : HIT_TEXT_MAX;
}

size_t filter_records_skip(const struct filter_records *records, const char *text, size_t length)
{
	/* each kind but ASTERISK_OTHER and ASTERISK_REST needs one of them in its line */
	static const char *const words[] = { "SecurityEvent=", "Failed to issue",
		"Logging resumed" };
	size_t clear = length < SKIP_BYTES_MAX ? length : SKIP_BYTES_MAX;
	const char *newline;

	if (asterisk_waits(records->reader))
		return 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *found = memmem(text, clear, words[i], strlen(words[i]));

		clear = found ? (size_t)(found - text) : clear;
	}
	if (clear == length)
		return length;
	newline = memrchr(text, '\n', clear);
	return newline ? (size_t)(newline - text) + 1 : 0;
}
