#ifndef VG_TEST_FURTHEST_H
#define VG_TEST_FURTHEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/findings.h"

struct filter_def;
struct try_reach;

/* How far one rule came in one line. */
struct try_stop {
	unsigned rule;      /* index of the failregex, from 1; 0: prefregex */
	struct position at; /* where in the file it stopped */
	const char *text;   /* the rule from there on; borrowed from the def */
	size_t share;       /* of the rule's bytes, in 1/1000, that are behind it */
	size_t matched;     /* bytes of the input that are behind it */
	bool is_whole;      /* it matches: what it found is no address, or is not enough alone */
};

/* Why a line is no hit. */
struct try_why {
	bool has_date;
	size_t date_start; /* the piece of the line that is the date */
	size_t date_length;
	int64_t at_ms;
	const char
		*input; /* what the rules are given; owned by the try_reach until the next call */
	size_t input_length;
	struct try_stop best; /* the rule that came furthest */
};

/* def is borrowed and outlives it; its rules have been compiled by filter_new. */
struct try_reach *try_reach_new(const struct filter_def *def);
void try_reach_free(struct try_reach *reach);

/* Where in the line its date stands. False: it has none. */
bool try_reach_date(struct try_reach *reach, const char *line, size_t length, int64_t now_s,
	struct try_why *ret_why);
/* Tries every rule, slowly: a line, number of its file, that filter_match turned down. */
void try_reach_line(struct try_reach *reach, uint64_t number, const char *line, size_t length,
	int64_t now_s, struct try_why *ret_why);

/* Of all lines tried, the one in which rule (failregex from 1; 0: prefregex) came furthest: its
 * number, 0 if none was tried, and in ret_matched the text it had matched, rendered. */
uint64_t try_reach_best(const struct try_reach *reach, unsigned rule, struct try_stop *ret_stop,
	const char **ret_matched);

#endif
