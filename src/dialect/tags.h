#ifndef VG_TAGS_H
#define VG_TAGS_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* A rule as the regex engine gets it. */
struct tags {
	char *pattern;       /* owned, NUL-ended */
	size_t *origins;     /* owned; where byte i of pattern (its NUL too) stood in the rule */
	const char *warning; /* what is probably not meant so; NULL: nothing */
	size_t warning_offset;
	bool has_skiplines;
	size_t skiplines_offset;
};

/* Replaces fail2ban's tags (<HOST>, <ADDR>, <F-USER>...</F-USER>, <SKIPLINES> and so on) by groups,
 * then spells for PCRE2 what Python reads otherwise (dialect/python_regex.h). Without usedns <HOST>
 * is <ADDR>. -1: something that cannot be honoured, at *ret_offset of text. */
int tags_expand(const char *text, bool usedns, struct tags *ret_tags, size_t *ret_offset,
	struct error *err);
void tags_done(struct tags *tags);

/* What a tag, or the opening of a named group, says. */
enum tags_kind {
	TAGS_OTHER,
	TAGS_ADDRESS,       /* <HOST>: it takes the address, name or ID of whom the line is about */
	TAGS_ADDRESS_GROUP, /* <F-ID>, (?P<ip4>: so does the group that begins here */
	TAGS_SESSION,       /* <F-MLFID>, (?P<mlfid>: which session, of which other lines say who */
};
/* Kind of what begins at text; *ret_length: its length, if it is a tag or such an opening. */
enum tags_kind tags_kind(const char *text, size_t *ret_length);
/* Something in the rule is of a kind that says who. */
bool tags_say_who(const char *rule);

#endif
