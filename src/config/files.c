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

/* One more than a tree takes: then the tree says that there are too many. */
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

static void read_file(struct dialect *tree, const char *folder, const char *name)
{
	cleanup_free char *path = alloc_format("%s/%s", folder, name);

	dialect_read(tree, path);
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
				read_file(tree, path, names.list[i]);
		}
	}
	count = names.count;
	dialect_names_done(&names);
	return count;
}

/* ---- the files of one filter or action ---- */

static bool has_file(const char *base, const char *end)
{
	cleanup_free char *path = alloc_format("%s%s", base, end);
	struct stat info;

	return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

static bool has_folder(const char *base, const char *end)
{
	cleanup_free char *folder = alloc_format("%s.d", base);
	struct dialect_names names;
	bool has_any;

	(void)files_list(folder, end, &names); /* it need not be there */
	has_any = names.count > 0;
	dialect_names_done(&names);
	return has_any;
}

bool files_group_exists(const char *base)
{
	return has_file(base, ".conf") || has_file(base, ".local") || has_folder(base, ".conf") ||
	       has_folder(base, ".local");
}

static void read_one(struct dialect *tree, const char *base, const char *end)
{
	cleanup_free char *path = alloc_format("%s%s", base, end);

	if (has_file(base, end))
		dialect_read(tree, path);
}

static void read_folder(struct dialect *tree, const char *base, const char *end)
{
	cleanup_free char *folder = alloc_format("%s.d", base);
	struct dialect_names names;

	(void)files_list(folder, end, &names); /* it need not be there */
	for (size_t i = 0; i < names.count; i++)
		read_file(tree, folder, names.list[i]);
	dialect_names_done(&names);
}

void files_group_read_changes(struct dialect *tree, const char *base)
{
	read_folder(tree, base, ".conf");
	read_one(tree, base, ".local");
	read_folder(tree, base, ".local");
}

void files_group_read(struct dialect *tree, const char *base)
{
	read_one(tree, base, ".conf");
	files_group_read_changes(tree, base);
}
