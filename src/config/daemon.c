#include "config/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"
#include "config/files.h"
#include "config/filter_def.h"
#include "config/unknown_keys.h"
#include "config/values.h"

enum { SHOWN_MAX = 200 };

static const int64_t DBPURGEAGE_S = 86400; /* as fail2ban's own 1d */

/* Only dbpurgeage is of use: socket, database and log of fail2ban are not ours. */
static void read_fail2ban(const struct config_place *place, struct config *config)
{
	static const char *const keys[] = { "dbpurgeage", "dbfile", "dbmaxmatches", "loglevel",
		"logtarget", "syslogsocket", "socket", "pidfile", "allowipv6", "stacksize" };
	struct dialect *tree = dialect_new(place->names, place->findings);
	struct config_reader reader = { .tree = tree, .findings = place->findings };

	(void)config_files_read(tree, place->dir, "fail2ban.conf"); /* none need be there */
	(void)config_files_read_folder(tree, place->dir, "fail2ban.d", ".conf", place->findings);
	(void)config_files_read(tree, place->dir, "fail2ban.local");
	(void)config_files_read_folder(tree, place->dir, "fail2ban.d", ".local", place->findings);
	for (size_t i = 0; i < dialect_count(tree); i++) {
		reader.view.section = dialect_section_at(tree, i);
		if (strcmp(reader.view.section->name, "INCLUDES") != 0)
			config_key_check(&reader, reader.view.section, keys,
				sizeof(keys) / sizeof(keys[0]));
	}
	reader.view.section = dialect_section(tree, "Definition");
	config_value_duration(&reader, "dbpurgeage", false, &config->dbpurgeage_s);
	dialect_free(tree);
}

void config_daemon_read(const struct config_place *place, struct config_reader *reader,
	struct config *config)
{
	static const char *const keys[] = { "on_stop", "dbpurgeage" };
	struct config_text word;
	char shown[SHOWN_MAX];

	config->dbpurgeage_s = DBPURGEAGE_S;
	read_fail2ban(place, config);
	reader->view.section = dialect_section(reader->tree, "voipguard");
	if (!reader->view.section)
		return; /* [DEFAULT] is the jails' */
	config_key_check(reader, reader->view.section, keys, sizeof(keys) / sizeof(keys[0]));
	config_value_duration(reader, "dbpurgeage", false, &config->dbpurgeage_s);
	word = config_value_scalar(reader, "on_stop");
	if (!word.text)
		return;
	config->lift_on_stop = strcmp(word.text, "lift") == 0;
	if (!config->lift_on_stop && strcmp(word.text, "keep") != 0)
		config_value_error(reader, &word.at, "on_stop: '%s' is neither keep nor lift",
			text_render_string(shown, sizeof(shown), word.text));
	free(word.text);
}
