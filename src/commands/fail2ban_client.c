/* What scripts ask of the client of fail2ban. Commands and layout are those that the programs of
 * fail2ban 1.0 print; the answers come from our daemon. */
#include "commands/client.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"

/* One call. list[0] is the command; a word that is missing reads as "". */
struct call {
	const char *socket_path;
	char **list;
	int count;
	json_t *answer; /* owned; of the last request that was done, else NULL */
};

static const char *word(const struct call *call, int index)
{
	return index < call->count ? call->list[index] : "";
}

static bool is(const struct call *call, int index, const char *text)
{
	return strcmp(word(call, index), text) == 0;
}

/* Sends a request, to which it takes the reference, and keeps the answer in call->answer. Returns
 * EXIT_DONE, which is 0, or the status to exit with. */
static int ask(struct call *call, json_t *request)
{
	json_decref(call->answer);
	call->answer = NULL;
	if (!request)
		return client_say(EXIT_USAGE, "a word is not UTF-8");
	return client_ask(call->socket_path, request, &call->answer);
}

/* Sends a request with a jail, or, with NULL, without one. */
static int ask_about(struct call *call, const char *command, const char *jail)
{
	/* s*: the key is left out if the value is NULL */
	return ask(call, json_pack("{s:s, s:s*}", "command", command, "jail", jail));
}

/* Asks for the settings of a jail. It looks first whether the name is among the jails that run, so
 * that the message says which name there is none of. */
static int ask_jail(struct call *call, const char *jail)
{
	int status = ask_about(call, "jails", NULL);
	const json_t *names = json_object_get(call->answer, "jails");

	if (status)
		return status;
	for (size_t i = 0; i < json_array_size(names); i++)
		if (strcmp(jail, json_string_value(json_array_get(names, i))) == 0)
			return ask_about(call, "jail", jail);
	return client_say(EXIT_NO, "there is no jail '%s'", text_shown_string(jail).text);
}

static long long number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void print_list(const json_t *array, const char *key, const char *separator)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);

		if (key)
			item = json_object_get(item, key);
		(void)printf("%s%s", i ? separator : "", json_string_value(item));
	}
}

static int print_jails(struct call *call)
{
	int status = ask_about(call, "jails", NULL);
	const json_t *jails = json_object_get(call->answer, "jails");

	if (status)
		return status;
	(void)printf("Status\n|- Number of jail:\t%zu\n`- Jail list:\t", json_array_size(jails));
	print_list(jails, NULL, ", ");
	(void)printf("\n");
	return EXIT_DONE;
}

/* Asks for the status of one jail, which is then the first of "jails". */
static int ask_status(struct call *call, const char *jail, const json_t **ret_jail)
{
	int status = ask_about(call, "status", jail);

	*ret_jail = json_array_get(json_object_get(call->answer, "jails"), 0);
	return status;
}

static int print_jail(struct call *call, const char *name)
{
	const json_t *jail;
	int status = ask_jail(call, name);

	if (!status)
		status = ask_status(call, name, &jail);
	if (status)
		return status;
	(void)printf("Status for the jail: %s\n|- Filter\n|  |- Currently failed:\t%lld\n"
		     "|  |- Total failed:\t%lld\n|  `- File list:\t",
		json_string_value(json_object_get(jail, "name")),
		number_of(json_object_get(jail, "failures"), "current"),
		number_of(json_object_get(jail, "failures"), "total"));
	print_list(json_object_get(jail, "files"), "path", " ");
	(void)printf("\n`- Actions\n   |- Currently banned:\t%lld\n"
		     "   |- Total banned:\t%lld\n   `- Banned IP list:\t",
		number_of(json_object_get(jail, "banned"), "current"),
		number_of(json_object_get(jail, "banned"), "total"));
	print_list(json_object_get(jail, "bans"), "address", " ");
	(void)printf("\n");
	return EXIT_DONE;
}

static int print_ignored(struct call *call, const char *jail)
{
	int status = ask_jail(call, jail);
	const json_t *list = json_object_get(call->answer, "ignoreip");
	size_t count = json_array_size(list);

	if (status)
		return status;
	(void)printf(count ? "These IP addresses/networks are ignored:\n"
			   : "No IP address/network is ignored\n");
	for (size_t i = 0; i < count; i++)
		(void)printf("%s- %s\n", i + 1 < count ? "|" : "`",
			json_string_value(json_array_get(list, i)));
	return EXIT_DONE;
}

/* Sends one request for each address from list[from] on. *ret_done: how many of them were done.
 * Returns the status of the last one that was not, or EXIT_DONE. */
static int change_all(struct call *call, int from, const char *command, const char *jail,
	const char *note, int *ret_done)
{
	int worst = EXIT_DONE;

	*ret_done = 0;
	for (int i = from; i < call->count; i++) {
		int status =
			ask(call, json_pack("{s:s, s:s, s:s*, s:s*}", "command", command, "address",
					  call->list[i], "jail", jail, "note", note));

		if (status)
			worst = status;
		else
			++*ret_done;
	}
	return worst;
}

static int set_ignored(struct call *call, const char *jail, bool add)
{
	char note[128];
	int done;
	int status;

	text_format(note, sizeof(note), "addignoreip of jail %s", jail);
	status = change_all(call, 3, add ? "allow" : "disallow", NULL, add ? note : NULL, &done);
	if (done && !add) {
		/* the firewall role never takes a protection back from a running engine: the reload
		 * starts the next one */
		int reloaded = ask_about(call, "reload", NULL);

		if (reloaded)
			return reloaded;
	}
	return status ? status : print_ignored(call, jail);
}

static int set(struct call *call)
{
	const char *jail = word(call, 1);
	int done;
	int status = ask_jail(call, jail);

	if (status)
		return status;
	if (call->count < 4)
		return client_say(EXIT_NO,
			"set JAIL banip|unbanip|addignoreip|delignoreip ADDRESS...");
	if (is(call, 2, "addignoreip") || is(call, 2, "delignoreip"))
		return set_ignored(call, jail, is(call, 2, "addignoreip"));
	if (!is(call, 2, "banip") && !is(call, 2, "unbanip"))
		return client_say(EXIT_NO,
			"set %s: '%s' is not changed while it runs: write it into the jail's "
			"file, then reload",
			jail, text_shown_string(word(call, 2)).text);
	status = change_all(call, 3, is(call, 2, "banip") ? "ban" : "unban", jail, NULL, &done);
	(void)printf("%d\n", done);
	return status;
}

static int get(struct call *call)
{
	const char *name = word(call, 1);
	static const char *const numbers[][2] = { { "maxretry", "maxretry" },
		{ "findtime", "findtime_s" }, { "bantime", "bantime_s" } };
	const json_t *jail;
	int status;

	if (is(call, 2, "ignoreip"))
		return print_ignored(call, name);
	status = ask_jail(call, name);
	if (status)
		return status;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (is(call, 2, numbers[i][0])) {
			(void)printf("%lld\n", number_of(call->answer, numbers[i][1]));
			return EXIT_DONE;
		}
	if (!is(call, 2, "banip"))
		return client_say(EXIT_NO,
			"get %s: '%s' is none of ignoreip, banip, maxretry, findtime, bantime",
			name, text_shown_string(word(call, 2)).text);
	status = ask_status(call, name, &jail);
	if (status)
		return status;
	print_list(json_object_get(jail, "bans"), "address", " ");
	(void)printf("\n");
	return EXIT_DONE;
}

static int print_banned(struct call *call)
{
	int status = ask_about(call, "status", NULL);
	const json_t *jails = json_object_get(call->answer, "jails");

	if (status)
		return status;
	(void)printf("[");
	for (size_t i = 0; i < json_array_size(jails); i++) {
		const json_t *jail = json_array_get(jails, i);
		const json_t *bans = json_object_get(jail, "bans");

		(void)printf("%s{'%s': [%s", i ? ", " : "",
			json_string_value(json_object_get(jail, "name")),
			json_array_size(bans) ? "'" : "");
		print_list(bans, "address", "', '");
		(void)printf("%s]}", json_array_size(bans) ? "'" : "");
	}
	(void)printf("]\n");
	return EXIT_DONE;
}

static int unban(struct call *call)
{
	long long lifted;
	int done = 0;
	int status;

	if (call->count < 2)
		return client_say(EXIT_NO, "unban --all | ADDRESS...");
	if (is(call, 1, "--all")) {
		status = ask(call, json_pack("{s:s, s:b}", "command", "unban", "all", 1));
		if (status)
			return status;
		lifted = number_of(call->answer, "lifted");
	} else {
		status = change_all(call, 1, "unban", NULL, NULL, &done);
		lifted = done;
	}
	(void)printf("%lld\n", lifted);
	return status;
}

/* Sends a request without arguments, and prints text, or, if that is NULL, what the answer has
 * under the name of the command. */
static int simple(struct call *call, const char *command, const char *text)
{
	int status = ask_about(call, command, NULL);

	if (!status)
		(void)printf("%s\n",
			text ? text : json_string_value(json_object_get(call->answer, command)));
	return status;
}

static int dispatch(struct call *call)
{
	if (is(call, 0, "status"))
		return call->count > 1 ? print_jail(call, word(call, 1)) : print_jails(call);
	if (is(call, 0, "ping"))
		return simple(call, "version", "Server replied: pong");
	if (is(call, 0, "version"))
		return simple(call, "version", NULL);
	if (is(call, 0, "reload"))
		return simple(call, "reload", "OK");
	if (is(call, 0, "banned"))
		return print_banned(call);
	if (is(call, 0, "unban"))
		return unban(call);
	if (is(call, 0, "set"))
		return set(call);
	if (is(call, 0, "get"))
		return get(call);
	if (is(call, 0, "start") || is(call, 0, "stop") || is(call, 0, "restart"))
		return client_say(EXIT_NO, "that is the service manager's: systemctl %s voipguard",
			word(call, 0));
	return client_say(EXIT_USAGE,
		"fail2ban-client: '%s' is none of status, banned, set, get, unban, reload, ping, "
		"version",
		text_shown_string(word(call, 0)).text);
}

int fail2ban_client(const char *socket_path, int n_arguments, char **arguments)
{
	struct call call = { socket_path, arguments, n_arguments, NULL };
	int status;

	while (call.count && call.list[0][0] == '-') {
		bool is_path = is(&call, 0, "-s") || is(&call, 0, "-p") || is(&call, 0, "-c");
		int taken = is_path && call.count > 1 ? 2 : 1;

		if (is(&call, 0, "-s") && call.count > 1)
			call.socket_path = call.list[1];
		/* all other options of fail2ban (how much to print, which files) have nothing to
		 * choose here: they are passed over */
		call.list += taken;
		call.count -= taken;
	}
	status = dispatch(&call);
	json_decref(call.answer);
	return fflush(stdout) == 0 ? status : EXIT_NO;
}
