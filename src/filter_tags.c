#include "filter_tags.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "error.h"

#define IP4 "(?:::f{4,6}:)?(?P<ip4>(?:\\d{1,3}\\.){3}\\d{1,3})"
#define IP6 "(?P<ip6>(?:[0-9a-fA-F]{1,4}::?|:){1,7}(?:[0-9a-fA-F]{1,4}|(?<=:):))"
#define DNS "(?P<dns>[\\w\\-.^_]*\\w)"
#define CIDR "(?P<cidr>\\d+)"
#define ADDR "\\[?(?:" IP4 "|" IP6 ")\\]?"

/* Longest name between < and > that is looked at; PCRE2 takes group names of 32. */
enum { TAG_BYTES_MAX = 40 };

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

/* Their meaning spans lines, and reading one line for itself would charge the wrong one. */
static const char *const tags_unsupported[] = { "SKIPLINES", "F-MLFID", "F-MLFFORGET",
	"F-MLFGAINED", "F-NOFAIL" };

struct output {
	char *bytes;
	size_t *origins;
	size_t length;
	size_t room;
};

static void output_add(struct output *output, const char *bytes, size_t length, size_t origin)
{
	while (output->length + length + 1 > output->room) {
		output->room = output->room ? output->room * 2 : 256;
		output->bytes = alloc_grow(output->bytes, output->room, 1);
		output->origins = alloc_grow(output->origins, output->room, sizeof(size_t));
	}
	memcpy(output->bytes + output->length, bytes, length);
	for (size_t i = 0; i < length; i++)
		output->origins[output->length + i] = origin;
	output->length += length;
}

/* "F-USER" opens (?P<user>, "/F-USER" closes it. False: it is no such tag. */
static bool output_custom(struct output *output, const char *tag, size_t origin)
{
	bool closes = *tag == '/';
	const char *name = tag + closes + 2;
	char group[TAG_BYTES_MAX];
	size_t length;

	if (strncmp(tag + closes, "F-", 2) || !*name ||
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != strlen(name))
		return false;
	if (closes) {
		output_add(output, ")", 1, origin);
		return true;
	}
	length = strlen(name);
	for (size_t i = 0; i <= length; i++)
		group[i] = name[i] == '-'                     ? '_'
			   : name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 'a' - 'A')
							      : name[i];
	output_add(output, "(?P<", 4, origin);
	if (!strcmp(group, "id") || !strcmp(group, "port"))
		output_add(output, "f", 1, origin);
	output_add(output, group, length, origin);
	output_add(output, ">", 1, origin);
	return true;
}

/* Reads a tag at text[0] = '<'. Returns its length, 0: no tag of ours, -1: one we cannot do. */
static int output_tag(struct output *output, const char *text, size_t origin, bool usedns,
	struct error *err)
{
	size_t length = strcspn(text + 1, "<>");
	char tag[TAG_BYTES_MAX];

	if (text[1 + length] != '>' || length == 0 || length >= sizeof(tag))
		return 0;
	memcpy(tag, text + 1, length);
	tag[length] = '\0';
	for (size_t i = 0; i < sizeof(tags_unsupported) / sizeof(*tags_unsupported); i++)
		if (!strcmp(tag, tags_unsupported[i]))
			return error_set(err, "<%s>: not supported yet", tag);
	if (!strcmp(tag, "HOST")) {
		const char *host = usedns ? "(?:" ADDR "|" DNS ")" : ADDR;

		output_add(output, host, strlen(host), origin);
		return (int)length + 2;
	}
	for (size_t i = 0; i < sizeof(tags_fixed) / sizeof(*tags_fixed); i++) {
		if (strcmp(tag, tags_fixed[i].tag))
			continue;
		output_add(output, tags_fixed[i].pattern, strlen(tags_fixed[i].pattern), origin);
		return (int)length + 2;
	}
	return output_custom(output, tag, origin) ? (int)length + 2 : 0;
}

/* Spellings that PCRE2 reads otherwise than Python; returns the bytes of text consumed, 0: none. */
static size_t output_python(struct output *output, const char *text, size_t origin)
{
	static const struct {
		const char *python;
		const char *pcre;
		bool leading; /* only at the very start */
	} spellings[] = {
		{ "((?i)", "(?i:", true },
		{ "(?iu)", "(?i)", false },
		{ "{,", "{0,", false },
	};

	for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
		size_t length = strlen(spellings[i].python);
		const char *pcre = spellings[i].pcre;

		if (strncmp(text, spellings[i].python, length) || (spellings[i].leading && origin))
			continue;
		if (*text == '{' && text[2 + strspn(text + 2, "0123456789")] != '}')
			continue;
		output_add(output, pcre, strlen(pcre), origin);
		return length;
	}
	return 0;
}

/* Copies one construct of text (an escape, a class, a byte); returns its length. */
static size_t output_construct(struct output *output, const char *text, size_t origin)
{
	size_t length = 1;

	if (*text == '\\' && text[1])
		length = 2;
	if (*text == '[') {
		length += text[length] == '^';
		length += text[length] == ']';
		while (text[length] && text[length] != ']')
			length += text[length] == '\\' && text[length + 1] ? 2 : 1;
		length += text[length] == ']';
	}
	for (size_t i = 0; i < length; i++)
		output_add(output, text + i, 1, origin + i);
	return length;
}

int filter_tags_expand(const char *text, bool usedns, struct filter_tags *ret_tags,
	size_t *ret_offset, struct error *err)
{
	struct output output = { 0 };
	size_t at = 0;

	while (text[at]) {
		int tag = text[at] == '<' ? output_tag(&output, text + at, at, usedns, err) : 0;
		size_t step = tag > 0 ? (size_t)tag : 0;

		if (tag < 0) {
			*ret_offset = at;
			free(output.bytes);
			free(output.origins);
			return -1;
		}
		if (!step)
			step = output_python(&output, text + at, at);
		if (!step)
			step = output_construct(&output, text + at, at);
		at += step;
	}
	output_add(&output, "", 1, at);
	ret_tags->pattern = output.bytes;
	ret_tags->origins = output.origins;
	return 0;
}

void filter_tags_done(struct filter_tags *tags)
{
	free(tags->pattern);
	free(tags->origins);
	*tags = (struct filter_tags){ 0 };
}
