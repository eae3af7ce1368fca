#include "base/utc.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

const char *utc_format(int64_t at_s, char out[UTC_TEXT_MAX])
{
	time_t at = (time_t)at_s;
	struct tm parts;

	out[0] = '\0';
	if (gmtime_r(&at, &parts) && parts.tm_year >= -1900 && parts.tm_year <= 8099)
		(void)snprintf(out, UTC_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ",
			parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
			parts.tm_min, parts.tm_sec); /* fits */
	return out;
}

const char *utc_format_ms(int64_t at_ms, char out[UTC_TEXT_MAX])
{
	int64_t at_s = at_ms / 1000 - (at_ms % 1000 < 0);
	size_t used;

	utc_format(at_s, out);
	used = strlen(out);
	if (used && at_ms != at_s * 1000)
		(void)snprintf(out + used - 1, UTC_TEXT_MAX - used, ".%03dZ",
			(int)(at_ms - at_s * 1000)); /* fits */
	return out;
}
