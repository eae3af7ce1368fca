#ifndef VG_VALUES_H
#define VG_VALUES_H

#include "base/text.h"
#include "dialect/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_place;
struct config_text;
struct error;

/* Reads the keys of one section. A wrong value becomes a finding, sets broken, and leaves the
 * caller's variable as it was; so does a key that is not set, without finding. */
struct config_reader {
	const struct config_place *place;
	const struct dialect *tree;
	struct dialect_view view;
	struct findings *findings;
	bool broken;
};

/* Gets the value of a key with its variables replaced; the caller frees it by dialect_value_done.
 * False: it is not set, or wrong. */
bool values_get(struct config_reader *reader, const char *key, struct dialect_value *ret_value);
/* Gets a value that is one word or number; a second line becomes a finding. The caller frees text;
 * NULL: not set, wrong, or empty. */
struct config_text values_scalar(struct config_reader *reader, const char *key);
/* The place in the files of the byte at offset of that text. */
struct position values_at(const struct config_reader *reader, const char *key, size_t offset);

/* Reads at most `most` mail addresses with commas between. A wrong one does not set broken: a jail
 * that cannot send mail still protects. */
void values_addresses(struct config_reader *reader, const char *key, size_t most, char **io_text);

/* Checks text as values_addresses() does. "@<fq-hostname>" is taken out of text first, since a bare
 * name means the same. -1: *ret_wrong is the offset of the error, and err says what it is. */
int values_check_mail(char *text, size_t most, size_t *ret_wrong, struct error *err);
/* Reads decimal digits and nothing else. False: text is no number, or far too large. */
bool values_parse_number(const char *text, unsigned long *ret_number);
/* Reads 1, on, true, yes as 1 and 0, off, false, no as 0, in any case of letters; -1: it is
 * neither. */
int values_truth(const char *text);
/* True if the value has nothing but blanks in it. */
bool values_is_empty(const struct dialect_value *value);
/* The end of a message about a word that is none of the names: ": did you mean 'x'?", or
 * `otherwise` if no name is like it. */
struct shown values_guess(const char *word, const char *const *names, size_t count,
	const char *otherwise);
/* The end of a message about a wrong value: a hint if it holds a #, which begins no comment there;
 * else "". */
const char *values_comment_hint(const char *text);
/* As finding_error(), and sets broken. */
void values_error(struct config_reader *reader, const struct position *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
