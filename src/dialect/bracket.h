#ifndef VG_BRACKET_H
#define VG_BRACKET_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* Reads "name[a=1, b="x,y"][c='z']": how a jail names its filter and its actions, and gives them
 * options in brackets. Blanks and newlines may stand between options. All offsets are in bytes,
 * into the text that was read. */
enum { BRACKET_OPTIONS_MAX = 64 };

struct bracket_option {
	char *name;  /* owned */
	char *value; /* owned; without its quotes */
	size_t name_offset;
	size_t value_offset;
};

struct bracket {
	char *name; /* owned */
	size_t offset;
	struct bracket_option *options; /* owned */
	size_t n_options;
	bool has_tail; /* more text follows on the same line, which is an error */
};

/* Reads the name at text[*offset] with its options, up to the end of the line in which they end,
 * and moves *offset there. *ret_bracket has name NULL if only blanks were left. -1: err says what
 * is wrong, and *ret_wrong is its offset; *offset is then at the end of that line. The caller calls
 * bracket_done in any case. */
int bracket_parse(const char *text, size_t *offset, struct bracket *ret_bracket, size_t *ret_wrong,
	struct error *err);
/* The same for one entry of a list of actions, which a blank separates as a newline does. */
int bracket_next(const char *text, size_t *offset, struct bracket *ret_bracket, size_t *ret_wrong,
	struct error *err);
void bracket_done(struct bracket *bracket);
/* The option of that name; of several the last one counts. NULL: it is not given. */
const struct bracket_option *bracket_find(const struct bracket *bracket, const char *name);

#endif
