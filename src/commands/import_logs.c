/* Logs into which a client can write whole lines, with any address in them, by sending newlines. */
#include "commands/import_parts.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "config/config.h"

enum { SHOWN_MAX = 512 };

static const char *file_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The error log of nginx holds the path of a file that it did not find as the client sent it: "GET
 * /%0a..." starts a new line in it. */
static bool is_nginx_error_log(const struct config_jail *jail, const char *path)
{
	return strstr(file_of(path), "error") &&
	       (strstr(path, "nginx") || strncmp(jail->filter.name, "nginx", 5) == 0);
}

/* FreePBX up to 14 writes only the message into this log, with the newlines that a user name may
 * hold. Later ones put "freepbx_security.NOTICE" before it, and keep it on one line. A rule that
 * does not ask for that prefix would match the lines of both. */
static bool is_old_freepbx_log(const struct config_jail *jail, const char *path)
{
	const struct filter_def *filter = &jail->filter;
	static const char channel[] = "freepbx_security\\.NOTICE";

	if (!strstr(file_of(path), "freepbx_security") ||
		(filter->prefregex.text && strstr(filter->prefregex.text, channel)))
		return false;
	for (size_t i = 0; i < filter->n_failregex; i++)
		if (!strstr(filter->failregex[i].text, channel))
			return true;
	return false;
}

char *import_forgeable(const struct config_jail *jail, bool own_filter, const char *path)
{
	const char *error = strstr(file_of(path), "error");
	char shown[SHOWN_MAX];
	char safer[SHOWN_MAX];

	text_render_string(shown, sizeof(shown), path);
	if (is_nginx_error_log(jail, path)) {
		cleanup_free char *head = alloc_bytes(path, (size_t)(error - path));
		cleanup_free char *access = alloc_format("%saccess%s", head, error + 5);

		return alloc_format("%s holds what a client asked for with its newlines: whoever "
				    "sends such a request forges a whole line, and has others "
				    "banned; the safer log is %s%s",
			shown, text_render_string(safer, sizeof(safer), access),
			own_filter ? ", which voipguard's filter reads; this one only with "
				     "mode=errorlog"
				   : "");
	}
	if (is_old_freepbx_log(jail, path) && !own_filter)
		return alloc_format("in %s FreePBX up to 14 writes a user name with its newlines: "
				    "whoever sends such a name forges a whole line, and has "
				    "others banned; the safer log is that of FreePBX 15 and "
				    "later, with voipguard's filter freepbx",
			shown);
	return NULL;
}
