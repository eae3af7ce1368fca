#ifndef VG_REGEX_H
#define VG_REGEX_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct regex;

/* Limits of one match, so that no line can keep the process busy: an ordinary match takes a few
 * dozen steps; 10 000 steps, where a line written for this is given up, take less than 0.1 ms. To
 * them comes one for each byte of the subject: a pattern that passes only once over a text, as by
 * [^"]*+, then never gives up, however long a client makes it. */
enum {
	REGEX_STEPS_MAX = 10000,
	REGEX_HEAP_KIB_MAX = 4096,
	REGEX_PATTERN_BYTES_MAX = 65536,
	REGEX_GROUPS_MAX = 200,
};

enum regex_result {
	REGEX_MISS,
	REGEX_HIT,
	REGEX_LIMIT, /* the search was given up at a limit: whether it matches is not known */
	REGEX_OPEN,  /* of regex_match_head only: what is not there decides */
};

/* Compiles pattern (PCRE2 syntax, UTF mode, ASCII classes; "." stops at '\n'), with JIT where PCRE2
 * has it for this machine, so that no executable memory has to be made later. *ret_regex is the
 * caller's, for regex_free(). -1: err says what is wrong, *ret_offset where in the pattern. */
int regex_new(const char *pattern, bool ignore_case, struct regex **ret_regex, size_t *ret_offset,
	struct error *err);
void regex_free(struct regex *regex);

/* Searches subject, which may hold any bytes, for a match. A byte that is not UTF-8 counts as one
 * character that is no letter, digit or space, so that a client cannot hide its line by sending one
 * in a name. What the groups matched can be read until the next call for this regex. */
enum regex_result regex_match(struct regex *regex, const char *subject, size_t length);

/* As regex_match, where subject is only the start of a text whose rest is not known. HIT: the
 * pattern matches, with these groups, whatever the rest is, for the search has found all it needed
 * before the end and has not looked there. MISS: it does not match whatever the rest is, which can
 * only be said of a pattern that begins with ^ in all its branches. It is slower than regex_match,
 * and may take four times as many steps for each byte. */
enum regex_result regex_match_head(struct regex *regex, const char *subject, size_t length);

/* How far a pattern came in a subject that it does not match. With "ab(c|d)e" and "abcx" that is
 * the item "e" after 3 bytes of the subject. */
struct regex_reach {
	size_t pattern; /* offset of the furthest item that was tried */
	size_t item;    /* its length in bytes; 0: the end of the pattern */
	size_t subject; /* bytes of the subject that were matched before it */
	bool is_whole;  /* it does match */
};

/* As regex_new, for use with regex_reach only: it is slow, and has no JIT. What stands in a
 * negative lookaround does not count as progress, since it must not match. */
int regex_new_traced(const char *pattern, bool ignore_case, struct regex **ret_regex,
	size_t *ret_offset, struct error *err);
/* Tries the match, within its limits, and says how far it came: the item that stands furthest in
 * the pattern, and of several tries of that item the one furthest in the subject. */
void regex_reach(struct regex *regex, const char *subject, size_t length,
	struct regex_reach *ret_reach);

/* Where in the subject of the last REGEX_HIT the group matched; false if it took no part. Group 0
 * is the whole match. */
bool regex_group(const struct regex *regex, unsigned group, size_t *ret_start, size_t *ret_length);

/* The number of the group called name; 0 if there is none. */
unsigned regex_group_number(const struct regex *regex, const char *name);
/* The named groups in alphabetical order, index from 0 to regex_name_count() - 1. The name is
 * borrowed and lives as long as the regex. */
unsigned regex_name_count(const struct regex *regex);
const char *regex_name(const struct regex *regex, unsigned index, unsigned *ret_group);

#endif
