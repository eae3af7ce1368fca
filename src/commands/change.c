#include "commands/parts.h"

#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "base/ip.h"
#include "commands/client.h"
#include "commands/unban_offline.h"
#include "decide/guard.h"
#include "protect/protect.h"

/* Reads ADDR[/LEN]. ban: only prefix lengths that a ban can have. Prints what is wrong and returns
 * the exit status. */
static int read_address(const char *text, bool ban, struct ip *ret_ip)
{
	struct error err;

	if (ip_parse_prefix(text, ret_ip, &err) < 0)
		return client_say(EXIT_USAGE, "%s", err.text);
	if (!ban || ip_has_ban_width(ret_ip))
		return EXIT_DONE;
	return client_say(EXIT_USAGE,
		"'%s': a ban is of one address, an IPv4 /24, or an IPv6 /64, /56 or /48", text);
}

/* Reads the ADDR[/LEN] or NAME of allow and disallow; returns the text to send, perhaps in
 * `address`. NULL: it is neither, or a wider network than it may be, and that has been printed. */
static const char *read_allowed(const char *text, bool may_be_wide, char address[IP_TEXT_MAX])
{
	struct error err;
	struct ip ip;

	if (protect_word(text, may_be_wide, &ip, &err) == 0)
		return ip.family ? ip_format(&ip, address) : text;
	(void)client_say(EXIT_USAGE, "%s", err.text);
	return NULL;
}

/* Sends a command with the address (NULL: none) and all that the command line says of it. */
static int change_command(const struct request *request, const char *command, const char *address)
{
	const struct {
		const char *key;
		const char *text;
	} texts[] = { { "jail", request->jail }, { "note", request->note } };
	json_t *question = json_pack("{s:s, s:s*}", "command", command, "address", address);
	json_t *answer;
	int status;

	if (request->all)
		json_object_set_new(question, "all", json_true());
	if (request->for_s)
		json_object_set_new(question, "for_s", json_integer(request->for_s));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!texts[i].text || json_object_set_new(question, texts[i].key,
					      json_string(texts[i].text)) == 0)
			continue;
		/* an error: without its jail, an unban would mean every jail */
		json_decref(question);
		return client_say(EXIT_USAGE, "--%s: the text is not UTF-8", texts[i].key);
	}
	status = client_ask(request->run.socket_path, question, &answer);
	if (status != EXIT_DONE)
		return status;
	if (json_object_get(answer, "warning"))
		(void)client_say(EXIT_DONE, "%s",
			json_string_value(json_object_get(answer, "warning")));
	json_decref(answer);
	return EXIT_DONE;
}

int change_ban(const struct request *request)
{
	char address[IP_TEXT_MAX];
	struct ip ip;
	int status = read_address(request->arguments[0], true, &ip);

	if (status != EXIT_DONE)
		return status;
	if (request->for_s < -1)
		return client_say(EXIT_USAGE, "--for: a time, or -1: permanent");
	return change_command(request, "ban", ip_format(&ip, address));
}

int change_unban(const struct request *request)
{
	char address[IP_TEXT_MAX];
	struct ip ip;
	int status;

	if (request->all == (request->n_arguments == 1))
		return client_say(EXIT_USAGE, "unban wants an address or --all");
	if (!request->all) {
		status = read_address(request->arguments[0], false, &ip);
		if (status != EXIT_DONE)
			return status;
	}
	if (geteuid() == 0 && !client_reaches(request->run.socket_path))
		return unban_offline(&request->run, request->all ? NULL : &ip, request->jail);
	return change_command(request, "unban", request->all ? NULL : ip_format(&ip, address));
}

int change_allow(const struct request *request)
{
	char buffer[IP_TEXT_MAX];
	const char *address = read_allowed(request->arguments[0], false, buffer);

	if (!address)
		return EXIT_USAGE;
	if (request->for_s < 0)
		return client_say(EXIT_USAGE, "--for: a negative time; without it, for ever");
	return change_command(request, "allow", address);
}

/* Asks for two things: to forget the entry, and to reload. The firewall role never takes a
 * protection back from a running engine; it only begins anew with the next one, which a reload
 * starts. */
int change_disallow(const struct request *request)
{
	char buffer[IP_TEXT_MAX];
	/* the database may hold a wide network that may not be allowed any more */
	const char *address = read_allowed(request->arguments[0], true, buffer);
	int status;

	if (!address)
		return EXIT_USAGE;
	status = change_command(request, "disallow", address);
	if (status != EXIT_DONE)
		return status;
	status = change_reload(request);
	if (status == EXIT_DONE)
		return EXIT_DONE;
	return client_say(status, "%s is disallowed, and counts as protected until the next reload",
		address);
}

int change_reload(const struct request *request)
{
	return change_command(request, "reload", NULL);
}
