/* What a jail's action, port and protocol mean here: which ports a ban closes, and who gets a mail.
 *
 * An option in brackets counts before the jail's own key. Without either, everything is closed: the
 * "protocol = tcp" that fail2ban's action files and its jail.conf have as a default was chosen by
 * nobody, and with it a jail against attacks over UDP would not stop them.
 *
 * An action that cannot be done becomes a warning and, if no other action closes anything, a ban by
 * voipguard. So does an action of unknown name, where fail2ban would not start the jail: a mistyped
 * name must not leave the host open. */
#include "config/action.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/mail_address.h"
#include "base/text.h"
#include "config/action_table.h"
#include "config/config.h"
#include "config/key.h"
#include "config/values.h"
#include "dialect/bracket.h"

enum {
	ACTIONS_MAX = 64,
	CLOSES_MAX = JAIL_SCOPES_MAX * (SCOPE_TEXT_MAX + 2),
};

/* The words of port and protocol, borrowed from brackets or from the jail. Text NULL means all, as
 * does the word "all". */
struct closing {
	struct config_text port;
	struct config_text protocol;
};

/* The jail while its actions are read. */
struct actions {
	struct config_reader *reader;
	struct config_jail *jail;
	struct config_jail fallback; /* closes what an undone action would, if nothing else does */
	struct closing own;          /* the jail's own keys */
	/* A sentence for each action that is not done. They are reported when all actions are
	 * known, together with what is done instead. */
	struct findings undone;
	bool mails;
	/* the action that is being read */
	const struct dialect_value *value;
	const struct bracket *call;
	struct position at;
};

static bool is_all(const char *word)
{
	return !word || !*word || strcasecmp(word, "all") == 0 || strcasecmp(word, "any") == 0 ||
	       strcasecmp(word, "anyport") == 0; /* in jails of old Debian releases */
}

/* Says whether the word is a tag such as "<known/chain>", which stands for the default of the
 * action's file. */
static bool is_tag(const char *word)
{
	size_t length = strlen(word);

	return length > 2 && word[0] == '<' && word[length - 1] == '>';
}

static void add_scope(struct actions *actions, struct config_jail *jail, const struct scope *scope,
	const struct position *at)
{
	jail->bans = true;
	for (size_t i = 0; i < jail->n_scopes; i++)
		if (scope_equal(&jail->scopes[i], scope) || jail->scopes[i].protocol == 0)
			return;
	if (scope->protocol == 0)
		jail->n_scopes = 0; /* every port of every protocol includes them */
	if (jail->n_scopes == JAIL_SCOPES_MAX) {
		values_error(actions->reader, at,
			"more than %d different sets of ports in one jail", JAIL_SCOPES_MAX);
		return;
	}
	jail->scopes[jail->n_scopes++] = *scope;
}

/* Says whether an action with port="%(port)s" repeats a wrong port of the jail, which was reported
 * there already. */
static bool repeats_own(const struct actions *actions, const struct closing *closing)
{
	const struct config_text *own = &actions->own.port;

	return closing != &actions->own && closing->port.text && actions->reader->broken &&
	       (own->text ? strcmp(own->text, closing->port.text) == 0 : own->at.line != 0);
}

static void add_ports(struct actions *actions, struct config_jail *jail,
	const struct closing *closing, uint8_t protocol)
{
	const char *port = is_all(closing->port.text) ? "1:65535" : closing->port.text;
	struct scope scope = { 0 };
	struct error err;

	if (scope_parse(protocol, port, &scope, &err) == 0)
		add_scope(actions, jail, &scope, &closing->port.at);
	else if (!repeats_own(actions, closing))
		values_error(actions->reader, &closing->port.at, "port: %s%s", err.text,
			values_comment_hint(port));
}

/* The number of the protocol; 0: there is none of that name. */
static uint8_t protocol_number(const char *word, size_t length)
{
	static const struct {
		const char *name;
		uint8_t number;
	} protocols[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "sctp", IPPROTO_SCTP },
		{ "6", IPPROTO_TCP }, { "17", IPPROTO_UDP }, { "132", IPPROTO_SCTP } };

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (strlen(protocols[i].name) == length &&
			strncasecmp(word, protocols[i].name, length) == 0)
			return protocols[i].number;
	return 0;
}

static void close_ports(struct actions *actions, struct config_jail *jail,
	const struct closing *closing)
{
	static const char *const blanks = ", \t\n";
	static const struct scope everything;
	bool all_protocols = is_all(closing->protocol.text);
	const char *word = all_protocols ? "tcp,udp" : closing->protocol.text;

	/* "0:65535" means all ports too, where no protocol limits it */
	if (all_protocols &&
		(is_all(closing->port.text) || strcmp(closing->port.text, "0:65535") == 0)) {
		add_scope(actions, jail, &everything, &closing->port.at);
		return;
	}
	for (word += strspn(word, blanks); *word; word += strspn(word, blanks)) {
		size_t length = strcspn(word, blanks);
		uint8_t protocol = protocol_number(word, length);

		if (!protocol) {
			values_error(actions->reader, &closing->protocol.at,
				"protocol: '%s' is none of tcp, udp, sctp, all%s",
				text_shown(word, length).text, values_comment_hint(word));
			return; /* one finding is enough */
		}
		add_ports(actions, jail, closing, protocol);
		word += length;
	}
}

/* The option of that name; NULL: it is not given, is empty, or is a tag. */
static const struct bracket_option *find_option(const struct actions *actions, const char *name)
{
	const struct bracket_option *option = bracket_find(actions->call, name);

	return option && option->value[0] && !is_tag(option->value) ? option : NULL;
}

/* Replaces *io_text by the option of that name, if it is given and no tag. */
static void take_option(const struct actions *actions, const char *name,
	struct config_text *io_text)
{
	const struct bracket_option *option = bracket_find(actions->call, name);

	if (option && !is_tag(option->value))
		*io_text = (struct config_text){ option->value,
			dialect_at(actions->value, option->value_offset) };
}

/* Closes what the action's brackets say, else what the jail's own keys say. */
static void close_called(struct actions *actions, struct config_jail *jail, bool all_ports)
{
	struct closing closing = actions->own;

	take_option(actions, "port", &closing.port);
	take_option(actions, "protocol", &closing.protocol);
	if (all_ports)
		closing.port = (struct config_text){ NULL,
			dialect_at(actions->value, actions->call->offset) };
	close_ports(actions, jail, &closing);
}

/* Says whether the action closes all ports. Its brackets decide by type=allports, type=multiport or
 * actiontype=<allports>, else its name does (by_name). */
static bool closes_all_ports(const struct actions *actions, bool by_name)
{
	const struct bracket_option *type = bracket_find(actions->call, "type");

	if (!type)
		type = bracket_find(actions->call, "actiontype");
	if (!type || !type->value[0])
		return by_name;
	return !strstr(type->value, "port") || strstr(type->value, "allports");
}

/* Says whether text holds one of the words, in any case of letters. */
static bool holds_word(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcasestr(text, words[i]))
			return true;
	return false;
}

/* A ban here drops packets. A blocktype that lets an address in, as fail2ban's pass2allow has it,
 * is the opposite of a ban. */
static void check_blocktype(struct actions *actions)
{
	static const char *const opening[] = { "return", "accept", "allow", "pass", "permit" };
	static const char *const closing[] = { "return-", "drop", "reject", "deny", "unreach",
		"prohibit" };
	static const char *const same[] = { "drop", "deny", "blackhole", "<" };
	const struct bracket_option *type = bracket_find(actions->call, "blocktype");
	struct position at;

	if (!type || !type->value[0] || holds_word(type->value, same, 4) || !actions->jail->enabled)
		return;
	at = dialect_at(actions->value, type->value_offset);
	if (holds_word(type->value, opening, 5) && !holds_word(type->value, closing, 6))
		values_error(actions->reader, &at,
			"blocktype: '%s' lets an address in; voipguard only closes, so this jail is "
			"left out",
			text_shown_string(type->value).text);
	else
		finding_warning(actions->reader->findings, &at,
			"blocktype: packets are dropped without an answer instead of '%s'",
			text_shown_string(type->value).text);
}

static void check_option(struct actions *actions, const struct bracket_option *option,
	const struct action_file *file)
{
	struct shown guess;
	const struct action_group *known = action_table_option(option->name, &guess);
	struct position at = dialect_at(actions->value, option->name_offset);

	if (known ? !known->what || !option->value[0] || is_tag(option->value)
		  : action_table_knows(file, option->name))
		return;
	finding_warning(actions->reader->findings, &at, "%soption '%s' has no effect%s%s",
		known ? "" : "unknown ", text_shown_string(option->name).text, known ? ": " : "",
		known ? known->what : guess.text);
}

/* Says whether the list of addresses, with commas between, has this one. */
static bool lists_address(const char *addresses, const char *address)
{
	size_t length = strlen(address);

	for (const char *at = addresses; (at = strstr(at, address)) != NULL; at++)
		if ((at == addresses || strchr(", ", at[-1])) && strchr(", ", at[length]))
			return true;
	return false;
}

/* Copies the value of a mail action's option; the caller frees it. NULL: the option is not given,
 * or is wrong, which becomes a finding. */
static char *mail_option(struct actions *actions, const char *name, size_t most)
{
	const struct bracket_option *option = find_option(actions, name);
	struct position at;
	struct error err;
	size_t wrong;
	char *text;

	if (!option)
		return NULL;
	text = alloc_string(option->value);
	if (values_check_mail(text, most, &wrong, &err) == 0)
		return text;
	free(text);
	at = dialect_at(actions->value, option->value_offset + wrong);
	(void)finding_error(actions->reader->findings, &at, "%s: %s", name, err.text);
	return NULL;
}

static void add_mail(struct actions *actions)
{
	cleanup_free char *dest = mail_option(actions, "dest", MAILBOX_LIST_MAX);
	char *sender = mail_option(actions, "sender", 1);
	char **to = &actions->jail->mail_dest;

	actions->mails = true;
	if (dest && !(*to && lists_address(*to, dest))) {
		char *joined = *to ? alloc_format("%s,%s", *to, dest) : alloc_string(dest);

		free(*to);
		*to = joined;
	}
	if (sender) {
		free(actions->jail->mail_sender);
		actions->jail->mail_sender = sender;
	}
}

/* Writes FILE:LINE; the caller frees it. */
static char *format_place(const struct position *at)
{
	const struct shown shown = text_shown_string(at->file);

	return at->line ? alloc_format("%s:%u", shown.text, at->line) : alloc_string(shown.text);
}

/* An action that is not in the table is somebody's own file, or its name is mistyped. Its brackets
 * decide what is closed instead. */
static void read_unknown(struct actions *actions, const char *guess)
{
	const char *name = actions->call->name;
	const struct shown shown = text_shown_string(name);
	struct action_file file;
	struct position at;
	bool is_file = action_table_open_file(actions->reader->place, name, &file);
	const char *shell = is_file ? action_table_shell(&file, &at) : NULL;
	cleanup_free char *where = shell ? format_place(&at) : NULL;

	if (!is_file)
		finding_warning(&actions->undone, &actions->at, "action '%s' is not known%s%s",
			shown.text, guess, guess[0] ? " It is not run" : " and not run");
	else if (actions->jail->enabled && shell)
		finding_warning(&actions->undone, &actions->at,
			"action '%s' is not done: its %s (%s) is never run", shown.text, shell,
			where);
	else if (actions->jail->enabled)
		finding_warning(&actions->undone, &actions->at, "action '%s' has no actionban",
			shown.text);
	if (!actions->fallback.bans)
		close_called(actions, &actions->fallback,
			closes_all_ports(actions, strstr(name, "allports") != NULL));
	action_table_close_file(&file);
}

/* Reports which options of an action have no effect, and which changes to its shipped file have
 * none. */
static void check_done(struct actions *actions)
{
	const struct bracket *call = actions->call;
	struct action_file file;
	const char *change;
	struct position at;

	(void)action_table_open_file(actions->reader->place, call->name,
		&file); /* it need not be there */
	change = action_table_change(&file, &at);
	if (change) {
		cleanup_free char *where = format_place(&at);

		finding_warning(&actions->undone, &actions->at,
			"action '%s' is done as it is shipped: the %s of %s is never run",
			call->name, change, where);
	}
	for (size_t i = 0; i < call->n_options; i++)
		check_option(actions, &call->options[i], &file);
	action_table_close_file(&file);
}

static void read_known(struct actions *actions, const struct action_group *known)
{
	switch (known->kind) {
	case ACTION_PORTS:
	case ACTION_ALL_PORTS:
		check_blocktype(actions);
		close_called(actions, actions->jail,
			closes_all_ports(actions, known->kind == ACTION_ALL_PORTS));
		break;
	case ACTION_MAIL:
		add_mail(actions);
		break;
	case ACTION_TELL:
	case ACTION_ELSEWHERE:
		/* ports of such an action's brackets would mean something else */
		if (!actions->fallback.bans)
			close_ports(actions, &actions->fallback, &actions->own);
		break;
	case ACTION_NOTHING:
		break;
	}
	if (actions->jail->enabled && known->kind <= ACTION_MAIL)
		check_done(actions);
	else if (actions->jail->enabled)
		finding_warning(&actions->undone, &actions->at, "action '%s' is not done: it %s",
			actions->call->name, known->what);
}

static void read_action(struct actions *actions, const struct bracket *call)
{
	struct position at = dialect_at(actions->value, call->offset);
	struct shown guess;
	const struct action_group *known = action_table_find(call->name, &guess);

	/* an action of action_preset() stands in no file: its place is the key's */
	actions->at = at.line ? at
			      : dialect_key(actions->reader->tree, actions->reader->view.section,
					"action")
					->at;
	actions->call = call;
	if (known)
		read_known(actions, known);
	else
		read_unknown(actions, guess.text);
}

static void read_list(struct actions *actions, const struct dialect_value *value)
{
	struct position at;
	size_t offset = 0;
	bool more = true;

	actions->value = value;
	for (int i = 0; more && i < ACTIONS_MAX; i++) {
		size_t wrong = 0;
		struct bracket call;
		struct error err;

		if (bracket_next(value->text, &offset, &call, &wrong, &err) < 0) {
			at = dialect_at(value, wrong);
			values_error(actions->reader, &at, "action: %s%s", err.text,
				call.has_tail ? ": put each action on its own, indented line" : "");
		} else if (call.name) {
			read_action(actions, &call);
		}
		more = call.name != NULL;
		bracket_done(&call);
	}
	offset += strspn(value->text + offset, " \t\n");
	at = dialect_at(value, offset);
	if (more && value->text[offset])
		values_error(actions->reader, &at, "more than %d actions in one jail", ACTIONS_MAX);
}

/* Writes what the jail's bans close: "all ports", "tcp:5060 and udp:5060", or "". */
static void format_closes(const struct config_jail *jail, char out[CLOSES_MAX])
{
	char one[SCOPE_TEXT_MAX];
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < jail->n_scopes; i++) {
		const char *text = scope_format(&jail->scopes[i], one);

		used += text_format(out + used, CLOSES_MAX - used, "%s%s", i ? " and " : "",
			jail->scopes[i].protocol ? text : "all ports");
	}
}

static void report_undone(struct actions *actions)
{
	char closes[CLOSES_MAX];

	format_closes(actions->jail, closes);
	for (size_t i = 0; i < actions->undone.count; i++) {
		const struct finding *undone = &actions->undone.list[i];
		const struct position at = { undone->file, undone->line, undone->column };

		finding_warning(actions->reader->findings, &at, "%s; %s%s", undone->text,
			closes[0] ? "instead the address is closed by voipguard's own ban: "
				  : "no action of this jail closes anything: failures are only "
				    "counted",
			closes);
	}
	findings_done(&actions->undone);
}

/* Says whether the jail has its protocol from the "protocol = tcp" that fail2ban ships in [DEFAULT]
 * of jail.conf, for the brackets of its action_. */
static bool is_shipped_protocol(const struct actions *actions, const struct config_text *protocol)
{
	const struct dialect_section *section = actions->reader->view.section;
	const char *name = protocol->text ? strrchr(protocol->at.file, '/') : NULL;

	return name && strcmp(name, "/jail.conf") == 0 && strcmp(protocol->text, "tcp") == 0 &&
	       !dialect_own_key(section, "protocol");
}

/* Finds out who gets mail: as the brackets say, else dest and sender of the jail, else [mail]; for
 * a mail action also destemail, and root as in fail2ban. */
static void read_mail(struct actions *actions)
{
	struct config_reader mail = *actions->reader;
	struct config_reader *const readers[] = { actions->reader, &mail };
	struct config_jail *jail = actions->jail;

	mail.view.section = dialect_section(mail.tree, "mail");
	for (size_t i = 0; i < 2 && readers[i]->view.section; i++) {
		if (!jail->mail_dest)
			values_addresses(readers[i], "dest", MAILBOX_LIST_MAX, &jail->mail_dest);
		if (!jail->mail_sender)
			values_addresses(readers[i], "sender", 1, &jail->mail_sender);
	}
	if (!jail->mail_dest && actions->mails)
		values_addresses(actions->reader, "destemail", MAILBOX_LIST_MAX, &jail->mail_dest);
	if (!jail->mail_dest && actions->mails)
		jail->mail_dest = alloc_string("root");
}

void action_preset(struct dialect *tree)
{
	static const char *const presets[][2] = {
		{ "banaction", "voipguard" },
		{ "banaction_allports", "voipguard-allports" },
		{ "mta", "sendmail" },
		{ "action_", "%(banaction)s" },
		{ "action_mw", "%(action_)s\n%(mta)s-whois" },
		{ "action_mwl", "%(action_)s\n%(mta)s-whois-lines" },
		{ "action_xarf", "%(action_)s\nxarf-login-attack" },
		{ "action_cf_mwl", "cloudflare\n%(mta)s-whois-lines" },
		{ "action_abuseipdb", "abuseipdb" },
		{ "action_blocklist_de", "blocklist_de" },
		{ "action_badips", "badips" },
		{ "action", "%(action_)s" },
	};

	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++)
		dialect_preset(tree, presets[i][0], presets[i][1]);
}

void action_read(struct config_reader *reader, const struct key *key, void *base)
{
	struct config_jail *jail = base;
	struct actions actions = { .reader = reader, .jail = jail };
	struct config_jail ignored = { 0 };
	struct config_text port = values_scalar(reader, "port");
	struct config_text protocol = values_scalar(reader, "protocol");
	struct dialect_value value;

	actions.own = (struct closing){ port, protocol };
	close_ports(&actions, &ignored, &actions.own); /* checked even if no action asks for them */
	if (is_shipped_protocol(&actions, &protocol))
		actions.own.protocol.text = NULL;
	if (values_get(reader, key->name, &value)) {
		read_list(&actions, &value);
		dialect_value_done(&value);
	} else {
		close_ports(&actions, jail, &actions.own);
	}
	for (size_t i = 0; !jail->bans && i < actions.fallback.n_scopes; i++)
		jail->scopes[jail->n_scopes++] = actions.fallback.scopes[i];
	jail->bans |= actions.fallback.bans;
	report_undone(&actions);
	read_mail(&actions);
	free(port.text);
	free(protocol.text);
}

/* ---- printing ---- */

static void print_closing(struct sheet *sheet, const char *name, const struct scope *scope)
{
	char text[SCOPE_TEXT_MAX];
	const char *ports = strchr(scope_format(scope, text), ':');
	cleanup_free char *line = NULL;

	if (!sheet->is_file)
		line = alloc_string(text);
	else if (ports)
		line = alloc_format("voipguard[port=\"%s\", protocol=\"%.*s\"]", ports + 1,
			(int)(ports - text), text);
	else
		line = alloc_string("voipguard-allports[protocol=all]");
	sheet_row(sheet, name, line);
}

void action_print(struct sheet *sheet, const struct key *key, const void *base)
{
	const struct config_jail *jail = base;
	const char *name = sheet->is_file ? key->name : "closes";

	if (!jail->bans && !sheet->is_file)
		sheet_row(sheet, name, "nothing (failures are only counted)");
	for (size_t i = 0; i < jail->n_scopes; i++, name = "")
		print_closing(sheet, name, &jail->scopes[i]);
	if (jail->mail_dest && sheet->is_file) {
		cleanup_free char *line = alloc_format("sendmail[dest=\"%s\"%s%s%s]",
			jail->mail_dest, jail->mail_sender ? ", sender=\"" : "",
			jail->mail_sender ? jail->mail_sender : "", jail->mail_sender ? "\"" : "");

		sheet_row(sheet, name, line);
	} else if (jail->mail_dest) {
		sheet_row(sheet, "dest", jail->mail_dest);
		if (jail->mail_sender)
			sheet_row(sheet, "sender", jail->mail_sender);
	} else if (!jail->bans && sheet->is_file) {
		sheet_row(sheet, name, "");
	}
}
