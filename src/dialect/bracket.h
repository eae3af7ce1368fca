#ifndef VG_BRACKET_H
#define VG_BRACKET_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* "name[a=1, b="x,y"][c='z']": how a jail names its filter and its actions. Blanks and newlines
 * may stand between options. Offsets are into the text that was read. */
enum { BRACKET_OPTIONS_MAX = 64 };

struct bracket_option {
	char *name;
	char *value; /* without its quotes */
	size_t name_offset;
	size_t value_offset;
};

struct bracket {
	char *name;
	size_t offset;
	struct bracket_option *options;
	size_t n_options;
	bool has_tail; /* wrong: more text follows on the same line */
};

/* Reads the call at text[*offset] and moves *offset behind it; name NULL: only blanks were left.
 * The call ends at a newline, or at the end. -1 with a sentence and *ret_wrong, the offset of what
 * is wrong. The caller calls bracket_done in any case. */
int bracket_parse(const char *text, size_t *offset, struct bracket *ret_call, size_t *ret_wrong,
	struct error *err);
/* The same for a list of actions, in which a blank ends a call too. */
int bracket_next(const char *text, size_t *offset, struct bracket *ret_call, size_t *ret_wrong,
	struct error *err);
void bracket_done(struct bracket *call);
/* The last value given to an option, NULL: none. */
const struct bracket_option *bracket_find(const struct bracket *call, const char *name);

#endif
