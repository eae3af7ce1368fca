#ifndef VG_TEST_H
#define VG_TEST_H

#include <stdbool.h>
#include <stdint.h>

/* `voipguard test`: a filter over a log file. */
struct test_options {
	const char *config_dir; /* NULL: only shipped filters */
	const char *filter;     /* a name, a .conf file, or a regex with an address tag */
	const char *path;       /* "-": standard input */
	bool json;
	bool missed;  /* also print lines that no rule matched, and how far the best rule came */
	bool journal; /* lines are messages of the journal: no date is looked for in them */
	int64_t now_s;
};

/* Prints the findings on standard error and the hits on standard output. Returns 0, or 1 for an
 * unreadable file or a rule that is wrong. */
int test_run(const struct test_options *options);

#endif
