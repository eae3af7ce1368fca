#ifndef VG_ASCII_H
#define VG_ASCII_H

#include <stdbool.h>

/* Bytes as ASCII, whatever the locale says. A byte from 0x80 on is no digit and no letter, and has
 * no other case. */
bool ascii_is_digit(char byte);
bool ascii_is_letter(char byte);
/* A letter, a digit or _, which is \w of a regex. */
bool ascii_is_word(char byte);

char ascii_lower(char byte);
/* Turns the whole string, in place, and returns it. */
char *ascii_lower_string(char *text);

#endif
