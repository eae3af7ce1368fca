#include "match/rule_date.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/findings.h"
#include "config/config.h"
#include "date/date.h"

enum { LEAD_MAX = 2 }; /* bytes that may stand before the date of a journal's entry */

struct date *filter_date_new(const struct filter_def *def, struct findings *findings)
{
	struct date *date = NULL;
	const char **patterns = alloc_array(def->n_datepattern + 1, sizeof(*patterns));
	struct position at = { .file = def->path };
	struct date_fault fault = { 0 };
	struct error err;
	int rc;

	for (size_t i = 0; i < def->n_datepattern; i++)
		patterns[i] = def->datepattern[i].text;
	rc = date_new(patterns, def->n_datepattern, def->logtimezone.text, &date, &fault, &err);
	if (rc && fault.pattern < def->n_datepattern) {
		at = def->datepattern[fault.pattern].at;
		at.column += at.line ? (unsigned)fault.offset : 0;
		for (size_t i = 0; at.line && i < fault.offset; i++)
			at.column += patterns[fault.pattern][i] == '%'; /* doubled in files */
	} else if (rc && def->logtimezone.text) {
		at = def->logtimezone.at;
	}
	if (rc)
		(void)finding_error(findings, &at, "%s", err.text);
	free(patterns);
	return date;
}

bool filter_date_leads(const struct date_found *found, const char *line)
{
	for (size_t i = 0; i < found->cut_start; i++)
		if (i == LEAD_MAX || strchr("0123456789", line[i]) ||
			((line[i] | 0x20) >= 'a' && (line[i] | 0x20) <= 'z'))
			return false;
	return true;
}
