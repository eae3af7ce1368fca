/* How a line is tried: first it is searched for the literals that the rules need, which most lines
 * lack. Then its date is read and cut out, as fail2ban does. Then come prefregex, the failregexes
 * in their order, and the ignoreregexes. A rule whose literals are missing is not run.
 *
 * The date goes before the regexes because they are written for a line without it: nearly every
 * rule begins with ^ and means the place behind the date, a \s, \b or a lookbehind may stand where
 * the cut was, and a search that is free to begin anywhere may begin inside the date, so a rule can
 * both hit and miss only in the whole line. Only literals, split where a cut could have been, say
 * the same of both (tests/unit/match/rule_test.c compares). They leave so few lines that the date
 * costs nothing that can be measured.
 *
 * With maxlines > 1 every line counts, since it fills the buffer: no line is passed over, and the
 * literals are looked for in what the rules see. */
#include "match/filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/findings.h"
#include "base/regex.h"
#include "config/config.h"
#include "date/date.h"
#include "follow/line.h"
#include "match/groups.h"
#include "match/literals.h"
#include "match/multiline.h"
#include "match/records.h"
#include "match/rule.h"
#include "match/session.h"

/* With maxlines > 1 a line without a date has the date of the line before, if that is at most this
 * many seconds old. */
enum { LAST_DATE_S = 60 };

struct filter {
	struct rules prefix; /* one rule, or none */
	struct rules ignores;
	struct rules fails;
	/* There are fewer ignoreregexes than failregexes: they run before these, too. */
	bool ignores_first;
	struct groups_names names;
	unsigned user; /* the number of the name "user" */
	enum usedns usedns;
	enum proof proof;
	bool journal;
	struct date *date;
	struct literals literals;
	struct multiline *lines;   /* owned; NULL: each line is judged alone */
	struct records *records;   /* owned; NULL: no parser */
	struct sessions *sessions; /* owned; NULL: no rule has an F-MLFID */
	int64_t last_ms;           /* with `lines`: the date of the last line that had one */
	bool has_last;
	char *cut; /* the line without its date and with a newline */
	size_t cut_room;
	char *content; /* what prefregex left, with a newline, if that did not follow it */
	size_t content_room;
	struct groups prefix_groups;
	struct groups rule_groups;
	uint64_t limit_hits;
};

static void ids_check(const struct filter *filter, struct findings *findings)
{
	bool prefix_has_id = filter->prefix.count && rule_has_id(&filter->prefix.list[0]);

	for (size_t i = 0; i < filter->fails.count; i++)
		if (!prefix_has_id && !rule_has_id(&filter->fails.list[i]))
			(void)finding_error(findings, &filter->fails.list[i].source->at,
				"failregex: names no address: it needs <HOST>, <ADDR> or <F-ID/>");
}

static bool any_has(const struct rules *rules, enum group group)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rule_has(&rules->list[i], group))
			return true;
	return false;
}

static void rules_compile(struct filter *filter, const struct filter_def *def,
	struct findings *findings)
{
	struct rules *const all[] = { &filter->prefix, &filter->ignores, &filter->fails };
	struct literals_cut cut = { 0 };
	struct rule_options options = {
		.usedns = def->usedns > USEDNS_NO,
		.maxlines = def->maxlines,
		.cut = &cut,
		.names = &filter->names,
		.literals = &filter->literals,
	};

	if (filter->date)
		date_borders(filter->date, cut.before, cut.behind);
	rules_init(&filter->prefix, "prefregex", &def->prefregex, def->prefregex.text != NULL,
		&options, findings);
	rules_init(&filter->ignores, "ignoreregex", def->ignoreregex, def->n_ignoreregex, &options,
		findings);
	options.multiline = def->maxlines > 1;
	rules_init(&filter->fails, "failregex", def->failregex, def->n_failregex, &options,
		findings);
	filter->ignores_first =
		filter->ignores.count && filter->ignores.count + 2 < filter->fails.count;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (size_t k = 0; k < all[i]->count; k++)
			literals_order(&filter->literals, &all[i]->list[k].literals);
}

struct filter *filter_new(const struct filter_def *def, struct findings *findings)
{
	struct filter *filter = alloc_zero(sizeof(*filter));
	struct position whole = { .file = def->path };
	size_t errors = findings->errors;

	filter->usedns = def->usedns;
	filter->proof = def->proof;
	filter->journal = def->journal;
	groups_names_init(&filter->names);
	/* there is room: the list has only the known names so far */
	(void)groups_names_add(&filter->names, "user", &filter->user, NULL);
	if (!def->n_failregex)
		(void)finding_error(findings, &whole, "no failregex");
	if (def->parser.text)
		filter->records = records_new();
	else
		filter->date = rule_date_new(def, findings);
	rules_compile(filter, def, findings);
	if (!filter->records)
		ids_check(filter, findings);
	if (findings->errors != errors) {
		filter_free(filter);
		return NULL;
	}
	if (filter->records)
		return filter;
	if (def->maxlines > 1)
		filter->lines = multiline_new(def->maxlines);
	if (any_has(&filter->prefix, GROUP_MLFID) || any_has(&filter->fails, GROUP_MLFID))
		filter->sessions = sessions_new();
	return filter;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	rules_done(&filter->prefix);
	rules_done(&filter->ignores);
	rules_done(&filter->fails);
	literals_done(&filter->literals);
	groups_names_done(&filter->names);
	multiline_free(filter->lines);
	sessions_free(filter->sessions);
	records_free(filter->records);
	date_free(filter->date);
	free(filter->cut);
	free(filter->content);
	free(filter);
}

/* The line that is being tried: the bytes in which literals are looked for (line), and what the
 * rules see of them (input). */
struct trial {
	const char *line;
	size_t length;
	const char *input;
	size_t input_length;
	bool is_content;  /* the input is what prefregex left */
	bool is_head;     /* the input is the start of a line whose rest is not known */
	unsigned n_lines; /* lines of the log that make up the hit */
};

static bool rule_may_match(struct filter *filter, const struct rule *rule,
	const struct trial *trial)
{
	return literals_allow(&filter->literals, &rule->literals, trial->line, trial->length);
}

static bool any_may_match(struct filter *filter, const struct rules *rules,
	const struct trial *trial)
{
	for (size_t i = 0; i < rules->count; i++)
		if (rule_may_match(filter, &rules->list[i], trial))
			return true;
	return false;
}

static enum regex_result rule_try(struct filter *filter, struct rule *rule,
	const struct trial *trial)
{
	enum regex_result result;

	if (trial->is_head) /* the newline that ends the input is not the line's */
		result = regex_match_head(rule->regex, trial->input, trial->input_length - 1);
	else
		result = regex_match(rule->regex, trial->input, trial->input_length);
	filter->limit_hits += result == REGEX_LIMIT;
	rule->limit_hits += result == REGEX_LIMIT;
	return result;
}

static bool rule_matches(struct filter *filter, struct rule *rule, const struct trial *trial)
{
	return rule_may_match(filter, rule, trial) && rule_try(filter, rule, trial) == REGEX_HIT;
}

/* An ignoreregex protects somebody: of half a line it has to say that it does not match, where its
 * literals may be in the other half. */
static bool is_ignored(struct filter *filter, const struct trial *trial)
{
	for (size_t i = 0; i < filter->ignores.count; i++) {
		struct rule *rule = &filter->ignores.list[i];

		if (trial->is_head ? rule_try(filter, rule, trial) != REGEX_MISS
				   : rule_matches(filter, rule, trial))
			return true;
	}
	return false;
}

/* Fills in the time: as the log says, else the date in the line, else (for a further line) the date
 * before it, else now. */
static void time_read(struct filter *filter, const struct line *line, int64_t now_s,
	struct date_found *found, struct hit *hit)
{
	hit->has_time =
		line->dated || date_find(filter->date, line->text, line->length, now_s, found);
	hit->at_ms = line->dated ? line->at_ms : hit->has_time ? found->at_ms : now_s * 1000;
	if (!line->dated && filter->journal) {
		hit->has_time = hit->has_time && rule_date_leads(found, line->text);
		hit->at_ms = hit->has_time ? hit->at_ms : now_s * 1000;
		found->cut_start = found->cut_length = 0;
	}
	if (hit->at_ms > now_s * 1000 + 999)
		hit->at_ms = now_s * 1000;
	if (!filter->lines)
		return;
	if (!hit->has_time && filter->has_last && filter->last_ms / 1000 > now_s - LAST_DATE_S) {
		hit->at_ms = filter->last_ms;
		hit->has_time = true;
	}
	filter->has_last = filter->has_last || hit->has_time;
	if (hit->has_time)
		filter->last_ms = hit->at_ms;
}

/* Makes the line without its bytes from `start` to `rest` the input, with a newline behind it,
 * which fail2ban's rules may ask for. */
static void input_copy(struct filter *filter, struct trial *trial, size_t start, size_t rest)
{
	if (trial->length + 1 > filter->cut_room) {
		filter->cut_room = trial->length + 1024;
		filter->cut = alloc_grow(filter->cut, filter->cut_room, 1);
	}
	memcpy(filter->cut, trial->line, start);
	memcpy(filter->cut + start, trial->line + rest, trial->length - rest);
	trial->input = filter->cut;
	trial->input_length = trial->length - (rest - start) + 1;
	filter->cut[trial->input_length - 1] = '\n';
}

/* Makes the line without its date the input. */
static void date_cut(struct filter *filter, struct trial *trial, const struct line *line,
	int64_t now_s, struct hit *hit)
{
	struct date_found found = { 0 };

	time_read(filter, line, now_s, &found, hit);
	input_copy(filter, trial, found.cut_start, found.cut_start + found.cut_length);
}

static void lines_see(struct filter *filter, struct trial *trial)
{
	trial->input = multiline_join(filter->lines, &trial->input_length);
	trial->line = trial->input;
	trial->length = trial->input_length;
	literals_next(&filter->literals);
}

/* Makes the content that prefregex found, if any, the input, with a newline behind it. */
static void content_see(struct filter *filter, struct trial *trial)
{
	const struct group_value *content = &filter->prefix_groups.values[GROUP_CONTENT];
	const char *end;

	if (!content->length)
		return;
	end = content->text + content->length;
	if (end >= trial->input + trial->input_length || *end != '\n') {
		if (content->length + 1 > filter->content_room) {
			filter->content_room = content->length + 1024;
			filter->content = alloc_grow(filter->content, filter->content_room, 1);
		}
		memcpy(filter->content, content->text, content->length);
		filter->content[content->length] = '\n';
		trial->input = filter->content;
	} else {
		trial->input = content->text;
	}
	trial->input_length = content->length + 1;
	trial->is_content = true;
	trial->is_head = false; /* the content is whole, whatever follows it */
}

/* False: there is a prefregex, and it does not match. */
static bool prefix_match(struct filter *filter, struct trial *trial)
{
	if (!filter->prefix.count)
		return true;
	if (!rule_matches(filter, &filter->prefix.list[0], trial))
		return false;
	groups_read(&filter->prefix_groups, &filter->prefix.list[0], trial->input);
	content_see(filter, trial);
	return true;
}

/* Removes the lines that the rule matched from the buffer of lines. *ret_taken is these lines, for
 * the ignoreregexes to look at. */
static void lines_take(struct filter *filter, const struct rule *rule, struct trial *trial,
	struct trial *ret_taken)
{
	struct multiline_span match = { 0 };
	struct multiline_span skipped[RULE_GROUPS_MAX];
	size_t n_skipped = 0;
	size_t length;

	*ret_taken = *trial;
	trial->n_lines = 1;
	if (!filter->lines)
		return;
	if (regex_group(rule->regex, 0, &match.start, &length))
		match.end = match.start + length;
	for (size_t i = 0; i < rule->n_skipped && n_skipped < RULE_GROUPS_MAX; i++) {
		struct multiline_span *span = &skipped[n_skipped];

		if (!regex_group(rule->regex, rule->skipped[i], &span->start, &length))
			continue;
		span->end = span->start + length;
		n_skipped++;
	}
	trial->n_lines = (unsigned)multiline_take(filter->lines, trial->input, trial->input_length,
		match, skipped, n_skipped, &ret_taken->input, &ret_taken->input_length);
	ret_taken->line = ret_taken->input;
	ret_taken->length = ret_taken->input_length;
	literals_next(&filter->literals);
}

/* Adds to the groups of a rule's hit what is known of its session. False: the rule names nobody,
 * and no session, as if it had not matched. *ret_result is MISS if it is no failure, or none yet.
 */
static bool hit_read(struct filter *filter, struct trial *trial, struct hit *hit,
	enum filter_result *ret_result)
{
	struct groups *groups = &filter->rule_groups;
	bool in_session = filter->sessions && groups->values[GROUP_MLFID].text;

	*ret_result = FILTER_MISS;
	if (in_session && !session_merge(filter->sessions, groups, filter->user, trial->n_lines,
				  hit->at_ms / 1000, &trial->n_lines))
		return true;
	hit->n_lines = trial->n_lines;
	if (groups_hit(groups, &filter->names, filter->usedns, hit)) {
		*ret_result = FILTER_HIT;
		return true;
	}
	if (in_session)
		session_owe(filter->sessions);
	return in_session;
}

/* Judges a line that a failregex has matched. False: the next failregex is to be tried. */
static bool hit_judge(struct filter *filter, const struct rule *rule, struct trial *trial,
	struct hit *hit, enum filter_result *ret_result)
{
	struct trial taken;

	groups_read(&filter->rule_groups, rule, trial->input);
	if (filter->prefix.count)
		groups_fill(&filter->rule_groups, &filter->prefix_groups);
	lines_take(filter, rule, trial, &taken);
	if (!is_ignored(filter, &taken))
		return hit_read(filter, trial, hit, ret_result);
	(void)groups_hit(&filter->rule_groups, &filter->names, filter->usedns, hit);
	*ret_result = FILTER_IGNORED;
	return true;
}

static enum filter_result fails_try(struct filter *filter, struct trial *trial, struct hit *hit)
{
	enum filter_result result = FILTER_MISS;

	for (size_t i = 0; i < filter->fails.count; i++) {
		if (!rule_matches(filter, &filter->fails.list[i], trial))
			continue;
		hit->rule = (unsigned)i + 1;
		if (hit_judge(filter, &filter->fails.list[i], trial, hit, &result))
			return result;
		hit->rule = 0;
		trial->is_content = false;
		if (filter->lines)
			lines_see(filter, trial);
	}
	if (filter->lines && trial->is_content)
		multiline_replace(filter->lines, trial->input, trial->input_length - 1);
	return FILTER_MISS;
}

/* Says whether the line has all literals of some rule that decides about it: else it is a miss. */
static bool may_matter(struct filter *filter, const struct trial *trial)
{
	if (filter->ignores_first && any_may_match(filter, &filter->ignores, trial))
		return true;
	return (!filter->prefix.count || any_may_match(filter, &filter->prefix, trial)) &&
	       any_may_match(filter, &filter->fails, trial);
}

/* The number of the failregex by which a record counts; 0: none matches. A rule that gave up at its
 * limit counts as well if the record is of a failure, since it has not said no. */
static unsigned record_rule(struct filter *filter, struct trial *trial, bool is_failure)
{
	uint64_t limit_hits = filter->limit_hits;
	unsigned gave_up = 0;

	if (!prefix_match(filter, trial))
		return is_failure && filter->limit_hits > limit_hits;
	for (unsigned i = 1; i <= filter->fails.count; i++) {
		if (rule_matches(filter, &filter->fails.list[i - 1], trial))
			return i;
		if (!gave_up && filter->limit_hits > limit_hits)
			gave_up = i;
	}
	return is_failure ? gave_up : 0;
}

static enum filter_result match_record(struct filter *filter, const struct line *line,
	int64_t now_s, struct hit *hit)
{
	const struct asterisk_piece *text = &filter->records->record.text;
	struct trial trial = { 0 };

	if (!records_read(filter->records, line))
		return FILTER_MISS;
	trial.line = text->text;
	trial.length = text->length;
	literals_next(&filter->literals);
	if (!may_matter(filter, &trial))
		return FILTER_MISS;
	input_copy(filter, &trial, trial.length, trial.length);
	records_hit(filter->records, now_s, hit);
	if (filter->ignores_first && is_ignored(filter, &trial))
		return FILTER_IGNORED;
	hit->rule = record_rule(filter, &trial, hit->event != HIT_PLAIN);
	if (!hit->rule)
		return FILTER_MISS;
	return is_ignored(filter, &trial) ? FILTER_IGNORED : FILTER_HIT;
}

enum filter_result filter_match(struct filter *filter, const struct line *line, int64_t now_s,
	struct hit *ret_hit)
{
	struct trial trial = { .line = line->text, .length = line->length, .is_head = line->cut };
	enum filter_result result;

	ret_hit->rule = 0;
	if (filter->records)
		return match_record(filter, line, now_s, ret_hit);
	if (line->only_head || line->rest || (line->cut && filter->lines))
		return FILTER_MISS;
	literals_next(&filter->literals);
	if (!filter->lines && !may_matter(filter, &trial))
		return FILTER_MISS;
	*ret_hit = (struct hit){ 0 };
	date_cut(filter, &trial, line, now_s, ret_hit);
	if (filter->lines) {
		multiline_add(filter->lines, trial.input, trial.input_length - 1);
		lines_see(filter, &trial);
	}
	if (filter->ignores_first && is_ignored(filter, &trial))
		return FILTER_IGNORED;
	if (!prefix_match(filter, &trial))
		return FILTER_MISS;
	result = fails_try(filter, &trial, ret_hit);
	/* the address of a name is what somebody's name server says */
	if (filter->proof != PROOF_UNSET)
		ret_hit->proof = filter->proof == PROOF_TCP && !ret_hit->host_is_name
					 ? HIT_PROVEN
					 : HIT_UNPROVEN;
	return result;
}

const char *filter_rule_text(const struct filter *filter, unsigned rule)
{
	return rule && rule <= filter->fails.count ? filter->fails.list[rule - 1].source->text : "";
}

uint64_t filter_limit_hits(const struct filter *filter)
{
	return filter->limit_hits;
}

bool filter_limited(const struct filter *filter, size_t index, struct filter_limited *ret)
{
	const struct rules *const all[] = { &filter->fails, &filter->ignores, &filter->prefix };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); index -= all[i++]->count) {
		const struct rule *rule;

		if (index >= all[i]->count)
			continue;
		rule = &all[i]->list[index];
		*ret = (struct filter_limited){ .kind = all[i]->kind,
			.number = (unsigned)index + 1,
			.at = rule->source->at,
			.lines = rule->limit_hits };
		return true;
	}
	return false;
}

const struct records *filter_records(const struct filter *filter)
{
	static const struct records nothing = { 0 };

	return filter->records ? filter->records : &nothing;
}
