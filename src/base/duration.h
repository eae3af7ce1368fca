#ifndef VG_DURATION_H
#define VG_DURATION_H

#include <stdint.h>

struct error;

/* Longest duration_format() text and NUL. */
enum { DURATION_TEXT_MAX = 48 };

/* Reads fail2ban's time strings: "600", "10m", "1h 30m", "1y6mo", "1year-6mo", "24*60*60".
 * Adjacent terms add; + - * / and blanks are allowed, * and / first. Units (any case): year
 * 31557600 s, mo 2629800 s, w, d, h, m, s and their longer forms. A bare number is seconds.
 * Source of words and numbers: fail2ban's manual jail.conf(5), server/utils str2seconds.
 * Result may be negative (bantime -1: permanent), is rounded down, and |result| < 10^11. */
int duration_parse(const char *text, int64_t *ret_s, struct error *err);

/* "1d 2h", "10m", "0s": at most the two largest units, exact if they suffice. Returns out. */
const char *duration_format(int64_t duration_s, char out[DURATION_TEXT_MAX]);

#endif
