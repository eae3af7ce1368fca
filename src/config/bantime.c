#include "config/bantime.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/text.h"
#include "config/config.h"
#include "config/key.h"
#include "config/values.h"

enum {
	EXPRESSION_BYTES_MAX = 200,
	PARENTHESES_MAX = 16,
	MULTIPLIERS_MAX = 100,
	NUMBER_TEXT_MAX = 32, /* a blank and "%.17g" */
};

/* The largest factor or multiplier makes 11 days of one second; a larger one is hardly meant. */
static const double MULTIPLIER_MAX = 1e6;

static const struct {
	const char *text;  /* as fail2ban's jail.conf has it: its default, and an example */
	const char *shown; /* n: how often the address was banned before */
} formulas[] = {
	[FORMULA_DOUBLE] = { "ban.Time * (1<<(ban.Count if ban.Count<20 else 20)) * banFactor",
		"bantime * 2^min(n, 20) * factor" },
	[FORMULA_EXPONENTIAL] = { "ban.Time * "
				  "math.exp(float(ban.Count+1)*banFactor)/math.exp(1*banFactor)",
		"bantime * exp((n + 1) * factor) / exp(factor)" },
	[FORMULA_MULTIPLIERS] = { NULL, "bantime * factor * multiplier[n]" },
};

/* An expression that is being read. */
struct expression {
	const char *at; /* the next byte, or after a failure the one that cannot be read */
	unsigned open;  /* parentheses that are not closed yet */
};

static char next_byte(struct expression *e)
{
	e->at += strspn(e->at, " \t");
	return *e->at;
}

/* Reads a number as Python has them: strtod() alone would also read hex, inf and nan. */
static int read_number(struct expression *e, double *ret_value)
{
	char c = next_byte(e);
	char *end;

	if (!((c >= '0' && c <= '9') || c == '.') || (c == '0' && ascii_lower(e->at[1]) == 'x'))
		return -1;
	*ret_value = strtod(e->at, &end);
	if (end == e->at)
		return -1;
	e->at = end;
	return 0;
}

static int apply_sign(struct expression *e, const char *sign, double *io_value, double more)
{
	if (*sign == '/' && more == 0) {
		e->at = sign;
		return -1;
	}
	*io_value = *sign == '+'   ? *io_value + more
		    : *sign == '-' ? *io_value - more
		    : *sign == '*' ? *io_value * more
				   : *io_value / more;
	return 0;
}

enum level { LEVEL_SUM, LEVEL_PRODUCT, LEVEL_ATOM };

/* Reads a sum, a product, or an atom, which is a number or a sum in parentheses, each behind any
 * number of signs. -1: e->at is where it is wrong. */
static int read_level(struct expression *e, enum level level, double *ret_value)
{
	static const char *const signs[] = { "+-", "*/" };
	double sign = 1;
	double more;
	char c;

	if (level != LEVEL_ATOM) {
		if (read_level(e, level + 1, ret_value) < 0)
			return -1;
		while ((c = next_byte(e)) != '\0' && strchr(signs[level], c)) {
			const char *at = e->at++;

			if (read_level(e, level + 1, &more) < 0 ||
				apply_sign(e, at, ret_value, more) < 0)
				return -1;
		}
		return 0;
	}
	for (; (c = next_byte(e)) == '-' || c == '+'; e->at++)
		sign = c == '-' ? -sign : sign;
	if (c != '(') {
		if (read_number(e, ret_value) < 0)
			return -1;
	} else {
		if (++e->open > PARENTHESES_MAX)
			return -1;
		e->at++;
		if (read_level(e, LEVEL_SUM, ret_value) < 0 || next_byte(e) != ')')
			return -1;
		e->open--;
		e->at++;
	}
	*ret_value *= sign;
	return 0;
}

/* Computes the value of an expression such as "24*60". -1: from *ret_wrong on, text is none. */
static int evaluate(const char *text, double *ret_value, size_t *ret_wrong)
{
	struct expression e = { .at = text };
	double value;

	if (strlen(text) > EXPRESSION_BYTES_MAX || read_level(&e, LEVEL_SUM, &value) < 0 ||
		next_byte(&e)) {
		*ret_wrong = (size_t)(e.at - text);
		return -1;
	}
	*ret_value = value;
	return 0;
}

/* Says whether a factor or multiplier is not above 0, or too large. */
static bool is_out_of_range(double value)
{
	return !(value > 0 && value <= MULTIPLIER_MAX);
}

void bantime_read_factor(struct config_reader *reader, const struct key *key, void *base)
{
	struct config_increment *increment = &((struct config_jail *)base)->increment;
	struct config_text text = values_scalar(reader, key->name);
	struct position at = text.at;
	size_t wrong = 0;
	double value;

	increment->factor = 1;
	if (!text.text)
		return;
	if (evaluate(text.text, &value, &wrong) < 0) {
		at = values_at(reader, key->name, wrong);
		values_error(reader, &at,
			"bantime.factor: '%s' is no arithmetic of numbers (such as 1.5 or 3 / 2)",
			text_shown_string(text.text).text);
	} else if (is_out_of_range(value)) {
		values_error(reader, &at, "bantime.factor: %s is not above 0 and at most 1000000",
			text_shown_string(text.text).text);
	} else {
		increment->factor = value;
	}
	free(text.text);
}

/* Adds the multiplier that the word is. False: it is wrong, which becomes a finding; the words
 * behind it need not be read. */
static bool add_multiplier(struct config_reader *reader, struct config_increment *increment,
	const char *word, const struct position *at)
{
	size_t wrong = 0;
	double value = 0;

	if (increment->n_multipliers == MULTIPLIERS_MAX) {
		values_error(reader, at, "bantime.multipliers: more than %d numbers",
			MULTIPLIERS_MAX);
		return false;
	}
	if (evaluate(word, &value, &wrong) < 0) {
		values_error(reader, at, "bantime.multipliers: '%s' is no number%s",
			text_shown_string(word).text,
			strchr(word, ',') && !strchr(word, '#')
				? "; blanks stand between the numbers"
				: values_comment_hint(word));
		return false;
	}
	if (is_out_of_range(value)) {
		values_error(reader, at,
			"bantime.multipliers: %s is not above 0 and at most 1000000",
			text_shown_string(word).text);
		return false;
	}
	increment->multipliers = alloc_grow(increment->multipliers, increment->n_multipliers + 1,
		sizeof(increment->multipliers[0]));
	increment->multipliers[increment->n_multipliers++] = value;
	return true;
}

void bantime_read_multipliers(struct config_reader *reader, const struct key *key, void *base)
{
	struct config_increment *increment = &((struct config_jail *)base)->increment;
	struct dialect_value value;
	struct position place;
	bool is_good = true;
	size_t at = 0;
	char *word;

	if (!values_get(reader, key->name, &value))
		return;
	while (is_good && (word = dialect_next_word(&value, " \t\n", &at, &place)) != NULL) {
		is_good = add_multiplier(reader, increment, word, &place);
		free(word);
	}
	dialect_value_done(&value);
}

/* Says whether the texts differ in nothing but blanks. */
static bool is_same_but_blanks(const char *a, const char *b)
{
	static const char *const blanks = " \t\n";

	for (;; a++, b++) {
		a += strspn(a, blanks);
		b += strspn(b, blanks);
		if (*a != *b)
			return false;
		if (!*a)
			return true;
	}
}

/* Multipliers count before a formula, as in fail2ban. A formula that is not known but decides
 * nothing becomes a warning only. */
void bantime_read_formula(struct config_reader *reader, const struct key *key, void *base)
{
	static const char *const known = "bantime.formula: only the two formulas of fail2ban's "
					 "jail.conf are known: take one of them, or list the "
					 "steps in bantime.multipliers";
	struct config_increment *increment = &((struct config_jail *)base)->increment;
	struct config_text text = values_scalar(reader, key->name);
	bool is_known = !text.text;

	for (size_t i = 0; text.text && i < FORMULA_MULTIPLIERS; i++) {
		if (!is_same_but_blanks(text.text, formulas[i].text))
			continue;
		increment->formula = (enum formula)i;
		is_known = true;
	}
	if (!is_known && increment->on && !increment->n_multipliers)
		values_error(reader, &text.at, "%s", known);
	else if (!is_known)
		finding_warning(reader->findings, &text.at, "%s (this one is not used here)",
			known);
	if (increment->n_multipliers)
		increment->formula = FORMULA_MULTIPLIERS;
	free(text.text);
}

void bantime_read_maxtime(struct config_reader *reader, const struct key *key, void *base)
{
	const struct config_jail *jail = base;
	const struct config_increment *increment = &jail->increment;
	struct position at;

	key_read_value(reader, key, base);
	if (!increment->on || !increment->maxtime_s || increment->maxtime_s >= jail->bantime_s)
		return;
	at = values_at(reader, key->name, 0);
	finding_warning(reader->findings, &at,
		"bantime.maxtime is shorter than bantime: a second ban ends sooner than the first");
}

/* ---- printing ---- */

void bantime_print_increment(struct sheet *sheet, const struct key *key, const void *base)
{
	const struct config_jail *jail = base;

	sheet_row(sheet, key->name,
		sheet->is_file ? "true" : formulas[jail->increment.formula].shown);
}

void bantime_print_formula(struct sheet *sheet, const struct key *key, const void *base)
{
	const struct config_jail *jail = base;

	if (sheet->is_file && jail->increment.formula == FORMULA_EXPONENTIAL)
		sheet_row(sheet, key->name, formulas[FORMULA_EXPONENTIAL].text);
}

static void print_numbers(struct sheet *sheet, const char *name, const double *numbers,
	size_t count)
{
	char text[MULTIPLIERS_MAX * NUMBER_TEXT_MAX] = "";
	size_t length = 0;

	for (size_t i = 0; i < count; i++)
		length += text_format(text + length, sizeof(text) - length,
			sheet->is_file ? "%s%.17g" : "%s%g", i ? " " : "", numbers[i]);
	if (count)
		sheet_row(sheet, name, text);
}

void bantime_print_factor(struct sheet *sheet, const struct key *key, const void *base)
{
	print_numbers(sheet, key->name, &((const struct config_jail *)base)->increment.factor, 1);
}

void bantime_print_multipliers(struct sheet *sheet, const struct key *key, const void *base)
{
	const struct config_increment *increment = &((const struct config_jail *)base)->increment;

	print_numbers(sheet, key->name, increment->multipliers, increment->n_multipliers);
}

/* How long bans are remembered is one setting for all jails. For a person it is shown beside each
 * jail that depends on it. */
void bantime_print_overalljails(struct sheet *sheet, const struct key *key, const void *base)
{
	const struct config_jail *jail = base;

	if (jail->increment.all_jails || !sheet->is_file)
		key_print_value(sheet, key, base);
	if (!sheet->is_file)
		sheet_span(sheet, "dbpurgeage", sheet->config->dbpurgeage_s);
}

void bantime_done(struct config_jail *jail)
{
	free(jail->increment.multipliers);
}
