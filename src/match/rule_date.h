#ifndef VG_RULE_DATE_H
#define VG_RULE_DATE_H

#include <stdbool.h>

struct date;
struct date_found;
struct filter_def;
struct findings;

/* Compiles the datepatterns of def, or the default templates. NULL: an error was added. */
struct date *filter_date_new(const struct filter_def *def, struct findings *findings);

/* Whether the date stands at the start of the line, but for a bracket or blank. */
bool filter_date_leads(const struct date_found *found, const char *line);

#endif
