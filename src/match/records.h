#ifndef VG_RECORDS_H
#define VG_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asterisk/reader.h"
#include "base/ip.h"

struct hit;
struct line;

/* The records of a filter with `parser = asterisk-security`: the reader says who, when and how
 * proven; the rules see the text of a record, and only say whether it counts. Each log that the
 * filter reads has a reader of its own. */
struct records {
	struct records_log *log; /* owned list of the logs, the one of the last line first */
	size_t n_logs;
	struct asterisk_record record;  /* the last one */
	char host[IP_TEXT_MAX];         /* its address */
	enum asterisk_kind kind;        /* of the last line */
	uint64_t kinds[ASTERISK_KINDS]; /* lines so far */
	uint64_t blind;                 /* of those, the ones that raise an alarm */
};

/* No jail follows more logs than this at a time. Of more the reader goes that was idle for longest,
 * and with it the beginning of a record that was to go on in another line. */
enum { RECORDS_LOGS_MAX = 256 };

/* There is a log without a name from the start, read from its first line. */
struct records *records_new(void);
void records_free(struct records *records);

/* Reads one line, together with those of the same path before it. The line of a new path begins
 * reading there, and so does an at_head one. line->mark is the major version of the Asterisk that
 * writes the log: it is taken from there, and kept there when a banner tells it.
 * A cut line counts as ASTERISK_CUT if it begins a record. So does an open one: for another program
 * it may be whole, but Asterisk has cut it, where a caller may have put an end. An only_head line
 * tells the version, and nothing else. True: the line ends a record that was read, soundly or out
 * of syslog: records->record. */
bool records_read(struct records *records, const struct line *line);
/* Fills in who, when and the fields by the last record; not the rule. */
void records_hit(struct records *records, int64_t now_s, struct hit *ret_hit);

/* How many bytes at the start of text are whole lines of kind ASTERISK_OTHER. It looks only at a
 * few KiB: there may be more of them. */
size_t records_skip(const struct records *records, const char *text, size_t length);

/* What became of the lines, to be shown. All of these take NULL, the records of a filter without a
 * parser, of which there is nothing to tell. */

/* What the last line was. */
enum asterisk_kind records_kind(const struct records *records);
/* What the rules saw of the last line, if it was a record that was read; not NUL-ended, until the
 * next line. False: they saw nothing of it. */
bool records_seen(const struct records *records, const char **ret_text, size_t *ret_length);
/* A newline has broken the record of the last line: the next line may end it. */
bool records_wait(const struct records *records);
/* How many lines of this kind there were. A cut record counts, too, if a sound one follows it in
 * its line. */
uint64_t records_lines(const struct records *records, enum asterisk_kind kind);
/* How many lines there were of the kinds that asterisk_kind_is_blind() names. A record that a
 * newline has broken counts as soon as it is sure that no line ends it. */
uint64_t records_blind(const struct records *records);

#endif
