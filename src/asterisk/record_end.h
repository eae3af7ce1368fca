#ifndef VG_RECORD_END_H
#define VG_RECORD_END_H

#include <stdbool.h>
#include <stddef.h>

#include "asterisk/reader.h"
#include "asterisk/record_start.h"

/* How a record ends, and what of it is sound. */

struct asterisk_rule {
	bool modern;  /* PJSIP's values behind the address hold no bare quote (OLD in reader.h) */
	bool whole;   /* nothing may be missing, not even what an ESC can have deleted (SHORT) */
	bool foreign; /* a message of another level goes on behind a record that was cut (GLUE) */
};

/* Reads heads[at], one of the `count` heads of a line, with the end of that line. False: it does
 * not read as a record of that kind. */
bool asterisk_read_record(const struct asterisk_head *heads, size_t count, size_t at,
	const char *end, struct asterisk_rule rule, struct asterisk_record *ret);
/* Records of this kind can be read at all. */
bool asterisk_is_known(const struct asterisk_head *head);

#endif
