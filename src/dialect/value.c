/* Values, and where each of their bytes comes from: the part of dialect/tree.h that needs no
 * tree. */
#include "dialect/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

const char *dialect_name(struct dialect_names *names, const char *path)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->list[i], path) == 0)
			return names->list[i];
	names->list = alloc_grow(names->list, names->count + 1, sizeof(names->list[0]));
	names->list[names->count] = alloc_string(path);
	return names->list[names->count++];
}

void dialect_names_done(struct dialect_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct dialect_names){ 0 };
}

void dialect_value_done(struct dialect_value *value)
{
	free(value->text);
	free(value->spans);
	*value = (struct dialect_value){ 0 };
}

/* The last span that begins at or before offset; NULL: the value has no spans. */
static const struct dialect_span *span_at(const struct dialect_value *value, size_t offset)
{
	const struct dialect_span *found = value->spans;

	for (size_t i = 1; i < value->n_spans && value->spans[i].offset <= offset; i++)
		found = &value->spans[i];
	return found;
}

struct position dialect_at(const struct dialect_value *value, size_t offset)
{
	const struct dialect_span *span = span_at(value, offset);
	struct position at = { 0 };

	if (!span)
		return at;
	at = span->at;
	if (!span->fixed)
		at.column += (unsigned)(offset - span->offset);
	return at;
}

bool dialect_cut(const struct dialect_value *value, size_t from, size_t to, struct position *ret_at)
{
	const struct dialect_span *span = span_at(value, from);

	for (; span && span < value->spans + value->n_spans && span->offset <= to; span++) {
		if (!span->cut_column)
			continue;
		*ret_at = span->at;
		ret_at->column = span->cut_column;
		return true;
	}
	return false;
}

static void add_span(struct dialect_value *out, struct dialect_span span)
{
	if (out->n_spans && out->spans[out->n_spans - 1].offset == span.offset) {
		/* the earlier span has no bytes, but a cut of its line still counts */
		if (!span.cut_column)
			span.cut_column = out->spans[out->n_spans - 1].cut_column;
		out->spans[out->n_spans - 1] = span;
		return;
	}
	out->spans = alloc_grow(out->spans, out->n_spans + 1, sizeof(out->spans[0]));
	out->spans[out->n_spans++] = span;
}

static void add_bytes(struct dialect_value *out, const char *bytes, size_t length)
{
	out->text = alloc_grow(out->text, out->length + length + 1, 1);
	if (length)
		memcpy(out->text + out->length, bytes, length);
	out->length += length;
	out->text[out->length] = '\0';
}

void dialect_add(struct dialect_value *out, const char *text, size_t length,
	const struct position *at, unsigned cut_column)
{
	add_span(out, (struct dialect_span){ .offset = out->length,
			      .at = *at,
			      .cut_column = cut_column });
	add_bytes(out, text, length);
}

struct dialect_value dialect_value_of(const char *text, size_t length, const struct position *at)
{
	struct dialect_value value = { 0 };

	dialect_add(&value, text, length, at, 0);
	return value;
}

void dialect_append(struct dialect_value *out, const struct dialect_value *value, size_t from,
	size_t to, const struct position *use)
{
	const struct dialect_span *span = span_at(value, from);

	if (use)
		add_span(out,
			(struct dialect_span){ .offset = out->length, .at = *use, .fixed = true });
	for (; !use && span && span < value->spans + value->n_spans; span++) {
		struct dialect_span copy = *span;
		size_t start = span->offset < from ? from : span->offset;

		if (span->offset > from && span->offset >= to)
			break;
		copy.at = dialect_at(value, start);
		copy.offset = out->length + (start - from);
		add_span(out, copy);
	}
	add_bytes(out, value->text + from, to - from);
}

bool dialect_next_line(const struct dialect_value *value, size_t *io_at, size_t *ret_from,
	size_t *ret_to)
{
	const char *text = value->text;
	size_t from = *io_at + strspn(text + *io_at, " \t\r\n");
	size_t to = from + strcspn(text + from, "\n");

	*io_at = to;
	while (to > from && strchr(" \t\r", text[to - 1]))
		to--;
	*ret_from = from;
	*ret_to = to;
	return to > from;
}

char *dialect_next_word(const struct dialect_value *value, const char *blanks, size_t *io_at,
	struct position *ret_at)
{
	size_t from = *io_at + strspn(value->text + *io_at, blanks);
	size_t length = strcspn(value->text + from, blanks);

	*io_at = from + length;
	*ret_at = dialect_at(value, from);
	return length ? alloc_bytes(value->text + from, length) : NULL;
}
