#include "commands/import_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/config.h"

#define NEW "^\\[\\] \\[freepbx_security\\.NOTICE\\]: Authentication failure for .* from <HOST>"
#define OLD "Authentication failure for .* from <HOST>"
#define FREEPBX "/var/log/asterisk/freepbx_security.log"

/* Of a jail that follows `path`: what has to stand in the warning, NULL: none. */
static const struct {
	const char *filter;
	const char *rule;
	const char *prefregex;
	const char *path;
	bool own_filter;
	const char *safer;
} logs[] = {
	{ "nginx-http-auth", "x", NULL, "/var/log/nginx/error.log", false,
		"the safer log is /var/log/nginx/access.log" },
	{ "nginx-http-auth", "x", NULL, "/var/log/nginx/*error.log", true,
		"the safer log is /var/log/nginx/*access.log" },
	{ "web", "x", NULL, "/srv/nginx/pbx-error.log.1", false, "/srv/nginx/pbx-access.log.1" },
	{ "nginx-limit-req", "x", NULL, "/srv/www/error_log", false, "/srv/www/access_log" },
	{ "web", "x", NULL, "/nginx/e\x1b/error", false, "/nginx/e\\x1b/error holds" },
	{ "nginx-http-auth", "x", NULL, "/var/log/nginx/access.log", false, NULL },
	{ "nginx-http-auth", "x", NULL, "/var/log/error/access.log", false, NULL },
	{ "apache-auth", "x", NULL, "/var/log/apache2/error.log", false, NULL },
	{ "freepbx", OLD, NULL, FREEPBX, false, "FreePBX 15" },
	{ "pbx", OLD, NULL, "/srv/freepbx_security.log*", false, "/srv/freepbx_security.log*" },
	{ "freepbx", OLD, NULL, FREEPBX, true, NULL },
	{ "freepbx", NEW, NULL, FREEPBX, false, NULL },
	{ "freepbx", OLD, NEW, FREEPBX, false, NULL },
	{ "asterisk", OLD, NULL, "/var/log/asterisk/security.log", false, NULL },
};

static void forgeable_logs_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		struct config_text rule = { .text = (char *)(uintptr_t)logs[i].rule };
		struct config_jail
			jail = { .filter = {
					 .name = (char *)(uintptr_t)logs[i].filter,
					 .prefregex = { .text = (char *)(uintptr_t)logs[i]
									.prefregex },
					 .failregex = &rule,
					 .n_failregex = 1,
				 } };
		cleanup_free char *text = import_forgeable(&jail, logs[i].own_filter, logs[i].path);

		if (!text != !logs[i].safer || (text && !strstr(text, logs[i].safer)))
			fail_msg("row %zu: %s", i, text ? text : "nothing");
		assert_true(!text || !strchr(text, '\x1b'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forgeable_logs_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
