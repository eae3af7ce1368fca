#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/mail_address.h"
#include "base/text.h"
#include "config/action.h"
#include "config/daemon.h"
#include "config/files.h"
#include "config/filter_def.h"
#include "config/jail.h"
#include "config/unknown_keys.h"
#include "config/values.h"
#include "dialect/tree.h"

enum { PASSWORD_BYTES_MAX = 1024, PORT_MAX = 65535, SHOWN_MAX = 200 };
static const uint16_t SMTP_PORT = 25;

/* Both trees in one order: all .conf before all .local. */
static size_t read_tree(struct dialect *tree, struct config_place *place)
{
	const char *dir = place->dir;
	struct findings *findings = place->findings;
	size_t main = config_files_read(tree, dir, "jail.conf");
	size_t local;
	size_t count;

	count = main + config_files_read_folder(tree, dir, "jail.d", ".conf", findings);
	count += config_files_read_folder(tree, dir, "jails", ".conf", findings);
	local = config_files_read(tree, dir, "jail.local");
	place->fail2ban = main + local > 0;
	count += local + config_files_read_folder(tree, dir, "jail.d", ".local", findings);
	return count + config_files_read_folder(tree, dir, "jails", ".local", findings);
}

/* HOST, HOST:PORT, [V6]:PORT; an IPv6 address without brackets has no port. */
static void split_server(struct config_reader *reader, struct config_mail *mail,
	const struct config_text *server)
{
	const char *text = server->text;
	const char *colon = strrchr(text, ':');
	unsigned long port;
	char shown[SHOWN_MAX];
	size_t length;
	char *end;

	if (colon && (strchr(text, ':') == colon || colon[-1] == ']')) {
		port = strtoul(colon + 1, &end, 10);
		if (*end || colon[1] < '0' || colon[1] > '9' || !port || port > PORT_MAX) {
			struct position at =
				config_value_at(reader, "server", (size_t)(colon + 1 - text));

			config_value_error(reader, &at, "server: '%s' is no port",
				text_render_string(shown, sizeof(shown), colon + 1));
			return;
		}
		mail->port = (uint16_t)port;
	} else {
		colon = text + strlen(text);
	}
	length = (size_t)(colon - text);
	if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	free(mail->server);
	mail->server = alloc_bytes(text, length);
}

/* The first line of a small file; relative names are beside the configuration. */
static void read_password(struct config_reader *reader, struct config *config,
	const struct config_text *name)
{
	cleanup_free char *path = name->text[0] == '/'
					  ? alloc_string(name->text)
					  : alloc_format("%s/%s", config->dir, name->text);
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char bytes[PASSWORD_BYTES_MAX + 1];
	ssize_t got = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
	char shown[SHOWN_MAX];
	struct error err;

	text_render_string(shown, sizeof(shown), path);
	if (got < 0) {
		(void)error_errno(&err, errno, "password_file: cannot read '%s'", shown);
		config_value_error(reader, &name->at, "%s", err.text);
		return;
	}
	if (got > PASSWORD_BYTES_MAX) {
		config_value_error(reader, &name->at, "password_file: '%s' is larger than 1 KiB",
			shown);
		return;
	}
	bytes[got] = '\0';
	bytes[strcspn(bytes, "\r\n")] = '\0';
	if (bytes[0])
		config->mail.password = alloc_string(bytes);
	else
		config_value_error(reader, &name->at, "password_file: '%s' has no password", shown);
	explicit_bzero(bytes, sizeof(bytes));
}

static void read_mail(struct config_reader *reader, struct config *config)
{
	static const char *const keys[] = { "server", "sender", "dest", "tls", "user",
		"password_file" };
	struct config_mail *mail = &config->mail;
	struct config_text server;
	struct config_text file;
	struct config_text tls;
	char shown[SHOWN_MAX];

	reader->view.section = dialect_section(reader->tree, "mail");
	config_key_check(reader, reader->view.section, keys, sizeof(keys) / sizeof(keys[0]));
	server = config_value_scalar(reader, "server");
	tls = config_value_scalar(reader, "tls");
	file = config_value_scalar(reader, "password_file");
	if (server.text)
		split_server(reader, mail, &server);
	if (tls.text && strcmp(tls.text, "required") == 0)
		mail->tls = MAIL_TLS_REQUIRED;
	else if (tls.text && strcmp(tls.text, "none") != 0)
		config_value_error(reader, &tls.at, "tls: '%s' is neither none nor required",
			text_render_string(shown, sizeof(shown), tls.text));
	config_value_addresses(reader, "dest", MAILBOX_LIST_MAX, &mail->dest);
	config_value_addresses(reader, "sender", 1, &mail->sender);
	config_value_string(reader, "user", &mail->user);
	if (file.text && mail->user)
		read_password(reader, config, &file);
	else if (file.text)
		finding_warning(reader->findings, &file.at,
			"password_file without user: mail is sent without a login");
	free(server.text);
	free(file.text);
	free(tls.text);
}

static bool is_jail(const char *name)
{
	static const char *const others[] = { "DEFAULT", "mail", "voipguard", "INCLUDES", "Init",
		"Definition" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(name, others[i]) == 0)
			return false;
	return true;
}

static void read_jails(const struct config_place *place, const struct dialect *tree,
	struct config *config)
{
	struct config_reader defaults = {
		.tree = tree,
		.view = { .section = dialect_section(tree, "DEFAULT") },
		.findings = place->findings,
	};

	config_key_check_jail(&defaults, defaults.view.section, NULL);
	for (size_t i = 0; i < dialect_count(tree); i++) {
		const struct dialect_section *section = dialect_section_at(tree, i);
		struct config_jail *jail;

		if (!is_jail(section->name))
			continue;
		if (config->n_jails == JAILS_MAX) {
			(void)finding_error(place->findings, &section->at,
				"more than %d jails: this one and those below are left out",
				JAILS_MAX);
			return;
		}
		config->jails =
			alloc_grow(config->jails, config->n_jails + 1, sizeof(config->jails[0]));
		jail = &config->jails[config->n_jails++];
		config_jail_read(place, tree, section, jail);
		jail->broken |= defaults.broken;
	}
}

/* `filters` beside the executable, else the installed ones. */
static char *default_shipped(void)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	struct stat info;
	char *slash;
	char *found;

	path[length < 0 ? 0 : length] = '\0';
	slash = strrchr(path, '/');
	if (slash) {
		*slash = '\0';
		found = alloc_format("%s/filters", path);
		if (stat(found, &info) == 0 && S_ISDIR(info.st_mode))
			return found;
		free(found);
	}
	return alloc_string(PREFIX "/share/voipguard/filters");
}

static struct config *config_new(const char *dir)
{
	struct config *config = alloc_zero(sizeof(*config));

	config->dir = alloc_string(dir ? dir : "");
	config->names = alloc_zero(sizeof(*config->names));
	config->mail.server = alloc_string("localhost");
	config->mail.port = SMTP_PORT;
	return config;
}

/* A copy of dir without slashes at its end. */
static char *plain_dir(const char *dir)
{
	size_t length = strlen(dir);

	while (length > 1 && dir[length - 1] == '/')
		length--;
	return alloc_bytes(dir, length);
}

int config_load(const char *dir_name, const char *shipped_dir, struct config **ret_config,
	struct findings *findings)
{
	cleanup_free char *dir = plain_dir(dir_name);
	cleanup_free char *shipped = shipped_dir ? alloc_string(shipped_dir) : default_shipped();
	struct config *config = config_new(dir);
	struct position whole = { .file = dir };
	struct config_told told = { 0 };
	struct config_place place = {
		.dir = dir,
		.shipped_dir = shipped,
		.names = config->names,
		.findings = findings,
	};
	struct dialect *tree = dialect_new(config->names, findings);
	struct config_reader reader = { .tree = tree, .findings = findings };
	struct stat info;
	struct error err;
	int rc = -1;

	dialect_preset(tree, "fail2ban_version", "1.1.0");
	dialect_preset(tree, "fail2ban_confpath", dir);
	config_action_preset(tree);
	if (stat(dir, &info) < 0) {
		(void)error_errno(&err, errno, "cannot read the configuration directory");
		(void)finding_error(findings, &whole, "%s", err.text);
	} else if (!read_tree(tree, &place)) {
		(void)finding_error(findings, &whole,
			"there is no jail file in it: neither jails/*.conf nor jail.conf, "
			"jail.local, jail.d");
	} else {
		place.told = place.fail2ban ? &told : NULL;
		config_daemon_read(&place, &reader, config);
		read_mail(&reader, config);
		read_jails(&place, tree, config);
		rc = 0;
	}
	dialect_free(tree);
	if (rc < 0)
		config_free(config);
	else
		*ret_config = config;
	return rc;
}

int config_load_filter(const char *dir, const char *shipped_dir, const char *filter_name,
	bool journal, struct config **ret_config, struct filter_def *ret_filter,
	struct findings *findings)
{
	cleanup_free char *shipped = shipped_dir ? alloc_string(shipped_dir) : default_shipped();
	struct config *config = config_new(dir);
	struct config_place place = {
		.dir = dir,
		.shipped_dir = shipped,
		.names = config->names,
		.findings = findings,
		.journal = journal,
	};
	struct position at = { .file = "filter" };
	struct dialect_value value = dialect_value_of(filter_name, strlen(filter_name), &at);
	struct config_filter filter;
	int rc = config_filter_open(&place, &value, NULL, &filter);

	if (rc == 0) {
		config->alone = alloc_zero(sizeof(*config->alone));
		config_filter_define(&filter, NULL, config->alone);
		at.file = dialect_name(config->names, filter.path);
		if (!config->alone->n_failregex && !filter.reader.broken)
			config_value_error(&filter.reader, &at, "there is no failregex in it");
		rc = filter.reader.broken ? -1 : 0;
	}
	config_filter_done(&filter);
	dialect_value_done(&value);
	if (rc < 0) {
		config_free(config);
		return -1;
	}
	*ret_filter = *config->alone;
	*ret_config = config;
	return 0;
}

const struct config_jail *config_find(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_jails; i++)
		if (strcmp(config->jails[i].name, name) == 0)
			return &config->jails[i];
	return NULL;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->n_jails; i++)
		config_jail_done(&config->jails[i]);
	if (config->alone)
		config_filter_def_done(config->alone);
	dialect_names_done(config->names);
	if (config->mail.password)
		explicit_bzero(config->mail.password, strlen(config->mail.password));
	free(config->mail.server);
	free(config->mail.dest);
	free(config->mail.sender);
	free(config->mail.user);
	free(config->mail.password);
	free(config->alone);
	free(config->names);
	free(config->jails);
	free(config->dir);
	free(config);
}
