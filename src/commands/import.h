#ifndef VG_IMPORT_H
#define VG_IMPORT_H

#include <stdbool.h>

struct run_options;

/* `voipguard import DIR`: translates the configuration of fail2ban in DIR, and takes over its bans.
 */
struct import_options {
	const char *from;     /* the configuration of fail2ban, as /etc/fail2ban */
	const char *database; /* the SQLite file of fail2ban; NULL: take no bans over */
	/* config_dir is written. The bans go into the database in state_dir, or, if a daemon
	 * answers at socket_path, to that. dry_run: write nothing, only say what would be done. */
	const struct run_options *run;
	/* take their filters also where voipguard ships one of that name */
	bool keep_filters;
};

/* Writes every enabled jail to jails/NAME.local, with all values in it that fail2ban takes from
 * other files, its filter to filters/NAME.conf unless voipguard ships the same, and dbpurgeage to
 * jails/defaults.import.local. A file there that no import wrote is not touched, and named. A log
 * into which clients can write whole lines is a warning. What was written is read again and
 * compared with fail2ban's. Prints one line for everything that was translated, kept or dropped.
 * Returns the exit status: EXIT_NO if the host would be guarded less than before. */
int import_run(const struct import_options *options);

#endif
