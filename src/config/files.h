#ifndef VG_FILES_H
#define VG_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct dialect;
struct dialect_names;
struct findings;

/* Finds the files of a configuration directory and reads them into a tree, over what it holds
 * already. */

/* Lists the names in the folder that end in `end`, sorted, without those that begin with a dot. -1:
 * the folder cannot be opened, as errno says, and there are no names. The caller calls
 * dialect_names_done in any case. */
int files_list(const char *folder, const char *end, struct dialect_names *ret_names);

/* Reads dir/name if it exists. Returns how many files that were, 0 or 1. */
size_t files_read(struct dialect *tree, const char *dir, const char *name);
/* Reads the files of dir/folder that end in `end`, in sorted order, but "defaults" first. Returns
 * how many there are. */
size_t files_read_folder(struct dialect *tree, const char *dir, const char *folder, const char *end,
	struct findings *findings);

/* A group is the files that fail2ban reads as one, for a base such as DIR/filter.d/sshd: base.conf,
 * base.d/x.conf in sorted order, base.local, base.d/x.local in sorted order. A later file replaces
 * single keys of the ones before. */

/* True if at least one file of the group exists. */
bool files_group_exists(const char *base);
void files_group_read(struct dialect *tree, const char *base);
/* Reads all but base.conf: those files change a base.conf that comes from another folder. */
void files_group_read_changes(struct dialect *tree, const char *base);

#endif
