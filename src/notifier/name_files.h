#ifndef VG_NAME_FILES_H
#define VG_NAME_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct sandbox_path;

/* What a confined notifier and its deliveries read below /etc: the files of name service, of the
 * dynamic loader and of TLS. Landlock allows a file, not its name. When a file is replaced, as DHCP
 * clients do with resolv.conf, the new one cannot be read until the notifier is started again. */

enum { NAME_FILES_MAX = 16 };

struct name_files {
	const struct sandbox_path *paths; /* borrowed; for sandbox_enter() */
	size_t count;
	bool unreadable[NAME_FILES_MAX]; /* before it was confined, too */
};

/* To be called before sandbox_enter(). paths: NULL for those of the host; at most NAME_FILES_MAX,
 * the rest is left out. */
void name_files_init(struct name_files *files, const struct sandbox_path *paths, size_t count);
/* Whether one of them has been replaced, or has appeared, and is out of reach. */
bool name_files_are_stale(const struct name_files *files);

#endif
