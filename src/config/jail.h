#ifndef VG_JAIL_H
#define VG_JAIL_H

struct config_jail;
struct config_place;
struct dialect;
struct dialect_section;
struct key_table;

/* The keys of a jail, besides those of its filter (config/filter_keys.h). Their base is struct
 * config_jail. */
extern const struct key_table jail_keys;

/* Reads one section of the tree of jails. Everything wrong becomes a finding; an error sets
 * ret_jail->broken. The caller calls jail_done in any case. */
void jail_read(const struct config_place *place, const struct dialect *tree,
	const struct dialect_section *section, struct config_jail *ret_jail);
void jail_done(struct config_jail *jail);

#endif
