#ifndef VG_UTC_H
#define VG_UTC_H

#include <stdint.h>

/* "2026-11-23T08:51:05Z" and NUL; with milliseconds "2026-11-23T08:51:05.686Z". */
enum { UTC_TEXT_MAX = 40 };

/* RFC 3339 in UTC. at_s: seconds since the epoch, years 0 to 9999, else "". Returns out. */
const char *utc_format(int64_t at_s, char out[UTC_TEXT_MAX]);
const char *utc_format_ms(int64_t at_ms, char out[UTC_TEXT_MAX]);

#endif
