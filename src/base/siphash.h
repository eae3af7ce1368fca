#ifndef VG_SIPHASH_H
#define VG_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

enum { SIPHASH_KEY_BYTES = 16 };

/* SipHash-2-4 (Aumasson, Bernstein 2012): a hash that nobody can predict without the key. Its value
 * for the same key and bytes is the same on every machine, so that it can be stored. */
uint64_t siphash(const uint8_t key[SIPHASH_KEY_BYTES], const void *bytes, size_t length);

/* SipHash-1-3 of `count` whole words: half the work, for the keys of a table in memory. The length
 * is not part of the hash, as it is in siphash(), so that all keys of one table must have the same
 * count. */
uint64_t siphash_words(const uint64_t key[2], const uint64_t *words, size_t count);

#endif
