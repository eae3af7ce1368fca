#include "match/records.h"

#include <stdlib.h>
#include <string.h>

#include "asterisk/scan.h"
#include "base/alloc.h"
#include "base/siphash.h"
#include "follow/line.h"
#include "match/filter.h"

/* What stands in the head of each record. A caller may write it too, and makes his attempts look
 * more than they are. */
#define HEAD_WORD "res_security_log.c"
enum { HEAD_WORD_BYTES = sizeof(HEAD_WORD) - 1, HEAD_BORDER_BYTES = HEAD_WORD_BYTES - 1 };

/* A log file; one record may span several of its lines. */
struct records_log {
	char *path;                     /* owned; NULL: it has no name */
	char border[HEAD_BORDER_BYTES]; /* the end of the last piece of a line that was cut */
	size_t border_length;
	struct asterisk *reader;
	bool waits; /* the beginning of a record was read, and is not counted yet */
	bool begun; /* a line of it has come */
	TAILQ_ENTRY(records_log) others;
};

static bool is_same_path(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static struct records_log *log_new(struct records *records, const char *path)
{
	struct records_log *log = alloc_zero(sizeof(*log));

	log->path = path ? alloc_string(path) : NULL;
	log->reader = asterisk_new();
	records->n_logs++;
	return log;
}

static void log_free(struct records *records, struct records_log *log)
{
	TAILQ_REMOVE(&records->logs, log, others);
	records->n_logs--;
	asterisk_free(log->reader);
	free(log->path);
	free(log);
}

struct records *records_new(void)
{
	struct records *records = alloc_zero(sizeof(*records));

	TAILQ_INIT(&records->logs);
	records->log = log_new(records, NULL);
	TAILQ_INSERT_HEAD(&records->logs, records->log, others);
	return records;
}

void records_free(struct records *records)
{
	struct records_log *log;

	if (!records)
		return;
	while ((log = TAILQ_FIRST(&records->logs)))
		log_free(records, log);
	free(records);
}

static void kind_count(struct records *records, enum asterisk_kind kind)
{
	records->lines[kind]++;
	records->blind += asterisk_kind_is_blind(kind);
}

/* Finds the log at path, or adds it, and moves it to the front. *ret_new: it was added. */
static struct records_log *log_find(struct records *records, const char *path, bool *ret_new)
{
	struct records_log *log = TAILQ_FIRST(&records->logs);

	while (log && !is_same_path(log->path, path))
		log = TAILQ_NEXT(log, others);
	*ret_new = !log;
	if (log) {
		TAILQ_REMOVE(&records->logs, log, others);
	} else {
		if (records->n_logs == RECORDS_LOGS_MAX)
			log_free(records, TAILQ_LAST(&records->logs, records_logs));
		log = log_new(records, path);
	}
	TAILQ_INSERT_HEAD(&records->logs, log, others);
	records->log = log;
	return log;
}

/* Says that the next line does not continue what was read of this log. */
static void log_break(struct records *records)
{
	if (records->log->waits)
		kind_count(records, ASTERISK_CUT);
	records->log->waits = false;
}

static void log_choose(struct records *records, const struct line *line)
{
	bool is_new;
	struct records_log *log = log_find(records, line->path, &is_new);

	/* a journal is never read from its first line */
	is_new = is_new || (!line->path && line->dated && !log->begun);
	log->begun = true;
	if (!is_new && !line->at_head)
		return;
	log_break(records);
	asterisk_begin(log->reader, line->mark ? *line->mark : 0, line->at_head);
}

/* Tells the reader of the last line's log what the banners of others say of Asterisk's version. */
static void versions_share(struct records *records)
{
	struct asterisk *reader = records->log->reader;
	unsigned own = asterisk_version(reader);
	unsigned oldest = 0;
	unsigned low = own;
	unsigned high = own;
	const struct records_log *log;

	if (own && asterisk_is_clean(reader))
		return;
	TAILQ_FOREACH(log, &records->logs, others)
	{
		/* cppcheck-suppress uninitvar ; the macro sets it */
		unsigned major = asterisk_is_clean(log->reader) ? asterisk_version(log->reader) : 0;

		if (!major)
			continue;
		oldest = !oldest || major < oldest ? major : oldest;
		low = !low || major < low ? major : low;
		high = major > high ? major : high;
	}
	asterisk_suppose(reader, oldest);
	if (oldest && low < high) {
		records->oldest_version = low;
		records->newest_version = high;
	}
}

static size_t words_count(const char *text, size_t length)
{
	const char *end = text + length;
	size_t count = 0;

	while ((text = memmem(text, (size_t)(end - text), HEAD_WORD, HEAD_WORD_BYTES))) {
		text += HEAD_WORD_BYTES;
		count++;
	}
	return count;
}

/* How many heads stand in this piece of a line, those counted that the piece before began. The
 * border is a byte shorter than the word, so that none is counted twice. */
static size_t heads_count(struct records_log *log, const char *text, size_t length)
{
	char seam[2 * HEAD_BORDER_BYTES];
	size_t used = log->border_length;
	size_t more = length < HEAD_BORDER_BYTES ? length : HEAD_BORDER_BYTES;
	size_t count = words_count(text, length);

	memcpy(seam, log->border, used);
	memcpy(seam + used, text, more);
	count += words_count(seam, used + more);
	if (length >= HEAD_BORDER_BYTES) {
		memcpy(log->border, text + length - HEAD_BORDER_BYTES, HEAD_BORDER_BYTES);
		log->border_length = HEAD_BORDER_BYTES;
		return count;
	}
	log->border_length = used + more < HEAD_BORDER_BYTES ? used + more : HEAD_BORDER_BYTES;
	memcpy(log->border, seam + used + more - log->border_length, log->border_length);
	return count;
}

/* A cut record has no newline, so that the records of many attempts can stand in one line that is
 * longer than any that is read. Each of their heads counts. */
static void line_skip(struct records *records, const struct line *line)
{
	size_t heads;

	if (!line->rest) {
		log_break(records);
		asterisk_gap(records->log->reader);
		records->log->border_length = 0;
	}
	heads = heads_count(records->log, line->text, line->length);
	if (!heads && !line->rest && memmem(line->text, line->length, "SecurityEvent=", 14))
		heads = 1;
	records->kind = heads ? ASTERISK_CUT : ASTERISK_OTHER;
	if (!heads && !line->rest)
		kind_count(records, ASTERISK_OTHER);
	for (; heads; heads--)
		kind_count(records, ASTERISK_CUT);
}

/* True if the last record was put together from several lines: then its text is not within this
 * line. */
static bool is_joined(const struct records *records, const struct line *line)
{
	const char *text = records->record.text.text;

	return line->length && line->text[0] != '{' &&
	       (text < line->text || text >= line->text + line->length);
}

/* A line of any kind but ASTERISK_OTHER and ASTERISK_REST holds one of these words, and so does a
 * banner. Few lines of a mixed log do: it saves most of the reader's time to look for the words
 * first. In another log any line may tell that it is a mixed one. */
static bool has_word(const struct line *line)
{
	static const char *const words[] = { "SecurityEvent=", "Failed to issue", "Logging resumed",
		" built by " };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (memmem(line->text, line->length, words[i], strlen(words[i])))
			return true;
	return false;
}

static bool line_read(struct records *records, const struct line *line)
{
	bool waited = records->log->waits;
	bool is_record;

	records->kind = waited || !asterisk_is_mixed(records->log->reader) || has_word(line)
				? asterisk_read(records->log->reader, line->text, line->length,
					  line->ahead, &records->record)
				: ASTERISK_OTHER;
	records->log->waits = asterisk_waits(records->log->reader);
	is_record = records->kind == ASTERISK_RECORD;
	/* the beginning before this line is lost, unless the line belongs to it */
	if (waited && !(is_record && is_joined(records, line)) &&
		!(records->log->waits && records->kind == ASTERISK_REST))
		kind_count(records, ASTERISK_CUT);
	if (!records->log->waits || records->kind == ASTERISK_REST)
		kind_count(records, records->kind);
	if (is_record && records->record.behind_head)
		kind_count(records, ASTERISK_CUT);
	if (is_record && records->record.other_thread)
		kind_count(records, ASTERISK_THREAD);
	return is_record || records->kind == ASTERISK_SYSLOG;
}

bool records_read(struct records *records, const struct line *line)
{
	bool is_record = false;

	log_choose(records, line);
	versions_share(records);
	if (line->only_head)
		asterisk_learn(records->log->reader, line->text, line->length);
	else if (line->cut || line->rest || line->open)
		line_skip(records, line);
	else
		is_record = line_read(records, line);
	records->waits = records->log->waits;
	if (line->mark)
		*line->mark = asterisk_mark(records->log->reader);
	return is_record;
}

static enum hit_event event_of(const struct asterisk_record *record)
{
	if (asterisk_is(record->event, "ChallengeResponseFailed") ||
		asterisk_is(record->event, "InvalidPassword"))
		return HIT_GUESS;
	if (asterisk_is(record->event, "InvalidAccountID"))
		return HIT_UNKNOWN_ACCOUNT;
	return asterisk_is(record->event, "FailedACL") ? HIT_ACL : HIT_PLAIN;
}

/* A hash of the SessionID. Only PJSIP's is a Call-ID: AMI and chan_sip write the address of an
 * object in memory there, which the next login may have again. Their lines need no joining: each
 * attempt is one line, except that chan_sip with alwaysauthreject writes two about an account that
 * does not exist, which count as two.
 *
 * The key is no secret: it has to be the same after a restart, and whoever can make two sessions
 * equal could have used one of them twice. */
static uint64_t session_of(const struct asterisk_record *record)
{
	static const uint8_t key[SIPHASH_KEY_BYTES] = "SessionID";
	uint64_t hash;

	if (!record->session.length || !asterisk_is(record->service, "PJSIP"))
		return 0;
	hash = siphash(key, record->session.text, record->session.length);
	return hash ? hash : 1;
}

static void field_add(struct hit *hit, const char *name, struct asterisk_piece piece)
{
	hit->fields[hit->n_fields++] = (struct hit_field){ .name = name,
		.value = piece.length ? piece.text : "",
		.length = piece.length < HIT_TEXT_MAX ? piece.length : HIT_TEXT_MAX };
}

void records_hit(struct records *records, int64_t now_s, struct hit *hit)
{
	const struct asterisk_record *record = &records->record;

	*hit = (struct hit){
		.ip = record->ip,
		.host = records->host,
		.has_time = true,
		.at_ms = record->at_ms > now_s * 1000 + 999 ? now_s * 1000 : record->at_ms,
		.n_lines = 1,
		.proof = records->kind != ASTERISK_RECORD ? HIT_DOUBTFUL
			 : record->proven                 ? HIT_PROVEN
							  : HIT_UNPROVEN,
		.challenge = record->challenge,
		.transport = record->transport,
		.port = record->port,
		.session = session_of(record),
		.event = event_of(record),
	};
	ip_format(&record->ip, records->host);
	hit->host_length = strlen(records->host);
	field_add(hit, "event", record->event);
	field_add(hit, "service", record->service);
	field_add(hit, "transport", record->transport);
	field_add(hit, "account", record->account);
	field_add(hit, "session", record->session);
	field_add(hit, "challenge", record->challenge);
	if (!record->account.length)
		return;
	hit->account = record->account.text;
	hit->account_length =
		record->account.length < HIT_TEXT_MAX ? record->account.length : HIT_TEXT_MAX;
}
