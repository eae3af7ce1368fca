#ifndef VG_ZONE_H
#define VG_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum date_zone_kind {
	DATE_ZONE_LOCAL, /* local time of this process */
	DATE_ZONE_FIXED, /* one offset all year */
	DATE_ZONE_NAMED, /* from the zone files of the system */
};

/* From at_s on a zone's clocks are offset_s seconds east of UTC. */
struct date_change {
	int64_t at_s;
	int offset_s;
};

struct date_zone {
	enum date_zone_kind kind;
	int offset_s;                /* FIXED: seconds east of UTC */
	struct date_change *changes; /* NAMED: owned; at least one, sorted by at_s */
	size_t n_changes;
};

/* Finds a time zone by name. NULL is local time; "UTC", "CET", "+0130", "UTC+02:00" and "CET+01"
 * are read as fail2ban does (an abbreviation is one offset all year, and the two are added:
 * "CET+01" is UTC+02:00); other names such as "Europe/Berlin" are zone files, which are read now
 * and never again. -1: there is no such zone, err says so. The caller calls date_zone_done after
 * success. */
int date_zone_init(struct date_zone *zone, const char *name, struct error *err);
void date_zone_done(struct date_zone *zone);

/* The offset in seconds east of UTC at at_s, in seconds since the epoch. */
int date_zone_at(const struct date_zone *zone, int64_t at_s);

/* Reads the zone that a line names: an abbreviation, an offset such as "+0200", or both. The result
 * is in seconds east of UTC. False: text is none of these. */
bool date_zone_read(const char *text, size_t length, int *ret_offset_s);

/* A regex of all abbreviations as alternatives, "UTC|GMT|..."; letters: also those of one letter.
 * The caller frees it. */
char *date_zone_regex(bool letters);

#endif
