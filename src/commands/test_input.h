#ifndef VG_TEST_INPUT_H
#define VG_TEST_INPUT_H

struct error;

/* Opens the file to be tried ("-": standard input) for reading. -1: it is not there, it may not be
 * read, it is a directory, or it starts like a compressed file or a journal: err says what would
 * make lines of it. The caller closes the descriptor. */
int test_input_open(const char *path, int *ret_fd, struct error *err);

#endif
