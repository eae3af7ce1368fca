#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "dialect/ini.h"

static void append(char *out, size_t out_bytes, const struct ini_token *token)
{
	static const char letters[] = { 'E', 'S', 'K', 'L', 'P' };
	size_t used = strlen(out);

	(void)snprintf(out + used, out_bytes - used, "%c%u:%u(%.*s|%u:%.*s|%u)",
		letters[token->kind], token->line, token->column, (int)token->name_length,
		token->name ? token->name : "", token->value_column, (int)token->value_length,
		token->value ? token->value : "", token->cut_column);
}

/* kind, line:column, name, value column:value, column of the cut */
static const struct {
	const char *text;
	const char *tokens;
} rows[] = {
	{ "", "" },
	{ "[a]\nk = v\n", "S1:1(a|0:|0)K2:1(k|5:v|0)" },
	{ "\xef\xbb\xbf[a]\r\nk: v\r\n", "S1:1(a|0:|0)K2:1(k|4:v|0)" },
	{ "\xef\xbb\xbf[a]\r\nk = v ; c\r\n  w\r\n\r\n; c\r\n",
		"S1:1(a|0:|0)K2:1(k|5:v|7)L3:3(|3:w|0)L4:1(|1:|0)" },
	{ "[a]\nk = v\n  w\n\tx", "S1:1(a|0:|0)K2:1(k|5:v|0)L3:3(|3:w|0)L4:2(|2:x|0)" },
	{ "[a]\n# c\n; c\nk = v ; c\n", "S1:1(a|0:|0)K4:1(k|5:v|7)" },
	{ "[a]\nk = v;c #d\n", "S1:1(a|0:|0)K2:1(k|5:v;c #d|0)" },
	{ "[a]\nk =\n  # c\n  v\n", "S1:1(a|0:|0)K2:1(k|4:|0)L4:3(|3:v|0)" },
	{ "[a]\nk = v\n\n  w\n", "S1:1(a|0:|0)K2:1(k|5:v|0)L3:1(|1:|0)L4:3(|3:w|0)" },
	/* an indented first key is no continuation, a deeper one below it is */
	{ "[a]\n  k = v\n  l = w\n   m = x\n",
		"S1:1(a|0:|0)K2:3(k|7:v|0)K3:3(l|7:w|0)L4:4(|4:m = x|0)" },
	{ "[a]\nk = v = w : x\n", "S1:1(a|0:|0)K2:1(k|5:v = w : x|0)" },
	{ "k = v\n", "P1:1(|0:|0)" },
	{ "[a]\nword\n", "S1:1(a|0:|0)P2:1(|0:|0)" },
	{ "[a]\n= v\n", "S1:1(a|0:|0)P2:1(|0:|0)" },
	{ "[a]\nk = v\n  [b]\nl = w\n",
		"S1:1(a|0:|0)K2:1(k|5:v|0)P3:3(|0:|0)S3:3(b|0:|0)K4:1(l|5:w|0)" },
};

static void rows_give_tokens(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[1024] = "";
		struct ini_token token;
		struct ini ini;

		ini_init(&ini, rows[i].text, strlen(rows[i].text));
		while (ini_next(&ini, &token) != INI_END)
			append(out, sizeof(out), &token);
		assert_string_equal(out, rows[i].tokens);
	}
}

static void a_long_line_is_skipped(void **state)
{
	static char text[INI_LINE_BYTES_MAX + 64];
	struct ini_token token;
	struct ini ini;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "[a]\nk=", 6);
	memcpy(text + sizeof(text) - 5, "\nl=w\n", 5);
	ini_init(&ini, text, sizeof(text));
	assert_int_equal(ini_next(&ini, &token), INI_SECTION);
	assert_int_equal(ini_next(&ini, &token), INI_PROBLEM);
	assert_int_equal(token.line, 2);
	assert_int_equal(ini_next(&ini, &token), INI_KEY);
	assert_int_equal(token.line, 3);
	assert_int_equal(ini_next(&ini, &token), INI_END);
}

static int load(const char *bytes, size_t length, struct error *err)
{
	char path[] = "/tmp/ini_test.XXXXXX";
	int fd = mkstemp(path);
	char *read_back = NULL;
	size_t got = 0;
	int rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	assert_int_equal(close(fd), 0);
	rc = ini_load(path, &read_back, &got, err);
	if (rc == 0)
		assert_int_equal(got, length);
	free(read_back);
	assert_int_equal(unlink(path), 0);
	return rc;
}

static void files_that_are_no_configuration(void **state)
{
	static char big[INI_FILE_BYTES_MAX + 1];
	struct error err;
	char *bytes;
	size_t length;

	(void)state;
	memset(big, '#', sizeof(big));
	assert_int_equal(load(big, sizeof(big) - 1, &err), 0);
	assert_int_equal(load(big, sizeof(big), &err), -1);
	assert_non_null(strstr(err.text, "1 MiB"));
	assert_int_equal(load("[a]\nk=\0", 7, &err), -1);
	assert_non_null(strstr(err.text, "line 2"));
	assert_int_equal(load("\xff\xfe[\0a\0", 6, &err), -1);
	assert_non_null(strstr(err.text, "save it as UTF-8"));
	assert_int_equal(ini_load("/tmp", &bytes, &length, &err), -1);
	assert_non_null(strstr(err.text, "regular"));
	assert_int_equal(ini_load("/nonexistent", &bytes, &length, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_give_tokens),
		cmocka_unit_test(a_long_line_is_skipped),
		cmocka_unit_test(files_that_are_no_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
