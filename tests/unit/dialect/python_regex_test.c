/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/regex.h"
#include "dialect/python_regex.h"

static void make(struct pattern *pattern, const char *text)
{
	*pattern = (struct pattern){ 0 };
	for (size_t i = 0; text[i]; i++)
		pattern_add(pattern, text + i, 1, i);
	pattern_add(pattern, "", 0, strlen(text));
}

static void spellings(void **state)
{
	static const struct {
		const char *python;
		const char *pcre;
	} rows[] = {
		{ "a{,3}b{,}c{2}d{,x}e{1,}", "a{0,3}b{0,}c{2}d{,x}e{1,}" },
		{ "\\{,3}[{,3}]", "\\{,3}[{,3}]" },
		{ "a\\Z\\A\\b\\\\Z", "a\\z\\A\\b\\\\Z" },
		{ "\\v[\\v]\\\\v", "\\x0b[\\x0b]\\\\v" },
		{ "\\u00e9\\U0001f600[\\u00e9]\\u12", "\\x{e9}\\x{1f600}[\\x{e9}]\\u12" },
		{ "\\123\\012\\12\\1\\0[\\123]\\400", "\\x{53}\\x{a}\\12\\1\\0[\\x{53}]\\400" },
		{ "[[:alpha:]]", "[\\[:alpha:]]" },
		{ "[a[b][]c][^]c]", "[a\\[b][\\]c][^\\]c]" },
		{ "((?i)a)", "(?i:a)" },
		{ "x(?:(?i)a|b)", "x(?i:a|b)" },
		{ "((?iu)a)((?u)b)", "(?i:a)(?:b)" },
		{ "(?i)a", "(?i)a" },
		{ "a(?i)b(?s)c(?i)", "(?is)abc" },
		{ "(?u)a(?a)", "a" },
		{ "(?iu:a)(?a:b)(?s-i:c)", "(?i:a)(?:b)(?s-i:c)" },
		{ "\\(?i)[(?i)]", "\\(?i)[(?i)]" },
		{ "(?P<a>x)(?P=a)(?(a)y|z)(?#n)(?=b)(?<=c)(?>d)e++", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct python_regex spelling;
		struct pattern pattern;
		struct error err;
		size_t offset;

		make(&pattern, rows[i].python);
		assert_int_equal(python_regex_translate(&pattern, &spelling, &offset, &err), 0);
		assert_string_equal(spelling.pattern.bytes,
			rows[i].pcre ? rows[i].pcre : rows[i].python);
		assert_int_equal(spelling.pattern.origins[spelling.pattern.length],
			strlen(rows[i].python));
		pattern_done(&spelling.pattern);
		pattern_done(&pattern);
	}
}

/* What Python's re (3.11) answers, found by asking it; all text ends in a newline. */
static void meanings(void **state)
{
	static const struct {
		const char *python;
		const char *text;
		enum regex_result result;
	} rows[] = {
		{ "a$", "a\n", REGEX_HIT },
		{ "a\\Z", "a\n", REGEX_MISS },
		{ "a\\n\\Z", "a\n", REGEX_HIT },
		{ "^a$\\n", "a\n", REGEX_HIT },
		{ "\\Aa", "ba\n", REGEX_MISS },
		{ "a\\vb", "a\nb\n", REGEX_MISS },
		{ "a\\vb", "a\vb\n", REGEX_HIT },
		{ "a.b", "a\rb\n", REGEX_HIT },
		{ "a.b", "a\nb\n", REGEX_MISS },
		{ "^[[:alpha:]]$", "p]\n", REGEX_HIT },
		{ "^[[:alpha:]]$", "x\n", REGEX_MISS },
		{ "a(?i)B", "Ab\n", REGEX_HIT },
		{ "x(?:(?i)a|b)c", "xBc\n", REGEX_HIT },
		{ "x(?:(?i)a|b)c", "xBC\n", REGEX_MISS },
		{ "^a{,2}b", "aab\n", REGEX_HIT },
		{ "^a{,2}b", "aaab\n", REGEX_MISS },
		{ "^a{,}b", "aaab\n", REGEX_HIT },
		{ "\\123", "S\n", REGEX_HIT },
		{ "(a)\\1", "aa\n", REGEX_HIT },
		{ "(?P<q>[\"'])x(?P=q)", "'x'\n", REGEX_HIT },
		{ "^(?P<b>\\()?a(?(b)\\))$", "(a)\n", REGEX_HIT },
		{ "^(?P<b>\\()?a(?(b)\\))$", "(a\n", REGEX_MISS },
		{ "(?#[)a", "a\n", REGEX_HIT },
		{ "a*+a", "aa\n", REGEX_MISS },
		{ "\\u00e9", "\xc3\xa9\n", REGEX_HIT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct python_regex spelling;
		struct pattern pattern;
		struct regex *regex = NULL;
		struct error err;
		size_t offset;

		make(&pattern, rows[i].python);
		assert_int_equal(python_regex_translate(&pattern, &spelling, &offset, &err), 0);
		if (regex_new(spelling.pattern.bytes, false, &regex, &offset, &err))
			fail_msg("%s: %s", rows[i].python, err.text);
		if (regex_match(regex, rows[i].text, strlen(rows[i].text)) != rows[i].result)
			fail_msg("%s in %s", rows[i].python, rows[i].text);
		regex_free(regex);
		pattern_done(&spelling.pattern);
		pattern_done(&pattern);
	}
}

/* A class that does not end, in memory that ends with it. */
static void unended(void **state)
{
	struct pattern pattern = { .bytes = strdup("[["), .length = 2 };
	struct python_regex spelling = { 0 };
	struct error err;
	size_t offset;

	(void)state;
	pattern.origins = calloc(3, sizeof(*pattern.origins));
	assert_int_equal(python_regex_translate(&pattern, &spelling, &offset, &err), 0);
	assert_null(spelling.warning);
	pattern_done(&spelling.pattern);
	pattern_done(&pattern);
}

static void remarks(void **state)
{
	static const struct {
		const char *python;
		int rc;
		const char *text; /* NULL: no warning */
		size_t offset;
	} rows[] = {
		{ "a[[:alpha:]]", 0, "[:alpha:]", 2 },
		{ "a[[.x.]b[[=x=]", 0, "[:alpha:]", 2 },
		{ "a[[]b:]", 0, NULL, 0 },
		{ "a[b[:]", 0, NULL, 0 },
		{ "ab(?iL)", -1, "bytes", 2 },
		{ "a(?L:b)", -1, "bytes", 1 },
		{ "a[(?L)]", 0, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct python_regex spelling = { 0 };
		struct pattern pattern;
		struct error err;
		size_t offset = 0;
		int rc;

		make(&pattern, rows[i].python);
		rc = python_regex_translate(&pattern, &spelling, &offset, &err);
		assert_int_equal(rc, rows[i].rc);
		if (rc) {
			assert_non_null(strstr(err.text, rows[i].text));
			assert_int_equal(offset, rows[i].offset);
		} else if (rows[i].text) {
			assert_non_null(spelling.warning);
			assert_non_null(strstr(spelling.warning, rows[i].text));
			assert_int_equal(spelling.warning_offset, rows[i].offset);
		} else {
			assert_null(spelling.warning);
		}
		pattern_done(&spelling.pattern);
		pattern_done(&pattern);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(spellings), cmocka_unit_test(meanings),
		cmocka_unit_test(unended), cmocka_unit_test(remarks) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
