#ifndef VG_VALUES_H
#define VG_VALUES_H

#include "dialect/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_text;
struct error;

/* Reads the keys of one section. A value that is wrong becomes a finding, sets broken and leaves
 * the caller's variable as it was; so does a key that is not set, without the rest. */
struct config_reader {
	const struct dialect *tree;
	struct dialect_view view;
	struct findings *findings;
	bool broken;
};

/* The resolved value of a key; the caller frees it. False: not set, or wrong. */
bool config_value_get(struct config_reader *reader, const char *key,
	struct dialect_value *ret_value);
/* One word or number: a second line is a finding. text NULL: not set, wrong, or empty. */
struct config_text config_value_scalar(struct config_reader *reader, const char *key);
/* The place of one byte of that text. */
struct position config_value_at(const struct config_reader *reader, const char *key, size_t offset);
/* The same for callers that do not need the place. */
void config_value_string(struct config_reader *reader, const char *key, char **io_text);
void config_value_bool(struct config_reader *reader, const char *key, bool *io_value);
void config_value_number(struct config_reader *reader, const char *key, uint32_t least,
	uint32_t most, uint32_t *io_value);
/* At most `most` mail addresses with commas between. A wrong one does not set broken: a jail that
 * cannot write home still guards. */
void config_value_addresses(struct config_reader *reader, const char *key, size_t most,
	char **io_text);
/* may_be_negative: then any such value is -1 (for ever). */
void config_value_duration(struct config_reader *reader, const char *key, bool may_be_negative,
	int64_t *io_s);
/* The check alone: -1 with a sentence and the offset of what is wrong. "@<fq-hostname>" is taken
 * out of text: a bare name means the same. */
int config_value_check_mail(char *text, size_t most, size_t *ret_wrong, struct error *err);
/* 1 on true yes, 0 off false no, any case; -1: neither. */
int config_value_truth(const char *text);
/* Calls each() for every non-empty line, without blanks around it. */
void config_value_lines(const struct dialect_value *value,
	void (*each)(void *context, const struct dialect_value *value, size_t from, size_t to),
	void *context);
/* What to say behind a bare "wrong" of a value that holds a #; else "". */
const char *config_value_comment_hint(const char *text);
/* finding_error with broken set. */
void config_value_error(struct config_reader *reader, const struct position *at, const char *format,
	...) __attribute__((format(printf, 3, 4)));

#endif
