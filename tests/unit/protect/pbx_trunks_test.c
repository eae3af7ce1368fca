#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/protected.h"
#include "decide/guard_fixture.h"
#include "pbx/pbx.h"

/* The directory of the guard has Asterisk's files too. */
static void trunks_begin(struct world *world, const char *pjsip)
{
	struct findings findings = { 0 };

	world->room = 1000;
	world_put(world, "pjsip.conf", pjsip);
	protect_trunks(world->protect, pbx_read(world->dir, &findings));
	findings_done(&findings);
}

static void begin(struct world *world, const char *pjsip)
{
	world_new(world);
	trunks_begin(world, pjsip);
}

static bool is_banned(const struct world *world, const char *address)
{
	return world_ban(world, TWIN, address) != NULL;
}

/* Why an address is protected, "" if it is not. */
static const char *why(const struct world *world, const char *address)
{
	struct ip ip = ip_of(address);
	const char *because = protected_find(world->protected, &ip);

	return because ? because : "";
}

static void a_trunk_is_not_banned(void **state)
{
	struct world world = { 0 };
	char text[256];

	(void)state;
	begin(&world, "[p]\ntype=identify\nmatch=192.0.2.1,2001:db8:1::/48\n");
	world_fail(&world, TWIN, "192.0.2.1", NOW_S, NOW_S);
	world_fail(&world, TWIN, "192.0.2.2", NOW_S, NOW_S);
	assert_false(is_banned(&world, "192.0.2.1"));
	assert_true(is_banned(&world, "192.0.2.2"));
	assert_string_equal(why(&world, "192.0.2.1"), "trunk 'p' in pjsip.conf:3 (192.0.2.1)");
	protect_tick(world.protect, NOW_S);
	assert_int_equal(world.room, 998);
	assert_string_equal(world.told_because, "trunk 'p' in pjsip.conf:3");
	assert_int_equal(world.told_ttl_s, 0);
	protect_trunks_text(world.protect, text, sizeof(text));
	assert_non_null(strstr(text, "2 trunks of /"));
	assert_true(protect_is_well(world.protect, text, sizeof(text)));
	world_done(&world);
}

/* A ban of an earlier run is lifted when the firewall role has been told. */
static void an_earlier_ban_is_lifted(void **state)
{
	struct findings findings = { 0 };
	struct world world = { 0 };

	(void)state;
	world_new(&world);
	world.room = 1000;
	world_fail(&world, TWIN, "192.0.2.1", NOW_S, NOW_S);
	assert_true(is_banned(&world, "192.0.2.1"));
	world_put(&world, "iax.conf", "[p]\nhost=192.0.2.1\n");
	protect_trunks(world.protect, pbx_read(world.dir, &findings));
	protect_tick(world.protect, NOW_S + 1);
	assert_false(is_banned(&world, "192.0.2.1"));
	findings_done(&findings);
	world_done(&world);
}

/* Two looks must find the same change, so that a file is not read while it is being written. */
static void a_change_counts(void **state)
{
	struct world world = { 0 };

	(void)state;
	begin(&world, "[p]\ntype=identify\nmatch=192.0.2.1\n");
	protect_tick(world.protect, NOW_S);
	world_fail(&world, TWIN, "192.0.2.2", NOW_S, NOW_S);
	assert_true(is_banned(&world, "192.0.2.2"));
	world_put(&world, "pjsip.conf", "[q]\ntype=identify\nmatch=192.0.2.2\n");
	protect_tick(world.protect, NOW_S + 1);
	protect_tick(world.protect, NOW_S + 2);
	assert_string_equal(why(&world, "192.0.2.2"), "");
	world_put(&world, "pjsip.conf", "[q]\ntype=identify\nmatch=192.0.2.2 \n");
	protect_tick(world.protect, NOW_S + 4);
	assert_true(is_banned(&world, "192.0.2.2"));
	protect_tick(world.protect, NOW_S + 6);
	assert_false(is_banned(&world, "192.0.2.2"));
	assert_non_null(
		strstr(world.notes_text, "192.0.2.2 is protected: trunk 'q' in pjsip.conf:3\n"));
	assert_string_equal(world.told_because, "trunk 'q' in pjsip.conf:3");
	assert_string_equal(why(&world, "192.0.2.1"), "");
	world_fail(&world, TWIN, "192.0.2.1", NOW_S + 6, NOW_S + 6);
	assert_true(is_banned(&world, "192.0.2.1"));
	/* one that comes back lifts its ban, although the firewall role has heard of it before */
	world_put(&world, "sip.conf", "[r]\nhost=192.0.2.1\n");
	protect_tick(world.protect, NOW_S + 8);
	protect_tick(world.protect, NOW_S + 10);
	assert_false(is_banned(&world, "192.0.2.1"));
	world_done(&world);
}

/* A file that somebody writes all the time is read all the same. */
static void changes_without_end(void **state)
{
	struct world world = { 0 };
	int looks = 0;

	(void)state;
	begin(&world, "[p]\ntype=identify\nmatch=192.0.2.1\n");
	while (!why(&world, "192.0.2.2")[0] && looks < 100) {
		char text[256];

		(void)snprintf(text, sizeof(text), "[q]\ntype=identify\nmatch=192.0.2.2\n%*s\n",
			looks, "");
		world_put(&world, "pjsip.conf", text);
		protect_tick(world.protect, NOW_S + 2 * looks++);
	}
	assert_int_equal(looks, PROTECT_PBX_WAITS_MAX);
	world_done(&world);
}

static void a_file_that_cannot_be_read(void **state)
{
	struct world world = { 0 };
	char text[256];
	char path[128];

	(void)state;
	begin(&world, "[p]\ntype=identify\nmatch=192.0.2.1\n");
	(void)snprintf(path, sizeof(path), "%s/pjsip.conf", world.dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	for (int i = 0; i < 10; i += 2)
		protect_tick(world.protect, NOW_S + i);
	assert_string_equal(why(&world, "192.0.2.1"), "trunk 'p' in pjsip.conf:3 (192.0.2.1)");
	assert_false(protect_is_well(world.protect, text, sizeof(text)));
	assert_non_null(strstr(text, "/pjsip.conf': no regular file: the last trunks stay "
				     "protected"));
	assert_int_equal(rmdir(path), 0);
	world_put(&world, "pjsip.conf", "[p]\ntype=identify\nmatch=192.0.2.3\n");
	for (int i = 10; i < 16; i += 2)
		protect_tick(world.protect, NOW_S + i);
	assert_true(protect_is_well(world.protect, text, sizeof(text)));
	assert_string_equal(why(&world, "192.0.2.1"), "");
	assert_true(why(&world, "192.0.2.3")[0]);
	world_done(&world);
}

static void a_file_that_could_never_be_read(void **state)
{
	struct world world = { 0 };
	struct findings findings = { 0 };
	char text[256];
	char path[128];

	(void)state;
	world_new(&world);
	(void)snprintf(path, sizeof(path), "%s/sip.conf", world.dir);
	assert_int_equal(mkdir(path, 0700), 0);
	protect_trunks(world.protect, pbx_read(world.dir, &findings));
	assert_false(protect_is_well(world.protect, text, sizeof(text)));
	assert_non_null(strstr(text, "no regular file: trunks in it are not protected"));
	findings_done(&findings);
	world_done(&world);
}

static void path_of(char out[128], const struct world *world, const char *name)
{
	(void)snprintf(out, 128, "%s/%s", world->dir, name);
}

static void ticks(struct world *world, int from, int to)
{
	for (int i = from; i < to; i += 2)
		protect_tick(world->protect, NOW_S + i);
}

/* The one that could never be read does not hide the other, which was. */
static void a_second_file_that_cannot_be_read(void **state)
{
	struct world world = { 0 };
	struct findings findings = { 0 };
	char text[256];
	char path[128];

	(void)state;
	world_new(&world);
	path_of(path, &world, "pjsip.conf");
	assert_int_equal(mkdir(path, 0700), 0);
	world_put(&world, "sip.conf", "[p]\nhost=192.0.2.1\n");
	protect_trunks(world.protect, pbx_read(world.dir, &findings));
	findings_done(&findings);
	assert_true(why(&world, "192.0.2.1")[0]);
	path_of(path, &world, "sip.conf");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	ticks(&world, 0, 10);
	assert_true(why(&world, "192.0.2.1")[0]);
	assert_false(protect_is_well(world.protect, text, sizeof(text)));
	assert_non_null(strstr(text, "/sip.conf': no regular file: the last trunks stay"));
	world_done(&world);
}

/* The same file is back as it was. */
static void a_fault_that_goes(void **state)
{
	struct world world = { 0 };
	char text[256];
	char link[128];
	char path[128];

	(void)state;
	world_new(&world);
	path_of(path, &world, "a");
	path_of(link, &world, "link");
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(symlink("a", link), 0);
	path_of(path, &world, "b");
	assert_int_equal(mkdir(path, 0700), 0);
	path_of(path, &world, "b/more.conf");
	assert_int_equal(mkdir(path, 0700), 0);
	world_put(&world, "a/more.conf", "[p]\ntype=identify\nmatch=192.0.2.1\n");
	trunks_begin(&world, "#include link/more.conf\n");
	assert_true(protect_is_well(world.protect, text, sizeof(text)));
	assert_int_equal(unlink(link) | symlink("b", link), 0);
	ticks(&world, 0, 10);
	assert_false(protect_is_well(world.protect, text, sizeof(text)));
	assert_int_equal(unlink(link) | symlink("a", link), 0);
	ticks(&world, 10, 20);
	assert_true(protect_is_well(world.protect, text, sizeof(text)));
	assert_true(why(&world, "192.0.2.1")[0]);
	world_done(&world);
}

/* Names go the way of those in ignoreip; one without an answer is no trouble of the operator's. */
static void a_name(void **state)
{
	struct ip ip = ip_of("192.0.2.1");
	struct world world = { 0 };
	char text[256];

	(void)state;
	begin(&world, "[p]\ntype=aor\ncontact=sip:Sip.example:5060\n");
	assert_true(protect_is_well(world.protect, text, sizeof(text)));
	protect_load_address(world.protect, "sip.example", &ip);
	assert_string_equal(why(&world, "192.0.2.1"),
		"trunk 'p' in pjsip.conf:3: sip.example (192.0.2.1)");
	world_put(&world, "pjsip.conf", "[longer]\ntype=aor\ncontact=sip:other.example\n");
	for (int i = 0; i < 6; i += 2)
		protect_tick(world.protect, NOW_S + i);
	assert_string_equal(why(&world, "192.0.2.1"), "");
	world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trunk_is_not_banned),
		cmocka_unit_test(an_earlier_ban_is_lifted),
		cmocka_unit_test(a_change_counts),
		cmocka_unit_test(changes_without_end),
		cmocka_unit_test(a_file_that_cannot_be_read),
		cmocka_unit_test(a_file_that_could_never_be_read),
		cmocka_unit_test(a_second_file_that_cannot_be_read),
		cmocka_unit_test(a_fault_that_goes),
		cmocka_unit_test(a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
