#include "commands/test_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/times.h"
#include "commands/test_furthest.h"
#include "commands/test_tally.h"
#include "config/config.h"
#include "match/filter.h"
#include "match/records.h"

enum {
	LINE_SHOWN = 4096,
	/* a rule in the summary, whole: the longest of fail2ban has 2365 bytes */
	RULE_SHOWN = 8192,
	PIECE_SHOWN = 100,  /* of a rule or a field beside a hit */
	INPUT_SHOWN = 160,  /* of what the rules see of a missed line */
	MATCHED_SHOWN = 60, /* of what a rule had matched, its end */
};

/* Prints at most shown_max <= LINE_SHOWN bytes, rendered and in quotes. */
static void print_piece(FILE *out, const char *bytes, size_t length, size_t shown_max)
{
	char shown[LINE_SHOWN];

	(void)fprintf(out, "'%s'", text_render(shown, shown_max, bytes, length));
}

/* Prints where a rule stands, the separator, and the rule as it stands there, cut to shown_max <=
 * RULE_SHOWN bytes. If it holds a byte that is not printable ASCII, it is rendered. */
static void print_source(FILE *out, const struct position *at, const char *separator,
	const char *rule, size_t shown_max)
{
	char shown[RULE_SHOWN];
	size_t length = strlen(rule);
	bool is_plain = true;

	for (size_t i = 0; i < length; i++)
		is_plain = is_plain && rule[i] >= ' ' && rule[i] <= '~';
	(void)fprintf(out, "%s:%u:%u%s", at->file, at->line, at->column, separator);
	if (is_plain)
		(void)fprintf(out, length < shown_max ? "%.*s" : "%.*s...", (int)shown_max, rule);
	else
		(void)fputs(text_render(shown, shown_max, rule, length), out);
}

/* Prints the end of what a rule had matched: that is what stands right before the place where it
 * stopped. */
static void print_end(FILE *out, const char *bytes, size_t length)
{
	size_t before = length > MATCHED_SHOWN ? length - MATCHED_SHOWN : 0;

	(void)fputs(before ? "..." : "", out);
	print_piece(out, bytes + before, length - before, LINE_SHOWN);
}

static void print_fields(FILE *out, const struct hit *hit)
{
	for (size_t i = 0; i < hit->n_fields; i++) {
		(void)fprintf(out, "  %s ", hit->fields[i].name);
		print_piece(out, hit->fields[i].value, hit->fields[i].length, PIECE_SHOWN);
	}
}

void test_text_hit(struct test_text *text, uint64_t number, const char *line, size_t length,
	const struct hit *hit, bool ignored)
{
	char whom[4 * HIT_TEXT_MAX + 8];
	char stamp[UTC_TEXT_MAX];
	struct test_why why;

	if (hit->ip.family)
		ip_format(&hit->ip, whom);
	else
		text_render(whom, sizeof(whom), hit->host ? hit->host : "",
			hit->host ? hit->host_length : 0);
	text->has_names |= !ignored && !hit->ip.family;
	(void)fprintf(text->out, "%8" PRIu64 "  %-39s  %-24s", number, whom,
		hit->has_time ? utc_format_ms(hit->at_ms, stamp) : "no date");
	if (hit->rule)
		(void)fprintf(text->out, "  rule %u", hit->rule);
	if (hit->proof == HIT_DOUBTFUL)
		(void)fputs("  charged to nobody: it went through syslog", text->out);
	(void)fprintf(text->out, "%s\n         ", ignored ? "  ignored" : "");
	if (test_furthest_date(text->furthest, line, length, text->now_s, &why)) {
		(void)fputs(" date ", text->out);
		print_piece(text->out, line + why.date_start, why.date_length, PIECE_SHOWN);
		(void)fprintf(text->out, "%s ",
			why.at_ms > hit->at_ms ? ", in the future: counts as now" : "");
	}
	if (hit->rule && hit->rule <= text->def->n_failregex) {
		const struct config_text *rule = &text->def->failregex[hit->rule - 1];

		(void)fputs(" ", text->out);
		print_source(text->out, &rule->at, " ", rule->text, PIECE_SHOWN);
	}
	print_fields(text->out, hit);
	(void)fputs("\n", text->out);
}

static void print_stopped(FILE *out, const struct test_stop *stop)
{
	(void)fputs("at ", out);
	print_source(out, &stop->at, *stop->text ? " " : ", its end", stop->text, PIECE_SHOWN);
	(void)fputs("\n", out);
}

static void print_date(FILE *out, const char *line, const struct filter_def *def,
	const struct test_why *why)
{
	char stamp[UTC_TEXT_MAX];

	if (why->has_date) {
		(void)fputs("          date ", out);
		print_piece(out, line + why->date_start, why->date_length, PIECE_SHOWN);
		(void)fprintf(out, " read as %s; ", utc_format_ms(why->at_ms, stamp));
	} else {
		(void)fputs(def->parser.text ? "          a sound record; "
			    : def->journal   ? "          no date is looked for; "
					     : "          no date is found; ",
			out);
	}
	(void)fputs("the rules see ", out);
	print_piece(out, why->input,
		why->input_length -
			(why->input_length > 0 && why->input[why->input_length - 1] == '\n'),
		INPUT_SHOWN);
	(void)fputs("\n", out);
}

static void print_stop(FILE *out, const struct test_why *why)
{
	const struct test_stop *stop = &why->best;

	(void)fputs("          ", out);
	if (stop->rule)
		(void)fprintf(out, "rule %u", stop->rule);
	else
		(void)fputs("prefregex", out);
	if (stop->is_whole) {
		(void)fputs(" matches, but names no address or is not enough for itself\n", out);
		return;
	}
	(void)fputs(" comes furthest, up to ", out);
	print_end(out, why->input, stop->matched);
	(void)fputs(", and stops ", out);
	print_stopped(out, stop);
}

void test_text_unsound(struct test_text *text, uint64_t number, const char *line, size_t length,
	const char *kind, const char *why)
{
	char shown[LINE_SHOWN];

	(void)fprintf(text->out, "%8" PRIu64 "  missed: %s\n", number,
		text_render(shown, sizeof(shown), line, length));
	(void)fprintf(text->out, "          %s: the line %s\n", kind, why);
}

void test_text_missed(struct test_text *text, uint64_t number, unsigned held, const char *line,
	size_t length, const char *seen, size_t seen_length)
{
	char shown[LINE_SHOWN];
	struct test_why why;

	(void)fprintf(text->out, "%8" PRIu64 "  %s: %s\n", number, held ? "held" : "missed",
		text_render(shown, sizeof(shown), line, length));
	if (held) {
		(void)fprintf(text->out,
			"          rule %u matches: no failure by itself, kept for its session\n",
			held);
		return;
	}
	if (text->explained == TEST_EXPLAINED_MAX)
		(void)fputs("          (of lines from here on it is not said why)\n", text->out);
	if (++text->explained > TEST_EXPLAINED_MAX)
		return;
	test_furthest_line(text->furthest, number, seen, seen_length, text->now_s, &why);
	print_date(text->out, seen, text->def, &why);
	print_stop(text->out, &why);
}

/* Prints where a rule that never hit came furthest. */
static void print_furthest(const struct test_text *text, unsigned rule)
{
	struct test_stop stop;
	const char *matched;
	uint64_t number = test_furthest_best(text->furthest, rule, &stop, &matched);

	if (!number || stop.is_whole)
		return;
	(void)fprintf(text->out, "            furthest in line %" PRIu64 ", up to '%s', stops ",
		number, matched);
	print_stopped(text->out, &stop);
}

/* Prints a rule with its hits. rule: the number of the failregex; 0: prefregex, which has none. */
static void print_rule(const struct test_text *text, unsigned rule, const struct test_tally *tally)
{
	uint64_t hits = rule ? tally->by_rule[rule - 1] : 0;
	uint64_t held = rule ? tally->held[rule - 1] : 0;
	const struct config_text *source =
		rule ? &text->def->failregex[rule - 1] : &text->def->prefregex;

	if (rule)
		(void)fprintf(text->out, "  rule %-3u ", rule);
	else
		(void)fputs("  prefregex", text->out);
	if (hits || held)
		(void)fprintf(text->out, " %7" PRIu64 " %s  ", hits ? hits : held,
			hits ? "hits" : "held");
	else
		(void)fputs("    never hit  ", text->out);
	print_source(text->out, &source->at, "  ", source->text, RULE_SHOWN);
	(void)fputs("\n", text->out);
	if (!hits && !held)
		print_furthest(text, rule);
}

/* Prints how many lines the parser gave up on, by kind. */
static void print_unsound(FILE *out, const struct filter *filter)
{
	bool any = false;

	for (int kind = ASTERISK_RECORD + 1; kind < ASTERISK_KINDS; kind++) {
		uint64_t lines = filter_records(filter)->lines[kind];

		if (!lines)
			continue;
		(void)fprintf(out, "%s%s %" PRIu64,
			any ? ", " : "  name nobody soundly: ", asterisk_kind_text(kind), lines);
		any = true;
	}
	if (any)
		(void)fputs("\n", out);
}

void test_text_summary(struct test_text *text, const struct test_tally *tally,
	const struct filter *filter)
{
	(void)fprintf(text->out,
		"%" PRIu64 " lines: %" PRIu64 " hits, %" PRIu64 " ignored, %" PRIu64 " missed%s\n",
		tally->lines, tally->hits, tally->ignored,
		tally->lines - tally->hits - tally->ignored,
		tally->cut ? " (some are over 60 KiB: rules see their start)" : "");
	print_unsound(text->out, filter);
	if (text->def->prefregex.text && !tally->hits && text->explained)
		print_rule(text, 0, tally); /* no rule was tried then */
	for (size_t i = 0; i < text->def->n_failregex; i++)
		print_rule(text, (unsigned)i + 1, tally);
	if (text->has_names)
		(void)fputs("A host name in a log is what the other side says it is: a jail counts "
			    "names only where it sets usedns itself.\n",
			text->out);
}
