#ifndef VG_ACTION_TABLE_H
#define VG_ACTION_TABLE_H

#include "base/findings.h"
#include "base/text.h"

#include <stdbool.h>

struct config_place;
struct dialect;

/* What fail2ban's actions come down to here, by the names of its action.d (0.9 to 1.1). An action
 * closes what its rules close there: some take ports, some name none. */
enum action_kind {
	ACTION_PORTS,     /* closes the ports of the jail */
	ACTION_ALL_PORTS, /* closes all of them */
	ACTION_MAIL,      /* writes to somebody: an alert */
	ACTION_TELL,      /* tells a service or a messenger: not done */
	ACTION_ELSEWHERE, /* closes on another machine or program: a ban here instead */
	ACTION_NOTHING,   /* closes nothing: not done */
};

enum { ACTION_NAMES_MAX = 48 };

/* Names with one meaning. */
struct action_group {
	enum action_kind kind;
	const char *what; /* of the last three kinds: the end of "it is not done: it …" */
	const char *names[ACTION_NAMES_MAX];
};

/* NULL: no action has that name; then *ret_guess is ": did you mean
 * ...?", or "". */
const struct action_group *action_table_find(const char *name, struct shown *ret_guess);
/* The same of an option that some shipped action has. what: what happens instead of what it says;
 * NULL: it is used, or of no consequence. kind means nothing. */
const struct action_group *action_table_option(const char *name, struct shown *ret_guess);

/* An action's file in DIR/action.d, read to say what is not done. Nothing in it is ever run. */
struct action_file {
	struct dialect *tree;     /* owned; NULL: a program, or no file at all */
	struct findings findings; /* owned; told to nobody: nothing of the file is used */
	struct position program;  /* of NAME.py; file NULL: it is none */
};

/* False: there is no file of this name. Call action_table_close_file in any case. */
bool action_table_open_file(const struct config_place *place, const char *name,
	struct action_file *ret_file);
void action_table_close_file(struct action_file *file);

/* Where the file says what is run at a ban. Returns the key's name ("actionban"; "program" for
 * NAME.py), NULL: nothing is run. */
const char *action_table_shell(const struct action_file *file, struct position *ret_at);
/* The same for shell text in a .local or NAME.d file, with which somebody changed the shipped one.
 */
const char *action_table_change(const struct action_file *file, struct position *ret_at);
/* The file sets this option, or asks for it by <option>. */
bool action_table_knows(const struct action_file *file, const char *option);

#endif
