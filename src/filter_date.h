#ifndef VG_FILTER_DATE_H
#define VG_FILTER_DATE_H

struct date;
struct filter_def;
struct findings;

/* Compiles the datepatterns of def, or the default templates. NULL: an error was added. */
struct date *filter_date_new(const struct filter_def *def, struct findings *findings);

#endif
