#ifndef VG_REGEX_H
#define VG_REGEX_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct regex;

/* Limits of one match, so that no line holds the process: an ordinary hit takes some dozen steps,
 * 10 000 end a hostile one within 0.1 ms. */
enum {
	REGEX_STEPS_MAX = 10000,
	REGEX_HEAP_KIB_MAX = 4096,
	REGEX_PATTERN_BYTES_MAX = 65536,
	REGEX_GROUPS_MAX = 200,
};

enum regex_result {
	REGEX_MISS,
	REGEX_HIT,
	REGEX_LIMIT, /* gave up at a limit: says nothing about the subject */
};

/* Compiles pattern (PCRE2 syntax, UTF mode, ASCII classes; "." stops at '\n'), with JIT where this
 * machine has one: afterwards no executable memory is needed. -1: *ret_offset is where in
 * the pattern, err says what. */
int regex_new(const char *pattern, bool ignore_case, struct regex **ret_regex, size_t *ret_offset,
	struct error *err);
void regex_free(struct regex *regex);

/* Searches subject, any bytes. A byte that is not UTF-8 counts as one character, which is no
 * letter, digit or space: a client that sends one in a name is found all the same. Groups stay
 * readable until the next call for this regex. */
enum regex_result regex_match(struct regex *regex, const char *subject, size_t length);

/* How far a pattern that does not match came. */
struct regex_reach {
	size_t pattern; /* offset of the furthest item that was tried */
	size_t item;    /* its length, 0: the end of the pattern */
	size_t subject; /* how much of the subject was matched then */
	bool is_whole;  /* it matches */
};

/* As regex_new, for regex_reach only: slow, without JIT. What stands in a negative lookaround is
 * no way to a match and does not count. */
int regex_new_traced(const char *pattern, bool ignore_case, struct regex **ret_regex,
	size_t *ret_offset, struct error *err);
/* Within the limits of one match. Of items equally far the one that came further in the subject. */
void regex_reach(struct regex *regex, const char *subject, size_t length,
	struct regex_reach *ret_reach);

/* Of the last REGEX_HIT: false if group took no part in it. Group 0 is the whole match. */
bool regex_group(const struct regex *regex, unsigned group, size_t *ret_start, size_t *ret_length);

/* Number of the group called name, 0 if there is none. */
unsigned regex_group_number(const struct regex *regex, const char *name);
/* Named groups in alphabetical order; the name lives as long as the regex. */
unsigned regex_name_count(const struct regex *regex);
const char *regex_name(const struct regex *regex, unsigned index, unsigned *ret_group);

#endif
