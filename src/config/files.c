#include "config/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "dialect/tree.h"

enum { FILES_MAX = DIALECT_FILES_MAX + 1 }; /* the one too many is told by the tree */

static int compare_names(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text);

	return length > strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

size_t config_files_read_folder(struct dialect *tree, const char *dir, const char *folder,
	const char *end, struct findings *findings)
{
	cleanup_free char *path = alloc_format("%s/%s", dir, folder);
	DIR *stream = opendir(path);
	const struct dirent *entry;
	char **names = NULL;
	struct position whole = { .file = path };
	size_t count = 0;

	if (!stream && errno != ENOENT)
		(void)finding_error(findings, &whole, "cannot read this directory: %s",
			strerrordesc_np(errno));
	while (stream && count < FILES_MAX && (entry = readdir(stream)) != NULL) {
		if (entry->d_name[0] == '.' || !ends_in(entry->d_name, end))
			continue;
		names = alloc_grow(names, count + 1, sizeof(names[0]));
		names[count++] = alloc_string(entry->d_name);
	}
	if (stream)
		(void)closedir(stream); /* only read */
	if (count)
		qsort(names, count, sizeof(names[0]), compare_names);
	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < count; i++) {
			bool first = strncmp(names[i], "defaults.", strlen("defaults.")) == 0;
			cleanup_free char *file = alloc_format("%s/%s", path, names[i]);

			if (first == (turn == 0))
				dialect_read(tree, file);
		}
	}
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return count;
}

size_t config_files_read(struct dialect *tree, const char *dir, const char *name)
{
	cleanup_free char *path = alloc_format("%s/%s", dir, name);
	struct stat info;

	if (stat(path, &info) < 0 && errno == ENOENT)
		return 0;
	dialect_read(tree, path);
	return 1;
}
