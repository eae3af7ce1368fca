#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { LINE_BYTES = 4096 };

/* Standard error is one end of a pair that keeps the borders of writes. */
static int saved_fd;
static int reader_fd;

static void redirect(const char *stream)
{
	struct stat info;
	char text[64];
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	saved_fd = dup(STDERR_FILENO);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(ends[1]);
	reader_fd = ends[0];
	assert_int_equal(fstat(STDERR_FILENO, &info), 0);
	(void)snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)info.st_dev,
		(unsigned long long)info.st_ino);
	if (stream)
		(void)setenv("JOURNAL_STREAM", *stream ? stream : text, 1);
	else
		(void)unsetenv("JOURNAL_STREAM");
}

static void restore(void)
{
	(void)dup2(saved_fd, STDERR_FILENO);
	(void)close(saved_fd);
	(void)close(reader_fd);
	(void)unsetenv("JOURNAL_STREAM");
}

static const char *next_write(void)
{
	static char line[LINE_BYTES];
	ssize_t got = recv(reader_fd, line, sizeof(line) - 1, MSG_DONTWAIT);

	line[got < 0 ? 0 : got] = '\0';
	return line;
}

static void test_lines(void **state)
{
	static const struct {
		const char *stream; /* NULL: none; "": this end is the journal */
		const char *role;
		int priority;
		const char *wanted;
	} rows[] = {
		{ NULL, NULL, LOG_INFO, "voipguard: hello 5\n" },
		{ NULL, NULL, LOG_NOTICE, "voipguard: hello 5\n" },
		{ NULL, NULL, LOG_WARNING, "voipguard: warning: hello 5\n" },
		{ NULL, NULL, LOG_ERR, "voipguard: error: hello 5\n" },
		{ NULL, NULL, LOG_CRIT, "voipguard: error: hello 5\n" },
		{ NULL, "engine", LOG_ERR, "voipguard-engine: error: hello 5\n" },
		{ "", NULL, LOG_ERR, "<3>hello 5\n" },
		{ "", "engine", LOG_INFO, "<6>engine: hello 5\n" },
		{ "", "notifier", LOG_WARNING, "<4>notifier: hello 5\n" },
		/* another stream's: inherited, but standard error goes elsewhere */
		{ "1:2", "engine", LOG_ERR, "voipguard-engine: error: hello 5\n" },
		{ "nonsense", NULL, LOG_INFO, "voipguard: hello 5\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char seen[64];

		redirect(rows[i].stream);
		log_open(rows[i].role);
		log_line(rows[i].priority, "hello %d", 5);
		(void)snprintf(seen, sizeof(seen), "%.60s", next_write());
		restore();
		assert_string_equal(seen, rows[i].wanted);
	}
}

/* Around the limit: one write, one newline, at most 2 KiB, and nothing of the text is changed. */
static void test_cut(void **state)
{
	static const char *const streams[] = { NULL, "" };
	char text[LINE_BYTES];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t k = 0; k < 2; k++) {
		redirect(streams[k]);
		log_open("engine");
		for (int length = 1990; length < 2100; length++) {
			size_t fixed = strlen(k ? "<6>engine: " : "voipguard-engine: ");
			size_t wanted = fixed + (size_t)length + 1;
			const char *line;

			log_line(LOG_INFO, "%.*s", length, text);
			line = next_write();
			if (wanted > 2047)
				wanted = 2047;
			if (strlen(line) != wanted || strchr(line, '\n') != line + wanted - 1 ||
				strspn(line + fixed, "x") != wanted - fixed - 1) {
				restore();
				fail_msg("a text of %d bytes is logged wrongly", length);
			}
		}
		restore();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
