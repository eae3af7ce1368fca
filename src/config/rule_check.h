#ifndef VG_RULE_CHECK_H
#define VG_RULE_CHECK_H

#include <stdbool.h>

struct config_reader;
struct dialect_value;
struct filter_def;

/* Looks at each failregex as text, before any is compiled: does it name an address, did a web
 * page or a ; take a part of it away? What is wrong is a finding. is_used: the filter of a jail
 * that is on, or one that is tried by hand; only then is a rule that can be fooled a warning: one
 * with which a client, by what it calls itself, has any address banned (the two shapes of such
 * rules stand in rule_check.c). */
void rule_check(struct config_reader *reader, const struct dialect_value *rules,
	const struct filter_def *def, bool is_used);

#endif
