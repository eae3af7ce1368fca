#include "control/parts.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "control/explanation.h"
#include "control/status.h"
#include "decide/bans.h"
#include "decide/guard.h"
#include "protect/protect.h"

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
	unsigned types; /* bits: 1 << json_typeof() of a value that fits */
	const char *wanted;
} arguments[] = {
	{ "address", ARGUMENT_ADDRESS, 1U << JSON_STRING, "a string" },
	{ "jail", ARGUMENT_JAIL, 1U << JSON_STRING, "a string" },
	{ "note", ARGUMENT_NOTE, 1U << JSON_STRING, "a string" },
	{ "for_s", ARGUMENT_FOR, 1U << JSON_INTEGER, "a whole number of seconds" },
	{ "all", ARGUMENT_ALL, 1U << JSON_TRUE | 1U << JSON_FALSE, "true or false" },
};

/* The string of a key that argument_check has accepted; NULL: the key is missing. */
static const char *text_of(const json_t *request, const char *key)
{
	return json_string_value(json_object_get(request, key));
}

/* The same for a key without which the command can do nothing: NULL, and err says so. */
static const char *needed_text_of(const json_t *request, const char *key, struct error *err)
{
	const char *text = text_of(request, key);

	if (!text)
		(void)error_set(err, "the %s is missing", key);
	return text;
}

/* An argument that is not understood is an error. If it were ignored, `allow` for an hour would be
 * for ever, and `unban` in one jail would lift the bans of every jail. */
static int argument_check(const char *command, unsigned wanted, const char *key,
	const json_t *value, struct error *err)
{
	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		if (strcmp(arguments[i].key, key) != 0 || !(arguments[i].argument & wanted))
			continue;
		if (arguments[i].types & 1U << json_typeof(value))
			return 0;
		return error_set(err, "%s: %s is wanted", key, arguments[i].wanted);
	}
	return error_set(err, "%s has no argument '%s'", command, text_shown_string(key).text);
}

static int address_read(const json_t *request, struct ip *ret_ip, struct error *err)
{
	const char *address = needed_text_of(request, "address", err);

	return address ? ip_parse_prefix(address, ret_ip, err) : -1;
}

/* Only makes the status and notes that it waits. control_tick, which the engine calls right behind
 * control_run, sends the queries for the counters of the kernel and answers when they are there, at
 * the latest after ANSWER_WAIT_S. */
static int command_status(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s, struct error *err)
{
	const char *jail = text_of(request, "jail");

	if (jail && guard_named_jail(control->engine.guard, jail, err) < 0)
		return -1;
	connection->jail = jail ? alloc_string(jail) : NULL;
	connection->status =
		status_new(&control->engine, connection->jail, control->serial += STATUS_SERIALS);
	connection->waiting = WAIT_COUNTERS;
	connection->deadline_s = now_s + ANSWER_WAIT_S;
	return 0;
}

/* Finishes a change that has been made in memory: writes it to the database, sends it to the
 * firewall role, and has the answer wait for the acknowledgement of the kernel (ip NULL, or a dry
 * run: answers at once). If the database fails, the change is not undone: it goes to the kernel and
 * is written when the database works again, which the answer says as a warning. ban_jail: the
 * number of the jail of a ban, -1: no ban. Takes the reference to object. */
static int finish_change(struct control *control, struct connection *connection,
	const struct ip *ip, int ban_jail, json_t *object, int64_t now_s)
{
	struct error err;

	if (control->engine.commit(control->engine.context, &err) < 0) {
		(void)error_prefix(&err, "done, but not written down yet");
		connection_warn(object, err.text);
	}
	control->engine.flush(control->engine.context);
	if (control->engine.dry_run || !ip) {
		connection_say(connection, object);
		return 0;
	}
	connection->answer = object;
	connection->ip = *ip;
	connection->ban_jail = ban_jail;
	connection->waiting = WAIT_KERNEL;
	connection->deadline_s = now_s + ANSWER_WAIT_S;
	return 0;
}

static int command_ban(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s, struct error *err)
{
	struct guard *guard = control->engine.guard;
	const json_t *duration = json_object_get(request, "for_s");
	int64_t for_s = json_integer_value(duration); /* 0: not given */
	const char *jail = text_of(request, "jail");
	struct ip ip;

	if (duration && (for_s < -1 || for_s == 0))
		return error_set(err,
			"for_s: a ban lasts one second or more, or -1: it is permanent");
	if (address_read(request, &ip, err) < 0)
		return -1;
	if (!ip_has_ban_width(&ip))
		return error_set(err,
			"a ban is of one address, an IPv4 /24, or an IPv6 /64, /56 or /48");
	ip = guard_unit(guard, &ip);
	if (guard_ban(guard, &ip, jail, for_s, text_of(request, "note"), now_s, err) < 0)
		return -1;
	return finish_change(control, connection, &ip,
		guard_find_jail(guard, jail ? jail : "manual"), json_pack("{s:b}", "ok", 1), now_s);
}

static int command_unban(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s, struct error *err)
{
	struct guard *guard = control->engine.guard;
	const char *jail = text_of(request, "jail");
	bool all = json_is_true(json_object_get(request, "all"));
	uint32_t lifted = 0;
	struct ip ip;

	if (all && text_of(request, "address"))
		return error_set(err, "an address, or all: not both");
	if (!all && address_read(request, &ip, err) < 0)
		return -1;
	if (!all)
		ip = guard_unit(guard, &ip);
	if (guard_unban(guard, all ? NULL : &ip, jail, now_s, &lifted, err) < 0)
		return -1;
	return finish_change(control, connection, all ? NULL : &ip, -1,
		json_pack("{s:b, s:I}", "ok", 1, "lifted", (json_int_t)lifted), now_s);
}

static int command_allow(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s, struct error *err)
{
	const json_t *duration = json_object_get(request, "for_s");
	int64_t for_s = json_integer_value(duration); /* 0: not given */
	const char *address;
	struct ip ip;

	if (duration && for_s <= 0)
		return error_set(err,
			"for_s: one second or more is wanted; without it, it is for ever");
	address = needed_text_of(request, "address", err);
	if (!address || protect_word(address, true, &ip, err) < 0 ||
		protect_allow(control->engine.protect, address, for_s, text_of(request, "note"),
			now_s, err) < 0)
		return -1;
	return finish_change(control, connection, ip.family ? &ip : NULL, -1,
		json_pack("{s:b}", "ok", 1), now_s);
}

static int command_disallow(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s, struct error *err)
{
	const char *address = needed_text_of(request, "address", err);

	if (!address || protect_disallow(control->engine.protect, address, err) < 0)
		return -1;
	return finish_change(control, connection, NULL, -1, json_pack("{s:b}", "ok", 1), now_s);
}

static int command_explain(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s, struct error *err)
{
	struct ip ip;

	if (address_read(request, &ip, err) < 0)
		return -1;
	connection_say(connection, explanation_json(&control->engine, &ip, now_s));
	return 0;
}

static int command_jail(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s, struct error *err)
{
	const char *jail = needed_text_of(request, "jail", err);
	int number = jail ? guard_named_jail(control->engine.guard, jail, err) : -1;

	if (number < 0)
		return -1;
	connection_say(connection, status_jail(&control->engine, (size_t)number, now_s));
	return 0;
}

static int command_jails(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s, struct error *err)
{
	(void)request, (void)err;
	connection_say(connection, status_jails(control->engine.guard, now_s));
	return 0;
}

static int command_reload(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s, struct error *err)
{
	(void)request, (void)now_s;
	if (control->engine.reload(control->engine.context, connection->fd, err) < 0)
		return -1;
	connection_close(connection); /* the next engine has its own descriptor and answers */
	return 0;
}

static int command_version(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s, struct error *err)
{
	(void)control, (void)request, (void)now_s, (void)err;
	connection_say(connection, json_pack("{s:b, s:s}", "ok", 1, "version", VERSION));
	return 0;
}

/* run: 0: the answer is sent or waited for; -1: nothing was changed, err says why. */
static const struct command {
	const char *name;
	int (*run)(struct control *control, struct connection *connection, const json_t *request,
		int64_t now_s, struct error *err);
	unsigned arguments; /* bits of enum argument: the arguments that it knows */
} commands[] = {
	{ "status", command_status, ARGUMENT_JAIL },
	{ "jails", command_jails, 0 },
	{ "jail", command_jail, ARGUMENT_JAIL },
	{ "ban", command_ban, ARGUMENT_ADDRESS | ARGUMENT_JAIL | ARGUMENT_NOTE | ARGUMENT_FOR },
	{ "unban", command_unban, ARGUMENT_ADDRESS | ARGUMENT_JAIL | ARGUMENT_ALL },
	{ "allow", command_allow, ARGUMENT_ADDRESS | ARGUMENT_NOTE | ARGUMENT_FOR },
	{ "disallow", command_disallow, ARGUMENT_ADDRESS },
	{ "explain", command_explain, ARGUMENT_ADDRESS },
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

static int request_run(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s, struct error *err)
{
	const char *name = text_of(request, "command");

	if (!name)
		return error_set(err, "the request is not a JSON object with a command");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		if (request_check(&commands[i], request, err) < 0)
			return -1;
		return commands[i].run(control, connection, request, now_s, err);
	}
	return error_set(err,
		"the daemon does not know this command: is it older than the client?");
}

void command_run(struct control *control, struct connection *connection, int64_t now_s)
{
	json_t *request = json_loadb(connection->in, connection->in_length, JSON_REJECT_DUPLICATES,
		NULL); /* else the last of two equal keys would count */
	struct error err;

	if (request_run(control, connection, request, now_s, &err) < 0)
		connection_say_error(connection, err.text);
	json_decref(request);
}
