#include "base/siphash.h"

#include <string.h>

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void mix(uint64_t v[4], int rounds)
{
	for (int i = 0; i < rounds; i++) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

/* Reads at most eight bytes as a little-endian number. */
static uint64_t word(const uint8_t *bytes, size_t length)
{
	uint64_t value = 0;

	for (size_t i = 0; i < length; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

static void start(uint64_t v[4], uint64_t low, uint64_t high)
{
	v[0] = low ^ 0x736f6d6570736575;
	v[1] = high ^ 0x646f72616e646f6d;
	v[2] = low ^ 0x6c7967656e657261;
	v[3] = high ^ 0x7465646279746573;
}

static void absorb(uint64_t v[4], uint64_t value, int rounds)
{
	v[3] ^= value;
	mix(v, rounds);
	v[0] ^= value;
}

static uint64_t finish(uint64_t v[4], int rounds)
{
	v[2] ^= 0xff;
	mix(v, rounds);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY_BYTES], const void *bytes, size_t length)
{
	const uint8_t *in = bytes;
	uint64_t v[4];
	size_t i = 0;

	start(v, word(key, 8), word(key + 8, 8));
	for (; i + 8 <= length; i += 8)
		absorb(v, word(in + i, 8), 2);
	absorb(v, (uint64_t)length << 56 | word(in + i, length - i), 2);
	return finish(v, 4);
}

uint64_t siphash_words(const uint64_t key[2], const uint64_t *words, size_t count)
{
	uint64_t v[4];

	start(v, key[0], key[1]);
	for (size_t i = 0; i < count; i++)
		absorb(v, words[i], 1);
	return finish(v, 3);
}
