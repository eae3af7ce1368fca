#include "commands/import_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/findings.h"
#include "base/text.h"
#include "commands/client.h"
#include "config/config.h"
#include "process/launch.h"

enum { SHOWN_MAX = 128, HEAD_BYTES = 64 };

static const char head[] = "# Written by voipguard import from ";

/* One run of the command. */
struct import {
	const struct import_options *options;
	const struct config *theirs;
	size_t written;
	size_t lost; /* how many jails, files and settings were not taken over */
};

static bool is_file_name(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/') && strlen(name) < SHOWN_MAX;
}

/* Whether the file may be written: it does not exist, or its first line says that an import wrote
 * it. Any other file is somebody's work. */
static bool is_ours(const char *path)
{
	char bytes[HEAD_BYTES] = "";
	cleanup_file FILE *file = fopen(path, "re");

	if (!file)
		return errno == ENOENT;
	return fgets(bytes, sizeof(bytes), file) && strncmp(bytes, head, strlen(head)) == 0;
}

static int write_file(const char *path, const char *text, struct error *err)
{
	/* the ending is neither .conf nor .local: nobody reads it half written */
	cleanup_free char *fresh = alloc_format("%s.import", path);
	FILE *file = fopen(fresh, "we");
	bool done;

	if (!file)
		return error_errno(err, errno, "cannot write %s", fresh);
	done = fputs(text, file) >= 0;
	done = fclose(file) == 0 && done;
	if (done && chmod(fresh, 0644) == 0 && rename(fresh, path) == 0)
		return 0;
	(void)error_errno(err, errno, "cannot write %s", path);
	(void)unlink(fresh); /* if it stays, nobody reads it */
	return -1;
}

/* Writes one file and prints that. True: it is written, or would be in a dry run. */
static bool put_file(struct import *import, const char *folder, const char *name,
	const char *ending, const char *text)
{
	const char *target = import->options->run->config_dir;
	cleanup_free char *dir = alloc_format("%s/%s", target, folder);
	cleanup_free char *path = alloc_format("%s/%s.%s", dir, name, ending);
	struct error err;

	if (!is_ours(path)) {
		(void)printf("left       %s: it stands there and is not from an import\n", path);
		import->lost++;
		return false;
	}
	if (!import->options->run->dry_run) {
		/* if it fails for another reason than that it exists, writing fails and says so */
		(void)mkdir(target, 0755);
		(void)mkdir(dir, 0755);
		if (write_file(path, text, &err) < 0) {
			import->lost++;
			(void)client_say(EXIT_NO, "%s", err.text);
			return false;
		}
	}
	(void)printf("%s %s\n", import->options->run->dry_run ? "would write" : "wrote     ", path);
	import->written++;
	return true;
}

static bool is_same_filter(const struct filter_def *a, const struct filter_def *b)
{
	cleanup_free char *text_a = config_write_filter(a);
	cleanup_free char *text_b = config_write_filter(b);

	return strcmp(text_a, text_b) == 0;
}

/* The text of the jail with that name behind `filter =`. The caller frees it. */
static char *write_jail(const struct config_jail *jail, const char *filter)
{
	struct config_jail copy = *jail;

	copy.filter.name = (char *)(uintptr_t)filter; /* config_write_jail only reads it */
	return config_write_jail(&copy);
}

/* Whether two jails are the same but for their filters, which filter_is compares. */
static bool is_same_jail(const struct config_jail *a, const struct config_jail *b)
{
	cleanup_free char *text_a = write_jail(a, "");
	cleanup_free char *text_b = write_jail(b, "");

	return strcmp(text_a, text_b) == 0;
}

/* Whether the filter of that name in one configuration (dir NULL: the filters that we ship) is the
 * same as the filter of a jail. *ret_exists: there is one of that name. */
static bool filter_is(const char *dir, const char *name, const struct filter_def *filter,
	bool *ret_exists)
{
	struct findings findings = { 0 };
	struct config *alone = NULL;
	struct filter_def def;
	bool same = false;

	*ret_exists = config_load_filter(dir, NULL, name, false, &alone, &def, &findings) == 0;
	if (*ret_exists)
		same = is_same_filter(filter, &def);
	config_free(alone);
	findings_done(&findings);
	return same;
}

static bool is_changed(const char *from, const char *name)
{
	cleanup_free char *local = alloc_format("%s/filter.d/%s.local", from, name);

	return access(local, F_OK) == 0;
}

/* Chooses the filter of a jail, writes it if need be, and returns its name for `filter =`, which
 * the caller frees. If we ship the same filter, that is used. If we ship another one of that name,
 * and theirs is used as it is (no .local file, nothing changed in the jail), ours replaces it
 * (*ret_is_replaced) unless --keep-filters is given. All else is written as a filter of its own.
 * NULL: it could not be written. */
static char *put_filter(struct import *import, const struct config_jail *jail,
	bool *ret_is_replaced)
{
	const struct filter_def *filter = &jail->filter;
	const char *from = import->options->from;
	bool is_shipped;
	bool exists;
	bool is_same = filter_is(NULL, filter->name, filter, &is_shipped);
	bool is_plain = filter_is(from, filter->name, filter, &exists);
	cleanup_free char *keys = NULL;
	cleanup_free char *text = NULL;
	char *name;

	*ret_is_replaced = false;
	if (is_same)
		return alloc_string(filter->name);
	if (is_shipped && is_plain && !is_changed(from, filter->name) &&
		!import->options->keep_filters) {
		(void)printf("replaced   filter %s of jail %s: by voipguard's own (--keep-filters "
			     "takes theirs)\n",
			filter->name, jail->name);
		*ret_is_replaced = true;
		return alloc_string(filter->name);
	}
	name = is_plain ? alloc_string(filter->name)
			: alloc_format("%s-%s", filter->name, jail->name);
	keys = config_write_filter(filter);
	text = alloc_format("%s%s: filter %s\n[Definition]\n%s", head, from, filter->name, keys);
	if (is_file_name(name) && put_file(import, "filters", name, "conf", text))
		return name;
	free(name);
	return NULL;
}

static void warn_of_logs(const struct config_jail *jail, bool is_replaced)
{
	for (size_t i = 0; jail->bans && i < jail->n_logpaths; i++) {
		cleanup_free char *text =
			import_forgeable(jail, is_replaced, jail->logpaths[i].pattern);

		if (text)
			(void)printf("warning    jail %s: %s\n", jail->name, text);
	}
}

static void put_jail(struct import *import, const struct config_jail *jail)
{
	cleanup_free char *filter = NULL;
	cleanup_free char *keys = NULL;
	cleanup_free char *text = NULL;
	bool is_replaced;

	if (jail->broken || !is_file_name(jail->name)) {
		(void)printf("dropped    jail %s: %s\n", jail->name,
			jail->broken ? "it has the errors above" : "no file can have its name");
		import->lost++;
		return;
	}
	filter = put_filter(import, jail, &is_replaced);
	if (!filter) {
		(void)printf("dropped    jail %s: its filter could not be written\n", jail->name);
		return;
	}
	keys = write_jail(jail, filter);
	text = alloc_format("%s%s\n[%s]\n%s", head, import->options->from, jail->name, keys);
	if (put_file(import, "jails", jail->name, "local", text))
		(void)printf("translated jail %s (filter %s)\n", jail->name, filter);
	warn_of_logs(jail, is_replaced);
}

/* bantime.increment looks back for dbpurgeage, so it is taken over. It gets a file of its own, and
 * not defaults.local: that is the operator's, and is read later, so it prevails. */
static void put_daemon(struct import *import)
{
	cleanup_free char *text =
		alloc_format("%s%s: fail2ban.conf; defaults.local goes before it\n"
			     "[voipguard]\ndbpurgeage = %lld\n",
			head, import->options->from, (long long)import->theirs->dbpurgeage_s);

	if (put_file(import, "jails", "defaults.import", "local", text))
		(void)printf("translated dbpurgeage of fail2ban.conf\n");
}

/* Compares what we read from the files just written with what we read from those of fail2ban. */
static void compare(struct import *import, const struct config *ours)
{
	if (ours->dbpurgeage_s != import->theirs->dbpurgeage_s) {
		(void)printf("differs    dbpurgeage: %lld s there, %lld s here\n",
			(long long)import->theirs->dbpurgeage_s, (long long)ours->dbpurgeage_s);
		import->lost++;
	}
	for (size_t i = 0; i < import->theirs->n_jails; i++) {
		const struct config_jail *jail = &import->theirs->jails[i];
		const struct config_jail *copy =
			jail->enabled && !jail->broken ? config_find(ours, jail->name) : NULL;

		if (!jail->enabled || jail->broken || (copy && is_same_jail(jail, copy)))
			continue;
		(void)printf("differs    jail %s: compare `voipguard check -c %s --show %s` with "
			     "`voipguard check -c %s --show %s`\n",
			jail->name, import->options->from, jail->name,
			import->options->run->config_dir, jail->name);
		import->lost++;
	}
}

static int read_back(struct import *import)
{
	struct findings findings = { 0 };
	struct config *ours = NULL;
	int status = EXIT_DONE;

	if (config_load(import->options->run->config_dir, NULL, &ours, &findings) < 0)
		status = EXIT_NO;
	findings_sort(&findings);
	findings_print(&findings, stdout);
	if (ours)
		compare(import, ours);
	if (ours && import->options->database)
		status = import_bans(import->options, ours);
	config_free(ours);
	findings_done(&findings);
	return status;
}

int import_run(const struct import_options *options)
{
	struct import import = { .options = options };
	struct findings findings = { 0 };
	struct config *theirs = NULL;
	size_t off = 0;
	int status = EXIT_DONE;

	if (config_load(options->from, NULL, &theirs, &findings) < 0)
		status = EXIT_NO;
	findings_sort(&findings);
	findings_print(&findings, stdout);
	import.theirs = theirs;
	for (size_t i = 0; theirs && i < theirs->n_jails; i++) {
		off += !theirs->jails[i].enabled;
		if (theirs->jails[i].enabled)
			put_jail(&import, &theirs->jails[i]);
	}
	if (theirs)
		put_daemon(&import);
	if (theirs)
		(void)printf("kept off   %zu jails that are not enabled\n", off);
	if (theirs && options->run->dry_run && options->database)
		status = import_bans(options, theirs);
	else if (theirs && !options->run->dry_run)
		status = read_back(&import);
	config_free(theirs);
	findings_done(&findings);
	return import.lost ? EXIT_NO : status;
}
