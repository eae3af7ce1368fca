#ifndef VG_RECORDS_H
#define VG_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "asterisk/reader.h"
#include "base/ip.h"

struct hit;
struct line;

/* The records of a filter with `parser = asterisk-security`. The reader says who, when, and whether
 * the source is proven; the rules see the text of a record, and only say whether it counts. Each
 * log that the filter reads has a reader of its own. */
struct records {
	TAILQ_HEAD(records_logs, records_log) logs; /* owned; that of the last line comes first */
	struct records_log *log;                    /* of the last line */
	size_t n_logs;
	char host[IP_TEXT_MAX]; /* the address of `record` */

	/* What became of the lines, for people to read. */
	enum asterisk_kind kind; /* of the last line */
	/* A newline has broken the record of the last line, so that the next line may complete it.
	 */
	bool waits;
	/* The last record. If the kind is ASTERISK_RECORD or ASTERISK_SYSLOG, it is that of the
	 * last line: the rules saw its text. */
	struct asterisk_record record;
	/* How many lines of each kind there were. A cut record counts, too, if a whole one follows
	 * it in its line, and a record of another thread is of two kinds. */
	uint64_t lines[ASTERISK_KINDS];
	/* How many lines there were of the kinds that asterisk_kind_is_blind() names. A record that
	 * a newline has broken counts as soon as it is sure that no line ends it. */
	uint64_t blind;
	/* The banners of several logs say different versions of Asterisk, of which the oldest was
	 * taken where a log does not say it for sure. 0: they agree, or it did not matter. */
	unsigned oldest_version;
	unsigned newest_version;
};

/* How many logs are read at once, more than a jail follows. When there are more, the reader that
 * was idle for longest is dropped, and with it the beginning of a record that a later line was to
 * complete. */
enum { RECORDS_LOGS_MAX = 256 };

/* At first there is one log, which has no name and is read from its first line. */
struct records *records_new(void);
void records_free(struct records *records);

/* Reads one line, together with those of the same path before it. The banner of a log that got no
 * level but SECURITY holds for those of the other logs that have none (asterisk_suppose); that of a
 * mixed one, where it may be a caller's, for itself alone. The line of a new path begins
 * reading there, and so does an at_head one; the dated lines of a log without a name are a
 * journal's, which is read from its middle. line->mark is what asterisk_mark() tells of the log: it
 * is taken from there, and kept there. A cut line counts as ASTERISK_CUT for each head of a record
 * in it and in its rest. So does an open one: for another program it may be whole, but Asterisk has
 * cut it, where a caller may have put an end. An only_head line tells the version, and nothing
 * else. True: the line ends a record that was read, soundly or out of syslog: records->record. */
bool records_read(struct records *records, const struct line *line);
/* Fills in who, when and the fields from the last record, but not the rule. now_s is in seconds
 * since the epoch. */
void records_hit(struct records *records, int64_t now_s, struct hit *ret_hit);

#endif
