#ifndef VG_COMMANDS_PARTS_H
#define VG_COMMANDS_PARTS_H

/* Inside the command line: cli.c reads it, change.c has the commands that change what a running
 * daemon does. */

#include "commands/cli.h"

#include <stdbool.h>
#include <stdint.h>

#include "process/launch.h"

/* What was said; strings are borrowed from argv. */
struct request {
	struct run_options run;
	const char *role;
	const char *jail;
	const char *note;
	const char *show;
	const char *logtype;
	const char *database;
	const char *config_said; /* NULL: run.config_dir is the default */
	int64_t for_s;           /* 0: not said */
	int64_t now_s;
	bool all;
	bool keep_filters;
	bool json;
	bool missed;
	char **arguments;
	int n_arguments;
};

struct command {
	const char *name;
	const char *usage;
	const char *does;
	const char *options; /* allowed ones, as "name name" */
	int least;
	int most;
	int (*run)(const struct request *request);
};

/* These return the exit status. */
int change_ban(const struct request *request);
int change_unban(const struct request *request);
int change_allow(const struct request *request);
int change_disallow(const struct request *request);
int change_reload(const struct request *request);

#endif
