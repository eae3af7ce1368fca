#ifndef VG_RULE_CHECK_H
#define VG_RULE_CHECK_H

#include <stdbool.h>

struct config_reader;
struct dialect_value;
struct filter_def;

/* Checks the text of each failregex before any is compiled: whether it names an address, and
 * whether a web page or a ; has taken a part of it away. What is wrong becomes a finding. is_used
 * says that the filter is that of a jail that is on, or is tried by hand. Only then a rule becomes
 * a warning by which a client can have any address banned, through the name that it gives itself
 * (rule_check.c describes the two shapes of such rules). */
void rule_check(struct config_reader *reader, const struct dialect_value *rules,
	const struct filter_def *def, bool is_used);

#endif
