#include "config/bantime.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "base/times.h"
#include "config/config.h"
#include "config/values.h"

enum { SHOWN_MAX = 200, EXPRESSION_BYTES_MAX = 200, PARENTHESES_MAX = 16 };

/* A second's ban becomes 11 days by it: more is a slip of the hand. */
static const double MULTIPLIER_MAX = 1e6;

/* fail2ban's jail.conf names these two, its built-in one and an example. Without blanks. */
static const struct {
	const char *text;
	enum formula formula;
} formulas[] = {
	{ "ban.Time*(1<<(ban.Countifban.Count<20else20))*banFactor", FORMULA_DOUBLE },
	{ "ban.Time*math.exp(float(ban.Count+1)*banFactor)/math.exp(1*banFactor)",
		FORMULA_EXPONENTIAL },
};

/* An expression being read; at is where it goes on, or what could not be read. */
struct expression {
	const char *at;
	unsigned open; /* parentheses */
};

static char next_byte(struct expression *e)
{
	e->at += strspn(e->at, " \t");
	return *e->at;
}

/* strtod knows more than Python's numbers: hex, inf, nan. */
static int read_number(struct expression *e, double *ret_value)
{
	char c = next_byte(e);
	char *end;

	if (!((c >= '0' && c <= '9') || c == '.') || (c == '0' && (e->at[1] | 32) == 'x'))
		return -1;
	*ret_value = strtod(e->at, &end);
	if (end == e->at)
		return -1;
	e->at = end;
	return 0;
}

static int apply(struct expression *e, const char *sign, double *io_value, double more)
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

/* Reads one sum, product, or atom: a number or a sum in parentheses, either behind signs. */
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
				apply(e, at, ret_value, more) < 0)
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

/* -1 with the offset of what is no arithmetic. */
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

static void read_factor(struct config_reader *reader, struct config_increment *increment)
{
	struct config_text text = config_value_scalar(reader, "bantime.factor");
	struct position at = text.at;
	char shown[SHOWN_MAX];
	size_t wrong = 0;
	double value;

	if (!text.text)
		return;
	text_render_string(shown, sizeof(shown), text.text);
	if (evaluate(text.text, &value, &wrong) < 0) {
		at = config_value_at(reader, "bantime.factor", wrong);
		config_value_error(reader, &at,
			"bantime.factor: '%s' is no arithmetic of numbers (such as 1.5 or 3 / 2)",
			shown);
	} else if (!(value > 0 && value <= MULTIPLIER_MAX)) {
		config_value_error(reader, &at,
			"bantime.factor: %s is not above 0 and at most 1000000", shown);
	} else {
		increment->factor = value;
	}
	free(text.text);
}

/* One word of bantime.multipliers. False: it is told, the others count for nothing. */
static bool add_multiplier(struct config_reader *reader, struct config_increment *increment,
	const char *word, const struct position *at)
{
	char shown[SHOWN_MAX];
	size_t wrong = 0;
	double value = 0;

	text_render_string(shown, sizeof(shown), word);
	if (increment->n_multipliers == CONFIG_MULTIPLIERS_MAX) {
		config_value_error(reader, at, "bantime.multipliers: more than %d numbers",
			CONFIG_MULTIPLIERS_MAX);
		return false;
	}
	if (evaluate(word, &value, &wrong) < 0) {
		config_value_error(reader, at, "bantime.multipliers: '%s' is no number%s", shown,
			strchr(word, '#')   ? "; a comment behind a value begins with ' ;', "
					      "not with '#'"
			: strchr(word, ',') ? "; blanks stand between the numbers"
					    : "");
		return false;
	}
	if (!(value > 0 && value <= MULTIPLIER_MAX)) {
		config_value_error(reader, at,
			"bantime.multipliers: %s is not above 0 and at most 1000000", shown);
		return false;
	}
	increment->multipliers = alloc_grow(increment->multipliers, increment->n_multipliers + 1,
		sizeof(increment->multipliers[0]));
	increment->multipliers[increment->n_multipliers++] = value;
	return true;
}

static void read_multipliers(struct config_reader *reader, struct config_increment *increment)
{
	static const char *const blanks = " \t\n";
	struct dialect_value value;
	bool good = true;
	size_t at = 0;

	if (!config_value_get(reader, "bantime.multipliers", &value))
		return;
	while (good && value.text[at += strspn(value.text + at, blanks)]) {
		size_t length = strcspn(value.text + at, blanks);
		cleanup_free char *word = alloc_bytes(value.text + at, length);
		struct position place = dialect_at(&value, at);

		good = add_multiplier(reader, increment, word, &place);
		at += length;
	}
	dialect_value_done(&value);
}

static void drop_blanks(char *text)
{
	char *out = text;

	for (; *text; text++)
		if (!strchr(" \t\n", *text))
			*out++ = *text;
	*out = '\0';
}

/* A formula that decides nothing is told, and harms nothing. */
static void read_formula(struct config_reader *reader, struct config_increment *increment)
{
	struct config_text text = config_value_scalar(reader, "bantime.formula");
	static const char *const known = "bantime.formula: only the two formulas of fail2ban's "
					 "jail.conf are known: take one of them, or list the "
					 "steps in bantime.multipliers";
	bool is_known = false;

	if (!text.text)
		return;
	drop_blanks(text.text);
	for (size_t i = 0; i < sizeof(formulas) / sizeof(formulas[0]); i++) {
		if (strcmp(text.text, formulas[i].text) != 0)
			continue;
		increment->formula = formulas[i].formula;
		is_known = true;
	}
	if (!is_known && increment->on && !increment->n_multipliers)
		config_value_error(reader, &text.at, "%s", known);
	else if (!is_known)
		finding_warning(reader->findings, &text.at, "%s (this one is not used here)",
			known);
	free(text.text);
}

/* least_s or more seconds. */
static bool read_span(struct config_reader *reader, const char *key, int64_t least_s,
	int64_t *io_span_s, struct position *ret_at)
{
	struct config_text text = config_value_scalar(reader, key);
	struct error err;
	int64_t span_s = 0;
	bool good = false;

	*ret_at = text.at;
	if (!text.text)
		return false;
	if (duration_parse(text.text, &span_s, &err) < 0)
		config_value_error(reader, &text.at, "%s: %s%s", key, err.text,
			config_value_comment_hint(text.text));
	else if (span_s < least_s)
		config_value_error(reader, &text.at, "%s: it must be at least %lld second%s", key,
			(long long)least_s, least_s == 1 ? "" : "s");
	else
		good = true;
	if (good)
		*io_span_s = span_s;
	free(text.text);
	return good;
}

void config_increment_read(struct config_reader *reader, struct config_jail *jail)
{
	struct config_increment *increment = &jail->increment;
	struct position at;

	increment->factor = 1;
	config_value_bool(reader, "bantime.increment", &increment->on);
	config_value_bool(reader, "bantime.overalljails", &increment->all_jails);
	read_factor(reader, increment);
	read_multipliers(reader, increment);
	read_formula(reader, increment);
	if (increment->n_multipliers)
		increment->formula = FORMULA_MULTIPLIERS; /* as in fail2ban, they win */
	(void)read_span(reader, "bantime.rndtime", 0, &increment->rndtime_s, &at); /* told there */
	if (read_span(reader, "bantime.maxtime", 1, &increment->maxtime_s, &at) && increment->on &&
		increment->maxtime_s < jail->bantime_s)
		finding_warning(reader->findings, &at,
			"bantime.maxtime is shorter than bantime: a second ban ends sooner than "
			"the first");
}

void config_increment_done(struct config_jail *jail)
{
	free(jail->increment.multipliers);
	jail->increment = (struct config_increment){ 0 };
}
