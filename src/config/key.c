#include "config/key.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "base/times.h"
#include "config/config.h"
#include "config/values.h"

/* ---- rows and lines ---- */

/* Writes a value so that it is read back as the same: one % becomes two, and a line break begins an
 * indented line. */
static void write_value(FILE *out, const char *value)
{
	for (const char *c = value; *c; c++) {
		if (*c == '%')
			(void)fputc('%', out);
		(void)fputc(*c, out);
		if (*c == '\n')
			(void)fputs("    ", out);
	}
}

static void show_value(FILE *out, const char *value, size_t length)
{
	size_t shown_bytes = length * 4 + 8; /* room for \xNN each */
	cleanup_free char *shown = alloc_zero(shown_bytes);

	(void)fputs(text_render(shown, shown_bytes, value, length), out);
}

static void begin_row(const struct sheet *sheet, const char *name)
{
	const char *dot = strrchr(name, '.');

	if (!sheet->is_file)
		(void)fprintf(sheet->out, "%-12s ", dot ? dot + 1 : name);
	else if (*name)
		(void)fprintf(sheet->out, "%s = ", name);
	else
		(void)fputs("    ", sheet->out);
}

void sheet_row(struct sheet *sheet, const char *name, const char *value)
{
	begin_row(sheet, name);
	if (sheet->is_file)
		write_value(sheet->out, value);
	else
		show_value(sheet->out, value, strlen(value));
	(void)fputc('\n', sheet->out);
}

void sheet_rule(struct sheet *sheet, const char *name, const char *rule)
{
	if (sheet->is_file) {
		sheet_row(sheet, name, rule);
		return;
	}
	begin_row(sheet, name);
	while (*rule) {
		size_t length = strcspn(rule, "\\");

		show_value(sheet->out, rule, length);
		for (rule += length; *rule == '\\'; rule++)
			(void)fputc('\\', sheet->out);
	}
	(void)fputc('\n', sheet->out);
}

/* For a person the time is printed whole: duration_format() would leave out what is behind the
 * second unit. */
void sheet_span(struct sheet *sheet, const char *name, int64_t span_s)
{
	char text[DURATION_TEXT_MAX];
	struct error err;
	int64_t back_s;

	duration_format(span_s, text);
	if (sheet->is_file)
		text_format(text, sizeof(text), "%lld", (long long)span_s);
	else if (span_s < 0)
		text_format(text, sizeof(text), "for ever");
	else if (duration_parse(text, &back_s, &err) < 0 || back_s != span_s)
		text_format(text, sizeof(text), "%llds", (long long)span_s);
	sheet_row(sheet, name, text);
}

void key_print_value(struct sheet *sheet, const struct key *key, const void *base)
{
	const void *at = (const char *)base + key->offset;
	const struct config_text *list = at;
	size_t count = 1;
	char number[16];

	switch (key->type) {
	case KEY_NAMED:
	case KEY_CHECKED:
		break;
	case KEY_BOOL:
		sheet_row(sheet, key->name, *(const bool *)at ? "true" : "false");
		break;
	case KEY_CHOICE:
		sheet_row(sheet, key->name, key->words[*(const bool *)at]);
		break;
	case KEY_NUMBER:
		text_format(number, sizeof(number), "%u", *(const uint32_t *)at);
		sheet_row(sheet, key->name, number);
		break;
	case KEY_SPAN:
		if (*(const int64_t *)at)
			sheet_span(sheet, key->name, *(const int64_t *)at);
		break;
	case KEY_STRING:
	case KEY_ADDRESSES:
		if (*(char *const *)at)
			sheet_row(sheet, key->name, *(char *const *)at);
		break;
	case KEY_LIST:
		list = *(struct config_text *const *)at;
		count = *(const size_t *)((const char *)at + sizeof(list));
		/* fallthrough */
	case KEY_TEXT:
		for (size_t i = 0; i < count && list[i].text; i++)
			sheet_rule(sheet, i ? "" : key->name, list[i].text);
		break;
	}
}

void key_print_all(struct sheet *sheet, const struct key_table *table, const void *base)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct key *key = &table->rows[i];

		if (key->is_quiet ||
			(key->needs && !*(const bool *)((const char *)base + key->needs)))
			continue;
		if (key->print)
			key->print(sheet, key, base);
		else
			key_print_value(sheet, key, base);
	}
}

/* ---- reading ---- */

void key_init_all(const struct key_table *table, void *base)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct key *key = &table->rows[i];
		void *at = (char *)base + key->offset;

		if (key->type == KEY_BOOL)
			*(bool *)at = key->initial != 0;
		else if (key->type == KEY_NUMBER)
			*(uint32_t *)at = (uint32_t)key->initial;
		else if (key->type == KEY_SPAN)
			*(int64_t *)at = key->initial;
	}
}

static void read_bool(struct config_reader *reader, const struct key *key,
	const struct config_text *text, bool *io_value)
{
	int truth = values_truth(text->text);

	if (truth < 0)
		values_error(reader, &text->at, "%s: '%s' is neither true nor false%s", key->name,
			text_shown_string(text->text).text, values_comment_hint(text->text));
	else
		*io_value = truth == 1;
}

static void read_choice(struct config_reader *reader, const struct key *key,
	const struct config_text *text, bool *io_second)
{
	if (strcmp(text->text, key->words[0]) != 0 && strcmp(text->text, key->words[1]) != 0)
		values_error(reader, &text->at, "%s: '%s' is neither %s nor %s", key->name,
			text_shown_string(text->text).text, key->words[0], key->words[1]);
	else
		*io_second = strcmp(text->text, key->words[1]) == 0;
}

static void read_number(struct config_reader *reader, const struct key *key,
	const struct config_text *text, uint32_t *io_value)
{
	unsigned long number;

	if (!values_parse_number(text->text, &number))
		values_error(reader, &text->at, "%s: '%s' is no number%s", key->name,
			text_shown_string(text->text).text, values_comment_hint(text->text));
	else if (number < (unsigned long)key->least || number > (unsigned long)key->most)
		values_error(reader, &text->at, "%s: %s is not between %lld and %lld", key->name,
			text_shown_string(text->text).text, (long long)key->least,
			(long long)key->most);
	else
		*io_value = (uint32_t)number;
}

static void read_span(struct config_reader *reader, const struct key *key,
	const struct config_text *text, int64_t *io_span_s)
{
	int64_t span_s = 0;
	struct error err;

	if (duration_parse(text->text, &span_s, &err) < 0)
		values_error(reader, &text->at, "%s: %s%s", key->name, err.text,
			values_comment_hint(text->text));
	else if (span_s < 0 && key->least < 0)
		*io_span_s = -1;
	else if (span_s < key->least || (span_s == 0 && key->least < 0))
		values_error(reader, &text->at, "%s: it must be %s", key->name, key->wanted);
	else
		*io_span_s = span_s;
}

static void read_string(struct config_reader *reader, const struct key *key,
	const struct config_text *text, char **io_string)
{
	if (strstr(text->text, " #")) {
		values_error(reader, &text->at,
			"%s: a comment behind a value begins with ' ;', not with '#'", key->name);
		return;
	}
	free(*io_string);
	*io_string = alloc_string(text->text);
}

void key_read_text(struct config_reader *reader, const struct key *key,
	const struct config_text *text, void *base)
{
	void *at = (char *)base + key->offset;
	bool ignored;

	switch (key->type) {
	case KEY_NAMED:
	case KEY_ADDRESSES:
	case KEY_LIST:
		break;
	case KEY_CHECKED:
		read_bool(reader, key, text, &ignored);
		break;
	case KEY_BOOL:
		read_bool(reader, key, text, at);
		break;
	case KEY_CHOICE:
		read_choice(reader, key, text, at);
		break;
	case KEY_NUMBER:
		read_number(reader, key, text, at);
		break;
	case KEY_SPAN:
		read_span(reader, key, text, at);
		break;
	case KEY_STRING:
		read_string(reader, key, text, at);
		break;
	case KEY_TEXT:
		*(struct config_text *)at =
			(struct config_text){ alloc_string(text->text), text->at };
		break;
	}
}

void key_read_value(struct config_reader *reader, const struct key *key, void *base)
{
	struct config_text text;

	if (key->type == KEY_ADDRESSES)
		values_addresses(reader, key->name, (size_t)key->most,
			(char **)((char *)base + key->offset));
	if (key->type == KEY_ADDRESSES || key->type == KEY_NAMED)
		return;
	text = values_scalar(reader, key->name);
	if (text.text)
		key_read_text(reader, key, &text, base);
	free(text.text);
}

void key_read_all(struct config_reader *reader, const struct key_table *table, void *base)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct key *key = &table->rows[i];

		if (key->read)
			key->read(reader, key, base);
		else
			key_read_value(reader, key, base);
	}
}
