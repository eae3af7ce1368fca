#ifndef VG_COMMANDS_PARTS_H
#define VG_COMMANDS_PARTS_H

/* Private to this folder: cli.c reads the command line, change.c has the commands that change
 * something in a running daemon, explain.c the one that explains an address. */

#include "commands/cli.h"

#include <stdbool.h>
#include <stdint.h>

#include "process/launch.h"

/* What the command line says; NULL, 0 or false where it is silent. All strings are borrowed from
 * argv. */
struct request {
	struct run_options run;
	const char *role;
	const char *jail;
	const char *note;
	const char *show;
	const char *logtype;
	const char *database;
	const char *config_said; /* -c; NULL: run.config_dir is the default */
	int64_t for_s;           /* --for, in seconds; -1: permanent; 0: not given */
	int64_t now_s;
	bool all;
	bool keep_filters;
	bool json;
	bool missed;
	char **arguments;
	int n_arguments;
};

/* A command: its name, usage and one sentence for the help, and how many arguments (least to most)
 * it takes. */
struct command {
	const char *name;
	const char *usage;
	const char *does;
	const char *options; /* the options that it knows, as "jail note" */
	int least;
	int most;
	int (*run)(const struct request *request);
};

/* Each sends one request (disallow: two) to the daemon and returns the exit status. unban without a
 * daemon works on the database, if we are root. */
int change_ban(const struct request *request);
int change_unban(const struct request *request);
int change_allow(const struct request *request);
int change_disallow(const struct request *request);
int change_reload(const struct request *request);
/* Asks the daemon why an address is banned, or is not, and prints that in plain words. */
int explain_command(const struct request *request);

#endif
