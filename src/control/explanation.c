#include "control/explanation.h"

#include <jansson.h>

#include "base/ports.h"
#include "base/text.h"
#include "base/times.h"
#include "control/control.h"
#include "control/status.h"
#include "decide/bans.h"
#include "decide/counter.h"
#include "decide/guard.h"

/* The last of the texts, at most EXPLANATION_LINES_MAX. */
static json_t *texts_json(const struct counter_text *texts, size_t count)
{
	json_t *array = json_array();
	char shown[1024];

	for (size_t i = count > EXPLANATION_LINES_MAX ? count - EXPLANATION_LINES_MAX : 0;
		i < count; i++)
		json_array_append_new(array, json_string(text_render(shown, sizeof(shown),
						     texts[i].bytes, texts[i].length)));
	return array;
}

/* The bans of ip, and those of a network around it. */
static json_t *bans_json(const struct control_engine *engine, const struct ip *ip, int64_t now_s)
{
	struct bans *bans = guard_bans(engine->guard);
	json_t *array = json_array();
	size_t cursor = 0;
	const struct ban *ban;

	while (json_array_size(array) < EXPLANATION_BANS_MAX && (ban = bans_next(bans, &cursor))) {
		struct guard_jail_info info;
		json_t *object;

		if (ban->expired || !ip_overlaps(&ban->ip, ip))
			continue;
		guard_jail_info(engine->guard, ban->jail, now_s, &info);
		object = status_ban(engine, ban, &info);
		json_object_set_new(object, "jail", json_string(text_shown_string(info.name).text));
		json_object_set_new(object, "number", json_integer(ban->number));
		json_object_set_new(object, "note",
			ban->note[0] ? json_string(text_shown_string(ban->note).text)
				     : json_null());
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *window_json(const struct guard_jail_info *info, const struct counter_window *window)
{
	char first[UTC_TEXT_MAX];
	char last[UTC_TEXT_MAX];

	return json_pack("{s:s, s:i, s:i, s:i, s:I, s:s, s:s, s:s, s:s, s:o, s:o}", "jail",
		text_shown_string(info->name).text, "failures", (int)window->failures, "counted",
		(int)window->counted, "maxretry", (int)info->maxretry, "findtime_s",
		(json_int_t)info->findtime_s, "first", utc_format(window->first_s, first), "last",
		utc_format(window->last_s, last), "proof", window->proven ? "proven" : "unproven",
		"rule", text_shown_string(window->rule).text, "accounts",
		texts_json(window->accounts, window->n_accounts), "lines",
		texts_json(window->lines, window->n_lines));
}

static json_t *windows_json(const struct control_engine *engine, const struct ip *unit,
	int64_t now_s)
{
	json_t *array = json_array();

	for (size_t i = 0; i < guard_jails(engine->guard); i++) {
		struct counter_window window;
		struct guard_jail_info info;

		if (!guard_window(engine->guard, i, unit, now_s, &window))
			continue;
		guard_jail_info(engine->guard, i, now_s, &info);
		json_array_append_new(array, window_json(&info, &window));
	}
	return array;
}

json_t *explanation_json(const struct control_engine *engine, const struct ip *ip, int64_t now_s)
{
	const char *because = guard_protected(engine->guard, ip);
	struct ip unit = guard_unit(engine->guard, ip);
	char address[IP_TEXT_MAX];
	char counted[IP_TEXT_MAX];

	return json_pack("{s:b, s:s, s:s, s:o, s:o, s:o}", "ok", 1, "address",
		ip_format(ip, address), "counted_as", ip_format(&unit, counted), "protected",
		because ? json_string(text_shown_string(because).text) : json_null(), "bans",
		bans_json(engine, ip, now_s), "failures", windows_json(engine, &unit, now_s));
}
