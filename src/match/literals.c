#include "match/literals.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/pattern.h"

/* The state while a pattern is read at its top level: the run of literal bytes that is being read,
 * and the best runs before it. */
struct scan {
	const struct literals_cut *cut;
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

/* Ends the run, and keeps its pieces between the places at which a cut could have joined two
 * bytes. */
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

/* Ends the run before its last character (UTF-8), because a quantifier behind it says that this may
 * be missing or repeated. */
static void scan_quantifier(struct scan *scan)
{
	while (scan->length && ((unsigned char)scan->run[scan->length - 1] & 0xc0) == 0x80)
		scan->length--;
	if (scan->length)
		scan->length--;
	scan_end(scan);
}

/* Says whether the class at text has a [:name:] of PCRE2, which pattern_piece() does not know. */
static bool has_posix_class(const char *text, size_t length)
{
	for (size_t at = 1; at < length; at += text[at] == '\\' ? 2 : 1)
		if (text[at] == '[' && text[at + 1] == ':')
			return true;
	return false;
}

/* Says whether the pattern has constructs that change how the rest of it is read: options, verbs,
 * comments, \Q. */
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

/* Reads one construct at the top level; returns its length, 0: it is not understood. */
static size_t scan_construct(struct scan *scan, const char *text)
{
	switch (*text) {
	case '\\':
		if (!text[1])
			return 0;
		if (strchr("dDwWsSbBAZzhHvVRntr", text[1]))
			scan_end(scan);
		else if (ascii_is_letter(text[1]) || ascii_is_digit(text[1]) ||
			 (unsigned char)text[1] >= 0x80)
			return 0;
		else
			scan_byte(scan, text[1]);
		return 2;
	case '[':
		scan_end(scan);
		return has_posix_class(text, pattern_piece(text)) ? 0 : pattern_piece(text);
	case '(':
		scan_end(scan);
		return pattern_group(text);
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

/* The index of the literal in the set, to which it is added if it is new. */
static size_t entry_number(struct literals *set, const char *bytes, size_t length)
{
	struct literals_entry *entry;

	for (size_t i = 0; i < set->count; i++)
		if (set->list[i].literal.length == length &&
			!memcmp(set->list[i].literal.bytes, bytes, length))
			return i;
	set->list = alloc_grow(set->list, set->count + 1, sizeof(*set->list));
	entry = &set->list[set->count];
	*entry = (struct literals_entry){ .literal = { .bytes = alloc_bytes(bytes, length),
						  .length = length } };
	return set->count++;
}

void literals_add(struct literals *set, const char *pattern, const struct literals_cut *cut,
	struct literals_needed *ret_needed)
{
	struct scan scan = { .cut = cut };
	size_t at = 0;

	*ret_needed = (struct literals_needed){ 0 };
	if (is_too_clever(pattern))
		return;
	while (pattern[at]) {
		size_t step = scan_construct(&scan, pattern + at);

		if (!step)
			return;
		at += step;
	}
	scan_end(&scan);
	for (size_t i = 0; i < LITERALS_MAX && scan.best[i].length; i++) {
		size_t number = entry_number(set, scan.best[i].bytes, scan.best[i].length);

		set->list[number].users++;
		ret_needed->numbers[ret_needed->count++] = number;
	}
}

void literals_order(const struct literals *set, struct literals_needed *needed)
{
	for (size_t i = 1; i < needed->count; i++) {
		size_t number = needed->numbers[i];
		size_t at = i;

		for (; at && set->list[needed->numbers[at - 1]].users < set->list[number].users;
			at--)
			needed->numbers[at] = needed->numbers[at - 1];
		needed->numbers[at] = number;
	}
}

void literals_done(struct literals *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->list[i].literal.bytes);
	free(set->list);
	*set = (struct literals){ 0 };
}

/* ---- searching ---- */

void literals_next(struct literals *set)
{
	set->text_number++;
}

bool literals_allow(struct literals *set, const struct literals_needed *needed, const char *text,
	size_t length)
{
	for (size_t i = 0; i < needed->count; i++) {
		struct literals_entry *entry = &set->list[needed->numbers[i]];

		if (entry->text_number != set->text_number) {
			entry->text_number = set->text_number;
			entry->found = memmem(text, length, entry->literal.bytes,
					       entry->literal.length) != NULL;
		}
		if (!entry->found)
			return false;
	}
	return true;
}
