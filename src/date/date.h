#ifndef VG_DATE_H
#define VG_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct date;

/* Patterns of one filter; {DATE} counts once for each built-in format. More: an error. */
enum { DATE_TEMPLATES_MAX = 256 };

struct date_found {
	size_t cut_start; /* the piece of the line that is the date */
	size_t cut_length;
	int64_t at_ms; /* wall clock, ms since the epoch; may be in the future */
	bool has_zone; /* the line said which zone; else that of date_new */
};

/* What date_new cannot use. */
struct date_fault {
	size_t pattern; /* index; n_patterns: the zone */
	size_t offset;  /* bytes into it */
};

/* Compiles the datepattern lines of a fail2ban filter, with %-signs single (in files they are
 * doubled): strftime's letters, {DATE}, {DEFAULT}, {EPOCH} and the like, and {^LN-BEG} or {UNB} in
 * front, see jail.conf(5). Without a pattern: the built-in formats, first where the line starts
 * with one behind at most two non-word characters, then anywhere. {NONE}: no line has a date. zone:
 * of dates without one, see date_zone_init; NULL: local time, which is read here for good. -1:
 * *ret_fault says what cannot be used. */
int date_new(const char *const *patterns, size_t n_patterns, const char *zone,
	struct date **ret_date, struct date_fault *ret_fault, struct error *err);
void date_free(struct date *date);

/* Looks for a date. now_s: for stamps without year or day, for hours that a clock shows twice, and
 * as the time of a date that there never was (February 30th). False: the line has none. */
bool date_find(struct date *date, const char *line, size_t length, int64_t now_s,
	struct date_found *ret_found);

/* Adds the bytes that may stand right before and right behind a piece that date_find cuts out of
 * the middle of a line. */
void date_borders(const struct date *date, bool before[256], bool behind[256]);

#endif
