#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/ports.h"

#include <netinet/in.h>
#include <string.h>

static void test_parse(void **state)
{
	static const struct {
		uint8_t protocol;
		const char *ports;
		const char *want; /* NULL: refused */
	} rows[] = {
		{ IPPROTO_UDP, "5060", "udp:5060" },
		{ IPPROTO_UDP, "5061,5060", "udp:5060,5061" },
		{ IPPROTO_UDP, "5060, 5062", "udp:5060,5062" },
		{ IPPROTO_TCP, "sip,sip-tls,https", "tcp:443,5060,5061" },
		{ IPPROTO_TCP, "10000:20000", "tcp:10000-20000" },
		{ IPPROTO_TCP, "10000-20000,15000,20001", "tcp:10000-20001" },
		{ IPPROTO_TCP, "http-https", "tcp:80-443" },
		{ IPPROTO_TCP, "ftp-data:sip-tls", "tcp:20-5061" },
		{ IPPROTO_UDP, "0:65535", "udp:1-65535" },
		{ IPPROTO_SCTP, "65535", "sctp:65535" },
		{ IPPROTO_TCP, "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29",
			"tcp:1,3,5,7,9,11,13,15,17,19,21,23,25,27,29" },
		{ IPPROTO_TCP, "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31", NULL },
		{ IPPROTO_TCP, "", NULL },
		{ IPPROTO_TCP, " , ", NULL },
		{ IPPROTO_TCP, "0", NULL },
		{ IPPROTO_TCP, "65536", NULL },
		{ IPPROTO_TCP, "2000:1000", NULL },
		{ IPPROTO_TCP, "80:", NULL },
		{ IPPROTO_TCP, ":80", NULL },
		{ IPPROTO_TCP, "1:2:3", NULL },
		{ IPPROTO_TCP, "+80", NULL },
		{ IPPROTO_TCP, "sipx", NULL },
		{ IPPROTO_TCP, "000080", NULL },
		{ IPPROTO_ICMP, "80", NULL },
		{ 0, "80", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[SCOPE_TEXT_MAX];
		struct scope scope = { 0 };
		struct error err = { "" };
		int rc = scope_parse(rows[i].protocol, rows[i].ports, &scope, &err);

		if (!rows[i].want) {
			assert_int_equal(rc, -1);
			assert_true(err.text[0]);
			assert_int_equal(scope.protocol, 0);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_string_equal(scope_format(&scope, out), rows[i].want);
		assert_true(scope_is_valid(&scope));
	}
}

static void test_error_is_rendered(void **state)
{
	struct scope scope;
	struct error err = { "" };

	(void)state;
	assert_int_equal(scope_parse(IPPROTO_TCP, "22,\033[2J", &scope, &err), -1);
	assert_null(strchr(err.text, '\033'));
	assert_non_null(strstr(err.text, "\\x1b[2J"));
}

static void test_longest_text(void **state)
{
	struct scope scope = { .protocol = IPPROTO_SCTP, .n_ranges = SCOPE_RANGES_MAX };
	char out[SCOPE_TEXT_MAX];

	(void)state;
	for (uint16_t i = 0; i < SCOPE_RANGES_MAX; i++) {
		scope.ranges[i].first = (uint16_t)(10000 + i * 100);
		scope.ranges[i].last = (uint16_t)(10050 + i * 100);
	}
	assert_int_equal(strlen(scope_format(&scope, out)), 4 + 15 * 12);
	assert_string_equal(out + strlen(out) - 11, "11400-11450");
}

static void test_valid_and_equal(void **state)
{
	const struct scope good[] = {
		{ 0 },
		{ .protocol = IPPROTO_UDP, .n_ranges = 1, .ranges = { { 5060, 5061 } } },
		{ .protocol = IPPROTO_TCP, .n_ranges = 2, .ranges = { { 1, 1 }, { 3, 65535 } } },
	};
	const struct scope bad[] = {
		{ .protocol = IPPROTO_UDP },
		{ .n_ranges = 1, .ranges = { { 5060, 5061 } } },
		{ .protocol = 200, .n_ranges = 1, .ranges = { { 1, 2 } } },
		{ .protocol = IPPROTO_UDP, .n_ranges = 1, .ranges = { { 0, 5 } } },
		{ .protocol = IPPROTO_UDP, .n_ranges = 1, .ranges = { { 6, 5 } } },
		{ .protocol = IPPROTO_UDP, .n_ranges = 2, .ranges = { { 1, 4 }, { 5, 6 } } },
		{ .protocol = IPPROTO_UDP, .n_ranges = 2, .ranges = { { 9, 9 }, { 5, 6 } } },
		{ .protocol = IPPROTO_UDP, .n_ranges = 1, .ranges = { { 1, 4 }, { 9, 9 } } },
		{ .protocol = IPPROTO_UDP, .n_ranges = SCOPE_RANGES_MAX + 1 },
	};
	char out[SCOPE_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(scope_is_valid(&good[i]));
		assert_true(scope_equal(&good[i], &good[i]));
		assert_false(scope_equal(&good[i], &bad[0]));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(scope_is_valid(&bad[i]));
	assert_string_equal(scope_format(&good[0], out), "all");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_error_is_rendered),
		cmocka_unit_test(test_longest_text),
		cmocka_unit_test(test_valid_and_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
