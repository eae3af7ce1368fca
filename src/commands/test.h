#ifndef VG_TEST_H
#define VG_TEST_H

#include <stdbool.h>
#include <stdint.h>

/* `voipguard test`: tries a filter on the lines of a log. */
struct test_options {
	const char *config_dir; /* NULL: only shipped filters */
	/* a name, a path that ends in .conf, or a regex with a tag for the address */
	const char *filter;
	const char *path; /* "-": standard input */
	bool json;
	/* also print the lines that no rule matches, and how far the best rule came in each */
	bool missed;
	bool journal; /* the lines are messages of the journal: no date is cut out of them */
	/* Wall seconds: the year of stamps without one, and the limit of stamps in the future. */
	int64_t now_s;
};

/* Prints the findings on standard error, the hits and sums on standard output. Returns the exit
 * status: 0, or 1 if the file cannot be read or a rule is wrong. */
int test_run(const struct test_options *options);

#endif
