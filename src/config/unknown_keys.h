#ifndef VG_UNKNOWN_KEYS_H
#define VG_UNKNOWN_KEYS_H

struct config_filter;
struct config_reader;
struct key_table;

/* Say which keys of reader's section (NULL: none) nobody reads, with a guess at what was meant. */

/* All keys that the section may have are in the table. */
void unknown_keys_check(struct config_reader *reader, const struct key_table *table);
/* The section may also have variables, keys of a filter, and options of the jail's own filter
 * (NULL: none known). */
void unknown_keys_check_jail(struct config_reader *reader, const struct key_table *table,
	const struct config_filter *filter);
/* A filter may have variables of any name: only what looks mistyped or lost is told. */
void unknown_keys_check_filter(struct config_reader *reader);

#endif
