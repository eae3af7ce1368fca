/* An address that has failed often enough for a ban, and gets none, since it is protected or may be
 * forged: somebody is told. A phone with a wrong password in the office is worth a mail, and so is
 * a stranger who writes the office's address into his packets. */
#include "decide/parts.h"

#include <stdlib.h>
#include <syslog.h>

#include "base/alloc.h"
#include "base/ipmap.h"
#include "base/text.h"
#include "base/times.h"
#include "config/config.h"
#include "decide/counter.h"
#include "decide/letter.h"
#include "state/store.h"

struct told {
	struct ip unit; /* family 0: the place is free */
	uint32_t jail;
	int64_t at_s; /* time of the line that was told of */
};

/* A ring of those that were told of. ring[next] is overwritten next. by_unit finds each of them. */
struct spared {
	struct told ring[SPARED_MAX];
	size_t next;
	struct ipmap *by_unit; /* (unit, jail) → struct told in ring */
};

struct spared *spared_new(void)
{
	struct spared *spared = alloc_zero(sizeof(*spared));

	spared->by_unit = ipmap_new(SPARED_MAX);
	return spared;
}

void spared_free(struct spared *spared)
{
	ipmap_free(spared->by_unit);
	free(spared);
}

static void told_keep(struct spared *spared, uint32_t jail, const struct ip *unit, int64_t at_s)
{
	struct told *told = ipmap_get(spared->by_unit, unit, jail);

	if (!told) {
		told = &spared->ring[spared->next];
		spared->next = (spared->next + 1) % SPARED_MAX;
		if (told->unit.family) /* returns `told` */
			(void)ipmap_remove(spared->by_unit, &told->unit, told->jail);
		*told = (struct told){ .unit = *unit, .jail = jail };
		(void)ipmap_put(spared->by_unit, unit, jail, told); /* there is room */
	}
	told->at_s = at_s;
}

/* Lines come a little out of order: one from shortly before the last that was told of is as near to
 * it as one behind it. */
static bool is_told(const struct spared *spared, uint32_t jail, const struct ip *unit, int64_t at_s,
	int64_t findtime_s)
{
	const struct told *told = ipmap_get(spared->by_unit, unit, jail);

	return told && at_s <= told->at_s + findtime_s && at_s >= told->at_s - findtime_s;
}

static void spared_tell(struct guard *guard, const struct guard_jail *jail,
	const struct counter_window *window, const char *because, int64_t now_s)
{
	const char *dest = guard_jail_dest(guard, jail);
	char findtime[DURATION_TEXT_MAX];
	char address[IP_TEXT_MAX];
	struct letter letter;

	guard_note(guard, LOG_NOTICE,
		"%s: %s has failed %u times within %s and would have been banned, but %s%s",
		text_shown_string(jail->name).text, ip_format(&window->ip, address),
		window->failures, duration_format(jail->config->findtime_s, findtime),
		because ? "is protected: " : "may be forged (unproven = alert)",
		because ? text_shown_string(because).text : "");
	if (!dest || !guard->events.alert)
		return;
	letter_spared(&letter, jail->name, jail->config, window, because, guard->host);
	guard->events.alert(guard->events.context, now_s, dest, guard_jail_sender(guard, jail),
		&letter);
}

void spared_reached(struct guard *guard, uint32_t number, const struct ip *unit,
	const char *because, int64_t reached_s, int64_t now_s)
{
	const struct guard_jail *jail = &guard->jails[number];
	int64_t findtime_s = jail->config->findtime_s;
	bool is_new = !is_told(guard->spared, number, unit, reached_s, findtime_s);
	struct counter_window window;

	/* nobody needs to hear today what an old log tells */
	if (is_new && reached_s >= now_s - findtime_s &&
		counter_get(guard->counter, number, unit, reached_s, &window))
		spared_tell(guard, jail, &window, because, now_s);
	if (is_new)
		told_keep(guard->spared, number, unit, reached_s);
	guard_record_marker(guard, number, unit, reached_s, STORE_UNBAN, !because, is_new);
	if (because)
		counter_clear(guard->counter, number, unit);
	else
		counter_clear_unproven(guard->counter, number, unit);
}

void spared_load(struct guard *guard, uint32_t jail, const struct store_failure *row)
{
	if (row->kind == STORE_UNBAN && row->value)
		told_keep(guard->spared, jail, &row->ip, row->at_s);
}
