#ifndef VG_IMPORT_PARTS_H
#define VG_IMPORT_PARTS_H

/* Private to `voipguard import`: import.c translates the jails, import_bans.c takes over the bans,
 * import_logs.c knows the logs that clients can forge. */

#include "commands/import.h"

#include <stdbool.h>

struct config;
struct config_jail;

/* If a client can write whole lines of its own into this log of the jail, and so have others
 * banned: a sentence that says so, which the caller frees. Else NULL. own_filter: the jail gets the
 * filter that voipguard ships instead of fail2ban's. path: as in logpath, globs included. */
char *import_forgeable(const struct config_jail *jail, bool own_filter, const char *path);

/* Takes over the bans in the database of fail2ban whose jail config has enabled. Returns the exit
 * status. */
int import_bans(const struct import_options *options, const struct config *config);

#endif
