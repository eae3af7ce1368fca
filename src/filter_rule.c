#include "filter_rule.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config.h"
#include "error.h"
#include "filter_tags.h"
#include "finding.h"
#include "regex.h"

static const char *const role_names[ROLES] = {
	[ROLE_FID] = "fid",
	[ROLE_IP4] = "ip4",
	[ROLE_IP6] = "ip6",
	[ROLE_DNS] = "dns",
	[ROLE_CIDR] = "cidr",
	[ROLE_CONTENT] = "content",
};

/* "alt_user" and "alt_user_1" (or "alt_user1") stand in for "user". The caller frees. */
static char *field_name(const char *group, bool *ret_is_alternative)
{
	const char *name = group;
	size_t length;

	*ret_is_alternative = !strncmp(group, "alt_", 4) && group[4];
	if (!strcmp(group, "fport"))
		return alloc_string("port");
	if (!*ret_is_alternative)
		return alloc_string(group);
	name += 4;
	length = strlen(name);
	while (length > 1 && strchr("0123456789", name[length - 1]))
		length--;
	while (length > 1 && name[length - 1] == '_')
		length--;
	return alloc_bytes(name, length);
}

static void field_add(struct filter_rule *rule, const char *group, unsigned number)
{
	struct filter_rule_field field = { .group = number };
	size_t at;

	for (size_t role = 0; role < ROLES; role++)
		if (!strcmp(group, role_names[role]))
			return;
	if (*group == '_') /* for the rule's own use */
		return;
	field.name = field_name(group, &field.is_alternative);
	rule->fields = alloc_grow(rule->fields, rule->n_fields + 1, sizeof(*rule->fields));
	at = rule->n_fields++;
	while (!field.is_alternative && at && rule->fields[at - 1].is_alternative) {
		rule->fields[at] = rule->fields[at - 1];
		at--;
	}
	rule->fields[at] = field;
}

static void groups_read(struct filter_rule *rule)
{
	for (size_t role = 0; role < ROLES; role++)
		rule->roles[role] = regex_group_number(rule->regex, role_names[role]);
	for (unsigned i = 0; i < regex_name_count(rule->regex); i++) {
		unsigned group;
		const char *name = regex_name(rule->regex, i, &group);

		field_add(rule, name, group);
	}
}

static int finding_at(struct findings *findings, const struct config_text *source, size_t offset,
	const char *kind, const struct error *err)
{
	struct position at = source->at;

	if (at.line)
		at.column += (unsigned)offset;
	return finding_error(findings, &at, "%s: %s", kind, err->text);
}

int filter_rule_init(struct filter_rule *ret_rule, const struct config_text *source,
	const char *kind, bool usedns, const struct prefilter_cut *cut, struct findings *findings)
{
	struct filter_tags tags;
	struct error err;
	size_t offset = 0;
	int rc;

	*ret_rule = (struct filter_rule){ .source = source };
	if (filter_tags_expand(source->text, usedns, &tags, &offset, &err))
		return finding_at(findings, source, offset, kind, &err);
	rc = regex_new(tags.pattern, false, &ret_rule->regex, &offset, &err);
	if (rc) {
		(void)finding_at(findings, source, tags.origins[offset], kind, &err);
	} else {
		groups_read(ret_rule);
		ret_rule->n_literals = prefilter_literals(tags.pattern, cut, ret_rule->literals);
	}
	filter_tags_done(&tags);
	return rc;
}

void filter_rule_done(struct filter_rule *rule)
{
	regex_free(rule->regex);
	for (size_t i = 0; i < rule->n_fields; i++)
		free(rule->fields[i].name);
	free(rule->fields);
	for (size_t i = 0; i < rule->n_literals; i++)
		prefilter_literal_done(&rule->literals[i]);
	*rule = (struct filter_rule){ 0 };
}

bool filter_rule_has_id(const struct filter_rule *rule)
{
	return rule->roles[ROLE_FID] || rule->roles[ROLE_IP4] || rule->roles[ROLE_IP6] ||
	       rule->roles[ROLE_DNS];
}
