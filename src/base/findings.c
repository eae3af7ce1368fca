#include "base/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

enum {
	FINDING_TEXT_MAX = 2048, /* longer sentences are cut */
	GUESS_WORD_MAX = 64,
	GUESS_DISTANCE_MAX = 2,
};

void findings_done(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->list[i].file);
		free(findings->list[i].text);
	}
	free(findings->list);
	*findings = (struct findings){ 0 };
}

static bool is_before(const struct finding *a, const struct finding *b)
{
	int order = strcmp(a->file, b->file);

	if (order != 0 || a->line != b->line)
		return order != 0 ? order < 0 : a->line < b->line;
	return a->column < b->column;
}

/* This is insertion sort: it is stable, and fast enough for at most FINDINGS_MAX findings that come
 * nearly in order. */
void findings_sort(struct findings *findings)
{
	for (size_t i = 1; i < findings->count; i++) {
		struct finding one = findings->list[i];
		size_t k = i;

		for (; k > 0 && is_before(&one, &findings->list[k - 1]); k--)
			findings->list[k] = findings->list[k - 1];
		findings->list[k] = one;
	}
}

/* The section [DEFAULT] is read again for each jail, so that one mistake in it is found several
 * times: only the first of these findings goes into the list. */
static bool is_known(const struct findings *findings, const struct position *at, const char *text,
	bool is_error)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *one = &findings->list[i];

		if (one->line == at->line && one->column == at->column &&
			one->is_error == is_error && strcmp(one->text, text) == 0 &&
			strcmp(one->file, at->file ? at->file : "") == 0)
			return true;
	}
	return false;
}

static void add(struct findings *findings, const struct position *at, bool is_error,
	const char *format, va_list args)
{
	char text[FINDING_TEXT_MAX];

	(void)vsnprintf(text, sizeof(text), format, args); /* a longer sentence is cut */
	if (is_known(findings, at, text, is_error))
		return;
	findings->errors += is_error;
	if (findings->count == FINDINGS_MAX) {
		findings->dropped++;
		return;
	}
	findings->list = alloc_grow(findings->list, findings->count + 1, sizeof(findings->list[0]));
	findings->list[findings->count++] = (struct finding){
		.file = alloc_string(at->file ? at->file : ""),
		.line = at->line,
		.column = at->column,
		.is_error = is_error,
		.text = alloc_string(text),
	};
}

int finding_error(struct findings *findings, const struct position *at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(findings, at, true, format, args);
	va_end(args);
	return -1;
}

void finding_warning(struct findings *findings, const struct position *at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(findings, at, false, format, args);
	va_end(args);
}

char *finding_format(const struct finding *finding)
{
	const char *kind = finding->is_error ? "error" : "warning";
	size_t shown_bytes = 4 * strlen(finding->file) + 8; /* room for \xNN each */
	cleanup_free char *shown = alloc_zero(shown_bytes);

	text_render_string(shown, shown_bytes, finding->file);
	if (!finding->line)
		return alloc_format("%s: %s: %s", shown, kind, finding->text);
	return alloc_format("%s:%u:%u: %s: %s", shown, finding->line, finding->column, kind,
		finding->text);
}

void findings_print(const struct findings *findings, FILE *out)
{
	for (size_t i = 0; i < findings->count; i++) {
		cleanup_free char *text = finding_format(&findings->list[i]);

		(void)fprintf(out, "%s\n", text);
	}
	if (findings->dropped)
		(void)fprintf(out, "and %zu more\n", findings->dropped);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Edit distance in which a swap of two neighbours is one step (optimal string alignment). */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned rows[3][GUESS_WORD_MAX + 1];

	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned *now = rows[i % 3];
		const unsigned *last = rows[(i + 2) % 3];
		const unsigned *before = rows[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			now[j] = least(least(last[j] + 1, now[j - 1] + 1),
				last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}

const char *guess_word(const char *word, const char *const *list, size_t count)
{
	size_t length = strlen(word);
	unsigned best = GUESS_DISTANCE_MAX + 1;
	const char *found = NULL;

	if (length > GUESS_WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(list[i]);
		unsigned steps;

		if (other > GUESS_WORD_MAX)
			continue;
		steps = distance(word, length, list[i], other);
		if (steps < best && steps * 2 <= other) {
			best = steps;
			found = list[i];
		}
	}
	return found;
}
