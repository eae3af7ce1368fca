#include "dialect/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void pattern_add(struct pattern *pattern, const char *bytes, size_t length, size_t origin)
{
	while (pattern->length + length + 1 > pattern->room) {
		pattern->room = pattern->room ? pattern->room * 2 : 256;
		pattern->bytes = alloc_grow(pattern->bytes, pattern->room, 1);
		pattern->origins =
			alloc_grow(pattern->origins, pattern->room, sizeof(*pattern->origins));
	}
	if (length)
		memcpy(pattern->bytes + pattern->length, bytes, length);
	for (size_t i = 0; i <= length; i++)
		pattern->origins[pattern->length + i] = origin;
	pattern->length += length;
	pattern->bytes[pattern->length] = '\0';
}

void pattern_done(struct pattern *pattern)
{
	free(pattern->bytes);
	free(pattern->origins);
	*pattern = (struct pattern){ 0 };
}

static size_t class_length(const char *text)
{
	size_t length = 1;

	length += text[length] == '^';
	length += text[length] == ']';
	while (text[length] && text[length] != ']')
		length += text[length] == '\\' && text[length + 1] ? 2 : 1;
	return length + (text[length] == ']');
}

size_t pattern_construct(const char *text)
{
	if (*text == '\\' && text[1])
		return 2;
	return *text == '[' ? class_length(text) : *text != '\0';
}
