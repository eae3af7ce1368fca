#ifndef VG_UNKNOWN_KEYS_H
#define VG_UNKNOWN_KEYS_H

struct config_reader;
struct dialect_section;

/* Says which keys of a section nobody reads, with a guess at what was meant. Those of the jail's
 * filter are options of the jail (filter NULL: none known). */
void config_key_check_jail(struct config_reader *reader, const struct dialect_section *section,
	const struct config_reader *filter);
void config_key_check_filter(struct config_reader *reader);
/* names: all keys that the section may have. */
void config_key_check(struct config_reader *reader, const struct dialect_section *section,
	const char *const *names, unsigned count);
/* Of a jail that is on: keys that would need commands to be run. ignorecommand breaks it. */
void config_key_check_enabled(struct config_reader *reader);

#endif
