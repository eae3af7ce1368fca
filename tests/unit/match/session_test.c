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
#include "match/session.h"

static const int64_t now_s = 1795608000;

enum { USER = GROUPS_KNOWN, N_RULES = 8 };

static struct groups said(const char *id, const char *address)
{
	struct groups groups = { 0 };

	groups.values[GROUP_MLFID] = (struct group_value){ id, strlen(id), true };
	if (address)
		groups.values[GROUP_IP4] = (struct group_value){ address, strlen(address), true };
	return groups;
}

static bool knows(struct sessions *sessions, const char *id, int64_t at_s)
{
	struct groups groups = said(id, NULL);
	unsigned lines;

	(void)session_merge(sessions, &groups, USER, 1, at_s, &lines);
	return groups.values[GROUP_IP4].text != NULL;
}

static void open_sessions(struct sessions *sessions, unsigned from, unsigned to, int64_t at_s)
{
	for (unsigned i = from; i < to; i++) {
		char id[16];
		struct groups groups;
		unsigned lines;

		(void)snprintf(id, sizeof(id), "s%u", i);
		groups = said(id, "192.0.2.1");
		(void)session_merge(sessions, &groups, USER, 1, at_s, &lines);
	}
}

/* The oldest goes, however busy; the 101st stranger costs nobody else's address. */
static void eviction(void **state)
{
	struct sessions *sessions = sessions_new();

	(void)state;
	open_sessions(sessions, 0, SESSIONS_MAX, 1000);
	assert_true(knows(sessions, "s0", 1001));
	open_sessions(sessions, SESSIONS_MAX, SESSIONS_MAX + 1, 1002);
	assert_true(knows(sessions, "s1", 1003));
	assert_true(knows(sessions, "s100", 1003));
	/* opened anew, it throws out s1 */
	assert_false(knows(sessions, "s0", 1003));
	assert_false(knows(sessions, "s1", 1003));
	sessions_free(sessions);
}

static void expiry(void **state)
{
	struct sessions *sessions = sessions_new();

	(void)state;
	open_sessions(sessions, 0, 1, 1000);
	assert_true(knows(sessions, "s0", 1000 + SESSION_S - 1));
	assert_false(knows(sessions, "s0", 1000 + SESSION_S));
	/* those that are over go together: one more fits in without an eviction */
	open_sessions(sessions, 1, SESSIONS_MAX, 2000);
	open_sessions(sessions, SESSIONS_MAX, SESSIONS_MAX + 2, 2000 + SESSION_S);
	assert_true(knows(sessions, "s100", 2000 + SESSION_S));
	assert_true(knows(sessions, "s101", 2000 + SESSION_S));
	sessions_free(sessions);
}

/* Cut ids could make one of two. */
static void long_ids(void **state)
{
	struct sessions *sessions = sessions_new();
	char id[SESSION_ID_MAX + 2];
	struct groups groups;
	unsigned lines;

	(void)state;
	memset(id, 'x', sizeof(id));
	id[SESSION_ID_MAX + 1] = '\0';
	groups = said(id, "192.0.2.1");
	assert_true(session_merge(sessions, &groups, USER, 1, 1000, &lines));
	assert_memory_equal(groups.values[GROUP_IP4].text, "192.0.2.1", 9);
	assert_false(knows(sessions, id, 1000));
	id[SESSION_ID_MAX] = '\0';
	groups = said(id, "192.0.2.1");
	assert_true(session_merge(sessions, &groups, USER, 1, 1000, &lines));
	assert_true(knows(sessions, id, 1000));
	sessions_free(sessions);
}

/* A line and what it must do: "-" nothing, else "RULE HOST USER LINES". */
struct step {
	const char *line;
	const char *expected;
};

static const char *const rules[N_RULES] = {
	"^bad(?: u=<F-USER>\\w*</F-USER>)?(?: from <HOST>)?$",
	"^<F-NOFAIL>try</F-NOFAIL>(?: u=<F-USER>\\w*</F-USER>)?(?: from <HOST>)?$",
	"^<F-MLFGAINED>ok</F-MLFGAINED>(?: u=<F-USER>\\w*</F-USER>)?$",
	"^<F-MLFFORGET>gone</F-MLFFORGET>(?: from <HOST>)?$",
	"^<F-NOFAIL><F-MLFFORGET>left</F-MLFFORGET></F-NOFAIL>(?: from <HOST>)?$",
};

/* The answers are those of fail2ban 1.0.2 to the same lines. */
static void conversations(void **state)
{
	static const struct step rows[][8] = {
		/* the address comes first, the failure later */
		{ { "a: try from 192.0.2.1", "-" }, { "a: bad", "1 192.0.2.1  2" },
			{ "a: bad u=x", "1 192.0.2.1 x 1" } },
		/* the failure comes first and is owed */
		{ { "a: bad u=x", "-" }, { "a: try from 192.0.2.1", "2 192.0.2.1 x 2" },
			{ "a: try", "-" } },
		/* another session owes nothing */
		{ { "a: bad", "-" }, { "b: try from 192.0.2.1", "-" },
			{ "a: left from 192.0.2.2", "5 192.0.2.2  2" } },
		/* who gets in owes nothing more */
		{ { "a: bad u=x", "-" }, { "a: ok u=x", "-" }, { "a: left from 192.0.2.1", "-" },
			{ "a: bad", "-" } },
		/* with another user's name it was a failure */
		{ { "a: try u=x from 192.0.2.1", "-" }, { "a: ok u=y", "3 192.0.2.1 y 2" },
			{ "a: left", "5 192.0.2.1 y 1" } },
		{ { "a: try u=x from 192.0.2.1", "-" }, { "a: ok u=x", "-" }, { "a: left", "-" } },
		/* a session that ended is not known any more */
		{ { "a: try from 192.0.2.1", "-" }, { "a: gone", "4 192.0.2.1  2" },
			{ "a: bad", "-" }, { "a: gone", "-" } },
		{ { "a: gone from 192.0.2.1", "4 192.0.2.1  1" }, { "a: bad", "-" } },
		/* the later address counts */
		{ { "a: try from 192.0.2.1", "-" }, { "a: bad from 192.0.2.2", "1 192.0.2.2  2" },
			{ "a: bad", "1 192.0.2.2  1" } },
		/* an empty user is no other one */
		{ { "a: try u= from 192.0.2.1", "-" }, { "a: try u=x", "-" }, { "a: try", "-" } },
	};
	struct config_text texts[N_RULES] = { 0 };
	struct config_text prefix = { .text = (char *)(uintptr_t) "^<F-MLFID>\\w:</F-MLFID> "
								  "<F-CONTENT>.+</F-CONTENT>$" };
	struct filter_def def = { .path = (char *)(uintptr_t) "test",
		.failregex = texts,
		.prefregex = prefix,
		.maxlines = 1 };

	(void)state;
	for (size_t i = 0; i < N_RULES && rules[i]; i++)
		texts[def.n_failregex++].text = (char *)(uintptr_t)rules[i];
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct findings findings = { 0 };
		struct filter *filter = filter_new(&def, &findings);

		assert_non_null(filter);
		for (const struct step *step = rows[i]; step < rows[i] + 8 && step->line; step++) {
			struct hit hit;
			char got[100] = "-";

			if (filter_match(filter,
				    &(struct line){ .text = step->line,
					    .length = strlen(step->line) },
				    now_s, &hit) == FILTER_HIT)
				(void)snprintf(got, sizeof(got), "%u %.*s %.*s %u", hit.rule,
					(int)hit.host_length, hit.host, (int)hit.account_length,
					hit.account ? hit.account : "", hit.n_lines);
			else
				assert_true(hit.rule > 0);
			if (strcmp(got, step->expected) != 0)
				fail_msg("row %zu, %s: %s", i, step->line, got);
		}
		filter_free(filter);
		findings_done(&findings);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(eviction), cmocka_unit_test(expiry),
		cmocka_unit_test(long_ids), cmocka_unit_test(conversations) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
