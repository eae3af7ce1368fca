#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "config/config.h"
#include "decide/guard.h"
#include "decide/letter.h"
#include "engine/start_config.h"
#include "pbx/pbx.h"
#include "process/launch.h"
#include "process/messages.h"
#include "process/sandbox.h"

/* Exit statuses of an engine in a child. */
enum { GO = 0, STOPPED = 1, NO_PLACE = 2, NOT_NEW = 3, WRONG = 4 };

static char dir[64];

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0644), 0);
}

static const char good[] = "[one]\nenabled = true\nfilter = own\nlogpath = /tmp/none.log\n"
			   "ignoreip = 192.0.2.0/24\nport = 5060\nprotocol = udp\nfindtime = 2h\n"
			   "[two]\nenabled = true\nfilter = own\nlogpath = /tmp/none.log\n"
			   "ignoreip = 198.51.100.7\nfindtime = 1h\n";

static int make(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/start_config_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/jails", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/filters", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	put("filters/own.conf", "[Definition]\nfailregex = failed from <ADDR>$\n");
	put("jails/a.conf", good);
	return 0;
}

static int drop(void **state)
{
	static const char *const names[] = { "filters/own.conf", "jails/a.conf",
		"jails/defaults.local", "pjsip.conf" };
	static const char *const dirs[] = { "filters", "jails", "." };
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, dirs[i]);
		(void)rmdir(path);
	}
	return rmdir(dir);
}

static const struct guard_events events = { 0 };

/* Refused before anything is confined or sent. */
static void refused(const char *jails, bool strict, const char *wanted)
{
	struct run_options options = { .config_dir = dir, .state_dir = dir, .strict = strict };
	struct start_config start;
	struct error err = { "" };

	put("jails/a.conf", jails);
	assert_int_equal(start_config(&options, -1, &events, &start, &err), -1);
	if (!strstr(err.text, wanted))
		fail_msg("%s", err.text);
	start_config_done(&start);
}

static void test_refused(void **state)
{
	(void)state;
	refused("[one]\nenabled = false\n", false, "no jail is left to run");
	refused("[one]\nenabled = true\nfilter = none\nlogpath = /tmp/x\n", false,
		"no jail is left to run");
	refused("[one]\nenabled = true\nfilter = own\nlogpath = /tmp/x\nmaxretry = x\n"
		"[two]\nenabled = true\nfilter = own\nlogpath = /tmp/x\n",
		true, "the configuration has 1 error");
}

/* A client that asked for a reload is told all, and its connection ends. */
static void test_reload_refused(void **state)
{
	static const char *const jails[] = {
		"[one]\nenabled = true\nfilter = own\n"
		"logpath = /tmp/x\nmaxretry = x\n"
		"[two]\nenabled = true\nfilter = own\nlogpath = /tmp/x\n",
		"[one]\nenabled = false\n"
	};
	struct run_options options = { .config_dir = dir, .state_dir = dir };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct start_config start;
		struct error err = { "" };
		char answer[4096];
		ssize_t got;
		int pair[2];

		put("jails/a.conf", jails[i]);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		assert_int_equal(start_config(&options, pair[0], &events, &start, &err), -1);
		got = recv(pair[1], answer, sizeof(answer) - 1, MSG_DONTWAIT);
		assert_true(got > 0);
		answer[got] = '\0';
		assert_non_null(strstr(answer, "\"ok\":false"));
		assert_non_null(strstr(answer, i ? "no jail is left" : "jails/a.conf:5:"));
		assert_int_equal(recv(pair[1], answer, 1, MSG_DONTWAIT), 0);
		assert_int_equal(fcntl(pair[0], F_GETFD), -1);
		start_config_answer(&start, true); /* once is enough */
		start_config_done(&start);
		(void)close(pair[1]);
	}
}

/* Of very many findings the first are told, and how many there are besides, kept or not. */
static void test_many_findings(void **state)
{
	static const struct {
		int keys;
		const char *rest; /* NULL: all are told */
	} rows[] = { { 100, NULL }, { 101, "and 1 more: " }, { 1002, "and 902 more: " } };
	struct run_options options = { .config_dir = dir, .state_dir = dir };
	static char answer[65536];
	static char jails[65536];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct start_config start;
		struct error err = { "" };
		struct letter letter = { 0 };
		int used = snprintf(jails, sizeof(jails),
			"[one]\nenabled = true\nfilter = own\nlogpath = /tmp/x tail\n");
		ssize_t got;
		int pair[2];

		for (int k = 0; k < rows[i].keys; k++)
			used += snprintf(jails + used, sizeof(jails) - (size_t)used,
				"zzzz%04dqq = 1\n", k);
		put("jails/a.conf", jails);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		assert_int_equal(start_config(&options, pair[0], &events, &start, &err), -1);
		got = recv(pair[1], answer, sizeof(answer) - 1, MSG_DONTWAIT);
		assert_true(got > 0);
		answer[got] = '\0';
		start_config_broken_letter(&start, &letter);
		if (!strstr(answer, rows[i].rest ? rows[i].rest : "zzzz0099qq") ||
			(!rows[i].rest && strstr(answer, " more: ")))
			fail_msg("row %zu: %s", i, answer);
		/* or even fewer than these fit into a mail */
		assert_true(!rows[i].rest || strstr(letter.body, rows[i].rest) ||
			    strstr(letter.body, "(and more)"));
		start_config_done(&start);
		(void)close(pair[1]);
	}
}

/* How many trunks a look at Asterisk's files finds now. */
static size_t trunks_now(void)
{
	struct findings findings = { 0 };
	struct pbx *pbx = pbx_read(dir, &findings);
	size_t count = pbx->n_trunks;

	pbx_free(pbx);
	findings_done(&findings);
	return count;
}

/* The engine's part, with the firewall's end of the pair in the test. */
static int engine(int parent_fd)
{
	struct run_options options = { .config_dir = dir, .state_dir = dir };
	const struct passwd *nobody = getpwnam("nobody");
	struct start_config start;
	struct error err = { "" };
	struct ip ip;
	char *text;
	int rc;

	if (dup2(parent_fd, LAUNCH_PARENT_FD) < 0 || !nobody)
		return NO_PLACE;
	if (geteuid() == 0 &&
		sandbox_become(nobody->pw_uid, nobody->pw_gid, "nobody", false, &err) < 0)
		return NO_PLACE;
	if (start_config(&options, -1, &events, &start, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return NOT_NEW;
	}
	text = start_config_broken_text(&start);
	if (text[0] || start_config_longest_findtime(&start) != 7200 ||
		!strstr(start.sandbox_text, "seccomp") || start.config->n_jails < 2 ||
		start.pbx->n_trunks != 2 || trunks_now() != 2) /* as it is confined by now */
		return WRONG;
	rc = start_config_wait_for_go(&start, &err);
	if (rc < 0)
		return WRONG;
	/* What the host protects came before the word. */
	if (rc == 1 && (ip_parse("203.0.113.5", 11, &ip) < 0 ||
			       guard_ban(start.guard, &ip, NULL, 0, "", 1, &err) == 0))
		return WRONG;
	start_config_done(&start);
	free(text);
	return rc == 1 ? GO : STOPPED;
}

/* The next record of the engine; false: none in time. */
static bool next_record(int fd, struct message *ret_record)
{
	struct pollfd waiting = { .fd = fd, .events = POLLIN };
	int passed = -1;

	return poll(&waiting, 1, 20000) == 1 && message_receive(fd, ret_record, &passed, NULL) == 1;
}

/* Reads what the engine introduces, up to its seal, then says the word. Returns its status. */
static int introduce(uint32_t word)
{
	struct message record;
	struct message protect = { .type = MESSAGE_OWN_ADDRESS, .text = "an address of this host" };
	size_t n_scopes = 0;
	size_t n_protected = 0;
	size_t n_trunks = 0;
	int status = -1;
	int pair[2];
	pid_t pid;

	assert_int_equal(message_pair(pair, NULL), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(engine(pair[1]));
	(void)close(pair[1]);
	for (record.type = MESSAGE_NONE; record.type != MESSAGE_SEAL;) {
		assert_true(next_record(pair[0], &record));
		if (record.type == MESSAGE_SCOPE)
			assert_int_equal(record.number, n_scopes++);
		else if (record.type == MESSAGE_PROTECT)
			n_protected += strncmp(record.text, "ignoreip of jail ", 17) == 0;
		if (record.type == MESSAGE_PROTECT)
			n_trunks += strcmp(record.text, "trunk 'p' in pjsip.conf:3") == 0;
		else if (record.type != MESSAGE_SCOPE)
			assert_int_equal(record.type, MESSAGE_SEAL);
	}
	assert_int_equal(n_scopes, 2);
	assert_int_equal(n_protected, 2);
	assert_int_equal(n_trunks, 1); /* the name is asked for later */
	assert_int_equal(message_send(pair[0], &protect, -1, NULL), 1); /* a new list begins */
	assert_int_equal(ip_parse("203.0.113.5", 11, &protect.ip), 0);
	assert_int_equal(message_send(pair[0], &protect, -1, NULL), 1);
	record = (struct message){ .type = word };
	if (word)
		assert_int_equal(message_send(pair[0], &record, -1, NULL), 1);
	else
		(void)close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (word)
		(void)close(pair[0]);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_introduced(void **state)
{
	char text[128];

	(void)state;
	put("jails/a.conf", good);
	put("pjsip.conf", "[p]\ntype = identify\nmatch = 203.0.113.9,sip.example\n");
	(void)snprintf(text, sizeof(text), "[voipguard]\nasterisk_dir = %s\n", dir);
	put("jails/defaults.local", text);
	assert_int_equal(introduce(MESSAGE_GO), GO);
	assert_int_equal(introduce(MESSAGE_STOP), STOPPED);
	assert_int_equal(introduce(MESSAGE_NONE), WRONG); /* the firewall role is gone */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_reload_refused),
		cmocka_unit_test(test_many_findings),
		cmocka_unit_test(test_introduced),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
