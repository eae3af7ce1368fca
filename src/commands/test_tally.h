#ifndef VG_TEST_TALLY_H
#define VG_TEST_TALLY_H

#include <stdint.h>

/* What became of the lines. The rest of them no rule matched. */
struct test_tally {
	uint64_t lines;
	uint64_t hits;
	uint64_t ignored;
	uint64_t cut;      /* longer than any rule sees */
	uint64_t *by_rule; /* owned; hits of each failregex */
	uint64_t *held;    /* owned; lines that it took for a session and that are no hit yet */
};

#endif
