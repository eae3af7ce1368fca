#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/config.h"
#include "decide/bans.h"
#include "decide/counter.h"
#include "decide/letter.h"
#include "engine/mail_rate.h"

static char name[] = "sip";
static struct letter letter;

static struct config_jail jail_of(void)
{
	return (struct config_jail){ .name = name,
		.maxretry = 3,
		.findtime_s = 600,
		.bantime_s = 3600,
		.bans = true,
		.scopes = { { .protocol = IPPROTO_UDP,
			.n_ranges = 1,
			.ranges = { { 5060, 5061 } } } },
		.n_scopes = 1,
		.narrow = { { .protocol = IPPROTO_UDP,
			.n_ranges = 1,
			.ranges = { { 5060, 5061 } } } },
		.n_narrow = 1 };
}

static struct ban ban_of(void)
{
	struct ban ban = { .since_s = 1700000000, .until_s = 1700003600, .failures = 3 };

	assert_int_equal(ip_parse("192.0.2.1", 9, &ban.ip), 0);
	return ban;
}

static void assert_has(const char *text)
{
	if (!strstr(letter.body, text))
		fail_msg("no \"%s\" in:\n%s", text, letter.body);
}

static void test_ban_of_a_jail(void **state)
{
	static char line[] = "bad\x1b[2J line from 192.0.2.1";
	static char first[] = "100";
	static char second[] = "a'\nb";
	const struct counter_text shown = { line, sizeof(line) - 1 };
	const struct counter_text accounts[] = { { first, strlen(first) },
		{ second, strlen(second) } };
	struct config_jail jail = jail_of();
	struct ban ban = ban_of();
	struct counter_window window = { .failures = 3,
		.counted = 5,
		.first_s = 1699999990,
		.last_s = 1700000000,
		.rule = "^wrong\x07 from <HOST>$",
		.lines = &shown,
		.n_lines = 1,
		.accounts = accounts,
		.n_accounts = 2 };

	(void)state;
	ban.number = 2;
	letter_ban(&letter, "sip", &jail, &ban, &window, "pbx", false);
	assert_string_equal(letter.subject, "[voipguard] sip: banned 192.0.2.1 on pbx");
	assert_has("192.0.2.1\n");
	assert_has("2023-11-14 22:13:20 +0000"); /* since */
	assert_has("2023-11-14 23:13:20 +0000"); /* until */
	assert_has("2023-11-14 22:13:10 +0000"); /* the first failure */
	assert_has("udp:5060");
	/* when the failures came, not the bans */
	assert_has("3 failures within 10m (maxretry 3)\n"
		   "          that count as 5: the address has been banned before\n"
		   "          from 2023-11-14 22:13:10 +0000 to 2023-11-14 22:13:20 +0000\n"
		   "Bans:     this is ban 2 of this address\n");
	assert_has("maxretry 3");
	assert_has("'100', 'a'\\x0ab'");
	assert_has("^wrong\\x07 from <HOST>$");
	assert_has("bad\\x1b[2J line");
	assert_has("(2 earlier ones are not kept in memory)");
	assert_has("voipguard unban 192.0.2.1");
	for (const char *c = letter.body; *c; c++)
		assert_true(*c == '\n' || (unsigned char)*c >= ' ');
}

static void test_variants(void **state)
{
	struct config_jail jail = jail_of();
	struct ban ban = ban_of();

	(void)state;
	letter_ban(&letter, "sip", &jail, &ban, NULL, "pbx", true);
	assert_non_null(strstr(letter.subject, "dry run"));
	assert_has("would be banned");
	ban.until_s = 0;
	(void)snprintf(ban.note, sizeof(ban.note), "%s", "noisy\tneighbour");
	letter_ban(&letter, "manual", NULL, &ban, NULL, "pbx", false);
	assert_has("permanent");
	assert_has("by hand: noisy\\x09neighbour");
	assert_has("all ports");
	letter_ban(&letter, "evil\nBcc: x", &jail, &ban, NULL, "pbx", false);
	assert_null(strchr(letter.subject, '\n'));
	assert_null(strstr(letter.body, "\nBcc"));
}

static void test_kernel(void **state)
{
	static const struct {
		int failure;
		const char *text;
	} rows[] = {
		{ 0, "holds the ban since 2023-11-14 22:13:21 +0000: packets from 192.0.2.1" },
		{ ENOSPC, "REFUSED the ban (No space left on device)" },
		{ -1, "not confirmed" },
	};
	struct config_jail jail = jail_of();
	struct ban ban = ban_of();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		letter_ban(&letter, "sip", &jail, &ban, NULL, "pbx", false);
		letter_add_kernel(&letter, &ban.ip, rows[i].failure, 1700000001);
		assert_has(rows[i].text);
	}
}

/* However much was logged: a mail takes the whole letter, and its end says how to undo the ban. */
static void test_long_lines(void **state)
{
	static char line[COUNTER_LINE_BYTES_MAX];
	static char account[COUNTER_ACCOUNT_BYTES_MAX + 1];
	static const unsigned char fills[] = { 'x', 0x1b };
	struct config_jail jail = jail_of();
	struct ban ban = ban_of();
	struct counter_text lines[COUNTER_LINES_MAX];
	struct counter_text accounts[COUNTER_ACCOUNTS_MAX];
	struct counter_window window = { .failures = COUNTER_LINES_MAX,
		.rule = line,
		.lines = lines,
		.accounts = accounts,
		.n_lines = COUNTER_LINES_MAX,
		.n_accounts = COUNTER_ACCOUNTS_MAX };

	(void)state;
	for (size_t fill = 0; fill < 2; fill++) {
		memset(line, fills[fill], sizeof(line) - 1);
		memset(account, fills[fill], sizeof(account) - 1);
		for (size_t i = 0; i < COUNTER_LINES_MAX; i++)
			lines[i] = (struct counter_text){ line, sizeof(line) - 1 };
		for (size_t i = 0; i < COUNTER_ACCOUNTS_MAX; i++)
			accounts[i] = (struct counter_text){ account, sizeof(account) - 1 };
		letter_ban(&letter, "sip", &jail, &ban, &window, "pbx", false);
		letter_add_kernel(&letter, &ban.ip, 0, 1700000001);
		assert_has("voipguard unban 192.0.2.1");
		assert_has("The kernel holds the ban");
		assert_has(" more)\n");
		assert_true(strlen(letter.body) <= MAIL_RATE_BODY_MAX);
		assert_int_equal(letter.body[strlen(letter.body) - 1], '\n');
	}
}

static void test_broken(void **state)
{
	static char many[30000];

	(void)state;
	letter_broken(&letter, "pbx", "jail.local:3:1: error: no\n");
	assert_non_null(strstr(letter.subject, "pbx"));
	assert_has("jail.local:3:1: error: no\n");
	assert_has("voipguard check");
	assert_null(strstr(letter.body, "more"));
	for (size_t i = 0; i + 40 < sizeof(many); i += 40)
		(void)snprintf(many + i, sizeof(many) - i, "%-39s\n", "jail.local:3:1: error");
	letter_broken(&letter, "pbx", many);
	assert_has("and more");
	assert_has("voipguard check");
	assert_has("voipguard reload");
	assert_true(strlen(letter.body) <= MAIL_RATE_BODY_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ban_of_a_jail),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_broken),
	};

	(void)setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
