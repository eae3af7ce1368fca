#ifndef VG_FINDINGS_H
#define VG_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What is wrong with a configuration, all of it at once. */

/* Where something stands: file name as the operator would type it, line and column from 1,
 * the column in bytes. file is borrowed and lives as long as what it describes. line 0: the
 * whole file. */
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
	char *text;    /* owned; one sentence, rendered */
};

enum { FINDINGS_MAX = 1000 }; /* the rest is counted in `dropped` */

struct findings {
	struct finding *list; /* owned */
	size_t count;
	size_t errors; /* errors seen, dropped ones included */
	size_t dropped;
};

void findings_done(struct findings *findings);
/* By file, line and column; those of one place stay in the order they were found in. */
void findings_sort(struct findings *findings);
/* Both copy; text from outside in the arguments has been rendered. finding_error returns -1. */
int finding_error(struct findings *findings, const struct position *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void finding_warning(struct findings *findings, const struct position *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* "FILE:LINE:COL: error: TEXT" (line and column left out where line is 0). Caller frees. */
char *finding_format(const struct finding *finding);

/* Prints a line for each finding, and how many were dropped. */
void findings_print(const struct findings *findings, FILE *out);

/* The word of the list that was probably meant: at most two letters wrong, missing, extra or
 * swapped, and at least half of them right. NULL: none. Words over 64 bytes have no guess. */
const char *guess_word(const char *word, const char *const *list, size_t count);

#endif
