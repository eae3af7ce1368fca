#include "notifier/localhost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

static void test_names(void **state)
{
	static const struct {
		const char *name;
		bool is;
	} rows[] = {
		{ "localhost", true },
		{ "LocalHost", true },
		{ "localhost.", true },
		{ "mail.localhost", true },
		{ "a.b.localhost.", true },
		{ ".localhost", true },
		{ "", false },
		{ ".", false },
		{ "localhost..", false },
		{ "mylocalhost", false },
		{ "localhost.example.org", false },
		{ "localhos", false },
		{ "ocalhost", false },
		{ "127.0.0.1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (localhost_is(rows[i].name) != rows[i].is)
			fail_msg("'%s'", rows[i].name);
}

/* No name server knows such a name, and no /etc/hosts. */
static void test_addresses(void **state)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME };
	struct addrinfo *found = NULL;
	size_t four = 0;
	size_t six = 0;

	(void)state;
	assert_int_equal(getaddrinfo("there.is.no.such.localhost", "25", &hints, &found), 0);
	for (const struct addrinfo *at = found; at; at = at->ai_next) {
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;

		if (at->ai_family == AF_INET) {
			memcpy(&ipv4, at->ai_addr, sizeof(ipv4));
			assert_int_equal(ntohl(ipv4.sin_addr.s_addr), INADDR_LOOPBACK);
			assert_int_equal(ntohs(ipv4.sin_port), 25);
			four++;
		} else {
			assert_int_equal(at->ai_family, AF_INET6);
			memcpy(&ipv6, at->ai_addr, sizeof(ipv6));
			assert_true(IN6_IS_ADDR_LOOPBACK(&ipv6.sin6_addr));
			six++;
		}
	}
	freeaddrinfo(found);
	assert_int_equal(four, 1);
	assert_int_equal(six, 1);
}

/* What is no name of this host goes to libc. */
static void test_others(void **state)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	struct sockaddr_in ipv4;

	(void)state;
	assert_int_equal(getaddrinfo("192.0.2.7", NULL, &hints, &found), 0);
	memcpy(&ipv4, found->ai_addr, sizeof(ipv4));
	assert_int_equal(ntohl(ipv4.sin_addr.s_addr), 0xc0000207);
	freeaddrinfo(found);
	assert_int_equal(getaddrinfo("mail.example", NULL, &hints, &found), EAI_NONAME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
