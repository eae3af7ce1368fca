/* The same lines by two ways that must agree: with the literals of the rules, which turn lines down
 * before the date is cut out, and by the regexes alone. A rule inside (?:...) has no literals. */
/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/findings.h"
#include "config/config.h"
#include "follow/line.h"
#include "match/filter.h"

enum { RULES_MAX = 5, LINES = 4000, PIECES_MAX = 7, LINE_BYTES = 400 };

static const int64_t now_s = 1795608000;

struct source {
	const char *rules[RULES_MAX];
	const char *prefix;
	const char *ignore;
	const char *date;
};

/* What a line is made of: words of the rules, whole and cut in two, dates, addresses. */
static const char *const pieces[] = { "bad login", "bad lo", "gin", " from ", "192.0.2.1",
	"2001:db8::1", "2026-11-23 08:51:05", "[2026-11-23 08:51:05]", "Nov 23 08:51:05", " ", "[",
	"]", "\"", "x", "sshd[7]: ", "s1: ", "s2: ", "try", "ok", "good", "=", "\xff", "ba", "d",
	"T=\"2026-11-23 08:51:05\"", "1795600000", " port 7" };

/* xorshift: the same lines in every run */
static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static size_t line_make(char line[LINE_BYTES], uint32_t *state)
{
	size_t count = next(state) % PIECES_MAX + 1;
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		const char *piece = pieces[next(state) % (sizeof(pieces) / sizeof(*pieces))];

		memcpy(line + length, piece, strlen(piece));
		length += strlen(piece);
	}
	return length;
}

/* The caller frees. */
static char *wrap(const char *rule, bool wraps)
{
	char *text = NULL;

	if (rule && asprintf(&text, wraps ? "(?:%s)" : "%s", rule) < 0)
		fail();
	return text;
}

static struct filter *build(const struct source *source, bool wraps)
{
	struct config_text rules[RULES_MAX] = { 0 };
	struct config_text ignore = { .text = wrap(source->ignore, wraps) };
	struct config_text date = { .text = (char *)(uintptr_t)source->date };
	struct filter_def def = { .path = (char *)(uintptr_t) "test",
		.failregex = rules,
		.ignoreregex = &ignore,
		.n_ignoreregex = ignore.text != NULL,
		.prefregex = { .text = wrap(source->prefix, wraps) },
		.datepattern = &date,
		.n_datepattern = date.text != NULL,
		.maxlines = 1,
		.usedns = USEDNS_WARN };
	struct findings findings = { 0 };
	struct filter *filter;

	for (size_t i = 0; i < RULES_MAX && source->rules[i]; i++)
		rules[def.n_failregex++].text = wrap(source->rules[i], wraps);
	filter = filter_new(&def, &findings);
	if (!filter)
		fail_msg("%s", findings.list[0].text);
	for (size_t i = 0; i < def.n_failregex; i++)
		free(rules[i].text);
	free(ignore.text);
	free(def.prefregex.text);
	findings_done(&findings);
	return filter;
}

static const struct source sources[] = {
	{ .rules = { "^ bad login from <HOST>", "bad login<F-USER>.*</F-USER> from <HOST>$" } },
	{ .rules = { "^\\[\\] bad login from <HOST>", "badgin <HOST>", "T=\"\" from <HOST>" } },
	{ .rules = { "bad login .*<ADDR>" }, .date = "T=\"(%Y-%m-%d %H:%M:%S)\"" },
	{ .rules = { "bad login .*<ADDR>", "bad[ l]+ogin<HOST>" },
		.date = "**%Y-%m-%d %H:%M:%S**" },
	{ .rules = { "x from <HOST>", "good <HOST>", "ok <HOST>", "try <HOST>" },
		.ignore = "bad login" },
	{ .rules = { "bad login", "from try" },
		.prefix = "^(?:\\s|sshd)<F-CONTENT>.*from "
			  "<HOST>.*</F-CONTENT>$" },
	{ .rules = { "^bad login(?: from <HOST>)?", "^<F-NOFAIL>try</F-NOFAIL> from <HOST>",
		  "^<F-MLFGAINED>ok</F-MLFGAINED>", "<F-MLFFORGET>good</F-MLFFORGET> from" },
		.prefix = "<F-MLFID>s\\d</F-MLFID>: <F-CONTENT>.+</F-CONTENT>" },
};

static bool is_same(const struct hit *a, const struct hit *b)
{
	return a->rule == b->rule && a->host_length == b->host_length && a->at_ms == b->at_ms &&
	       (!a->host_length || !memcmp(a->host, b->host, a->host_length)) &&
	       ip_equal(&a->ip, &b->ip) && a->account_length == b->account_length &&
	       a->n_lines == b->n_lines && a->n_fields == b->n_fields;
}

static void literals_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		struct filter *with = build(&sources[i], false);
		struct filter *without = build(&sources[i], true);
		uint32_t seed = 2463534242U + (uint32_t)i;
		size_t hits = 0;

		for (size_t k = 0; k < LINES; k++) {
			char line[LINE_BYTES];
			size_t length = line_make(line, &seed);
			struct hit a = { 0 };
			struct hit b = { 0 };
			enum filter_result result = filter_match(with,
				&(struct line){ .text = line, .length = length }, now_s, &a);

			if (filter_match(without, &(struct line){ .text = line, .length = length },
				    now_s, &b) != result ||
				(result != FILTER_MISS && !is_same(&a, &b)))
				fail_msg("source %zu: %.*s", i, (int)length, line);
			hits += result == FILTER_HIT;
		}
		if (!hits)
			fail_msg("source %zu: no line hits", i);
		filter_free(with);
		filter_free(without);
	}
}

/* An entry of the journal: a date at its start is the time, and nothing is cut. */
static void journal(void **state)
{
	static const struct {
		const char *rule;
		const char *line;
		int64_t at_s; /* 0: now */
		bool has_time;
	} rows[] = {
		{ "^2026-11-25 11:00:00 bad <HOST>", "2026-11-25 11:00:00 bad 192.0.2.1", -3600,
			true },
		{ "^\\[2026-11-25 11:00:00\\] bad <HOST>", "[2026-11-25 11:00:00] bad 192.0.2.1",
			-3600, true },
		{ "^bad 2026-11-25 11:00:00 <HOST>", "bad 2026-11-25 11:00:00 192.0.2.1", 0,
			false },
		{ "^bad <HOST>", "bad 192.0.2.1", 0, false },
	};

	(void)state;
	(void)setenv("TZ", "UTC", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct config_text rule = { .text = (char *)(uintptr_t)rows[i].rule };
		struct filter_def def = { .path = (char *)(uintptr_t) "test",
			.failregex = &rule,
			.n_failregex = 1,
			.maxlines = 1,
			.journal = true };
		struct findings findings = { 0 };
		struct filter *filter = filter_new(&def, &findings);
		struct hit hit;

		assert_non_null(filter);
		if (filter_match(filter,
			    &(struct line){ .text = rows[i].line, .length = strlen(rows[i].line) },
			    now_s, &hit) != FILTER_HIT)
			fail_msg("row %zu", i);
		assert_int_equal(hit.at_ms, (now_s + rows[i].at_s) * 1000);
		assert_int_equal(hit.has_time, rows[i].has_time);
		assert_int_equal(filter_match(filter,
					 &(struct line){ .text = rows[i].line,
						 .length = strlen(rows[i].line),
						 .dated = true,
						 .at_ms = (now_s - 5) * 1000 },
					 now_s, &hit),
			FILTER_HIT);
		assert_int_equal(hit.at_ms, (now_s - 5) * 1000);
		assert_true(hit.has_time);
		filter_free(filter);
		findings_done(&findings);
	}
}

/* host_is_name: only what may be looked up. */
static void names(void **state)
{
	static const struct {
		enum usedns usedns;
		const char *rule;
		bool is_name;
	} rows[] = {
		{ USEDNS_YES, "x <HOST>", true },
		{ USEDNS_WARN, "x <HOST>", true },
		{ USEDNS_RAW, "x <HOST>", false },
		{ USEDNS_NO, "x <DNS>", false },
		{ USEDNS_UNSET, "x <DNS>", false },
		{ USEDNS_YES, "x <F-ID/>", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct config_text rule = { .text = (char *)(uintptr_t)rows[i].rule };
		struct filter_def def = { .path = (char *)(uintptr_t) "test",
			.failregex = &rule,
			.n_failregex = 1,
			.maxlines = 1,
			.usedns = rows[i].usedns };
		struct findings findings = { 0 };
		struct filter *filter = filter_new(&def, &findings);
		struct hit hit;

		assert_non_null(filter);
		assert_int_equal(filter_match(filter,
					 &(struct line){ .text = "x host.example", .length = 14 },
					 now_s, &hit),
			FILTER_HIT);
		assert_int_equal(hit.host_length, 12);
		assert_int_equal(hit.host_is_name, rows[i].is_name);
		assert_int_equal(filter_match(filter,
					 &(struct line){ .text = "x 192.0.2.1", .length = 11 },
					 now_s, &hit),
			FILTER_HIT);
		assert_false(hit.host_is_name);
		assert_int_equal(hit.ip.family, 4);
		filter_free(filter);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(literals_agree),
		cmocka_unit_test(journal), cmocka_unit_test(names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
