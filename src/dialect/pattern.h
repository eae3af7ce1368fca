#ifndef VG_PATTERN_H
#define VG_PATTERN_H

#include <stddef.h>

/* A regex while it is rewritten: each byte knows where it stood in the rule. Zero is empty. */
struct pattern {
	char *bytes;     /* owned, NUL-ended once something was added */
	size_t *origins; /* owned; one more than length: that of the NUL */
	size_t length;
	size_t room;
};

/* All of the bytes, and the NUL behind them, stand for what is at origin. */
void pattern_add(struct pattern *pattern, const char *bytes, size_t length, size_t origin);
void pattern_done(struct pattern *pattern);

/* Length of the escape, class (from its '[') or byte at text; 0 at the end. */
size_t pattern_construct(const char *text);

#endif
