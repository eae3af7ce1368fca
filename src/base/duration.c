#include "base/duration.h"

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Wider than any sense (3000 years), and far from overflow in sums and products of doubles. */
static const double LIMIT_S = 1e11;
enum { TERMS_MAX = 64 };

/* Every prefix of the longest word from the shortest on is accepted, and one letter twice ("dd"):
 * that takes in all that fail2ban knows. */
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

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

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

/* NUMBER [UNIT]; false if there is none at *at. */
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
	while (is_letter(start[length]))
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

/* Terms joined by * and /. */
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
	char shown[128];
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
		if (!*at && total > -LIMIT_S && total < LIMIT_S) {
			*ret_s = (int64_t)(total < 0 && total != (double)(int64_t)total ? total - 1
											: total);
			return 0;
		}
	}
	return error_set(err, "'%s' is not a time (examples: 600, 10m, 1h 30m, 24h, 1w)",
		text_render_string(shown, sizeof(shown), text));
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
		used += (size_t)snprintf(out + used, DURATION_TEXT_MAX - used, "%s%llu%c",
			parts ? " " : "", (unsigned long long)count, steps[i].letter);
		left %= steps[i].seconds;
		parts++;
	}
	return out;
}
