#include "dialect/tags.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/error.h"
#include "base/pattern.h"
#include "base/text.h"
#include "dialect/python_regex.h"

#define IP4 "(?:::f{4,6}:)?(?P<ip4>(?:\\d{1,3}\\.){3}\\d{1,3})"
#define IP6 "(?P<ip6>(?:[0-9a-fA-F]{1,4}::?|:){1,7}(?:[0-9a-fA-F]{1,4}|(?<=:):))"
#define DNS "(?P<dns>[\\w\\-.^_]*\\w)"
#define CIDR "(?P<cidr>\\d+)"
#define ADDR "\\[?(?:" IP4 "|" IP6 ")\\]?"
#define SUBNET "\\[?(?:" IP4 "|" IP6 ")(?:/" CIDR ")?\\]?"

/* TAG_BYTES_MAX: longer names between < and > are no tags; PCRE2 allows 32 bytes for the name of a
 * group. OPEN_MAX: if one rule has more different F- tags, the end tags of the further ones stay as
 * they are. */
enum { TAG_BYTES_MAX = 48, OPEN_MAX = 64 };

static const struct {
	const char *tag;
	const char *pattern;
	enum tags_kind kind;
	const char *unresolved; /* the pattern where names are not looked up; NULL: the same */
} tags_fixed[] = {
	{ "HOST", "(?:" ADDR "|" DNS ")", TAGS_ADDRESS, ADDR },
	{ "IP4", IP4, TAGS_ADDRESS, NULL },
	{ "F-IP4/", IP4, TAGS_ADDRESS, NULL },
	{ "IP6", IP6, TAGS_ADDRESS, NULL },
	{ "F-IP6/", IP6, TAGS_ADDRESS, NULL },
	{ "DNS", DNS, TAGS_ADDRESS, NULL },
	{ "F-DNS/", DNS, TAGS_ADDRESS, NULL },
	{ "CIDR", CIDR, TAGS_OTHER, NULL },
	{ "F-CIDR/", CIDR, TAGS_OTHER, NULL },
	{ "ADDR", ADDR, TAGS_ADDRESS, NULL },
	{ "F-ADDR/", ADDR, TAGS_ADDRESS, NULL },
	{ "SUBNET", SUBNET, TAGS_ADDRESS, NULL },
	{ "F-SUBNET/", SUBNET, TAGS_ADDRESS, NULL },
	{ "F-ID/", "(?P<fid>\\S+)", TAGS_ADDRESS, NULL },
	{ "F-PORT/", "(?P<fport>\\w+)", TAGS_OTHER, NULL },
};
enum { TAGS_FIXED = sizeof(tags_fixed) / sizeof(*tags_fixed) };

/* The groups that say who did it, whether a tag makes them (<F-ID>) or the rule has them itself
 * ((?P<fid>...)). */
static const struct {
	const char *name;
	enum tags_kind kind;
} groups[] = {
	{ "fid", TAGS_ADDRESS_GROUP },
	{ "ip4", TAGS_ADDRESS_GROUP },
	{ "ip6", TAGS_ADDRESS_GROUP },
	{ "dns", TAGS_ADDRESS_GROUP },
	{ "host", TAGS_ADDRESS_GROUP },
	{ "mlfid", TAGS_SESSION },
};

struct expansion {
	struct pattern pattern;
	char open[OPEN_MAX][TAG_BYTES_MAX]; /* tags such as "F-USER" that the rule has so far */
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

/* Copies the tag at text[0] = '<' without its brackets. Returns its length with the brackets; 0: it
 * is none. */
static size_t read_tag(const char *text, char ret_tag[TAG_BYTES_MAX])
{
	size_t length = strcspn(text + 1, "<>");

	if (text[1 + length] != '>' || length == 0 || length >= TAG_BYTES_MAX)
		return 0;
	memcpy(ret_tag, text + 1, length);
	ret_tag[length] = '\0';
	return length + 2;
}

/* The index of the tag in tags_fixed; TAGS_FIXED: it is not there. */
static size_t find_fixed(const char *tag)
{
	size_t i = 0;

	while (i < TAGS_FIXED && strcmp(tag, tags_fixed[i].tag) != 0)
		i++;
	return i;
}

/* Turns the name of a tag into that of its group: "F-USER" into "user", "F-ID" into "fid". False:
 * it is no such tag. */
static bool group_of(const char *tag, char ret_group[TAG_BYTES_MAX + 1])
{
	const char *name = tag + strlen("F-");
	bool is_renamed;

	if (strncmp(tag, "F-", strlen("F-")) != 0 || !*name ||
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != strlen(name))
		return false;
	is_renamed = !strcmp(name, "ID") || !strcmp(name, "PORT");
	(void)text_format(ret_group, TAG_BYTES_MAX + 1, "%s%s", is_renamed ? "f" : "", name);
	for (char *byte = ret_group; *byte; byte++)
		*byte = *byte == '-' ? '_' : ascii_lower(*byte);
	return true;
}

/* Adds "(?P<user>" for the tag "F-USER", and ")" for "/F-USER" if the group was opened. False: it
 * is no such tag. */
static bool add_custom(struct expansion *expansion, const char *tag, size_t origin)
{
	bool closes = *tag == '/';
	char group[TAG_BYTES_MAX + 1];

	if (!group_of(tag + closes, group) || (closes && !was_opened(expansion, tag + 1)))
		return false;
	if (!closes && expansion->n_open < OPEN_MAX && !was_opened(expansion, tag))
		memcpy(expansion->open[expansion->n_open++], tag, strlen(tag) + 1);
	add(expansion, closes ? "" : "(?P<", origin);
	add(expansion, closes ? ")" : group, origin);
	add(expansion, closes ? "" : ">", origin);
	return true;
}

static void add_skiplines(struct expansion *expansion, size_t origin)
{
	char pattern[64];

	if (!expansion->n_skiplines)
		expansion->skiplines_offset = origin;
	(void)text_format(pattern, sizeof(pattern), "\\n(?P<skiplines%u>(?:(?:.*\\n)*?))",
		expansion->n_skiplines++);
	add(expansion, pattern, origin);
}

/* Adds what the tag at text[0] = '<' stands for. Returns its length; 0: it is not a tag that this
 * daemon knows. */
static size_t add_tag(struct expansion *expansion, const char *text, size_t origin, bool usedns)
{
	char tag[TAG_BYTES_MAX];
	size_t length = read_tag(text, tag);
	size_t fixed = length ? find_fixed(tag) : TAGS_FIXED;
	bool is_unresolved = fixed < TAGS_FIXED && tags_fixed[fixed].unresolved && !usedns;

	if (!length)
		return 0;
	if (!strcmp(tag, "SKIPLINES"))
		add_skiplines(expansion, origin);
	else if (fixed < TAGS_FIXED)
		add(expansion,
			is_unresolved ? tags_fixed[fixed].unresolved : tags_fixed[fixed].pattern,
			origin);
	else if (!add_custom(expansion, tag, origin))
		return 0;
	return length;
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

enum tags_kind tags_kind(const char *text, size_t *ret_length)
{
	char tag[TAG_BYTES_MAX] = "";
	char group[TAG_BYTES_MAX + 1] = "";
	size_t opening = strncmp(text, "(?P<", 4) == 0 ? 3 : 0;
	size_t length = text[opening] == '<' ? read_tag(text + opening, tag) : 0;
	size_t fixed = opening ? TAGS_FIXED : find_fixed(tag);

	*ret_length = opening + length;
	if (!length)
		return TAGS_OTHER;
	if (fixed < TAGS_FIXED)
		return tags_fixed[fixed].kind;
	if (!opening && !group_of(tag, group))
		return TAGS_OTHER;
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		if (!strcmp(opening ? tag : group, groups[i].name))
			return groups[i].kind;
	return TAGS_OTHER;
}

bool tags_say_who(const char *rule)
{
	size_t length;

	for (; *rule; rule++)
		if (tags_kind(rule, &length) != TAGS_OTHER)
			return true;
	return false;
}
