#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "base/protected.h"

static struct ip ip_of(const char *text)
{
	struct ip ip;
	struct error err;

	if (ip_parse_prefix(text, &ip, &err) < 0)
		fail_msg("%s", err.text);
	return ip;
}

static bool add(struct protected *protected, const char *text, const char *because, unsigned source)
{
	struct ip ip = ip_of(text);

	return protected_add(protected, &ip, because, source);
}

static const char *find(const struct protected *protected, const char *text)
{
	struct ip ip = ip_of(text);

	return protected_find(protected, &ip);
}

/* because: a part of the reason, NULL: not protected. */
static const struct {
	const char *address;
	const char *because;
} found[] = {
	{ "192.0.2.1", "office (192.0.2.0/28)" },
	{ "192.0.2.15", "office" },
	{ "192.0.2.16", NULL },
	{ "192.0.2.0/24", "office" }, /* some of it */
	{ "192.0.2.4/30", "office" },
	{ "::ffff:192.0.2.1", "office" },
	{ "203.0.113.9", "gateway (203.0.113.9)" },
	{ "203.0.113.8", NULL },
	{ "2001:db8::5", "router (2001:db8::5)" },
	{ "2001:db8::/64", "router" },
	{ "2001:db8::/48", "router" },
	{ "2001:db8::6", NULL },
	{ "2001:db8:0:1::/64", NULL },
	{ "127.9.9.9", "loopback" },
	{ "0.0.0.0", "" },
	{ "224.0.0.5", "" },
	{ "255.255.255.255", "" },
	{ "169.254.7.7", "link-local" },
	{ "::1", "" },
	{ "::", "" },
	{ "ff02::1", "" },
	{ "fe80::1", "link-local" },
	{ "febf::/64", "link-local" },
	{ "fec0::1", NULL },
	{ "::2", NULL },
};

static void test_find(void **state)
{
	struct protected *protected = protected_new();

	(void)state;
	assert_true(add(protected, "192.0.2.0/28", "office", 1));
	assert_true(add(protected, "203.0.113.9", "gateway", 2));
	assert_true(add(protected, "2001:db8::5", "router", 2));
	assert_int_equal(protected_count(protected), 3);
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		const char *because = find(protected, found[i].address);

		if (!because != !found[i].because ||
			(because && !strstr(because, found[i].because)))
			fail_msg("%s: %s", found[i].address, because ? because : "not protected");
	}
	protected_free(protected);
}

static void test_sources(void **state)
{
	struct protected *protected = protected_new();

	(void)state;
	assert_true(add(protected, "192.0.2.1", "first", 1));
	assert_true(add(protected, "192.0.2.1", "second", 1));
	assert_string_equal(find(protected, "192.0.2.1"), "first (192.0.2.1)");
	assert_int_equal(protected_count(protected), 1);
	assert_true(add(protected, "192.0.2.1", "other", 2));
	assert_true(add(protected, "192.0.2.2", "other", 2));
	protected_clear(protected, 1);
	assert_string_equal(find(protected, "192.0.2.1"), "other (192.0.2.1)");
	protected_clear(protected, 7);
	assert_non_null(find(protected, "192.0.2.2"));
	protected_clear(protected, 2);
	assert_null(find(protected, "192.0.2.1"));
	assert_null(find(protected, "192.0.2.2"));
	assert_int_equal(protected_count(protected), 0);
	protected_free(protected);
	protected_free(NULL);
}

static const struct {
	const char *address;
	const char *unit;
} units[] = {
	{ "192.0.2.1", "192.0.2.1" }, { "192.0.2.0/24", "192.0.2.0/24" },
	{ "2001:db8:1::9", "2001:db8:1::/64" }, { "2001:db8:1::/80", "2001:db8:1::/64" },
	{ "2001:db8:1::/64", "2001:db8:1::/64" }, { "2001:db8:1::/48", "2001:db8:1::/48" },
	{ "2001:db8:5::9", "2001:db8:5::9" }, { "2001:db8:5::1", "2001:db8:5::1" },
	{ "2001:db8:6:7::1", "2001:db8:6:7::1" }, /* the whole /64 is protected */
	{ "::9", "::9" },                         /* beside loopback */
};

/* An entry ends at its time; said again, at the later one. */
static void test_until(void **state)
{
	struct protected *protected = protected_new();
	struct ip ends = ip_of("203.0.113.1");
	struct ip longer = ip_of("203.0.113.2");
	struct ip never = ip_of("203.0.113.3");

	(void)state;
	assert_true(protected_add_until(protected, &ends, "a", 1, 100));
	assert_true(protected_add_until(protected, &longer, "a", 1, 100));
	assert_true(protected_add_until(protected, &longer, "a", 1, 200));
	assert_true(protected_add_until(protected, &longer, "a", 1, 50)); /* the later end counts */
	assert_true(protected_add(protected, &never, "a", 1));
	assert_true(protected_add_until(protected, &never, "a", 1, 50));
	protected_expire(protected, 99);
	assert_int_equal(protected_count(protected), 3);
	protected_expire(protected, 100);
	assert_null(protected_find(protected, &ends));
	assert_non_null(protected_find(protected, &longer));
	protected_expire(protected, INT64_MAX);
	assert_null(protected_find(protected, &longer));
	assert_non_null(protected_find(protected, &never));
	protected_free(protected);
}

static void test_unit(void **state)
{
	struct protected *protected = protected_new();
	char text[IP_TEXT_MAX];

	(void)state;
	assert_true(add(protected, "2001:db8:5::1", "own", 0));
	assert_true(add(protected, "2001:db8:6::/48", "own", 0));
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct ip ip = ip_of(units[i].address);
		struct ip unit = protected_unit(protected, &ip);

		assert_string_equal(ip_format(&unit, text), units[i].unit);
	}
	protected_free(protected);
}

static void test_bounds(void **state)
{
	struct protected *protected = protected_new();
	char because[300];

	(void)state;
	memset(because, 'x', sizeof(because) - 1);
	because[sizeof(because) - 1] = '\0';
	assert_true(add(protected, "192.0.2.1", because, 0));
	assert_int_equal(strlen(find(protected, "192.0.2.1")), PROTECTED_BECAUSE_MAX - 1);
	for (uint32_t i = 1; i < PROTECTED_MAX; i++) {
		struct ip ip = ip_from_bytes(4,
			(const uint8_t[]){ 198, 18, (uint8_t)(i >> 8), (uint8_t)i });

		assert_true(protected_add(protected, &ip, "many", 1));
	}
	assert_int_equal(protected_count(protected), PROTECTED_MAX);
	assert_false(add(protected, "203.0.113.1", "one more", 1));
	assert_null(find(protected, "203.0.113.1"));
	assert_true(add(protected, "192.0.2.1", "is there", 0));
	protected_clear(protected, 1);
	assert_true(add(protected, "203.0.113.1", "one more", 1));
	protected_free(protected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_until),
		cmocka_unit_test(test_unit),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
