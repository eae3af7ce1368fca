#ifndef VG_USEDNS_H
#define VG_USEDNS_H

#include "config/config.h"

struct config_filter;
struct config_reader;

/* yes, no (and their like), warn, raw. -1: none of these. */
int config_usedns_parse(const char *word, enum usedns *ret_usedns);
/* What counts for a jail: USEDNS_NO unless its own section says otherwise, for a name in a log is
 * what the attacker writes. Values of [DEFAULT] and of the filter that would be honoured elsewhere
 * are warned of where the jail is on; so is the jail's own yes. has_parser: it has no meaning, and
 * only a wrong value is told. */
enum usedns config_usedns_read(struct config_reader *reader, const struct config_filter *filter,
	bool enabled, bool has_parser);

#endif
