/* A caller who makes Asterisk write records that cannot be read (a Call-ID longer than Asterisk's
 * log line, bytes that are not UTF-8) can keep guessing passwords without any line that shows his
 * address. Nobody can be banned for it; the admin can only be told that it happens. */
#include "decide/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <syslog.h>

#include "base/text.h"
#include "base/times.h"
#include "config/config.h"
#include "decide/letter.h"
#include "match/filter.h"
#include "match/records.h"

enum { KINDS_TEXT_MAX = 1024 };

/* Writes how many unreadable lines of which kind there were: "cut 12, not-utf8 9". */
static void kinds_text(const struct filter *filter, char text[KINDS_TEXT_MAX])
{
	size_t used = 0;

	text[0] = '\0';
	for (int kind = 0; kind < ASTERISK_KINDS; kind++) {
		uint64_t lines = filter_records(filter)->lines[kind];

		if (lines && asterisk_kind_is_blind(kind))
			used += (size_t)snprintf(text + used, KINDS_TEXT_MAX - used,
				"%s%s %" PRIu64, used ? ", " : "", asterisk_kind_text(kind),
				lines); /* fits: there are about ten kinds, each of a few words */
	}
}

static void alarm_raise(struct guard *guard, const struct guard_jail *jail, int64_t now_s)
{
	const char *dest = guard_jail_dest(guard, jail);
	char kinds[KINDS_TEXT_MAX];
	char findtime[DURATION_TEXT_MAX];
	struct letter letter;

	if (!dest)
		dest = guard->config->mail.dest;
	kinds_text(jail->filter, kinds);
	duration_format(jail->config->findtime_s, findtime);
	guard_note(guard, LOG_WARNING,
		"%s: someone is guessing blindly: more than %d lines within %s name nobody soundly "
		"(since the start: %s)",
		text_shown_string(jail->name).text, BLIND_LINES, findtime, kinds);
	if (!dest || !guard->events.alert)
		return;
	letter_blind(&letter, jail->name, BLIND_LINES, findtime, kinds, guard->host);
	guard->events.alert(guard->events.context, now_s, dest, guard_jail_sender(guard, jail),
		&letter);
}

static void line_count(struct guard *guard, struct guard_jail *jail, int64_t now_s)
{
	int64_t findtime_s = jail->config->findtime_s;
	struct blind *blind = &jail->blind;
	int64_t oldest_s;

	blind->at_s[blind->next] = now_s;
	blind->next = (blind->next + 1) % (BLIND_LINES + 1);
	oldest_s = blind->at_s[blind->next];
	if (!oldest_s || now_s - oldest_s > findtime_s)
		return;
	if (blind->told_s > now_s)
		blind->told_s = now_s; /* the clock was set back: it must not silence us */
	if (blind->told_s && now_s - blind->told_s < findtime_s)
		return;
	blind->told_s = now_s;
	alarm_raise(guard, jail, now_s);
}

/* Whoever wrote the logs: an older Asterisk lets callers write more, and more of its records are
 * given up. */
static void versions_tell(struct guard *guard, struct guard_jail *jail)
{
	const struct records *records = filter_records(jail->filter);

	if (jail->blind.versions_told || !records->oldest_version)
		return;
	jail->blind.versions_told = true;
	guard_note(guard, LOG_WARNING,
		"%s: its logs say that they are of Asterisk %u and of %u: one that does not say it for "
		"sure is taken to be of the older, and more of its records are given up",
		text_shown_string(jail->name).text, records->oldest_version,
		records->newest_version);
}

void blind_count(struct guard *guard, size_t number, const struct line *line, int64_t now_s)
{
	struct guard_jail *jail = &guard->jails[number];
	uint64_t lines = filter_records(jail->filter)->blind;
	bool is_old = line->first_read ||
		      (line->dated && line->at_ms / 1000 < now_s - jail->config->findtime_s);

	versions_tell(guard, jail);
	for (; jail->blind.lines < lines; jail->blind.lines++)
		if (!is_old)
			line_count(guard, jail, now_s);
}
