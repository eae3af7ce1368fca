#include "control/parts.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "control/status.h"
#include "decide/bans.h"
#include "decide/guard.h"
#include "dialect/ignore_words.h"
#include "protect/protect.h"

static bool is_text(const json_t *value)
{
	return json_is_string(value);
}

static bool is_whole(const json_t *value)
{
	return json_is_integer(value);
}

static bool is_truth(const json_t *value)
{
	return json_is_boolean(value);
}

enum argument {
	ARGUMENT_ADDRESS = 1 << 0,
	ARGUMENT_JAIL = 1 << 1,
	ARGUMENT_NOTE = 1 << 2,
	ARGUMENT_FOR = 1 << 3,
	ARGUMENT_ALL = 1 << 4,
};

static const struct {
	const char *key;
	enum argument argument;
	bool (*fits)(const json_t *value);
	const char *wanted;
} arguments[] = {
	{ "address", ARGUMENT_ADDRESS, is_text, "a string" },
	{ "jail", ARGUMENT_JAIL, is_text, "a string" },
	{ "note", ARGUMENT_NOTE, is_text, "a string" },
	{ "for_s", ARGUMENT_FOR, is_whole, "a whole number of seconds" },
	{ "all", ARGUMENT_ALL, is_truth, "true or false" },
};

/* The value of a key that argument_check has passed; NULL: it is missing. */
static const char *text_of(const json_t *request, const char *key)
{
	return json_string_value(json_object_get(request, key));
}

/* One that is not understood is refused: taken for missing, a time would be for ever, and a jail
 * would be every jail. */
static int argument_check(const char *command, unsigned wanted, const char *key,
	const json_t *value, struct error *err)
{
	char shown[64];

	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		if (strcmp(arguments[i].key, key) != 0 || !(arguments[i].argument & wanted))
			continue;
		if (arguments[i].fits(value))
			return 0;
		return error_set(err, "%s: %s is wanted", key, arguments[i].wanted);
	}
	return error_set(err, "%s has no argument '%s'", command,
		text_render_string(shown, sizeof(shown), key));
}

static void command_status(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const char *jail = text_of(request, "jail");
	char shown[128];

	if (jail && guard_find_jail(control->engine.guard, jail) < 0) {
		char text[256];

		(void)snprintf(text, sizeof(text), "there is no jail '%s'",
			text_render_string(shown, sizeof(shown), jail)); /* fits */
		control_say(connection, json_pack("{s:b, s:s}", "ok", 0, "error", text));
		return;
	}
	connection->jail = jail ? alloc_string(jail) : NULL;
	connection->status =
		status_new(&control->engine, connection->jail, control->serial += STATUS_SERIALS);
	connection->waiting = WAIT_COUNTERS;
	connection->deadline_s = now_s + ANSWER_WAIT_S;
}

void control_warn(json_t *object, const char *text)
{
	char shown[ERROR_TEXT_MAX * 4];

	json_object_set_new(object, "warning",
		json_string(text_rendered(shown, sizeof(shown), text)));
}

/* Makes the change durable, hands it to the kernel, and answers when that has acknowledged. A
 * database that fails does not undo it: the change is done in memory and goes to the kernel, and is
 * written when the database works again. That is what the answer says. */
static void finish_change(struct control *control, struct connection *connection,
	const struct ip *ip, int ban_jail, json_t *object, int64_t now_s)
{
	struct error err;
	char text[ERROR_TEXT_MAX + 64];

	if (control->engine.commit(control->engine.context, &err) < 0) {
		(void)snprintf(text, sizeof(text), "done, but not written down yet: %s",
			err.text); /* fits */
		control_warn(object, text);
	}
	control->engine.flush(control->engine.context);
	if (control->engine.dry_run || !ip) {
		control_say(connection, object);
		return;
	}
	connection->answer = object;
	connection->ip = *ip;
	connection->ban_jail = ban_jail;
	connection->waiting = WAIT_KERNEL;
	connection->deadline_s = now_s + ANSWER_WAIT_S;
}

static void command_ban(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const json_t *duration = json_object_get(request, "for_s");
	int64_t for_s = json_integer_value(duration); /* 0: it is missing */
	const char *address = text_of(request, "address");
	struct error err;
	struct ip ip;

	if (duration && (for_s < -1 || for_s == 0)) {
		control_say_error(connection,
			"for_s: a ban lasts one second or more, or -1: it is permanent");
		return;
	}
	if (!address || ip_parse_prefix(address, &ip, &err) < 0) {
		control_say_error(connection, address ? err.text : "the address is missing");
		return;
	}
	if (!ip_has_ban_width(&ip)) {
		control_say_error(connection,
			"a ban is of one address, an IPv4 /24, or an IPv6 /64, /56 "
			"or /48");
		return;
	}
	ip = guard_unit(control->engine.guard, &ip);
	if (guard_ban(control->engine.guard, &ip, text_of(request, "jail"), for_s,
		    text_of(request, "note"), now_s, &err) < 0)
		control_say_error(connection, err.text);
	else
		finish_change(control, connection, &ip,
			guard_find_jail(control->engine.guard,
				text_of(request, "jail") ? text_of(request, "jail") : "manual"),
			json_pack("{s:b}", "ok", 1), now_s);
}

static void command_unban(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const char *address = text_of(request, "address");
	bool all = json_is_true(json_object_get(request, "all"));
	uint32_t lifted = 0;
	struct error err;
	struct ip ip;
	int rc;

	if (all && address) {
		control_say_error(connection, "an address, or all: not both");
		return;
	}
	if (!all && (!address || ip_parse_prefix(address, &ip, &err) < 0)) {
		control_say_error(connection, address ? err.text : "the address is missing");
		return;
	}
	if (!all)
		ip = guard_unit(control->engine.guard, &ip);
	if (all)
		rc = guard_unban_all(control->engine.guard, text_of(request, "jail"), now_s,
			&lifted, &err);
	else
		rc = guard_unban(control->engine.guard, &ip, text_of(request, "jail"), now_s,
			&lifted, &err);
	if (rc < 0)
		control_say_error(connection, err.text);
	else
		finish_change(control, connection, all ? NULL : &ip, -1,
			json_pack("{s:b, s:I}", "ok", 1, "lifted", (json_int_t)lifted), now_s);
}

/* An address, or a name. False with a sentence: neither. */
static bool allowed_read(const struct control *control, const char *text, struct ip *ret_ip,
	bool *ret_is_name, struct error *err)
{
	enum ignore_words_kind kind = IGNORE_WORDS_FILE;

	if (!text) {
		(void)error_set(err, "the address is missing");
		return false;
	}
	if (ignore_words_word(text, &kind, ret_ip, err) < 0)
		return false;
	*ret_is_name = kind == IGNORE_WORDS_NAME;
	if (kind == IGNORE_WORDS_FILE || (*ret_is_name && !control->engine.ignore)) {
		(void)error_set(err, "an address is wanted, or a host name");
		return false;
	}
	return true;
}

static void command_allow(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const json_t *duration = json_object_get(request, "for_s");
	int64_t for_s = json_integer_value(duration); /* 0: it is missing */
	const char *address = text_of(request, "address");
	const char *note = text_of(request, "note");
	struct error err;
	bool is_name;
	struct ip ip;
	int rc;

	if (duration && for_s <= 0) {
		control_say_error(connection,
			"for_s: one second or more is wanted; without it, it is for ever");
		return;
	}
	if (!allowed_read(control, address, &ip, &is_name, &err)) {
		control_say_error(connection, err.text);
		return;
	}
	if (is_name)
		rc = ignore_allow(control->engine.ignore, address, for_s, note, now_s, &err);
	else
		rc = guard_allow(control->engine.guard, &ip, for_s, note, now_s, &err);
	if (rc < 0)
		control_say_error(connection, err.text);
	else
		finish_change(control, connection, is_name ? NULL : &ip, -1,
			json_pack("{s:b}", "ok", 1), now_s);
}

static void command_disallow(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const char *address = text_of(request, "address");
	struct error err;
	bool is_name;
	struct ip ip;

	if (!allowed_read(control, address, &ip, &is_name, &err))
		control_say_error(connection, err.text);
	else if ((is_name ? ignore_disallow(control->engine.ignore, address, &err)
			  : guard_disallow(control->engine.guard, &ip, &err)) < 0)
		control_say_error(connection, err.text);
	else
		finish_change(control, connection, NULL, -1, json_pack("{s:b}", "ok", 1), now_s);
}

static void command_jail(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const char *jail = text_of(request, "jail");
	int number = jail ? guard_find_jail(control->engine.guard, jail) : -1;
	char shown[128];
	char text[192];

	(void)snprintf(text, sizeof(text), "there is no jail '%s'",
		text_render_string(shown, sizeof(shown), jail ? jail : "")); /* fits */
	if (number < 0)
		control_say_error(connection, jail ? text : "the jail is missing");
	else
		control_say(connection, status_jail(control->engine.guard, (size_t)number, now_s));
}

static void command_jails(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	(void)request;
	control_say(connection, status_jails(control->engine.guard, now_s));
}

static void command_reload(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	struct error err;

	(void)request, (void)now_s;
	if (control->engine.reload(control->engine.context, connection->fd, &err) < 0)
		control_say_error(connection, err.text);
	else
		control_close(connection); /* the next engine has its own copy and answers */
}

static void command_version(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	(void)control, (void)request, (void)now_s;
	control_say(connection, json_pack("{s:b, s:s}", "ok", 1, "version", VERSION));
}

static const struct command {
	const char *name;
	void (*run)(struct control *control, struct connection *connection, const json_t *request,
		int64_t now_s);
	unsigned arguments; /* enum argument, those it knows */
} commands[] = {
	{ "status", command_status, ARGUMENT_JAIL },
	{ "jails", command_jails, 0 },
	{ "jail", command_jail, ARGUMENT_JAIL },
	{ "ban", command_ban, ARGUMENT_ADDRESS | ARGUMENT_JAIL | ARGUMENT_NOTE | ARGUMENT_FOR },
	{ "unban", command_unban, ARGUMENT_ADDRESS | ARGUMENT_JAIL | ARGUMENT_ALL },
	{ "allow", command_allow, ARGUMENT_ADDRESS | ARGUMENT_NOTE | ARGUMENT_FOR },
	{ "disallow", command_disallow, ARGUMENT_ADDRESS },
	{ "reload", command_reload, 0 },
	{ "version", command_version, 0 },
};

static int request_check(const struct command *command, const json_t *request, struct error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)request, key, value)
	{
		if (strcmp(key, "command") != 0 &&
			argument_check(command->name, command->arguments, key, value, err) < 0)
			return -1;
	}
	return 0;
}

static void run_command(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const char *name = text_of(request, "command");
	struct error err;

	if (!name) {
		control_say_error(connection, "the request is not a JSON object with a command");
		return;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		if (request_check(&commands[i], request, &err) < 0)
			control_say_error(connection, err.text);
		else
			commands[i].run(control, connection, request, now_s);
		return;
	}
	control_say_error(connection,
		"the daemon does not know this command: is it older than the client?");
}

void control_dispatch(struct control *control, struct connection *connection, int64_t now_s)
{
	json_t *request = json_loadb(connection->in, connection->in_length, JSON_REJECT_DUPLICATES,
		NULL); /* else the last one of two would win */

	run_command(control, connection, request, now_s);
	json_decref(request);
}
