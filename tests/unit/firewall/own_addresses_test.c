#include "firewall/namespace.h"

#include "base/error.h"
#include "firewall/logins.h"
#include "firewall/own_addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/capability.h>

static struct own_addresses_found found;

static void read_all(struct own_addresses *own)
{
	struct error err = { "" };

	if (own_addresses_list(own, &found, &err) < 0)
		fail_msg("%s", err.text);
}

static size_t times(enum own_addresses_kind kind, const char *text)
{
	struct ip ip = { 0 };
	size_t n = 0;

	assert_int_equal(ip_parse_prefix(text, &ip, NULL), 0);
	for (size_t i = 0; i < found.count; i++)
		n += found.entries[i].kind == kind && ip_equal(&found.entries[i].ip, &ip);
	return n;
}

static size_t times_kind(enum own_addresses_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < found.count; i++)
		n += found.entries[i].kind == kind;
	return n;
}

/* A /run of our own, with the directory of logind. */
static void run_make(void)
{
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", "/run", "tmpfs", 0, "mode=0755"), 0);
	assert_int_equal(mkdir("/run/systemd", 0755) | mkdir(LOGINS_SESSIONS, 0755), 0);
}

static int setup(void **state)
{
	struct own_addresses *own = NULL;
	struct error err = { "" };

	*state = NULL;
	if (!namespace_enter())
		return 0;
	run_make();
	if (own_addresses_open(&own, &err) < 0) {
		print_message("%s\n", err.text);
		return -1;
	}
	*state = own;
	return 0;
}

static int teardown(void **state)
{
	own_addresses_close(*state);
	return 0;
}

static struct own_addresses *need(void **state)
{
	if (!*state)
		skip();
	return *state;
}

/* A worker of the kernel gives a new IPv6 address its route in the table "local", shortly after
 * `ip address add` has ended. What is sent to the address before that asks the link for its owner
 * in vain, and a connection fails with "No route to host" after three seconds. The route causes an
 * event. */
static void wait_for_route(struct own_addresses *own, const char *address)
{
	struct pollfd wait = { .fd = own_addresses_fd(own), .events = POLLIN };
	char command[128];

	(void)snprintf(command, sizeof(command), "ip -6 route show table local type local %s",
		address);
	for (;;) {
		own_addresses_drain(own);
		must_run(command);
		if (output[0])
			return;
		assert_int_equal(poll(&wait, 1, 5000), 1);
	}
}

static void link_make(struct own_addresses *own)
{
	must_run("ip link set lo up");
	must_run("ip link add vg0 type veth peer name vg1");
	must_run("ip link set vg0 up");
	must_run("ip link set vg1 up");
	must_run("ip address add 192.0.2.10/24 dev vg0");
	must_run("ip address add 192.0.2.11/24 dev vg0");
	must_run("ip address add 198.51.100.1 peer 198.51.100.2/32 dev vg0");
	must_run("ip -6 address add 2001:db8:1::10/64 dev vg0 nodad");
	wait_for_route(own, "2001:db8:1::10");
}

static void test_addresses_and_routes(void **state)
{
	static const struct {
		enum own_addresses_kind kind;
		const char *ip;
		size_t want;
	} rows[] = {
		{ OWN_ADDRESS, "127.0.0.1", 1 },
		{ OWN_ADDRESS, "::1", 1 },
		{ OWN_ADDRESS, "192.0.2.10", 1 },
		{ OWN_ADDRESS, "192.0.2.11", 1 },
		{ OWN_ADDRESS, "2001:db8:1::10", 1 },
		{ OWN_ADDRESS, "198.51.100.1", 1 },
		{ OWN_ADDRESS, "198.51.100.2", 0 },
		{ OWN_ONLINK, "192.0.2.0/24", 1 },
		{ OWN_ONLINK, "2001:db8:1::/64", 1 },
		{ OWN_ONLINK, "198.51.100.2", 0 },
		{ OWN_ONLINK, "127.0.0.0/8", 0 },
		{ OWN_ONLINK, "ff00::/8", 0 },
		{ OWN_ONLINK, "0.0.0.0/0", 0 },
		{ OWN_ONLINK, "0.0.0.0/1", 0 },
		{ OWN_ONLINK, "203.0.113.0/24", 0 },
		{ OWN_GATEWAY, "192.0.2.1", 1 },
		{ OWN_GATEWAY, "192.0.2.2", 1 },
		{ OWN_GATEWAY, "192.0.2.3", 1 },
		{ OWN_GATEWAY, "192.0.2.4", 0 },
		{ OWN_GATEWAY, "2001:db8:1::1", 1 },
		{ OWN_GATEWAY, "2001:db8:1::2", 1 },
	};
	struct own_addresses *own = need(state);

	link_make(own);
	must_run("ip route add default via 192.0.2.1 metric 10");
	must_run("ip route add default metric 20 nexthop via 192.0.2.2 dev vg0 "
		 "nexthop via 192.0.2.3 dev vg0");
	must_run("ip route add default via inet6 2001:db8:1::2 dev vg0 metric 30");
	must_run("ip route add 203.0.113.0/24 via 192.0.2.4");
	must_run("ip route add 0.0.0.0/1 dev vg0");
	must_run("ip -6 route add default via 2001:db8:1::1");
	read_all(own);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (times(rows[i].kind, rows[i].ip) != rows[i].want)
			fail_msg("%s %s", own_addresses_kind_text(rows[i].kind), rows[i].ip);
	assert_int_equal(times_kind(OWN_SSH_PEER), 0);
}

static void test_events(void **state)
{
	static const char *const commands[] = {
		"ip address add 192.0.2.20/24 dev vg0",
		"ip -6 address add 2001:db8:1::20/64 dev vg0 nodad",
		"ip route add default via 192.0.2.1",
		"ip -6 route add default via 2001:db8:1::1",
		"ip address del 192.0.2.20/24 dev vg0",
	};
	struct own_addresses *own = need(state);
	struct pollfd wait = { .fd = own_addresses_fd(own), .events = POLLIN };

	link_make(own);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		own_addresses_drain(own);
		must_run(commands[i]);
		assert_int_equal(poll(&wait, 1, 1000), 1);
	}
	read_all(own);
	assert_int_equal(times(OWN_ADDRESS, "192.0.2.20"), 0);
	assert_int_equal(times(OWN_ADDRESS, "2001:db8:1::20"), 1);
}

static struct sockaddr_in6 socket_address(const char *text, uint16_t port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	assert_int_equal(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
	return address;
}

/* fds: listener, client, accepted. */
static void connection_make(const char *source, const char *destination, uint16_t port, int fds[3])
{
	struct sockaddr_in6 from = socket_address(source, 0);
	struct sockaddr_in6 to = socket_address(destination, port);
	int one = 1;

	fds[0] = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fds[1] = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(fds[0], SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fds[0], (const struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(fds[0], 8), 0);
	assert_int_equal(bind(fds[1], (const struct sockaddr *)&from, sizeof(from)), 0);
	if (connect(fds[1], (const struct sockaddr *)&to, sizeof(to)) < 0)
		fail_msg("connect %s to %s: %s", source, destination, strerror(errno));
	fds[2] = accept4(fds[0], NULL, NULL, SOCK_CLOEXEC);
	assert_true(fds[2] >= 0);
}

static void connection_close(int fds[3])
{
	for (int i = 0; i < 3; i++)
		(void)close(fds[i]);
}

/* What logind would write of a user who came in from there by SSH. */
static void session_put(const char *id, const char *host)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), LOGINS_SESSIONS "/%s", id);
	file = fopen(path, "we");
	assert_non_null(file);
	(void)fprintf(file,
		"UID=0\nUSER=root\nACTIVE=1\nSTATE=active\nREMOTE=1\nTYPE=tty\nCLASS=user\n"
		"REMOTE_HOST=%s\nSERVICE=sshd\n",
		host);
	assert_int_equal(fclose(file), 0);
}

static struct logins logins;

static void login_note(void *context, const struct ip *ip, const char *name)
{
	(void)context, (void)name;
	if (ip)
		(void)logins_add(&logins, ip, 0);
}

static int logins_read(struct error *err)
{
	logins.count = 0;
	return logins_list(LOGINS_UTMP, login_note, NULL, err);
}

/* A connection to any port makes nobody a login. */
static void test_connections(void **state)
{
	static const struct {
		const char *source;
		const char *destination;
		uint16_t port;
	} rows[] = {
		{ "::ffff:192.0.2.10", "::ffff:192.0.2.11", 22 },
		{ "2001:db8:1::10", "2001:db8:1::10", 22 },
		{ "::ffff:192.0.2.10", "::ffff:192.0.2.11", 5060 },
	};
	struct own_addresses *own = need(state);
	struct error err = { "" };

	link_make(own);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fds[3];

		connection_make(rows[i].source, rows[i].destination, rows[i].port, fds);
		assert_int_equal(logins_read(&err), 0);
		assert_int_equal(logins.count, 0);
		read_all(own);
		assert_int_equal(times_kind(OWN_SSH_PEER), 0);
		connection_close(fds);
	}
}

/* Two sessions from one address: listed once. */
static void test_sessions(void **state)
{
	struct own_addresses *own = need(state);
	struct error err = { "" };
	char text[IP_TEXT_MAX];

	link_make(own);
	session_put("1", "203.0.113.7");
	session_put("2", "203.0.113.7");
	session_put("c3", "2001:db8:2::7");
	assert_int_equal(logins_read(&err), 0);
	assert_int_equal(logins.count, 2);
	for (size_t i = 0; i < logins.count; i++)
		assert_string_equal(ip_format(&logins.entries[i].ip, text),
			logins.entries[i].ip.family == 4 ? "203.0.113.7" : "2001:db8:2::7");
	assert_int_equal(logins.entries[0].ip.family + logins.entries[1].ip.family, 4 + 6);
	read_all(own);
	assert_int_equal(times(OWN_ADDRESS, "192.0.2.10"), 1);
}

static void batch_write(FILE *file, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)fprintf(file, "address add 198.18.%zu.%zu/32 dev vg0\n", i / 250, i % 250);
}

static void test_overflow(void **state)
{
	struct own_addresses *own = need(state);
	char path[] = "/tmp/own_addresses_test.XXXXXX";
	struct error err = { "" };
	char command[64];
	FILE *file;
	int fd;

	link_make(own);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	batch_write(file, OWN_ADDRESSES_MAX);
	assert_int_equal(fclose(file), 0);
	(void)snprintf(command, sizeof(command), "ip -batch %s", path);
	must_run(command);
	(void)unlink(path);
	assert_int_equal(own_addresses_list(own, &found, &err), -1);
	assert_non_null(strstr(err.text, "1024"));
	assert_int_equal(found.count, OWN_ADDRESSES_MAX);
}

static int child_unprivileged(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
	struct own_addresses *own = NULL;

	if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0 ||
		syscall(SYS_capset, &header, none) < 0)
		return 1;
	if (own_addresses_open(&own, NULL) < 0 || own_addresses_list(own, &found, NULL) < 0)
		return 2;
	own_addresses_close(own);
	if (logins_read(NULL) < 0)
		return 3;
	return logins.count == 1 && times(OWN_ADDRESS, "192.0.2.10") == 1 ? 0 : 4;
}

static void test_without_privileges(void **state)
{
	link_make(need(state));
	session_put("1", "203.0.113.7");
	must_in_child(child_unprivileged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_addresses_and_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connections, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sessions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overflow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_privileges, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
