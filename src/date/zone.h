#ifndef VG_ZONE_H
#define VG_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct date_transitions;

enum date_zone_kind {
	DATE_ZONE_LOCAL, /* that of this process */
	DATE_ZONE_FIXED, /* it has one offset all year */
	DATE_ZONE_NAMED, /* it is read from the system's zone files */
};

struct date_zone {
	enum date_zone_kind kind;
	int offset_s;                         /* FIXED: east of UTC */
	struct date_transitions *transitions; /* NAMED: owned */
};

/* name NULL: local time; "UTC", "CET", "+0130", "UTC+02:00", "CET+01" as fail2ban reads them (an
 * abbreviation is one offset all year and the two add up), and names such as "Europe/Berlin",
 * read here for good. -1: no such zone. */
int date_zone_init(struct date_zone *zone, const char *name, struct error *err);
void date_zone_done(struct date_zone *zone);

/* Seconds east of UTC at a moment. */
int date_zone_at(const struct date_zone *zone, int64_t at_s);

/* Reads what a line says of its zone: an abbreviation, an offset, or both. False: neither. */
bool date_zone_read(const char *text, size_t length, int *ret_offset_s);

/* Alternatives of a regex for the abbreviations; letters: those of one letter too. Caller frees. */
char *date_zone_regex(bool letters);

#endif
