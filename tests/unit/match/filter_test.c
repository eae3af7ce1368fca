/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/findings.h"
#include "config/config.h"
#include "follow/line.h"
#include "match/filter.h"

enum { LIST_MAX = 8 };

/* 2026-11-25 12:00:00 UTC */
static const int64_t now_s = 1795608000;

/* A filter as a table row; each list ends with NULL. */
struct source {
	const char *fails[LIST_MAX];
	const char *ignores[LIST_MAX];
	const char *prefix;
	const char *date;
	const char *zone;
	bool usedns;
	uint32_t maxlines;
	enum proof proof;
};

struct built {
	struct filter_def def;
	struct config_text fails[LIST_MAX];
	struct config_text ignores[LIST_MAX];
	struct config_text date;
	char *owned[2 * LIST_MAX + 3];
	size_t n_owned;
};

static char *keep(struct built *built, const char *text)
{
	return built->owned[built->n_owned++] = strdup(text);
}

static struct filter *build(struct built *built, const struct source *source,
	struct findings *findings)
{
	static char name[] = "test";

	memset(built, 0, sizeof(*built));
	built->def = (struct filter_def){ .name = name,
		.path = name,
		.maxlines = source->maxlines,
		.proof = source->proof,
		.usedns = source->usedns ? USEDNS_YES : USEDNS_NO,
		.failregex = built->fails,
		.ignoreregex = built->ignores,
		.datepattern = &built->date,
		.n_datepattern = source->date != NULL };
	for (size_t i = 0; i < LIST_MAX && source->fails[i]; i++)
		built->fails[built->def.n_failregex++] =
			(struct config_text){ .text = keep(built, source->fails[i]),
				.at = { "test.conf", 7, 13 } };
	for (size_t i = 0; i < LIST_MAX && source->ignores[i]; i++)
		built->ignores[built->def.n_ignoreregex++].text = keep(built, source->ignores[i]);
	if (source->prefix)
		built->def.prefregex.text = keep(built, source->prefix);
	if (source->date)
		built->date = (struct config_text){ .text = keep(built, source->date),
			.at = { "test.conf", 8, 15 } };
	if (source->zone)
		built->def.logtimezone = (struct config_text){ .text = keep(built, source->zone),
			.at = { "test.conf", 9, 16 } };
	return filter_new(&built->def, findings);
}

static void release(struct built *built)
{
	for (size_t i = 0; i < built->n_owned; i++)
		free(built->owned[i]);
}

static void lines(void **state)
{
	static const struct {
		struct source source;
		const char *line;
		enum filter_result result;
		const char *host;
		const char *ip; /* NULL: none */
		unsigned rule;
		const char *user;
	} rows[] = {
		{ { .fails = { "^ a <HOST>$", "^ bad <HOST>$" } },
			"2026-11-23 08:51:05 bad 192.0.2.1", FILTER_HIT, "192.0.2.1", "192.0.2.1",
			2, NULL },
		{ { .fails = { "^bad <HOST>$" } }, "2026-11-23 08:51:05 bad 192.0.2.1", FILTER_MISS,
			NULL, NULL, 0, NULL },
		/* what the cut joins is no reason to pass over the line */
		{ { .fails = { "^\\[\\] bad <HOST>$" } }, "[2026-11-23 08:51:05] bad 192.0.2.1",
			FILTER_HIT, "192.0.2.1", "192.0.2.1", 1, NULL },
		{ { .fails = { "xay <HOST>" }, .date = "x(\\d+ %Y)a**" }, "x1 2026ay 192.0.2.1",
			FILTER_HIT, "192.0.2.1", "192.0.2.1", 1, NULL },
		{ { .fails = { "T=\"\" <HOST>" }, .date = "T=\"(%Y)\"" }, "T=\"2026\" 192.0.2.1",
			FILTER_HIT, "192.0.2.1", "192.0.2.1", 1, NULL },
		{ { .fails = { "abcd <HOST>" }, .date = "(%Y)" }, "ab2026cd 192.0.2.1", FILTER_MISS,
			NULL, NULL, 0, NULL },
		{ { .fails = { "abcd <HOST>" }, .date = "**(%Y)**" }, "ab2026cd 192.0.2.1",
			FILTER_HIT, "192.0.2.1", "192.0.2.1", 1, NULL },
		/* the newline at the end */
		{ { .fails = { "x <HOST>\\n" } }, "x 192.0.2.1", FILTER_HIT, "192.0.2.1",
			"192.0.2.1", 1, NULL },
		{ { .fails = { "x <HOST>" } }, "x [2001:db8::1]", FILTER_HIT, "2001:db8::1",
			"2001:db8::1", 1, NULL },
		{ { .fails = { "x <HOST>" } }, "x ::ffff:192.0.2.1", FILTER_HIT, "192.0.2.1",
			"192.0.2.1", 1, NULL },
		{ { .fails = { "x <HOST>$" } }, "x host.example", FILTER_MISS, NULL, NULL, 0,
			NULL },
		{ { .fails = { "x <HOST>$" }, .usedns = true }, "x host.example", FILTER_HIT,
			"host.example", NULL, 1, NULL },
		/* an id, as in fail2ban, and no address */
		{ { .fails = { "x <HOST>$", "^x <ADDR>" } }, "x 192.0.2.999", FILTER_HIT,
			"192.0.2.999", NULL, 1, NULL },
		{ { .fails = { "x <HOST>" } }, "x [::ffff:192.0.2.1]", FILTER_HIT, "192.0.2.1",
			"192.0.2.1", 1, NULL },
		{ { .fails = { "x <HOST>" } }, "x ::ffff:c000:201", FILTER_HIT, "::ffff:c000:201",
			"192.0.2.1", 1, NULL },
		/* who: F-ID, IP4, IP6, DNS; but a name that is looked up is who */
		{ { .fails = { "x <F-ID/> <HOST>" } }, "x 192.0.2.9 192.0.2.1", FILTER_HIT,
			"192.0.2.9", "192.0.2.1", 1, NULL },
		{ { .fails = { "x <F-ID/>" } }, "x 192.0.2.9/24", FILTER_HIT, "192.0.2.9/24",
			"192.0.2.0/24", 1, NULL },
		{ { .fails = { "x <F-ID/> <HOST>" }, .usedns = true }, "x k1 host.example",
			FILTER_HIT, "host.example", NULL, 1, NULL },
		{ { .fails = { "x <F-ID/>(?: <HOST>)?" } }, "x k1", FILTER_HIT, "k1", NULL, 1,
			NULL },
		{ { .fails = { "x (?:<HOST>)?$", "x$|<ADDR>" } }, "x ", FILTER_MISS, NULL, NULL, 0,
			NULL },
		{ { .fails = { "x (?:<HOST>)?", "192.0.2.1 <HOST>" } }, "x 192.0.2.1 192.0.2.2",
			FILTER_HIT, "192.0.2.1", "192.0.2.1", 1, NULL },
		{ { .fails = { "(?:<F-ID>y</F-ID>)?x", "z <HOST>" } }, "x z 192.0.2.2", FILTER_HIT,
			"192.0.2.2", "192.0.2.2", 2, NULL },
		{ { .fails = { "<F-TUPLE_ID_1>\\w+</F-TUPLE_ID_1> <F-ID>\\S+</F-ID>"
			       " <F-TUPLE_ID_2>\\S+</F-TUPLE_ID_2>" } },
			"a 192.0.2.1 b'\\", FILTER_HIT, "('192.0.2.1', 'a', \"b'\\\\\")", NULL, 1,
			NULL },
		{ { .fails = { "x <F-TUPLE_ID>\\w</F-TUPLE_ID> <HOST>" } }, "x a 192.0.2.1",
			FILTER_HIT, "(None, 'a')", "192.0.2.1", 1, NULL },
		{ { .fails = { "x <F-ALT_ID>\\w</F-ALT_ID> <F-ID>\\w?</F-ID> <HOST>" } },
			"x a  192.0.2.1", FILTER_HIT, "a", "192.0.2.1", 1, NULL },
		/* alternatives in order of their names; "alt_user1" is not one of "user" */
		{ { .fails = { "<F-ALT_USER_2>b</F-ALT_USER_2><F-ALT_USER_1>a</F-ALT_USER_1> "
			       "<HOST>" } },
			"ba 192.0.2.1", FILTER_HIT, "192.0.2.1", "192.0.2.1", 1, "a" },
		{ { .fails = { "<F-ALT_USER1>b</F-ALT_USER1> <F-ALT_USER>a</F-ALT_USER> <HOST>" } },
			"b a 192.0.2.1", FILTER_HIT, "192.0.2.1", "192.0.2.1", 1, "a" },
		{ { .fails = { "x <SUBNET>" } }, "x 192.0.2.129/25", FILTER_HIT, "192.0.2.129",
			"192.0.2.128/25", 1, NULL },
		{ { .fails = { "x <F-ID>\\w+</F-ID> <ADDR>" } }, "x id7 192.0.2.1", FILTER_HIT,
			"id7", "192.0.2.1", 1, NULL },
		{ { .fails = { "u=<F-USER>\\w*</F-USER> (?:v=<F-ALT_USER>\\w+</F-ALT_USER> )?<HOST>" } },
			"u= v=bob 192.0.2.1", FILTER_HIT, "192.0.2.1", "192.0.2.1", 1, "bob" },
		{ { .fails = { "u=<F-USER>\\w*</F-USER> (?:v=<F-ALT_USER>\\w+</F-ALT_USER> )?<HOST>" } },
			"u=al v=bob 192.0.2.1", FILTER_HIT, "192.0.2.1", "192.0.2.1", 1, "al" },
		{ { .fails = { "^no <HOST>", "^bad$" },
			  .prefix = "^ pbx: <F-CONTENT>.+</F-CONTENT> from <HOST>$" },
			"2026-11-23 08:51:05 pbx: bad from 192.0.2.1", FILTER_HIT, "192.0.2.1",
			"192.0.2.1", 2, NULL },
		/* a newline follows the content; without content the whole line is tried */
		{ { .fails = { "^bad\\n$" }, .prefix = "^<F-CONTENT>bad</F-CONTENT> from <HOST>" },
			"bad from 192.0.2.1", FILTER_HIT, "192.0.2.1", "192.0.2.1", 1, NULL },
		{ { .fails = { "^bad from <HOST>" }, .prefix = "from" }, "bad from 192.0.2.1",
			FILTER_HIT, "192.0.2.1", "192.0.2.1", 1, NULL },
		{ { .fails = { "^bad" }, .prefix = "from <HOST>" }, "bad from 192.0.2.1",
			FILTER_HIT, "192.0.2.1", "192.0.2.1", 1, NULL },
		/* of a name that both have failregex's counts, also if it took no part */
		{ { .fails = { "^bad(?: <HOST>)?" }, .prefix = "^(?=.*for <ADDR>)" },
			"bad 192.0.2.1 for 192.0.2.2", FILTER_HIT, "192.0.2.1", "192.0.2.1", 1,
			NULL },
		{ { .fails = { "^bad(?: <HOST>)?" }, .prefix = "^(?=.*for <ADDR>)" },
			"bad for 192.0.2.2", FILTER_MISS, NULL, NULL, 0, NULL },
		{ { .fails = { "^bad$" },
			  .prefix = "^ pbx: <F-CONTENT>.+</F-CONTENT> from <HOST>$" },
			"2026-11-23 08:51:05 px: bad from 192.0.2.1", FILTER_MISS, NULL, NULL, 0,
			NULL },
		{ { .fails = { "x <HOST>" }, .ignores = { "good" } }, "x 192.0.2.1 good",
			FILTER_IGNORED, "192.0.2.1", "192.0.2.1", 1, NULL },
		{ { .fails = { "x <HOST>" }, .ignores = { "good" } }, "good", FILTER_MISS, NULL,
			NULL, 0, NULL },
		{ { .fails = { "x <HOST>", "a <HOST>", "b <HOST>", "c <HOST>" },
			  .ignores = { "good" } },
			"good", FILTER_IGNORED, NULL, NULL, 0, NULL },
		/* with few ignoreregexes they see the line first, and afterwards what was hit */
		{ { .fails = { "x <HOST>", "a <HOST>", "b <HOST>", "c <HOST>" },
			  .prefix = "^p <F-CONTENT>.*</F-CONTENT>",
			  .ignores = { "^x" } },
			"p x 192.0.2.1", FILTER_IGNORED, "192.0.2.1", "192.0.2.1", 1, NULL },
		{ { .fails = { "x <HOST>", "a <HOST>", "b <HOST>" }, .ignores = { "good" } },
			"good", FILTER_MISS, NULL, NULL, 0, NULL },
		{ { .fails = { "x <HOST>", "a <HOST>", "b <HOST>", "c <HOST>", "d <HOST>" },
			  .ignores = { "good", "fine", "well" } },
			"good", FILTER_MISS, NULL, NULL, 0, NULL },
		{ { .fails = { "x <HOST>" } }, "\xff\xfe x 192.0.2.1", FILTER_HIT, "192.0.2.1",
			"192.0.2.1", 1, NULL },
		{ { .fails = { "^user .* <HOST>$" } }, "user \xff\xc3 192.0.2.1", FILTER_HIT,
			"192.0.2.1", "192.0.2.1", 1, NULL },
		{ { .fails = { "x <HOST>" } }, "", FILTER_MISS, NULL, NULL, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct findings findings = { 0 };
		struct built built;
		struct filter *filter = build(&built, &rows[i].source, &findings);
		struct hit hit = { 0 };
		char ip[IP_TEXT_MAX] = "";

		if (!filter)
			fail_msg("row %zu: %s", i, findings.list[0].text);
		if (filter_match(filter,
			    &(struct line){ .text = rows[i].line, .length = strlen(rows[i].line) },
			    now_s, &hit) != rows[i].result)
			fail_msg("row %zu: %s", i, rows[i].line);
		if (rows[i].host && (hit.host_length != strlen(rows[i].host) ||
					    strncmp(hit.host, rows[i].host, hit.host_length) != 0))
			fail_msg("row %zu: host %.*s", i, (int)hit.host_length, hit.host);
		if (hit.ip.family)
			ip_format(&hit.ip, ip);
		assert_string_equal(ip, rows[i].ip ? rows[i].ip : "");
		assert_int_equal(hit.rule, rows[i].rule);
		if (rows[i].user)
			assert_memory_equal(hit.account, rows[i].user, hit.account_length);
		filter_free(filter);
		release(&built);
		findings_done(&findings);
	}
}

static void times(void **state)
{
	static const struct source source = { .fails = { "x <HOST> port <F-PORT/>" } };
	struct findings findings = { 0 };
	struct built built;
	struct filter *filter;
	struct hit hit;

	(void)state;
	(void)setenv("TZ", "UTC", 1);
	filter = build(&built, &source, &findings);
	assert_non_null(filter);
	assert_int_equal(filter_match(filter,
				 &(struct line){ .text = "x 192.0.2.1 port 7", .length = 18 },
				 now_s, &hit),
		FILTER_HIT);
	assert_false(hit.has_time);
	assert_int_equal(hit.at_ms, now_s * 1000);
	assert_int_equal(hit.n_fields, 1);
	assert_string_equal(hit.fields[0].name, "port");
	assert_memory_equal(hit.fields[0].value, "7", 1);
	/* in the future: now */
	assert_int_equal(filter_match(filter,
				 &(struct line){ .text = "2026-11-25 12:00:01 x 192.0.2.1 port 7",
					 .length = 38 },
				 now_s, &hit),
		FILTER_HIT);
	assert_true(hit.has_time);
	assert_int_equal(hit.at_ms, now_s * 1000);
	assert_int_equal(filter_match(filter,
				 &(struct line){ .text = "2026-11-25 12:00:00.5 x 192.0.2.1 port 7",
					 .length = 40 },
				 now_s, &hit),
		FILTER_HIT);
	assert_int_equal(hit.at_ms, now_s * 1000 + 500);
	assert_string_equal(filter_rule_text(filter, 1), source.fails[0]);
	assert_string_equal(filter_rule_text(filter, 2), "");
	filter_free(filter);
	release(&built);
}

static void limits(void **state)
{
	static const struct source source = { .fails = { "^(?:a+)+$<HOST>", "b <HOST>$" },
		.date = "{NONE}" };
	struct findings findings = { 0 };
	struct built built;
	struct filter *filter = build(&built, &source, &findings);
	struct hit hit;
	char line[200];

	(void)state;
	assert_non_null(filter);
	memset(line, 'a', sizeof(line));
	memcpy(line + sizeof(line) - 11, "b 192.0.2.1", 11);
	assert_int_equal(filter_match(filter,
				 &(struct line){ .text = line, .length = sizeof(line) }, now_s,
				 &hit),
		FILTER_HIT);
	assert_int_equal(hit.rule, 2);
	assert_int_equal(filter_limit_hits(filter), 1);
	filter_free(filter);
	release(&built);
}

/* Of a line that was cut only what is sure counts. */
static void cut_lines(void **state)
{
	static const struct {
		struct source source;
		const char *line;
		enum filter_result result;
	} rows[] = {
		{ { .fails = { "^ bad <HOST> for " } }, "2026-11-23 08:51:05 bad 192.0.2.1 for xxx",
			FILTER_HIT },
		{ { .fails = { "^ bad <HOST>" } }, "2026-11-23 08:51:05 bad 192.0.2.1",
			FILTER_MISS },
		{ { .fails = { "^ bad <HOST>$" } }, "2026-11-23 08:51:05 bad 192.0.2.1",
			FILTER_MISS },
		{ { .fails = { "^ bad <HOST>\\n" } }, "2026-11-23 08:51:05 bad 192.0.2.1",
			FILTER_MISS },
		{ { .fails = { "^ bad <HOST> .*" } }, "2026-11-23 08:51:05 bad 192.0.2.1 for xxx",
			FILTER_MISS },
		{ { .fails = { "^ bad <HOST> .*$", "bad <HOST> " } },
			"2026-11-23 08:51:05 bad 192.0.2.1 for xxx", FILTER_HIT },
		/* an ignoreregex has to be sure that it does not match */
		{ { .fails = { "^ bad <HOST> for " }, .ignores = { "^ bad 192\\.0\\.2\\.9 " } },
			"2026-11-23 08:51:05 bad 192.0.2.1 for xxx", FILTER_HIT },
		{ { .fails = { "^ bad <HOST> for " }, .ignores = { "^ bad 192\\.0\\.2\\.1 " } },
			"2026-11-23 08:51:05 bad 192.0.2.1 for xxx", FILTER_IGNORED },
		{ { .fails = { "^ bad <HOST> for " }, .ignores = { "by me$" } },
			"2026-11-23 08:51:05 bad 192.0.2.1 for xxx", FILTER_IGNORED },
		{ { .fails = { "^ bad <HOST> for " }, .ignores = { "^.*by me$" } },
			"2026-11-23 08:51:05 bad 192.0.2.1 for xxx", FILTER_IGNORED },
		{ { .fails = { "^ bad <HOST> for " }, .ignores = { "by me$" } },
			"2026-11-23 08:51:05 good 192.0.2.1 for xxx", FILTER_MISS },
		{ { .fails = { "^ bad <HOST> for ", "x <HOST>", "y <HOST>", "z <HOST>" },
			  .ignores = { "by me" } },
			"2026-11-23 08:51:05 bad 192.0.2.1 for xxx", FILTER_IGNORED },
		/* what prefregex has cut out is whole */
		{ { .prefix = "^ p\\[<F-CONTENT>.*?</F-CONTENT>\\] ",
			  .fails = { "^bad <HOST>$" },
			  .ignores = { "by me$" } },
			"2026-11-23 08:51:05 p[bad 192.0.2.1] xxx", FILTER_HIT },
		{ { .prefix = "^ p\\[<F-CONTENT>.*</F-CONTENT>\\] ", .fails = { "^bad <HOST>$" } },
			"2026-11-23 08:51:05 p[bad 192.0.2.1] xxx", FILTER_MISS },
		{ { .fails = { "^ bad <HOST> for " }, .maxlines = 2 },
			"2026-11-23 08:51:05 bad 192.0.2.1 for xxx", FILTER_MISS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct findings findings = { 0 };
		struct built built;
		struct filter *filter = build(&built, &rows[i].source, &findings);
		const struct line line = { .text = rows[i].line,
			.length = strlen(rows[i].line),
			.cut = true };
		struct hit hit;

		assert_non_null(filter);
		if (filter_match(filter, &line, now_s, &hit) != rows[i].result)
			fail_msg("row %zu", i);
		filter_free(filter);
		release(&built);
		findings_done(&findings);
	}
}

/* What the filter says of its service goes before what its rules find. */
static void proof_of_the_service(void **state)
{
	static const struct {
		enum proof proof;
		const char *line;
		enum hit_proof hit;
	} rows[] = {
		{ PROOF_UNSET, "fail via UDP from 192.0.2.1", HIT_UNPROVEN },
		{ PROOF_UNSET, "fail via TCP from 192.0.2.1", HIT_PROVEN },
		{ PROOF_TCP, "fail via UDP from 192.0.2.1", HIT_PROVEN },
		{ PROOF_TCP, "fail via UDP from example.org", HIT_UNPROVEN },
		{ PROOF_NONE, "fail via TCP from 192.0.2.1", HIT_UNPROVEN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct source source = { .fails = { "fail via <F-TRANSPORT>\\w+</F-TRANSPORT> from "
						    "<HOST>$" },
			.usedns = true,
			.proof = rows[i].proof };
		struct line line = { .text = rows[i].line, .length = strlen(rows[i].line) };
		struct findings findings = { 0 };
		struct filter *filter;
		struct built built;
		struct hit hit;

		filter = build(&built, &source, &findings);
		assert_non_null(filter);
		assert_int_equal(filter_match(filter, &line, now_s, &hit), FILTER_HIT);
		if (hit.proof != rows[i].hit)
			fail_msg("row %zu: %d", i, (int)hit.proof);
		filter_free(filter);
		release(&built);
		findings_done(&findings);
	}
}

static void findings_told(void **state)
{
	static const struct {
		struct source source;
		const char *text;
		unsigned column; /* of the finding; 0: not looked at */
	} rows[] = {
		{ { .fails = { "<HOST> (" } }, "failregex: missing closing parenthesis", 21 },
		{ { .fails = { "x" } }, "names no address", 13 },
		{ { .fails = { NULL } }, "no failregex", 0 },
		{ { .fails = { "a<HOST>(?L)" } }, "the flag L is for bytes", 20 },
		{ { .fails = { "<HOST>" }, .date = "(%Y" }, "datepattern does not compile", 19 },
		/* a percent sign is two in the file */
		{ { .fails = { "<HOST>" }, .date = "%Y-%Q" }, "'%Q' is no part of a date", 19 },
		{ { .fails = { "<HOST>" }, .zone = "XYZ" }, "'XYZ' is no time zone", 16 },
		{ { .fails = { "<HOST><F-A>x</F-A><F-A>y</F-A>" } }, "same name", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct findings findings = { 0 };
		struct built built;

		assert_null(build(&built, &rows[i].source, &findings));
		assert_int_equal(findings.errors, 1);
		if (!strstr(findings.list[0].text, rows[i].text))
			fail_msg("row %zu: %s", i, findings.list[0].text);
		if (rows[i].column && findings.list[0].column != rows[i].column)
			fail_msg("row %zu: column %u", i, findings.list[0].column);
		release(&built);
		findings_done(&findings);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lines), cmocka_unit_test(times),
		cmocka_unit_test(limits), cmocka_unit_test(cut_lines),
		cmocka_unit_test(proof_of_the_service), cmocka_unit_test(findings_told) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
