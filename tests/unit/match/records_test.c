/* Filters with `parser = asterisk-security`. */
/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/findings.h"
#include "config/config.h"
#include "follow/line.h"
#include "match/filter.h"
#include "match/records.h"

enum { RULES_MAX = 4, NOW_S = 1795500000 }; /* 2026-11-24T06:00:00Z */

enum { VERSION_OF_MARK = 0xffff };

#define FILE_HEAD "[2026-11-23 08:51:05] SECURITY[74] res_security_log.c: "
#define EVENT_OF(service, name)                                                                    \
	"SecurityEvent=\"" name "\",EventTV=\"2026-11-23T08:51:05.686+0000\",Severity=\"Error\","  \
	"Service=\"" service "\",EventVersion=\"1\",AccountID=\""
#define EVENT(name) EVENT_OF("PJSIP", name)
#define ADDRESS(transport, ip)                                                                     \
	",LocalAddress=\"IPV4/UDP/192.0.2.10/5060\",RemoteAddress=\"IPV4/" transport "/" ip        \
	"/5062\""
#define SESSION "\",SessionID=\"abc@192.0.2.9\""
#define UNKNOWN FILE_HEAD EVENT("InvalidAccountID") "100" SESSION ADDRESS("UDP", "198.51.100.1")
#define GUESS                                                                                      \
	FILE_HEAD EVENT("ChallengeResponseFailed") "101" SESSION ADDRESS("TCP",                    \
		"198.51.100.2") ",Challenge=\"1/2\",Response=\"3\","                               \
				"ExpectedResponse=\"\""
#define ACL                                                                                        \
	FILE_HEAD EVENT("FailedACL") "102" SESSION ADDRESS("UDP", "198.51.100.3") ",ACLName=\"x\""
#define ACL_OF(thread)                                                                             \
	"[2026-11-23 08:51:05] SECURITY[" thread "] res_security_log.c: " EVENT(                   \
		"FailedACL") "102" SESSION ADDRESS("UDP", "198.51.100.3") ",ACLName=\"x\""
#define NOTICE "[2026-11-23 08:51:05] NOTICE[33] x.c: nothing of a record"
#define SENT                                                                                       \
	FILE_HEAD EVENT(                                                                           \
		"ChallengeSent") "103" SESSION ADDRESS("UDP", "198.51.100.4") ",Challenge=\"\""

struct rules {
	const char *fails[RULES_MAX];
	const char *ignore;
	const char *prefix;
};

static const struct rules shipped = { .fails = { "^SecurityEvent=\"FailedACL\",",
					      "^SecurityEvent=\"InvalidAccountID\",",
					      "^SecurityEvent=\"ChallengeResponseFailed\"," } };

/* Rules stay where they are as long as the filter. */
struct fixture {
	struct config_text fails[RULES_MAX];
	struct config_text ignore;
	struct filter_def def;
	struct filter *filter;
};

static void open_rules(struct fixture *fixture, const struct rules *rules)
{
	struct findings findings = { 0 };
	size_t count = 0;

	*fixture = (struct fixture){ .ignore.text = (char *)(uintptr_t)rules->ignore };
	while (count < RULES_MAX && rules->fails[count]) {
		fixture->fails[count].text = (char *)(uintptr_t)rules->fails[count];
		count++;
	}
	fixture->def = (struct filter_def){ .path = (char *)(uintptr_t) "test",
		.failregex = fixture->fails,
		.n_failregex = count,
		.ignoreregex = &fixture->ignore,
		.n_ignoreregex = rules->ignore != NULL,
		.prefregex = { .text = (char *)(uintptr_t)rules->prefix },
		.parser = { .text = (char *)(uintptr_t) "asterisk-security" },
		.maxlines = 1 };
	fixture->filter = filter_new(&fixture->def, &findings);
	assert_non_null(fixture->filter);
	findings_done(&findings);
}

static enum filter_result match(struct fixture *fixture, const char *line, struct hit *hit)
{
	return filter_match(fixture->filter, &(struct line){ .text = line, .length = strlen(line) },
		NOW_S, hit);
}

static bool is(const char *bytes, size_t length, const char *text)
{
	return length == strlen(text) && !memcmp(bytes, text, length);
}

/* Who, when, how proven: from the reader alone. */
static void hits(void **state)
{
	static const struct {
		const char *line;
		const char *host;
		const char *account;
		enum hit_event event;
		unsigned rule;
		bool proven;
		bool doubtful;
	} rows[] = {
		{ ACL, "198.51.100.3", "102", HIT_ACL, 1, false, false },
		{ UNKNOWN, "198.51.100.1", "100", HIT_UNKNOWN_ACCOUNT, 2, false, false },
		{ GUESS, "198.51.100.2", "101", HIT_GUESS, 3, true, false },
		{ FILE_HEAD EVENT("InvalidAccountID") "a\",SessionID=\"1" ADDRESS("TCP",
			  "203.0.113.9") SESSION ADDRESS("UDP", "198.51.100.1"),
			"198.51.100.1", NULL, HIT_UNKNOWN_ACCOUNT, 2, false, false },
		{ "2026-11-23T08:51:05+00:00 pbx asterisk[1]: [2026-11-23 08:51:05] SECURITY[74]: "
		  "res_security_log.c:114 cb: " EVENT("InvalidAccountID")
				SESSION ADDRESS("WSS", "198.51.100.1"),
			"198.51.100.1", "", HIT_UNKNOWN_ACCOUNT, 2, true, false },
		/* what went through syslog proves nothing */
		{ "2026-11-23T08:51:05+00:00 pbx asterisk[1]: SECURITY[7]: "
		  "res_security_log.c:114 in cb: " EVENT("InvalidAccountID")
				SESSION ADDRESS("WSS", "198.51.100.1"),
			"198.51.100.1", "", HIT_UNKNOWN_ACCOUNT, 2, false, true },
	};
	struct fixture fixture;

	(void)state;
	open_rules(&fixture, &shipped);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct hit hit;

		assert_int_equal(match(&fixture, rows[i].line, &hit), FILTER_HIT);
		assert_true(is(hit.host, hit.host_length, rows[i].host));
		assert_false(hit.host_is_name);
		assert_true(hit.has_time);
		assert_true(hit.at_ms == INT64_C(1795423865686));
		assert_int_equal(hit.rule, rows[i].rule);
		assert_int_equal(hit.event, rows[i].event);
		assert_int_equal(hit.proof == HIT_PROVEN, rows[i].proven);
		assert_int_equal(hit.proof == HIT_DOUBTFUL, rows[i].doubtful);
		assert_int_equal(hit.n_lines, 1);
		if (rows[i].account)
			assert_true(is(hit.account ? hit.account : "", hit.account_length,
				rows[i].account));
	}
	filter_free(fixture.filter);
}

static void fields(void **state)
{
	static const char *const wanted[][2] = { { "event", "ChallengeResponseFailed" },
		{ "service", "PJSIP" }, { "transport", "TCP" }, { "account", "101" },
		{ "session", "abc@192.0.2.9" }, { "challenge", "1/2" } };
	struct fixture fixture;
	struct hit hit;

	(void)state;
	open_rules(&fixture, &shipped);
	assert_int_equal(match(&fixture, GUESS, &hit), FILTER_HIT);
	assert_int_equal(hit.n_fields, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_string_equal(hit.fields[i].name, wanted[i][0]);
		assert_true(is(hit.fields[i].value, hit.fields[i].length, wanted[i][1]));
	}
	assert_true(is(hit.challenge.text, hit.challenge.length, "1/2"));
	assert_true(is(hit.transport.text, hit.transport.length, "TCP"));
	assert_int_equal(hit.port, 5062);
	filter_free(fixture.filter);
}

/* The same session, the same number, in any filter; none: 0. */
static void sessions(void **state)
{
	struct fixture a;
	struct fixture b;
	struct hit first;
	struct hit second;

	(void)state;
	open_rules(&a, &shipped);
	open_rules(&b, &shipped);
	assert_int_equal(match(&a, GUESS, &first), FILTER_HIT);
	assert_int_equal(match(&b, UNKNOWN, &second), FILTER_HIT);
	assert_true(first.session && first.session == second.session);
	assert_int_equal(
		match(&a,
			FILE_HEAD EVENT("InvalidAccountID") "1\",SessionID=\"other\"" ADDRESS("UDP",
				"198.51.100.1"),
			&second),
		FILTER_HIT);
	assert_true(second.session && first.session != second.session);
	assert_int_equal(match(&a,
				 FILE_HEAD EVENT(
					 "InvalidAccountID") "1\",SessionID=\"\"" ADDRESS("UDP",
					 "198.51.100.1"),
				 &second),
		FILTER_HIT);
	assert_true(second.session == 0);
	filter_free(a.filter);
	filter_free(b.filter);
}

/* Others name a session by its place in memory, and the next one has the same. */
static void no_sessions(void **state)
{
	static const char *const lines[] = {
		FILE_HEAD EVENT_OF("AMI", "FailedACL") SESSION ADDRESS("TCP",
			"203.0.113.21") ",SessionTV=\"1970-01-01T00:00:00.000+0000\"",
		FILE_HEAD EVENT_OF("SIP", "InvalidAccountID")
			SESSION ADDRESS("UDP", "198.51.100.1"),
	};
	struct fixture fixture;
	struct hit hit;

	(void)state;
	open_rules(&fixture, &shipped);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(match(&fixture, lines[i], &hit), FILTER_HIT);
		assert_true(hit.session == 0);
	}
	filter_free(fixture.filter);
}

/* A stamp in the future counts as now. */
static void future(void **state)
{
	struct fixture fixture;
	struct hit hit;

	(void)state;
	open_rules(&fixture, &shipped);
	assert_int_equal(filter_match(fixture.filter,
				 &(struct line){ .text = ACL, .length = strlen(ACL) }, 1795423860,
				 &hit),
		FILTER_HIT);
	assert_true(hit.at_ms == INT64_C(1795423860000));
	assert_int_equal(filter_match(fixture.filter,
				 &(struct line){ .text = ACL,
					 .length = strlen(ACL),
					 .dated = true,
					 .at_ms = 1 },
				 NOW_S, &hit),
		FILTER_HIT);
	assert_true(hit.at_ms == INT64_C(1795423865686)); /* the record's own */
	filter_free(fixture.filter);
}

/* What the rules see, and that they only say whether it counts. */
static void rules_say(void **state)
{
	static const struct {
		struct rules rules;
		const char *line;
		enum filter_result result;
		unsigned rule;
	} rows[] = {
		{ { .fails = { "^.*SECURITY\\[" } }, ACL, FILTER_MISS, 0 },
		{ { .fails = { "x\"\\n$" } }, ACL, FILTER_HIT, 1 },
		{ { .fails = { "^SecurityEvent=\"\\w+\"" } }, SENT, FILTER_HIT, 1 },
		{ { .fails = { "RemoteAddress=\"IPV4/UDP/<HOST>/" } }, ACL, FILTER_HIT, 1 },
		{ { .fails = { "no", "LocalAddress=\"IPV4/UDP/<HOST>/" } }, ACL, FILTER_HIT, 2 },
		{ { .fails = { "FailedACL" }, .ignore = "ACLName=\"x\"$" }, ACL, FILTER_IGNORED,
			1 },
		{ { .fails = { "Failed" }, .ignore = "ACLName" }, GUESS, FILTER_HIT, 1 },
		{ { .fails = { "a", "e", "i", "o" }, .ignore = "ACLName" }, ACL, FILTER_IGNORED,
			0 },
		{ { .fails = { "^PJSIP$" }, .prefix = "Service=\"<F-CONTENT>\\w+</F-CONTENT>\"" },
			ACL, FILTER_HIT, 1 },
		{ { .fails = { "PJSIP" }, .prefix = "Service=\"SIP\"" }, ACL, FILTER_MISS, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fixture fixture;
		struct hit hit;

		open_rules(&fixture, &rows[i].rules);
		if (match(&fixture, rows[i].line, &hit) != rows[i].result)
			fail_msg("row %zu", i);
		assert_int_equal(hit.rule, rows[i].rule);
		if (rows[i].result == FILTER_HIT && rows[i].line == (const char *)ACL)
			assert_true(is(hit.host, hit.host_length, "198.51.100.3"));
		filter_free(fixture.filter);
	}
}

/* Padding that makes a rule give up does not evade; it does not make an offence of a login. */
static void padding(void **state)
{
	static const struct {
		const char *event;
		const char *tail;
		struct rules rules;
		enum filter_result result;
		unsigned rule;
	} rows[] = {
		{ "FailedACL", ",ACLName=\"x\"", { .fails = { "NO", "SessionID=\"(?:a+)+\\d" } },
			FILTER_HIT, 2 },
		{ "FailedACL", ",ACLName=\"x\"",
			{ .fails = { "SessionID=\"(?:a+)+\\d", "FailedACL" } }, FILTER_HIT, 2 },
		{ "FailedACL", ",ACLName=\"x\"",
			{ .fails = { "FailedACL" }, .ignore = "SessionID=\"(?:a+)+\\d" },
			FILTER_HIT, 1 },
		{ "FailedACL", ",ACLName=\"x\"",
			{ .fails = { "NO" }, .ignore = "SessionID=\"(?:a+)+\\d" }, FILTER_MISS, 0 },
		{ "FailedACL", ",ACLName=\"x\"",
			{ .fails = { "FailedACL" }, .prefix = "SessionID=\"(?:a+)+\\d" },
			FILTER_HIT, 1 },
		{ "ChallengeSent", ",Challenge=\"\"", { .fails = { "SessionID=\"(?:a+)+\\d" } },
			FILTER_MISS, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fixture fixture;
		char line[2000];
		char pad[500];
		struct hit hit;

		memset(pad, 'a', sizeof(pad) - 1);
		pad[sizeof(pad) - 1] = '\0';
		(void)snprintf(line, sizeof(line),
			FILE_HEAD
			"SecurityEvent=\"%s\",EventTV=\"2026-11-23T08:51:05.686+0000\","
			"Severity=\"Error\",Service=\"PJSIP\",EventVersion=\"1\","
			"AccountID=\"1\",SessionID=\"%s\"" ADDRESS("UDP", "198.51.100.3") "%s",
			rows[i].event, pad, rows[i].tail);
		open_rules(&fixture, &rows[i].rules);
		if (match(&fixture, line, &hit) != rows[i].result || hit.rule != rows[i].rule)
			fail_msg("row %zu: rule %u", i, hit.rule);
		filter_free(fixture.filter);
	}
}

/* Which rule it was that gave up. */
static void limited(void **state)
{
	static const struct rules rules = { .fails = { "FailedACL\\d", "(?:.+)+[\\x01\\x02]" },
		.ignore = "(?:.+)+[\\x01\\x02]" };
	struct fixture fixture;
	struct filter_limited rule;
	struct hit hit;

	(void)state;
	open_rules(&fixture, &rules);
	assert_int_equal(match(&fixture, ACL, &hit), FILTER_HIT);
	assert_true(filter_limited(fixture.filter, 0, &rule));
	assert_int_equal(rule.lines, 0);
	assert_true(filter_limited(fixture.filter, 1, &rule));
	assert_string_equal(rule.kind, "failregex");
	assert_int_equal(rule.number, 2);
	assert_int_equal(rule.lines, 1);
	assert_true(filter_limited(fixture.filter, 2, &rule));
	assert_string_equal(rule.kind, "ignoreregex");
	assert_int_equal(rule.number, 1);
	assert_int_equal(rule.lines, 1);
	assert_false(filter_limited(fixture.filter, 3, &rule));
	assert_int_equal(filter_limit_hits(fixture.filter), 2);
	filter_free(fixture.filter);
}

#define JOINED_1 FILE_HEAD EVENT("InvalidAccountID") "a"
#define JOINED_2 "b" SESSION ADDRESS("UDP", "198.51.100.7")

/* What each line is taken for, and how many it makes of those that raise an alarm. */
static const struct {
	const char *line;
	enum asterisk_kind kind;
	unsigned blind;
	bool waits;
} kinds[] = {
	{ "nothing", ASTERISK_OTHER, 0, false },
	{ ACL, ASTERISK_RECORD, 0, false },
	{ SENT, ASTERISK_RECORD, 0, false },
	{ JOINED_1, ASTERISK_CUT, 0, true },
	{ JOINED_2, ASTERISK_RECORD, 0, false },
	{ JOINED_1, ASTERISK_CUT, 0, true },
	{ "", ASTERISK_REST, 0, true },
	{ "more", ASTERISK_REST, 0, true },
	{ JOINED_2, ASTERISK_RECORD, 0, false },
	{ JOINED_1, ASTERISK_CUT, 0, true },
	{ ACL, ASTERISK_RECORD, 1, false }, /* the first is lost */
	{ JOINED_1, ASTERISK_CUT, 0, true },
	{ JOINED_1, ASTERISK_CUT, 1, true },
	{ "{}", ASTERISK_OTHER, 1, false },
	{ JOINED_1, ASTERISK_CUT, 0, true },
	{ "", ASTERISK_REST, 0, true },
	{ FILE_HEAD EVENT("FailedACL") "x", ASTERISK_CUT, 2, false },
	{ "a line behind", ASTERISK_OTHER, 0, false },
	{ FILE_HEAD EVENT("FailedACL") "x" FILE_HEAD EVENT("FailedACL"), ASTERISK_GLUED, 1, false },
	{ FILE_HEAD EVENT("FailedACL") "x" ACL, ASTERISK_RECORD, 1, false }, /* the first was cut */
	{ FILE_HEAD EVENT("FailedACL") "x" FILE_HEAD EVENT("FailedACL") "x" SENT, ASTERISK_RECORD,
		1, false },
	{ FILE_HEAD EVENT("InvalidAccountID") "1\",SessionID=\"" FILE_HEAD EVENT(
		  "ChallengeSent") "1" SESSION ADDRESS("UDP", "198.51.100.1"),
		ASTERISK_RECORD, 0, false }, /* a value looks like a head */
	{ FILE_HEAD "SecurityEvent=\"FailedACL\",x", ASTERISK_FORGED, 1, false },
	{ FILE_HEAD EVENT("Strange") "1" SESSION, ASTERISK_UNKNOWN, 0, false },
	{ "[2026-11-23 08:51:05] ERROR[33] security_events.c: Failed to issue security event of "
	  "type ChallengeResponseFailed.",
		ASTERISK_NOT_UTF8, 1, false },
	{ "[2026-11-23 08:51:05] WARNING[33] logger.c: Logging resumed.  250 messages discarded.",
		ASTERISK_DISCARDED, 1, false },
	{ NOTICE, ASTERISK_OTHER, 0, false },
	{ ACL_OF("75"), ASTERISK_RECORD, 1, false }, /* of another thread */
	{ ACL_OF("75"), ASTERISK_RECORD, 0, false },
};

static void match_cut(struct fixture *fixture, const char *start)
{
	const struct line line = { .text = start, .length = strlen(start), .cut = true };
	struct hit hit;

	assert_int_equal(filter_match(fixture->filter, &line, NOW_S, &hit), FILTER_MISS);
}

static void counts(void **state)
{
	/* those that were lost, and the record of another thread */
	uint64_t wanted[ASTERISK_KINDS] = { [ASTERISK_CUT] = 6, [ASTERISK_THREAD] = 1 };
	struct fixture fixture;
	uint64_t blind = 0;
	struct hit hit;

	(void)state;
	open_rules(&fixture, &shipped);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		(void)match(&fixture, kinds[i].line, &hit);
		blind += kinds[i].blind;
		if (filter_records(fixture.filter)->kind != kinds[i].kind ||
			filter_records(fixture.filter)->waits != kinds[i].waits ||
			filter_records(fixture.filter)->blind != blind)
			fail_msg("line %zu: %s", i,
				asterisk_kind_text(filter_records(fixture.filter)->kind));
		wanted[kinds[i].kind] += kinds[i].kind != ASTERISK_CUT || !kinds[i].waits;
	}
	match_cut(&fixture, ACL);
	assert_int_equal(filter_records(fixture.filter)->kind, ASTERISK_CUT);
	wanted[ASTERISK_CUT]++;
	match_cut(&fixture, "nothing");
	wanted[ASTERISK_OTHER]++;
	for (int kind = 0; kind < ASTERISK_KINDS; kind++)
		assert_int_equal(filter_records(fixture.filter)->lines[kind], wanted[kind]);
	assert_int_equal(filter_records(fixture.filter)->blind, blind + 1);
	filter_free(fixture.filter);
}

/* Each head in a line too long to be read is counted, wherever its pieces end. */
static void long_lines(void **state)
{
	enum { HEADS = 40, PIECE_MAX = 60 };
	static const char guess[] =
		FILE_HEAD EVENT("ChallengeResponseFailed") "100\",SessionID=\"E";
	static char text[HEADS * sizeof(guess)];
	size_t length = 0;

	(void)state;
	for (int i = 0; i < HEADS; i++, length += sizeof(guess) - 1)
		memcpy(text + length, guess, sizeof(guess) - 1);
	for (size_t piece = 1; piece <= PIECE_MAX; piece++) {
		struct fixture fixture;
		struct hit hit;

		open_rules(&fixture, &shipped);
		for (size_t at = 0; at < length; at += piece) {
			const struct line line = { .text = text + at,
				.length = length - at < piece ? length - at : piece,
				.cut = at == 0,
				.rest = at > 0 };

			assert_int_equal(filter_match(fixture.filter, &line, NOW_S, &hit),
				FILTER_MISS);
		}
		assert_int_equal(filter_records(fixture.filter)->blind, HEADS);
		/* what ended the piece before it is no beginning of this one */
		match_cut(&fixture, "res_security");
		match_cut(&fixture, "_log.c");
		assert_int_equal(filter_records(fixture.filter)->blind, HEADS);
		filter_free(fixture.filter);
	}
}

/* Nothing is joined over a line that could not be read. */
static void gap(void **state)
{
	struct fixture fixture;
	struct hit hit;

	(void)state;
	open_rules(&fixture, &shipped);
	assert_int_equal(match(&fixture, JOINED_1, &hit), FILTER_MISS);
	match_cut(&fixture, "x");
	assert_int_equal(filter_records(fixture.filter)->blind, 1);
	assert_int_equal(match(&fixture, JOINED_2, &hit), FILTER_MISS);
	filter_free(fixture.filter);
}

#define BANNER(version)                                                                            \
	"[2026-11-23 08:51:00] Asterisk " version " built by me @ here on a x86_64 running Linux " \
	"on 2026-07-20 21:35:32 UTC"
/* An answer with an address of its own before the true one: a bare quote in the Call-ID. */
#define QUOTED                                                                                     \
	FILE_HEAD EVENT("ChallengeResponseFailed") "101" SESSION ADDRESS("TCP", "192.0.2.99")      \
		ADDRESS("UDP", "198.51.100.2") ",Challenge=\"1/2\",Response=\"3\","                \
					       "ExpectedResponse=\"\""

/* As short as a record gets. */
#define TINY                                                                                       \
	"[1-1-1 1:1:1] SECURITY[74] res_security_log.c: " EVENT(                                   \
		"InvalidAccountID") "\",SessionID=\"\",LocalAddress=\"IPV4/UDP/1.1.1.1/1\",RemoteAddress=\"IPV4/UDP/2.2.2.2/1\""

/* Lines of several logs come by turns: each is read for itself. */
static void logs(void **state)
{
	static const struct {
		const char *path;
		const char *line;
		unsigned version; /* known of the log before */
		bool at_head;
		enum asterisk_kind kind;
		unsigned version_then;
	} rows[] = {
		{ "/a", JOINED_1, 0, true, ASTERISK_CUT, 0 },
		{ "/b", ACL, 0, true, ASTERISK_RECORD, 0 },
		{ "/b", JOINED_2, 0, false, ASTERISK_OTHER, 0 },
		{ "/a", JOINED_2, 0, false, ASTERISK_RECORD, 0 },
		/* the banner decides whether a bare quote can be the sender's */
		{ "/a", QUOTED, 0, false, ASTERISK_FORGED, 0 },
		{ "/b", BANNER("22.10.1"), 0, false, ASTERISK_OTHER, 22 },
		{ "/b", NOTICE, 0, false, ASTERISK_OTHER, 22 }, /* so it tells nothing of others */
		{ "/b", QUOTED, 0, false, ASTERISK_RECORD, 22 },
		{ "/a", QUOTED, 0, false, ASTERISK_FORGED, 0 },
		/* known from before, and for longer than a log's own first line */
		{ "/c", QUOTED, 22, false, ASTERISK_RECORD, 22 },
		{ "/d", QUOTED, 18, false, ASTERISK_FORGED, 18 },
		{ "/e", TINY, 0, false, ASTERISK_FORGED, 0 }, /* may be a value's end */
		{ "/f", TINY, 0, true, ASTERISK_RECORD, 0 },
		{ "/g", TINY, 20, false, ASTERISK_RECORD, 20 },
		/* a new file of the same name: its own banner is believed */
		{ "/d", BANNER("22.10.1"), 18, false, ASTERISK_OTHER, 18 },
		{ "/d", BANNER("22.10.1"), 18, true, ASTERISK_OTHER, 22 },
		{ "/d", JOINED_1, 22, false, ASTERISK_CUT, 22 },
		{ "/d", JOINED_2, 22, true, ASTERISK_OTHER, 22 },
	};
	struct fixture fixture;
	const struct records *records;
	struct hit hit;

	(void)state;
	open_rules(&fixture, &shipped);
	records = filter_records(fixture.filter);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint32_t version = rows[i].version;
		const struct line line = { .text = rows[i].line,
			.length = strlen(rows[i].line),
			.path = rows[i].path,
			.mark = &version,
			.at_head = rows[i].at_head };

		(void)filter_match(fixture.filter, &line, NOW_S, &hit);
		version &= VERSION_OF_MARK;
		if (records->kind != rows[i].kind || version != rows[i].version_then)
			fail_msg("line %zu: %s, version %u", i, asterisk_kind_text(records->kind),
				version);
	}
	/* of the last row's file before: its beginning is lost */
	assert_int_equal(records->lines[ASTERISK_CUT], 1);
	filter_free(fixture.filter);
}

/* What the log at path is known to be written by, when its first line is `head`, and it was known
 * as `version` before. */
static unsigned version_of(const struct fixture *fixture, const char *path, const char *head,
	uint32_t version)
{
	const struct line line = { .text = head,
		.length = strlen(head),
		.path = path,
		.mark = &version,
		.only_head = true };
	struct hit hit;

	assert_int_equal(filter_match(fixture->filter, &line, NOW_S, &hit), FILTER_MISS);
	return version & VERSION_OF_MARK;
}

/* The first line of a log that is read from further on tells what wrote it, unless that is known.
 */
static void head(void **state)
{
	struct fixture fixture;

	(void)state;
	open_rules(&fixture, &shipped);
	assert_int_equal(version_of(&fixture, "/a", ACL, 0), 0);
	assert_int_equal(version_of(&fixture, "/a", BANNER("22.1.0"), 0), 22);
	assert_int_equal(version_of(&fixture, "/b", BANNER("22.1.0"), 18), 18);
	assert_int_equal(filter_records(fixture.filter)->lines[ASTERISK_OTHER], 0);
	filter_free(fixture.filter);
}

/* A banner holds for the logs that have none, unless it may be a caller's. */
static void siblings(void **state)
{
	static const struct {
		const char *path;
		const char *text;
		bool at_head;
		enum asterisk_kind kind;
		unsigned oldest; /* of the versions that differ */
		unsigned newest;
	} steps[] = {
		{ "/a", QUOTED, false, ASTERISK_FORGED, 0, 0 },
		/* a mixed one tells nothing */
		{ "/mixed", BANNER("22.10.1"), true, ASTERISK_OTHER, 0, 0 },
		{ "/mixed", NOTICE, false, ASTERISK_OTHER, 0, 0 },
		{ "/mixed", QUOTED, false, ASTERISK_RECORD, 0, 0 },
		{ "/a", QUOTED, false, ASTERISK_FORGED, 0, 0 },
		/* one that is read from its middle may be mixed */
		{ "/middle", BANNER("22.10.1"), false, ASTERISK_OTHER, 0, 0 },
		{ "/a", QUOTED, false, ASTERISK_FORGED, 0, 0 },
		{ "/new", BANNER("22.10.1"), true, ASTERISK_OTHER, 0, 0 },
		{ "/a", QUOTED, false, ASTERISK_RECORD, 0, 0 },
		/* the oldest holds, but not for one that says otherwise */
		{ "/old", BANNER("18.2.0"), true, ASTERISK_OTHER, 0, 0 },
		{ "/new", QUOTED, false, ASTERISK_RECORD, 0, 0 },
		{ "/a", QUOTED, false, ASTERISK_FORGED, 18, 22 },
		{ "/mixed", QUOTED, false, ASTERISK_FORGED, 18, 22 },
		{ "/a", BANNER("22.10.1"), true, ASTERISK_OTHER, 18, 22 },
		{ "/a", QUOTED, false, ASTERISK_RECORD, 18, 22 },
	};
	struct fixture fixture;
	struct hit hit;

	(void)state;
	open_rules(&fixture, &shipped);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		const struct records *records = filter_records(fixture.filter);
		const struct line line = { .text = steps[i].text,
			.length = strlen(steps[i].text),
			.path = steps[i].path,
			.at_head = steps[i].at_head };

		(void)filter_match(fixture.filter, &line, NOW_S, &hit);
		if (records->kind != steps[i].kind || records->oldest_version != steps[i].oldest ||
			records->newest_version != steps[i].newest)
			fail_msg("step %zu: %s, %u to %u", i, asterisk_kind_text(records->kind),
				records->oldest_version, records->newest_version);
	}
	filter_free(fixture.filter);
}

/* What is kept of a log with its position tells whether its text proves anything. */
static void proofs(void **state)
{
	static const struct {
		const char *path;
		const char *text;
		bool anew; /* a restart */
		bool unknown;
		bool at_head;
		bool dated;
		bool proven;
	} steps[] = {
		{ "/a", GUESS, true, true, false, false, false },
		{ "/a", GUESS, false, false, true, false, true },
		{ "/a", GUESS, true, false, false, false, true },
		{ "/a", NOTICE, false, false, false, false, false },
		{ "/a", GUESS, false, false, false, false, false },
		{ "/a", GUESS, true, false, false, false, false },
		{ "/a", GUESS, false, false, true, false, true }, /* the next file of its name */
		{ NULL, GUESS, true, true, false, false, true },
		{ NULL, GUESS, true, true, false, true, false }, /* a journal */
		{ NULL, GUESS, false, false, false, true, false },
	};
	struct fixture fixture;
	uint32_t mark = 0;
	struct hit hit;

	(void)state;
	open_rules(&fixture, &shipped);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		const struct line line = { .text = steps[i].text,
			.length = strlen(steps[i].text),
			.path = steps[i].path,
			.mark = steps[i].path ? &mark : NULL,
			.at_head = steps[i].at_head,
			.dated = steps[i].dated };

		if (steps[i].unknown)
			mark = 0;
		if (steps[i].anew) {
			filter_free(fixture.filter);
			open_rules(&fixture, &shipped);
		}
		if (filter_match(fixture.filter, &line, NOW_S, &hit) == FILTER_HIT &&
			(hit.proof == HIT_PROVEN) != steps[i].proven)
			fail_msg("step %zu", i);
	}
	filter_free(fixture.filter);
}

/* A line without a word of the reader's tells that the log is mixed. */
static void every_level(void **state)
{
	struct fixture fixture;
	struct hit hit;

	(void)state;
	open_rules(&fixture, &shipped);
	assert_int_equal(match(&fixture, "nothing", &hit), FILTER_MISS);
	assert_int_equal(match(&fixture, GUESS, &hit), FILTER_HIT);
	assert_int_equal(hit.proof, HIT_PROVEN);
	assert_int_equal(match(&fixture, NOTICE, &hit), FILTER_MISS);
	assert_int_equal(match(&fixture, GUESS, &hit), FILTER_HIT);
	assert_int_equal(hit.proof, HIT_UNPROVEN);
	filter_free(fixture.filter);
}

/* The log that was idle for longest is forgotten. */
static void many_logs(void **state)
{
	struct fixture fixture;
	const struct records *records;
	char path[16];

	(void)state;
	open_rules(&fixture, &shipped);
	records = filter_records(fixture.filter);
	for (int i = 0; i < 2 * RECORDS_LOGS_MAX; i++) {
		assert_int_equal(version_of(&fixture, "/kept", "", i ? 0 : 22), 22);
		(void)snprintf(path, sizeof(path), "/%d", i);
		assert_int_equal(version_of(&fixture, path, "", 18), 18);
		assert_true(records->n_logs <= RECORDS_LOGS_MAX);
	}
	assert_int_equal(version_of(&fixture, "/0", "", 21), 21);
	filter_free(fixture.filter);
}

/* Lines that are none of the reader's change nothing between the others. */
static void others(void **state)
{
	static const unsigned fillers[] = { 0, 1, 3, 100 };

	(void)state;
	for (size_t i = 0; i < sizeof(fillers) / sizeof(*fillers); i++) {
		struct fixture fixture;
		struct fixture plain;
		struct hit hit;
		struct hit wanted;

		open_rules(&fixture, &shipped);
		open_rules(&plain, &shipped);
		for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
			bool waits =
				kinds[k].kind == ASTERISK_CUT || kinds[k].kind == ASTERISK_REST;

			assert_int_equal(match(&fixture, kinds[k].line, &hit),
				match(&plain, kinds[k].line, &wanted));
			for (unsigned n = 0; n < fillers[i] && !waits; n++)
				assert_int_equal(match(&fixture, "nothing of a record", &hit),
					FILTER_MISS);
		}
		for (int kind = ASTERISK_RECORD; kind < ASTERISK_KINDS; kind++)
			assert_int_equal(filter_records(fixture.filter)->lines[kind],
				filter_records(plain.filter)->lines[kind]);
		filter_free(fixture.filter);
		filter_free(plain.filter);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hits),
		cmocka_unit_test(fields),
		cmocka_unit_test(sessions),
		cmocka_unit_test(no_sessions),
		cmocka_unit_test(future),
		cmocka_unit_test(rules_say),
		cmocka_unit_test(padding),
		cmocka_unit_test(limited),
		cmocka_unit_test(counts),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(gap),
		cmocka_unit_test(logs),
		cmocka_unit_test(head),
		cmocka_unit_test(many_logs),
		cmocka_unit_test(others),
		cmocka_unit_test(every_level),
		cmocka_unit_test(proofs),
		cmocka_unit_test(siblings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
