#ifndef VG_FILTER_KEYS_H
#define VG_FILTER_KEYS_H

#include "config/config.h"

struct config_filter;
struct config_reader;
struct key_table;

/* The keys of a filter, each of which a jail may have, too. Their base is struct filter_def.
 * filter_def_read() reads them, because the jail's values go before the filter's. */
extern const struct key_table filter_keys;

/* True if the filter's files, or files that they include, set the key. */
bool filter_keys_set(const struct config_filter *filter, const char *name);

/* Checks the parser of a def that has been read: an unknown one is an error. With a parser some
 * keys have no meaning; they become warnings where the jail (NULL: none), the filter's call in
 * brackets or the filter's own files set them. Not so in [DEFAULT], which is for other jails as
 * well, and in included files, which are for other filters as well. */
void filter_keys_check_parser(struct config_filter *filter, const struct config_reader *jail,
	const struct filter_def *def);

/* Reads def->proof from the word of a def that has been read: an unknown one is an error. */
void filter_keys_check_proof(struct config_filter *filter, struct filter_def *def);

/* Reads yes, no (and their like), warn or raw. Any other word becomes a finding, and *io_usedns
 * stays as it was. */
void filter_keys_parse_usedns(struct config_reader *reader, const struct config_text *word,
	enum usedns *io_usedns);
/* Decides usedns for a jail: USEDNS_NO unless the jail's own section says otherwise, because a name
 * in a log may be chosen by an attacker. In a jail that is on, values of [DEFAULT] and of the
 * filter (NULL: none) that fail2ban would follow become warnings, and so does the jail's own yes.
 * With has_parser usedns has no meaning, and only a wrong value becomes a finding. */
enum usedns filter_keys_read_usedns(struct config_reader *reader,
	const struct config_filter *filter, bool enabled, bool has_parser);
const char *filter_keys_usedns_word(enum usedns usedns);

#endif
