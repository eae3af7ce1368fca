#include "config/action_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/text.h"
#include "config/files.h"
#include "config/filter_def.h"
#include "dialect/tree.h"

/* The first that is found is named. */
static const char *const shell_keys[] = { "actionban", "actionunban", "actionprolong",
	"actionreban", "actionstart", "actionstop", "actionflush", "actionreload", "actioncheck",
	"actionrepair" };

bool config_action_file_open(const struct config_place *place, const char *name,
	struct config_action_file *file)
{
	cleanup_free char *base = NULL;
	struct stat info;

	*file = (struct config_action_file){ 0 };
	if (!place->dir || !name[0] || name[0] == '.' || strchr(name, '/'))
		return false;
	base = alloc_format("%s/action.d/%s", place->dir, name);
	if (text_ends_in(name, ".py") && stat(base, &info) == 0) {
		file->program = (struct position){ .file = dialect_name(place->names, base) };
		return true;
	}
	if (!config_files_group_exists(base))
		return false;
	file->tree = dialect_new(place->names, &file->findings);
	config_files_group_read(file->tree, base);
	return true;
}

void config_action_file_done(struct config_action_file *file)
{
	dialect_free(file->tree);
	findings_done(&file->findings);
	*file = (struct config_action_file){ 0 };
}

static const struct dialect_key *find_key(const struct config_action_file *file, const char *name)
{
	return file->tree ? dialect_key(file->tree, dialect_section(file->tree, "Definition"), name)
			  : NULL;
}

const char *config_action_file_shell(const struct config_action_file *file, struct position *ret_at)
{
	const struct dialect_key *key = find_key(file, "actionban");

	if (file->program.file) {
		*ret_at = file->program;
		return "program";
	}
	if (!key || !key->value.text[strspn(key->value.text, " \t\n")])
		return NULL;
	*ret_at = key->at;
	return "actionban";
}

const char *config_action_file_change(const struct config_action_file *file,
	struct position *ret_at)
{
	for (size_t i = 0; i < sizeof(shell_keys) / sizeof(shell_keys[0]); i++) {
		const struct dialect_key *key = find_key(file, shell_keys[i]);
		const char *folder = key ? strstr(key->at.file, "/action.d/") : NULL;

		if (!folder)
			continue;
		folder += strlen("/action.d/");
		if (!text_ends_in(key->at.file, ".local") && !strchr(folder, '/'))
			continue;
		*ret_at = key->at;
		return shell_keys[i];
	}
	return NULL;
}

bool config_action_file_knows(const struct config_action_file *file, const char *option)
{
	return file->tree && (find_key(file, option) ||
				     dialect_own_key(dialect_section(file->tree, "Init"), option) ||
				     dialect_is_referenced(file->tree, option));
}
