#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "commands/test_input.h"

static char path[] = "/tmp/input_test.XXXXXX";

static void put(const char *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

/* By the first bytes; NULL: lines. */
static void formats(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *said;
	} rows[] = {
		{ "\x1f\x8b\x08\x00", 4, "zcat" },
		{ "BZh9", 4, "bzcat" },
		{ "\xfd\x37zXZ\x00", 6, "xzcat" },
		{ "\x28\xb5\x2f\xfd", 4, "zstdcat" },
		{ "LPKSHHRH", 8, "journalctl" },
		{ "\xff\xfe\x41\x00", 4, "iconv" },
		{ "LPKSHHR", 7, NULL },
		{ "\x1f", 1, NULL },
		{ "", 0, NULL },
		{ "\0\0\0\0a", 5, NULL }, /* the hole that a truncated log has */
		{ "BZ\n", 3, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct error err = { "" };
		int fd = -1;
		int rc;

		put(rows[i].bytes, rows[i].length);
		rc = test_input_open(path, &fd, &err);
		if (rc != (rows[i].said ? -1 : 0))
			fail_msg("row %zu: %d %s", i, rc, err.text);
		if (rows[i].said && !strstr(err.text, rows[i].said))
			fail_msg("row %zu: %s", i, err.text);
		if (rc == 0) {
			char bytes[8];

			assert_int_equal(read(fd, bytes, sizeof(bytes)), rows[i].length);
			assert_int_equal(close(fd), 0);
		}
	}
}

static void not_to_be_read(void **state)
{
	static const struct {
		const char *path;
		const char *said;
	} rows[] = {
		{ "/nonexistent/log", "cannot read /nonexistent/log: No such file or directory" },
		{ "/tmp", "cannot read /tmp: it is a directory" },
		{ path, "Permission denied" },
	};

	(void)state;
	put("a\n", 2);
	assert_int_equal(chmod(path, 0), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct error err = { "" };
		int fd = -1;

		if (test_input_open(rows[i].path, &fd, &err) != -1 ||
			!strstr(err.text, rows[i].said))
			fail_msg("row %zu: %s", i, err.text);
		assert_int_equal(fd, -1);
	}
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

/* "-" gives a descriptor of its own. */
static void standard_input(void **state)
{
	int saved = dup(STDIN_FILENO);
	struct error err;
	char bytes[8];
	int fd = -1;
	int file;

	(void)state;
	put("from here\n", 10);
	file = open(path, O_RDONLY);
	assert_true(file >= 0);
	assert_true(dup2(file, STDIN_FILENO) >= 0);
	assert_int_equal(test_input_open("-", &fd, &err), 0);
	assert_true(fd > STDERR_FILENO);
	assert_int_equal(read(fd, bytes, 4), 4);
	assert_memory_equal(bytes, "from", 4);
	(void)close(fd);
	(void)close(file);
	(void)dup2(saved, STDIN_FILENO);
	(void)close(saved);
}

static int make(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int drop(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),
		cmocka_unit_test(not_to_be_read),
		cmocka_unit_test(standard_input),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
