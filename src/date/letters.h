#ifndef VG_LETTERS_H
#define VG_LETTERS_H

#include <stddef.h>

struct date_parts;
struct pattern;

/* A piece of a date pattern that stands for a part of a date: strftime's letters, fail2ban's, and
 * {EPOCH}, {LEPOCH}, {TAI64N}. */
struct date_letter {
	const char *letter;
	/* The letter that strftime has for what it says; or E: seconds since 1970; L: the same,
	 * perhaps with digits of ms or us; T: the hex of TAI64N; NUL: it says nothing. */
	char field;
	const char *regex; /* NULL: see date_letter_regex */
};

/* The piece that stands at text; NULL: none. */
const struct date_letter *date_letter_at(const char *text);
/* Its regex, without a group around it. Caller frees. */
char *date_letter_regex(const struct date_letter *letter);
/* Adds text to what is empty, with the letters that stand for several (%T, %c) written out. Each
 * byte knows where in text it comes from. */
void date_letters_expand(const char *text, struct pattern *ret_pattern);

/* A group that the pattern names like a field ("(?P<Y>...)") is that field; NUL: it is none. */
char date_field_named(const char *name);
/* Puts what was found for a field into parts. */
void date_field_read(char field, const char *text, size_t length, struct date_parts *parts);

#endif
