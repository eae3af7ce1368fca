#ifndef VG_ASCII_H
#define VG_ASCII_H

#include <stdbool.h>

/* Class and case of single bytes in ASCII, whatever the locale is (isalpha() and its like depend on
 * it). A byte of 0x80 or more, which is a part of a UTF-8 sequence, is neither digit nor letter,
 * and has no upper or lower case. */
bool ascii_is_digit(char byte);
bool ascii_is_letter(char byte);
/* A letter, a digit or '_': what \w matches in a regex. */
bool ascii_is_word(char byte);

char ascii_lower(char byte);
/* Changes the NUL-ended string to lower case in place, and returns it. */
char *ascii_lower_string(char *text);

#endif
