#include "config_action.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "call.h"
#include "config.h"
#include "config_value.h"
#include "error.h"
#include "text.h"

enum { ACTIONS_MAX = 64, SHOWN_MAX = 128 };

enum action_kind { ACTION_PORTS, ACTION_ALL_PORTS, ACTION_MAIL, ACTION_OTHER };

/* A port and a protocol word, wherever they were said. */
struct closing {
	const char *port; /* NULL or "all": every port */
	struct position port_at;
	const char *protocol; /* NULL or "all" */
	struct position protocol_at;
};

/* The jail while its actions are read. */
struct actions {
	struct config_reader *reader;
	struct config_jail *jail;
	struct closing own; /* the jail's own keys */
	bool has_other;
	bool mails;
};

static bool starts(const char *name, const char *start)
{
	return strncmp(name, start, strlen(start)) == 0;
}

static enum action_kind kind_of(const struct call *call)
{
	static const char *const closing[] = { "iptables", "nftables", "firewallcmd", "ufw",
		"voipguard" };
	const struct call_option *type = call_find(call, "type");

	if (starts(call->name, "mail") || starts(call->name, "sendmail"))
		return ACTION_MAIL;
	for (size_t i = 0; i < sizeof(closing) / sizeof(closing[0]); i++) {
		if (!starts(call->name, closing[i]))
			continue;
		return strstr(call->name, "allports") ||
				       (type && strcmp(type->value, "allports") == 0)
			       ? ACTION_ALL_PORTS
			       : ACTION_PORTS;
	}
	return ACTION_OTHER;
}

static bool is_all(const char *word)
{
	return !word || !*word || strcasecmp(word, "all") == 0 || strcasecmp(word, "any") == 0;
}

static void add_scope(struct actions *actions, const struct scope *scope, const struct position *at)
{
	struct config_jail *jail = actions->jail;

	jail->bans = true;
	for (size_t i = 0; i < jail->n_scopes; i++)
		if (scope_equal(&jail->scopes[i], scope) || jail->scopes[i].protocol == 0)
			return;
	if (scope->protocol == 0)
		jail->n_scopes = 0; /* holds all others */
	if (jail->n_scopes == JAIL_SCOPES_MAX) {
		config_value_error(actions->reader, at,
			"more than %d different sets of ports in one jail", JAIL_SCOPES_MAX);
		return;
	}
	jail->scopes[jail->n_scopes++] = *scope;
}

static void add_ports(struct actions *actions, const struct closing *closing, uint8_t protocol)
{
	struct scope scope = { 0 };
	struct error err;

	if (scope_parse(protocol, closing->port, &scope, &err) < 0)
		config_value_error(actions->reader, &closing->port_at, "port: %s%s", err.text,
			strchr(closing->port, '#')
				? "; a comment behind a value begins with ' ;', not with '#'"
				: "");
	else
		add_scope(actions, &scope, &closing->port_at);
}

static void close_ports(struct actions *actions, const struct closing *closing)
{
	static const struct {
		const char *name;
		uint8_t number;
	} protocols[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP },
		{ "sctp", IPPROTO_SCTP } };
	bool all_protocols = is_all(closing->protocol);
	const char *word = all_protocols ? "tcp,udp" : closing->protocol;
	static const struct scope everything;
	char shown[SHOWN_MAX];

	/* a range over every port is no port list either, when no protocol limits it */
	if (is_all(closing->port) || (all_protocols && strcmp(closing->port, "0:65535") == 0)) {
		add_scope(actions, &everything, &closing->port_at);
		return;
	}
	while (*word) {
		size_t length = strcspn(word, ", ");
		size_t i = 0;

		while (i < 3 && !(strlen(protocols[i].name) == length &&
					strncasecmp(word, protocols[i].name, length) == 0))
			i++;
		if (i < 3)
			add_ports(actions, closing, protocols[i].number);
		else
			config_value_error(actions->reader, &closing->protocol_at,
				"protocol: '%s' is none of tcp, udp, sctp, all",
				text_render(shown, sizeof(shown), word, length));
		word += length;
		word += strspn(word, ", ");
	}
}

static void take_mail(struct actions *actions, const struct call *call)
{
	const struct call_option *dest = call_find(call, "dest");
	const struct call_option *sender = call_find(call, "sender");
	char **to = &actions->jail->mail_dest;

	if (dest && dest->value[0]) {
		char *joined = *to && !strstr(*to, dest->value)
				       ? alloc_format("%s,%s", *to, dest->value)
				       : alloc_string(*to ? *to : dest->value);

		free(*to);
		*to = joined;
	}
	if (sender && sender->value[0]) {
		free(actions->jail->mail_sender);
		actions->jail->mail_sender = alloc_string(sender->value);
	}
	actions->mails = true;
}

static void take_closing(struct actions *actions, const struct dialect_value *value,
	const struct call *call)
{
	const struct call_option *port = call_find(call, "port");
	const struct call_option *protocol = call_find(call, "protocol");
	struct closing closing = actions->own;

	if (port) {
		closing.port = port->value;
		closing.port_at = dialect_at(value, port->value_offset);
	}
	if (protocol) {
		closing.protocol = protocol->value;
		closing.protocol_at = dialect_at(value, protocol->value_offset);
	}
	close_ports(actions, &closing);
}

static void take_action(struct actions *actions, const struct dialect_value *value,
	const struct call *call)
{
	struct position at = dialect_at(value, call->offset);
	struct closing all = { .port_at = at };
	char shown[SHOWN_MAX];

	switch (kind_of(call)) {
	case ACTION_ALL_PORTS:
		close_ports(actions, &all);
		break;
	case ACTION_PORTS:
		take_closing(actions, value, call);
		break;
	case ACTION_MAIL:
		take_mail(actions, call);
		break;
	case ACTION_OTHER:
		actions->has_other = true;
		finding_warning(actions->reader->findings, &at,
			"action '%s' is not known and not run: the address is closed by "
			"voipguard's own ban instead",
			text_render_string(shown, sizeof(shown), call->name));
		break;
	}
}

static void take_actions(struct actions *actions, const struct dialect_value *value)
{
	size_t offset = 0;

	for (int i = 0; i < ACTIONS_MAX; i++) {
		size_t wrong = 0;
		struct call call;
		struct error err;
		struct position at;
		bool more;

		if (call_parse(value->text, &offset, &call, &wrong, &err) < 0) {
			at = dialect_at(value, wrong);
			config_value_error(actions->reader, &at, "action: %s%s", err.text,
				call.has_tail ? ": put each action on its own, indented line" : "");
		} else if (call.name) {
			take_action(actions, value, &call);
		}
		more = call.name != NULL;
		call_done(&call);
		if (!more)
			return;
	}
}

static void read_own(struct actions *actions, struct config_text *port,
	struct config_text *protocol)
{
	*port = config_value_scalar(actions->reader, "port");
	*protocol = config_value_scalar(actions->reader, "protocol");
	actions->own = (struct closing){ port->text, port->at, protocol->text, protocol->at };
}

/* Words of port and protocol are checked even where no action asks for them. */
static void check_own(struct config_reader *reader, const struct closing *own)
{
	struct config_jail ignored = { 0 };
	struct actions trial = { .reader = reader, .jail = &ignored };

	close_ports(&trial, own);
}

bool config_action_read(struct config_reader *reader, struct config_jail *jail)
{
	struct actions actions = { .reader = reader, .jail = jail };
	struct config_text port;
	struct config_text protocol;
	struct dialect_value value;
	bool has_action;

	read_own(&actions, &port, &protocol);
	check_own(reader, &actions.own);
	has_action = config_value_get(reader, "action", &value);
	if (has_action)
		take_actions(&actions, &value);
	if (!has_action || (actions.has_other && !jail->bans))
		close_ports(&actions, &actions.own);
	if (has_action)
		dialect_value_done(&value);
	free(port.text);
	free(protocol.text);
	return actions.mails;
}
