#include "config_rule.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config.h"
#include "config_shape.h"
#include "config_value.h"
#include "text.h"

enum { SHOWN_MAX = 128 };

struct rules {
	struct config_reader *reader;
	bool address_elsewhere; /* prefregex or the structured reader finds it */
	bool is_used;           /* then a rule that can be fooled is worth a word */
	bool starts;            /* what it looks at begins where the daemon begins */
};

static bool names_address(const char *rule)
{
	static const char *const tags[] = { "<HOST>", "<ADDR>", "<SUBNET>", "<IP4>", "<IP6>",
		"<DNS>", "<F-ADDR/>", "<F-SUBNET/>", "<F-IP4", "<F-IP6", "<F-DNS", "<F-ID",
		"<F-MLFID", "(?P<fid>", "(?P<ip4>", "(?P<ip6>", "(?P<dns>", "(?P<host>",
		"(?P<mlfid>" };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (strstr(rule, tags[i]))
			return true;
	return false;
}

/* Where a tag would stand between delimiters, they now touch. */
static bool lost_tag(const char *rule)
{
	static const char *const gaps[] = { "/.+?//", "?//", "+//", "*//", "''", "\"\"",
		"':", "\\[\\]", "\\(\\)", " $", "from  " };

	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++)
		if (strstr(rule, gaps[i]))
			return true;
	return false;
}

/* Brackets that stay open, or a quotation mark without its other half. */
static bool is_unbalanced(const char *rule)
{
	bool in_class = false;
	int depth = 0;
	int quotes = 0;

	for (const char *c = rule; *c; c++) {
		if (*c == '\\' && c[1]) {
			c++;
			continue;
		}
		quotes += *c == '"';
		if (in_class)
			in_class = *c != ']';
		else if (*c == '[')
			in_class = true;
		else
			depth += (*c == '(') - (*c == ')');
	}
	return depth != 0 || in_class || quotes % 2 != 0;
}

static void check_shape(const struct rules *rules, const char *rule, bool starts,
	const struct position *at)
{
	switch (config_shape_of(rule, starts)) {
	case CONFIG_SHAPE_FIXED:
		break;
	case CONFIG_SHAPE_ANYWHERE:
		finding_warning(rules->reader->findings, at,
			"this rule can be fooled: it matches anywhere in a line, also inside what a "
			"client calls itself, and so a client can have any address banned; begin it "
			"with ^ and the text in front, or end it with $ behind the address");
		break;
	case CONFIG_SHAPE_RUNS_OVER:
		finding_warning(rules->reader->findings, at,
			"this rule can be fooled: what stands before the address matches any text, "
			"also a second address that a client writes into its name, and so a client "
			"can have any address banned; go on to the end of the line and end it with "
			"$, without .* behind the address");
		break;
	}
}

static void check_rule(void *context, const struct dialect_value *value, size_t from, size_t to)
{
	const struct rules *rules = context;
	cleanup_free char *rule = alloc_bytes(value->text + from, to - from);
	bool has_address = rules->address_elsewhere || names_address(rule);
	struct position at = dialect_at(value, from);
	struct position cut_at;
	bool is_cut = dialect_cut(value, from, to, &cut_at);
	char shown[SHOWN_MAX];

	text_render_string(shown, sizeof(shown), rule);
	if (!has_address && is_cut)
		config_value_error(rules->reader, &cut_at,
			"the ' ;' begins a comment and cuts the rule, which now has no address: "
			"write '\\;' for a semicolon");
	else if (!has_address && lost_tag(rule))
		config_value_error(rules->reader, &at,
			"the rule '%s' has no address: <HOST> seems to be lost, as when a rule is "
			"copied from a web page",
			shown);
	else if (!has_address)
		config_value_error(rules->reader, &at,
			"the rule '%s' has no address: put <HOST> where it stands in the line",
			shown);
	else if (is_cut && is_unbalanced(rule))
		finding_warning(rules->reader->findings, &cut_at,
			"the ' ;' begins a comment and cuts the rule in the middle: "
			"write '\\;' for a semicolon");
	else if (rules->is_used && names_address(rule))
		check_shape(rules, rule, rules->starts, &at);
}

void config_rule_check(struct config_reader *reader, const struct dialect_value *value,
	const struct filter_def *def, bool is_used)
{
	const char *prefix = def->prefregex.text;
	struct rules rules = {
		.reader = reader,
		.address_elsewhere = def->parser.text || (prefix && names_address(prefix)),
		.is_used = is_used && !def->parser.text, /* the reader knows the fields */
		.starts = !prefix || !strstr(prefix, "<F-CONTENT>") || config_shape_starts(prefix),
	};

	if (rules.is_used && prefix && names_address(prefix))
		check_shape(&rules, prefix, true, &def->prefregex.at);

	config_value_lines(value, check_rule, &rules);
}
