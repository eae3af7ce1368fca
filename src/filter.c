/* How a line is tried: first the literals that its rules need (memory search, most lines end
 * here), then the date, which is cut out as fail2ban does, then prefregex, failregex in
 * order, ignoreregex. Rules whose literals are missing are not run. */
#include "filter.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config.h"
#include "date.h"
#include "error.h"
#include "filter_rule.h"
#include "finding.h"
#include "regex.h"

enum { RULES_MAX = 1000 }; /* of one kind in one filter; more: an error */

/* A search string that several rules may share, with its answer for the current line. */
struct needle {
	const struct literal *literal; /* borrowed from a rule */
	size_t users;                  /* rules that need it */
	uint64_t line_number;          /* the line that `found` is of */
	bool found;
};

struct rule {
	struct filter_rule rule;
	/* Indexes; those of most rules come first: one search then turns down a line for all. */
	size_t needles[LITERALS_MAX];
};

struct filter {
	struct rule *fails;
	size_t n_fails;
	struct rule *ignores;
	size_t n_ignores;
	bool ignores_first; /* few ignoreregexes run before the failregexes */
	struct rule prefix;
	bool has_prefix;
	struct date *date;
	struct needle *needles;
	size_t n_needles;
	const struct literal *common; /* borrowed; lines without it are a miss; NULL: none known */
	uint64_t line_number;
	char *cut; /* the line without its date and with a newline */
	size_t cut_room;
	uint64_t limit_hits;
};

static size_t needle_add(struct filter *filter, const struct literal *literal)
{
	for (size_t i = 0; i < filter->n_needles; i++)
		if (!strcmp(filter->needles[i].literal->bytes, literal->bytes))
			return i;
	filter->needles =
		alloc_grow(filter->needles, filter->n_needles + 1, sizeof(*filter->needles));
	filter->needles[filter->n_needles] = (struct needle){ .literal = literal };
	return filter->n_needles++;
}

static void rule_needles(struct filter *filter, struct rule *rule)
{
	for (size_t i = 0; i < rule->rule.n_literals; i++) {
		rule->needles[i] = needle_add(filter, &rule->rule.literals[i]);
		filter->needles[rule->needles[i]].users++;
	}
}

static void rule_needles_order(const struct filter *filter, struct rule *rule)
{
	for (size_t i = 1; i < rule->rule.n_literals; i++) {
		size_t index = rule->needles[i];
		size_t users = filter->needles[index].users;
		size_t at = i;

		for (; at && filter->needles[rule->needles[at - 1]].users < users; at--)
			rule->needles[at] = rule->needles[at - 1];
		rule->needles[at] = index;
	}
}

static void needles_collect(struct filter *filter)
{
	for (size_t i = 0; i < filter->n_fails; i++)
		rule_needles(filter, &filter->fails[i]);
	for (size_t i = 0; i < filter->n_ignores; i++)
		rule_needles(filter, &filter->ignores[i]);
	rule_needles(filter, &filter->prefix);
	for (size_t i = 0; i < filter->n_fails; i++)
		rule_needles_order(filter, &filter->fails[i]);
	for (size_t i = 0; i < filter->n_ignores; i++)
		rule_needles_order(filter, &filter->ignores[i]);
	rule_needles_order(filter, &filter->prefix);
}

/* The rule has the literal, or one that holds it. */
static bool rule_needs(const struct rule *rule, const struct literal *literal)
{
	for (size_t i = 0; i < rule->rule.n_literals; i++)
		if (strstr(rule->rule.literals[i].bytes, literal->bytes))
			return true;
	return false;
}

static bool all_need(const struct rule *rules, size_t count, const struct literal *literal)
{
	for (size_t i = 0; i < count; i++)
		if (!rule_needs(&rules[i], literal))
			return false;
	return true;
}

/* The longest literal without which filter_match() stops before it reads the date: prefregex needs
 * it or all failregexes do, and so do all ignoreregexes that run first. One with a newline would
 * span lines. */
static void common_choose(struct filter *filter)
{
	for (size_t i = 0; i < filter->n_needles; i++) {
		const struct literal *literal = filter->needles[i].literal;
		bool needed = rule_needs(&filter->prefix, literal) ||
			      all_need(filter->fails, filter->n_fails, literal);

		if (filter->ignores_first)
			needed = needed && all_need(filter->ignores, filter->n_ignores, literal);
		if (needed && !strchr(literal->bytes, '\n') &&
			(!filter->common || literal->length > filter->common->length))
			filter->common = literal;
	}
}

/* Compiles a list; what does not compile is a finding and is left out. */
static struct rule *rules_new(const struct config_text *texts, size_t count, const char *kind,
	const struct filter_def *def, const struct prefilter_cut *cut, size_t *ret_count,
	struct findings *findings)
{
	struct rule *rules = alloc_array(count ? count : 1, sizeof(*rules));

	*ret_count = 0;
	if (count > RULES_MAX) {
		(void)finding_error(findings, &texts[RULES_MAX].at, "%s: more than %d rules", kind,
			RULES_MAX);
		return rules;
	}
	for (size_t i = 0; i < count; i++)
		if (!filter_rule_init(&rules[*ret_count].rule, &texts[i], kind,
			    def->usedns > USEDNS_NO, cut, findings))
			++*ret_count;
	return rules;
}

static void date_compile(struct filter *filter, const struct filter_def *def,
	struct findings *findings)
{
	const char **patterns = alloc_array(def->n_datepattern + 1, sizeof(*patterns));
	struct position at = { .file = def->path };
	struct date_fault fault = { 0 };
	struct error err;
	int rc;

	for (size_t i = 0; i < def->n_datepattern; i++)
		patterns[i] = def->datepattern[i].text;
	rc = date_new(patterns, def->n_datepattern, def->logtimezone.text, &filter->date, &fault,
		&err);
	if (rc && fault.pattern < def->n_datepattern) {
		at = def->datepattern[fault.pattern].at;
		at.column += at.line ? (unsigned)fault.offset : 0;
		for (size_t i = 0; at.line && i < fault.offset; i++)
			at.column += patterns[fault.pattern][i] == '%'; /* doubled in files */
	} else if (rc && def->logtimezone.text) {
		at = def->logtimezone.at;
	}
	if (rc)
		(void)finding_error(findings, &at, "%s", err.text);
	free(patterns);
}

static void ids_check(const struct filter *filter, struct findings *findings)
{
	bool prefix_has_id = filter->has_prefix && filter_rule_has_id(&filter->prefix.rule);

	for (size_t i = 0; i < filter->n_fails; i++)
		if (!prefix_has_id && !filter_rule_has_id(&filter->fails[i].rule))
			(void)finding_error(findings, &filter->fails[i].rule.source->at,
				"failregex: names no address: it needs <HOST>, <ADDR> or <F-ID/>");
}

static void shape_check(const struct filter_def *def, struct findings *findings)
{
	struct position whole = { .file = def->path };

	if (!def->n_failregex)
		(void)finding_error(findings, &whole, "no failregex");
	if (def->maxlines > 1)
		(void)finding_error(findings, def->n_failregex ? &def->failregex[0].at : &whole,
			"maxlines = %u: not supported yet", def->maxlines);
}

struct filter *filter_new(const struct filter_def *def, struct findings *findings)
{
	struct filter *filter = alloc_zero(sizeof(*filter));
	struct prefilter_cut cut = { 0 };
	size_t errors = findings->errors;

	shape_check(def, findings);
	date_compile(filter, def, findings);
	if (filter->date)
		date_borders(filter->date, cut.before, cut.behind);
	if (def->prefregex.text)
		filter->has_prefix = !filter_rule_init(&filter->prefix.rule, &def->prefregex,
			"prefregex", def->usedns > USEDNS_NO, &cut, findings);
	filter->fails = rules_new(def->failregex, def->n_failregex, "failregex", def, &cut,
		&filter->n_fails, findings);
	filter->ignores = rules_new(def->ignoreregex, def->n_ignoreregex, "ignoreregex", def, &cut,
		&filter->n_ignores, findings);
	filter->ignores_first = filter->n_ignores + 2 < filter->n_fails;
	ids_check(filter, findings);
	if (findings->errors != errors) {
		filter_free(filter);
		return NULL;
	}
	needles_collect(filter);
	common_choose(filter);
	return filter;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	for (size_t i = 0; i < filter->n_fails; i++)
		filter_rule_done(&filter->fails[i].rule);
	for (size_t i = 0; i < filter->n_ignores; i++)
		filter_rule_done(&filter->ignores[i].rule);
	filter_rule_done(&filter->prefix.rule);
	date_free(filter->date);
	free(filter->fails);
	free(filter->ignores);
	free(filter->needles);
	free(filter->cut);
	free(filter);
}

/* The line being tried: as it is, and what the rules see of it. */
struct trial {
	const char *line;
	size_t length;
	const char *input;
	size_t input_length;
};

static bool needle_in(struct filter *filter, size_t index, const struct trial *trial)
{
	struct needle *needle = &filter->needles[index];

	if (needle->line_number != filter->line_number) {
		needle->line_number = filter->line_number;
		needle->found = prefilter_has(needle->literal, trial->line, trial->length);
	}
	return needle->found;
}

/* False: the line lacks a literal of the rule, so that it cannot match. */
static bool rule_may_match(struct filter *filter, const struct rule *rule,
	const struct trial *trial)
{
	for (size_t i = 0; i < rule->rule.n_literals; i++)
		if (!needle_in(filter, rule->needles[i], trial))
			return false;
	return true;
}

static bool any_may_match(struct filter *filter, struct rule *rules, size_t count,
	const struct trial *trial)
{
	for (size_t i = 0; i < count; i++)
		if (rule_may_match(filter, &rules[i], trial))
			return true;
	return false;
}

static bool rule_matches(struct filter *filter, struct rule *rule, const struct trial *trial)
{
	enum regex_result result;

	if (!rule_may_match(filter, rule, trial))
		return false;
	result = regex_match(rule->rule.regex, trial->input, trial->input_length);
	filter->limit_hits += result == REGEX_LIMIT;
	return result == REGEX_HIT;
}

static bool is_ignored(struct filter *filter, const struct trial *trial)
{
	for (size_t i = 0; i < filter->n_ignores; i++)
		if (rule_matches(filter, &filter->ignores[i], trial))
			return true;
	return false;
}

/* Finds the date (at_ms NULL), cuts it out and appends the newline that fail2ban's rules may ask
 * for. */
static void date_cut(struct filter *filter, struct trial *trial, const int64_t *at_ms,
	int64_t now_s, struct hit *hit)
{
	struct date_found found = { 0 };
	size_t rest;

	hit->has_time = at_ms || date_find(filter->date, trial->line, trial->length, now_s, &found);
	hit->at_ms = at_ms ? *at_ms : hit->has_time ? found.at_ms : now_s * 1000;
	if (hit->at_ms > now_s * 1000 + 999)
		hit->at_ms = now_s * 1000;
	if (trial->length + 1 > filter->cut_room) {
		filter->cut_room = trial->length + 1024;
		filter->cut = alloc_grow(filter->cut, filter->cut_room, 1);
	}
	rest = found.cut_start + found.cut_length;
	memcpy(filter->cut, trial->line, found.cut_start);
	memcpy(filter->cut + found.cut_start, trial->line + rest, trial->length - rest);
	trial->input = filter->cut;
	trial->input_length = trial->length - found.cut_length + 1;
	filter->cut[trial->input_length - 1] = '\n';
}

/* A piece of the input. */
struct piece {
	const char *text; /* NULL: the group took no part */
	size_t length;
};

static struct piece piece_of(const struct filter_rule *rule, unsigned group, const char *input)
{
	size_t start;
	size_t length;

	if (!group || !regex_group(rule->regex, group, &start, &length))
		return (struct piece){ 0 };
	return (struct piece){ .text = input + start, .length = length };
}

/* Where the groups of a hit lie: failregex's win over prefregex's. */
struct match {
	const struct filter_rule *rule;
	const char *input;
	const struct filter_rule *prefix; /* NULL: none */
	const char *prefix_input;
};

static struct piece role_of(const struct match *match, enum filter_role role)
{
	struct piece piece = piece_of(match->rule, match->rule->roles[role], match->input);

	if (!piece.text && match->prefix)
		piece = piece_of(match->prefix, match->prefix->roles[role], match->prefix_input);
	return piece;
}

static bool address_of(const struct match *match, struct piece piece, struct ip *ret_ip)
{
	struct piece cidr = role_of(match, ROLE_CIDR);
	unsigned bits = 0;

	if (!piece.text || ip_parse(piece.text, piece.length, ret_ip))
		return false;
	for (size_t i = 0; i < cidr.length && bits < 1000; i++)
		bits = bits * 10 + (unsigned)(cidr.text[i] - '0');
	if (cidr.length && bits <= ret_ip->bits)
		*ret_ip = ip_mask(ret_ip, (uint8_t)bits);
	return true;
}

/* Who: the first of F-ID, IP4, IP6, DNS. An IP4 or IP6 that is no address is no hit. */
static bool host_read(const struct match *match, struct hit *hit)
{
	struct piece id = role_of(match, ROLE_FID);
	struct piece address = role_of(match, ROLE_IP4);
	struct piece name = role_of(match, ROLE_DNS);

	hit->ip = (struct ip){ 0 };
	hit->is_name = false;
	if (!address.text)
		address = role_of(match, ROLE_IP6);
	if (address.text && !address_of(match, address, &hit->ip) && !id.text)
		return false;
	if (id.text) {
		struct ip ip;

		if (address_of(match, id, &ip))
			hit->ip = ip;
	} else if (address.text) {
		id = address;
	} else {
		id = name;
		if (!address_of(match, name, &hit->ip))
			hit->ip = (struct ip){ 0 };
		hit->is_name = !hit->ip.family;
	}
	hit->host = id.text;
	hit->host_length = id.length < HIT_TEXT_MAX ? id.length : HIT_TEXT_MAX;
	return id.length > 0;
}

static bool has_field(const struct hit *hit, const char *name)
{
	for (size_t i = 0; i < hit->n_fields; i++)
		if (!strcmp(hit->fields[i].name, name))
			return true;
	return false;
}

static void fields_read(const struct filter_rule *rule, const char *input, struct hit *hit)
{
	for (size_t i = 0; i < rule->n_fields && hit->n_fields < HIT_FIELDS_MAX; i++) {
		struct piece piece = piece_of(rule, rule->fields[i].group, input);

		if (!piece.length || has_field(hit, rule->fields[i].name))
			continue;
		if (piece.length > HIT_TEXT_MAX)
			piece.length = HIT_TEXT_MAX;
		hit->fields[hit->n_fields++] = (struct hit_field){
			.name = rule->fields[i].name,
			.value = piece.text,
			.length = piece.length,
		};
		if (!strcmp(rule->fields[i].name, "user")) {
			hit->account = piece.text;
			hit->account_length = piece.length;
		}
	}
}

static bool hit_read(const struct match *match, struct hit *hit)
{
	if (!host_read(match, hit))
		return false;
	fields_read(match->rule, match->input, hit);
	if (match->prefix)
		fields_read(match->prefix, match->prefix_input, hit);
	return true;
}

/* Narrows the input to the content of prefregex. False: it does not match. */
static bool prefix_match(struct filter *filter, struct trial *trial, struct match *match)
{
	struct piece content;

	if (!filter->has_prefix)
		return true;
	if (!rule_matches(filter, &filter->prefix, trial))
		return false;
	match->prefix = &filter->prefix.rule;
	match->prefix_input = trial->input;
	content = piece_of(match->prefix, match->prefix->roles[ROLE_CONTENT], trial->input);
	if (content.text) {
		trial->input = content.text;
		trial->input_length = content.length;
	}
	return true;
}

/* at_ms NULL: the line is to say it. */
static enum filter_result match_line(struct filter *filter, const char *line, size_t length,
	const int64_t *at_ms, int64_t now_s, struct hit *ret_hit)
{
	struct trial trial = { .line = line, .length = length };
	struct match match = { .rule = &filter->prefix.rule };

	filter->line_number++;
	if ((filter->has_prefix && !rule_may_match(filter, &filter->prefix, &trial)) ||
		!any_may_match(filter, filter->fails, filter->n_fails, &trial))
		if (!filter->ignores_first ||
			!any_may_match(filter, filter->ignores, filter->n_ignores, &trial))
			return FILTER_MISS;
	*ret_hit = (struct hit){ 0 };
	date_cut(filter, &trial, at_ms, now_s, ret_hit);
	if (filter->ignores_first && is_ignored(filter, &trial))
		return FILTER_IGNORED;
	if (!prefix_match(filter, &trial, &match))
		return FILTER_MISS;
	match.input = trial.input;
	for (size_t i = 0; i < filter->n_fails; i++) {
		if (!rule_matches(filter, &filter->fails[i], &trial))
			continue;
		match.rule = &filter->fails[i].rule;
		if (!hit_read(&match, ret_hit))
			continue;
		ret_hit->rule = (unsigned)i + 1;
		return !filter->ignores_first && is_ignored(filter, &trial) ? FILTER_IGNORED
									    : FILTER_HIT;
	}
	return FILTER_MISS;
}

enum filter_result filter_match(struct filter *filter, const char *line, size_t length,
	int64_t now_s, struct hit *ret_hit)
{
	return match_line(filter, line, length, NULL, now_s, ret_hit);
}

enum filter_result filter_match_dated(struct filter *filter, const char *line, size_t length,
	int64_t at_ms, int64_t now_s, struct hit *ret_hit)
{
	return match_line(filter, line, length, &at_ms, now_s, ret_hit);
}

size_t filter_skip(const struct filter *filter, const char *text, size_t length)
{
	const char *newline;
	size_t found;

	if (!filter->common)
		return 0;
	found = prefilter_find(filter->common, text, length);
	if (found == length)
		return length;
	newline = memrchr(text, '\n', found);
	return newline ? (size_t)(newline - text) + 1 : 0;
}

const char *filter_rule_text(const struct filter *filter, unsigned rule)
{
	return rule && rule <= filter->n_fails ? filter->fails[rule - 1].rule.source->text : "";
}

uint64_t filter_limit_hits(const struct filter *filter)
{
	return filter->limit_hits;
}
