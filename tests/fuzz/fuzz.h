#ifndef VG_FUZZ_H
#define VG_FUZZ_H

/* What the fuzz targets share. Each X_fuzz.c is one libFuzzer target: a function of bytes that
 * must neither crash, leak, hang nor break a promise of the header it calls. `make fuzz` searches
 * for inputs, `make fuzz-replay` runs those kept in corpus/X. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { FUZZ_NOW_S = 1700000000 };

/* The part of the input that is still to be used. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

/* 0 once the input has ended. */
uint8_t fuzz_byte(struct fuzz_input *input);
uint32_t fuzz_number(struct fuzz_input *input);
/* The bytes up to the separator, which is dropped, in memory of just that size, so that the
 * sanitizer sees each byte read too far. Caller frees. */
char *fuzz_piece(struct fuzz_input *input, char separator, size_t *ret_length);
/* The same, NUL-ended and without NUL bytes inside: it ends at the first. */
char *fuzz_text(struct fuzz_input *input, char separator);
bool fuzz_is_at_end(const struct fuzz_input *input);

/* Ends the run unless it holds. */
void fuzz_need(bool holds, const char *what);
/* The text is what text_render() leaves: UTF-8 without control characters but newline. */
void fuzz_need_shown(const char *text);
/* Reads every byte, for the sanitizer. */
void fuzz_touch(const void *bytes, size_t length);

/* A new empty directory in $TMPDIR, and its end with all that is in it. */
void fuzz_directory_new(char ret_path[64]);
void fuzz_directory_remove(const char *path);
void fuzz_file_write(const char *directory, const char *name, const void *bytes, size_t length);

/* The lowest free descriptor: unchanged if nothing was left open. */
int fuzz_free_fd(void);

#endif
