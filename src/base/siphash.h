#ifndef VG_SIPHASH_H
#define VG_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

enum { SIPHASH_KEY_BYTES = 16 };

/* SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash that nobody can predict without the key, and
 * that is the same on every machine. */
uint64_t siphash(const uint8_t key[SIPHASH_KEY_BYTES], const void *bytes, size_t length);

/* SipHash-1-3 of whole words, without the length behind them that tells texts of several lengths
 * apart: half the work, for the keys of a table in memory. */
uint64_t siphash_words(const uint64_t key[2], const uint64_t *words, size_t count);

#endif
