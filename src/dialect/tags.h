#ifndef VG_TAGS_H
#define VG_TAGS_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* A rule as the regex engine gets it, with fail2ban's tags replaced. */
struct tags {
	char *pattern;       /* owned, NUL-ended */
	size_t *origins;     /* owned; offset in the rule of each byte of pattern, and of its NUL */
	const char *warning; /* about something hardly meant so; NULL: none */
	size_t warning_offset;
	bool has_skiplines;
	size_t skiplines_offset;
};

/* Replaces fail2ban's tags (<HOST>, <ADDR>, <F-USER>...</F-USER>, <SKIPLINES> and so on) by groups,
 * and then rewrites for PCRE2 what Python would read otherwise (dialect/python_regex.h). Without
 * usedns <HOST> matches addresses only, as <ADDR> does. The caller calls tags_done after success.
 * -1: the rule has something that PCRE2 cannot do, at *ret_offset of text; err says what. */
int tags_expand(const char *text, bool usedns, struct tags *ret_tags, size_t *ret_offset,
	struct error *err);
void tags_done(struct tags *tags);

/* What a tag, or the opening of a named group, tells about a rule. */
enum tags_kind {
	TAGS_OTHER,
	TAGS_ADDRESS,       /* <HOST>: matches the address, name or ID of whom the line is about */
	TAGS_ADDRESS_GROUP, /* <F-ID>, (?P<ip4>: the group that begins here does */
	TAGS_SESSION,       /* <F-MLFID>, (?P<mlfid>: which session; another line of it says who */
};
/* The kind of what begins at text; *ret_length is its length in bytes if it is a tag or the opening
 * of a named group. */
enum tags_kind tags_kind(const char *text, size_t *ret_length);
/* True if the rule has a tag or group of a kind that says, directly or by its session, who did
 * it. */
bool tags_say_who(const char *rule);

#endif
