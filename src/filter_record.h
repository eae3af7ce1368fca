#ifndef VG_FILTER_RECORD_H
#define VG_FILTER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asterisk.h"
#include "ip.h"

struct hit;

/* A filter with `parser = asterisk-security`: the reader says who, when, how proven; rules see
 * the record's text, and only say whether it counts. */
struct filter_records {
	struct asterisk *reader;        /* owned */
	struct asterisk_record record;  /* the last one */
	char host[IP_TEXT_MAX];         /* its address */
	enum asterisk_kind kind;        /* of the last line */
	bool waits;                     /* a beginning has come that is not counted yet */
	uint64_t kinds[ASTERISK_KINDS]; /* lines so far */
	uint64_t blind;                 /* of those, the ones that raise an alarm */
};

struct filter_records *filter_records_new(void);
void filter_records_free(struct filter_records *records);

/* True: the line ends a record that is read soundly; it is in records->record. */
bool filter_records_read(struct filter_records *records, const char *line, size_t length);
/* A line that is too long: see filter_cut_line. */
void filter_records_cut(struct filter_records *records, const char *start, size_t length);
/* Who, when and the fields of the last record; not the rule. */
void filter_records_hit(struct filter_records *records, int64_t now_s, struct hit *ret_hit);

/* How many bytes at the start of text are whole lines of kind ASTERISK_OTHER. It looks at a few
 * KiB only: there may be more. */
size_t filter_records_skip(const struct filter_records *records, const char *text, size_t length);

#endif
