#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "pbx/host_port.h"

static void hosts(void **state)
{
	static const struct {
		const char *text;
		const char *host; /* NULL: it is none */
		unsigned port;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", 0 },
		{ "192.0.2.1:5060", "192.0.2.1", 5060 },
		{ "192.0.2.1/24", "192.0.2.0/24", 0 },
		{ "192.0.2.1/255.255.255.0", "192.0.2.0/24", 0 },
		{ "3.2.1.0:5061/24", "3.2.1.0/24", 5061 },
		{ "2001:db8::1", "2001:db8::1", 0 },
		{ "2001:db8::1/64", "2001:db8::/64", 0 },
		{ "[2001:db8::1]", "2001:db8::1", 0 },
		{ "[2001:db8::1]:5060", "2001:db8::1", 5060 },
		{ "[2001:db8::1]:5060/64", "2001:db8::/64", 5060 },
		{ "::", "::", 0 },
		{ "Pbx.Example.ORG", "pbx.example.org", 0 },
		{ "pbx.example.org.:5060", "pbx.example.org", 5060 },
		{ "pbx", "pbx", 0 },
		{ "", NULL, 0 },
		{ ":5060", NULL, 0 },
		{ "pbx:", NULL, 0 },
		{ "pbx:0", NULL, 0 },
		{ "pbx:65536", NULL, 0 },
		{ "pbx:5060x", NULL, 0 },
		{ "pbx:999999", NULL, 0 },
		{ "pbx/24", NULL, 0 },
		{ "192.0.2.1/33", NULL, 0 },
		{ "192.0.2.256", NULL, 0 },
		{ "[2001:db8::1", NULL, 0 },
		{ "[2001:db8::1]x", NULL, 0 },
		{ "[]", NULL, 0 },
		{ "a b", NULL, 0 },
		{ "user@host", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct host_port found = { .port = 1 };
		char address[IP_TEXT_MAX];
		int rc = host_port_parse(rows[i].text, strlen(rows[i].text), &found);
		const char *host = found.ip.family ? ip_format(&found.ip, address) : found.name;

		if ((rc == 0) != (rows[i].host != NULL))
			fail_msg("'%s'", rows[i].text);
		if (rc == 0 && (strcmp(host, rows[i].host) != 0 || found.port != rows[i].port))
			fail_msg("'%s': %s %u", rows[i].text, host, found.port);
	}
}

static void lengths(void **state)
{
	struct host_port found;
	char text[1000];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 60; i < sizeof(text); i += 60)
		text[i] = '.';
	assert_int_equal(host_port_parse(text, 253, &found), 0);
	assert_int_equal(host_port_parse(text, 254, &found), -1);
	assert_int_equal(host_port_parse(text, sizeof(text), &found), -1);
	assert_int_equal(host_port_parse("a\0b", 3, &found), -1);
	assert_int_equal(host_port_parse("ab", 1, &found), 0);
	assert_string_equal(found.name, "a");
}

static void uris(void **state)
{
	static const struct {
		const char *uri;
		const char *host;
	} rows[] = {
		{ "sip:host", "host" },
		{ "SIPS:host:5061", "host:5061" },
		{ "sip:user@host;transport=tcp", "host" },
		{ "sip:user:pass@word@host:5060;lr", "host:5060" },
		{ "sip:u;x=1?y@host", "host" },
		{ "<sip:user@[2001:db8::1]:5060;lr>", "[2001:db8::1]:5060" },
		{ "\"Some: <name\" <sip:host>", NULL },
		{ "Name <sip:host> ;x", "host" },
		{ "sip:", "" },
		{ "tel:+49", NULL },
		{ "host", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t length = 0;
		const char *host = host_port_of_uri(rows[i].uri, &length);

		if (!host != !rows[i].host ||
			(host && (length != strlen(rows[i].host) ||
					 memcmp(host, rows[i].host, length) != 0)))
			fail_msg("'%s': %.*s", rows[i].uri, (int)length, host ? host : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),
		cmocka_unit_test(lengths),
		cmocka_unit_test(uris),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
