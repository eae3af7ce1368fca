#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Length of the well-formed UTF-8 sequence at bytes (RFC 3629 table 3-7), 0 if there is none. */
static size_t sequence_length(const unsigned char *bytes, size_t length, uint32_t *ret_char)
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

/* Characters that change how others look: C0, DEL, C1, zero width, bidi, line separators, tags. */
static bool is_deceptive(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfff9 && c <= 0xffff) || c >= 0xe0000;
}

const char *text_render(char *out, size_t out_bytes, const void *bytes, size_t length)
{
	const unsigned char *in = bytes;
	size_t used = 0;
	size_t i = 0;

	while (i < length) {
		char piece[8];
		uint32_t c = 0;
		size_t step = sequence_length(in + i, length - i, &c);
		size_t size;

		if (!step || is_deceptive(c)) {
			size = (size_t)snprintf(piece, sizeof(piece), "\\x%02x", in[i]);
			step = 1;
		} else if (c == '\\') {
			memcpy(piece, "\\\\", 2);
			size = 2;
		} else {
			memcpy(piece, in + i, step);
			size = step;
		}
		/* room for this piece, and for "..." unless it is the last */
		if (used + size + (i + step < length ? 3 : 0) >= out_bytes) {
			memcpy(out + used, "...", used + 4 <= out_bytes ? 3 : 0);
			used += used + 4 <= out_bytes ? 3 : 0;
			break;
		}
		memcpy(out + used, piece, size);
		used += size;
		i += step;
	}
	out[used] = '\0';
	return out;
}

const char *text_render_string(char *out, size_t out_bytes, const char *string)
{
	return text_render(out, out_bytes, string, strlen(string));
}
