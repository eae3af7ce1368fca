#ifndef VG_IMPORT_PARTS_H
#define VG_IMPORT_PARTS_H

/* Inside import: import.c decides, import_write.c makes the texts, import_bans.c takes over the
 * bans, import_logs.c knows logs that cannot be trusted. */

#include "commands/import.h"

#include <stdbool.h>

struct config;
struct config_jail;
struct filter_def;

/* The text of jails/NAME.local for a jail that uses filter (as written behind `filter =`). The
 * caller frees. */
char *import_write_jail(const struct config_jail *jail, const char *filter, const char *from);
/* The text of jails/defaults.import.local: what is said once for all jails. The caller frees. */
char *import_write_daemon(const struct config *theirs, const char *from);
/* The text of a filter file. The caller frees. */
char *import_write_filter(const struct filter_def *filter, const char *from);

/* A sentence if a client can write whole lines into this log of the jail, and so have others
 * banned; else NULL. own_filter: the jail gets the filter of voipguard in the place of its own. The
 * caller frees. */
char *import_forgeable(const struct config_jail *jail, bool own_filter, const char *path);

/* Both resolve to the same. jails: filters by their rules, whatever their names. */
bool import_same_filter(const struct filter_def *a, const struct filter_def *b);
bool import_same_jail(const struct config_jail *a, const struct config_jail *b);

/* Takes over what the database says of jails that config has. Returns the exit status. */
int import_bans(const struct import_options *options, const struct config *config);

#endif
