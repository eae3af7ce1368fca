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

/* Reads the keys of one section. A value that is wrong becomes a finding, sets broken and leaves
 * the caller's variable as it was; a key that is not set only leaves the variable. */
struct config_reader {
	const struct config_place *place;
	const struct dialect *tree;
	struct dialect_view view;
	struct findings *findings;
	bool broken;
};

/* The resolved value of a key; the caller frees it. False: not set, or wrong. */
bool values_get(struct config_reader *reader, const char *key, struct dialect_value *ret_value);
/* One word or number: a second line is a finding. text NULL: not set, wrong, or empty. */
struct config_text values_scalar(struct config_reader *reader, const char *key);
/* The place of one byte of that text. */
struct position values_at(const struct config_reader *reader, const char *key, size_t offset);

/* At most `most` mail addresses with commas between. A wrong one does not set broken: a jail that
 * cannot write home still guards. */
void values_addresses(struct config_reader *reader, const char *key, size_t most, char **io_text);
/* One of two words; *io_value: it is the second. */
void values_choice(struct config_reader *reader, const char *key, const char *first,
	const char *second, bool *io_value);

/* Checks text as values_addresses() does. -1: *ret_wrong is where, err says what. "@<fq-hostname>"
 * is taken out of text: a bare name means the same. */
int values_check_mail(char *text, size_t most, size_t *ret_wrong, struct error *err);
/* Decimal digits and nothing else. False: text is no number, or far too large. */
bool values_parse_number(const char *text, unsigned long *ret_number);
/* 1 on true yes, 0 off false no, any case; -1: neither. */
int values_truth(const char *text);
/* Calls each() for every non-empty line, without the blanks around it. */
void values_lines(const struct dialect_value *value,
	void (*each)(void *context, const struct dialect_value *value, size_t from, size_t to),
	void *context);
/* The same for every word, as a copy; stops where each() returns false. blanks: what stands between
 * words. */
void values_words(const struct dialect_value *value, const char *blanks,
	bool (*each)(void *context, const char *word, const struct position *at), void *context);
/* Value has only blanks in it. */
bool values_is_empty(const struct dialect_value *value);
/* What to say behind a word that is none of the names: ": did you mean 'x'?", or if no name is like
 * it what is given as otherwise. */
struct shown values_guess(const char *word, const char *const *names, size_t count,
	const char *otherwise);
/* What to say behind a bare "wrong" of a value that holds a #; else "". */
const char *values_comment_hint(const char *text);
/* finding_error() that also sets broken. */
void values_error(struct config_reader *reader, const struct position *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
