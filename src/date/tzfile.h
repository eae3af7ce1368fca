#ifndef VG_TZFILE_H
#define VG_TZFILE_H

#include <stdint.h>

struct date_transitions;

/* Reads a zone of the system's files (TZif, RFC 8536) by a name such as "Europe/Berlin". NULL:
 * there is none or it is no such file. */
struct date_transitions *date_tzfile_read(const char *name);
void date_tzfile_free(struct date_transitions *transitions);

/* Seconds east of UTC at a moment. */
int date_tzfile_at(const struct date_transitions *transitions, int64_t at_s);

#endif
