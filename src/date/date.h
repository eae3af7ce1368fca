#ifndef VG_DATE_H
#define VG_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct date;

/* How many templates the patterns of one filter may become; more are an error. {DATE} counts once
 * for each built-in format. */
enum { DATE_TEMPLATES_MAX = 256 };

struct date_found {
	size_t cut_start; /* offset of the part of the line that is the date */
	size_t cut_length;
	int64_t at_ms; /* milliseconds since the epoch; may be in the future */
	bool has_zone; /* the line says its time zone; else that of date_new was used */
};

/* Which pattern date_new cannot use. */
struct date_fault {
	size_t pattern; /* its index; n_patterns: it is the zone */
	size_t offset;  /* of the error, in bytes */
};

/* Compiles the datepattern lines of a fail2ban filter: strftime's letters, {DATE}, {DEFAULT},
 * {EPOCH} and the like, with {^LN-BEG} or {UNB} in front, see jail.conf(5). A percent sign is
 * single here (in files it is doubled). Without a pattern the built-in formats are used: first
 * where the line starts with one, behind at most two non-word characters, then anywhere. {NONE}
 * means that no line has a date. zone is the time zone of dates that name none, as date_zone_init()
 * reads it; NULL: local time. Zone files are read now and never again. -1: err says what is wrong,
 * *ret_fault where. */
int date_new(const char *const *patterns, size_t n_patterns, const char *zone,
	struct date **ret_date, struct date_fault *ret_fault, struct error *err);
void date_free(struct date *date);

/* Looks for a date in the line. now_s is the current time in seconds since the epoch: it completes
 * dates without a year or a day, decides for an hour that the clock shows twice (when summer time
 * ends), and is the time of a date that never was (February 30th). False: the line has no date. */
bool date_find(struct date *date, const char *line, size_t length, int64_t now_s,
	struct date_found *ret_found);

/* Sets before[b] and behind[b] for each byte b that may stand directly before or behind a piece
 * that date_find cuts out of the middle of a line; other elements stay as they are. */
void date_borders(const struct date *date, bool before[256], bool behind[256]);

#endif
