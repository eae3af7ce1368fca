#include "asterisk/record_start.h"

#include <string.h>
#include <time.h>

enum {
	PREFIX_BYTES_MAX = 512, /* a date, a host and a program */
	GAP_BYTES_MAX = 128, /* from res_security_log.c to SecurityEvent=: a line and a function */
	THREAD_DIGITS_MAX = 10, /* Linux numbers threads up to 4194304 */
};

static int64_t digits(struct asterisk_cursor *c, int count)
{
	int64_t value = 0;

	for (int i = 0; i < count; i++, c->at++) {
		if (c->at == c->end || !asterisk_is_digit(*c->at))
			return -1;
		value = value * 10 + (*c->at - '0');
	}
	return value;
}

/* 2026-11-23T08:51:05.686+0000 of Asterisk 12 and later. */
static bool read_iso(struct asterisk_cursor c, int64_t *ret_ms)
{
	int64_t year = digits(&c, 4);
	int64_t month = asterisk_take(&c, "-") ? digits(&c, 2) : -1;
	int64_t day = asterisk_take(&c, "-") ? digits(&c, 2) : -1;
	int64_t hour = asterisk_take(&c, "T") ? digits(&c, 2) : -1;
	int64_t minute = asterisk_take(&c, ":") ? digits(&c, 2) : -1;
	int64_t second = asterisk_take(&c, ":") ? digits(&c, 2) : -1;
	int64_t ms = asterisk_take(&c, ".") ? digits(&c, 3) : -1;
	int sign = asterisk_take(&c, "+") ? 1 : asterisk_take(&c, "-") ? -1 : 0;
	int64_t zone_hour = digits(&c, 2);
	int64_t zone_minute = digits(&c, 2);
	struct tm tm = { .tm_year = (int)year - 1900,
		.tm_mon = (int)month - 1,
		.tm_mday = (int)day,
		.tm_hour = (int)hour,
		.tm_min = (int)minute,
		.tm_sec = (int)second };

	if (ms < 0 || !sign || zone_minute < 0 || zone_hour > 18 || zone_minute > 59 ||
		c.at != c.end || year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 ||
		hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return false;
	*ret_ms = (timegm(&tm) - sign * (zone_hour * 3600 + zone_minute * 60)) * 1000 + ms;
	return true;
}

/* 1380558241-52: seconds and microseconds, up to Asterisk 11. */
static bool read_old(struct asterisk_cursor c, int64_t *ret_ms)
{
	struct asterisk_piece seconds;
	struct asterisk_piece micros;
	int64_t value = 0;
	int64_t part = 0;

	if (!asterisk_take_run(&c, asterisk_is_digit, 1, &seconds) || seconds.length > 11 ||
		!asterisk_take(&c, "-") || !asterisk_take_run(&c, asterisk_is_digit, 1, &micros) ||
		micros.length > 6 || c.at != c.end)
		return false;
	for (size_t i = 0; i < seconds.length; i++)
		value = value * 10 + (seconds.text[i] - '0');
	for (size_t i = 0; i < micros.length; i++)
		part = part * 10 + (micros.text[i] - '0');
	*ret_ms = value * 1000 + part / 1000;
	return true;
}

/* SecurityEvent="E",EventTV="T",Severity="..",Service="S",EventVersion="n",AccountID=" */
bool asterisk_read_head(struct asterisk_cursor c, struct asterisk_head *ret)
{
	struct asterisk_piece stamp;
	struct asterisk_piece severity;
	struct asterisk_piece version;
	struct asterisk_cursor when;

	*ret = (struct asterisk_head){ .start = c.at };
	if (!asterisk_take(&c, "SecurityEvent=\"") ||
		!asterisk_take_run(&c, asterisk_is_word, 1, &ret->event) ||
		!asterisk_take(&c, "\"") ||
		!asterisk_take_field(&c, "EventTV", asterisk_is_stamp, &stamp) ||
		!asterisk_take_field(&c, "Severity", asterisk_is_word, &severity) ||
		!(asterisk_is(severity, "Error") || asterisk_is(severity, "Informational")) ||
		!asterisk_take_field(&c, "Service", asterisk_is_word, &ret->service) ||
		!asterisk_take_field(&c, "EventVersion", asterisk_is_digit, &version) ||
		!version.length || !asterisk_take(&c, ",AccountID=\""))
		return false;
	ret->end = c.at;
	when = (struct asterisk_cursor){ stamp.text, stamp.text + stamp.length };
	ret->iso = read_iso(when, &ret->at_ms);
	ret->dated = ret->iso || read_old(when, &ret->at_ms);
	return true;
}

/* The colours of a console: ESC[1;33m, or #033[1;33m as rsyslog writes it. */
static void take_colour(struct asterisk_cursor *c)
{
	for (;;) {
		struct asterisk_cursor next = *c;

		if (!asterisk_take(&next, "\033[") && !asterisk_take(&next, "#033["))
			return;
		while (next.at < next.end && (asterisk_is_digit(*next.at) || *next.at == ';'))
			next.at++;
		if (!asterisk_take(&next, "m"))
			return;
		*c = next;
	}
}

static bool take_coloured(struct asterisk_cursor *c, const char *text)
{
	take_colour(c);
	return asterisk_take(c, text);
}

static bool is_name(char c)
{
	return asterisk_is_word(c) || c == '.';
}

/* [n], the number of the thread that wrote the line. */
static bool take_thread(struct asterisk_cursor *c, uint64_t *ret_thread)
{
	struct asterisk_piece number;

	if (!take_coloured(c, "[") || !asterisk_take_run(c, asterisk_is_digit, 1, &number) ||
		!asterisk_take(c, "]") || number.length > THREAD_DIGITS_MAX)
		return false;
	*ret_thread = 0;
	for (size_t i = 0; i < number.length; i++)
		*ret_thread = *ret_thread * 10 + (uint64_t)(number.text[i] - '0');
	return true;
}

/* SECURITY[n] res_security_log.c: , or SECURITY[n]: res_security_log.c:LINE FUNC: , or ... in FUNC:
 */
static bool take_level(struct asterisk_cursor *c, uint64_t *ret_thread)
{
	struct asterisk_cursor plain;

	if (!take_coloured(c, "SECURITY") || !take_thread(c, ret_thread))
		return false;
	plain = *c;
	if (asterisk_take(c, " res_security_log.c: "))
		return true;
	if (!asterisk_take(&plain, ": ") || !take_coloured(&plain, "res_security_log.c") ||
		!take_coloured(&plain, ":"))
		return false;
	take_colour(&plain);
	if (!asterisk_take_run(&plain, asterisk_is_digit, 1, NULL))
		return false;
	take_colour(&plain);
	(void)asterisk_take(&plain, " in");
	if (!asterisk_take(&plain, " "))
		return false;
	take_colour(&plain);
	if (!asterisk_take_run(&plain, is_name, 1, NULL) || !take_coloured(&plain, ": "))
		return false;
	*c = plain;
	return true;
}

/* What dates of one dateformat have in common: runs of digits and spaces, runs of letters (the
 * names of months and zones), and the bytes between them. Never 0. */
static uint64_t form_of(const char *at, const char *end)
{
	uint64_t form = 0xcbf29ce484222325u; /* FNV-1a: nobody gains by dates of equal sums */
	char before = '\0';

	for (; at < end; at++) {
		char sort = *at;

		if (asterisk_is_digit(*at) || *at == ' ')
			sort = '0';
		else if (*at == '+') /* of a zone */
			sort = '-';
		else if ((*at & 0x80) || (asterisk_is_word(*at) && *at != '_' && *at != '-'))
			sort = 'a';
		if (sort != before || (sort != '0' && sort != 'a'))
			form = (form ^ (unsigned char)sort) * 0x100000001b3u;
		before = sort;
	}
	return form ? form : 1;
}

/* [date] : the operator chooses what it looks like, but it is not empty. It holds no bracket, and
 * no quote, lest the text between two values of a record pass for a date. */
static bool take_date(struct asterisk_cursor *c, uint64_t *ret_form)
{
	const char *close;

	if (!asterisk_take(c, "["))
		return false;
	close = memchr(c->at, ']', (size_t)(c->end - c->at));
	if (!close || close == c->at || close - c->at > PREFIX_BYTES_MAX ||
		memchr(c->at, '"', (size_t)(close - c->at)))
		return false;
	*ret_form = form_of(c->at, close);
	c->at = close + 1;
	return asterisk_take(c, " ");
}

/* DATE HOST asterisk[pid]: , without a quote, as for a date. */
static bool take_syslog(struct asterisk_cursor *c)
{
	const char *colon = asterisk_find(c->at, c->end, ": ");
	const char *bracket = c->at < c->end ? memchr(c->at, '[', (size_t)(c->end - c->at)) : NULL;
	struct asterisk_cursor number;

	if (!colon || !bracket || bracket >= colon || colon - c->at > PREFIX_BYTES_MAX ||
		memchr(c->at, '"', (size_t)(colon - c->at)))
		return false;
	number = (struct asterisk_cursor){ bracket + 1, colon };
	if (!asterisk_take_run(&number, asterisk_is_digit, 1, NULL) ||
		!asterisk_take(&number, "]") || number.at != colon)
		return false;
	c->at = colon + 2;
	return true;
}

const char *asterisk_skip_syslog(struct asterisk_cursor line)
{
	struct asterisk_cursor next = line;

	return take_syslog(&next) ? next.at : line.at;
}

bool asterisk_take_prefix(struct asterisk_cursor *c, struct asterisk_prefix *ret)
{
	struct asterisk_cursor next = *c;

	*ret = (struct asterisk_prefix){ 0 };
	if (!take_date(&next, &ret->form)) {
		next = *c;
		if (!take_syslog(&next))
			return false;
		c->at = next.at;
		ret->syslog = !take_date(&next, &ret->form);
		if (ret->syslog)
			next.at = c->at;
	}
	if (!take_level(&next, &ret->thread))
		return false;
	*c = next;
	return true;
}

/* Behind a date: LEVEL[n][C-00000001] file.c: text, or LEVEL[n]: file.c:LINE FUNC: text. */
static bool take_other_level(struct asterisk_cursor *c)
{
	struct asterisk_piece level;
	uint64_t thread;

	take_colour(c);
	if (!asterisk_take_run(c, asterisk_is_word, 1, &level) || !take_thread(c, &thread))
		return false;
	if (asterisk_take(c, "[C-") &&
		(!asterisk_take_run(c, asterisk_is_word, 1, NULL) || !asterisk_take(c, "]")))
		return false;
	(void)asterisk_take(c, ":");
	if (!asterisk_take(c, " "))
		return false;
	return !asterisk_is(level, "SECURITY");
}

bool asterisk_is_other_level(struct asterisk_cursor line, uint64_t *ret_form)
{
	struct asterisk_cursor c = { asterisk_skip_syslog(line), line.end };

	/* an account's bytes end at a quote, if at none of their own then at that of its field */
	return c.end - c.at >= ASTERISK_ACCOUNT_BYTES &&
	       !memchr(c.at, '"', ASTERISK_ACCOUNT_BYTES) && take_date(&c, ret_form) &&
	       take_other_level(&c);
}

bool asterisk_has_other_level(struct asterisk_cursor text)
{
	static const char key[] = "] ";

	for (const char *at = text.at; (at = asterisk_find(at, text.end, key)); at++) {
		struct asterisk_cursor c = { at + sizeof(key) - 1, text.end };

		if (take_other_level(&c))
			return true;
	}
	return false;
}

bool asterisk_has_record(struct asterisk_cursor line)
{
	static const char key[] = "SECURITY";
	struct asterisk_head head;
	uint64_t thread;

	for (const char *at = line.at; (at = asterisk_find(at, line.end, key)); at++) {
		struct asterisk_cursor c = { at, line.end };

		if (take_level(&c, &thread) && asterisk_read_head(c, &head))
			return true;
	}
	return false;
}

/* [date] Asterisk 22.10.1 built by A @ B on a C running Linux on 2026-07-20 21:35:32 UTC */
unsigned asterisk_read_banner(struct asterisk_cursor line, uint64_t *ret_form)
{
	struct asterisk_piece number;
	unsigned major = 0;

	if (!take_date(&line, ret_form) || !asterisk_take(&line, "Asterisk ") ||
		!asterisk_take_run(&line, asterisk_is_digit, 1, &number) || number.length > 3 ||
		!asterisk_take(&line, ".") || !asterisk_find(line.at, line.end, " built by ") ||
		!asterisk_find(line.at, line.end, " running ") ||
		memcmp(line.end - 4, " UTC", 4) != 0 ||
		memchr(line.at, '"', (size_t)(line.end - line.at)))
		return 0;
	for (size_t i = 0; i < number.length; i++)
		major = major * 10 + (unsigned)(number.text[i] - '0');
	return major;
}

size_t asterisk_find_heads(struct asterisk_cursor line, const char *first,
	struct asterisk_head heads[ASTERISK_HEADS_MAX + 1])
{
	static const char key[] = "res_security_log.c";
	static const char mark[] = "SecurityEvent=\"";
	const char *at = first;
	size_t count = 0;

	if (asterisk_read_head((struct asterisk_cursor){ first, line.end }, &heads[0]))
		count = 1;
	while (count <= ASTERISK_HEADS_MAX && (at = asterisk_find(at, line.end, key))) {
		const char *limit;
		const char *event;

		at += sizeof(key) - 1;
		limit = line.end - at > GAP_BYTES_MAX + (int)sizeof(mark) - 1
				? at + GAP_BYTES_MAX + sizeof(mark) - 1
				: line.end;
		event = asterisk_find(at, limit, mark);
		if (event && asterisk_read_head((struct asterisk_cursor){ event, line.end },
				     &heads[count]))
			count++;
	}
	return count;
}
