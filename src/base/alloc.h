#ifndef VG_ALLOC_H
#define VG_ALLOC_H

#include <stddef.h>

/* Memory that cannot fail: out of memory logs one line and ends the process; a restart replays
 * from the database. Counts and sizes are multiplied with an overflow check. */
void *alloc_zero(size_t size_bytes);
void *alloc_array(size_t count, size_t size_bytes);
void *alloc_grow(void *memory, size_t count, size_t size_bytes);
char *alloc_string(const char *text);
/* Copies length bytes and ends them with NUL. */
char *alloc_bytes(const void *bytes, size_t length);
char *alloc_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* For locals only: cleanup_free char *x = NULL; */
void alloc_cleanup_free(void *pointer);
void alloc_cleanup_close(const int *fd);
void alloc_cleanup_file(void *pointer);
#define cleanup_free __attribute__((cleanup(alloc_cleanup_free)))
#define cleanup_close __attribute__((cleanup(alloc_cleanup_close)))
#define cleanup_file __attribute__((cleanup(alloc_cleanup_file)))

#endif
