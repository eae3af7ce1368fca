/* Jails and filters as text. */
#include "config/config.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "config/filter_keys.h"
#include "config/jail.h"
#include "config/key.h"

/* What has been printed to a stream of open_memstream(). */
static char *finish(FILE *out, char **text)
{
	if (out && fclose(out) == 0)
		return *text;
	free(*text);
	return alloc_string("");
}

char *config_show(const struct config *config, const struct config_jail *jail)
{
	char *text = NULL;
	size_t length = 0;
	struct sheet sheet = { .out = open_memstream(&text, &length), .config = config };

	if (sheet.out) {
		sheet_row(&sheet, "jail", jail->name);
		sheet_row(&sheet, "tree", config->dir);
		key_print_all(&sheet, &jail_keys, jail);
	}
	return finish(sheet.out, &text);
}

static char *write_keys(const struct key_table *table, const void *base)
{
	char *text = NULL;
	size_t length = 0;
	struct sheet sheet = { .out = open_memstream(&text, &length), .is_file = true };

	if (sheet.out)
		key_print_all(&sheet, table, base);
	return finish(sheet.out, &text);
}

char *config_write_jail(const struct config_jail *jail)
{
	return write_keys(&jail_keys, jail);
}

char *config_write_filter(const struct filter_def *filter)
{
	return write_keys(&filter_keys, filter);
}
