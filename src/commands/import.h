#ifndef VG_IMPORT_H
#define VG_IMPORT_H

#include <stdbool.h>

struct run_options;

/* `voipguard import DIR`: fail2ban's tree becomes ours, its active bans too. */
struct import_options {
	const char *from;              /* fail2ban's configuration */
	const char *database;          /* its SQLite file; NULL: none */
	const struct run_options *run; /* config_dir is written, state_dir gets the bans; a daemon
					* that answers at socket_path is asked instead */
	bool keep_filters;             /* theirs also where a filter of that name is shipped */
	bool dry_run;                  /* only say what would be done */
};

/* Every enabled jail is written, resolved, to jails/NAME.local, with filters/NAME.conf where its
 * rules are not those of a shipped filter, and dbpurgeage to jails/defaults.import.local. A log
 * into which clients can write lines is a warning. Files of other origin that stand there are left
 * alone and named. What was written is loaded again and compared. Prints one line for all that was
 * translated, kept or dropped. Returns the exit status: EXIT_NO if something that guards was
 * lost. */
int import_run(const struct import_options *options);

#endif
