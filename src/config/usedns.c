#include "config/usedns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "config/filter_def.h"
#include "config/values.h"

enum { SHOWN_MAX = 128 };

int config_usedns_parse(const char *word, enum usedns *ret_usedns)
{
	int truth = config_value_truth(word);

	if (truth >= 0)
		*ret_usedns = truth ? USEDNS_YES : USEDNS_NO;
	else if (strcasecmp(word, "warn") == 0)
		*ret_usedns = USEDNS_WARN;
	else if (strcasecmp(word, "raw") == 0)
		*ret_usedns = USEDNS_RAW;
	else
		return -1;
	return 0;
}

/* *ret_usedns is UNSET where the key is not set, or wrong, which is told. */
static struct position read_key(struct config_reader *reader, enum usedns *ret_usedns)
{
	struct config_text text = config_value_scalar(reader, "usedns");
	char shown[SHOWN_MAX];

	*ret_usedns = USEDNS_UNSET;
	if (text.text && config_usedns_parse(text.text, ret_usedns) < 0)
		config_value_error(reader, &text.at, "usedns: '%s' is none of yes, warn, no, raw",
			text_render_string(shown, sizeof(shown), text.text));
	free(text.text);
	return text.at;
}

static void say_unused(struct config_reader *reader, enum usedns usedns, const struct position *at)
{
	if (usedns > USEDNS_NO)
		finding_warning(reader->findings, at,
			"usedns is not honoured here: names are never looked up unless a jail's "
			"own section says so");
}

/* The filter's value: an option of the call, else a key of its files. */
static void check_filter(struct config_reader *reader, const struct config_filter *filter)
{
	struct config_reader files = filter->reader;
	enum usedns usedns = USEDNS_UNSET;
	struct position at;

	for (size_t i = 0; i < filter->n_options; i++) {
		const struct dialect_option *option = &filter->options[i];

		if (strcmp(option->name, "usedns") != 0)
			continue;
		at = dialect_at(&option->value, 0);
		if (config_usedns_parse(option->value.text, &usedns) == 0)
			say_unused(reader, usedns, &at);
		return;
	}
	at = read_key(&files, &usedns);
	say_unused(reader, usedns, &at);
}

enum usedns config_usedns_read(struct config_reader *reader, const struct config_filter *filter,
	bool enabled, bool has_parser)
{
	bool own = dialect_own_key(reader->view.section, "usedns") != NULL;
	enum usedns usedns;
	struct position at = read_key(reader, &usedns);

	if (has_parser)
		return USEDNS_NO;
	if (own && (usedns == USEDNS_YES || usedns == USEDNS_WARN))
		finding_warning(reader->findings, &at,
			"usedns: whoever can write a name into the log chooses what it resolves "
			"to: a resolved address is unproven");
	if (own && usedns != USEDNS_UNSET)
		return usedns;
	if (!own && enabled) {
		say_unused(reader, usedns, &at);
		if (filter)
			check_filter(reader, filter);
	}
	return USEDNS_NO;
}
