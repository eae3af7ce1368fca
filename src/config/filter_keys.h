#ifndef VG_FILTER_KEYS_H
#define VG_FILTER_KEYS_H

#include "config/config.h"

struct config_filter;
struct config_reader;
struct dialect_option;
struct key_table;

/* The keys of a filter, each of which a jail may have too. Their base is struct filter_def; it is
 * filter_def_read() that reads them, as the jail's values go before the filter's. */
extern const struct key_table filter_keys;

/* The option that counts of those of that name (struct config_filter); NULL: none. */
const struct dialect_option *filter_keys_option(const struct config_filter *filter,
	const char *name);

/* The filter's files set the key, included ones too. */
bool filter_keys_set(const struct config_filter *filter, const char *name);

/* Of a def that has been read: an error if its parser is none. With one, keys that have no meaning
 * are warned of where the jail (NULL: none), the call of the filter or the filter's own files set
 * them; what [DEFAULT] says is for other jails, what an include says for other filters. */
void filter_keys_check_parser(struct config_filter *filter, const struct config_reader *jail,
	const struct filter_def *def);

/* yes, no (and their like), warn, raw. None of these is told, and leaves *io_usedns. */
void filter_keys_parse_usedns(struct config_reader *reader, const struct config_text *word,
	enum usedns *io_usedns);
/* What counts for a jail: USEDNS_NO unless its own section says otherwise, for a name in a log is
 * what the attacker writes. Values of [DEFAULT] and of the filter (NULL: none) that fail2ban would
 * honour are warned of where the jail is on; so is the jail's own yes. has_parser: usedns has no
 * meaning, and only a wrong value is told. */
enum usedns filter_keys_read_usedns(struct config_reader *reader,
	const struct config_filter *filter, bool enabled, bool has_parser);
const char *filter_keys_usedns_word(enum usedns usedns);

#endif
