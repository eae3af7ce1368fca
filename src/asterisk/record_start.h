#ifndef VG_RECORD_START_H
#define VG_RECORD_START_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asterisk/reader.h"
#include "asterisk/scan.h"

/* How a record begins, and what stands before it on its line. */

enum { ASTERISK_HEADS_MAX = 64 /* of one line; more: given up */ };

struct asterisk_head {
	const char *start; /* SecurityEvent= */
	const char *end;   /* behind AccountID=" */
	struct asterisk_piece event;
	struct asterisk_piece service;
	int64_t at_ms;
	bool dated;
	bool iso; /* EventTV is of Asterisk 12 and later */
};

/* Steps over all that stands before SecurityEvent= at the start of a line; false: no such line.
 * *ret_syslog: it is what Asterisk sends to syslog, where no date of its own stands. */
bool asterisk_take_prefix(struct asterisk_cursor *c, bool *ret_syslog);
/* Behind DATE HOST asterisk[pid]: , which a journal puts before each line of a message; or the
 * line. */
const char *asterisk_skip_syslog(struct asterisk_cursor line);
bool asterisk_read_head(struct asterisk_cursor c, struct asterisk_head *ret);
/* Every head in the line, of which the first is at `first`. A head inside the line (glue, or a
 * stranger's) has at least the file's name in front. Returns how many, ASTERISK_HEADS_MAX + 1 at
 * most: too many. */
size_t asterisk_find_heads(struct asterisk_cursor line, const char *first,
	struct asterisk_head heads[ASTERISK_HEADS_MAX + 1]);

/* A whole record begins inside the line, which is none itself. */
bool asterisk_has_record(struct asterisk_cursor line);

/* The major version in the line that Asterisk writes when it opens a file; 0: another line. */
unsigned asterisk_read_banner(struct asterisk_cursor line);

#endif
