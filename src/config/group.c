#include "config/group.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "dialect/tree.h"

/* One more than a tree takes: then the tree says that there are too many. */
enum { FILES_MAX = DIALECT_FILES_MAX + 1 };

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

/* Names in base.d that end in `end`, sorted. The caller frees them. */
static size_t list_folder(const char *folder, const char *end, char ***ret_names)
{
	DIR *stream = opendir(folder);
	const struct dirent *entry;
	size_t count = 0;

	*ret_names = NULL;
	while (stream && count < FILES_MAX && (entry = readdir(stream)) != NULL) {
		if (entry->d_name[0] == '.' || !ends_in(entry->d_name, end))
			continue;
		*ret_names = alloc_grow(*ret_names, count + 1, sizeof(**ret_names));
		(*ret_names)[count++] = alloc_format("%s/%s", folder, entry->d_name);
	}
	if (stream)
		(void)closedir(stream); /* only read */
	if (count)
		qsort(*ret_names, count, sizeof(**ret_names), compare_names);
	return count;
}

static void read_folder(struct dialect *tree, const char *base, const char *end)
{
	cleanup_free char *folder = alloc_format("%s.d", base);
	char **names;
	size_t count = list_folder(folder, end, &names);

	for (size_t i = 0; i < count; i++) {
		dialect_read(tree, names[i]);
		free(names[i]);
	}
	free(names);
}

static bool is_file(const char *base, const char *end)
{
	cleanup_free char *path = alloc_format("%s%s", base, end);
	struct stat info;

	return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

static void read_one(struct dialect *tree, const char *base, const char *end)
{
	cleanup_free char *path = alloc_format("%s%s", base, end);

	if (is_file(base, end))
		dialect_read(tree, path);
}

static bool has_folder(const char *base, const char *end)
{
	cleanup_free char *folder = alloc_format("%s.d", base);
	char **names;
	size_t count = list_folder(folder, end, &names);

	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return count > 0;
}

bool config_group_exists(const char *base)
{
	return is_file(base, ".conf") || is_file(base, ".local") || has_folder(base, ".conf") ||
	       has_folder(base, ".local");
}

void config_group_read_changes(struct dialect *tree, const char *base)
{
	read_folder(tree, base, ".conf");
	read_one(tree, base, ".local");
	read_folder(tree, base, ".local");
}

void config_group_read(struct dialect *tree, const char *base)
{
	read_one(tree, base, ".conf");
	config_group_read_changes(tree, base);
}
