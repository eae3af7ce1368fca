#ifndef VG_PYTHON_REGEX_H
#define VG_PYTHON_REGEX_H

#include "base/pattern.h"

struct error;

/* A regex that was written for Python, translated so that it means the same in PCRE2. */
struct python_regex {
	struct pattern pattern; /* owned */
	const char *warning;    /* a sentence, static; NULL: none */
	size_t warning_offset;
};

/* Filters are written for Python's re (str patterns, 3.11). What PCRE2 10.42 reads otherwise is
 * spelled so that it means the same:
 *   {,n}                 {0,n}
 *   \Z                   \z: the very end; PCRE2's \Z also stands before a last newline
 *   \v                   \x0b; PCRE2's is any vertical white space
 *   \uXXXX \UXXXXXXXX    \x{...}
 *   \123                 \x{53}: three octal digits are a character, never a group
 *   [[:alpha:]           the characters [ : a l p h, as a set; with a warning
 *   ((?i)x) (?:(?i)x)    (?i:x), as fail2ban does
 *   (?i) anywhere else   holds for the whole pattern, so it moves to its start
 *   (?u) (?a) (?iu:      without u and a: there is one kind of text
 * The same without rewriting: (?P<n>, (?P=n), (?(n)..|..), (?#...), \A, $ (also before a final
 * newline), octal \0 and those of two digits in a class, possessive and atomic groups, "." (stops
 * at '\n' only). Python refuses \h \R \X \K \Q \G \N \C \p, (?|...), (?<n>...) and lookbehinds of
 * several lengths: no filter has them, and here they mean what they mean in PCRE2 (\C not: it cuts
 * characters). What PCRE2 cannot do is its error, with the column: \N{NAME}, names of groups over
 * 32 characters, repeats over 65535.
 * Remaining differences: \d, \w, \s and \b are ASCII (Python: Unicode), and ^ with maxlines > 1
 * does not hold behind the last newline. -1: (?L), at *ret_offset of pattern. */
int python_regex_translate(const struct pattern *pattern, struct python_regex *ret_spelling,
	size_t *ret_offset, struct error *err);

#endif
