#include "base/finding.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { FINDING_TEXT_MAX = 2048 }; /* longer sentences are cut */

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

/* By insertion: stable, at most FINDINGS_MAX of them, and nearly in order. */
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

/* [DEFAULT] is read once a jail: the same finding at the same place is told once. */
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

static void add(struct findings *findings, const struct position *at, const char *text,
	bool is_error)
{
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
	char text[FINDING_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* cut on purpose */
	va_end(args);
	add(findings, at, text, true);
	return -1;
}

void finding_warning(struct findings *findings, const struct position *at, const char *format, ...)
{
	char text[FINDING_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* cut on purpose */
	va_end(args);
	add(findings, at, text, false);
}

char *finding_format(const struct finding *finding)
{
	const char *kind = finding->is_error ? "error" : "warning";
	size_t shown_bytes = 4 * strlen(finding->file) + 8; /* \xNN each: never cut */
	cleanup_free char *shown = alloc_zero(shown_bytes);

	text_render_string(shown, shown_bytes, finding->file);
	if (!finding->line)
		return alloc_format("%s: %s: %s", shown, kind, finding->text);
	return alloc_format("%s:%u:%u: %s: %s", shown, finding->line, finding->column, kind,
		finding->text);
}
