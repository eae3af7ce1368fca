#ifndef VG_FILES_H
#define VG_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct dialect;
struct dialect_names;
struct findings;

/* Which files of a configuration directory are read into a tree, over what it holds already. */

/* The names in the folder that end in `end`, sorted, without those that begin with a dot. -1: the
 * folder cannot be opened, as errno says; there are no names then. The caller calls
 * dialect_names_done in any case. */
int files_list(const char *folder, const char *end, struct dialect_names *ret_names);

/* Reads dir/name if it is there. Returns how many files there are. */
size_t files_read(struct dialect *tree, const char *dir, const char *name);
/* Reads the files of dir/folder that end in `end`, sorted, but "defaults" first. Returns how many
 * there are. */
size_t files_read_folder(struct dialect *tree, const char *dir, const char *folder, const char *end,
	struct findings *findings);

/* The files that fail2ban reads as one, for a base such as DIR/filter.d/sshd: base.conf,
 * base.d/x.conf sorted, base.local, base.d/x.local sorted; later ones win key by key. */

/* At least one of them is there. */
bool files_group_exists(const char *base);
void files_group_read(struct dialect *tree, const char *base);
/* All but base.conf: they change a file that comes from another folder. */
void files_group_read_changes(struct dialect *tree, const char *base);

#endif
