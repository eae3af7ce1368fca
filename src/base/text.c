#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

size_t text_sequence(const unsigned char *bytes, size_t length, uint32_t *ret_char)
{
	unsigned char lead = bytes[0];
	size_t wanted = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint32_t value = wanted == 1 ? lead : lead & (0x7fU >> wanted);

	if (!wanted || lead > 0xf4 || wanted > length)
		return 0;
	for (size_t i = 1; i < wanted; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (bytes[i] & 0x3fU);
	}
	if ((wanted == 3 && value < 0x800) || (wanted == 4 && value < 0x10000) ||
		value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*ret_char = value;
	return wanted;
}

/* Says whether c would change how its neighbours look, or looks like nothing: C0 and C1 controls,
 * DEL, line separators, and what Unicode calls Bidi_Control or Default_Ignorable_Code_Point. */
static bool is_deceptive(uint32_t c)
{
	static const struct {
		uint32_t first;
		uint32_t last;
	} ranges[] = { { 0, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x34f, 0x34f },
		{ 0x61c, 0x61c }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f },
		{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0x3164, 0x3164 },
		{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xffff },
		{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0x10ffff } };

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

static const char *render(char *out, size_t out_bytes, const void *bytes, size_t length,
	bool is_rendered)
{
	const unsigned char *in = bytes;
	size_t used = 0;
	size_t cut = 0; /* length of out that can still take "..." behind it */
	size_t i = 0;

	while (i < length) {
		char piece[8];
		uint32_t c = 0;
		size_t step = text_sequence(in + i, length - i, &c);
		size_t size;

		if (!step || is_deceptive(c)) {
			size = (size_t)snprintf(piece, sizeof(piece), "\\x%02x", in[i]);
			step = 1;
		} else if (c == '\\' && !is_rendered) {
			memcpy(piece, "\\\\", 2);
			size = 2;
		} else {
			memcpy(piece, in + i, step);
			size = step;
		}
		if (used + size >= out_bytes) {
			memcpy(out + cut, "...", 3);
			used = cut + 3;
			break;
		}
		memcpy(out + used, piece, size);
		used += size;
		if (used + 3 < out_bytes)
			cut = used;
		i += step;
	}
	out[used] = '\0';
	return out;
}

const char *text_render(char *out, size_t out_bytes, const void *bytes, size_t length)
{
	return render(out, out_bytes, bytes, length, false);
}

const char *text_rendered(char *out, size_t out_bytes, const char *text)
{
	return render(out, out_bytes, text, strlen(text), true);
}

const char *text_render_string(char *out, size_t out_bytes, const char *string)
{
	return text_render(out, out_bytes, string, strlen(string));
}

struct shown text_shown(const void *bytes, size_t length)
{
	struct shown shown = { 0 };

	text_render(shown.text, sizeof(shown.text), bytes, length);
	return shown;
}

struct shown text_shown_string(const char *string)
{
	return text_shown(string, strlen(string));
}

size_t text_format(char *out, size_t out_bytes, const char *format, ...)
{
	va_list args;
	int wanted;

	assert(out_bytes >= 4);
	va_start(args, format);
	wanted = vsnprintf(out, out_bytes, format, args);
	va_end(args);
	if (wanted < 0) /* the format or the locale is wrong: nothing was written */
		out[wanted = 0] = '\0';
	if ((size_t)wanted < out_bytes)
		return (size_t)wanted;
	memcpy(out + out_bytes - 4, "...", 4);
	return out_bytes - 1;
}

size_t text_cut_length(const char *string, size_t max)
{
	size_t length = strnlen(string, max + 1);

	if (length <= max)
		return length;
	for (length = max; length > 0 && ((unsigned char)string[length] & 0xc0) == 0x80;)
		length--;
	return length;
}

bool text_ends_in(const char *text, const char *end)
{
	size_t length = strlen(text);
	size_t end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}
