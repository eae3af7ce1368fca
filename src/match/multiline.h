#ifndef VG_MULTILINE_H
#define VG_MULTILINE_H

#include <stddef.h>

/* The last lines of a log, without their dates, for rules that span lines (maxlines > 1). If they
 * are more than maxlines, or with their newlines more than MULTILINE_BYTES_MAX bytes, the oldest
 * go, but never the newest. */
enum { MULTILINE_BYTES_MAX = 256 * 1024 };

struct multiline;

struct multiline *multiline_new(size_t maxlines);
void multiline_free(struct multiline *lines);

/* Adds a line, which is without its newline. */
void multiline_add(struct multiline *lines, const char *line, size_t length);
/* All lines, each with a newline; readable until the next multiline_join. */
const char *multiline_join(struct multiline *lines, size_t *ret_length);
/* One line takes the place of all. */
void multiline_replace(struct multiline *lines, const char *line, size_t length);

/* A place in what multiline_join gave. */
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
