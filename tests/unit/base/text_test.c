#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { OUT_BYTES_MIN = 8, CANARY = 0x5a };

static const char *render(const char *bytes, size_t length)
{
	static char out[256];

	assert_ptr_equal(text_render(out, sizeof(out), bytes, length), out);
	return out;
}

static void test_bytes(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		char wanted[8];

		if (c == '\\')
			(void)snprintf(wanted, sizeof(wanted), "\\\\");
		else if (c >= 0x20 && c < 0x7f)
			(void)snprintf(wanted, sizeof(wanted), "%c", c);
		else
			(void)snprintf(wanted, sizeof(wanted), "\\x%02x", c);
		assert_string_equal(render(&byte, 1), wanted);
	}
	assert_string_equal(render("", 0), "");
	assert_string_equal(render("a\0b", 3), "a\\x00b");
}

static void test_table(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} rows[] = {
		{ "plain 'text' \"here\"", "plain 'text' \"here\"" },
		{ "a\\nb\\x41", "a\\\\nb\\\\x41" },
		{ "\033[31mred\r\n", "\\x1b[31mred\\x0d\\x0a" },
		/* well-formed: 2, 3 and 4 bytes, first and last of each kind */
		{ "\xc2\xa0\xc3\xa4\xdf\xbf", "\xc2\xa0\xc3\xa4\xdf\xbf" },
		{ "\xe0\xa0\x80\xe2\x82\xac\xed\x9f\xbf\xee\x80\x80",
			"\xe0\xa0\x80\xe2\x82\xac\xed\x9f\xbf\xee\x80\x80" },
		{ "\xf0\x90\x80\x80\xf0\x9f\x98\x80", "\xf0\x90\x80\x80\xf0\x9f\x98\x80" },
		/* C1, soft hyphen */
		{ "\xc2\x80", "\\xc2\\x80" },
		{ "\xc2\x9b"
		  "31m",
			"\\xc2\\x9b31m" },
		{ "\xc2\xad", "\\xc2\\xad" },
		/* overlong, lone continuation, surrogates, beyond Unicode, no lead */
		{ "\xc0\xaf", "\\xc0\\xaf" },
		{ "\xc1\xbf", "\\xc1\\xbf" },
		{ "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf" },
		{ "\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf" },
		{ "\x80", "\\x80" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" },
		{ "\xff\xfe", "\\xff\\xfe" },
		/* ends early, or is broken by the next character, which is kept */
		{ "\xc3", "\\xc3" },
		{ "\xe2\x82", "\\xe2\\x82" },
		{ "\xf0\x9f\x98", "\\xf0\\x9f\\x98" },
		{ "\xe2\x82z", "\\xe2\\x82z" },
		{ "\xf0\x9f\xc3\xa4", "\\xf0\\x9f\xc3\xa4" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[256];

		assert_string_equal(text_render_string(out, sizeof(out), rows[i].in), rows[i].out);
	}
}

static size_t encode(uint32_t c, char out[4])
{
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Bidi_Control of Unicode, line separators and what has no width: none passes. */
static void test_deceptive(void **state)
{
	static const uint32_t shown[] = { 0xa0, 0xae, 0xe4, 0x3b1, 0x5d0, 0x627, 0x1100, 0x180a,
		0x200a, 0x2010, 0x2027, 0x202f, 0x205f, 0x2070, 0x20ac, 0x4e2d, 0xfdff, 0xff01,
		0x1f600, 0x2f800 };
	static const uint32_t hidden[] = { 0x80, 0x85, 0x9f, 0xad, 0x34f, 0x61c, 0x115f, 0x1160,
		0x180e, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b,
		0x202c, 0x202d, 0x202e, 0x2060, 0x2061, 0x2064, 0x2066, 0x2067, 0x2068, 0x2069,
		0x206f, 0x3164, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xfffb, 0xffff, 0x1d173, 0xe0001,
		0xe0041, 0xe007f, 0xe0100, 0x10ffff };

	(void)state;
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		char in[5] = "";

		(void)encode(shown[i], in);
		assert_string_equal(render(in, strlen(in)), in);
	}
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		char in[4];
		char wanted[24] = "";
		size_t length = encode(hidden[i], in);

		for (size_t k = 0; k < length; k++)
			(void)snprintf(wanted + 4 * k, 5, "\\x%02x", (unsigned char)in[k]);
		assert_string_equal(render(in, length), wanted);
	}
}

/* The ends of the pieces of a rendered text; true: `at` is one of them. */
static bool is_end_of_piece(const char *whole, size_t at)
{
	size_t i = 0;

	while (i < at) {
		unsigned char c = (unsigned char)whole[i];

		if (c == '\\')
			i += whole[i + 1] == '\\' ? 2 : 4;
		else
			i += c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	}
	return i == at;
}

/* out is what is left of whole, with the longest beginning that has room. */
static void check_cut(const char *whole, size_t whole_length, const char *out, size_t out_bytes)
{
	size_t length = strlen(out);
	size_t kept;

	if (whole_length < out_bytes) {
		assert_string_equal(out, whole);
		return;
	}
	assert_true(length >= 3 && length < out_bytes);
	kept = length - 3;
	assert_string_equal(out + kept, "...");
	assert_memory_equal(out, whole, kept);
	assert_true(is_end_of_piece(whole, kept));
	for (size_t more = kept + 1; more + 3 < out_bytes; more++)
		assert_false(is_end_of_piece(whole, more));
}

/* All texts of up to six pieces, each of one kind, in all buffers from the smallest on. */
static void test_cut(void **state)
{
	static const struct {
		const char *bytes;
		const char *shown;
	} kinds[] = { { "a", "a" }, { "\\", "\\\\" }, { "\x01", "\\x01" },
		{ "\xc3\xa4", "\xc3\xa4" }, { "\xe2\x82\xac", "\xe2\x82\xac" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" } };
	enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), PIECES_MAX = 6 };

	(void)state;
	for (unsigned number = 0, end = 1, pieces = 0; pieces <= PIECES_MAX;
		number = 0, end *= KINDS, pieces++) {
		for (; number < end; number++) {
			char in[PIECES_MAX * 4 + 1] = "";
			char whole[PIECES_MAX * 4 + 1] = "";
			size_t in_length = 0;
			size_t whole_length = 0;

			for (unsigned left = number, k = 0; k < pieces; k++, left /= KINDS) {
				in_length += (size_t)snprintf(in + in_length, 5, "%s",
					kinds[left % KINDS].bytes);
				whole_length += (size_t)snprintf(whole + whole_length, 5, "%s",
					kinds[left % KINDS].shown);
			}
			for (size_t out_bytes = OUT_BYTES_MIN; out_bytes < 28; out_bytes++) {
				char out[32];

				memset(out, CANARY, sizeof(out));
				text_render(out, out_bytes, in, in_length);
				check_cut(whole, whole_length, out, out_bytes);
				for (size_t k = out_bytes; k < sizeof(out); k++)
					assert_int_equal(out[k], CANARY);
			}
		}
	}
}

/* Any bytes: what comes out is printable, of bounded length, and stays as it is but for
 * backslashes when it is rendered again. */
static void test_any_bytes(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t length = (size_t)round % 40;
		size_t out_bytes = OUT_BYTES_MIN + (size_t)round % 61;
		char *in = malloc(length + 1); /* so that a sanitizer sees its end */
		char *out = malloc(out_bytes);
		char again[512];
		size_t n_backslashes = 0;

		for (size_t i = 0; i < length; i++) {
			random = random * 1664525 + 1013904223;
			in[i] = (char)(random >> 24 | (random & 0x40000 ? 0x80 : 0));
		}
		text_render(out, out_bytes, in, length);
		assert_true(strlen(out) < out_bytes);
		text_render_string(again, sizeof(again), out);
		for (size_t i = strlen(out); i; i--)
			n_backslashes += out[i - 1] == '\\';
		assert_int_equal(strlen(again), strlen(out) + n_backslashes);
		free(in);
		free(out);
	}
}

/* Rendering what is rendered changes nothing, and a cut in the middle of a character shows. */
static void test_rendered(void **state)
{
	static const char *const rows[] = { "plain", "a\\b", "C:\\\\x", "\x1b[31m\\x41",
		"gr\xc3\xbc\xc3\x9f", "\xff\033\n" };
	char once[64];
	char twice[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_render_string(once, sizeof(once), rows[i]);
		assert_ptr_equal(text_rendered(twice, sizeof(twice), once), twice);
		assert_string_equal(twice, once);
	}
	assert_string_equal(text_rendered(twice, sizeof(twice), "a\\\\b \xc3"), "a\\\\b \\xc3");
	assert_string_equal(text_rendered(twice, 8, "123456789"), "1234...");
}

/* What is passed on in one statement is what text_render() makes of it. */
static void test_shown(void **state)
{
	char long_text[2 * TEXT_SHOWN_MAX];
	char rendered[TEXT_SHOWN_MAX];

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	text_render(rendered, sizeof(rendered), long_text, sizeof(long_text));
	assert_string_equal(text_shown(long_text, sizeof(long_text)).text, rendered);
	assert_string_equal(text_shown("a\0b", 3).text, "a\\x00b");
	assert_string_equal(text_shown_string("\033[1m").text, "\\x1b[1m");
}

static void test_format(void **state)
{
	static const struct {
		size_t out_bytes;
		const char *word;
		const char *text;
	} rows[] = { { 16, "12345", "<12345>" }, { 8, "12345", "<12345>" },
		{ 7, "12345", "<12..." }, { 4, "12345", "..." }, { 4, "", "<>" },
		{ 5, "123456789", "<..." } };
	char out[16];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(out, '#', sizeof(out));
		assert_int_equal(text_format(out, rows[i].out_bytes, "<%s>", rows[i].word),
			strlen(rows[i].text));
		assert_string_equal(out, rows[i].text);
		if (rows[i].out_bytes < sizeof(out))
			assert_int_equal(out[rows[i].out_bytes], '#');
	}
}

static void test_cut_length(void **state)
{
	static const struct {
		const char *string;
		size_t max;
		size_t length;
	} rows[] = { { "", 0, 0 }, { "abc", 3, 3 }, { "abcd", 3, 3 }, { "a\xc3\xa9", 3, 3 },
		{ "a\xc3\xa9", 2, 1 }, { "\xe2\x82\xac", 2, 0 }, { "\xe2\x82\xac\xe2", 3, 3 },
		{ "\xa9\xa9\xa9", 2, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (text_cut_length(rows[i].string, rows[i].max) != rows[i].length)
			fail_msg("row %zu", i);
}

static void test_ends_in(void **state)
{
	(void)state;
	assert_true(text_ends_in("a.conf", ".conf"));
	assert_false(text_ends_in("a.conf.x", ".conf"));
	assert_true(text_ends_in(".conf", ".conf"));
	assert_false(text_ends_in("conf", ".conf"));
	assert_false(text_ends_in("", ".conf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rendered),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_deceptive),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_cut_length),
		cmocka_unit_test(test_ends_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
