#ifndef VG_MULTILINE_H
#define VG_MULTILINE_H

#include <stddef.h>

/* Keeps the last lines of a log, without their dates, for rules that span lines (maxlines > 1).
 * When there are more than maxlines, or with their newlines more than MULTILINE_BYTES_MAX bytes,
 * the oldest are dropped, but never the newest. */
enum { MULTILINE_BYTES_MAX = 256 * 1024 };

struct multiline;

struct multiline *multiline_new(size_t maxlines);
void multiline_free(struct multiline *lines);

/* Adds a line, given without its newline. */
void multiline_add(struct multiline *lines, const char *line, size_t length);
/* Returns all lines, each with a newline; the text can be read until the next multiline_join. */
const char *multiline_join(struct multiline *lines, size_t *ret_length);
/* Replaces all lines by one, which may lie in what multiline_join returned. */
void multiline_replace(struct multiline *lines, const char *line, size_t length);

/* A range [start, end) of the text that multiline_join returned. */
struct multiline_span {
	size_t start;
	size_t end;
};

/* Takes out the lines that `match` touches in text, except those whose text is among `skipped`
 * (each once, in order), which stay. text is what multiline_join gave, or one line in place of it.
 * Returns how many lines were taken; *ret_text holds them, each with a newline, until the next
 * multiline_take. */
size_t multiline_take(struct multiline *lines, const char *text, size_t length,
	struct multiline_span match, const struct multiline_span *skipped, size_t n_skipped,
	const char **ret_text, size_t *ret_length);

#endif
