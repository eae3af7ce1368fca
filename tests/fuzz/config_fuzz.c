/* The configuration of fail2ban's dialect. Input: files, one behind the other, a byte 1 between
 * them, for the names below; an empty one is left out. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/findings.h"
#include "config/config.h"
#include "dialect/ini.h"

static const char *const names[] = { "jail.conf", "filter.d/f.conf", "jail.local",
	"filter.d/f.local", "filter.d/common.conf", "jail.d/a.conf", "action.d/a.conf" };

static void ini_check(const char *bytes, size_t length)
{
	struct ini_token token = { 0 };
	struct ini ini;
	enum ini_kind kind;
	size_t count = 0;
	unsigned line = 0;

	ini_init(&ini, bytes, length);
	while ((kind = ini_next(&ini, &token)) != INI_END) {
		fuzz_need(++count <= 3 * length + 3, "comes to an end");
		fuzz_need(token.line >= line && token.column, "lines in order");
		line = token.line;
		if (kind == INI_PROBLEM)
			fuzz_need_shown(token.problem.text);
		if (kind == INI_SECTION || kind == INI_KEY)
			fuzz_need(token.name >= bytes &&
					  token.name + token.name_length <= bytes + length,
				"a name in the file");
		if ((kind == INI_KEY || kind == INI_LINE) && token.value_length)
			fuzz_need(token.value >= bytes &&
					  token.value + token.value_length <= bytes + length,
				"a value in the file");
	}
}

static void text_check(const struct config_text *text)
{
	if (text->text)
		fuzz_touch(text->text, strlen(text->text));
	if (text->text && text->at.line)
		fuzz_touch(text->at.file, strlen(text->at.file));
}

static void filter_check(const struct filter_def *def)
{
	for (size_t i = 0; i < def->n_failregex; i++)
		text_check(&def->failregex[i]);
	for (size_t i = 0; i < def->n_ignoreregex; i++)
		text_check(&def->ignoreregex[i]);
	for (size_t i = 0; i < def->n_datepattern; i++)
		text_check(&def->datepattern[i]);
	text_check(&def->prefregex);
	text_check(&def->logtimezone);
}

static void jail_check(const struct config *config, const struct config_jail *jail)
{
	char *shown = config_show(config, jail);

	fuzz_need(shown, "can be shown");
	fuzz_need_shown(shown);
	free(shown);
	fuzz_need(config_find(config, jail->name) != NULL, "found by its name");
	filter_check(&jail->filter);
	if (jail->broken || !jail->enabled)
		return;
	fuzz_need(jail->filter.maxlines >= 1, "at least a line");
	fuzz_need(jail->maxretry >= 1 && jail->findtime_s >= 1 && jail->bantime_s,
		"limits that can be");
	fuzz_need(jail->n_scopes <= JAIL_SCOPES_MAX && (!jail->bans || jail->n_scopes),
		"closes something");
	for (size_t i = 0; i < jail->n_scopes; i++)
		fuzz_need(scope_is_valid(&jail->scopes[i]), "ports");
	for (size_t i = 0; i < jail->n_logpaths; i++)
		fuzz_need(jail->logpaths[i].pattern[0] == '/', "an absolute path");
	if (jail->increment.on)
		fuzz_need(jail->increment.factor > 0 && jail->increment.maxtime_s >= 0 &&
				  jail->increment.rndtime_s >= 0,
			"an increment that can be");
}

static void findings_check(const struct findings *findings)
{
	fuzz_need(findings->count <= FINDINGS_MAX, "a bounded list");
	for (size_t i = 0; i < findings->count; i++) {
		char *text = finding_format(&findings->list[i]);

		fuzz_need_shown(text);
		free(text);
	}
}

static void config_check(const char *directory)
{
	struct findings findings = { 0 };
	struct config *config = NULL;
	struct filter_def def;

	if (config_load(directory, directory, &config, &findings) == 0)
		for (size_t i = 0; i < config->n_jails; i++)
			jail_check(config, &config->jails[i]);
	else
		fuzz_need(findings.errors, "says why not");
	findings_check(&findings);
	findings_done(&findings);
	config_free(config);
	config = NULL;
	findings = (struct findings){ 0 };
	if (config_load_filter(directory, directory, "f[mode=x, a='b']", false, &config, &def,
		    &findings) == 0)
		filter_check(&def);
	else
		fuzz_need(findings.errors, "says why not");
	findings_check(&findings);
	findings_done(&findings);
	config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const char *const parts[] = { "filter.d", "jail.d", "action.d" };
	struct fuzz_input input = { bytes, length };
	char directory[64];
	char path[128];

	fuzz_directory_new(directory);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", directory, parts[i]); /* fits */
		fuzz_need(mkdir(path, 0700) == 0, "a directory of its own");
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !fuzz_is_at_end(&input); i++) {
		size_t size;
		char *piece = fuzz_piece(&input, '\1', &size);

		ini_check(piece, size);
		if (size)
			fuzz_file_write(directory, names[i], piece, size);
		free(piece);
	}
	config_check(directory);
	fuzz_directory_remove(directory);
	return 0;
}
