#ifndef VG_LINES_H
#define VG_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* A file in blocks of whole lines. */

enum { LINES_BLOCK_BYTES = 256 * 1024 }; /* fits into a core's second-level cache */

struct lines {
	int fd;       /* borrowed */
	char *bytes;  /* owned; LINES_BLOCK_BYTES */
	size_t start; /* bytes[start, end) have been read but not given out */
	size_t end;
	bool skipping; /* until the end of a line that was cut */
	bool at_end;
};

void lines_init(struct lines *lines, int fd);
void lines_done(struct lines *lines);

/* The next lines with their newlines; the last of the file may lack it. Of a line that does not fit
 * into a block it gives the start, alone and without a newline, and skips the rest. *ret_text lives
 * until the next call. *ret_length 0: end of the file. */
int lines_next(struct lines *lines, const char **ret_text, size_t *ret_length, struct error *err);

#endif
