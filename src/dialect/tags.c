#include "dialect/tags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/error.h"
#include "base/pattern.h"
#include "dialect/python_regex.h"

#define IP4 "(?:::f{4,6}:)?(?P<ip4>(?:\\d{1,3}\\.){3}\\d{1,3})"
#define IP6 "(?P<ip6>(?:[0-9a-fA-F]{1,4}::?|:){1,7}(?:[0-9a-fA-F]{1,4}|(?<=:):))"
#define DNS "(?P<dns>[\\w\\-.^_]*\\w)"
#define CIDR "(?P<cidr>\\d+)"
#define ADDR "\\[?(?:" IP4 "|" IP6 ")\\]?"

/* Longest name between < and > that is looked at; PCRE2 takes group names of 32. More different
 * tags in one rule than OPEN_MAX: the end tags of the further ones stay as they are. */
enum { TAG_BYTES_MAX = 48, OPEN_MAX = 64 };

static const struct {
	const char *tag;
	const char *pattern;
} tags_fixed[] = {
	{ "IP4", IP4 },
	{ "F-IP4/", IP4 },
	{ "IP6", IP6 },
	{ "F-IP6/", IP6 },
	{ "DNS", DNS },
	{ "F-DNS/", DNS },
	{ "CIDR", CIDR },
	{ "F-CIDR/", CIDR },
	{ "ADDR", ADDR },
	{ "F-ADDR/", ADDR },
	{ "SUBNET", "\\[?(?:" IP4 "|" IP6 ")(?:/" CIDR ")?\\]?" },
	{ "F-ID/", "(?P<fid>\\S+)" },
	{ "F-PORT/", "(?P<fport>\\w+)" },
};

struct expansion {
	struct pattern pattern;
	char open[OPEN_MAX][TAG_BYTES_MAX]; /* F-NAMEs that stood in the rule */
	size_t n_open;
	unsigned n_skiplines;
	size_t skiplines_offset;
};

static void add(struct expansion *expansion, const char *text, size_t origin)
{
	pattern_add_string(&expansion->pattern, text, origin);
}

static bool was_opened(const struct expansion *expansion, const char *name)
{
	for (size_t i = 0; i < expansion->n_open; i++)
		if (!strcmp(expansion->open[i], name))
			return true;
	return false;
}

static bool add_close(struct expansion *expansion, const char *name, size_t origin)
{
	if (!was_opened(expansion, name))
		return false;
	add(expansion, ")", origin);
	return true;
}

/* "F-USER" opens (?P<user>, "/F-USER" closes it. False: it is no such tag. */
static bool add_custom(struct expansion *expansion, const char *tag, size_t origin)
{
	bool closes = *tag == '/';
	const char *name = tag + closes + 2;
	char group[TAG_BYTES_MAX];
	size_t length = strlen(tag);

	if (length < closes + 3U || strncmp(tag + closes, "F-", 2) ||
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != strlen(name))
		return false;
	if (closes)
		return add_close(expansion, name, origin);
	if (expansion->n_open < OPEN_MAX && !was_opened(expansion, name))
		memcpy(expansion->open[expansion->n_open++], name, strlen(name) + 1);
	length = strlen(name);
	for (size_t i = 0; i <= length; i++)
		group[i] = name[i] == '-' ? '_' : ascii_lower(name[i]);
	add(expansion, "(?P<", origin);
	if (!strcmp(group, "id") || !strcmp(group, "port"))
		add(expansion, "f", origin);
	add(expansion, group, origin);
	add(expansion, ">", origin);
	return true;
}

static void add_skiplines(struct expansion *expansion, size_t origin)
{
	char pattern[64];

	if (!expansion->n_skiplines)
		expansion->skiplines_offset = origin;
	(void)snprintf(pattern, sizeof(pattern), "\\n(?P<skiplines%u>(?:(?:.*\\n)*?))",
		expansion->n_skiplines++);
	add(expansion, pattern, origin);
}

/* Reads a tag at text[0] = '<'. Returns its length, 0: no tag of ours. */
static size_t add_tag(struct expansion *expansion, const char *text, size_t origin, bool usedns)
{
	size_t length = strcspn(text + 1, "<>");
	char tag[TAG_BYTES_MAX];

	if (text[1 + length] != '>' || length == 0 || length >= sizeof(tag))
		return 0;
	memcpy(tag, text + 1, length);
	tag[length] = '\0';
	if (!strcmp(tag, "HOST")) {
		add(expansion, usedns ? "(?:" ADDR "|" DNS ")" : ADDR, origin);
		return length + 2;
	}
	if (!strcmp(tag, "SKIPLINES")) {
		add_skiplines(expansion, origin);
		return length + 2;
	}
	for (size_t i = 0; i < sizeof(tags_fixed) / sizeof(*tags_fixed); i++) {
		if (strcmp(tag, tags_fixed[i].tag))
			continue;
		add(expansion, tags_fixed[i].pattern, origin);
		return length + 2;
	}
	return add_custom(expansion, tag, origin) ? length + 2 : 0;
}

static void expand(struct expansion *expansion, const char *text, bool usedns)
{
	size_t at = 0;

	while (text[at]) {
		size_t step = text[at] == '<' ? add_tag(expansion, text + at, at, usedns) : 0;

		if (!step) {
			step = pattern_piece(text + at);
			pattern_copy(&expansion->pattern, text + at, step, at);
		}
		at += step;
	}
	pattern_add(&expansion->pattern, "", 0, at);
}

int tags_expand(const char *text, bool usedns, struct tags *ret_tags, size_t *ret_offset,
	struct error *err)
{
	struct expansion expansion = { 0 };
	struct python_regex spelling;
	size_t offset = 0;
	int rc;

	expand(&expansion, text, usedns);
	rc = python_regex_translate(&expansion.pattern, &spelling, &offset, err);
	if (rc)
		*ret_offset = expansion.pattern.origins[offset];
	else
		*ret_tags = (struct tags){
			.pattern = spelling.pattern.bytes,
			.origins = spelling.pattern.origins,
			.warning = spelling.warning,
			.warning_offset = expansion.pattern.origins[spelling.warning_offset],
			.has_skiplines = expansion.n_skiplines > 0,
			.skiplines_offset = expansion.skiplines_offset,
		};
	pattern_done(&expansion.pattern);
	return rc;
}

void tags_done(struct tags *tags)
{
	free(tags->pattern);
	free(tags->origins);
	*tags = (struct tags){ 0 };
}
