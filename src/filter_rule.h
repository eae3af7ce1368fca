#ifndef VG_FILTER_RULE_H
#define VG_FILTER_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "prefilter.h"

struct config_text;
struct findings;
struct regex;

/* Groups with a meaning of their own; 0: the rule lacks it. */
enum filter_role { ROLE_FID, ROLE_IP4, ROLE_IP6, ROLE_DNS, ROLE_CIDR, ROLE_CONTENT, ROLES };

struct filter_rule_field {
	char *name; /* owned */
	unsigned group;
	bool is_alternative; /* F-ALT_NAME: only if NAME found nothing */
};

/* One failregex, ignoreregex or prefregex, compiled. Of fields the alternatives come last. */
struct filter_rule {
	const struct config_text *source; /* borrowed */
	struct regex *regex;              /* owned */
	unsigned roles[ROLES];
	struct filter_rule_field *fields; /* owned */
	size_t n_fields;
	struct literal literals[LITERALS_MAX]; /* owned; all of them must be in the line */
	size_t n_literals;
};

/* kind: the key, for messages. -1: a finding was added, *ret_rule is empty. */
int filter_rule_init(struct filter_rule *ret_rule, const struct config_text *source,
	const char *kind, bool usedns, const struct prefilter_cut *cut, struct findings *findings);
void filter_rule_done(struct filter_rule *rule);

bool filter_rule_has_id(const struct filter_rule *rule);

#endif
