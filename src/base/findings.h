#ifndef VG_FINDINGS_H
#define VG_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Findings: the errors and warnings about a configuration, collected, so that an operator sees all
 * of them at once and not only the first. */

/* A place in a configuration file: the file's name as the operator would type it, the line and the
 * column. Both count from 1, the column in bytes; line 0 means the whole file. file is borrowed and
 * lives as long as what the position describes. */
struct position {
	const char *file;
	unsigned line;
	unsigned column;
};

struct finding {
	char *file; /* owned */
	unsigned line;
	unsigned column;
	bool is_error; /* else a warning */
	char *text;    /* owned; one sentence, in which text from outside is rendered */
};

enum { FINDINGS_MAX = 1000 }; /* further ones are only counted, in `dropped` */

struct findings {
	struct finding *list; /* owned */
	size_t count;
	size_t errors; /* errors seen, dropped ones included */
	size_t dropped;
};

void findings_done(struct findings *findings);
/* Sorts by file name, line and column; findings at one place keep the order in which they were
 * found. */
void findings_sort(struct findings *findings);
/* Add a finding unless the list holds the same one already. They copy the position and the
 * formatted sentence; the caller has rendered (text_render) what of the arguments comes from
 * outside. finding_error returns -1, for its caller to return. */
int finding_error(struct findings *findings, const struct position *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void finding_warning(struct findings *findings, const struct position *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* "FILE:LINE:COL: error: TEXT", or "FILE: error: TEXT" where line is 0. The caller frees it. */
char *finding_format(const struct finding *finding);

/* Prints a line for each finding, and how many were dropped. */
void findings_print(const struct findings *findings, FILE *out);

/* The word of the list that was probably meant by `word`, such as "maxretry" for "maxrety": at most
 * two letters are wrong, missing, extra or swapped with a neighbour, and at most half as many as
 * the word of the list has. NULL: no word is that near, or `word` is longer than 64 bytes. The
 * result points into the list. */
const char *guess_word(const char *word, const char *const *list, size_t count);

#endif
