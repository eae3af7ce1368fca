#ifndef VG_ACTION_TABLE_H
#define VG_ACTION_TABLE_H

#include "base/findings.h"
#include "base/text.h"

#include <stdbool.h>

struct config_place;
struct dialect;

/* What fail2ban's actions, by the names of its action.d (0.9 to 1.1), mean here. A ban closes what
 * the action's firewall rules would close there: some name ports, some do not. */
enum action_kind {
	ACTION_PORTS,     /* closes the ports of the jail */
	ACTION_ALL_PORTS, /* closes all ports */
	ACTION_MAIL,      /* sends a mail: here an alert */
	ACTION_TELL,      /* tells a service or a messenger: not done here */
	ACTION_ELSEWHERE, /* closes on another machine or in another program: here a ban instead */
	ACTION_NOTHING,   /* closes nothing: not done here */
};

enum { ACTION_NAMES_MAX = 48 };

/* Names of actions (or of options) that mean the same. */
struct action_group {
	enum action_kind kind;
	const char *what; /* for the last three kinds: the end of "it is not done: it ..." */
	const char *names[ACTION_NAMES_MAX];
};

/* Finds an action by name. NULL: none has that name; *ret_guess is then ": did you mean 'x'?", or
 * "". */
const struct action_group *action_table_find(const char *name, struct shown *ret_guess);
/* The same for an option of some shipped action. what says what happens in place of the option's
 * meaning; NULL: the option is used, or does not matter. kind means nothing. */
const struct action_group *action_table_option(const char *name, struct shown *ret_guess);

/* The file of an action in DIR/action.d. It is read only to say what of it is not done: nothing in
 * it is ever run. */
struct action_file {
	struct dialect *tree;     /* owned; NULL: the action is a program, or has no file */
	struct findings findings; /* owned; shown to nobody, since nothing of the file is used */
	struct position program;  /* the place of NAME.py; file NULL: there is none */
};

/* Reads the file of that name. False: there is none. The caller calls action_table_close_file in
 * any case. */
bool action_table_open_file(const struct config_place *place, const char *name,
	struct action_file *ret_file);
void action_table_close_file(struct action_file *file);

/* Finds what the file would run at a ban: returns the name of the key ("actionban"; "program" for
 * NAME.py) and its place; NULL: it runs nothing. */
const char *action_table_shell(const struct action_file *file, struct position *ret_at);
/* The same for shell text in a .local or NAME.d file, by which somebody has changed the shipped
 * action. */
const char *action_table_change(const struct action_file *file, struct position *ret_at);
/* True if the file sets this option, or refers to it as <option>. */
bool action_table_knows(const struct action_file *file, const char *option);

#endif
