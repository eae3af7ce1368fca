#ifndef VG_RECORD_START_H
#define VG_RECORD_START_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asterisk/reader.h"
#include "asterisk/scan.h"

/* How a record begins, and what stands before it on its line. */

enum { ASTERISK_HEADS_MAX = 64 /* of one line; one with more is given up */ };

struct asterisk_head {
	const char *start; /* SecurityEvent= */
	const char *end;   /* behind AccountID=" */
	struct asterisk_piece event;
	struct asterisk_piece service;
	int64_t at_ms;
	bool dated; /* EventTV could be read: at_ms */
	bool iso;   /* EventTV is as Asterisk 12 and later write it */
};

/* Steps over all that stands before SecurityEvent= at the start of a line; false: it is no line of
 * the level SECURITY. *ret_syslog: Asterisk sent it to syslog, without a date of its own. */
bool asterisk_take_prefix(struct asterisk_cursor *c, bool *ret_syslog);
/* Where the line goes on behind DATE HOST asterisk[pid]: , which a journal puts before each line of
 * a message; its start if that is not there. */
const char *asterisk_skip_syslog(struct asterisk_cursor line);
/* SecurityEvent="E",EventTV="T",Severity="..",Service="S",EventVersion="n",AccountID=" at c.at;
 * false: the text is another. */
bool asterisk_read_head(struct asterisk_cursor c, struct asterisk_head *ret);
/* Every head in the line, of which the first is at `first`. A head further on (of a glued record,
 * or a caller's) has at least res_security_log.c in front. Returns how many there are,
 * ASTERISK_HEADS_MAX + 1 for any number beyond. */
size_t asterisk_find_heads(struct asterisk_cursor line, const char *first,
	struct asterisk_head heads[ASTERISK_HEADS_MAX + 1]);

/* The line begins no record, but one begins inside it. */
bool asterisk_has_record(struct asterisk_cursor line);

/* The major version in the banner that Asterisk writes when it opens a file; 0: another line. */
unsigned asterisk_read_banner(struct asterisk_cursor line);

#endif
