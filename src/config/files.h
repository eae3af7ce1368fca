#ifndef VG_FILES_H
#define VG_FILES_H

#include <stddef.h>

struct dialect;
struct findings;

/* Which files of a configuration directory are read, over what the tree holds. Both return how
 * many there are. */

/* dir/name, if it is there. */
size_t config_files_read(struct dialect *tree, const char *dir, const char *name);
/* The files of dir/folder that end in `end`, sorted; "defaults" first. */
size_t config_files_read_folder(struct dialect *tree, const char *dir, const char *folder,
	const char *end, struct findings *findings);

#endif
