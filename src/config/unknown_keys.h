#ifndef VG_UNKNOWN_KEYS_H
#define VG_UNKNOWN_KEYS_H

struct config_filter;
struct config_reader;
struct key_table;

/* Add a finding for each key of reader's section (NULL: none) that nothing reads, with a guess at
 * what was meant. */

/* For a section that may have no other keys than those of the table. */
void unknown_keys_check(struct config_reader *reader, const struct key_table *table);
/* For a jail: its section may also have variables, keys of a filter, and options of the jail's own
 * filter (NULL: none is known). */
void unknown_keys_check_jail(struct config_reader *reader, const struct key_table *table,
	const struct config_filter *filter);
/* For a filter, which may have variables of any name: only a key that looks mistyped or misplaced
 * becomes a finding. */
void unknown_keys_check_filter(struct config_reader *reader);

#endif
