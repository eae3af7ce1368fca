#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "firewall/logins.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

enum { TOLD_MAX = 8 };

static struct {
	size_t n;
	struct ip ips[TOLD_MAX];
	char name[64]; /* the last */
} told;

static char utmp_path[] = "/tmp/logins_test.XXXXXX";

static void note(void *context, const struct ip *ip, const char *name)
{
	(void)context;
	if (!ip) {
		(void)snprintf(told.name, sizeof(told.name), "%s", name);
		return;
	}
	if (told.n < TOLD_MAX)
		told.ips[told.n] = *ip;
	told.n++;
}

static const char *told_text(void)
{
	static char text[TOLD_MAX * IP_TEXT_MAX];
	char ip[IP_TEXT_MAX];

	text[0] = '\0';
	for (size_t i = 0; i < told.n && i < TOLD_MAX; i++) {
		(void)strcat(text, i ? " " : "");
		(void)strcat(text, ip_format(&told.ips[i], ip));
		assert_true(ip_is_canonical(&told.ips[i]));
	}
	return text;
}

static int make(void **state)
{
	int fd = mkstemp(utmp_path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int drop(void **state)
{
	(void)state;
	return unlink(utmp_path);
}

/* ---- logind's words ---- */

static void test_session(void **state)
{
	static const struct {
		struct logins_session session;
		const char *ip; /* NULL: protects nobody */
	} rows[] = {
		{ { true, "sshd", "user", "active", "192.0.2.7" }, "192.0.2.7" },
		{ { true, "sshd", "user", "online", "192.0.2.7" }, "192.0.2.7" },
		{ { true, "sshd", "user", "active", "2001:db8::7" }, "2001:db8::7" },
		{ { true, "sshd", "user", "active", "::ffff:192.0.2.7" }, "192.0.2.7" },
		{ { true, "sshd", "user-early", "active", "192.0.2.7" }, "192.0.2.7" },
		{ { true, "sshd", "user-light", "active", "192.0.2.7" }, "192.0.2.7" },
		{ { true, "sshd", "user-early-light", "active", "192.0.2.7" }, "192.0.2.7" },
		/* nobody */
		{ { false, "sshd", "user", "active", "192.0.2.7" }, NULL },
		{ { true, "login", "user", "active", "192.0.2.7" }, NULL },
		{ { true, "sshd2", "user", "active", "192.0.2.7" }, NULL },
		{ { true, "", "user", "active", "192.0.2.7" }, NULL },
		{ { true, NULL, "user", "active", "192.0.2.7" }, NULL },
		{ { true, "sshd", "greeter", "active", "192.0.2.7" }, NULL },
		{ { true, "sshd", "background", "active", "192.0.2.7" }, NULL },
		{ { true, "sshd", "manager", "active", "192.0.2.7" }, NULL },
		{ { true, "sshd", "user-incomplete", "active", "192.0.2.7" }, NULL },
		{ { true, "sshd", NULL, "active", "192.0.2.7" }, NULL },
		{ { true, "sshd", "user", "closing", "192.0.2.7" }, NULL },
		{ { true, "sshd", "user", "opening", "192.0.2.7" }, NULL },
		{ { true, "sshd", "user", NULL, "192.0.2.7" }, NULL },
		{ { true, "sshd", "user", "active", NULL }, NULL },
		{ { true, "sshd", "user", "active", "" }, NULL },
		{ { true, "sshd", "user", "active", "UNKNOWN" }, NULL },
		{ { true, "sshd", "user", "active", "pbx.example.org" }, NULL },
		{ { true, "sshd", "user", "active", "192.0.2.7.example.org" }, NULL },
		{ { true, "sshd", "user", "active", "192.0.2.0/24" }, NULL },
		{ { true, "sshd", "user", "active", "192.0.2.7 " }, NULL },
		{ { true, "sshd", "user", "active", "192.0.2" }, NULL },
		{ { true, "sshd", "user", "active", "3221226000" }, NULL },
		{ { true, "sshd", "user", "active", "2001:db8::7%eth0" }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[IP_TEXT_MAX];
		struct ip ip;
		const char *host = rows[i].session.remote_host;
		bool found = logins_session_counts(&rows[i].session) &&
			     ip_parse(host, strlen(host), &ip) == 0;

		if (found != (rows[i].ip != NULL))
			fail_msg("row %zu", i);
		if (found)
			assert_string_equal(ip_format(&ip, text), rows[i].ip);
	}
}

/* ---- logind's directory ---- */

/* A /run of our own; false: not without root. */
static bool run_make(void)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
		return false;
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", "/run", "tmpfs", 0, "mode=0755"), 0);
	assert_int_equal(mkdir("/run/systemd", 0755), 0);
	return true;
}

static void session_put(const char *id, const char *text)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), LOGINS_SESSIONS "/%s", id);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void record_put(struct utmp *records, size_t count, size_t extra_bytes)
{
	FILE *file = fopen(utmp_path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(records, sizeof(*records), count, file), count);
	assert_int_equal(fwrite(records, 1, extra_bytes, file), extra_bytes);
	assert_int_equal(fclose(file), 0);
}

static struct utmp record_of(const char *address)
{
	struct utmp record = { .ut_type = USER_PROCESS, .ut_pid = getpid() };
	struct ip ip;

	assert_int_equal(ip_parse(address, strlen(address), &ip), 0);
	memcpy(record.ut_addr_v6, ip.bytes, sizeof(record.ut_addr_v6));
	return record;
}

#define SESSION "UID=0\nUSER=root\nACTIVE=1\nSTATE=active\nTYPE=tty\nCLASS=user\nSERVICE=sshd\n"

static void test_sessions(void **state)
{
	struct utmp record = record_of("192.0.2.99");
	struct error err = { "" };

	(void)state;
	if (!run_make())
		skip();
	record_put(&record, 1, 0);
	told.n = 0;
	assert_int_equal(logins_list(utmp_path, note, NULL, &err), 0);
	assert_string_equal(told_text(), "192.0.2.99"); /* no logind */

	assert_int_equal(mkdir(LOGINS_SESSIONS, 0755), 0);
	told.n = 0;
	assert_int_equal(logins_list(utmp_path, note, NULL, &err), 0);
	assert_string_equal(told_text(), ""); /* logind knows better */

	session_put("1", SESSION "REMOTE=1\nREMOTE_HOST=192.0.2.7\n");
	session_put("2", SESSION "REMOTE=0\n");
	session_put("3", SESSION);
	session_put("4", SESSION "REMOTE=1\n");
	session_put("5", SESSION "REMOTE=1\nREMOTE_HOST=pbx.example.org\n");
	session_put("6", SESSION "REMOTE=1\nSTATE=closing\nREMOTE_HOST=192.0.2.8\n");
	session_put("7", "");
	session_put("8.bad", SESSION "REMOTE=1\nREMOTE_HOST=192.0.2.9\n");
	session_put("9", "REMOTE=perhaps\n");
	told.n = 0;
	if (logins_list(utmp_path, note, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(told_text(), "192.0.2.7");
	assert_string_equal(told.name, "pbx.example.org");
}

/* An address stays for ten minutes after its last session was seen. */
static void test_kept(void **state)
{
	static struct logins logins;
	struct ip first = ip_from_bytes(4, "\300\0\2\7");
	struct ip second = ip_from_bytes(4, "\300\0\2\10");

	(void)state;
	assert_true(logins_add(&logins, &first, 1000));
	assert_true(logins_add(&logins, &second, 1000));
	assert_false(logins_add(&logins, &second, 1300));
	assert_false(logins_expire(&logins, 1599));
	assert_int_equal(logins.count, 2);
	assert_true(logins_expire(&logins, 1600));
	assert_int_equal(logins.count, 1);
	assert_true(ip_equal(&logins.entries[0].ip, &second));
	assert_false(logins_expire(&logins, 1899));
	assert_true(logins_add(&logins, &first, 1899));
	assert_true(logins_expire(&logins, 1900));
	assert_int_equal(logins.count, 1);
	assert_true(ip_equal(&logins.entries[0].ip, &first));
	for (uint32_t i = 1; i < LOGINS_MAX; i++) {
		struct ip ip = ip_from_bytes(4, &i);

		assert_true(logins_add(&logins, &ip, 1900));
	}
	assert_false(logins_add(&logins, &second, 1900)); /* left out */
	assert_int_equal(logins.count, LOGINS_MAX);
}

static void test_many_sessions(void **state)
{
	struct error err = { "" };
	char id[16];

	(void)state;
	if (!run_make())
		skip();
	assert_int_equal(mkdir(LOGINS_SESSIONS, 0755), 0);
	for (int i = 0; i <= LOGINS_SESSIONS_MAX; i++) {
		(void)snprintf(id, sizeof(id), "%d", i);
		session_put(id, SESSION "REMOTE=1\nREMOTE_HOST=192.0.2.7\n");
	}
	told.n = 0;
	assert_int_equal(logins_list(utmp_path, note, NULL, &err), -1);
	assert_non_null(strstr(err.text, "1024"));
	assert_int_equal(told.n, LOGINS_SESSIONS_MAX);
	assert_int_equal(unlink(LOGINS_SESSIONS "/0"), 0);
	assert_int_equal(logins_list(utmp_path, note, NULL, &err), 0);
}

/* ---- utmp ---- */

/* The number of a process that has been. */
static pid_t dead_pid(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static void test_utmp(void **state)
{
	static const struct {
		const char *address;
		short type;
		pid_t pid; /* 0: this process, 1: init, which is another user's or our own */
		const char *told;
	} rows[] = {
		{ "192.0.2.7", USER_PROCESS, 0, "192.0.2.7" },
		{ "192.0.2.7", USER_PROCESS, 1, "192.0.2.7" },
		{ "2001:db8::7", USER_PROCESS, 0, "2001:db8::7" },
		{ "0.0.0.0", USER_PROCESS, 0, "" }, /* a local login */
		{ "192.0.2.7", DEAD_PROCESS, 0, "" }, { "192.0.2.7", LOGIN_PROCESS, 0, "" },
		{ "192.0.2.7", BOOT_TIME, 0, "" }, { "192.0.2.7", EMPTY, 0, "" },
		{ "192.0.2.7", USER_PROCESS, -1, "" }, /* would be everybody */
	};
	struct error err = { "" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct utmp record = record_of(rows[i].address);

		record.ut_type = rows[i].type;
		if (rows[i].pid)
			record.ut_pid = rows[i].pid;
		record_put(&record, 1, 0);
		told.n = 0;
		assert_int_equal(logins_utmp(utmp_path, note, NULL, &err), 0);
		if (strcmp(told_text(), rows[i].told) != 0)
			fail_msg("row %zu: %s", i, told_text());
	}
}

static void test_utmp_dead(void **state)
{
	struct utmp records[3] = { record_of("192.0.2.7"), record_of("192.0.2.8"),
		record_of("::ffff:192.0.2.9") };
	struct error err = { "" };

	(void)state;
	records[0].ut_pid = dead_pid();
	records[1].ut_pid = 0;
	record_put(records, 3, sizeof(records[0]) - 1); /* one more is being written */
	told.n = 0;
	assert_int_equal(logins_utmp(utmp_path, note, NULL, &err), 0);
	assert_string_equal(told_text(), "192.0.2.9");
}

static void test_utmp_many(void **state)
{
	struct utmp *records = calloc(LOGINS_RECORDS_MAX + 1, sizeof(*records));
	struct error err = { "" };

	(void)state;
	assert_non_null(records);
	records[LOGINS_RECORDS_MAX - 1] = record_of("192.0.2.7");
	records[LOGINS_RECORDS_MAX] = record_of("192.0.2.8");
	record_put(records, LOGINS_RECORDS_MAX, 0);
	told.n = 0;
	assert_int_equal(logins_utmp(utmp_path, note, NULL, &err), 0);
	assert_string_equal(told_text(), "192.0.2.7");
	record_put(records, LOGINS_RECORDS_MAX + 1, 0);
	told.n = 0;
	assert_int_equal(logins_utmp(utmp_path, note, NULL, &err), -1);
	assert_non_null(strstr(err.text, "4096"));
	assert_string_equal(told_text(), "192.0.2.7");
	free(records);
}

static void test_utmp_missing(void **state)
{
	struct error err = { "" };

	(void)state;
	told.n = 0;
	assert_int_equal(logins_utmp("/nonexistent/utmp", note, NULL, &err), 0);
	assert_int_equal(logins_utmp("/tmp", note, NULL, &err), -1);
	assert_non_null(strstr(err.text, "/tmp"));
	assert_int_equal(told.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_utmp),
		cmocka_unit_test(test_utmp_dead),
		cmocka_unit_test(test_utmp_many),
		cmocka_unit_test(test_utmp_missing),
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_many_sessions),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
