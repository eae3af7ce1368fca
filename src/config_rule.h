#ifndef VG_CONFIG_RULE_H
#define VG_CONFIG_RULE_H

struct config_reader;
struct dialect_value;
struct filter_def;

/* Looks at each failregex as text, before any is compiled: does it name an address, did a web
 * page or a ; take a part of it away? What is wrong is a finding. */
void config_rule_check(struct config_reader *reader, const struct dialect_value *rules,
	const struct filter_def *def);

#endif
