#include "base/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static size_t class_length(const char *text)
{
	size_t length = 1;

	length += text[length] == '^';
	length += text[length] == ']';
	while (text[length] && text[length] != ']')
		length += text[length] == '\\' && text[length + 1] ? 2 : 1;
	return length + (text[length] == ']');
}

size_t pattern_piece(const char *text)
{
	if (*text == '\\' && text[1])
		return 2;
	return *text == '[' ? class_length(text) : *text != '\0';
}

size_t pattern_group(const char *text)
{
	size_t depth = 0;
	size_t at = 0;

	while (text[at]) {
		depth += text[at] == '(';
		if (text[at] == ')' && --depth == 0)
			return at + 1;
		at += pattern_piece(text + at);
	}
	return at;
}

static void make_room(struct pattern *pattern, size_t length)
{
	while (pattern->length + length + 1 > pattern->room) {
		pattern->room = pattern->room ? pattern->room * 2 : 256;
		pattern->bytes = alloc_grow(pattern->bytes, pattern->room, 1);
		pattern->origins =
			alloc_grow(pattern->origins, pattern->room, sizeof(*pattern->origins));
	}
}

/* step is how far the origins of two neighbouring bytes are apart: 1 for a copy, 0 for a
 * replacement. */
static void add(struct pattern *pattern, const char *bytes, size_t length, size_t origin,
	size_t step)
{
	make_room(pattern, length);
	if (length)
		memcpy(pattern->bytes + pattern->length, bytes, length);
	for (size_t i = 0; i <= length; i++)
		pattern->origins[pattern->length + i] = origin + i * step;
	pattern->length += length;
	pattern->bytes[pattern->length] = '\0';
}

void pattern_add(struct pattern *pattern, const char *bytes, size_t length, size_t origin)
{
	add(pattern, bytes, length, origin, 0);
}

void pattern_add_string(struct pattern *pattern, const char *text, size_t origin)
{
	add(pattern, text, strlen(text), origin, 0);
}

void pattern_copy(struct pattern *pattern, const char *bytes, size_t length, size_t origin)
{
	add(pattern, bytes, length, origin, 1);
}

void pattern_done(struct pattern *pattern)
{
	free(pattern->bytes);
	free(pattern->origins);
	*pattern = (struct pattern){ 0 };
}
