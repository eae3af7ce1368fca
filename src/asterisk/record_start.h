#ifndef VG_RECORD_START_H
#define VG_RECORD_START_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asterisk/reader.h"
#include "asterisk/scan.h"

/* How a record begins, and what stands before it on its line. */

enum {
	ASTERISK_HEADS_MAX = 64,    /* of one line; one with more is given up */
	ASTERISK_ACCOUNT_BYTES = 36 /* what PJSIP leaves of the name of an account that it does not
				       know */
};

/* What stands before SecurityEvent= at the start of a line. */
struct asterisk_prefix {
	bool syslog;   /* Asterisk sent it to syslog, without a date of its own */
	uint64_t form; /* the form of its date; 0: it has none */
	uint64_t thread;
};

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
 * the level SECURITY. */
bool asterisk_take_prefix(struct asterisk_cursor *c, struct asterisk_prefix *ret);
/* The line is of another level, with more of Asterisk's own words at its start than 36 bytes of a
 * caller's have room for. *ret_form: of its date. */
bool asterisk_is_other_level(struct asterisk_cursor line, uint64_t *ret_form);
/* A message of another level begins inside the text, or a caller has written one there. */
bool asterisk_has_other_level(struct asterisk_cursor text);
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

/* The major version in the banner that Asterisk writes when it opens a file; 0: another line.
 * *ret_form: of its date. */
unsigned asterisk_read_banner(struct asterisk_cursor line, uint64_t *ret_form);

#endif
