#ifndef VG_ACTION_TABLE_H
#define VG_ACTION_TABLE_H

#include <stddef.h>

/* What fail2ban's actions come down to here, by the names of its action.d (0.9 to 1.1). What one
 * closes is what its rules close there: some take ports, some name none. */
enum config_action_kind {
	CONFIG_ACTION_PORTS,     /* closes the ports of the jail */
	CONFIG_ACTION_ALL_PORTS, /* closes all of them */
	CONFIG_ACTION_MAIL,      /* writes to somebody: an alert */
	CONFIG_ACTION_TELL,      /* tells a service or a messenger: not done */
	CONFIG_ACTION_ELSEWHERE, /* closes on another machine or program: a ban of ours instead */
	CONFIG_ACTION_NOTHING,   /* closes nothing: not done */
};

struct config_action {
	const char *name;
	enum config_action_kind kind;
	const char *what; /* of the last three: the end of "it is not done: it …" */
};

/* NULL: no such name. */
const struct config_action *config_action_table_find(const char *name);
/* The name that was probably meant, NULL: none. */
const char *config_action_table_guess(const char *name);

/* An option that some shipped action has. */
struct config_action_option {
	const char *name;
	const char *instead; /* NULL: used, or of no consequence; else what happens instead */
};
const struct config_action_option *config_action_table_option(const char *name);
const char *config_action_table_guess_option(const char *name);

#endif
