#ifndef VG_IMPORT_PARTS_H
#define VG_IMPORT_PARTS_H

/* Inside import: import.c decides and writes, import_bans.c takes over the bans, import_logs.c
 * knows logs that cannot be trusted. */

#include "commands/import.h"

#include <stdbool.h>

struct config;
struct config_jail;

/* A sentence if a client can write whole lines into this log of the jail, and so have others
 * banned; else NULL. own_filter: the jail gets the filter of voipguard in the place of its own. The
 * caller frees. */
char *import_forgeable(const struct config_jail *jail, bool own_filter, const char *path);

/* Takes over what the database says of jails that config has. Returns the exit status. */
int import_bans(const struct import_options *options, const struct config *config);

#endif
