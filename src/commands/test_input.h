#ifndef VG_TEST_INPUT_H
#define VG_TEST_INPUT_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* Opens the file to be tried ("-": standard input) for reading. -1: it is not there, it may not be
 * read, it is a directory, or it starts like a compressed file or a journal: err says what would
 * make lines of it. The caller closes the descriptor. */
int test_input_open(const char *path, int *ret_fd, struct error *err);

/* A file in blocks of whole lines. */

enum { TEST_INPUT_BLOCK_BYTES = 256 * 1024 }; /* fits into a core's second-level cache */

struct test_input {
	int fd;       /* borrowed */
	char *bytes;  /* owned; TEST_INPUT_BLOCK_BYTES */
	size_t start; /* bytes[start, end) have been read but not given out */
	size_t end;
	bool skipping; /* until the end of a line that was cut */
	bool at_end;
};

void test_input_init(struct test_input *input, int fd);
void test_input_done(struct test_input *input);

/* The next lines with their newlines; the last of the file may lack it. Of a line that does not fit
 * into a block it gives the start, alone and without a newline, and skips the rest. *ret_text lives
 * until the next call. *ret_length 0: end of the file. */
int test_input_next(struct test_input *input, const char **ret_text, size_t *ret_length,
	struct error *err);

#endif
