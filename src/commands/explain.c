#include "commands/parts.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/ip.h"
#include "base/times.h"
#include "commands/client.h"

static bool is_proven(const json_t *object)
{
	return client_string(object, "proof", "")[0] == 'p';
}

static void print_ban(const json_t *ban, const char *asked)
{
	const char *address = client_string(ban, "address", "");
	const char *until = json_string_value(json_object_get(ban, "until"));
	long long number = client_integer(ban, "number");

	(void)printf("Banned by jail %s, %s%s%s.\n", client_string(ban, "jail", ""),
		until ? "until " : "for good", until ? until : "",
		json_is_true(json_object_get(ban, "in_kernel"))
			? ""
			: ", but the kernel does not have it yet");
	if (strcmp(address, asked) != 0)
		(void)printf("  The ban is of %s.\n", address);
	(void)printf("  It began at %s and closes %s.\n", client_string(ban, "since", ""),
		strcmp(client_string(ban, "scope", ""), "all") == 0
			? "all ports"
			: client_string(ban, "scope", ""));
	if (client_integer(ban, "failures"))
		(void)printf("  It was decided by %lld failures, %s.\n",
			client_integer(ban, "failures"),
			is_proven(ban) ? "all from a source that cannot have been forged"
				       : "not all from a source that is sure");
	if (number > 1)
		(void)printf("  It is ban number %lld of this address.\n", number);
	if (json_is_string(json_object_get(ban, "last_account")))
		(void)printf("  The account tried last: %s\n",
			client_string(ban, "last_account", ""));
	if (json_is_string(json_object_get(ban, "note")))
		(void)printf("  Note: %s\n", client_string(ban, "note", ""));
}

static void print_window(const json_t *window, bool is_protected)
{
	long long missing = client_integer(window, "maxretry") - client_integer(window, "counted");
	const json_t *accounts = json_object_get(window, "accounts");
	const json_t *lines = json_object_get(window, "lines");
	char findtime[DURATION_TEXT_MAX];

	(void)printf("Jail %s counts %lld failures within %s; %lld ban",
		client_string(window, "jail", ""), client_integer(window, "counted"),
		duration_format(client_integer(window, "findtime_s"), findtime),
		client_integer(window, "maxretry"));
	if (is_protected)
		(void)printf(", but nobody who is protected.\n");
	else
		(void)printf(": %lld more would.\n", missing > 0 ? missing : 1);
	(void)printf("  From %s to %s, %s.\n", client_string(window, "first", ""),
		client_string(window, "last", ""),
		is_proven(window) ? "all from a source that cannot have been forged"
				  : "not all from a source that is sure");
	if (client_string(window, "rule", "")[0])
		(void)printf("  By the rule %s\n", client_string(window, "rule", ""));
	for (size_t i = 0; i < json_array_size(accounts); i++)
		(void)printf("%s%s%s", i ? ", " : "  Accounts tried: ",
			json_string_value(json_array_get(accounts, i)),
			i + 1 == json_array_size(accounts) ? "\n" : "");
	for (size_t i = 0; i < json_array_size(lines); i++)
		(void)printf("  > %s\n", json_string_value(json_array_get(lines, i)));
}

static void print_answer(const json_t *answer)
{
	const char *because = json_string_value(json_object_get(answer, "protected"));
	const json_t *failures = json_object_get(answer, "failures");
	const char *address = client_string(answer, "address", "");
	const char *unit = client_string(answer, "counted_as", address);
	const json_t *bans = json_object_get(answer, "bans");

	(void)printf("%s", address);
	if (strcmp(unit, address) != 0)
		(void)printf(", counted as %s", unit);
	(void)printf("\n");
	if (because)
		(void)printf("Protected, it is never banned: %s.\n", because);
	for (size_t i = 0; i < json_array_size(bans); i++)
		print_ban(json_array_get(bans, i), address);
	for (size_t i = 0; i < json_array_size(failures); i++)
		print_window(json_array_get(failures, i), because != NULL);
	if (!json_array_size(bans))
		(void)printf("%s\n", json_array_size(failures)
					     ? "Not banned."
					     : "Not banned, and no failure is known.");
}

int explain_command(const struct request *request)
{
	char address[IP_TEXT_MAX];
	struct error err;
	json_t *answer;
	struct ip ip;
	int status;

	if (ip_parse_prefix(request->arguments[0], &ip, &err) < 0)
		return client_say(EXIT_USAGE, "%s", err.text);
	status = client_ask(request->run.socket_path,
		json_pack("{s:s, s:s}", "command", "explain", "address", ip_format(&ip, address)),
		&answer);
	if (status != EXIT_DONE)
		return status;
	(void)json_object_del(answer, "ok"); /* it belongs to the protocol and not to the answer */
	if (request->json) {
		(void)json_dumpf(answer, stdout, JSON_INDENT(1)); /* fflush reports a failure */
		(void)printf("\n");
	} else {
		print_answer(answer);
	}
	json_decref(answer);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_NO;
}
