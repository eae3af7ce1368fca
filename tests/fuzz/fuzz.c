#include "fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { SHOWN_MAX = 4096 };

uint8_t fuzz_byte(struct fuzz_input *input)
{
	if (!input->left)
		return 0;
	input->left--;
	return *input->at++;
}

uint32_t fuzz_number(struct fuzz_input *input)
{
	uint32_t number = 0;

	for (int i = 0; i < 4; i++)
		number = number << 8 | fuzz_byte(input);
	return number;
}

static size_t piece_length(struct fuzz_input *input, char separator, const uint8_t **ret_start)
{
	const uint8_t *end = input->left ? memchr(input->at, separator, input->left) : NULL;
	size_t length = end ? (size_t)(end - input->at) : input->left;

	*ret_start = input->at;
	input->at += length + (end ? 1 : 0);
	input->left -= length + (end ? 1 : 0);
	return length;
}

char *fuzz_piece(struct fuzz_input *input, char separator, size_t *ret_length)
{
	const uint8_t *start;
	size_t length = piece_length(input, separator, &start);
	char *piece = malloc(length ? length : 1);

	fuzz_need(piece, "memory");
	if (length)
		memcpy(piece, start, length);
	*ret_length = length;
	return piece;
}

char *fuzz_text(struct fuzz_input *input, char separator)
{
	const uint8_t *start;
	size_t length = piece_length(input, separator, &start);
	char *text = length ? strndup((const char *)start, length) : strdup("");

	fuzz_need(text, "memory");
	return text;
}

bool fuzz_is_at_end(const struct fuzz_input *input)
{
	return !input->left;
}

void fuzz_need(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

/* Its own reading of UTF-8, so that text.c is not its own judge. */
void fuzz_need_shown(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		size_t more = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
		uint32_t c = more ? *at & (0x3fU >> more) : *at;

		fuzz_need(*at < 0x80 || (*at >= 0xc2 && *at <= 0xf4), "shown text is UTF-8: lead");
		for (size_t i = 1; i <= more; i++) {
			fuzz_need((at[i] & 0xc0) == 0x80, "shown text is UTF-8: tail");
			c = c << 6 | (at[i] & 0x3fU);
		}
		fuzz_need(more < 2 || c >= (more == 2 ? 0x800 : 0x10000), "shown text is short");
		fuzz_need(c <= 0x10ffff && (c < 0xd800 || c > 0xdfff), "shown text is Unicode");
		fuzz_need((c >= 0x20 || c == '\n') && (c < 0x7f || c > 0x9f), "no control bytes");
		fuzz_need(!(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) &&
				  c != 0x200b && c != 0xfeff,
			"no hidden characters");
		at += more + 1;
	}
}

void fuzz_touch(const void *bytes, size_t length)
{
	const volatile unsigned char *at = bytes;

	for (size_t i = 0; i < length; i++)
		(void)at[i];
}

void fuzz_directory_new(char ret_path[64])
{
	const char *parent = getenv("TMPDIR");
	int length = snprintf(ret_path, 64, "%s/voipguard-fuzz-XXXXXX", parent ? parent : "/tmp");

	fuzz_need(length < 64 && mkdtemp(ret_path), "a directory of its own");
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *level)
{
	(void)info, (void)kind, (void)level;
	return remove(path);
}

void fuzz_directory_remove(const char *path)
{
	(void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS); /* what is left harms nobody */
}

void fuzz_file_write(const char *directory, const char *name, const void *bytes, size_t length)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name); /* fits: our own names */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	fuzz_need(fd >= 0 && write(fd, bytes, length) == (ssize_t)length, "a file of its own");
	(void)close(fd);
}

int fuzz_free_fd(void)
{
	int fd = dup(STDERR_FILENO);

	(void)close(fd);
	return fd;
}

/* In place of log.c: nothing is written, but what would be must be fit to be shown. */
void log_open(const char *role)
{
	(void)role;
}

void log_line(int priority, const char *format, ...)
{
	char line[SHOWN_MAX];
	va_list args;
	int length;

	(void)priority;
	va_start(args, format);
	length = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fuzz_need(length >= 0 && length < SHOWN_MAX, "a log line has an end");
	fuzz_need_shown(line);
}
