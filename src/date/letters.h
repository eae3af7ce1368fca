#ifndef VG_LETTERS_H
#define VG_LETTERS_H

#include <stddef.h>

struct date_parts;
struct pattern;

/* A piece of a date pattern that stands for a part of a date: strftime's letters such as %Y,
 * fail2ban's own such as %ExY, and {EPOCH}, {LEPOCH}, {TAI64N}. */
struct date_letter {
	const char *letter;
	/* Which part of a date it is, as strftime's letter for it (%ExY and %Y are both Y).
	 * Besides: E is seconds since 1970; L the same, perhaps with digits of milliseconds or
	 * microseconds; T the hex digits of TAI64N; NUL is no part (%%). */
	char field;
	const char *regex; /* without a group around it; NULL: date_letter_regex() makes it */
};

/* The letter that text begins with; NULL: it begins with none. */
const struct date_letter *date_letter_at(const char *text);
/* The regex of a letter, without a group around it. The caller frees it. */
char *date_letter_regex(const struct date_letter *letter);
/* Adds text to a pattern that is empty, with the letters that stand for several (%T, %c) written
 * out. The origin of each byte is its offset in text. */
void date_letters_expand(const char *text, struct pattern *ret_pattern);

/* A group that a pattern names like a field, "(?P<Y>...)", is that field. Returns the field; NUL:
 * the name is none. */
char date_field_named(const char *name);
/* Reads what the line has for a field into parts. */
void date_field_read(char field, const char *text, size_t length, struct date_parts *parts);

#endif
