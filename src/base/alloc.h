#ifndef VG_ALLOC_H
#define VG_ALLOC_H

#include <stddef.h>

/* Allocation that never returns NULL: when memory is short, the process writes one line to standard
 * error and exits with status 70; after a restart the daemon goes on from its database. The caller
 * owns what is returned, and releases it with free(). The product of count and size is checked for
 * overflow. alloc_zero() and alloc_array() return zeroed memory; alloc_grow() works as realloc()
 * does, and what it adds is not zeroed. */
void *alloc_zero(size_t size_bytes);
void *alloc_array(size_t count, size_t size_bytes);
void *alloc_grow(void *memory, size_t count, size_t size_bytes);
/* Returns the array items, grown if it is full: with room for one more than count. *room is for how
 * many it has room; NULL and 0 are an empty one. */
void *alloc_room(void *items, size_t count, size_t *room, size_t size_bytes);
char *alloc_string(const char *text);
/* Copies length bytes, which may hold NULs, and puts a NUL behind them. */
char *alloc_bytes(const void *bytes, size_t length);
char *alloc_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Attributes for local variables that release what the variable holds when it goes out of scope:
 * `cleanup_free char *x = NULL;` frees x, cleanup_close closes a file descriptor (unless it is
 * negative), cleanup_file closes a FILE * (unless it is NULL). The variable must have a value from
 * its declaration on. The functions are for these macros only. */
void alloc_cleanup_free(void *pointer);
void alloc_cleanup_close(const int *fd);
void alloc_cleanup_file(void *pointer);
#define cleanup_free __attribute__((cleanup(alloc_cleanup_free)))
#define cleanup_close __attribute__((cleanup(alloc_cleanup_close)))
#define cleanup_file __attribute__((cleanup(alloc_cleanup_file)))

#endif
