#include "prefilter.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"

/* The run of literal bytes being read at the top level of a pattern, and the best ones so far. */
struct scan {
	const struct prefilter_cut *cut;
	char run[LITERAL_BYTES_MAX];
	size_t length;
	struct {
		char bytes[LITERAL_BYTES_MAX];
		size_t length;
	} best[LITERALS_MAX]; /* longest first */
};

static void scan_keep(struct scan *scan, const char *bytes, size_t length)
{
	size_t at = 0;

	while (at < LITERALS_MAX && scan->best[at].length >= length)
		at++;
	if (length < LITERAL_BYTES_MIN || at == LITERALS_MAX)
		return;
	for (size_t i = LITERALS_MAX - 1; i > at; i--)
		scan->best[i] = scan->best[i - 1];
	memcpy(scan->best[at].bytes, bytes, length);
	scan->best[at].length = length;
}

/* Ends the run: keeps its pieces between places where a cut could have joined two bytes. */
static void scan_end(struct scan *scan)
{
	size_t start = 0;

	for (size_t i = 1; i <= scan->length; i++) {
		unsigned char before = (unsigned char)scan->run[i - 1];
		unsigned char behind = i < scan->length ? (unsigned char)scan->run[i] : 0;

		if (i < scan->length && !(scan->cut->before[before] && scan->cut->behind[behind]))
			continue;
		scan_keep(scan, scan->run + start, i - start);
		start = i;
	}
	scan->length = 0;
}

static void scan_byte(struct scan *scan, char byte)
{
	if (scan->length == sizeof(scan->run))
		scan_end(scan);
	scan->run[scan->length++] = byte;
}

/* A quantifier stands behind the run: its last character (UTF-8) may be missing or repeated. */
static void scan_quantifier(struct scan *scan)
{
	while (scan->length && ((unsigned char)scan->run[scan->length - 1] & 0xc0) == 0x80)
		scan->length--;
	if (scan->length)
		scan->length--;
	scan_end(scan);
}

/* Length of a class from its '[', 0 if it does not end. */
static size_t class_length(const char *text)
{
	size_t at = 1;

	at += text[at] == '^';
	at += text[at] == ']';
	while (text[at] && text[at] != ']') {
		const char *posix =
			text[at] == '[' && text[at + 1] == ':' ? strstr(text + at, ":]") : NULL;

		if (posix)
			at = (size_t)(posix - text) + 2;
		else
			at += text[at] == '\\' && text[at + 1] ? 2 : 1;
	}
	return text[at] == ']' ? at + 1 : 0;
}

/* Length of a group from its '(', 0 if it does not end. Nesting is counted, not recursed into. */
static size_t group_length(const char *text)
{
	size_t depth = 0;
	size_t at = 0;

	while (text[at]) {
		size_t step = 1;

		if (text[at] == '\\' && text[at + 1])
			step = 2;
		else if (text[at] == '[')
			step = class_length(text + at);
		else if (text[at] == '(')
			depth++;
		else if (text[at] == ')' && !--depth)
			return at + 1;
		if (!step)
			return 0;
		at += step;
	}
	return 0;
}

/* Constructs that change how what follows is read: options, verbs, comments, \Q. */
static bool is_too_clever(const char *pattern)
{
	for (const char *at = pattern; *at; at++) {
		if (*at == '\\' && at[1] == 'Q')
			return true;
		if (*at == '\\' && at[1])
			at++;
		else if (*at == '(' && at[1] == '*')
			return true;
		else if (*at == '(' && at[1] == '?' && at[2] && at[2] != 'P' &&
			 strchr("#^-", at[2]))
			return true;
		else if (*at == '(' && at[1] == '?' && at[2] >= 'a' && at[2] <= 'z')
			return true;
		else if (*at == '(' && at[1] == '?' && at[2] && strchr("JURC0123456789+&|", at[2]))
			return true;
	}
	return false;
}

/* One construct at the top level; returns its length, 0: give up. */
static size_t scan_construct(struct scan *scan, const char *text)
{
	switch (*text) {
	case '\\':
		if (!text[1])
			return 0;
		if (strchr("dDwWsSbBAZzhHvVRntr", text[1]))
			scan_end(scan);
		else if ((text[1] >= '0' && text[1] <= '9') || (text[1] >= 'A' && text[1] <= 'Z') ||
			 (text[1] >= 'a' && text[1] <= 'z') || (unsigned char)text[1] >= 0x80)
			return 0;
		else
			scan_byte(scan, text[1]);
		return 2;
	case '[':
		scan_end(scan);
		return class_length(text);
	case '(':
		scan_end(scan);
		return group_length(text);
	case '*':
	case '+':
	case '?':
		scan_quantifier(scan);
		return 1;
	case '{':
		scan_quantifier(scan);
		return text[1 + strspn(text + 1, "0123456789,")] == '}'
			       ? strspn(text + 1, "0123456789,") + 2
			       : 1;
	case '.':
	case '^':
	case '$':
		scan_end(scan);
		return 1;
	case '|':
	case ')':
		return 0;
	default:
		scan_byte(scan, *text);
		return 1;
	}
}

static size_t pair_hash(const char *pair)
{
	return ((unsigned char)pair[1] + ((size_t)(unsigned char)pair[0] << 3)) & 0xff;
}

static void literal_init(struct literal *literal, const char *bytes, size_t length)
{
	literal->bytes = alloc_bytes(bytes, length);
	literal->length = length;
	memset(literal->shift, (int)length - 1, sizeof(literal->shift));
	for (size_t i = 0; i + 2 < length; i++)
		literal->shift[pair_hash(bytes + i)] = (uint8_t)(length - 2 - i);
}

size_t prefilter_literals(const char *pattern, const struct prefilter_cut *cut,
	struct literal ret_literals[LITERALS_MAX])
{
	struct scan scan = { .cut = cut };
	size_t at = 0;
	size_t count = 0;

	if (is_too_clever(pattern))
		return 0;
	while (pattern[at]) {
		size_t step = scan_construct(&scan, pattern + at);

		if (!step)
			return 0;
		at += step;
	}
	scan_end(&scan);
	for (; count < LITERALS_MAX && scan.best[count].length; count++)
		literal_init(&ret_literals[count], scan.best[count].bytes, scan.best[count].length);
	return count;
}

void prefilter_literal_done(struct literal *literal)
{
	free(literal->bytes);
	literal->bytes = NULL;
}

/* Horspool's search on byte pairs: needs no set-up per line, unlike memmem(). */
bool prefilter_has(const struct literal *literal, const char *text, size_t length)
{
	size_t at = literal->length;
	const char *tail = literal->bytes + literal->length - 2;

	while (at <= length) {
		const char *pair = text + at - 2;

		if (!memcmp(pair, tail, 2) &&
			!memcmp(text + at - literal->length, literal->bytes, literal->length))
			return true;
		at += literal->shift[pair_hash(pair)];
	}
	return false;
}
