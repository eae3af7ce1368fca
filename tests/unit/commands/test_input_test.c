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

#include "base/alloc.h"
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

static FILE *file_of(const char *bytes, size_t length)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fflush(file), 0);
	rewind(file);
	return file;
}

/* Every line longer than a block comes cut to its start and then piece by piece, the others whole
 * and in order. */
static void blocks(void **state)
{
	static const struct {
		size_t line_bytes; /* with the newline */
		size_t count;
		bool has_last_newline;
		bool is_cut;
	} rows[] = {
		{ 1, 600000, true, false },
		{ 7, 100000, false, false },
		{ 338, 5000, true, false },
		{ TEST_INPUT_BLOCK_BYTES, 3, true, false },
		{ TEST_INPUT_BLOCK_BYTES, 1, false, false },
		{ TEST_INPUT_BLOCK_BYTES + 1, 3, true, true },
		{ 3 * TEST_INPUT_BLOCK_BYTES, 3, true, true },
		{ 3 * TEST_INPUT_BLOCK_BYTES + 5, 2, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t total = rows[i].line_bytes * rows[i].count - !rows[i].has_last_newline;
		cleanup_free char *bytes = alloc_array(total + 1, 1);
		cleanup_file FILE *file = NULL;
		struct test_input input;
		struct error err;
		const char *text;
		size_t length;
		size_t count = 0;
		size_t whole = 0;

		for (size_t at = 0; at < total; at++)
			bytes[at] = (at + 1) % rows[i].line_bytes ? (char)('a' + at % 23) : '\n';
		file = file_of(bytes, total);
		test_input_init(&input, fileno(file));
		for (;;) {
			assert_int_equal(test_input_next(&input, &text, &length, &err), 0);
			if (!length)
				break;
			if (input.is_rest) {
				assert_memory_equal(text, bytes + whole, length);
				assert_null(memchr(text, '\n', length));
				whole += length;
				continue;
			}
			if (rows[i].is_cut) {
				whole = count * rows[i].line_bytes; /* behind the newline */
				assert_int_equal(length, TEST_INPUT_BLOCK_BYTES);
				assert_memory_equal(text, bytes + whole, length);
			} else {
				assert_memory_equal(text, bytes + whole, length);
				assert_true(text[length - 1] == '\n' || whole + length == total);
			}
			whole += length;
			count++;
		}
		if (rows[i].is_cut)
			assert_int_equal(count, rows[i].count);
		assert_int_equal(whole + (rows[i].is_cut && rows[i].has_last_newline), total);
		test_input_done(&input);
	}
}

/* A pipe gives what there is: lines that arrive in pieces come whole. */
static void pieces(void **state)
{
	struct test_input input;
	struct error err;
	const char *text;
	size_t length;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	test_input_init(&input, ends[0]);
	assert_int_equal(write(ends[1], "one\ntw", 6), 6);
	assert_int_equal(test_input_next(&input, &text, &length, &err), 0);
	assert_int_equal(length, 4);
	assert_int_equal(write(ends[1], "o\nthree", 7), 7);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(test_input_next(&input, &text, &length, &err), 0);
	assert_int_equal(length, 4);
	assert_memory_equal(text, "two\n", 4);
	assert_int_equal(test_input_next(&input, &text, &length, &err), 0);
	assert_int_equal(length, 5);
	assert_memory_equal(text, "three", 5);
	assert_int_equal(test_input_next(&input, &text, &length, &err), 0);
	assert_int_equal(length, 0);
	test_input_done(&input);
	assert_int_equal(close(ends[0]), 0);
}

static void unreadable(void **state)
{
	struct test_input input;
	struct error err;
	const char *text;
	size_t length;

	(void)state;
	test_input_init(&input, -1);
	assert_int_equal(test_input_next(&input, &text, &length, &err), -1);
	test_input_done(&input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),
		cmocka_unit_test(not_to_be_read),
		cmocka_unit_test(standard_input),
		cmocka_unit_test(blocks),
		cmocka_unit_test(pieces),
		cmocka_unit_test(unreadable),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
