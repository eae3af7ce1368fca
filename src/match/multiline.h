#ifndef VG_MULTILINE_H
#define VG_MULTILINE_H

#include <stddef.h>

/* The last lines of a log, without their dates, for rules that span lines (maxlines > 1). More
 * than maxlines, or than LINES_BYTES_MAX together with their newlines: the oldest go, but never the
 * newest. */
enum { LINES_BYTES_MAX = 256 * 1024 };

struct filter_lines;

struct filter_lines *filter_lines_new(size_t maxlines);
void filter_lines_free(struct filter_lines *lines);

/* line: without its newline. */
void filter_lines_add(struct filter_lines *lines, const char *line, size_t length);
/* All of them, each with a newline; readable until the next filter_lines_join. */
const char *filter_lines_join(struct filter_lines *lines, size_t *ret_length);
/* One line takes the place of all. */
void filter_lines_replace(struct filter_lines *lines, const char *line, size_t length);

/* A place in what filter_lines_join gave. */
struct filter_span {
	size_t start;
	size_t end;
};

/* Takes the lines that `match` touches in text out, but for those whose text is among `skipped`
 * (each once, in order): they stay. text is what filter_lines_join gave, or a line that stands for
 * it. Returns how many lines were taken; *ret_text are they, each with a newline, readable until
 * the next filter_lines_take. */
size_t filter_lines_take(struct filter_lines *lines, const char *text, size_t length,
	struct filter_span match, const struct filter_span *skipped, size_t n_skipped,
	const char **ret_text, size_t *ret_length);

#endif
