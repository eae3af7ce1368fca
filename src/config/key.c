#include "config/key.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "base/times.h"
#include "config/config.h"
#include "config/values.h"

/* ---- rows and lines ---- */

/* One % becomes two, and a line break begins an indented line. */
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
	size_t shown_bytes = length * 4 + 8; /* \xNN each: never cut */
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

/* For a person whole: duration_format() leaves out what is behind the second unit. */
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
		break;
	case KEY_BOOL:
		sheet_row(sheet, key->name, *(const bool *)at ? "true" : "false");
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

		if (key->needs && !*(const bool *)((const char *)base + key->needs))
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

void key_read_value(struct config_reader *reader, const struct key *key, void *base)
{
	void *at = (char *)base + key->offset;

	switch (key->type) {
	case KEY_NAMED:
	case KEY_TEXT:
	case KEY_LIST:
		break;
	case KEY_BOOL:
		values_bool(reader, key->name, at);
		break;
	case KEY_NUMBER:
		values_number(reader, key->name, (uint32_t)key->least, (uint32_t)key->most, at);
		break;
	case KEY_SPAN:
		values_span(reader, key->name, key->least, key->wanted, at);
		break;
	case KEY_STRING:
		values_string(reader, key->name, at);
		break;
	case KEY_ADDRESSES:
		values_addresses(reader, key->name, (size_t)key->most, at);
		break;
	}
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

const struct key *key_find(const struct key_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	return NULL;
}
