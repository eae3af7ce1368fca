#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/ip.h"

/* On the heap and not ended by NUL, so that a sanitizer sees a byte too many. */
static int parse(const char *text, struct ip *ret_ip)
{
	size_t length = strlen(text);
	char *copy = malloc(length + 1);
	int rc;

	memcpy(copy, text, length);
	copy[length] = '1'; /* what follows the address in a line */
	rc = ip_parse(copy, length, ret_ip);
	free(copy);
	return rc;
}

static struct ip prefix(const char *text)
{
	struct ip ip = { 0 };
	struct error err = { "" };

	if (ip_parse_prefix(text, &ip, &err) < 0)
		fail_msg("%s", err.text);
	return ip;
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		const char *formatted; /* NULL: no address */
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
		{ "2001:0db8:0001:0002:0003:0004:0005:0006", "2001:db8:1:2:3:4:5:6" },
		{ "[2001:db8::1]", "2001:db8::1" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "2001:db8::192.0.2.1", "2001:db8::c000:201" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "::FFFF:c000:201", "192.0.2.1" },
		{ "[::ffff:192.0.2.1]", "192.0.2.1" },
		{ "0000:0000:0000:0000:0000:ffff:192.000.002.001", NULL },
		{ "0000:0000:0000:0000:0000:ffff:203.0.113.100", "203.0.113.100" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "64:ff9b::192.0.2.1", "64:ff9b::c000:201" },
		/* none */
		{ "", NULL },
		{ " 192.0.2.1", NULL },
		{ "192.0.2.1 ", NULL },
		{ "192.0.2", NULL },
		{ "192.0.2.", NULL },
		{ "192.0.2.1.", NULL },
		{ "192.0.2.1.1", NULL },
		{ "192.0.2.256", NULL },
		{ "192.0.2.1000", NULL },
		{ "192.0.2.-1", NULL },
		{ "192.0.2.+1", NULL },
		{ "192.0.2.01", NULL },
		{ "192.0.2.010", NULL },
		{ "192.0.02.1", NULL },
		{ "192.0.2.00", NULL },
		{ "192..2.1", NULL },
		{ "0xc0.0.2.1", NULL },
		{ "192.0.2.0x1", NULL },
		{ "3221225985", NULL },
		{ "192.0.2.1/32", NULL },
		{ "192.0.2.1:5060", NULL },
		{ "[192.0.2.1]", NULL },
		{ "[]", NULL },
		{ "[", NULL },
		{ "]", NULL },
		{ ":", NULL },
		{ ":::", NULL },
		{ "[::1", NULL },
		{ "::1]", NULL },
		{ "[[::1]]", NULL },
		{ "[::1]:5060", NULL },
		{ "2001:db8::1::2", NULL },
		{ "2001:db8:1:2:3:4:5", NULL },
		{ "2001:db8:1:2:3:4:5:6:7", NULL },
		{ "2001:db8::12345", NULL },
		{ "2001:db8::g", NULL },
		{ ":2001:db8::1", NULL },
		{ "2001:db8::1:", NULL },
		{ "fe80::1%eth0", NULL },
		{ "2001:db8::1%1", NULL },
		{ "::ffff:192.0.2.256", NULL },
		{ "::ffff:192.0.2", NULL },
		{ "localhost", NULL },
		{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip untouched = { .family = 77 };
		struct ip ip = untouched;
		char out[IP_TEXT_MAX];
		int rc = parse(rows[i].text, &ip);

		if (rc != (rows[i].formatted ? 0 : -1))
			fail_msg("'%s': %d", rows[i].text, rc);
		if (!rows[i].formatted) {
			assert_true(ip_equal(&ip, &untouched));
			continue;
		}
		assert_ptr_equal(ip_format(&ip, out), out);
		assert_string_equal(out, rows[i].formatted);
		assert_true(ip_is_host(&ip));
		assert_int_equal(ip.bits, ip.family == 4 ? 32 : 128);
	}
}

static void test_parse_length(void **state)
{
	struct ip ip;

	(void)state;
	assert_int_equal(ip_parse("192.0.2.1", 9, &ip), 0);
	assert_int_equal(ip_parse("192.0.2.12", 9, &ip), 0);
	assert_int_equal(ip.bytes[3], 1);
	assert_int_equal(ip_parse("192.0.2.1\0xx", 10, &ip), -1);
	assert_int_equal(ip_parse("192.0.2.1\0xx", 12, &ip), -1);
	assert_int_equal(ip_parse("[::1\0]", 6, &ip), -1);
}

static void test_prefix(void **state)
{
	static const struct {
		const char *text;
		const char *formatted; /* NULL: an error */
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1/32", "192.0.2.1" },
		{ "192.0.2.129/25", "192.0.2.128/25" },
		{ "192.0.2.255/31", "192.0.2.254/31" },
		{ "192.0.2.1/24", "192.0.2.0/24" },
		{ "192.0.2.1/23", "192.0.2.0/23" },
		{ "192.0.2.1/0", "0.0.0.0/0" },
		{ "192.0.2.1/255.255.255.0", "192.0.2.0/24" },
		{ "192.0.2.1/255.255.255.240", "192.0.2.0/28" },
		{ "192.0.2.1/255.255.255.255", "192.0.2.1" },
		{ "192.0.2.1/0.0.0.0", "0.0.0.0/0" },
		{ "192.0.2.1/128.0.0.0", "128.0.0.0/1" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "2001:db8::1/128", "2001:db8::1" },
		{ "2001:db8:1:2:3::1/64", "2001:db8:1:2::/64" },
		{ "2001:db8:1:2ff::/56", "2001:db8:1:200::/56" },
		{ "2001:db8:ffff::/33", "2001:db8:8000::/33" },
		{ "2001:db8::1/0", "::/0" },
		{ "[2001:db8::1]/64", "2001:db8::/64" },
		{ "2001:db8:1::1/ffff:ffff::", "2001:db8::/32" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "::ffff:192.0.2.1/128", "192.0.2.1" },
		{ "::ffff:192.0.2.1/120", "192.0.2.0/24" },
		{ "::ffff:192.0.2.1/96", "0.0.0.0/0" },
		{ "::ffff:192.0.2.1/255.255.255.0", "192.0.2.0/24" },
		/* errors */
		{ "", NULL },
		{ "/", NULL },
		{ "/24", NULL },
		{ "example.org", NULL },
		{ "192.0.2.1/", NULL },
		{ "192.0.2.1/33", NULL },
		{ "192.0.2.1/256", NULL },
		{ "192.0.2.1/-1", NULL },
		{ "192.0.2.1/+24", NULL },
		{ "192.0.2.1/ 24", NULL },
		{ "192.0.2.1/24 ", NULL },
		{ "192.0.2.1/24x", NULL },
		{ "192.0.2.1/0x18", NULL },
		{ "192.0.2.1/24/24", NULL },
		{ "192.0.2.1 /24", NULL },
		{ "192.0.2.1/4294967320", NULL },
		{ "192.0.2.1/99999999999999999999", NULL },
		{ "192.0.2.1/255.0.255.0", NULL },
		{ "192.0.2.1/0.0.0.255", NULL },
		{ "192.0.2.1/255.255.255", NULL },
		{ "192.0.2.1/ffff::", NULL },
		{ "2001:db8::1/129", NULL },
		{ "2001:db8::1/255.255.255.0", NULL },
		{ "2001:db8::1/ffff:0:ffff::", NULL },
		{ "fe80::1%eth0/64", NULL },
		{ "::ffff:192.0.2.1/24", NULL },
		{ "::ffff:192.0.2.1/95", NULL },
		{ "::ffff:192.0.2.1/129", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip untouched = { .family = 77 };
		struct ip ip = untouched;
		struct error err = { "" };
		char out[IP_TEXT_MAX];
		int rc = ip_parse_prefix(rows[i].text, &ip, &err);

		if (rc != (rows[i].formatted ? 0 : -1))
			fail_msg("'%s': %d", rows[i].text, rc);
		assert_int_equal(err.text[0] != '\0', rc < 0);
		if (rc < 0) {
			assert_true(ip_equal(&ip, &untouched));
			assert_int_equal(ip_parse_prefix(rows[i].text, &ip, NULL), -1);
		} else {
			assert_string_equal(ip_format(&ip, out), rows[i].formatted);
		}
	}
}

/* What is not an address is shown rendered. */
static void test_error_text(void **state)
{
	struct error err = { "" };
	struct ip ip;

	(void)state;
	assert_int_equal(ip_parse_prefix("a\033b", &ip, &err), -1);
	assert_non_null(strstr(err.text, "'a\\x1bb'"));
	assert_int_equal(ip_parse_prefix("192.0.2.1/\n", &ip, &err), -1);
	assert_non_null(strstr(err.text, "\\x0a"));
}

/* All lengths of both families: canonical in memory, and read back from its own text. */
static void test_mask(void **state)
{
	static const char *const texts[] = { "255.255.255.255",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ip all = prefix(texts[i]);

		for (unsigned bits = 0; bits <= all.bits; bits++) {
			struct ip masked = ip_mask(&all, (uint8_t)bits);
			struct ip again;
			char out[IP_TEXT_MAX];

			assert_int_equal(masked.family, all.family);
			assert_int_equal(masked.bits, bits);
			for (unsigned k = 0; k < 128; k++)
				assert_int_equal(masked.bytes[k / 8] >> (7 - k % 8) & 1, k < bits);
			again = prefix(ip_format(&masked, out));
			assert_true(ip_equal(&again, &masked));
			assert_int_equal(ip_is_host(&masked), bits == all.bits);
			assert_true(ip_contains(&masked, &all));
			assert_int_equal(ip_contains(&all, &masked), bits == all.bits);
			assert_true(ip_overlaps(&all, &masked) && ip_overlaps(&masked, &all));
		}
	}
}

static void test_longest(void **state)
{
	struct ip ip = prefix("1111:2222:3333:4444:5555:6666:7777:8888/127");
	char out[IP_TEXT_MAX];

	(void)state;
	assert_string_equal(ip_format(&ip, out), "1111:2222:3333:4444:5555:6666:7777:8888/127");
}

static void test_from_bytes(void **state)
{
	static const uint8_t four[] = { 192, 0, 2, 1 };
	static const uint8_t six[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 1 };
	struct ip host = prefix("192.0.2.1");
	struct ip other = prefix("2001:db8::1");
	struct ip made = ip_from_bytes(4, four);

	(void)state;
	assert_true(ip_equal(&made, &host));
	made = ip_from_bytes(6, mapped);
	assert_true(ip_equal(&made, &host));
	made = ip_from_bytes(6, six);
	assert_true(ip_equal(&made, &other));
	assert_false(ip_equal(&made, &host));
}

static void test_canonical(void **state)
{
	static const struct {
		struct ip ip;
		bool canonical;
	} rows[] = {
		{ { 0, 0, { 0 } }, true },
		{ { 4, 32, { 192, 0, 2, 1 } }, true },
		{ { 4, 24, { 192, 0, 2 } }, true },
		{ { 4, 0, { 0 } }, true },
		{ { 6, 128, { 0x20, 1, [15] = 1 } }, true },
		{ { 6, 64, { 0x20, 1, [7] = 1 } }, true },
		{ { 6, 0, { 0 } }, true },
		{ { 6, 128, { [10] = 0xff, 0xfe, 192, 0, 2, 1 } }, true },
		{ { 6, 95, { [10] = 0xff, 0xfe } }, true },
		/* not */
		{ { 0, 1, { 0 } }, false },
		{ { 0, 0, { 1 } }, false },
		{ { 0, 0, { [15] = 1 } }, false },
		{ { 5, 32, { 192, 0, 2, 1 } }, false },
		{ { 255, 0, { 0 } }, false },
		{ { 4, 33, { 192, 0, 2, 1 } }, false },
		{ { 4, 128, { 192, 0, 2, 1 } }, false },
		{ { 4, 255, { 192, 0, 2, 1 } }, false },
		{ { 4, 24, { 192, 0, 2, 1 } }, false },
		{ { 4, 31, { 192, 0, 2, 1 } }, false },
		{ { 4, 0, { 128 } }, false },
		{ { 4, 32, { 192, 0, 2, 1, 1 } }, false },
		{ { 4, 32, { 192, 0, 2, 1, [15] = 1 } }, false },
		{ { 4, 24, { 192, 0, 2, [9] = 0x80 } }, false },
		{ { 6, 129, { 0x20, 1 } }, false },
		{ { 6, 127, { 0x20, 1, [15] = 1 } }, false },
		{ { 6, 64, { 0x20, 1, [8] = 0x80 } }, false },
		{ { 6, 128, { [10] = 0xff, 0xff, 192, 0, 2, 1 } }, false },
		{ { 6, 96, { [10] = 0xff, 0xff } }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (ip_is_canonical(&rows[i].ip) != rows[i].canonical)
			fail_msg("row %zu", i);
}

/* What the makers of addresses make is canonical. */
static void test_made_canonical(void **state)
{
	static const char *const texts[] = { "192.0.2.1", "192.0.2.255/25", "::ffff:192.0.2.1",
		"::ffff:192.0.2.1/96", "::/0", "0.0.0.0/0", "2001:db8::1/63" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ip ip = prefix(texts[i]);

		for (int bits = ip.bits; bits >= 0; bits--) {
			ip = ip_mask(&ip, (uint8_t)bits);
			if (!ip_is_canonical(&ip))
				fail_msg("%s, %d bits", texts[i], bits);
		}
	}
}

static void test_contains(void **state)
{
	static const struct {
		const char *outer;
		const char *inner;
		bool contains;
		bool overlaps;
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.255", true, true },
		{ "192.0.2.0/24", "192.0.2.0/24", true, true },
		{ "192.0.2.0/24", "192.0.2.128/25", true, true },
		{ "192.0.2.128/25", "192.0.2.0/24", false, true },
		{ "192.0.2.0/24", "192.0.3.0", false, false },
		{ "192.0.2.0/25", "192.0.2.128/25", false, false },
		{ "0.0.0.0/0", "203.0.113.9", true, true },
		{ "0.0.0.0/0", "2001:db8::1", false, false },
		{ "::/0", "192.0.2.1", false, false },
		{ "::/0", "2001:db8::/32", true, true },
		{ "2001:db8::/33", "2001:db8:8000::", false, false },
		{ "2001:db8:1:2::/64", "2001:db8:1:2:ffff::1", true, true },
		{ "192.0.2.0/24", "::ffff:192.0.2.7", true, true },
		{ "192.0.2.1", "192.0.2.2", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip outer = prefix(rows[i].outer);
		struct ip inner = prefix(rows[i].inner);

		assert_int_equal(ip_contains(&outer, &inner), rows[i].contains);
		assert_int_equal(ip_overlaps(&outer, &inner), rows[i].overlaps);
		assert_int_equal(ip_overlaps(&inner, &outer), rows[i].overlaps);
	}
}

static void test_special(void **state)
{
	static const struct {
		const char *text;
		bool special;
	} rows[] = {
		{ "127.0.0.1", true },
		{ "127.255.255.255", true },
		{ "0.0.0.0", true },
		{ "224.0.0.1", true },
		{ "239.255.255.250", true },
		{ "255.255.255.255", true },
		{ "::", true },
		{ "::1", true },
		{ "ff02::1", true },
		{ "fe80::1", true },
		{ "febf::1", true },
		{ "::ffff:127.0.0.1", true },
		{ "192.0.2.1", false },
		{ "126.255.255.255", false },
		{ "128.0.0.1", false },
		{ "223.255.255.255", false },
		{ "10.0.0.1", false },
		{ "::2", false },
		{ "1::1", false },
		{ "fec0::1", false },
		{ "fe7f::1", false },
		{ "fd00::1", false },
		{ "2001:db8::1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip ip = prefix(rows[i].text);

		if (ip_is_special(&ip) != rows[i].special)
			fail_msg("%s", rows[i].text);
	}
}

static void test_ban_width(void **state)
{
	static const char *const yes[] = { "192.0.2.1", "192.0.2.0/24", "2001:db8::1",
		"2001:db8::/64", "2001:db8::/56", "2001:db8::/48" };
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		struct ip ip = prefix(yes[i]);

		if (!ip_has_ban_width(&ip))
			fail_msg("%s", yes[i]);
	}
	for (unsigned family = 0; family < 256; family++)
		for (unsigned bits = 0; bits < 256; bits++)
			count += ip_has_ban_width(
				&(struct ip){ (uint8_t)family, (uint8_t)bits, { 0 } });
	assert_int_equal(count, sizeof(yes) / sizeof(yes[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_length),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_error_text),
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_from_bytes),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_made_canonical),
		cmocka_unit_test(test_ban_width),
		cmocka_unit_test(test_contains),
		cmocka_unit_test(test_special),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
