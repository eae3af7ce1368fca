#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "follow/tail.h"

/* Cuts the last component; "/" and what has none left stay "/". */
static void cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash && slash != path)
		*slash = '\0';
	else
		path[1] = '\0';
}

/* The resolved path, or that of its nearest existing ancestor. */
static char *nearest(const char *path)
{
	cleanup_free char *rest = alloc_string(path);
	char *real = realpath(rest, NULL);

	while (!real && rest[1]) {
		cut_last(rest);
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
	glob_t found = { 0 };
	char *real;
	size_t i;

	if (pattern[0] != '/')
		return;
	fixed = alloc_bytes(pattern, strcspn(pattern, "*?["));
	cut_last(fixed);
	real = nearest(fixed);
	cut_last(fixed);
	parent = nearest(fixed);
	each(context, parent);
	/* the directory itself is a symbolic link out of its parent */
	if (!is_within(real, parent))
		each(context, real);
	free(real);
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (i = 0; i < found.gl_pathc && i < TAIL_FILES_MAX; i++) {
			real = nearest(found.gl_pathv[i]);
			cut_last(real);
			if (!is_within(real, parent))
				each(context, real);
			free(real);
		}
	}
	globfree(&found);
}
