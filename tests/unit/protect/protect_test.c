#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "decide/guard_fixture.h"
#include "process/messages.h"
#include "protect/protect.h"

enum { QUESTIONS_MAX = 32, TOLD_MAX = 8192 };

static struct world world;
static struct protect *protect;
static char list_path[128];
static struct config_ignore ignores[3];
static struct message_name questions[QUESTIONS_MAX];
static size_t n_questions;
static bool notifier_is_there;
static size_t room; /* of the firewall role's pair */
static struct ip told[TOLD_MAX];
static int64_t told_ttl_s[TOLD_MAX];
static size_t n_told;

static bool on_ask(void *context, const struct message_name *question)
{
	(void)context;
	if (!notifier_is_there || n_questions == QUESTIONS_MAX)
		return false;
	questions[n_questions++] = *question;
	return true;
}

static bool on_tell(void *context, const struct ip *ip, const char *because, int64_t ttl_s)
{
	(void)context;
	assert_true(strstr(because, "ignoreip") || strstr(because, "by hand"));
	if (!room || n_told == TOLD_MAX)
		return false;
	room--;
	told_ttl_s[n_told] = ttl_s;
	told[n_told++] = *ip;
	return true;
}

static void on_row(void *context, enum store_table table, const union store_row *row)
{
	if (table == STORE_NAMES)
		protect_load_address(protect, row->name.name, row->name.addresses);
	else if (table == STORE_ALLOWS || table == STORE_ALLOWED_NAMES)
		protect_load_allow(protect, &row->allow, NOW_S);
	else
		world_load_row(context, table, row);
}

/* The jail SIP names the first `count` of pbx.example.org, trunk.example.net and a file. */
static void begin_with(size_t count)
{
	static char first[] = "PBX.example.org";
	static char second[] = "trunk.example.net";
	struct protect_events events = { on_ask, on_tell, NULL };
	struct world_loading loading = { &world, NOW_S };

	ignores[0] = (struct config_ignore){ .text = first };
	ignores[1] = (struct config_ignore){ .text = second };
	ignores[2] = (struct config_ignore){ .text = list_path, .is_file = true };
	world.config->jails[SIP].ignores = ignores;
	world.config->jails[SIP].n_ignores = count;
	n_questions = n_told = 0;
	room = TOLD_MAX;
	notifier_is_there = true;
	world.notes_text[0] = '\0';
	protect = protect_new(world.config, world.guard, world.protected, &events);
	protect_attach(protect, world.store);
	assert_int_equal(store_load(world.store, on_row, &loading, NULL), 0);
}

static void begin(bool with_file)
{
	begin_with(with_file ? 3 : 2);
}

static void end(void)
{
	protect_free(protect);
	protect = NULL;
	world.config->jails[SIP].ignores = NULL;
	world.config->jails[SIP].n_ignores = 0;
}

static int setup(void **state)
{
	(void)state;
	world_new(&world);
	(void)snprintf(list_path, sizeof(list_path), "%s/list", world.dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (protect)
		end();
	world_done(&world);
	return 0;
}

static bool is_protected(const char *address)
{
	struct ip ip = ip_of(address);

	return protected_find(world.protected, &ip) != NULL;
}

static bool is_told(const char *address)
{
	struct ip ip = ip_of(address);

	for (size_t i = 0; i < n_told; i++)
		if (ip_equal(&told[i], &ip))
			return true;
	return false;
}

/* The newest question for the name. */
static struct message_name question_of(const char *name)
{
	for (size_t i = n_questions; i-- > 0;)
		if (strcmp(questions[i].name, name) == 0)
			return questions[i];
	fail_msg("%s was not asked for", name);
	return questions[0];
}

/* addresses: up to two, NULL: none. */
static void answer(const char *name, enum message_name_outcome outcome, uint32_t ttl_s,
	const char *one, const char *two, int64_t now_s)
{
	struct message_name record = question_of(name);

	record.outcome = outcome;
	record.ttl_s = ttl_s;
	if (one)
		record.addresses[record.count++] = ip_of(one);
	if (two)
		record.addresses[record.count++] = ip_of(two);
	protect_answer(protect, &record, now_s);
}

static bool is_well(const char *part)
{
	char text[256];
	bool well = protect_is_well(protect, text, sizeof(text));

	if (part && !strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
	return well;
}

static void write_list(const char *text)
{
	static int version;
	char path[160];

	/* a new inode, as editors do it */
	(void)snprintf(path, sizeof(path), "list.%d", ++version);
	world_put(&world, path, text);
	(void)snprintf(path, sizeof(path), "%s/list.%d", world.dir, version);
	assert_int_equal(rename(path, list_path), 0);
}

static void test_names_are_asked_and_protected(void **state)
{
	(void)state;
	begin(false);
	notifier_is_there = false;
	protect_tick(protect, NOW_S);
	assert_int_equal(n_questions, 0);
	assert_false(is_well("'pbx.example.org' has not been answered yet"));
	notifier_is_there = true;
	protect_joined(protect, NOW_S);
	assert_int_equal(n_questions, 2);
	assert_int_equal(questions[0].kind, MESSAGE_NAME_PROTECT);
	protect_tick(protect, NOW_S + 1);
	assert_int_equal(n_questions, 2); /* they are on their way */
	answer("pbx.example.org", MESSAGE_NAME_FOUND, 300, "203.0.113.5", "2001:db8::5", NOW_S + 1);
	assert_true(is_protected("203.0.113.5") && is_protected("2001:db8::5"));
	assert_true(is_told("203.0.113.5") && is_told("2001:db8::5"));
	assert_false(is_well("'trunk.example.net'"));
	answer("trunk.example.net", MESSAGE_NAME_FOUND, 0, "203.0.113.6", NULL, NOW_S + 1);
	assert_true(is_well(NULL));
	/* each is asked again at its TTL, within a minute and an hour */
	protect_tick(protect, NOW_S + 60);
	assert_int_equal(n_questions, 2);
	protect_tick(protect, NOW_S + 61);
	assert_int_equal(n_questions, 3);
	assert_string_equal(questions[2].name, "trunk.example.net");
	answer("trunk.example.net", MESSAGE_NAME_FOUND, 86400, "203.0.113.6", NULL, NOW_S + 61);
	protect_tick(protect, NOW_S + 301);
	assert_int_equal(n_questions, 4);
	assert_string_equal(questions[3].name, "pbx.example.org");
	protect_tick(protect, NOW_S + 61 + PROTECT_TTL_MAX_S);
	assert_string_equal(question_of("trunk.example.net").name, "trunk.example.net");
}

static void test_bans_end_with_the_answer(void **state)
{
	(void)state;
	begin(false);
	for (int i = 0; i < 3; i++)
		world_fail(&world, SIP, "203.0.113.5", NOW_S, NOW_S);
	assert_non_null(world_ban(&world, SIP, "203.0.113.5"));
	protect_tick(protect, NOW_S);
	answer("pbx.example.org", MESSAGE_NAME_FOUND, 300, "203.0.113.5", NULL, NOW_S);
	assert_null(world_ban(&world, SIP, "203.0.113.5"));
	for (int i = 0; i < 3; i++)
		world_fail(&world, SIP, "203.0.113.5", NOW_S, NOW_S);
	assert_null(world_ban(&world, SIP, "203.0.113.5"));
}

/* A former address stays for twice the TTL of the answer that lacks it. */
static void test_former_addresses(void **state)
{
	(void)state;
	begin(false);
	protect_tick(protect, NOW_S);
	answer("pbx.example.org", MESSAGE_NAME_FOUND, 100, "203.0.113.1", "203.0.113.2", NOW_S);
	protect_tick(protect, NOW_S + 100);
	answer("pbx.example.org", MESSAGE_NAME_FOUND, 100, "203.0.113.2", "203.0.113.3",
		NOW_S + 100);
	protect_tick(protect, NOW_S + 299);
	assert_true(is_protected("203.0.113.1") && is_protected("203.0.113.3"));
	protect_tick(protect, NOW_S + 300);
	assert_false(is_protected("203.0.113.1"));
	assert_true(is_protected("203.0.113.2") && is_protected("203.0.113.3"));
	/* one that comes back is current again */
	answer("pbx.example.org", MESSAGE_NAME_FOUND, 100, "203.0.113.1", NULL, NOW_S + 300);
	protect_tick(protect, NOW_S + 1000);
	assert_true(is_protected("203.0.113.1"));
	assert_false(is_protected("203.0.113.2"));
}

/* Hundreds of addresses, a few an answer: the oldest former ones go. */
static void test_pool_is_capped(void **state)
{
	char one[24];
	char two[24];

	(void)state;
	begin(false);
	for (int i = 0; i < 100; i++) {
		int64_t now_s = NOW_S + (int64_t)i * 3600;

		(void)snprintf(one, sizeof(one), "203.0.113.%d", 2 * i + 1);
		(void)snprintf(two, sizeof(two), "203.0.113.%d", 2 * i + 2);
		n_questions = 0;
		protect_tick(protect, now_s - 1 + (i == 0));
		protect_tick(protect, now_s);
		answer("pbx.example.org", MESSAGE_NAME_FOUND, 3600, one, two, now_s);
	}
	assert_true(is_protected("203.0.113.199") && is_protected("203.0.113.200"));
	assert_true(is_protected("203.0.113.198"));
	assert_false(is_protected("203.0.113.1"));
}

static void test_failures_take_nothing(void **state)
{
	static const enum message_name_outcome bad[] = { MESSAGE_NAME_NONE,
		MESSAGE_NAME_NO_ANSWER };

	(void)state;
	begin(false);
	protect_tick(protect, NOW_S);
	answer("trunk.example.net", MESSAGE_NAME_NONE, 0, NULL, NULL, NOW_S);
	answer("pbx.example.org", MESSAGE_NAME_FOUND, 60, "203.0.113.1", NULL, NOW_S);
	assert_false(is_well("'trunk.example.net' has no address: nobody"));
	for (int i = 0; i < 2; i++) {
		int64_t now_s = NOW_S + 60 + (int64_t)i * PROTECT_RETRY_S;

		protect_tick(protect, now_s);
		answer("pbx.example.org", bad[i], 0, NULL, NULL, now_s);
		assert_true(is_protected("203.0.113.1"));
		n_questions = 0;
		protect_tick(protect, now_s + PROTECT_RETRY_S - 1);
		for (size_t k = 0; k < n_questions; k++)
			assert_string_equal(questions[k].name, "trunk.example.net");
	}
	protect_tick(protect, NOW_S + 1000000);
	assert_true(is_protected("203.0.113.1"));
	assert_non_null(strstr(world.notes_text, "'pbx.example.org' has no address"));
	assert_non_null(strstr(world.notes_text, "'pbx.example.org' could not be looked up"));
}

/* Lost questions, answers that nobody asked for, and clocks that jump. */
static void test_odd_answers(void **state)
{
	struct message_name stale;

	(void)state;
	begin(false);
	protect_tick(protect, NOW_S);
	stale = question_of("pbx.example.org");
	protect_tick(protect, NOW_S + MESSAGE_NAME_WAIT_S);
	assert_int_equal(n_questions, 4); /* both were lost, both are asked again */
	stale.outcome = MESSAGE_NAME_FOUND;
	stale.addresses[stale.count++] = ip_of("203.0.113.66");
	protect_answer(protect, &stale, NOW_S);
	(void)snprintf(stale.name, sizeof(stale.name), "other.example");
	protect_answer(protect, &stale, NOW_S);
	assert_false(is_protected("203.0.113.66"));
	answer("pbx.example.org", MESSAGE_NAME_FOUND, 3600, "203.0.113.1", "0.0.0.0", NOW_S + 21);
	assert_false(is_told("0.0.0.0"));
	/* the clock is set back by years: asked again all the same */
	n_questions = 0;
	protect_tick(protect, NOW_S - 100000000);
	assert_int_equal(n_questions, 2);
}

static void test_last_answer_survives(void **state)
{
	(void)state;
	begin(false);
	protect_tick(protect, NOW_S);
	answer("pbx.example.org", MESSAGE_NAME_FOUND, 60, "203.0.113.1", NULL, NOW_S);
	answer("trunk.example.net", MESSAGE_NAME_FOUND, 60, "203.0.113.2", NULL, NOW_S);
	world_commit(&world);
	end();
	world_restart(&world, NOW_S);
	begin(false);
	assert_true(is_protected("203.0.113.1") && is_protected("203.0.113.2"));
	assert_true(is_well(NULL));
	end();
	world_restart(&world, NOW_S);
	begin_with(1); /* the trunk is no longer named: forgotten for good */
	assert_true(is_protected("203.0.113.1"));
	assert_false(is_protected("203.0.113.2"));
	world_commit(&world);
	end();
	world_restart(&world, NOW_S);
	begin(false);
	assert_false(is_well("'trunk.example.net' has not been answered yet"));
}

static void test_room_runs_out(void **state)
{
	(void)state;
	begin(false);
	room = 1;
	protect_tick(protect, NOW_S);
	answer("pbx.example.org", MESSAGE_NAME_FOUND, 60, "203.0.113.1", "203.0.113.2", NOW_S);
	assert_true(is_protected("203.0.113.2")); /* here at once */
	assert_int_equal(n_told, 1);
	assert_false(protect_flush(protect, NOW_S));
	room = 5;
	assert_true(protect_flush(protect, NOW_S));
	assert_int_equal(n_told, 2);
	assert_true(protect_flush(protect, NOW_S));
	assert_int_equal(n_told, 2); /* each once */
}

static void test_file(void **state)
{
	(void)state;
	write_list("203.0.113.10, 203.0.113.64/26\n# a comment\nvan.example.org\n");
	begin(true);
	assert_true(is_protected("203.0.113.10") && is_protected("203.0.113.100"));
	protect_tick(protect, NOW_S);
	assert_true(is_told("203.0.113.10"));
	assert_int_equal(n_questions, 3);
	answer("van.example.org", MESSAGE_NAME_FOUND, 60, "203.0.113.20", NULL, NOW_S);
	assert_true(is_protected("203.0.113.20"));
	write_list("203.0.113.11\n");
	protect_tick(protect, NOW_S + 1); /* looked at every second second */
	assert_false(is_protected("203.0.113.11"));
	protect_tick(protect, NOW_S + 2);
	assert_true(is_protected("203.0.113.11"));
	assert_false(is_protected("203.0.113.10"));
	assert_false(is_protected("203.0.113.20")); /* nobody names the van any more */
	/* a wrong entry is told, the rest counts */
	write_list("203.0.113.12\n203.0.113.999\n");
	protect_tick(protect, NOW_S + 4);
	assert_true(is_protected("203.0.113.12"));
	assert_false(is_well("list:2:1: error"));
	/* one that is gone keeps what it last said */
	assert_int_equal(unlink(list_path), 0);
	protect_tick(protect, NOW_S + 6);
	assert_true(is_protected("203.0.113.12"));
	assert_false(is_well("its last entries stay protected"));
	write_list("203.0.113.13\n");
	protect_tick(protect, NOW_S + 8);
	assert_true(is_protected("203.0.113.13"));
	assert_false(is_protected("203.0.113.12"));
	assert_false(is_well("'pbx.example.org'")); /* the file is well again */
	write_list("0.0.0.0/7\n");                  /* a warning of `check` is no trouble */
	protect_tick(protect, NOW_S + 10);
	assert_false(is_well("'pbx.example.org'"));
}

static void test_large_file(void **state)
{
	char *text = NULL;
	size_t used = 0;

	(void)state;
	text = malloc((size_t)4000 * 20);
	assert_non_null(text);
	for (int i = 0; i < 4000; i++)
		used += (size_t)sprintf(text + used, "10.1.%d.%d\n", i / 250, i % 250);
	write_list(text);
	free(text);
	begin(true);
	assert_true(is_protected("10.1.15.249"));
	protect_tick(protect, NOW_S);
	assert_in_range(n_told, 1, 999); /* a part a turn: the log is followed in between */
	for (int i = 0; i < 100 && !protect_flush(protect, NOW_S); i++)
		;
	assert_int_equal(n_told, 4000);
	assert_false(is_well("'pbx.example.org'"));
}

static void test_allowed_by_hand(void **state)
{
	const struct store_allow *allow;
	struct error err;

	(void)state;
	begin(false);
	assert_int_equal(protect_allow(protect, "a b", 0, NULL, NOW_S, &err), -1);
	assert_int_equal(protect_allow(protect, "file:/list", 0, NULL, NOW_S, &err), -1);
	assert_int_equal(protect_allow(protect, "van.example.org", -1, NULL, NOW_S, &err), -1);
	assert_int_equal(protect_allow(protect, "van.example.org", INT64_MAX, NULL, NOW_S, &err),
		-1);
	assert_non_null(strstr(err.text, "3000 years"));
	assert_int_equal(protect_disallow(protect, "van.example.org", &err), -1);
	assert_int_equal(protect_allow(protect, "Van.example.org", 100, "the van", NOW_S, &err), 0);
	protect_tick(protect, NOW_S);
	answer("van.example.org", MESSAGE_NAME_FOUND, 60, "203.0.113.30", NULL, NOW_S);
	assert_true(is_protected("203.0.113.30"));
	allow = protect_allowed(protect, 0);
	assert_non_null(allow);
	assert_string_equal(allow->name, "van.example.org");
	assert_string_equal(allow->note, "the van");
	assert_int_equal(allow->until_s, NOW_S + 100);
	assert_null(protect_allowed(protect, 1));
	world_commit(&world);
	end();
	world_restart(&world, NOW_S);
	begin(false);
	assert_true(is_protected("203.0.113.30"));
	protect_tick(protect, NOW_S + 99);
	assert_true(is_protected("203.0.113.30"));
	protect_tick(protect, NOW_S + 100);
	assert_false(is_protected("203.0.113.30"));
	assert_null(protect_allowed(protect, 0));
	/* what ignoreip names too goes on being protected */
	answer("pbx.example.org", MESSAGE_NAME_FOUND, 60, "203.0.113.1", NULL, NOW_S);
	assert_int_equal(protect_allow(protect, "pbx.example.org", 0, NULL, NOW_S, &err), 0);
	assert_int_equal(protect_disallow(protect, "PBX.example.org", &err), 0);
	assert_true(is_protected("203.0.113.1"));
}

/* For how long the firewall role was told to protect it, by the last telling; -1: not at all. */
static int64_t ttl_of(const char *address)
{
	struct ip ip = ip_of(address);

	for (size_t i = n_told; i-- > 0;)
		if (ip_equal(&told[i], &ip))
			return told_ttl_s[i];
	return -1;
}

/* A name that is allowed for a time ends in the firewall role as well, if nothing lasts longer. */
static void test_allowed_for_a_time(void **state)
{
	struct error err;

	(void)state;
	write_list("\n");
	begin(true);
	assert_int_equal(protect_allow(protect, "van.example.org", 100, NULL, NOW_S, &err), 0);
	protect_tick(protect, NOW_S);
	answer("van.example.org", MESSAGE_NAME_FOUND, 60, "203.0.113.30", NULL, NOW_S + 10);
	assert_int_equal(ttl_of("203.0.113.30"), 90);
	/* longer: known addresses are told again; shorter: they are not */
	assert_int_equal(protect_allow(protect, "van.example.org", 200, NULL, NOW_S + 20, &err), 0);
	protect_tick(protect, NOW_S + 30);
	assert_int_equal(ttl_of("203.0.113.30"), 190);
	assert_int_equal(protect_allow(protect, "van.example.org", 50, NULL, NOW_S + 40, &err), 0);
	n_told = 0;
	protect_tick(protect, NOW_S + 40);
	assert_int_equal(ttl_of("203.0.113.30"), -1);
	/* a new start has told nothing, and knows what is left */
	world_commit(&world);
	end();
	world_restart(&world, NOW_S + 50);
	begin(true);
	protect_tick(protect, NOW_S + 50);
	assert_int_equal(ttl_of("203.0.113.30"), 40);
	/* ignoreip's is for ever, and so is an allow without a time */
	write_list("van.example.org\n");
	protect_tick(protect, NOW_S + 60);
	assert_int_equal(ttl_of("203.0.113.30"), 0);
	answer("pbx.example.org", MESSAGE_NAME_FOUND, 60, "203.0.113.1", NULL, NOW_S + 60);
	assert_int_equal(ttl_of("203.0.113.1"), 0);
	assert_int_equal(protect_allow(protect, "pbx.example.org", 100, NULL, NOW_S + 60, &err), 0);
	n_told = 0;
	protect_tick(protect, NOW_S + 61);
	assert_int_equal(n_told, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names_are_asked_and_protected, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_bans_end_with_the_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_former_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pool_is_capped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failures_take_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_answer_survives, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room_runs_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_allowed_by_hand, setup, teardown),
		cmocka_unit_test_setup_teardown(test_allowed_for_a_time, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
