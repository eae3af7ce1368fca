/* The alarm about lines that name nobody. */
/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <syslog.h>

#include "decide/guard_fixture.h"

#include "decide/parts.h"

enum { FINDTIME_S = 600, LINES = BLIND_LINES };

#define HEAD                                                                                       \
	"[2026-11-23 08:51:05] SECURITY[74] res_security_log.c: SecurityEvent=\"FailedACL\","      \
	"EventTV=\"2026-11-23T08:51:05.686+0000\",Severity=\"Error\",Service=\"PJSIP\","           \
	"EventVersion=\"1\",AccountID=\""
#define X40 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define CUT HEAD "100\",SessionID=\"" X40 X40 X40
#define NOT_UTF8                                                                                   \
	"[2026-11-23 08:51:05] ERROR[1] security_events.c: Failed to issue security event of type X."
#define SOUND                                                                                      \
	HEAD "100\",SessionID=\"x\",LocalAddress=\"IPV4/UDP/192.0.2.10/5060\","                    \
	     "RemoteAddress=\"IPV4/UDP/198.51.100.1/5060\",ACLName=\"x\""

#define BANNER(version)                                                                            \
	"[2026-11-23 08:51:00] Asterisk " version " built by me @ here on a x86_64 running Linux " \
	"on 2026-07-20 21:35:32 UTC"

#define JAILS                                                                                      \
	"[DEFAULT]\nlogpath = /var/log/x\nenabled = true\nfilter = security\n"                     \
	"maxretry = 1000\nfindtime = 600\nbantime = 100\n"                                         \
	"[mail]\ndest = root@example.org\n"                                                        \
	"[own]\naction = sendmail[dest=admin@example.org]\n"                                       \
	"[other]\naction = nftables\n"                                                             \
	"[plain]\nfilter = plain\naction = nftables\n"

enum { OWN, OTHER, PLAIN };

static void open_world(struct world *world, const char *jails)
{
	*world = (struct world){ 0 };
	world_dir(world);
	world_put(world, "jail.local", jails);
	world_put(world, "security.conf",
		"[Definition]\nparser = asterisk-security\n"
		"failregex = ^SecurityEvent=\"FailedACL\"\n");
	world_put(world, "plain.conf", "[Definition]\nfailregex = ^fail from <HOST>$\n");
	world_start(world, NOW_S);
	assert_int_equal(world->findings.errors, 0);
}

static void lines(struct world *world, size_t jail, const char *text, unsigned count, int64_t now_s)
{
	for (unsigned i = 0; i < count; i++)
		world_line(world, jail, text, false, now_s);
}

/* One more than the limit within findtime, and only then. */
static void threshold(void **state)
{
	static const struct {
		const char *text;
		unsigned first;
		unsigned then;
		int64_t later_s;
		unsigned alerts;
	} rows[] = {
		{ CUT, LINES, 0, 0, 0 },
		{ CUT, LINES, 1, 0, 1 },
		{ CUT, LINES, 1, FINDTIME_S, 1 },
		{ CUT, LINES, 1, FINDTIME_S + 1, 0 },
		{ CUT, LINES, LINES, FINDTIME_S + 1, 0 },
		{ CUT, LINES, LINES + 1, FINDTIME_S + 1, 1 },
		{ NOT_UTF8, LINES, 1, 1, 1 },
		{ "[x] W[1] logger.c: Logging resumed.  2 messages discarded.", LINES, 1, 1, 1 },
		{ CUT HEAD "1", LINES, 1, 1, 1 },
		{ "[x] SECURITY[1] res_security_log.c: SecurityEvent=\"x", LINES, 1, 1, 1 },
		{ SOUND, LINES, 1, 1, 0 },
		{ "[x] NOTICE[1] x.c: Registration failed", LINES, 1, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct world world;

		open_world(&world, JAILS);
		lines(&world, OWN, rows[i].text, rows[i].first, NOW_S);
		assert_int_equal(world.alerts, 0);
		lines(&world, OWN, rows[i].text, rows[i].then, NOW_S + rows[i].later_s);
		if (world.alerts != rows[i].alerts || world.notes != rows[i].alerts)
			fail_msg("row %zu: %u alerts", i, world.alerts);
		world_done(&world);
	}
}

/* However many there are, one within findtime. */
static void once(void **state)
{
	static const struct {
		int64_t at_s;
		unsigned alerts;
	} rows[] = { { 0, 1 }, { 1, 1 }, { FINDTIME_S / 2, 1 }, { FINDTIME_S - 1, 1 },
		{ FINDTIME_S, 2 }, { FINDTIME_S + 1, 2 }, { 2 * FINDTIME_S, 3 },
		{ -1000000, 3 } /* the clock is set back */, { -1000000 + FINDTIME_S, 4 } };
	struct world world;

	(void)state;
	open_world(&world, JAILS);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		lines(&world, OWN, CUT, 3 * LINES, NOW_S + rows[i].at_s);
		if (world.alerts != rows[i].alerts)
			fail_msg("row %zu: %u alerts", i, world.alerts);
	}
	world_done(&world);
}

/* Who gets it, and what it says. */
static void letters(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, JAILS);
	lines(&world, OWN, CUT, LINES, NOW_S);
	lines(&world, OWN, NOT_UTF8, 1, NOW_S);
	assert_string_equal(world.dest, "admin@example.org");
	assert_non_null(strstr(world.letter.subject, "own: someone is guessing blindly"));
	assert_non_null(strstr(world.letter.body, "more than 20 lines within 10m"));
	assert_non_null(strstr(world.letter.body, "cut 20, not-utf8 1"));
	assert_non_null(strstr(world.letter.body,
		"new SIP requests of unknown sources can be limited by rate in nftables"));
	assert_non_null(strstr(world.letter.body, "[json]"));
	assert_non_null(strstr(world.note, "own: someone is guessing blindly"));
	/* a jail that mails nobody: the general address; each jail has its own count */
	lines(&world, OTHER, CUT, LINES, NOW_S);
	assert_int_equal(world.alerts, 1);
	lines(&world, OTHER, CUT, 1, NOW_S);
	assert_int_equal(world.alerts, 2);
	assert_string_equal(world.dest, "root@example.org");
	/* a plain filter knows nothing of it */
	lines(&world, PLAIN, CUT, 3 * LINES, NOW_S);
	assert_int_equal(world.alerts, 2);
	world_done(&world);
}

/* Without an address the journal has it. */
static void no_mail(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, "[DEFAULT]\nlogpath = /var/log/x\nenabled = true\n"
			   "[own]\nfilter = security\naction = nftables\n");
	lines(&world, OWN, CUT, LINES + 1, NOW_S);
	assert_int_equal(world.alerts, 0);
	assert_int_equal(world.notes, 1);
	world_done(&world);
}

/* Counts by kind; what is read for the first time may be old, and raises nothing. */
static void kinds(void **state)
{
	struct world world;
	struct guard_jail_info info;
	uint64_t patterns[TAIL_PATTERNS_MAX / 64] = { [0] = 1 };
	struct line cut = { .text = CUT,
		.length = strlen(CUT),
		.path = "/var/log/x",
		.patterns = patterns,
		.cut = true,
		.first_read = true };

	(void)state;
	open_world(&world, JAILS);
	for (unsigned i = 0; i < 2 * LINES; i++)
		world_line(&world, OWN, CUT, true, NOW_S);
	world_line(&world, OWN, NOT_UTF8, true, NOW_S);
	world_line(&world, OWN, SOUND, true, NOW_S);
	world_line(&world, OWN, "[x] NOTICE[1] x", true, NOW_S);
	for (unsigned i = 0; i < 2 * LINES; i++)
		guard_line(world.guard, &cut, NOW_S);
	assert_int_equal(world.alerts + world.notes, 0);
	info = world_info(&world, OWN, NOW_S);
	for (int kind = 0; kind < ASTERISK_KINDS; kind++)
		assert_int_equal(info.unsound[kind], kind == ASTERISK_CUT        ? 4 * LINES
						     : kind == ASTERISK_NOT_UTF8 ? 1
										 : 0);
	cut.first_read = false;
	for (unsigned i = 0; i <= LINES; i++)
		guard_line(world.guard, &cut, NOW_S);
	assert_int_equal(world.alerts, 1);
	info = world_info(&world, PLAIN, NOW_S);
	for (int kind = 0; kind < ASTERISK_KINDS; kind++)
		assert_int_equal(info.unsound[kind], 0);
	world_done(&world);
}

/* Logs of two versions in one jail: said once, and no alarm. */
static void versions(void **state)
{
	static const char *const texts[] = { BANNER("22.1.0"), BANNER("18.1.0"), SOUND, SOUND };
	static const char *const paths[] = { "/a", "/b", "/c", "/d" };
	uint64_t patterns[TAIL_PATTERNS_MAX / 64] = { [0] = 1 };
	struct world world;

	(void)state;
	open_world(&world, JAILS);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const struct line line = { .text = texts[i],
			.length = strlen(texts[i]),
			.path = paths[i],
			.patterns = patterns,
			.at_head = true };

		guard_line(world.guard, &line, NOW_S);
		assert_int_equal(world.notes, i > 1);
	}
	assert_string_equal(world.note,
		"own: its logs say that they are of Asterisk 18 and of 22: one that does not say it "
		"for sure is taken to be of the older, and more of its records are given up");
	assert_int_equal(world.alerts, 0);
	world_done(&world);
}

/* A file's last line without a newline: a record was cut there, another program's line is whole. */
static void last_of_a_file(void **state)
{
	static const struct {
		const char *text;
		size_t jail;
		bool open;
		unsigned failures;
		unsigned cut;
	} rows[] = {
		{ SOUND, OWN, false, 1, 0 },
		{ SOUND, OWN, true, 0, 1 },
		{ "[x] NOTICE[1] x", OWN, true, 0, 0 },
		{ "fail from 198.51.100.1", PLAIN, true, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t patterns[TAIL_PATTERNS_MAX / 64] = { [0] = UINT64_C(1) << rows[i].jail };
		struct line line = { .text = rows[i].text,
			.length = strlen(rows[i].text),
			.path = "/var/log/x",
			.patterns = patterns,
			.open = rows[i].open };
		struct guard_jail_info info;
		struct world world;

		open_world(&world, JAILS);
		guard_line(world.guard, &line, NOW_S);
		info = world_info(&world, rows[i].jail, NOW_S);
		if (info.failures_total != rows[i].failures ||
			info.unsound[ASTERISK_CUT] != rows[i].cut)
			fail_msg("row %zu: %u failures", i, (unsigned)info.failures_total);
		world_done(&world);
	}
}

/* A record out of syslog is told, and counts for nobody. */
static void syslog_record(void **state)
{
	static const char text[] =
		"Nov 23 08:51:05 pbx asterisk[8]: SECURITY[74]: res_security_log.c:114 in f: "
		"SecurityEvent=\"FailedACL\",EventTV=\"2026-11-23T08:51:05.686+0000\","
		"Severity=\"Error\",Service=\"PJSIP\",EventVersion=\"1\",AccountID=\"100\","
		"SessionID=\"x\",LocalAddress=\"IPV4/UDP/192.0.2.10/5060\","
		"RemoteAddress=\"IPV4/UDP/198.51.100.1/5060\",ACLName=\"x\"";
	struct guard_jail_info info;
	struct world world;

	(void)state;
	open_world(&world, JAILS);
	lines(&world, OWN, text, LINES + 1, NOW_S);
	info = world_info(&world, OWN, NOW_S);
	assert_int_equal(info.unsound[ASTERISK_SYSLOG], LINES + 1);
	assert_int_equal(info.failures_total, 0);
	assert_int_equal(world.alerts, 1);
	lines(&world, OWN, SOUND, 1, NOW_S);
	assert_int_equal(world_info(&world, OWN, NOW_S).failures_total, 1);
	world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threshold),
		cmocka_unit_test(once),
		cmocka_unit_test(letters),
		cmocka_unit_test(no_mail),
		cmocka_unit_test(versions),
		cmocka_unit_test(kinds),
		cmocka_unit_test(syslog_record),
		cmocka_unit_test(last_of_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
