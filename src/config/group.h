#ifndef VG_GROUP_H
#define VG_GROUP_H

#include <stdbool.h>

struct dialect;

/* The files that fail2ban reads as one, for a base such as DIR/filter.d/sshd: base.conf,
 * base.d/x.conf sorted, base.local, base.d/x.local sorted; later ones win key by key. */

/* Some file of them is there. */
bool config_group_exists(const char *base);
void config_group_read(struct dialect *tree, const char *base);
/* Without base.conf: what changes a file that came from somewhere else. */
void config_group_read_changes(struct dialect *tree, const char *base);

#endif
