#ifndef VG_JAIL_H
#define VG_JAIL_H

#include "config/filter_def.h"

struct config_jail;

/* Resolves one section of the jail tree. Everything wrong is a finding and makes it broken. */
void config_jail_read(const struct config_place *place, const struct dialect *tree,
	const struct dialect_section *section, struct config_jail *ret_jail);
void config_jail_done(struct config_jail *jail);

#endif
