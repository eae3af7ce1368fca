#include "commands/test_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"

enum { MAGIC_BYTES = 8 };

/* The first bytes of files that are no lines of text, and the command that makes lines of them. */
static const struct {
	char bytes[MAGIC_BYTES + 1];
	size_t length;
	const char *what;
	const char *command;
} formats[] = {
	{ "\x1f\x8b", 2, "compressed by gzip", "zcat" },
	{ "BZh", 3, "compressed by bzip2", "bzcat" },
	{ "\xfd"
	  "7zXZ",
		5, "compressed by xz", "xzcat" },
	{ "\x28\xb5\x2f\xfd", 4, "compressed by zstd", "zstdcat" },
	{ "LPKSHHRH", 8, "a journal of systemd", "journalctl -o cat --file" },
	{ "\xff\xfe", 2, "UTF-16", "iconv -f UTF-16" },
	{ "\xfe\xff", 2, "UTF-16", "iconv -f UTF-16" },
};

/* -1: the file starts like a format of the table. A pipe cannot be read twice, so it is not looked
 * at: pread fails, and 0 is returned. */
static int format_check(int fd, const char *path, struct error *err)
{
	char first[MAGIC_BYTES];
	struct shown shown = text_shown_string(path);
	ssize_t length = pread(fd, first, sizeof(first), 0);

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (length < (ssize_t)formats[i].length ||
			memcmp(first, formats[i].bytes, formats[i].length) != 0)
			continue;
		return error_set(err,
			"%s is %s, not lines of text: %s %s | voipguard test FILTER -", shown.text,
			formats[i].what, formats[i].command, shown.text);
	}
	return 0;
}

int test_input_open(const char *path, int *ret_fd, struct error *err)
{
	struct shown shown = text_shown_string(path);
	struct stat info;
	cleanup_close int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO)
						      : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 || fstat(fd, &info) < 0)
		return error_errno(err, errno, "cannot read %s", shown.text);
	if (S_ISDIR(info.st_mode))
		return error_set(err, "cannot read %s: it is a directory", shown.text);
	if (format_check(fd, path, err) < 0)
		return -1;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

void test_input_init(struct test_input *input, int fd)
{
	*input = (struct test_input){ .fd = fd, .bytes = alloc_array(TEST_INPUT_BLOCK_BYTES, 1) };
}

void test_input_done(struct test_input *input)
{
	free(input->bytes);
	input->bytes = NULL;
}

/* Moves what is left to the start of the block and reads more behind it. */
static int block_fill(struct test_input *input, struct error *err)
{
	ssize_t n;

	memmove(input->bytes, input->bytes + input->start, input->end - input->start);
	input->end -= input->start;
	input->start = 0;
	do
		n = read(input->fd, input->bytes + input->end, TEST_INPUT_BLOCK_BYTES - input->end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, errno, "read");
	input->at_end = n == 0;
	input->end += (size_t)n;
	return 0;
}

/* Gives bytes up to the end of the line whose start was given out; false: there are none. */
static bool rest_give(struct test_input *input, const char **ret_text, size_t *ret_length)
{
	const char *text = input->bytes + input->start;
	const char *newline = memchr(text, '\n', input->end - input->start);
	size_t length = newline ? (size_t)(newline - text) : input->end - input->start;

	input->start += length + (newline != NULL);
	input->skipping = !newline;
	*ret_text = text;
	*ret_length = length;
	return length > 0;
}

int test_input_next(struct test_input *input, const char **ret_text, size_t *ret_length,
	struct error *err)
{
	const char *text;
	const char *newline = NULL;
	size_t length;

	do {
		if (block_fill(input, err))
			return -1;
		input->is_rest = input->skipping && rest_give(input, ret_text, ret_length);
		if (input->is_rest)
			return 0;
		text = input->bytes + input->start;
		length = input->end - input->start;
		newline = memrchr(text, '\n', length);
	} while (!newline && !input->at_end && length < TEST_INPUT_BLOCK_BYTES);
	input->skipping = !newline && !input->at_end;
	if (newline)
		length = (size_t)(newline - text) + 1;
	input->start += length;
	*ret_text = text;
	*ret_length = length;
	return 0;
}
