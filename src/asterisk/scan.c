#include "asterisk/scan.h"

#include <string.h>

bool asterisk_take(struct asterisk_cursor *c, const char *text)
{
	size_t length = strlen(text);

	if ((size_t)(c->end - c->at) < length || memcmp(c->at, text, length) != 0)
		return false;
	c->at += length;
	return true;
}

bool asterisk_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool asterisk_is_word(char c)
{
	return asterisk_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '-';
}

bool asterisk_is_stamp(char c)
{
	return asterisk_is_digit(c) || (c && strchr("T:.+-", c));
}

bool asterisk_take_run(struct asterisk_cursor *c, bool (*fits)(char), size_t least,
	struct asterisk_piece *ret)
{
	const char *start = c->at;

	while (c->at < c->end && fits(*c->at))
		c->at++;
	if (ret)
		*ret = (struct asterisk_piece){ start, (size_t)(c->at - start) };
	return (size_t)(c->at - start) >= least;
}

bool asterisk_take_field(struct asterisk_cursor *c, const char *name, bool (*fits)(char),
	struct asterisk_piece *ret)
{
	return asterisk_take(c, ",") && asterisk_take(c, name) && asterisk_take(c, "=\"") &&
	       asterisk_take_run(c, fits, 0, ret) && asterisk_take(c, "\"");
}

bool asterisk_is(struct asterisk_piece piece, const char *text)
{
	return piece.length == strlen(text) && memcmp(piece.text, text, piece.length) == 0;
}

const char *asterisk_find(const char *at, const char *end, const char *text)
{
	return at < end ? memmem(at, (size_t)(end - at), text, strlen(text)) : NULL;
}
