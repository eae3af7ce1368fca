#include "match/rule.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/findings.h"
#include "base/regex.h"
#include "base/text.h"
#include "config/config.h"
#include "date/date.h"
#include "dialect/tags.h"

enum { LEAD_MAX = 2 }; /* bytes that may stand before the date of a journal entry */

/* The name that a group fills in: "alt_user" and "alt_user_1" fill in "user", but "alt_user1" fills
 * in "user1", as in fail2ban. The caller frees it. */
static char *name_of(const char *group, enum rule_group_kind *ret_kind)
{
	const char *name = group;
	size_t length;

	*ret_kind = !strncmp(group, "alt_", 4)     ? GROUP_ALTERNATIVE
		    : !strncmp(group, "tuple_", 6) ? GROUP_TUPLE
						   : GROUP_PLAIN;
	if (*ret_kind == GROUP_PLAIN)
		return alloc_string(strcmp(group, "fport") == 0 ? "port" : group);
	name += *ret_kind == GROUP_TUPLE ? 6 : 4;
	length = strlen(name);
	while (length && strchr("0123456789", name[length - 1]))
		length--;
	length = length && name[length] && name[length - 1] == '_' ? length - 1 : strlen(name);
	if (length == 2 && !strncmp(name, "id", 2))
		return alloc_string("fid");
	return alloc_bytes(name, length);
}

static int group_add(struct rule *rule, const char *group, unsigned number,
	struct groups_names *names, struct error *err)
{
	struct rule_group added = { .number = number };
	cleanup_free char *name = NULL;

	if (*group == '_') /* a group for use within the rule */
		return 0;
	if (rule->n_groups == RULE_GROUPS_MAX)
		return error_set(err, "more than %d named groups", RULE_GROUPS_MAX);
	name = name_of(group, &added.kind);
	if (groups_names_add(names, name, &added.name, err))
		return -1;
	rule->groups = alloc_grow(rule->groups, rule->n_groups + 1, sizeof(*rule->groups));
	rule->groups[rule->n_groups++] = added;
	return 0;
}

/* "skiplines0", "skiplines1", ... up to the first that is not there. */
static void skipped_read(struct rule *rule)
{
	for (;;) {
		char name[24];
		unsigned group;

		(void)text_format(name, sizeof(name), "skiplines%zu", rule->n_skipped);
		group = regex_group_number(rule->regex, name);
		if (!group)
			return;
		rule->skipped =
			alloc_grow(rule->skipped, rule->n_skipped + 1, sizeof(*rule->skipped));
		rule->skipped[rule->n_skipped++] = group;
	}
}

static int groups_add_all(struct rule *rule, struct groups_names *names, struct error *err)
{
	skipped_read(rule);
	for (unsigned i = 0; i < regex_name_count(rule->regex); i++) {
		unsigned group;
		const char *name = regex_name(rule->regex, i, &group);

		if (strncmp(name, "skiplines", 9) && group_add(rule, name, group, names, err))
			return -1;
	}
	return 0;
}

/* The place in the files of the byte at `offset` of a rule's text. */
static struct position position_of(const struct config_text *source, size_t offset)
{
	struct position at = source->at;

	if (at.line)
		at.column += (unsigned)offset;
	return at;
}

/* Compiles the pattern that the rule's tags were expanded to. -1: *ret_offset is where in the rule
 * it is wrong. */
static int pattern_compile(struct rule *rule, const struct tags *tags,
	const struct rule_options *options, size_t *ret_offset, struct error *err)
{
	static const char multiline[] = "(?m)";
	size_t before = options->multiline ? strlen(multiline) : 0;
	cleanup_free char *pattern = alloc_format("%.*s%s", (int)before, multiline, tags->pattern);
	size_t offset = 0;

	*ret_offset = 0;
	if (regex_new(pattern, false, &rule->regex, &offset, err)) {
		*ret_offset = tags->origins[offset > before ? offset - before : 0];
		return -1;
	}
	if (groups_add_all(rule, options->names, err))
		return -1;
	literals_add(options->literals, tags->pattern, options->cut, &rule->literals);
	return 0;
}

static void warnings_add(const struct tags *tags, const struct config_text *source,
	const char *kind, const struct rule_options *options, struct findings *findings)
{
	struct position at = position_of(source, tags->warning_offset);

	if (tags->warning)
		finding_warning(findings, &at, "%s: %s", kind, tags->warning);
	at = position_of(source, tags->skiplines_offset);
	if (tags->has_skiplines && options->maxlines < 2)
		finding_warning(findings, &at,
			"%s: <SKIPLINES> finds no further line: set maxlines to 2 or more", kind);
}

static void rule_done(struct rule *rule)
{
	regex_free(rule->regex);
	free(rule->groups);
	free(rule->skipped);
	*rule = (struct rule){ 0 };
}

/* Compiles one rule. -1: a finding was added, and *ret_rule is empty. */
static int rule_init(struct rule *ret_rule, const struct config_text *source, const char *kind,
	const struct rule_options *options, struct findings *findings)
{
	struct tags tags;
	struct error err;
	struct position at;
	size_t offset = 0;
	int rc;

	*ret_rule = (struct rule){ .source = source };
	if (tags_expand(source->text, options->usedns, &tags, &offset, &err)) {
		at = position_of(source, offset);
		return finding_error(findings, &at, "%s: %s", kind, err.text);
	}
	rc = pattern_compile(ret_rule, &tags, options, &offset, &err);
	if (rc) {
		at = position_of(source, offset);
		(void)finding_error(findings, &at, "%s: %s", kind, err.text);
		rule_done(ret_rule);
	} else {
		warnings_add(&tags, source, kind, options, findings);
	}
	tags_done(&tags);
	return rc;
}

void rules_init(struct rules *ret_rules, const char *kind, const struct config_text *texts,
	size_t count, const struct rule_options *options, struct findings *findings)
{
	*ret_rules =
		(struct rules){ .kind = kind, .list = alloc_array(count, sizeof(struct rule)) };
	if (count > RULE_LIST_MAX) {
		(void)finding_error(findings, &texts[RULE_LIST_MAX].at, "%s: more than %d rules",
			kind, RULE_LIST_MAX);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (!rule_init(&ret_rules->list[ret_rules->count], &texts[i], kind, options,
			    findings))
			ret_rules->count++;
}

void rules_done(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		rule_done(&rules->list[i]);
	free(rules->list);
	*rules = (struct rules){ 0 };
}

bool rule_has(const struct rule *rule, enum group group)
{
	for (size_t i = 0; i < rule->n_groups; i++)
		if (rule->groups[i].kind == GROUP_PLAIN && rule->groups[i].name == group)
			return true;
	return false;
}

bool rule_has_id(const struct rule *rule)
{
	return rule_has(rule, GROUP_FID) || rule_has(rule, GROUP_IP4) ||
	       rule_has(rule, GROUP_IP6) || rule_has(rule, GROUP_DNS) ||
	       rule_has(rule, GROUP_MLFID);
}

struct date *rule_date_new(const struct filter_def *def, struct findings *findings)
{
	struct date *date = NULL;
	const char **patterns = alloc_array(def->n_datepattern + 1, sizeof(*patterns));
	struct position at = { .file = def->path };
	struct date_fault fault = { 0 };
	struct error err;
	int rc;

	for (size_t i = 0; i < def->n_datepattern; i++)
		patterns[i] = def->datepattern[i].text;
	rc = date_new(patterns, def->n_datepattern, def->logtimezone.text, &date, &fault, &err);
	if (rc && fault.pattern < def->n_datepattern) {
		at = def->datepattern[fault.pattern].at;
		at.column += at.line ? (unsigned)fault.offset : 0;
		for (size_t i = 0; at.line && i < fault.offset; i++)
			at.column += patterns[fault.pattern][i] == '%'; /* in files it is doubled */
	} else if (rc && def->logtimezone.text) {
		at = def->logtimezone.at;
	}
	if (rc)
		(void)finding_error(findings, &at, "%s", err.text);
	free(patterns);
	return date;
}

bool rule_date_leads(const struct date_found *found, const char *line)
{
	for (size_t i = 0; i < found->cut_start; i++)
		if (i == LEAD_MAX || strchr("0123456789", line[i]) ||
			((line[i] | 0x20) >= 'a' && (line[i] | 0x20) <= 'z'))
			return false;
	return true;
}
