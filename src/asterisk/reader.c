/* The words in capitals below are those of the rule in reader.h. */
#include "asterisk/reader.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "asterisk/record_end.h"
#include "asterisk/record_start.h"
#include "asterisk/scan.h"
#include "base/alloc.h"

enum {
	JOINED_BYTES_MAX = 8192, /* as many as Asterisk's own buffer has */
	/* as if each byte of the name were a newline */
	JOINED_LINES_MAX = ASTERISK_ACCOUNT_BYTES,
	/* A longer line may have been cut on its way, at a byte that the caller chose: rsyslog cuts
	 * at 8 KiB, our reader of the journal at 16 KiB. No record has so many. */
	SYSLOG_BYTES_MAX = 8000,
	LINE_BYTES_MAX = 16383,
	MODERN_MAJOR = 20, /* from this version on Asterisk comes with pjproject 2.12 or later */
	ISO_MAJOR = 12,    /* from this version on EventTV is a date */
	SIP_VALUE_BYTES = 256, /* what chan_sip writes of an account at most, and more */
	SIP_AHEAD_BYTES = SIP_VALUE_BYTES + sizeof("\",SessionID=\""),
	/* What a line can have that lies within a Response of an older PJSIP: its 255 bytes, and
	 * ",ExpectedResponse="" behind them. A true record is longer, even with a date of 11 bytes
	 * and the shortest addresses. */
	INSIDE_LINE_MAX = 276,
	/* The longest value, newlines included, that a caller has for a message of another module:
	 * an element of an IAX2 frame tells its length in one byte (chan_iax2: the user's name in
	 * "Call rejected, CallToken Support required"). A true record is longer. */
	FOREIGN_BYTES = 255,
	SHORT_LINE_MAX = FOREIGN_BYTES + 45, /* with a margin for what a message may add */
	/* So many records of one thread in a row, and no other thread is about. */
	THREAD_RECORDS = 64,
	MARK_VERSION = 0xffff, /* and above it what the file is */
	MARK_FILE_SHIFT = 16,
};

/* MIXED. UNKNOWN: reading began in the middle. */
enum file { FILE_UNKNOWN, FILE_CLEAN, FILE_MIXED };

struct asterisk {
	char *joined; /* owned: a record that a newline has broken, and the lines behind it */
	size_t joined_length;
	unsigned joined_lines; /* 0: none */
	json_t *object;        /* owned: what the last [json] line held */
	unsigned major;        /* Asterisk's version as a banner told; 0: unknown */
	unsigned supposed;     /* as other logs tell it; 0: unknown */
	bool after_response;   /* OLD: what comes may still be a Response of a record before it */
	enum file file;
	uint64_t form;   /* of the file's dates; 0: unknown */
	uint64_t thread; /* of the last record */
	bool has_thread;
	bool reopened;                /* a banner came since then */
	unsigned doubts;              /* so many records until one thread is the only one about */
	struct asterisk_cursor ahead; /* borrowed for one call: what stands behind the line */
};

struct asterisk *asterisk_new(void)
{
	struct asterisk *reader = alloc_zero(sizeof(*reader));

	reader->joined = alloc_zero(JOINED_BYTES_MAX);
	reader->file = FILE_CLEAN;
	return reader;
}

/* A banner in a mixed file may be a caller's: there the older of what is said holds. */
static unsigned version(const struct asterisk *reader)
{
	bool is_older = reader->supposed && reader->supposed < reader->major;

	if (!reader->major || (is_older && reader->file != FILE_CLEAN))
		return reader->supposed;
	return reader->major;
}

/* Challenge and Response of PJSIP hold no newline and no bare quote (OLD). */
static bool is_modern(const struct asterisk *reader)
{
	return version(reader) >= MODERN_MAJOR;
}

void asterisk_free(struct asterisk *reader)
{
	if (!reader)
		return;
	json_decref(reader->object);
	free(reader->joined);
	free(reader);
}

static const struct {
	const char *word;
	const char *why;
	bool is_blind;
} kinds[ASTERISK_KINDS] = {
	[ASTERISK_OTHER] = { "other", "is no record of a security event, nor a part of one",
		false },
	[ASTERISK_RECORD] = { "read", "is a sound record", false },
	[ASTERISK_SYSLOG] = { "syslog",
		"went through syslog, where a caller can have a record of PJSIP cut at the byte he "
		"chooses: it may end in an address of his",
		true },
	[ASTERISK_CUT] = { "cut",
		"begins a record and does not end it: Asterisk cuts at 8191 bytes, so a caller with "
		"a very long Call-ID leaves no address",
		true },
	[ASTERISK_REST] = { "rest",
		"belongs to the record before it, which a newline in a caller's value has broken, "
		"and does not complete it",
		false }, /* its beginning has been counted */
	[ASTERISK_GLUED] = { "glued",
		"holds a record's beginning behind another's text, and no end that is sure: a cut "
		"record has no newline",
		true },
	[ASTERISK_FORGED] = { "forged",
		"looks like a record, but Asterisk does not write one so: what stands in it may be "
		"a caller's text",
		true },
	[ASTERISK_UNDATED] = { "undated", "has an EventTV that is no time", true },
	[ASTERISK_UNKNOWN] = { "unknown",
		"is an event of a kind whose address is not known to be safe", false },
	[ASTERISK_NOT_UTF8] = { "not-utf8",
		"says that a record is missing: a caller's value was not UTF-8, and nothing tells "
		"whose",
		true },
	[ASTERISK_DISCARDED] = { "discarded",
		"says that Asterisk threw lines away: too many came at once", true },
	[ASTERISK_THREAD] = { "thread",
		"is of another thread than the records before it: unless res_security_log was "
		"loaded anew, Asterisk may not have written it",
		true },
};

const char *asterisk_kind_text(enum asterisk_kind kind)
{
	return kinds[kind].word;
}

const char *asterisk_kind_why(enum asterisk_kind kind)
{
	return kinds[kind].why;
}

bool asterisk_kind_is_blind(enum asterisk_kind kind)
{
	return kinds[kind].is_blind;
}

/* The next line may still be a value of this one. The head of such a record need not begin the
 * line: it may stand behind a cut record whose own head was in a line before. */
static bool may_leak(struct asterisk_cursor line)
{
	return asterisk_find(line.at, line.end, "SecurityEvent=\"ChallengeResponseFailed\"");
}

static bool is_same(struct asterisk_piece a, struct asterisk_piece b)
{
	return a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
}

/* A later head of the same kind does not have the line's end, so this one has not got it either.
 * Not so of the first head: AMI's may be read from there. */
static bool is_tried(const struct asterisk_head *heads, size_t count, size_t at)
{
	for (size_t i = at + 1; at && i < count; i++)
		if (is_same(heads[i].event, heads[at].event) &&
			is_same(heads[i].service, heads[at].service))
			return true;
	return false;
}

/* CHAN_SIP: what looks like a whole record may be the beginning of one, whose account goes on
 * behind the newline. Then the server's SessionID stands ahead, without a head of its own. */
static bool goes_on(const struct asterisk *reader, const struct asterisk_record *record)
{
	struct asterisk_cursor ahead = reader->ahead;
	const char *session;

	if (!asterisk_is(record->service, "SIP") || ahead.at == ahead.end)
		return false;
	session = asterisk_find(ahead.at,
		ahead.end - ahead.at > SIP_AHEAD_BYTES ? ahead.at + SIP_AHEAD_BYTES : ahead.end,
		"\",SessionID=\"");
	ahead.end = session;
	return session && !asterisk_has_record(ahead);
}

/* SHORT: a value of another module may have room for the line, unless it is longer or its date is
 * such as Asterisk writes in this file. */
static bool may_be_foreign(const struct asterisk *reader, size_t bytes, uint64_t form)
{
	return bytes <= FOREIGN_BYTES ||
	       (bytes <= SHORT_LINE_MAX && form && reader->form && form != reader->form);
}

/* prefix: NULL for [json]. */
static enum asterisk_kind read_text(struct asterisk *reader, struct asterisk_cursor line,
	const char *first, const struct asterisk_prefix *prefix, struct asterisk_record *record)
{
	struct asterisk_head heads[ASTERISK_HEADS_MAX + 1];
	size_t bytes = (size_t)(line.end - asterisk_skip_syslog(line));
	bool is_json = !prefix;
	struct asterisk_rule rule = { .modern = is_modern(reader),
		.whole = is_json || bytes <= SHORT_LINE_MAX };
	size_t count = 0;
	bool doubtful;

	if (is_json) /* one record a line: another head in it is a caller's, and only text */
		count = asterisk_read_head((struct asterisk_cursor){ first, line.end }, &heads[0]);
	else
		count = asterisk_find_heads(line, first, heads);
	rule.foreign = !is_json && count &&
		       asterisk_has_other_level((struct asterisk_cursor){ heads[0].end, line.end });
	/* the line may have begun inside a Response: then its first head need not be the server's
	 */
	doubtful = !is_json && reader->after_response && count > 1;
	reader->after_response = !is_json && !is_modern(reader) && may_leak(line);
	if (doubtful)
		return ASTERISK_GLUED;
	if (!count || count > ASTERISK_HEADS_MAX || heads[0].start != first)
		return count > ASTERISK_HEADS_MAX ? ASTERISK_GLUED : ASTERISK_FORGED;
	if (!is_json && memchr(heads[0].end, '\0', (size_t)(line.end - heads[0].end)))
		return ASTERISK_FORGED;
	if (version(reader) >= ISO_MAJOR && heads[0].dated && !heads[0].iso)
		return ASTERISK_FORGED; /* the old EventTV is shorter, and has room in more values
					 */
	for (size_t i = count; i-- > 0;) {
		if (is_tried(heads, count, i) ||
			!asterisk_read_record(heads, count, i, line.end, rule, record))
			continue;
		record->at_ms = heads[0].at_ms;
		record->behind_head = i > 0;
		if (!is_json && goes_on(reader, record))
			return ASTERISK_FORGED;
		if (!is_json && may_be_foreign(reader, bytes, prefix->form))
			return ASTERISK_FORGED;
		if (!is_json && (bytes > SHORT_LINE_MAX || !reader->form))
			reader->form = prefix->form;
		return heads[0].dated ? ASTERISK_RECORD : ASTERISK_UNDATED;
	}
	if (count > 1)
		return ASTERISK_GLUED;
	if (!asterisk_is_known(&heads[0]))
		return ASTERISK_UNKNOWN;
	return asterisk_find(heads[0].end, line.end, "\",SessionID=\"") &&
			       asterisk_find(heads[0].end, line.end, "oteAddress=\"")
		       ? ASTERISK_FORGED
		       : ASTERISK_CUT;
}

/* ---- lines ---- */

static void joined_clear(struct asterisk *reader)
{
	reader->joined_length = 0;
	reader->joined_lines = 0;
}

/* Adds line to the broken record; false: it is too long, and given up. */
static bool joined_add(struct asterisk *reader, struct asterisk_cursor line)
{
	size_t length = (size_t)(line.end - line.at);
	bool first = reader->joined_lines == 0;

	if (reader->joined_length + length + 1 > JOINED_BYTES_MAX ||
		reader->joined_lines > JOINED_LINES_MAX) {
		joined_clear(reader);
		return false;
	}
	if (!first)
		reader->joined[reader->joined_length++] = '\n';
	memcpy(reader->joined + reader->joined_length, line.at, length);
	reader->joined_length += length;
	reader->joined_lines++;
	return true;
}

/* Only PJSIP's InvalidAccountID may go on in the next line: the caller's name for the account, 36
 * bytes, may hold a newline. */
static bool may_go_on(struct asterisk_cursor line, const char *first)
{
	struct asterisk_head head;

	return asterisk_read_head((struct asterisk_cursor){ first, line.end }, &head) &&
	       asterisk_is(head.service, "PJSIP") && asterisk_is(head.event, "InvalidAccountID") &&
	       line.end - head.end <= ASTERISK_ACCOUNT_BYTES;
}

/* AccountID of the joined record is as long as PJSIP leaves it. */
static bool is_short_account(const struct asterisk_record *record)
{
	return record->account.length <= ASTERISK_ACCOUNT_BYTES;
}

/* THREAD. After a banner another thread is no wonder, but what a caller writes may hold one. */
static void thread_judge(struct asterisk *reader, uint64_t thread, struct asterisk_record *record)
{
	bool is_other = reader->has_thread && thread != reader->thread;

	record->other_thread = is_other && !reader->reopened;
	if (is_other)
		reader->doubts = THREAD_RECORDS;
	else if (reader->doubts)
		reader->doubts--;
	reader->thread = thread;
	reader->has_thread = true;
	reader->reopened = false;
	record->proven = record->proven && reader->file == FILE_CLEAN && !reader->doubts;
}

static enum asterisk_kind read_joined(struct asterisk *reader, struct asterisk_cursor line,
	struct asterisk_record *record)
{
	struct asterisk_prefix prefix;
	struct asterisk_cursor all;
	struct asterisk_cursor start;
	enum asterisk_kind kind;

	if (!joined_add(reader, line))
		return ASTERISK_REST;
	all = (struct asterisk_cursor){ reader->joined, reader->joined + reader->joined_length };
	start = all;
	(void)asterisk_take_prefix(&start, &prefix); /* the first line had one when it came */
	kind = read_text(reader, all, start.at, &prefix, record);
	if (kind == ASTERISK_CUT)
		return ASTERISK_REST;
	joined_clear(reader);
	if (kind != ASTERISK_RECORD || !is_short_account(record))
		return ASTERISK_REST;
	thread_judge(reader, prefix.thread, record);
	return kind;
}

/* SYSLOG: a cut record of PJSIP is a line of its own there. An ESC in the Call-ID makes it shorter
 * after the cut, so that its length does not tell. Other services write no value so long. */
static enum asterisk_kind read_syslog(struct asterisk *reader, struct asterisk_cursor line,
	const char *first, const struct asterisk_prefix *prefix, struct asterisk_record *record)
{
	enum asterisk_kind kind = read_text(reader, line, first, prefix, record);
	struct asterisk_head head;

	if (kind != ASTERISK_RECORD ||
		!asterisk_read_head((struct asterisk_cursor){ first, line.end }, &head) ||
		!asterisk_is(head.service, "PJSIP"))
		return kind;
	return asterisk_is(head.event, "ChallengeSent") || asterisk_is(head.event, "SuccessfulAuth")
		       ? ASTERISK_OTHER
		       : ASTERISK_SYSLOG;
}

/* A line that begins no record may say that records are missing. Or one is glued to the rest of a
 * cut record that a newline has broken: it may be cut itself, and so on, so that a caller can have
 * all his records stand in lines that begin with none. */
static enum asterisk_kind read_other(struct asterisk_cursor line)
{
	if (asterisk_has_record(line))
		return ASTERISK_GLUED;
	if (asterisk_find(line.at, line.end, ": Failed to issue security event of type ") ||
		asterisk_find(line.at, line.end, "\"Failed to issue security event of type "))
		return ASTERISK_NOT_UTF8;
	if (asterisk_find(line.at, line.end, "Logging resumed.") &&
		asterisk_find(line.at, line.end, " discarded."))
		return ASTERISK_DISCARDED;
	return ASTERISK_OTHER;
}

static enum asterisk_kind read_json(struct asterisk *reader, struct asterisk_cursor line,
	struct asterisk_record *record)
{
	const json_t *message;
	const json_t *level;
	const json_t *thread;
	struct asterisk_cursor text;
	enum asterisk_kind kind;

	if (!asterisk_find(line.at, line.end, "SecurityEvent="))
		return read_other(line);
	json_decref(reader->object);
	reader->object = json_loadb(line.at, (size_t)(line.end - line.at),
		JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	message = json_object_get(json_object_get(reader->object, "logmsg"), "message");
	level = json_object_get(json_object_get(reader->object, "logmsg"), "level");
	thread = json_object_get(json_object_get(reader->object, "identifiers"), "lwp");
	if (!message || !json_is_integer(thread) || line.end - line.at <= SHORT_LINE_MAX)
		return ASTERISK_FORGED;
	if (!json_is_string(level) || strcmp(json_string_value(level), "SECURITY") != 0 ||
		!json_is_string(message))
		return ASTERISK_OTHER;
	text.at = json_string_value(message);
	text.end = text.at + json_string_length(message);
	if (text.end > text.at && text.end[-1] == '\n')
		text.end--;
	kind = read_text(reader, text, text.at, NULL, record);
	if (kind == ASTERISK_RECORD)
		thread_judge(reader, (uint64_t)json_integer_value(thread), record);
	return kind;
}

void asterisk_gap(struct asterisk *reader)
{
	joined_clear(reader);
	reader->doubts = THREAD_RECORDS;
	reader->after_response = reader->after_response || !is_modern(reader);
}

bool asterisk_waits(const struct asterisk *reader)
{
	return reader->joined_lines > 0;
}

/* A banner of an old version is believed at once; that of a new one is not where the line may be a
 * caller's value, of this level (OLD) or of another (MIXED). */
static void learn(struct asterisk *reader, struct asterisk_cursor line)
{
	uint64_t form = 0;
	unsigned major = asterisk_read_banner(line, &form);

	if (!major)
		return;
	if (major < MODERN_MAJOR || (!reader->after_response && reader->file != FILE_MIXED))
		reader->major = major;
	reader->reopened = true;
	if (!reader->form)
		reader->form = form;
}

void asterisk_begin(struct asterisk *reader, uint32_t mark, bool at_head)
{
	joined_clear(reader);
	reader->major = mark & MARK_VERSION;
	reader->file = at_head ? FILE_CLEAN : (enum file)(mark >> MARK_FILE_SHIFT);
	reader->form = 0;
	reader->has_thread = false;
	reader->doubts = 0;
	reader->after_response = !at_head && !is_modern(reader);
}

void asterisk_learn(struct asterisk *reader, const char *line, size_t length)
{
	uint64_t form = 0;
	unsigned major =
		asterisk_read_banner((struct asterisk_cursor){ line, line + length }, &form);

	if (!reader->form)
		reader->form = form;
	if (reader->major || !major)
		return;
	reader->major = major;
	reader->after_response = !is_modern(reader);
}

void asterisk_suppose(struct asterisk *reader, unsigned major)
{
	bool was_modern = is_modern(reader);

	reader->supposed = major;
	if (is_modern(reader) != was_modern)
		reader->after_response = was_modern;
}

uint32_t asterisk_mark(const struct asterisk *reader)
{
	return reader->major | (uint32_t)reader->file << MARK_FILE_SHIFT;
}

bool asterisk_is_clean(const struct asterisk *reader)
{
	return reader->file == FILE_CLEAN;
}

bool asterisk_is_mixed(const struct asterisk *reader)
{
	return reader->file == FILE_MIXED;
}

unsigned asterisk_version(const struct asterisk *reader)
{
	return reader->major;
}

/* MIXED. Its date tells the form, too, before a caller's text in it can. Inside a line the message
 * may be one behind a cut record, whose next lines are a caller's, or may be a caller's itself. */
static void level_judge(struct asterisk *reader, struct asterisk_cursor line)
{
	uint64_t form;

	if (asterisk_has_other_level(line))
		reader->doubts = THREAD_RECORDS;
	if (!asterisk_is_other_level(line, &form))
		return;
	reader->file = FILE_MIXED;
	if (!reader->form)
		reader->form = form;
}

static enum asterisk_kind read_line(struct asterisk *reader, const char *line, size_t length,
	struct asterisk_record *ret_record)
{
	struct asterisk_cursor whole = { line, line + length };
	struct asterisk_cursor start = whole;
	struct asterisk_cursor next;
	struct asterisk_prefix prefix;
	enum asterisk_kind kind;

	if (length && line[length - 1] == '\r')
		whole.end--;
	if (length && line[0] == '{') {
		joined_clear(reader);
		return read_json(reader, whole, ret_record);
	}
	if (!asterisk_take_prefix(&start, &prefix)) {
		level_judge(reader, whole);
		reader->after_response =
			reader->after_response || (!is_modern(reader) && may_leak(whole));
		if (reader->joined_lines)
			return read_joined(reader, whole, ret_record);
		learn(reader, whole);
		return read_other(whole);
	}
	level_judge(reader, (struct asterisk_cursor){ start.at, whole.end });
	joined_clear(reader); /* a prefix has no room in the name of an account, which goes on */
	next = start;
	if (!asterisk_take(&next, "SecurityEvent="))
		return read_other(whole);
	if (length > (line[0] == '[' ? LINE_BYTES_MAX : SYSLOG_BYTES_MAX)) {
		reader->after_response = true;
		return ASTERISK_CUT;
	}
	if (reader->after_response && whole.end - asterisk_skip_syslog(whole) <= INSIDE_LINE_MAX)
		return ASTERISK_FORGED;
	kind = prefix.syslog ? read_syslog(reader, whole, start.at, &prefix, ret_record)
			     : read_text(reader, whole, start.at, &prefix, ret_record);
	if (kind == ASTERISK_RECORD)
		thread_judge(reader, prefix.thread, ret_record);
	if (kind == ASTERISK_CUT && !prefix.syslog && may_go_on(whole, start.at))
		(void)joined_add(reader, whole); /* if it is too long, it is a cut one */
	return kind;
}

enum asterisk_kind asterisk_read(struct asterisk *reader, const char *line, size_t length,
	size_t ahead, struct asterisk_record *ret_record)
{
	const char *behind = line + length + (ahead > 0);
	enum asterisk_kind kind;

	reader->ahead = (struct asterisk_cursor){ behind, behind + ahead };
	kind = read_line(reader, line, length, ret_record);

	reader->ahead = (struct asterisk_cursor){ 0 };
	return kind;
}
