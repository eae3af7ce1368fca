/* Logs into which a client can write lines of its own. */
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

/* nginx writes the path of a missing file into it as the client sent it, newlines included. */
static bool is_nginx_error_log(const struct config_jail *jail, const char *path)
{
	return strstr(file_of(path), "error") &&
	       (strstr(path, "nginx") || strncmp(jail->filter.name, "nginx", 5) == 0);
}

/* FreePBX up to 14 writes the bare text there, a name with its newlines; later ones put the
 * channel before it, and the name on one line. A rule that does not ask for that takes both. */
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
				    "banned; the safer log is %s",
			shown, text_render_string(safer, sizeof(safer), access));
	}
	if (is_old_freepbx_log(jail, path) && !own_filter)
		return alloc_format("in %s FreePBX up to 14 writes a user name with its newlines: "
				    "whoever sends such a name forges a whole line, and has "
				    "others banned; the safer log is that of FreePBX 15 and "
				    "later, with voipguard's filter freepbx",
			shown);
	return NULL;
}
