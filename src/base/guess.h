#ifndef VG_GUESS_H
#define VG_GUESS_H

#include <stddef.h>

/* The word of the list that was probably meant: at most two letters wrong, missing, extra or
 * swapped, and at least half of them right. NULL: none. Words over 64 bytes have no guess. */
const char *guess_word(const char *word, const char *const *list, size_t count);

#endif
