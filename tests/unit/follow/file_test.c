#include "follow/file.h"

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
#include "follow/line.h"

enum { SEEN_MAX = 1 << 17 };

static char directory[64];
static char path[128];
static unsigned char buffer[TAIL_BUFFER_BYTES];

/* Lines as "[text]", a cut one as "[#length]"; how many bytes came as the rest of such a one. */
struct seen {
	char text[SEEN_MAX];
	size_t length;
	size_t rest;
};

static struct seen seen;

static void see(void *context, int64_t at, struct line *line)
{
	const size_t length = line->length;
	struct seen *to = context;
	int n;

	(void)at;
	if (line->rest) {
		assert_false(line->cut || line->open || line->ahead);
		assert_null(memchr(line->text, '\n', length));
		to->rest += length;
		return;
	}
	if (line->cut)
		n = snprintf(to->text + to->length, sizeof(to->text) - to->length, "[#%zu]",
			length);
	else if (length > 100)
		n = snprintf(to->text + to->length, sizeof(to->text) - to->length, "[=%zu]",
			length);
	else {
		to->text[to->length] = '[';
		memcpy(to->text + to->length + 1, line->text, length);
		to->text[to->length + 1 + length] = ']';
		n = (int)length + 2;
	}
	to->length += (size_t)n;
}

static const struct tail_file_sink sink = { see, &seen, buffer };

static void put(const char *bytes, size_t length)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	assert_int_equal(close(fd), 0);
}

static struct tail_file *open_ok(const char *name)
{
	struct tail_file *file = NULL;

	assert_int_equal(tail_file_open(name, &file, NULL), TAIL_FILE_OPEN);
	return file;
}

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/tail_file_test.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/log", directory);
	memset(&seen, 0, sizeof(seen));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(directory);
}

static void test_lines(void **state)
{
	static const struct {
		const char *writes[4];
		size_t lengths[4]; /* 0: strlen */
		const char *want;
		int64_t offset;
	} rows[] = {
		{ { "a\nb\n" }, { 0 }, "[a][b]", 4 },
		{ { "a", "b\n" }, { 0 }, "[ab]", 3 },
		{ { "\n\n" }, { 0 }, "[][]", 2 },
		{ { "a\nhalf" }, { 0 }, "[a]", 2 },
		{ { "a\r\n" }, { 0 }, "[a\r]", 3 },
		{ { "a\0b\n" }, { 4 }, "[a\0b]", 4 },
		{ { "\xff\xc3\n" }, { 0 }, "[\xff\xc3]", 3 },
		{ { "x", "y", "z", "\nq" }, { 0 }, "[xyz]", 4 },
	};
	struct tail_file *file;
	size_t i, j, bytes, length;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)unlink(path);
		put("", 0);
		memset(&seen, 0, sizeof(seen));
		file = open_ok(path);
		for (j = 0; j < 4 && rows[i].writes[j]; j++) {
			length =
				rows[i].lengths[j] ? rows[i].lengths[j] : strlen(rows[i].writes[j]);
			put(rows[i].writes[j], length);
			assert_int_equal(tail_file_read(file, &sink, &bytes), TAIL_FILE_DRY);
		}
		assert_memory_equal(seen.text, rows[i].want, strlen(rows[i].want) + 1);
		assert_int_equal(file->offset, rows[i].offset);
		tail_file_free(file);
	}
}

/* What is checked of each line of a file that is complete. */
struct ahead_check {
	int64_t size;
	int64_t next; /* where the next line begins */
};

static void see_ahead(void *context, int64_t at, struct line *line)
{
	struct ahead_check *check = context;
	int64_t end = at + (int64_t)line->length + 1;

	assert_false(line->cut);
	assert_int_equal(at, check->next);
	assert_int_equal(line->text[line->length], '\n');
	assert_true(end + (int64_t)line->ahead == check->size || line->ahead >= TAIL_AHEAD_BYTES);
	check->next = end;
}

/* Over the borders of chunks too a line is not handed over before what follows it is known. */
static void test_ahead(void **state)
{
	static const size_t lengths[] = { 1, 63, 64, 127, 4096, TAIL_LINE_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct ahead_check check = { 0 };
		const struct tail_file_sink ahead_sink = { see_ahead, &check, buffer };
		static char line[TAIL_LINE_MAX + 1];
		struct tail_file *file;
		size_t bytes;

		(void)unlink(path);
		memset(line, 'x', lengths[i]);
		line[lengths[i]] = '\n';
		for (int64_t used = 0; used < 3 * TAIL_CHUNK_BYTES; used = check.size) {
			put(line, lengths[i] + 1);
			check.size += (int64_t)lengths[i] + 1;
		}
		file = open_ok(path);
		while (tail_file_read(file, &ahead_sink, &bytes) == TAIL_FILE_MORE)
			assert_true(file->offset > 0);
		assert_int_equal(check.next, check.size);
		tail_file_free(file);
	}
}

static void test_long_lines(void **state)
{
	static const struct {
		size_t first, second; /* bytes without newline, in two writes */
		const char *want;
	} rows[] = {
		{ TAIL_LINE_MAX, 0, "[=61440][end]" },
		{ TAIL_LINE_MAX + 1, 0, "[#61440][end]" },
		{ TAIL_LINE_MAX - 1, 1, "[=61440][end]" },
		{ TAIL_LINE_MAX, 1, "[#61440][end]" },
		{ 200000, 100000, "[#61440][end]" },
		{ TAIL_CHUNK_BYTES, TAIL_CHUNK_BYTES, "[#61440][end]" },
	};
	static char big[200000];
	struct tail_file *file;
	size_t i, bytes;

	(void)state;
	memset(big, 'x', sizeof(big));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)unlink(path);
		put(big, rows[i].first);
		memset(&seen, 0, sizeof(seen));
		file = open_ok(path);
		while (tail_file_read(file, &sink, &bytes) == TAIL_FILE_MORE)
			;
		put(big, rows[i].second);
		put("\nend\n", 5);
		while (tail_file_read(file, &sink, &bytes) == TAIL_FILE_MORE)
			;
		assert_string_equal(seen.text, rows[i].want);
		assert_int_equal(seen.rest, rows[i].first + rows[i].second > TAIL_LINE_MAX
						    ? rows[i].first + rows[i].second - TAIL_LINE_MAX
						    : 0);
		tail_file_free(file);
	}
}

/* A restart inside a cut line must not hand over its middle. */
static void test_seek_into_line(void **state)
{
	struct tail_file *file;
	size_t bytes;

	(void)state;
	put("abcdef\nsecond\n", 14);
	file = open_ok(path);
	assert_int_equal(tail_file_seek(file, 3), 0);
	assert_int_equal(tail_file_read(file, &sink, &bytes), TAIL_FILE_DRY);
	assert_string_equal(seen.text, "[second]");
	assert_int_equal(seen.rest, 3);
	assert_int_equal(tail_file_seek(file, 15), -1);
	assert_int_equal(tail_file_seek_line(file, 10), 0);
	assert_int_equal(file->offset, 7);
	tail_file_free(file);
}

static void test_changed(void **state)
{
	struct tail_file *file;
	size_t bytes;

	(void)state;
	put("one\ntwo\n", 8);
	file = open_ok(path);
	assert_int_equal(tail_file_read(file, &sink, &bytes), TAIL_FILE_DRY);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(tail_file_read(file, &sink, &bytes), TAIL_FILE_CHANGED);
	put("new one\nnew two\n", 16); /* larger than before */
	assert_int_equal(tail_file_read(file, &sink, &bytes), TAIL_FILE_CHANGED);
	assert_int_equal(tail_file_seek(file, 0), 0);
	assert_int_equal(tail_file_read(file, &sink, &bytes), TAIL_FILE_DRY);
	assert_string_equal(seen.text, "[one][two][new one][new two]");
	tail_file_free(file);
}

static void test_rest(void **state)
{
	struct tail_file *file;
	size_t bytes;

	(void)state;
	put("one\ncut rec", 11);
	file = open_ok(path);
	assert_int_equal(tail_file_read(file, &sink, &bytes), TAIL_FILE_DRY);
	tail_file_read_rest(file, &sink);
	tail_file_read_rest(file, &sink);
	assert_string_equal(seen.text, "[one][cut rec]");
	assert_int_equal(file->offset, 11);
	tail_file_free(file);
}

static void test_identity(void **state)
{
	struct tail_identity old;
	struct tail_file *file;
	char other[160];

	(void)state;
	put("x\n", 2);
	file = open_ok(path);
	old = file->identity;
	tail_file_free(file);
	(void)snprintf(other, sizeof(other), "%s2", path);
	assert_int_equal(rename(path, other), 0);
	file = open_ok(other);
	assert_true(tail_file_identity_equal(&file->identity, &old));
	tail_file_free(file);
	assert_int_equal(unlink(other), 0);
	put("x\n", 2); /* may well get the same inode number */
	file = open_ok(path);
	assert_false(tail_file_identity_equal(&file->identity, &old));
	tail_file_free(file);
}

/* The vector of SipHash's paper, appendix A: 15 bytes 00 .. 0e. */
static void test_hash_vector(void **state)
{
	struct tail_file *file;
	char bytes[15];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	put(bytes, sizeof(bytes));
	file = open_ok(path);
	assert_int_equal(tail_file_seek(file, 15), 0);
	assert_true(tail_file_hash(file) == 0xa129ca6149be45e5U);
	assert_true(tail_file_hash_matches(file, 15, 0xa129ca6149be45e5U));
	assert_false(tail_file_hash_matches(file, 14, 0xa129ca6149be45e5U));
	assert_false(tail_file_hash_matches(file, 16, 0xa129ca6149be45e5U));
	tail_file_free(file);
}

static void test_refused(void **state)
{
	struct tail_file *file = NULL;
	struct error err = { "" };

	(void)state;
	assert_int_equal(tail_file_open(path, &file, &err), TAIL_FILE_ABSENT);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(tail_file_open(path, &file, &err), TAIL_FILE_REFUSED);
	assert_non_null(strstr(err.text, "not a regular file"));
	assert_int_equal(tail_file_open("/dev/null", &file, &err), TAIL_FILE_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ahead, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_seek_into_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_identity, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hash_vector, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
