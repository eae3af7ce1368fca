#include "config/rule_check.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/findings.h"
#include "base/text.h"
#include "config/config.h"
#include "config/shape.h"
#include "config/values.h"
#include "dialect/tree.h"

enum {
	SHOWN_MAX = 128,
	NAMES_MAX = 512, /* more keys than that are not guessed among */
};

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

/* The rule is one <tag> and nothing else: a key of that name was to stand for it. */
static bool is_lone_tag(const char *rule)
{
	size_t length = strspn(rule + (*rule == '<'), "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return *rule == '<' && length > 0 && strcmp(rule + 1 + length, ">") == 0;
}

static size_t collect_names(const struct dialect_section *section, const char **names, size_t count)
{
	for (size_t i = 0; section && i < section->n_keys && count < NAMES_MAX; i++)
		names[count++] = section->keys[i]->name;
	return count;
}

/* A mode that does not exist leaves <mdre-MODE> as it is. Without an address of its own it is no
 * rule; with the prefix's it is one that never hits. */
static void say_lone_tag(const struct rules *rules, const char *rule, bool is_rule,
	const struct position *at)
{
	const struct dialect *tree = rules->reader->tree;
	cleanup_free char *tag = alloc_bytes(rule + 1, strlen(rule) - 2);
	const char *names[NAMES_MAX];
	size_t count = collect_names(dialect_section(tree, "Definition"), names, 0);
	const char *guess;
	char shown[SHOWN_MAX];
	char hint[SHOWN_MAX + 32] = "";

	count = collect_names(dialect_section(tree, "Init"), names, count);
	guess = guess_word(tag, names, count);
	if (guess)
		(void)snprintf(hint, sizeof(hint), ": did you mean <%.100s>?", guess);
	text_render_string(shown, sizeof(shown), rule);
	if (is_rule)
		finding_warning(rules->reader->findings, at,
			"%s is set nowhere, so this rule never hits%s", shown, hint);
	else
		config_value_error(rules->reader, at, "%s is set nowhere, so this is no rule%s",
			shown, hint);
}

/* What a web page or a slip made of <HOST>; NULL: nothing known. */
static const char *host_slip(const char *rule)
{
	if (strcasestr(rule, "&lt;HOST"))
		return "a web page wrote &lt; and &gt; for < and >: write <HOST>";
	if (strcasestr(rule, "<HOST>"))
		return "<HOST> is written in capitals";
	if (strstr(rule, "<HOST"))
		return "the > of <HOST> is missing";
	return NULL;
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
	const char *slip = host_slip(rule);
	char shown[SHOWN_MAX];

	text_render_string(shown, sizeof(shown), rule);
	if (is_lone_tag(rule) && !names_address(rule) && !slip)
		say_lone_tag(rules, rule, has_address, &at);
	else if (!has_address && is_cut)
		config_value_error(rules->reader, &cut_at,
			"the ' ;' begins a comment and cuts the rule, which now has no address: "
			"write '\\;' for a semicolon");
	else if (!has_address && slip)
		config_value_error(rules->reader, &at, "the rule '%s' has no address: %s", shown,
			slip);
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
