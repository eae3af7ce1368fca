#include "config/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/text.h"
#include "dialect/tree.h"

/* So many files of a folder are listed: one more than a tree takes, and at that one the tree
 * reports that there are too many. */
enum { FILES_MAX = DIALECT_FILES_MAX + 1 };

static int compare_names(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

int files_list(const char *folder, const char *end, struct dialect_names *names)
{
	DIR *stream = opendir(folder);
	const struct dirent *entry;

	*names = (struct dialect_names){ 0 };
	if (!stream)
		return -1;
	while (names->count < FILES_MAX && (entry = readdir(stream)) != NULL) {
		if (entry->d_name[0] == '.' || !text_ends_in(entry->d_name, end))
			continue;
		names->list = alloc_grow(names->list, names->count + 1, sizeof(names->list[0]));
		names->list[names->count++] = alloc_string(entry->d_name);
	}
	(void)closedir(stream); /* only read */
	if (names->count)
		qsort(names->list, names->count, sizeof(names->list[0]), compare_names);
	return 0;
}

size_t files_read(struct dialect *tree, const char *dir, const char *name)
{
	cleanup_free char *path = alloc_format("%s/%s", dir, name);
	struct stat info;

	if (stat(path, &info) < 0 && errno == ENOENT)
		return 0;
	dialect_read(tree, path);
	return 1;
}

size_t files_read_folder(struct dialect *tree, const char *dir, const char *folder, const char *end,
	struct findings *findings)
{
	cleanup_free char *path = alloc_format("%s/%s", dir, folder);
	struct position whole = { .file = path };
	struct dialect_names names;
	size_t count;

	if (files_list(path, end, &names) < 0 && errno != ENOENT)
		(void)finding_error(findings, &whole, "cannot read this directory: %s",
			strerrordesc_np(errno));
	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < names.count; i++) {
			bool first = strncmp(names.list[i], "defaults.", strlen("defaults.")) == 0;

			if (first == (turn == 0))
				(void)files_read(tree, path, names.list[i]);
		}
	}
	count = names.count;
	dialect_names_done(&names);
	return count;
}

/* ---- the files of one filter or action ---- */

/* Lists the files of the group that exist, in the order in which they are read; only_changes: all
 * but base.conf. */
static void list_group(const char *base, bool only_changes, struct dialect_names *paths)
{
	static const char *const ends[] = { ".conf", ".local" };
	cleanup_free char *folder = alloc_format("%s.d", base);

	*paths = (struct dialect_names){ 0 };
	for (size_t e = 0; e < 2; e++) {
		cleanup_free char *own = alloc_format("%s%s", base, ends[e]);
		struct dialect_names names;
		struct stat info;

		if ((e || !only_changes) && stat(own, &info) == 0 && !S_ISDIR(info.st_mode))
			(void)dialect_name(paths, own);
		(void)files_list(folder, ends[e], &names); /* it need not be there */
		for (size_t i = 0; i < names.count; i++) {
			cleanup_free char *path = alloc_format("%s/%s", folder, names.list[i]);

			(void)dialect_name(paths, path);
		}
		dialect_names_done(&names);
	}
}

static void read_group(struct dialect *tree, const char *base, bool only_changes)
{
	struct dialect_names paths;

	list_group(base, only_changes, &paths);
	for (size_t i = 0; i < paths.count; i++)
		dialect_read(tree, paths.list[i]);
	dialect_names_done(&paths);
}

bool files_group_exists(const char *base)
{
	struct dialect_names paths;
	bool exists;

	list_group(base, false, &paths);
	exists = paths.count > 0;
	dialect_names_done(&paths);
	return exists;
}

void files_group_read_changes(struct dialect *tree, const char *base)
{
	read_group(tree, base, true);
}

void files_group_read(struct dialect *tree, const char *base)
{
	read_group(tree, base, false);
}
