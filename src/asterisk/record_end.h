#ifndef VG_RECORD_END_H
#define VG_RECORD_END_H

#include <stdbool.h>
#include <stddef.h>

#include "asterisk/reader.h"
#include "asterisk/record_start.h"

/* How a record ends, and what of it is sound. */

/* Reads heads[at], one of the `count` heads of a line, with the end of that line. modern: PJSIP's
 * values behind the address hold no bare quote (OLD in reader.h). False: it does not read as a
 * record of that kind. */
bool asterisk_read_record(const struct asterisk_head *heads, size_t count, size_t at,
	const char *end, bool modern, struct asterisk_record *ret);
/* Records of this kind can be read at all. */
bool asterisk_is_known(const struct asterisk_head *head);

#endif
