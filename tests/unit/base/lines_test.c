/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/lines.h"

static FILE *file_of(const char *bytes, size_t length)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fflush(file), 0);
	rewind(file);
	return file;
}

/* Every line longer than a block comes cut to its start, the others whole and in order. */
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
		{ LINES_BLOCK_BYTES, 3, true, false },
		{ LINES_BLOCK_BYTES, 1, false, false },
		{ LINES_BLOCK_BYTES + 1, 3, true, true },
		{ 3 * LINES_BLOCK_BYTES, 3, true, true },
		{ 3 * LINES_BLOCK_BYTES + 5, 2, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t total = rows[i].line_bytes * rows[i].count - !rows[i].has_last_newline;
		cleanup_free char *bytes = alloc_array(total + 1, 1);
		cleanup_file FILE *file = NULL;
		struct lines lines;
		struct error err;
		const char *text;
		size_t length;
		size_t count = 0;
		size_t whole = 0;

		for (size_t at = 0; at < total; at++)
			bytes[at] = (at + 1) % rows[i].line_bytes ? (char)('a' + at % 23) : '\n';
		file = file_of(bytes, total);
		lines_init(&lines, fileno(file));
		for (;;) {
			assert_int_equal(lines_next(&lines, &text, &length, &err), 0);
			if (!length)
				break;
			if (rows[i].is_cut) {
				assert_int_equal(length, LINES_BLOCK_BYTES);
				assert_memory_equal(text, bytes + count * rows[i].line_bytes,
					length);
			} else {
				assert_memory_equal(text, bytes + whole, length);
				assert_true(text[length - 1] == '\n' || whole + length == total);
			}
			whole += length;
			count++;
		}
		if (rows[i].is_cut)
			assert_int_equal(count, rows[i].count);
		else
			assert_int_equal(whole, total);
		lines_done(&lines);
	}
}

/* A pipe gives what there is: lines that arrive in pieces come whole. */
static void pieces(void **state)
{
	struct lines lines;
	struct error err;
	const char *text;
	size_t length;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	lines_init(&lines, ends[0]);
	assert_int_equal(write(ends[1], "one\ntw", 6), 6);
	assert_int_equal(lines_next(&lines, &text, &length, &err), 0);
	assert_int_equal(length, 4);
	assert_int_equal(write(ends[1], "o\nthree", 7), 7);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(lines_next(&lines, &text, &length, &err), 0);
	assert_int_equal(length, 4);
	assert_memory_equal(text, "two\n", 4);
	assert_int_equal(lines_next(&lines, &text, &length, &err), 0);
	assert_int_equal(length, 5);
	assert_memory_equal(text, "three", 5);
	assert_int_equal(lines_next(&lines, &text, &length, &err), 0);
	assert_int_equal(length, 0);
	lines_done(&lines);
	assert_int_equal(close(ends[0]), 0);
}

static void unreadable(void **state)
{
	struct lines lines;
	struct error err;
	const char *text;
	size_t length;

	(void)state;
	lines_init(&lines, -1);
	assert_int_equal(lines_next(&lines, &text, &length, &err), -1);
	lines_done(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(blocks), cmocka_unit_test(pieces),
		cmocka_unit_test(unreadable) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
