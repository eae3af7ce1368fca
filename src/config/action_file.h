#ifndef VG_ACTION_FILE_H
#define VG_ACTION_FILE_H

#include "base/findings.h"

#include <stdbool.h>

struct config_place;
struct dialect;

/* An action's file in DIR/action.d, read to say what is not done. Nothing in it is ever run. */
struct config_action_file {
	struct dialect *tree;     /* owned; NULL: a program, or no file at all */
	struct findings findings; /* owned; told to nobody: nothing of the file is used */
	struct position program;  /* of NAME.py; file NULL: it is none */
};

/* False: there is no file of this name. Call config_action_file_done in any case. */
bool config_action_file_open(const struct config_place *place, const char *name,
	struct config_action_file *ret_file);
void config_action_file_done(struct config_action_file *file);

/* Where the file says what is run at a ban. Returns the key's name ("actionban"; "program" for
 * NAME.py), NULL: nothing is run. */
const char *config_action_file_shell(const struct config_action_file *file,
	struct position *ret_at);
/* The same for shell text that somebody put over the shipped one, in a .local or NAME.d file. */
const char *config_action_file_change(const struct config_action_file *file,
	struct position *ret_at);
/* The file sets this option, or asks for it. */
bool config_action_file_knows(const struct config_action_file *file, const char *option);

#endif
