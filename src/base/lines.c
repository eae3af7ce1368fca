#include "base/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

void lines_init(struct lines *lines, int fd)
{
	*lines = (struct lines){ .fd = fd, .bytes = alloc_array(LINES_BLOCK_BYTES, 1) };
}

void lines_done(struct lines *lines)
{
	free(lines->bytes);
	lines->bytes = NULL;
}

/* Reads behind what is there. */
static int block_fill(struct lines *lines, struct error *err)
{
	ssize_t n;

	memmove(lines->bytes, lines->bytes + lines->start, lines->end - lines->start);
	lines->end -= lines->start;
	lines->start = 0;
	do
		n = read(lines->fd, lines->bytes + lines->end, LINES_BLOCK_BYTES - lines->end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, errno, "read");
	lines->at_end = n == 0;
	lines->end += (size_t)n;
	return 0;
}

/* Drops what is left of a line that was cut. */
static void rest_skip(struct lines *lines)
{
	const char *newline = memchr(lines->bytes + lines->start, '\n', lines->end - lines->start);

	lines->start = newline ? (size_t)(newline - lines->bytes) + 1 : lines->end;
	lines->skipping = !newline;
}

int lines_next(struct lines *lines, const char **ret_text, size_t *ret_length, struct error *err)
{
	const char *text;
	const char *newline = NULL;
	size_t length;

	do {
		if (block_fill(lines, err))
			return -1;
		if (lines->skipping)
			rest_skip(lines);
		text = lines->bytes + lines->start;
		length = lines->end - lines->start;
		newline = memrchr(text, '\n', length);
	} while (!newline && !lines->at_end && length < LINES_BLOCK_BYTES);
	lines->skipping = !newline && !lines->at_end;
	if (newline)
		length = (size_t)(newline - text) + 1;
	lines->start += length;
	*ret_text = text;
	*ret_length = length;
	return 0;
}
