#include "follow/names.h"

#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "base/alloc.h"
#include "base/error.h"
#include "follow/entry.h"
#include "follow/file.h"
#include "follow/parts.h"
#include "follow/tail.h"

static size_t count_slashes(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '/';
	return n;
}

/* The first `components` components of an absolute pattern, for the caller to free. */
static char *path_start(const char *pattern, size_t components)
{
	const char *end = pattern;

	while (*end && components-- > 0)
		end = end + 1 + strcspn(end + 1, "/");
	return alloc_bytes(pattern, (size_t)(end - pattern));
}

bool tail_name_matters(const struct tail *tail, const char *directory, const char *name)
{
	cleanup_free char *path = alloc_format("%s/%s", directory, name);
	const size_t components = count_slashes(path);

	for (size_t i = 0; i < tail->n_patterns; i++) {
		cleanup_free char *start = path_start(tail->patterns[i].text, components);

		if (fnmatch(start, path, FNM_PATHNAME | FNM_PERIOD) == 0)
			return true;
	}
	return false;
}

bool tail_name_patterns(const struct tail *tail, const char *path, uint64_t *patterns)
{
	bool found = false;

	memset(patterns, 0, TAIL_WORDS * sizeof(*patterns));
	for (size_t i = 0; i < tail->n_patterns; i++) {
		if (fnmatch(tail->patterns[i].text, path, FNM_PATHNAME | FNM_PERIOD) != 0)
			continue;
		patterns[i / 64] |= UINT64_C(1) << (i % 64);
		found = true;
	}
	return found;
}

/* The index of path among the sorted names, or where it would stand. */
static size_t name_index(const struct tail *tail, const char *path)
{
	size_t low = 0;
	size_t high = tail->n_names;
	size_t middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(tail->names[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct tail_name *tail_name_find(const struct tail *tail, const char *path)
{
	const size_t at = name_index(tail, path);

	if (at == tail->n_names || strcmp(tail->names[at].path, path) != 0)
		return NULL;
	return &tail->names[at];
}

static void too_many_tell(struct tail *tail, const char *path)
{
	if (!tail->told_too_many)
		tail_entry_note(tail, LOG_WARNING, path,
			"and others are left out: the patterns match more than 1024 files");
	tail->told_too_many = true;
}

static void name_add(struct tail *tail, const char *path, size_t pattern)
{
	struct tail_name *name = tail_name_find(tail, path);
	size_t at;

	if (!name && tail->n_names == TAIL_FILES_MAX) {
		too_many_tell(tail, path);
		return;
	}
	if (!name) {
		at = name_index(tail, path);
		tail->names = alloc_grow(tail->names, tail->n_names + 1, sizeof(*tail->names));
		name = &tail->names[at];
		memmove(name + 1, name, (tail->n_names - at) * sizeof(*name));
		*name = (struct tail_name){ .path = alloc_string(path), .begin = -1 };
		tail->n_names++;
	}
	name->found = true;
	name->patterns[pattern / 64] |= UINT64_C(1) << (pattern % 64);
}

/* Watches the directories in which a name for the pattern can appear. */
static void directories_watch(struct tail *tail, const char *pattern)
{
	cleanup_free char *directory =
		alloc_bytes(pattern, (size_t)(strrchr(pattern, '/') - pattern));
	const size_t fixed = strcspn(directory, "*?[\\");
	glob_t found = { 0 };

	if (directory[fixed]) {
		if (glob(directory, GLOB_NOSORT, NULL, &found) == 0)
			for (size_t i = 0; i < found.gl_pathc && i < TAIL_FILES_MAX; i++)
				tail_watch_directory(&tail->watch, found.gl_pathv[i]);
		globfree(&found);
		/* and the one in which a new directory for the pattern can appear */
		directory[fixed] = '\0';
		*strrchr(directory, '/') = '\0';
	}
	tail_watch_directory(&tail->watch, directory);
}

static void name_free(struct tail_name *name)
{
	free(name->path);
	free(name->told);
}

void tail_name_free_all(struct tail *tail)
{
	for (size_t i = 0; i < tail->n_names; i++)
		name_free(&tail->names[i]);
	free(tail->names);
}

static void names_drop_lost(struct tail *tail)
{
	size_t kept = 0;

	for (size_t i = 0; i < tail->n_names; i++) {
		if (tail->names[i].found)
			tail->names[kept++] = tail->names[i];
		else
			name_free(&tail->names[i]);
	}
	tail->n_names = kept;
}

/* It is a path, no pattern, and lies behind a directory that we may not search. */
static bool is_forbidden(const char *pattern)
{
	struct stat status;

	return stat(pattern, &status) != 0 && errno == EACCES;
}

void tail_name_list(struct tail *tail)
{
	for (size_t i = 0; i < tail->n_names; i++)
		tail->names[i].found = false;
	tail_watch_begin(&tail->watch);
	for (size_t i = 0; i < tail->n_patterns; i++) {
		glob_t found = { 0 };

		/* before the look: whatever appears after it raises an event */
		directories_watch(tail, tail->patterns[i].text);
		if (glob(tail->patterns[i].text, 0, NULL, &found) == 0)
			for (size_t j = 0; j < found.gl_pathc; j++)
				name_add(tail, found.gl_pathv[j], i);
		else if (is_forbidden(tail->patterns[i].text))
			name_add(tail, tail->patterns[i].text, i);
		globfree(&found);
	}
	tail_watch_end(&tail->watch);
	names_drop_lost(tail);
}

/* Says why a name is not read, again only when it is for another reason. */
static void refused_tell(struct tail *tail, struct tail_name *name, const char *why)
{
	if (name->told && strcmp(name->told, why) == 0)
		return;
	free(name->told);
	name->told = alloc_string(why);
	tail->callbacks.note(tail->callbacks.context, LOG_WARNING, why);
}

/* Is the file, of which no position is known, read from its first byte? */
static bool is_read_from_head(const struct tail *tail, const struct tail_name *name)
{
	for (size_t i = 0; i < tail->n_patterns; i++) {
		const struct tail_pattern *pattern = &tail->patterns[i];

		if (name->patterns[i / 64] >> (i % 64) & 1 &&
			(pattern->seen || pattern->known || pattern->from_head))
			return true;
	}
	return false;
}

static void name_tie(struct tail_name *name, struct tail_entry *entry)
{
	name->entry = entry;
	entry->named = true;
	entry->gap |= name->gap;
	name->gap = false;
	for (size_t i = 0; i < TAIL_WORDS; i++)
		entry->patterns[i] |= name->patterns[i];
}

/* Where to begin in a file just opened, which has no predecessor. */
static void begin_seek(const struct tail_name *name, struct tail_entry *entry)
{
	if (name->begin > 0 && tail_file_seek_line(entry->file, name->begin) == 0)
		return;
	if (!name->restored)
		entry->first_read_end = entry->size_bytes;
}

static void name_open(struct tail *tail, struct tail_name *name)
{
	struct tail_entry *before;
	struct tail_entry *entry;
	struct tail_file *file;
	enum tail_file_opened opened;
	struct error err;

	opened = tail_file_open(name->path, &file, &err);
	if (opened == TAIL_FILE_REFUSED)
		refused_tell(tail, name, err.text);
	if (opened != TAIL_FILE_OPEN)
		return;
	free(name->told);
	name->told = NULL;
	entry = tail_entry_by_identity(tail, &file->identity);
	if (entry) { /* two names of one file, both new */
		tail_file_free(file);
		name_tie(name, entry);
		return;
	}
	before = tail_entry_latest(tail, name->path);
	entry = tail_entry_add(tail, file, name->path, name->patterns, before);
	name_tie(name, entry);
	if (before)
		tail_entry_adopt(tail, entry);
	else
		begin_seek(name, entry);
	name->begin = 0; /* a later file of this name is read from its first byte */
}

/* The name leads to the same inode, yet shows more of it than our descriptor does: on an overlay
 * file system the first writer makes a copy that only a new descriptor sees. */
static void reopen_if_longer(struct tail *tail, struct tail_entry *entry, const struct stat *status)
{
	struct tail_file *file;

	if (status->st_size <= tail_file_size(entry->file) ||
		tail_file_open(entry->path, &file, NULL) != TAIL_FILE_OPEN)
		return;
	if (tail_file_identity_equal(&file->identity, &entry->file->identity) &&
		tail_file_seek(file, entry->file->offset) == 0 &&
		tail_file_hash(file) == tail_file_hash(entry->file)) {
		file->skipping = entry->file->skipping;
		tail_file_free(entry->file);
		entry->file = file;
		tail_watch_forget(&tail->watch, entry->wd);
		entry->wd = -1;
		return;
	}
	tail_file_free(file);
}

static void name_look(struct tail *tail, struct tail_name *name)
{
	struct tail_entry *entry;
	struct stat status;

	name->entry = NULL;
	if (stat(name->path, &status))
		return;
	if (name->begin < 0)
		name->begin = is_read_from_head(tail, name) || name->restored ? 0 : status.st_size;
	entry = tail_entry_by_status(tail, &status);
	if (!entry)
		return;
	if (strcmp(entry->path, name->path) == 0)
		reopen_if_longer(tail, entry, &status);
	if (status.st_size > entry->size_bytes)
		entry->size_bytes = status.st_size;
	name_tie(name, entry);
}

/* An entry whose own name leads elsewhere now, while another name leads to it, takes that one. */
static void entries_rename(struct tail *tail)
{
	for (size_t i = 0; i < tail->n_names; i++) {
		const struct tail_name *own;
		struct tail_name *name = &tail->names[i];

		if (!name->entry || strcmp(name->entry->path, name->path) == 0)
			continue;
		own = tail_name_find(tail, name->entry->path);
		if (own && own->entry == name->entry)
			continue;
		free(name->entry->path);
		name->entry->path = alloc_string(name->path);
		name->entry->moved = true;
	}
}

static void file_watch(struct tail *tail, struct tail_entry *entry)
{
	const char *path = entry->named ? entry->path : tail_entry_place(entry);

	if (entry->wd < 0 && path)
		entry->wd = tail_watch_file(&tail->watch, path);
}

void tail_name_resolve(struct tail *tail)
{
	for (size_t i = 0; i < tail->n_entries; i++)
		tail->entries[i]->named = false;
	for (size_t i = 0; i < tail->n_names; i++)
		name_look(tail, &tail->names[i]);
	for (size_t i = 0; i < tail->n_names; i++)
		if (!tail->names[i].entry)
			name_open(tail, &tail->names[i]);
	entries_rename(tail);
	for (size_t i = 0; i < tail->n_entries; i++)
		file_watch(tail, tail->entries[i]);
}

/* ---- for confinement ---- */

/* Cuts off the last component; "/" stays "/". */
static void path_cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash && slash != path)
		*slash = '\0';
	else
		path[1] = '\0';
}

/* The resolved path, or that of its nearest ancestor that exists, for the caller to free. */
static char *path_nearest(const char *path)
{
	cleanup_free char *rest = alloc_string(path);
	char *real = realpath(rest, NULL);

	while (!real && rest[1]) {
		path_cut_last(rest);
		real = realpath(rest, NULL);
	}
	return real ? real : alloc_string("/");
}

static bool is_within(const char *path, const char *directory)
{
	const size_t length = strlen(directory);

	if (length == 1)
		return true;
	return strncmp(path, directory, length) == 0 &&
	       (path[length] == '\0' || path[length] == '/');
}

void tail_roots(const char *pattern, void (*each)(void *context, const char *directory),
	void *context)
{
	cleanup_free char *fixed = NULL;
	cleanup_free char *parent = NULL;
	cleanup_free char *real = NULL;
	glob_t found = { 0 };

	if (pattern[0] != '/')
		return;
	fixed = alloc_bytes(pattern, strcspn(pattern, "*?["));
	path_cut_last(fixed);
	real = path_nearest(fixed);
	path_cut_last(fixed);
	parent = path_nearest(fixed);
	each(context, parent);
	/* else the directory is a symbolic link out of its parent */
	if (!is_within(real, parent))
		each(context, real);
	if (glob(pattern, 0, NULL, &found) != 0)
		found.gl_pathc = 0;
	for (size_t i = 0; i < found.gl_pathc && i < TAIL_FILES_MAX; i++) {
		cleanup_free char *target = path_nearest(found.gl_pathv[i]);

		path_cut_last(target);
		if (!is_within(target, parent))
			each(context, target);
	}
	globfree(&found);
}
