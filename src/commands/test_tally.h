#ifndef VG_TEST_TALLY_H
#define VG_TEST_TALLY_H

#include <stdint.h>

/* How many lines there were, and of what kind. The lines that are neither hits nor ignored were
 * missed. */
struct test_tally {
	uint64_t lines;
	uint64_t hits;
	uint64_t ignored;
	uint64_t cut;      /* longer than TAIL_LINE_MAX: rules see their start */
	uint64_t *by_rule; /* owned; [number of the failregex - 1]: its hits */
	uint64_t *held;    /* owned; likewise: lines that it keeps for their session, no hit yet */
};

#endif
