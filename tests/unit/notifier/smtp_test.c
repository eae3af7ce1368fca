#include "notifier/smtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

enum {
	READY_TRIES = 500, /* of 10 ms */
	EML_MAX = 65536,
};

/* Server certificates of one test authority, made once. */
static char dir[] = "/tmp/mail_test.XXXXXX";

struct sink {
	pid_t pid;
	uint16_t port;
	char *dir; /* owned */
};

/* What the delivering child reports. */
struct outcome {
	int rc;
	bool permanent;
	struct error err;
};

static pid_t spawn(char *const argv[])
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		(void)prctl(PR_SET_PDEATHSIG,
			SIGKILL); /* after a failed assertion nobody ends it */

		if (null >= 0) {
			(void)dup2(null, STDIN_FILENO);  /* quiet only */
			(void)dup2(null, STDERR_FILENO); /* likewise */
		}
		execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static void openssl(const char *const *arguments)
{
	char *argv[32] = { NULL };
	size_t count = 0;
	int status;
	pid_t pid;

	argv[count++] = alloc_string("/usr/bin/openssl");
	for (size_t i = 0; arguments[i]; i++) {
		assert_true(count < 31);
		argv[count++] = alloc_string(arguments[i]);
	}
	pid = spawn(argv);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (size_t i = 0; i < count; i++)
		free(argv[i]);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static char *in_dir(const char *name)
{
	return alloc_format("%s/%s", dir, name);
}

static void make_certificate(const char *name, const char *subject, const char *names)
{
	cleanup_free char *key = alloc_format("%s/%s.key", dir, name);
	cleanup_free char *cert = alloc_format("%s/%s.pem", dir, name);
	cleanup_free char *ca = in_dir("ca.pem");
	cleanup_free char *ca_key = in_dir("ca.key");
	cleanup_free char *request = in_dir("request.pem");
	cleanup_free char *extensions = in_dir("extensions");
	FILE *file = fopen(extensions, "w");

	assert_non_null(file);
	assert_true(fprintf(file, "subjectAltName=%s\n", names) > 0);
	assert_int_equal(fclose(file), 0);
	openssl((const char *const[]){ "req", "-newkey", "rsa:2048", "-nodes", "-subj", subject,
		"-keyout", key, "-out", request, NULL });
	openssl((const char *const[]){ "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key,
		"-CAcreateserial", "-days", "30", "-extfile", extensions, "-out", cert, NULL });
}

static int make_authority(void **state)
{
	cleanup_free char *key = NULL;
	cleanup_free char *cert = NULL;

	(void)state;
	assert_non_null(mkdtemp(dir));
	key = in_dir("ca.key");
	cert = in_dir("ca.pem");
	openssl((const char *const[]){ "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
		"30", "-subj", "/CN=test authority", "-keyout", key, "-out", cert, NULL });
	make_certificate("good", "/CN=whatever", "DNS:localhost");
	make_certificate("wrong", "/CN=localhost", "DNS:mail.example.org");
	return 0;
}

static int remove_authority(void **state)
{
	char *const argv[] = { alloc_string("/bin/rm"), alloc_string("-rf"), alloc_string(dir),
		NULL };
	int status;
	pid_t pid = spawn(argv);

	(void)state;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (size_t i = 0; argv[i]; i++)
		free(argv[i]);
	return 0;
}

/* Waits for the file with the port: the server writes it when it listens. */
static uint16_t read_port(const char *path)
{
	for (int i = 0; i < READY_TRIES; i++) {
		cleanup_file FILE *file = fopen(path, "r");
		unsigned int port;

		if (file && fscanf(file, "%u", &port) == 1)
			return (uint16_t)port;
		(void)poll(NULL, 0, 10); /* a pause */
	}
	fail_msg("the mail sink did not come up");
	return 0;
}

/* options end with NULL; "@name" is a file of the test directory. */
static struct sink sink_start(const char *const *options)
{
	static unsigned int number;
	struct sink sink = { .dir = alloc_format("%s/sink%u", dir, ++number) };
	cleanup_free char *ready = alloc_format("%s.ready", sink.dir);
	const char *const fixed[] = { "/usr/bin/python3", "tests/e2e/smtp_sink.py", "--listen",
		"127.0.0.1:0", "--dir", sink.dir, "--ready-file", ready };
	char *argv[32] = { NULL };
	size_t count = 0;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		argv[count++] = alloc_string(fixed[i]);
	for (size_t i = 0; options[i]; i++) {
		assert_true(count < 31);
		argv[count++] =
			options[i][0] == '@' ? in_dir(options[i] + 1) : alloc_string(options[i]);
	}
	sink.pid = spawn(argv);
	for (size_t i = 0; i < count; i++)
		free(argv[i]);
	sink.port = read_port(ready);
	return sink;
}

static void sink_stop(struct sink *sink)
{
	int status;

	assert_int_equal(kill(sink->pid, SIGTERM), 0);
	assert_int_equal(waitpid(sink->pid, &status, 0), sink->pid);
	assert_true(WIFEXITED(status));
	free(sink->dir);
}

/* Mail number N as it was kept, or NULL. */
static char *sink_mail(const struct sink *sink, int number)
{
	cleanup_free char *path = alloc_format("%s/%d.eml", sink->dir, number);
	cleanup_file FILE *file = fopen(path, "r");
	char *text;

	if (!file)
		return NULL;
	text = alloc_zero(EML_MAX);
	assert_true(fread(text, 1, EML_MAX - 1, file) > 0);
	return text;
}

/* In a child, as the daemon does: a second STARTTLS session would crash libesmtp. */
static struct outcome deliver(const struct smtp_server *server, const struct smtp_mail *mail)
{
	struct outcome outcome = { .rc = -2 };
	int ends[2];
	int status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		outcome.rc = smtp_deliver(server, mail, &outcome.permanent, &outcome.err);
		_exit(write(ends[1], &outcome, sizeof(outcome)) == sizeof(outcome) ? 0 : 1);
	}
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(read(ends[0], &outcome, sizeof(outcome)), sizeof(outcome));
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return outcome;
}

static const struct smtp_mail plain_message = {
	.sender = "Guard <guard@example.org>",
	.dest = "ops@example.org, Two <two@example.org>",
	.subject = "banned 192.0.2.1",
	.body = "because of this\n",
	.date_s = 1700000000,
	.id = 42,
};

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		count++;
	return count;
}

static void test_plain(void **state)
{
	struct sink sink = sink_start((const char *const[]){ NULL });
	const struct smtp_server server = { .host = "127.0.0.1", .port = sink.port };
	struct outcome outcome = deliver(&server, &plain_message);
	cleanup_free char *mail = sink_mail(&sink, 1);

	(void)state;
	if (outcome.rc < 0)
		fail_msg("%s", outcome.err.text);
	assert_non_null(mail);
	assert_int_equal(strncmp(mail,
				 "X-Envelope-From: guard@example.org\r\n"
				 "X-Envelope-To: ops@example.org\r\n"
				 "X-Envelope-To: two@example.org\r\n",
				 100),
		0);
	assert_int_equal(count_of(mail, "\r\nFrom: \"Guard\" <guard@example.org>\r\n"), 1);
	assert_int_equal(count_of(mail, "\r\nSubject: banned 192.0.2.1\r\n"), 1);
	assert_int_equal(count_of(mail, "\r\nDate: "), 1);
	assert_int_equal(count_of(mail, "\r\nMessage-ID: <"), 1);
	assert_int_equal(count_of(mail, "\r\nMessage-Id: "), 0);
	assert_int_equal(count_of(mail, "\r\nTo: "), 1);
	assert_int_equal(count_of(mail, "\r\nAuto-Submitted: auto-generated\r\n"), 1);
	assert_non_null(strstr(mail, "\r\n\r\nbecause of this\r\n"));
	sink_stop(&sink);
}

static void test_default_sender(void **state)
{
	struct sink sink = sink_start((const char *const[]){ NULL });
	const struct smtp_server server = { .host = "localhost", .port = sink.port };
	struct smtp_mail message = plain_message;
	struct outcome outcome;
	cleanup_free char *mail = NULL;

	(void)state;
	message.sender = NULL;
	outcome = deliver(&server, &message);
	if (outcome.rc < 0)
		fail_msg("%s", outcome.err.text);
	mail = sink_mail(&sink, 1);
	assert_non_null(mail);
	assert_int_equal(strncmp(mail, "X-Envelope-From: voipguard@", 27), 0);
	sink_stop(&sink);
}

static void test_text(void **state)
{
	static const char line[] = "0123456789012345678901234567890123456789";
	struct sink sink = sink_start((const char *const[]){ NULL });
	const struct smtp_server server = { .host = "127.0.0.1", .port = sink.port };
	struct smtp_mail message = plain_message;
	cleanup_free char *body = alloc_format(".\n..two\n%s%s%s\nlast", line, line, line);
	cleanup_free char *mail = NULL;
	struct outcome outcome;

	(void)state;
	message.subject = "Jos\xc3\xa9\r\nBcc: evil@example.org\r\n\r\nX";
	message.body = body;
	outcome = deliver(&server, &message);
	if (outcome.rc < 0)
		fail_msg("%s", outcome.err.text);
	mail = sink_mail(&sink, 1);
	assert_non_null(mail);
	assert_int_equal(count_of(mail, "evil"), 0); /* inside base64, with its line ends shown */
	assert_int_equal(count_of(mail, "X-Envelope-To: "), 2);
	assert_int_equal(count_of(mail, "\r\nSubject: =?utf-8?B?"), 1);
	assert_non_null(strstr(mail, "\r\n\r\n=2E\r\n=2E.two\r\n0123"));
	assert_non_null(strstr(mail, "=\r\n"));
	assert_non_null(strstr(mail, "\r\nlast\r\n"));
	sink_stop(&sink);
}

/* One delivery to a sink with options; port and paths are filled in. */
struct row {
	const char *name;
	const char *options[8];
	struct smtp_server server;
	const char *dest; /* NULL: the plain message's */
	int rc;
	bool permanent;
	const char *error; /* part of the sentence */
};

#define GOOD_TLS "--tls", "@good.pem", "@good.key"
#define AUTH "--require-auth", "guard", "secret"

static const struct row rows[] = {
	{ "starttls", { GOOD_TLS }, { .host = "localhost", .tls_required = true }, .rc = 0 },
	{ "a name below localhost, whatever the host knows of it", { AUTH },
		{ .host = "mail.localhost", .user = "guard", .password = "secret" }, .rc = 0 },
	{ "starttls, a name below localhost that the certificate does not name", { GOOD_TLS },
		{ .host = "mail.localhost", .tls_required = true }, NULL, -1, false,
		"is not valid for it: hostname mismatch" },
	{ "starttls, certificate for another name", { "--tls", "@wrong.pem", "@wrong.key" },
		{ .host = "localhost", .tls_required = true }, NULL, -1, false,
		"is not valid for it: hostname mismatch" },
	{ "starttls, an address that the certificate does not name", { GOOD_TLS },
		{ .host = "127.0.0.1", .tls_required = true }, NULL, -1, false,
		"is not valid for it: IP address mismatch" },
	{ "starttls, unknown authority", { GOOD_TLS },
		{ .host = "localhost", .tls_required = true, .ca_file = "/etc/ssl/certs/none" },
		NULL, -1, false, "cannot prepare TLS" },
	{ "starttls, the system's authorities", { GOOD_TLS },
		{ .host = "localhost", .tls_required = true, .ca_file = "" }, NULL, -1, false,
		"is not valid for it: " },
	{ "starttls not offered", { NULL }, { .host = "localhost", .tls_required = true }, NULL, -1,
		false, "does not offer STARTTLS" },
	{ "tls offered, not wanted", { GOOD_TLS }, { .host = "localhost" }, .rc = 0 },
	{ "auth", { AUTH }, { .host = "localhost", .user = "guard", .password = "secret" },
		.rc = 0 },
	{ "auth over tls", { AUTH, GOOD_TLS },
		{ .host = "localhost",
			.tls_required = true,
			.user = "guard",
			.password = "secret" },
		.rc = 0 },
	{ "auth, wrong password", { AUTH },
		{ .host = "localhost", .user = "guard", .password = "wrong" }, NULL, -1, true,
		"refused user and password: it answered 535" },
	{ "auth, no password", { AUTH }, { .host = "localhost", .user = "guard" }, NULL, -1, true,
		"answered 5" },
	{ "auth wanted by the server only", { AUTH }, { .host = "localhost" }, NULL, -1, true,
		"answered 530" },
	{ "answers in pieces", { "--drip" }, { .host = "localhost" }, .rc = 0 },
	{ "answers in pieces over tls", { AUTH, GOOD_TLS, "--drip" },
		{ .host = "localhost",
			.tls_required = true,
			.user = "guard",
			.password = "secret" },
		.rc = 0 },
	{ "a refusal in pieces", { "--reject-rcpt", "--drip" }, { .host = "localhost" }, NULL, -1,
		true, "answered 550 5.1.1 no such user here to ops@example.org" },
	{ "auth in pieces, wrong password", { AUTH, "--drip" },
		{ .host = "localhost", .user = "guard", .password = "wrong" }, NULL, -1, true,
		"refused user and password: it answered 535" },
	{ "answers in clear behind that to STARTTLS", { GOOD_TLS, "--inject", "after" },
		{ .host = "localhost", .tls_required = true }, NULL, -1, false,
		"sent more than was asked for before TLS" },
	{ "the answer to STARTTLS before it was asked for", { GOOD_TLS, "--inject", "before" },
		{ .host = "localhost", .tls_required = true }, NULL, -1, false,
		"sent more than was asked for before TLS" },
	{ "recipient refused", { "--reject-rcpt" }, { .host = "localhost" }, NULL, -1, true,
		"answered 550 5.1.1 no such user here to ops@example.org" },
	{ "recipient with a line end", { NULL }, { .host = "localhost" },
		"ops@example.org>\r\nRCPT TO:<evil@example.org", -1, true, "control character" },
	{ "recipient with a bracket", { NULL }, { .host = "localhost" },
		"ops@example.org> NOTIFY=NEVER <x", -1, true, "recipient: " },
};

static void test_rows(void **state)
{
	cleanup_free char *ca = in_dir("ca.pem");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct sink sink = sink_start(row->options);
		struct smtp_server server = row->server;
		struct smtp_mail message = plain_message;
		cleanup_free char *mail = NULL;
		struct outcome outcome;

		server.port = sink.port;
		if (!server.ca_file)
			server.ca_file = ca;
		else if (!server.ca_file[0])
			server.ca_file = NULL;
		if (row->dest)
			message.dest = row->dest;
		outcome = deliver(&server, &message);
		mail = sink_mail(&sink, 1);
		if (outcome.rc != row->rc || (mail != NULL) != (row->rc == 0))
			fail_msg("%s: %d (%s), mail %s", row->name, outcome.rc, outcome.err.text,
				mail ? "kept" : "not kept");
		if (row->rc < 0 && (outcome.permanent != row->permanent ||
					   !strstr(outcome.err.text, row->error)))
			fail_msg("%s: permanent %d, '%s'", row->name, outcome.permanent,
				outcome.err.text);
		assert_null(strpbrk(outcome.err.text, "\r\n"));
		sink_stop(&sink);
	}
}

static void test_no_password_in_clear(void **state)
{
	const struct smtp_server server = {
		.host = "mail.example.org",
		.port = 587,
		.user = "guard",
		.password = "secret",
	};
	struct outcome outcome = deliver(&server, &plain_message);

	(void)state;
	assert_int_equal(outcome.rc, -1);
	assert_false(outcome.permanent);
	assert_non_null(strstr(outcome.err.text, "without TLS"));
	assert_null(strstr(outcome.err.text, "secret"));
}

/* A port that was ours a moment ago and has no listener. */
static void test_refused_connection(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct smtp_server server = { .host = "127.0.0.1" };
	struct outcome outcome;
	struct error want;

	(void)state;
	assert_true(fd >= 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, length), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	server.port = ntohs(address.sin_port); /* bound, not listening */
	outcome = deliver(&server, &plain_message);
	assert_int_equal(close(fd), 0);
	assert_int_equal(outcome.rc, -1);
	assert_false(outcome.permanent);
	(void)error_errno(&want, ECONNREFUSED, "cannot reach 127.0.0.1:%u", server.port);
	assert_string_equal(outcome.err.text, want.text);
}

/* A server in this process's child that says the given words, whatever it hears. */
static void test_odd_servers(void **state)
{
	static const struct {
		const char *words;
		bool permanent;
		const char *error;
	} odd[] = {
		{ "554 go \x1b[31maway\r\n", true, "answered 554 go \\x1b[31maway" },
		{ "421 later\r\n", false, "answered 421 later" },
		{ "220 hi\r\n", false, "closed the connection" },
		{ "", false, "closed the connection" },
		{ "220 hi\r\n250 x\r\n451 not\r\n now\r\n", false, "answered 451 not" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct sockaddr_in address = { .sin_family = AF_INET };
		socklen_t length = sizeof(address);
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		struct smtp_server server = { .host = "127.0.0.1" };
		struct outcome outcome;
		int status;
		pid_t pid;

		assert_true(fd >= 0);
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		assert_int_equal(bind(fd, (const struct sockaddr *)&address, length), 0);
		assert_int_equal(listen(fd, 4), 0);
		assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
		server.port = ntohs(address.sin_port);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			char heard[4096];
			int peer = accept(fd, NULL, NULL);
			size_t size = strlen(odd[i].words);

			if (peer < 0 || write(peer, odd[i].words, size) != (ssize_t)size ||
				shutdown(peer, SHUT_WR) < 0)
				_exit(1);
			for (int k = 0; k < 100 && read(peer, heard, sizeof(heard)) > 0; k++)
				;
			_exit(0);
		}
		outcome = deliver(&server, &plain_message);
		assert_int_equal(close(fd), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (outcome.rc != -1 || outcome.permanent != odd[i].permanent ||
			!strstr(outcome.err.text, odd[i].error))
			fail_msg("%zu: %d, permanent %d, '%s'", i, outcome.rc, outcome.permanent,
				outcome.err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_default_sender),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_no_password_in_clear),
		cmocka_unit_test(test_refused_connection),
		cmocka_unit_test(test_odd_servers),
	};

	smtp_preload();
	return cmocka_run_group_tests(tests, make_authority, remove_authority);
}
