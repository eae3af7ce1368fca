/* What the guard writes to the database and to the system's journal. */
#include "decide/parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include "base/text.h"
#include "base/times.h"
#include "config/config.h"
#include "state/store.h"

enum { NOTE_MAX = 2048 };

void guard_note(const struct guard *guard, int priority, const char *format, ...)
{
	char text[NOTE_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* cut */
	va_end(args);
	if (guard->events.note)
		guard->events.note(guard->events.context, priority, text);
}

void guard_note_ban(const struct guard *guard, const struct ban *ban, const char *what)
{
	char address[IP_TEXT_MAX];
	char length[DURATION_TEXT_MAX] = "good";
	char count[48] = "";

	if (ban->until_s)
		duration_format(ban->until_s - ban->since_s, length);
	if (ban->number)
		text_format(count, sizeof(count), ", ban %u of this address", ban->number);
	guard_note(guard, LOG_NOTICE, "%s: %s %s for %s%s%s",
		text_shown_string(guard->jails[ban->jail].name).text, what,
		ip_format(&ban->ip, address), length, count, guard->dry_run ? " (dry run)" : "");
}

bool guard_is_full(const struct guard *guard, size_t jail, bool proven)
{
	const struct config_jail *config = guard->jails[jail].config;

	return proven || !config || !config->doubts;
}

void guard_record_ban(struct guard *guard, struct ban *ban, enum store_ban_state state)
{
	struct store_ban row = {
		.id = ban->row,
		.jail = guard->jails[ban->jail].name,
		.ip = ban->ip,
		.since_s = ban->since_s,
		.until_s = ban->until_s,
		.failures = ban->failures,
		.proven = ban->proven,
		.state = state,
		.account = ban->account,
		.note = ban->note,
		.number = ban->row_number,
	};

	if (guard->dry_run) {
		/* a later run that is not dry must neither act on this ban nor count it */
		row.state = STORE_BAN_ENDED;
		row.number -= row.number > 0 && guard_is_full(guard, ban->jail, ban->proven);
	}
	ban->row = store_ban(guard->store, &row);
}

void guard_record_marker(struct guard *guard, uint32_t jail, const struct ip *ip, int64_t at_s,
	enum store_kind kind, bool keeps_proven, int64_t value)
{
	struct store_failure row = { .jail = guard->jails[jail].name,
		.ip = *ip,
		.at_s = at_s,
		.kind = kind,
		.value = value,
		.proven = keeps_proven };

	store_failure(guard->store, &row);
}

void guard_record_totals(struct guard *guard, const struct guard_jail *jail)
{
	store_total(guard->store, jail->name, jail->failures_total, jail->bans_total);
}
