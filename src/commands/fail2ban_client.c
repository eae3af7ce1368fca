/* What scripts ask of the client of fail2ban. Commands and layout are those that the programs of
 * fail2ban 1.0 print; the answers come from our daemon. */
#include "commands/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"

/* The words of one call: list[0] is the command. A word that is missing reads as "". */
struct words {
	const char *socket_path;
	char **list;
	int count;
};

static const char *word(const struct words *words, int index)
{
	return index < words->count ? words->list[index] : "";
}

static bool is(const struct words *words, int index, const char *text)
{
	return strcmp(word(words, index), text) == 0;
}

static int refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int refuse(const char *format, ...)
{
	va_list args;

	(void)fputs("voipguard: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args); /* if standard error fails, nothing else could tell */
	va_end(args);
	(void)fputs("\n", stderr);
	return EXIT_NO;
}

static int ask(const struct words *words, json_t *request, json_t **ret_answer)
{
	if (!request) {
		(void)fprintf(stderr, "voipguard: a word is not UTF-8\n");
		return EXIT_USAGE;
	}
	return client_ask(words->socket_path, request, ret_answer);
}

/* Sends a request with a jail, or, with NULL, without one. */
static int ask_about(const struct words *words, const char *command, const char *jail,
	json_t **ret_answer)
{
	/* s*: the key is left out if the value is NULL */
	return ask(words, json_pack("{s:s, s:s*}", "command", command, "jail", jail), ret_answer);
}

/* Asks for the settings of a jail. It looks first whether the name is among the jails that run, so
 * that the message says which name there is none of. */
static int ask_jail(const struct words *words, const char *jail, json_t **ret_answer)
{
	json_t *names;
	int status = ask_about(words, "jails", NULL, &names);
	bool found = false;

	if (status != EXIT_DONE)
		return status;
	for (size_t i = 0; i < json_array_size(json_object_get(names, "jails")); i++)
		found |= strcmp(jail,
				 json_string_value(
					 json_array_get(json_object_get(names, "jails"), i))) == 0;
	json_decref(names);
	if (!found)
		return refuse("there is no jail '%s'", text_shown_string(jail).text);
	return ask_about(words, "jail", jail, ret_answer);
}

static json_int_t number_of(const json_t *object, const char *key)
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

static int print_jails(const struct words *words)
{
	json_t *answer;
	int status = ask_about(words, "jails", NULL, &answer);

	if (status != EXIT_DONE)
		return status;
	(void)printf("Status\n|- Number of jail:\t%zu\n`- Jail list:\t",
		json_array_size(json_object_get(answer, "jails")));
	print_list(json_object_get(answer, "jails"), NULL, ", ");
	(void)printf("\n");
	json_decref(answer);
	return EXIT_DONE;
}

static int print_jail(const struct words *words, const char *jail)
{
	const json_t *object;
	json_t *answer;
	int status = ask_jail(words, jail, &answer);

	if (status != EXIT_DONE)
		return status;
	json_decref(answer);
	status = ask_about(words, "status", jail, &answer);
	if (status != EXIT_DONE)
		return status;
	object = json_array_get(json_object_get(answer, "jails"), 0);
	(void)printf("Status for the jail: %s\n|- Filter\n|  |- Currently failed:\t%lld\n"
		     "|  |- Total failed:\t%lld\n|  `- File list:\t",
		json_string_value(json_object_get(object, "name")),
		(long long)number_of(json_object_get(object, "failures"), "current"),
		(long long)number_of(json_object_get(object, "failures"), "total"));
	print_list(json_object_get(object, "files"), "path", " ");
	(void)printf("\n`- Actions\n   |- Currently banned:\t%lld\n"
		     "   |- Total banned:\t%lld\n   `- Banned IP list:\t",
		(long long)number_of(json_object_get(object, "banned"), "current"),
		(long long)number_of(json_object_get(object, "banned"), "total"));
	print_list(json_object_get(object, "bans"), "address", " ");
	(void)printf("\n");
	json_decref(answer);
	return EXIT_DONE;
}

static int print_ignored(const struct words *words, const char *jail)
{
	json_t *answer;
	const json_t *list;
	int status = ask_jail(words, jail, &answer);
	size_t count;

	if (status != EXIT_DONE)
		return status;
	list = json_object_get(answer, "ignoreip");
	count = json_array_size(list);
	(void)printf(count ? "These IP addresses/networks are ignored:\n"
			   : "No IP address/network is ignored\n");
	for (size_t i = 0; i < count; i++)
		(void)printf("%s- %s\n", i + 1 < count ? "|" : "`",
			json_string_value(json_array_get(list, i)));
	json_decref(answer);
	return EXIT_DONE;
}

/* Sends one request for each address from words[from] on. *ret_done: how many of them were done.
 * Returns the status of the last one that was not, or EXIT_DONE. */
static int change_all(const struct words *words, int from, const char *command, const char *jail,
	const char *note, int *ret_done)
{
	int worst = EXIT_DONE;

	*ret_done = 0;
	for (int i = from; i < words->count; i++) {
		json_t *answer;
		int status = ask(words,
			json_pack("{s:s, s:s, s:s*, s:s*}", "command", command, "address",
				words->list[i], "jail", jail, "note", note),
			&answer);

		if (status == EXIT_DONE) {
			json_decref(answer);
			++*ret_done;
		} else {
			worst = status;
		}
	}
	return worst;
}

static int set_ignored(const struct words *words, const char *jail, bool add)
{
	char note[128];
	int done;
	int status;
	json_t *answer;

	text_format(note, sizeof(note), "addignoreip of jail %s", jail);
	status = change_all(words, 3, add ? "allow" : "disallow", NULL, add ? note : NULL, &done);
	if (done && !add) {
		/* the firewall role never takes a protection back from a running engine: the reload
		 * starts the next one */
		int reloaded = ask_about(words, "reload", NULL, &answer);

		if (reloaded != EXIT_DONE)
			return reloaded;
		json_decref(answer);
	}
	return status == EXIT_DONE ? print_ignored(words, jail) : status;
}

static int set(const struct words *words)
{
	const char *jail = word(words, 1);
	json_t *answer;
	int done;
	int status = ask_jail(words, jail, &answer);

	if (status != EXIT_DONE)
		return status;
	json_decref(answer);
	if (words->count < 4)
		return refuse("set JAIL banip|unbanip|addignoreip|delignoreip ADDRESS...");
	if (is(words, 2, "addignoreip") || is(words, 2, "delignoreip"))
		return set_ignored(words, jail, is(words, 2, "addignoreip"));
	if (!is(words, 2, "banip") && !is(words, 2, "unbanip"))
		return refuse("set %s: '%s' is not changed while it runs: write it into the jail's "
			      "file, then reload",
			jail, text_shown_string(word(words, 2)).text);
	status = change_all(words, 3, is(words, 2, "banip") ? "ban" : "unban", jail, NULL, &done);
	(void)printf("%d\n", done);
	return status;
}

static int get(const struct words *words)
{
	const char *jail = word(words, 1);
	static const char *const numbers[][2] = { { "maxretry", "maxretry" },
		{ "findtime", "findtime_s" }, { "bantime", "bantime_s" } };
	json_t *answer;
	int status;

	if (is(words, 2, "ignoreip"))
		return print_ignored(words, jail);
	status = ask_jail(words, jail, &answer);
	if (status != EXIT_DONE)
		return status;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!is(words, 2, numbers[i][0]))
			continue;
		(void)printf("%lld\n", (long long)number_of(answer, numbers[i][1]));
		json_decref(answer);
		return EXIT_DONE;
	}
	json_decref(answer);
	if (!is(words, 2, "banip"))
		return refuse(
			"get %s: '%s' is none of ignoreip, banip, maxretry, findtime, bantime",
			jail, text_shown_string(word(words, 2)).text);
	status = ask_about(words, "status", jail, &answer);
	if (status != EXIT_DONE)
		return status;
	print_list(json_object_get(json_array_get(json_object_get(answer, "jails"), 0), "bans"),
		"address", " ");
	(void)printf("\n");
	json_decref(answer);
	return EXIT_DONE;
}

static int print_banned(const struct words *words)
{
	json_t *answer;
	const json_t *jails;
	int status = ask_about(words, "status", NULL, &answer);

	if (status != EXIT_DONE)
		return status;
	jails = json_object_get(answer, "jails");
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
	json_decref(answer);
	return EXIT_DONE;
}

static int unban(const struct words *words)
{
	json_t *answer;
	int done;
	int status;

	if (words->count < 2)
		return refuse("unban --all | ADDRESS...");
	if (!is(words, 1, "--all")) {
		status = change_all(words, 1, "unban", NULL, NULL, &done);
		(void)printf("%d\n", done);
		return status;
	}
	status = ask(words, json_pack("{s:s, s:b}", "command", "unban", "all", 1), &answer);
	if (status != EXIT_DONE)
		return status;
	(void)printf("%lld\n", (long long)number_of(answer, "lifted"));
	json_decref(answer);
	return EXIT_DONE;
}

/* Sends a request without arguments, and prints text, or, if that is NULL, what the answer has
 * under the name of the command. */
static int simple(const struct words *words, const char *command, const char *text)
{
	json_t *answer;
	int status = ask_about(words, command, NULL, &answer);

	if (status != EXIT_DONE)
		return status;
	(void)printf("%s\n", text ? text : json_string_value(json_object_get(answer, command)));
	json_decref(answer);
	return EXIT_DONE;
}

static int dispatch(const struct words *words)
{

	if (is(words, 0, "status"))
		return words->count > 1 ? print_jail(words, word(words, 1)) : print_jails(words);
	if (is(words, 0, "ping"))
		return simple(words, "version", "Server replied: pong");
	if (is(words, 0, "version"))
		return simple(words, "version", NULL);
	if (is(words, 0, "reload"))
		return simple(words, "reload", "OK");
	if (is(words, 0, "banned"))
		return print_banned(words);
	if (is(words, 0, "unban"))
		return unban(words);
	if (is(words, 0, "set"))
		return set(words);
	if (is(words, 0, "get"))
		return get(words);
	if (is(words, 0, "start") || is(words, 0, "stop") || is(words, 0, "restart"))
		return refuse("that is the service manager's: systemctl %s voipguard",
			word(words, 0));
	(void)fprintf(stderr,
		"voipguard: fail2ban-client: '%s' is none of status, banned, set, get, unban, reload, "
		"ping, version\n",
		text_shown_string(word(words, 0)).text);
	return EXIT_USAGE;
}

int fail2ban_client(const char *socket_path, int n_arguments, char **arguments)
{
	struct words words = { socket_path, arguments, n_arguments };
	int status;

	while (words.count && words.list[0][0] == '-') {
		bool is_path = is(&words, 0, "-s") || is(&words, 0, "-p") || is(&words, 0, "-c");

		if (is(&words, 0, "-s") && words.count > 1)
			words.socket_path = words.list[1];
		/* all other options of fail2ban (how much to print, which files) have nothing to
		 * choose here: they are passed over */
		words.list += is_path && words.count > 1 ? 2 : 1;
		words.count -= is_path && words.count > 1 ? 2 : 1;
	}
	status = dispatch(&words);
	return fflush(stdout) == 0 ? status : EXIT_NO;
}
