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

static bool add(struct protect *protect, const char *text, const char *because, unsigned source)
{
	struct ip ip = ip_of(text);

	return protect_add(protect, &ip, because, source);
}

static const char *find(const struct protect *protect, const char *text)
{
	struct ip ip = ip_of(text);

	return protect_find(protect, &ip);
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
	struct protect *protect = protect_new();

	(void)state;
	assert_true(add(protect, "192.0.2.0/28", "office", 1));
	assert_true(add(protect, "203.0.113.9", "gateway", 2));
	assert_true(add(protect, "2001:db8::5", "router", 2));
	assert_int_equal(protect_count(protect), 3);
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		const char *because = find(protect, found[i].address);

		if (!because != !found[i].because ||
			(because && !strstr(because, found[i].because)))
			fail_msg("%s: %s", found[i].address, because ? because : "not protected");
	}
	protect_free(protect);
}

static void test_sources(void **state)
{
	struct protect *protect = protect_new();

	(void)state;
	assert_true(add(protect, "192.0.2.1", "first", 1));
	assert_true(add(protect, "192.0.2.1", "second", 1));
	assert_string_equal(find(protect, "192.0.2.1"), "first (192.0.2.1)");
	assert_int_equal(protect_count(protect), 1);
	assert_true(add(protect, "192.0.2.1", "other", 2));
	assert_true(add(protect, "192.0.2.2", "other", 2));
	protect_clear(protect, 1);
	assert_string_equal(find(protect, "192.0.2.1"), "other (192.0.2.1)");
	protect_clear(protect, 7);
	assert_non_null(find(protect, "192.0.2.2"));
	protect_clear(protect, 2);
	assert_null(find(protect, "192.0.2.1"));
	assert_null(find(protect, "192.0.2.2"));
	assert_int_equal(protect_count(protect), 0);
	protect_free(protect);
	protect_free(NULL);
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
	struct protect *protect = protect_new();
	struct ip ends = ip_of("203.0.113.1");
	struct ip longer = ip_of("203.0.113.2");
	struct ip never = ip_of("203.0.113.3");

	(void)state;
	assert_true(protect_add_until(protect, &ends, "a", 1, 100));
	assert_true(protect_add_until(protect, &longer, "a", 1, 100));
	assert_true(protect_add_until(protect, &longer, "a", 1, 200));
	assert_true(protect_add_until(protect, &longer, "a", 1, 50)); /* the later end counts */
	assert_true(protect_add(protect, &never, "a", 1));
	assert_true(protect_add_until(protect, &never, "a", 1, 50));
	protect_expire(protect, 99);
	assert_int_equal(protect_count(protect), 3);
	protect_expire(protect, 100);
	assert_null(protect_find(protect, &ends));
	assert_non_null(protect_find(protect, &longer));
	protect_expire(protect, INT64_MAX);
	assert_null(protect_find(protect, &longer));
	assert_non_null(protect_find(protect, &never));
	protect_free(protect);
}

static void test_unit(void **state)
{
	struct protect *protect = protect_new();
	char text[IP_TEXT_MAX];

	(void)state;
	assert_true(add(protect, "2001:db8:5::1", "own", 0));
	assert_true(add(protect, "2001:db8:6::/48", "own", 0));
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct ip ip = ip_of(units[i].address);
		struct ip unit = protect_unit(protect, &ip);

		assert_string_equal(ip_format(&unit, text), units[i].unit);
	}
	protect_free(protect);
}

static void test_bounds(void **state)
{
	struct protect *protect = protect_new();
	char because[300];

	(void)state;
	memset(because, 'x', sizeof(because) - 1);
	because[sizeof(because) - 1] = '\0';
	assert_true(add(protect, "192.0.2.1", because, 0));
	assert_int_equal(strlen(find(protect, "192.0.2.1")), PROTECT_BECAUSE_MAX - 1);
	for (uint32_t i = 1; i < PROTECT_MAX; i++) {
		struct ip ip = ip_from_bytes(4,
			(const uint8_t[]){ 198, 18, (uint8_t)(i >> 8), (uint8_t)i });

		assert_true(protect_add(protect, &ip, "many", 1));
	}
	assert_int_equal(protect_count(protect), PROTECT_MAX);
	assert_false(add(protect, "203.0.113.1", "one more", 1));
	assert_null(find(protect, "203.0.113.1"));
	assert_true(add(protect, "192.0.2.1", "is there", 0));
	protect_clear(protect, 1);
	assert_true(add(protect, "203.0.113.1", "one more", 1));
	protect_free(protect);
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
