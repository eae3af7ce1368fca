#include "config/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/mail_address.h"
#include "base/text.h"
#include "config/config.h"
#include "config/files.h"
#include "config/filter_def.h"
#include "config/key.h"
#include "config/unknown_keys.h"
#include "config/values.h"

enum { PASSWORD_BYTES_MAX = 1024, PORT_MAX = 65535 };

/* ---- [mail] ---- */

/* Reads HOST, HOST:PORT or [V6]:PORT; behind an IPv6 address without brackets no port can stand. */
static void read_server(struct config_reader *reader, const struct key *key, void *base)
{
	struct config_mail *mail = &((struct config *)base)->mail;
	struct config_text server = values_scalar(reader, key->name);
	const char *text = server.text;
	const char *colon = text ? strrchr(text, ':') : NULL;
	unsigned long port = mail->port;
	size_t length;

	if (!text)
		return;
	if (colon && strchr(text, ':') != colon && colon[-1] != ']')
		colon = NULL;
	length = colon ? (size_t)(colon - text) : strlen(text);
	if (colon && (!values_parse_number(colon + 1, &port) || !port || port > PORT_MAX)) {
		struct position at = values_at(reader, key->name, length + 1);

		values_error(reader, &at, "server: '%s' is no port",
			text_shown_string(colon + 1).text);
	} else {
		bool bracketed = length > 2 && text[0] == '[' && text[length - 1] == ']';

		mail->port = (uint16_t)port;
		free(mail->server);
		mail->server = alloc_bytes(text + bracketed, length - 2U * bracketed);
	}
	free(server.text);
}

/* Reads the password, the first line of a small file. A relative name is looked for in the
 * configuration's directory. */
static void read_password(struct config_reader *reader, const struct config_text *name,
	struct config *config)
{
	cleanup_free char *path = name->text[0] == '/'
					  ? alloc_string(name->text)
					  : alloc_format("%s/%s", config->dir, name->text);
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char bytes[PASSWORD_BYTES_MAX + 1];
	ssize_t got = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
	const struct shown shown = text_shown_string(path);
	struct error err;

	if (got < 0) {
		(void)error_errno(&err, errno, "password_file: cannot read '%s'", shown.text);
		values_error(reader, &name->at, "%s", err.text);
		return;
	}
	if (got > PASSWORD_BYTES_MAX) {
		values_error(reader, &name->at, "password_file: '%s' is larger than 1 KiB",
			shown.text);
		return;
	}
	bytes[got] = '\0';
	bytes[strcspn(bytes, "\r\n")] = '\0';
	if (bytes[0])
		config->mail.password = alloc_string(bytes);
	else
		values_error(reader, &name->at, "password_file: '%s' has no password", shown.text);
	explicit_bzero(bytes, sizeof(bytes));
}

static void read_password_file(struct config_reader *reader, const struct key *key, void *base)
{
	struct config *config = base;
	struct config_text name = values_scalar(reader, key->name);

	if (name.text && config->mail.user)
		read_password(reader, &name, config);
	else if (name.text)
		finding_warning(reader->findings, &name.at,
			"password_file without user: mail is sent without a login");
	free(name.text);
}

static const struct key mail_rows[] = {
	{ "server", .type = KEY_NAMED, .read = read_server },
	{ "sender", KEY_ADDRESSES, .offset = offsetof(struct config, mail.sender), .most = 1 },
	{ "dest", KEY_ADDRESSES, .offset = offsetof(struct config, mail.dest),
		.most = MAILBOX_LIST_MAX },
	{ "tls", KEY_CHOICE, .offset = offsetof(struct config, mail.tls_required),
		.words = { "none", "required" } },
	{ "user", KEY_STRING, .offset = offsetof(struct config, mail.user) },
	{ "password_file", .type = KEY_NAMED, .read = read_password_file }, /* after user */
};
const struct key_table daemon_mail_keys = { mail_rows, sizeof(mail_rows) / sizeof(mail_rows[0]) };

/* ---- [voipguard] ---- */

/* As a jail's port. */
static void read_sip_port(struct config_reader *reader, const struct key *key, void *base)
{
	struct config *config = base;
	struct config_text ports = values_scalar(reader, key->name);
	struct scope scope;
	struct error err;

	if (ports.text && scope_parse(IPPROTO_UDP, ports.text, &scope, &err) < 0)
		values_error(reader, &ports.at, "sip_port: %s", err.text);
	else if (ports.text)
		config->sip_ports = scope;
	free(ports.text);
}

static const char ASTERISK_DIR[] = "/etc/asterisk";

/* A directory of Asterisk's configuration, or "none". */
static void read_asterisk_dir(struct config_reader *reader, const struct key *key, void *base)
{
	struct config *config = base;
	struct config_text dir = values_scalar(reader, key->name);
	bool is_none = dir.text && strcmp(dir.text, "none") == 0;
	struct stat info;

	if (!dir.text)
		return;
	if (!is_none && dir.text[0] != '/') {
		values_error(reader, &dir.at,
			"asterisk_dir: '%s' is neither an absolute path nor none",
			text_shown_string(dir.text).text);
		free(dir.text);
		return;
	}
	if (!is_none && (stat(dir.text, &info) < 0 || !S_ISDIR(info.st_mode)) &&
		strcmp(dir.text, ASTERISK_DIR) != 0)
		finding_warning(reader->findings, &dir.at,
			"asterisk_dir: there is no directory '%s': no trunk is protected by it",
			text_shown_string(dir.text).text);
	free(config->asterisk_dir);
	config->asterisk_dir = is_none ? NULL : alloc_string(dir.text);
	free(dir.text);
}

static const struct key rows[] = {
	{ "dbpurgeage", KEY_SPAN, .offset = offsetof(struct config, dbpurgeage_s), .initial = 86400,
		.least = 1, .wanted = "at least one second" },
	{ "on_stop", KEY_CHOICE, .offset = offsetof(struct config, lift_on_stop),
		.words = { "keep", "lift" } },
	{ "sip_port", .type = KEY_NAMED, .read = read_sip_port },
	{ "nflog_group", KEY_NUMBER, .offset = offsetof(struct config, nflog_group),
		.initial = 5060, .most = UINT16_MAX },
	{ "asterisk_dir", .type = KEY_NAMED, .read = read_asterisk_dir },
};
const struct key_table daemon_keys = { rows, sizeof(rows) / sizeof(rows[0]) };

/* ---- fail2ban.conf ---- */

/* All but the first are about fail2ban's own socket, database and log, and mean nothing here. */
static const struct key fail2ban_rows[] = {
	{ "dbpurgeage", KEY_SPAN, .offset = offsetof(struct config, dbpurgeage_s), .least = 1,
		.wanted = "at least one second" },
	{ "dbfile", .type = KEY_NAMED },
	{ "dbmaxmatches", .type = KEY_NAMED },
	{ "loglevel", .type = KEY_NAMED },
	{ "logtarget", .type = KEY_NAMED },
	{ "syslogsocket", .type = KEY_NAMED },
	{ "socket", .type = KEY_NAMED },
	{ "pidfile", .type = KEY_NAMED },
	{ "allowipv6", .type = KEY_NAMED },
	{ "stacksize", .type = KEY_NAMED },
};
static const struct key_table fail2ban_keys = { fail2ban_rows,
	sizeof(fail2ban_rows) / sizeof(fail2ban_rows[0]) };

static void read_fail2ban(const struct config_place *place, struct config *config)
{
	struct dialect *tree = dialect_new(place->names, place->findings);
	struct config_reader reader = { .place = place, .tree = tree, .findings = place->findings };

	(void)files_read(tree, place->dir, "fail2ban.conf"); /* none need be there */
	(void)files_read_folder(tree, place->dir, "fail2ban.d", ".conf", place->findings);
	(void)files_read(tree, place->dir, "fail2ban.local");
	(void)files_read_folder(tree, place->dir, "fail2ban.d", ".local", place->findings);
	for (size_t i = 0; i < tree->n_sections; i++) {
		reader.view.section = tree->sections[i];
		if (strcmp(reader.view.section->name, "INCLUDES") != 0)
			unknown_keys_check(&reader, &fail2ban_keys);
	}
	reader.view.section = dialect_section(tree, "Definition");
	key_read_all(&reader, &fail2ban_keys, config);
	dialect_free(tree);
}

void daemon_read(const struct config_place *place, const struct dialect *tree,
	struct config *config)
{
	struct config_reader reader = { .place = place, .tree = tree, .findings = place->findings };

	key_init_all(&daemon_keys, config);
	config->sip_ports = (struct scope){ IPPROTO_UDP, 1, { { 5060, 5060 } } };
	config->asterisk_dir = alloc_string(ASTERISK_DIR);
	read_fail2ban(place, config);
	reader.view.section = dialect_section(tree, "voipguard");
	if (reader.view.section) { /* else [DEFAULT] would count, which is the jails' */
		unknown_keys_check(&reader, &daemon_keys);
		key_read_all(&reader, &daemon_keys, config);
	}
	reader.view.section = dialect_section(tree, "mail");
	unknown_keys_check(&reader, &daemon_mail_keys);
	key_read_all(&reader, &daemon_mail_keys, config);
}
