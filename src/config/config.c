#include "config/config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "config/action.h"
#include "config/daemon.h"
#include "config/files.h"
#include "config/filter_def.h"
#include "config/filter_keys.h"
#include "config/jail.h"
#include "config/key.h"
#include "config/unknown_keys.h"
#include "config/values.h"
#include "dialect/tree.h"

static const uint16_t SMTP_PORT = 25;

/* Reads fail2ban's files and ours in one order: all .conf before all .local. Returns how many there
 * are. */
static size_t read_tree(struct dialect *tree, struct config_place *place)
{
	const char *dir = place->dir;
	struct findings *findings = place->findings;
	size_t main = files_read(tree, dir, "jail.conf");
	size_t local;
	size_t count;

	count = main + files_read_folder(tree, dir, "jail.d", ".conf", findings);
	count += files_read_folder(tree, dir, "jails", ".conf", findings);
	local = files_read(tree, dir, "jail.local");
	place->fail2ban = main + local > 0;
	count += local + files_read_folder(tree, dir, "jail.d", ".local", findings);
	return count + files_read_folder(tree, dir, "jails", ".local", findings);
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
		.place = place,
		.tree = tree,
		.view = { .section = dialect_section(tree, "DEFAULT") },
		.findings = place->findings,
	};

	unknown_keys_check_jail(&defaults, &jail_keys, NULL);
	for (size_t i = 0; i < tree->n_sections; i++) {
		const struct dialect_section *section = tree->sections[i];
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
		jail_read(place, tree, section, jail);
		jail->broken |= defaults.broken;
	}
}

/* The folder `filters` beside the executable, else the installed one. */
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
	struct stat info;
	struct error err;
	int rc = -1;

	dialect_preset(tree, "fail2ban_version", "1.1.0");
	dialect_preset(tree, "fail2ban_confpath", dir);
	action_preset(tree);
	if (stat(dir, &info) < 0) {
		(void)error_errno(&err, errno, "cannot read the configuration directory");
		(void)finding_error(findings, &whole, "%s", err.text);
	} else if (!read_tree(tree, &place)) {
		(void)finding_error(findings, &whole,
			"there is no jail file in it: neither jails/*.conf nor jail.conf, "
			"jail.local, jail.d");
	} else {
		place.told = place.fail2ban ? &told : NULL;
		daemon_read(&place, tree, config);
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
	int rc = filter_def_open(&place, &value, NULL, &filter);

	if (rc == 0) {
		config->alone = alloc_zero(sizeof(*config->alone));
		filter_def_read(&filter, NULL, true, config->alone);
		at.file = dialect_name(config->names, filter.path);
		if (!config->alone->n_failregex && !filter.reader.broken)
			values_error(&filter.reader, &at, "there is no failregex in it");
		rc = filter.reader.broken ? -1 : 0;
	}
	filter_def_close(&filter);
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

/* Prints a jail or a filter: for a person, with config, else as lines of a file. */
static char *print(const struct config *config, const char *name, const struct key_table *table,
	const void *base)
{
	char *text = NULL;
	size_t length = 0;
	struct sheet sheet = { open_memstream(&text, &length), !config, config };

	if (sheet.out && config) {
		sheet_row(&sheet, "jail", name);
		sheet_row(&sheet, "tree", config->dir);
	}
	if (sheet.out)
		key_print_all(&sheet, table, base);
	if (sheet.out && fclose(sheet.out) == 0)
		return text;
	free(text);
	return alloc_string("");
}

char *config_show(const struct config *config, const struct config_jail *jail)
{
	return print(config, jail->name, &jail_keys, jail);
}

char *config_write_jail(const struct config_jail *jail)
{
	return print(NULL, "", &jail_keys, jail);
}

char *config_write_filter(const struct filter_def *filter)
{
	return print(NULL, "", &filter_keys, filter);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->n_jails; i++)
		jail_done(&config->jails[i]);
	if (config->alone)
		filter_def_done(config->alone);
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
	free(config->asterisk_dir);
	free(config->dir);
	free(config);
}
