#include "control_internal.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "bans.h"
#include "error.h"
#include "guard.h"
#include "ignore.h"
#include "ignorelist.h"
#include "report.h"
#include "text.h"

static const char *text_of(const json_t *request, const char *key)
{
	const json_t *value = json_object_get(request, key);

	return json_is_string(value) ? json_string_value(value) : NULL;
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
	connection->report =
		report_new(&control->engine, connection->jail, control->serial += REPORT_SERIALS);
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

/* The widths that the kernel's sets have; another would never be held, but stand in the table. */
static bool width_is_allowed(const struct ip *ip)
{
	return ip_is_host(ip) || (ip->family == 4 && ip->bits == 24) ||
	       (ip->family == 6 && (ip->bits == 64 || ip->bits == 56 || ip->bits == 48));
}

static void command_ban(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const json_t *duration = json_object_get(request, "for_s");
	const char *address = text_of(request, "address");
	struct error err;
	struct ip ip;

	if (!address || ip_parse_prefix(address, &ip, &err) < 0) {
		control_say_error(connection, address ? err.text : "the address is missing");
		return;
	}
	if (!width_is_allowed(&ip)) {
		control_say_error(connection,
			"a ban is of one address, an IPv4 /24, or an IPv6 /64, /56 "
			"or /48");
		return;
	}
	ip = guard_unit(control->engine.guard, &ip);
	if (guard_ban(control->engine.guard, &ip, text_of(request, "jail"),
		    json_is_integer(duration) ? json_integer_value(duration) : 0,
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
	enum ignorelist_kind kind = IGNORELIST_FILE;

	if (!text) {
		(void)error_set(err, "the address is missing");
		return false;
	}
	if (ignorelist_word(text, &kind, ret_ip, err) < 0)
		return false;
	*ret_is_name = kind == IGNORELIST_NAME;
	if (kind == IGNORELIST_FILE || (*ret_is_name && !control->engine.ignore)) {
		(void)error_set(err, "an address is wanted, or a host name");
		return false;
	}
	return true;
}

static void command_allow(struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const json_t *duration = json_object_get(request, "for_s");
	int64_t for_s = json_is_integer(duration) ? json_integer_value(duration) : 0;
	const char *address = text_of(request, "address");
	const char *note = text_of(request, "note");
	struct error err;
	bool is_name;
	struct ip ip;
	int rc;

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

static void command_jail(const struct control *control, struct connection *connection,
	const json_t *request, int64_t now_s)
{
	const char *jail = text_of(request, "jail");
	int number = jail ? guard_find_jail(control->engine.guard, jail) : -1;
	char shown[128];
	char text[192];

	(void)snprintf(text, sizeof(text), "there is no jail '%s'",
		text_render_string(shown, sizeof(shown), jail ? jail : "")); /* fits */
	if (number < 0)
		control_say_error(connection, text);
	else
		control_say(connection, report_jail(control->engine.guard, (size_t)number, now_s));
}

static void command_reload(struct control *control, struct connection *connection)
{
	struct error err;

	if (control->engine.reload(control->engine.context, connection->fd, &err) < 0)
		control_say_error(connection, err.text);
	else
		control_close(connection); /* the next engine has its own copy and answers */
}

void control_dispatch(struct control *control, struct connection *connection, int64_t now_s)
{
	json_t *request = json_loadb(connection->in, connection->in_length, 0, NULL);
	const char *command = text_of(request, "command");

	if (!command)
		control_say_error(connection, "the request is not a JSON object with a command");
	else if (strcmp(command, "status") == 0)
		command_status(control, connection, request, now_s);
	else if (strcmp(command, "ban") == 0)
		command_ban(control, connection, request, now_s);
	else if (strcmp(command, "unban") == 0)
		command_unban(control, connection, request, now_s);
	else if (strcmp(command, "allow") == 0)
		command_allow(control, connection, request, now_s);
	else if (strcmp(command, "disallow") == 0)
		command_disallow(control, connection, request, now_s);
	else if (strcmp(command, "jails") == 0)
		control_say(connection, report_jails(control->engine.guard, now_s));
	else if (strcmp(command, "jail") == 0)
		command_jail(control, connection, request, now_s);
	else if (strcmp(command, "reload") == 0)
		command_reload(control, connection);
	else if (strcmp(command, "version") == 0)
		control_say(connection, json_pack("{s:b, s:s}", "ok", 1, "version", VERSION));
	else
		control_say_error(connection,
			"the daemon does not know this command: is it older than "
			"the client?");
	json_decref(request);
}
