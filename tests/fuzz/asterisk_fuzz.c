/* The reader of Asterisk's SECURITY events. The first byte chooses: lines of any bytes, to two
 * readers, which must agree; or a log as Asterisk writes it, with a stranger's bytes in the values,
 * unescaped, stripped and cut as Asterisk does: whatever he says, an offence is charged to the
 * address that he has. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "asterisk/reader.h"

enum { LINES_MAX = 64, RECORDS_MAX = 12, LINE_BYTES_MAX = 8191, LOG_BYTES_MAX = 1 << 17 };

static const int64_t AT_MS_MAX = 253402300800000; /* year 10000 */

/* ---- any bytes ---- */

static bool lies_in(const struct asterisk_piece *piece, const char *start, size_t length)
{
	return !piece->length || (piece->text >= start && piece->text <= start + length &&
					 piece->length <= (size_t)(start + length - piece->text));
}

static void record_check(const struct asterisk_record *record, const char *line, size_t length)
{
	const struct asterisk_piece *pieces[] = { &record->event, &record->service,
		&record->transport, &record->account, &record->session, &record->challenge };
	bool own = lies_in(&record->text, line, length);

	fuzz_need(record->text.length, "a record has text");
	fuzz_touch(record->text.text, record->text.length);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		fuzz_need(lies_in(pieces[i], record->text.text, record->text.length),
			"pieces lie in the record");
		fuzz_need(!own || lies_in(pieces[i], line, length), "pieces lie in the line");
	}
	fuzz_need(record->event.length && record->service.length && record->transport.length,
		"says what it is");
	fuzz_need(record->ip.family && ip_is_host(&record->ip), "one address");
	fuzz_need(record->at_ms >= 0 && record->at_ms < AT_MS_MAX, "a time that can be");
}

static void lines_check(struct fuzz_input *input)
{
	struct asterisk *first = asterisk_new();
	struct asterisk *second = asterisk_new();

	for (int i = 0; i < LINES_MAX && !fuzz_is_at_end(input); i++) {
		struct asterisk_record one;
		struct asterisk_record two;
		size_t length;
		char *line = fuzz_piece(input, '\n', &length);
		enum asterisk_kind kind = asterisk_read(first, line, length, 0, &one);

		fuzz_need(kind < ASTERISK_KINDS, "a known kind");
		fuzz_need_shown(asterisk_kind_text(kind));
		fuzz_need(asterisk_read(second, line, length, 0, &two) == kind, "both say alike");
		if (kind == ASTERISK_RECORD) {
			record_check(&one, line, length);
			record_check(&two, line, length);
			fuzz_need(ip_equal(&one.ip, &two.ip) && one.at_ms == two.at_ms &&
					  one.proven == two.proven,
				"both read alike");
		}
		free(line);
	}
	asterisk_free(first);
	asterisk_free(second);
}

/* ---- Asterisk's own log ---- */

struct log {
	char *bytes;
	size_t length;
	size_t line; /* where the record begins */
};

static void put(struct log *log, const char *text)
{
	size_t length = strlen(text);

	if (log->length + length > LOG_BYTES_MAX)
		return;
	memcpy(log->bytes + log->length, text, length);
	log->length += length;
}

/* A value of the stranger's. banned: bytes that cannot come there; those that are not ASCII are
 * left out: a value must be UTF-8. */
static void put_value(struct log *log, struct fuzz_input *input, size_t most, const char *banned)
{
	char *value = fuzz_text(input, (char)0xff);
	char byte[2] = "";

	for (size_t i = 0; value[i] && i < most; i++) {
		byte[0] = (char)(value[i] & 0x7f);
		if (byte[0] && !strchr(banned, byte[0]))
			put(log, byte);
	}
	free(value);
}

/* A value of an Authorization header: it ends at a bare quote. */
static void put_quoted(struct log *log, struct fuzz_input *input, size_t most)
{
	char *value = fuzz_text(input, (char)0xff);
	char byte[2] = "";
	bool escaped = false;

	for (size_t i = 0; value[i] && i < most; i++) {
		byte[0] = (char)(value[i] & 0x7f);
		if (!byte[0] || byte[0] == '\n')
			continue;
		if (byte[0] == '"' && !escaped)
			break;
		escaped = byte[0] == '\\' && !escaped;
		put(log, byte);
	}
	free(value);
}

/* As main/logger.c: from ESC to the next m all goes, then the line is cut. */
static void line_end(struct log *log)
{
	size_t at = log->line;

	while (at < log->length) {
		char *escape = memchr(log->bytes + at, '\033', log->length - at);
		char *end =
			escape ? memchr(escape, 'm', (size_t)(log->bytes + log->length - escape))
			       : NULL;

		if (!end)
			break;
		at = (size_t)(escape - log->bytes);
		memmove(escape, end + 1, (size_t)(log->bytes + log->length - end - 1));
		log->length -= (size_t)(end + 1 - escape);
	}
	if (log->length - log->line > LINE_BYTES_MAX)
		log->length = log->line + LINE_BYTES_MAX;
	else
		put(log, "\n");
	log->line = log->length;
}

static void put_head(struct log *log, const char *event, const char *service)
{
	put(log, "[2026-11-23 08:51:05] SECURITY[74] res_security_log.c: SecurityEvent=\"");
	put(log, event);
	put(log, "\",EventTV=\"2026-11-23T08:51:05.686+0000\",Severity=\"Error\",Service=\"");
	put(log, service);
	put(log, "\",EventVersion=\"1\",AccountID=\"");
}

static void put_addresses(struct log *log, const char *protocol, const char *remote)
{
	put(log, "\",LocalAddress=\"IPV4/");
	put(log, protocol);
	put(log, "/192.0.2.10/5060\",RemoteAddress=\"IPV4/");
	put(log, protocol);
	put(log, "/");
	put(log, remote);
	put(log, "/5060\"");
}

/* The Call-ID, long if it is to be. */
static void put_session(struct log *log, struct fuzz_input *input)
{
	uint8_t more = fuzz_byte(input);

	put(log, "\",SessionID=\"");
	for (int i = 0; i < more && more >= 128; i++)
		put(log, "EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE");
	put_value(log, input, LOG_BYTES_MAX, "\r\n");
}

#define STRANGER "203.0.113.9"
#define PHONE "192.0.2.50"

static void put_record(struct log *log, struct fuzz_input *input)
{
	switch (fuzz_byte(input) % 8) {
	case 0:
		put_head(log, "InvalidAccountID", "PJSIP");
		put_value(log, input, 36, "");
		put_session(log, input);
		put_addresses(log, "UDP", STRANGER);
		break;
	case 1:
		put_head(log, "FailedACL", "PJSIP");
		put(log, "100");
		put_session(log, input);
		put_addresses(log, "UDP", STRANGER);
		put(log, ",ACLName=\"domain_acl\"");
		break;
	case 2:
		put_head(log, "ChallengeResponseFailed", "PJSIP");
		put(log, "<unknown>");
		put_session(log, input);
		put_addresses(log, "UDP", STRANGER);
		put(log, ",Challenge=\"");
		put_quoted(log, input, 63);
		put(log, "\",Response=\"");
		put_quoted(log, input, 255);
		put(log, "\",ExpectedResponse=\"\"");
		break;
	case 3: /* the stranger as somebody that is known, or the phone itself */
		put_head(log, "ChallengeSent", "PJSIP");
		put(log, "100");
		put_session(log, input);
		put_addresses(log, "UDP", fuzz_byte(input) & 1 ? STRANGER : PHONE);
		put(log, ",Challenge=\"\"");
		break;
	case 4:
		put_head(log, "SuccessfulAuth", "PJSIP");
		put(log, "100\",SessionID=\"5e0b@192.0.2.50");
		put_addresses(log, "UDP", PHONE);
		put(log, ",UsingPassword=\"1\"");
		break;
	case 5:
		put_head(log, "InvalidAccountID", "AMI");
		put_value(log, input, 1000, "\r\n");
		put(log, "\",SessionID=\"0x7f2f9c076ba0");
		put_addresses(log, "TCP", STRANGER);
		put(log, ",SessionTV=\"1970-01-01T00:00:00.000+0000\"");
		break;
	case 7: /* another module, with room for 255 bytes */
		put(log,
			"[2026-11-23 08:51:05] ERROR[33] chan_iax2.c: Call rejected, CallToken Support "
			"required. If unexpected, resolve by placing address " STRANGER
			" in the calltokenoptional list or setting user ");
		put_value(log, input, 255, "");
		put(log, " requirecalltoken=no");
		break;
	case 6:
		put_head(log, "ChallengeResponseFailed", "AMI");
		put(log, "admin\",SessionID=\"0x7f2f9c076ba0");
		put_addresses(log, "TCP", STRANGER);
		put(log, ",Challenge=\"181224303\",Response=\"");
		put_value(log, input, 1000, "\r\n");
		put(log, "\",ExpectedResponse=\"0\",SessionTV=\"1970-01-01T00:00:00.000+0000\"");
		break;
	}
	line_end(log);
}

static bool is_offence(const struct asterisk_record *record)
{
	static const char *const events[] = { "InvalidAccountID", "FailedACL",
		"ChallengeResponseFailed", "InvalidPassword" };

	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
		if (record->event.length == strlen(events[i]) &&
			!memcmp(record->event.text, events[i], record->event.length))
			return true;
	return false;
}

static void log_check(struct fuzz_input *input)
{
	struct asterisk *reader = asterisk_new();
	struct log log = { .bytes = malloc(LOG_BYTES_MAX) };
	struct fuzz_input lines;
	struct ip stranger;
	struct ip phone;

	fuzz_need(log.bytes && !ip_parse(STRANGER, strlen(STRANGER), &stranger) &&
			  !ip_parse(PHONE, strlen(PHONE), &phone),
		"memory");
	for (int i = 0; i < RECORDS_MAX && !fuzz_is_at_end(input); i++)
		put_record(&log, input);
	lines = (struct fuzz_input){ (const uint8_t *)log.bytes, log.length };
	while (!fuzz_is_at_end(&lines)) {
		struct asterisk_record record;
		size_t length;
		char *line = fuzz_piece(&lines, '\n', &length);

		if (asterisk_read(reader, line, length, 0, &record) == ASTERISK_RECORD) {
			record_check(&record, line, length);
			fuzz_need(ip_equal(&record.ip, &stranger) ||
					  (!is_offence(&record) && ip_equal(&record.ip, &phone)),
				"nobody is charged for another");
		}
		free(line);
	}
	free(log.bytes);
	asterisk_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct fuzz_input input = { bytes, length };

	if (fuzz_byte(&input) & 1)
		log_check(&input);
	else
		lines_check(&input);
	return 0;
}
