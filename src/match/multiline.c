#include "match/multiline.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* A line that is kept. */
struct kept {
	char *text; /* owned */
	size_t length;
	bool taken;
};

struct text {
	char *bytes; /* owned */
	size_t length;
	size_t room;
};

/* bytes is the sum of the lines' lengths and newlines. */
struct multiline {
	struct kept *list; /* owned; the oldest first */
	size_t count;
	size_t max;
	size_t bytes;
	struct text joined;
	struct text taken;
};

struct multiline *multiline_new(size_t maxlines)
{
	struct multiline *lines = alloc_zero(sizeof(*lines));

	lines->max = maxlines ? maxlines : 1;
	lines->list = alloc_array(lines->max + 1, sizeof(*lines->list));
	return lines;
}

static void lines_drop(struct multiline *lines, size_t index)
{
	lines->bytes -= lines->list[index].length + 1;
	free(lines->list[index].text);
	lines->count--;
	memmove(&lines->list[index], &lines->list[index + 1],
		(lines->count - index) * sizeof(*lines->list));
}

static void lines_clear(struct multiline *lines)
{
	while (lines->count)
		lines_drop(lines, lines->count - 1);
}

void multiline_free(struct multiline *lines)
{
	if (!lines)
		return;
	lines_clear(lines);
	free(lines->list);
	free(lines->joined.bytes);
	free(lines->taken.bytes);
	free(lines);
}

void multiline_add(struct multiline *lines, const char *line, size_t length)
{
	lines->list[lines->count++] =
		(struct kept){ .text = alloc_bytes(line, length), .length = length };
	lines->bytes += length + 1;
	while (lines->count > lines->max ||
		(lines->count > 1 && lines->bytes > MULTILINE_BYTES_MAX))
		lines_drop(lines, 0);
}

static void text_add(struct text *text, const char *bytes, size_t length)
{
	if (text->length + length + 1 > text->room) {
		text->room = text->length + length + 4096;
		text->bytes = alloc_grow(text->bytes, text->room, 1);
	}
	memcpy(text->bytes + text->length, bytes, length);
	text->bytes[text->length + length] = '\n';
	text->length += length + 1;
}

const char *multiline_join(struct multiline *lines, size_t *ret_length)
{
	lines->joined.length = 0;
	for (size_t i = 0; i < lines->count; i++)
		text_add(&lines->joined, lines->list[i].text, lines->list[i].length);
	if (!lines->count)
		text_add(&lines->joined, "", 0);
	*ret_length = lines->joined.length;
	return lines->joined.bytes;
}

void multiline_replace(struct multiline *lines, const char *line, size_t length)
{
	lines_clear(lines);
	multiline_add(lines, line, length);
}

static size_t newlines_count(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += text[i] == '\n';
	return count;
}

/* Which lines a match touches. One that begins with a newline does not touch the line before, and
 * one that ends with a newline not the line behind, as fail2ban counts. */
static struct multiline_span lines_touched(const char *text, size_t length,
	struct multiline_span match)
{
	size_t last = match.start < length ? match.start + 1 : length;
	size_t from = match.end ? match.end - 1 : 0;
	const char *before = memrchr(text, '\n', last);
	const char *behind = from < length ? memchr(text + from, '\n', length - from) : NULL;

	return (struct multiline_span){
		.start = before ? newlines_count(text, (size_t)(before - text) + 1) : 0,
		.end = newlines_count(text, behind ? (size_t)(behind - text) + 1 : length),
	};
}

/* Marks those of the touched lines that stay. */
static void lines_skip(struct multiline *lines, struct multiline_span touched, const char *text,
	struct multiline_span skipped)
{
	size_t next = touched.start;

	while (skipped.start < skipped.end) {
		const char *start = text + skipped.start;
		const char *newline = memchr(start, '\n', skipped.end - skipped.start);
		size_t length = newline ? (size_t)(newline - start) : skipped.end - skipped.start;
		size_t i = next;

		while (i < touched.end &&
			(!lines->list[i].taken || lines->list[i].length != length ||
				memcmp(lines->list[i].text, start, length) != 0))
			i++;
		if (i < touched.end) {
			lines->list[i].taken = false;
			next = i + 1;
		}
		skipped.start += length + 1;
	}
}

size_t multiline_take(struct multiline *lines, const char *text, size_t length,
	struct multiline_span match, const struct multiline_span *skipped, size_t n_skipped,
	const char **ret_text, size_t *ret_length)
{
	struct multiline_span touched = lines_touched(text, length, match);
	size_t n_taken = 0;

	if (lines->count <= 1)
		touched = (struct multiline_span){ 0, lines->count };
	if (touched.end > lines->count)
		touched.end = lines->count;
	for (size_t i = touched.start; i < touched.end; i++)
		lines->list[i].taken = true;
	for (size_t i = 0; i < n_skipped && lines->count > 1; i++)
		lines_skip(lines, touched, text, skipped[i]);
	lines->taken.length = 0;
	for (size_t i = 0; i < lines->count;) {
		if (!lines->list[i].taken) {
			i++;
			continue;
		}
		text_add(&lines->taken, lines->list[i].text, lines->list[i].length);
		lines_drop(lines, i);
		n_taken++;
	}
	*ret_length = lines->taken.length;
	*ret_text = lines->taken.bytes ? lines->taken.bytes : "";
	return n_taken;
}
