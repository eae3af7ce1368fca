#ifndef VG_TEST_INPUT_H
#define VG_TEST_INPUT_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* Opens the file to be tried ("-": standard input). -1: it is not there, may not be read, is a
 * directory, or starts like a compressed file or a journal; err then names the command that makes
 * lines of it. The caller closes *ret_fd. */
int test_input_open(const char *path, int *ret_fd, struct error *err);

/* Reads a file in blocks of whole lines. */

enum { TEST_INPUT_BLOCK_BYTES = 256 * 1024 }; /* fits into a core's second-level cache */

struct test_input {
	int fd;       /* borrowed */
	char *bytes;  /* owned; TEST_INPUT_BLOCK_BYTES */
	size_t start; /* bytes[start..end) have been read and not given out yet */
	size_t end;
	bool skipping; /* the start of a line was given out, and its rest is not */
	bool is_rest;  /* what was given out last is of that rest */
	bool at_end;
};

/* fd is borrowed; test_input_done frees the rest. */
void test_input_init(struct test_input *input, int fd);
void test_input_done(struct test_input *input);

/* Gives the next whole lines with their newlines; the last line of the file may lack it. Of a line
 * that does not fit into a block the start is given alone and without a newline, then its rest in
 * such pieces (is_rest). *ret_text is valid until the next call. *ret_length 0: the file has ended.
 * -1: it cannot be read. */
int test_input_next(struct test_input *input, const char **ret_text, size_t *ret_length,
	struct error *err);

#endif
