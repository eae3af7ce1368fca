#ifndef VG_RECORDS_H
#define VG_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asterisk/reader.h"
#include "base/ip.h"

struct hit;
struct line;

/* A filter with `parser = asterisk-security`: the reader says who, when, how proven; rules see
 * the record's text, and only say whether it counts. */
struct records {
	struct records_log *log; /* owned list of the logs read, the last one first */
	size_t n_logs;
	struct asterisk_record record;  /* the last one */
	char host[IP_TEXT_MAX];         /* its address */
	enum asterisk_kind kind;        /* of the last line */
	uint64_t kinds[ASTERISK_KINDS]; /* lines so far */
	uint64_t blind;                 /* of those, the ones that raise an alarm */
};

/* More logs than this are followed at a time by no jail; the reader that was idle for longest goes,
 * and with it the beginning of a record that was to go on in another line. */
enum { RECORDS_LOGS_MAX = 256 };

/* They begin with a log without a name, read from its first line. */
struct records *records_new(void);
void records_free(struct records *records);

/* One line; those of one path are read together. A path that is new begins there, or (at_head) at
 * its first line. line->mark is the version of Asterisk that is known to write the log. A line that
 * was too long to be read whole counts as ASTERISK_CUT if it begins a record, and so does an open
 * one: for other programs it may be whole, but Asterisk has cut it, where a caller may have put an
 * end. An only_head line tells no more than the version.
 * True: the line ends a record that is read, soundly or out of syslog; it is in records->record. */
bool records_read(struct records *records, const struct line *line);
/* Who, when and the fields of the last record; not the rule. */
void records_hit(struct records *records, int64_t now_s, struct hit *ret_hit);

/* How many bytes at the start of text are whole lines of kind ASTERISK_OTHER. It looks at a few
 * KiB only: there may be more. */
size_t records_skip(const struct records *records, const char *text, size_t length);

/* For those who show what became of the lines. All of these take NULL, of a filter without a
 * parser, of which there is nothing to tell. */

/* What the last line was. */
enum asterisk_kind records_kind(const struct records *records);
/* What rules see of the last line, if that was a sound record (not NUL-ended; until the next line).
 * False: they saw nothing of it. */
bool records_seen(const struct records *records, const char **ret_text, size_t *ret_length);
/* The last line is of a broken record: the next one may end it. */
bool records_wait(const struct records *records);
/* How many lines of this kind there were. The cut record in front of a sound one, which goes on in
 * its line, counts too. */
uint64_t records_unsound(const struct records *records, enum asterisk_kind kind);
/* How many there were of the kinds that asterisk_kind_is_blind() names. A record that a newline has
 * broken counts when it is sure that no line ends it. */
uint64_t records_blind(const struct records *records);

#endif
