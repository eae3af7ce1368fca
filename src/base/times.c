#include "base/times.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/ascii.h"
#include "base/error.h"
#include "base/text.h"

enum { TERMS_MAX = 64, DAY_S = 86400 };

/* A unit is any beginning of the longest word that has at least the letters of the shortest
 * ("mon"), or one letter twice ("dd"): these take in all words that fail2ban knows. */
static const struct unit {
	const char *shortest;
	const char *longest;
	double seconds;
} units[] = {
	{ "y", "years", 31557600 },
	{ "mo", "months", 2629800 },
	{ "w", "weeks", 604800 },
	{ "d", "days", 86400 },
	{ "h", "hours", 3600 },
	{ "m", "minutes", 60 },
	{ "s", "seconds", 1 },
};

static const char *skip_blanks(const char *at)
{
	while (*at == ' ' || *at == '\t' || *at == '\n')
		at++;
	return at;
}

static double unit_seconds(const char *word, size_t length)
{
	if (length == 2 && strncasecmp(word, word + 1, 1) == 0)
		length = 1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (length >= strlen(units[i].shortest) && length <= strlen(units[i].longest) &&
			strncasecmp(word, units[i].longest, length) == 0)
			return units[i].seconds;
	return 0;
}

/* Reads NUMBER [UNIT], such as "10m"; false if there is none at *at. */
static bool read_term(const char **at, double *ret_value)
{
	const char *start = skip_blanks(*at);
	double factor = 1;
	char *end;
	double value;
	size_t length = 0;

	if ((*start < '0' || *start > '9') && *start != '.')
		return false;
	if (start[0] == '0' && (start[1] == 'x' || start[1] == 'X'))
		return false;
	value = strtod(start, &end);
	if (end == start || *end == '.')
		return false;
	start = skip_blanks(end);
	while (ascii_is_letter(start[length]))
		length++;
	if (length) {
		factor = unit_seconds(start, length);
		if (factor == 0)
			return false;
		end += (size_t)(start - end) + length;
	}
	*at = end;
	*ret_value = value * factor;
	return true;
}

/* Reads terms joined by * and /, such as "24*60*60". */
static bool read_product(const char **at, double *ret_value)
{
	const char *next;
	double value;
	double more;

	if (!read_term(at, &value))
		return false;
	for (int i = 0; i < TERMS_MAX; i++) {
		next = skip_blanks(*at);
		if (*next != '*' && *next != '/')
			break;
		*at = next + 1;
		if (!read_term(at, &more) || (*next == '/' && more == 0))
			return false;
		value = *next == '*' ? value * more : value / more;
	}
	*ret_value = value;
	return true;
}

int duration_parse(const char *text, int64_t *ret_s, struct error *err)
{
	const char *at = skip_blanks(text);
	double total = 0;
	double value;

	for (int i = 0; i < TERMS_MAX && (*at || i == 0); i++) {
		int sign = *at == '-' ? -1 : 1;

		if (*at == '-' || *at == '+')
			at++;
		if (!read_product(&at, &value))
			break;
		total += sign * value;
		at = skip_blanks(at);
		if (!*at && fabs(total) < (double)DURATION_LONGEST_S) {
			*ret_s = (int64_t)(total < 0 && total != (double)(int64_t)total ? total - 1
											: total);
			return 0;
		}
	}
	return error_set(err, "'%s' is not a time (examples: 600, 10m, 1h 30m, 24h, 1w)",
		text_shown_string(text).text);
}

const char *duration_format(int64_t duration_s, char out[DURATION_TEXT_MAX])
{
	static const struct {
		uint64_t seconds;
		char letter;
	} steps[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	uint64_t left = duration_s < 0 ? 0 - (uint64_t)duration_s : (uint64_t)duration_s;
	size_t used = 0;
	int parts = 0;

	if (duration_s < 0)
		out[used++] = '-';
	for (size_t i = 0; i < 4 && parts < 2; i++) {
		uint64_t count = left / steps[i].seconds;

		if (!count && !(i == 3 && !parts))
			continue;
		used += text_format(out + used, DURATION_TEXT_MAX - used, "%s%llu%c",
			parts ? " " : "", (unsigned long long)count, steps[i].letter);
		left %= steps[i].seconds;
		parts++;
	}
	return out;
}

const char *utc_format(int64_t at_s, char out[UTC_TEXT_MAX])
{
	time_t at = (time_t)at_s;
	struct tm parts;

	out[0] = '\0';
	if (gmtime_r(&at, &parts) && parts.tm_year >= -1900 && parts.tm_year <= 8099)
		(void)text_format(out, UTC_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ",
			parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
			parts.tm_min, parts.tm_sec);
	return out;
}

const char *utc_format_ms(int64_t at_ms, char out[UTC_TEXT_MAX])
{
	int64_t at_s = at_ms / 1000 - (at_ms % 1000 < 0);
	size_t used;

	utc_format(at_s, out);
	used = strlen(out);
	if (used && at_ms != at_s * 1000)
		(void)text_format(out + used - 1, UTC_TEXT_MAX - used, ".%03dZ",
			(int)(at_ms - at_s * 1000));
	return out;
}

bool calendar_is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int64_t calendar_day(int year, int month, int day)
{
	static const int before_month[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int64_t last = (int64_t)year - 1;
	int64_t days = last * 365 + last / 4 - last / 100 + last / 400;

	days += before_month[month - 1] + (month > 2 && calendar_is_leap(year)) + day - 1;
	return days - 719162; /* days from 0001-01-01 to 1970-01-01 */
}

int calendar_month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && calendar_is_leap(year));
}

int calendar_weekday(int64_t day)
{
	return (int)(((day + 3) % 7 + 7) % 7); /* day 0 was a Thursday */
}

void calendar_civil(int64_t day, int *ret_year, int *ret_month, int *ret_day)
{
	time_t at = (time_t)(day * DAY_S);
	struct tm tm = { .tm_mday = 1, .tm_year = 70 };

	(void)gmtime_r(&at, &tm); /* it fails only for years beyond some 10^9 */
	*ret_year = tm.tm_year + 1900;
	*ret_month = tm.tm_mon + 1;
	*ret_day = tm.tm_mday;
}
