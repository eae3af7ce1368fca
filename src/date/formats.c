#include "date/formats.h"

#define FRACTION "(?:\\.%f)?"
#define FRACTION_COMMA "(?:[.,]%f)?"
#define SAME_MARK "(?<_mark>[-/.])%m\\k<_mark>"
#define SAME_DASH "(?<_dash>[-/])%m\\k<_dash>"
#define SAME_DASH_NAME "(?<_line>[-/])%b\\k<_line>"

enum { USUAL = DATE_LEADING | DATE_ANYWHERE | DATE_INSIDE };

/* fail2ban's formats, in the order in which it prefers one to another. */
static const struct {
	const char *pattern;
	unsigned places;
} table[] = {
	/* 2005-01-23T21:59:59.981746Z, 2005/01/23 21:59:59, 2005.01.23  8:59:59 +02:00 */
	{ "%ExY" SAME_MARK "%d(?:T|  ?)%H:%M:%S" FRACTION_COMMA "(?:\\s*%z)?", USUAL },
	/* Sun Jan 23 21:59:59.011 2005, Jan 23 21:59:59 */
	{ "(?:%a )?%b %d %k:%M:%S" FRACTION "(?: %ExY)?", USUAL },
	/* Sun Jan 23 2005 21:59:59.011 */
	{ "(?:%a )?%b %d %ExY %k:%M:%S" FRACTION, USUAL },
	/* 23/01/2005 21:59:59, 23-01-05 21:59:59 */
	{ "%d" SAME_DASH "(?:%ExY|%Exy) %k:%M:%S", USUAL },
	/* 31/Oct/2006:09:22:55 -0000, 26-Jul-2007 15:20:52.252 */
	{ "%d" SAME_DASH_NAME "%ExY[ :]?%H:%M:%S" FRACTION "(?: %z)?", USUAL },
	/* 05/20/2008:01:57:39 */
	{ "%m/%d/%ExY:%H:%M:%S", USUAL },
	/* 01-27-2012 16:22:44.252 */
	{ "%m-%d-%ExY %k:%M:%S" FRACTION, USUAL },
	/* such a number is a date only at the start of a line, and in records of the kernel's
	 * audit */
	{ "{EPOCH}", DATE_LEADING },
	{ "(?<=\\b(?-i:audit)\\(){EPOCH}", DATE_ANYWHERE },
	{ "%H:%M:%S", DATE_LEADING | DATE_INSIDE },
	{ "^<%m/%d/%Exy@%H:%M:%S>", DATE_LEADING },
	/* MySQL: 130322 11:46:11 */
	{ "%Exy%Exm%Exd  ?%H:%M:%S", USUAL },
	/* Jan 23, 2005 9:59:59 PM */
	{ "%b %d, %ExY %I:%M:%S %p", USUAL },
	/* Apr-27-13 02:33:06 */
	{ "^%b-%d-%Exy %k:%M:%S", DATE_LEADING },
	/* 20050123T215959, 20050123 215959.5+0200, 20050123 21:59:59 */
	{ "%ExY%Exm%Exd(?:T|  ?)%ExH:?%ExM:?%ExS" FRACTION_COMMA "(?:\\s*%z)?", USUAL },
	/* PDT Apr 16 21:05:29, +00:00 Jan 23 21:59:59.011 2005 */
	{ "%Z (?:%a )?%b %d %k:%M:%S" FRACTION "(?: %ExY)?", USUAL },
	{ "%z (?:%a )?%b %d %k:%M:%S" FRACTION "(?: %ExY)?", USUAL },
	{ "{TAI64N}", DATE_LEADING | DATE_ANYWHERE },
	/* These are not fail2ban's, which sees no date there: those of RFC 2822, of Java, and of
	 * nginx with a short year. */
	{ "(?:%a, )?%d %b %ExY %k:%M:%S" FRACTION_COMMA "(?: %z)?", DATE_LAST | DATE_INSIDE },
	{ "(?:%a,? )?%b %d, %ExY %k:%M:%S" FRACTION_COMMA, DATE_LAST | DATE_INSIDE },
	{ "%Exy/%Exm/%Exd %H:%M:%S", DATE_LAST | DATE_INSIDE },
};

const char *date_formats_pattern(enum date_place place, size_t index)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].places & place && !index--)
			return table[i].pattern;
	return NULL;
}
