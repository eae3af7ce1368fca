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

/* Replaces fail2ban's tags (<HOST>, <ADDR>, <F-USER>...</F-USER>, <SKIPLINES>, ...; DIALECT 3) by
 * groups, then spells for PCRE2 what Python reads otherwise (python_regex.h). Without usedns
 * <HOST> is <ADDR>. -1: something that cannot be honoured, at *ret_offset of text. */
int tags_expand(const char *text, bool usedns, struct tags *ret_tags, size_t *ret_offset,
	struct error *err);
void tags_done(struct tags *tags);

#endif
