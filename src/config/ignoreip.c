#include "config/ignoreip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "config/config.h"
#include "config/values.h"
#include "dialect/ignore_words.h"
#include "dialect/ini.h"

enum { SHOWN_MAX = 160, IGNOREIP_MAX = 4096, IGNORES_MAX = 256 };

static void check_file(struct config_reader *reader, const struct config_ignore *ignore)
{
	cleanup_free char *bytes = NULL;
	struct ignore_words list;
	char shown[SHOWN_MAX];
	struct error err;
	size_t length;

	if (ini_load(ignore->text, &bytes, &length, &err) < 0) {
		config_value_error(reader, &ignore->at,
			"ignoreip: '%s': %s; without it this jail would ban whom it protects",
			text_render_string(shown, sizeof(shown), ignore->text), err.text);
		return;
	}
	if (ignore_words_parse(bytes, length, ignore->text, &list, reader->findings) < 0)
		reader->broken = true;
	ignore_words_done(&list);
}

static void add_indirect(struct config_reader *reader, struct config_jail *jail, const char *text,
	bool is_file, const struct position *at)
{
	struct config_ignore *ignore;

	if (jail->n_ignores == IGNORES_MAX) {
		config_value_error(reader, at, "ignoreip: more than %d names and files",
			IGNORES_MAX);
		return;
	}
	jail->ignores = alloc_grow(jail->ignores, jail->n_ignores + 1, sizeof(jail->ignores[0]));
	ignore = &jail->ignores[jail->n_ignores++];
	*ignore = (struct config_ignore){ alloc_string(text), is_file, *at };
	if (is_file && jail->enabled)
		check_file(reader, ignore);
}

static void add_word(struct config_reader *reader, struct config_jail *jail, const char *word,
	const struct position *at)
{
	enum ignore_words_kind kind;
	struct error err;
	struct ip ip;

	if (ignore_words_word(word, &kind, &ip, &err) < 0) {
		config_value_error(reader, at, "ignoreip: %s%s", err.text,
			config_value_comment_hint(word));
		return;
	}
	switch (kind) {
	case IGNORE_WORDS_ADDRESS:
		if (jail->n_ignoreip == IGNOREIP_MAX) {
			config_value_error(reader, at, "ignoreip: more than %d addresses",
				IGNOREIP_MAX);
			return;
		}
		jail->ignoreip =
			alloc_grow(jail->ignoreip, jail->n_ignoreip + 1, sizeof(jail->ignoreip[0]));
		jail->ignoreip[jail->n_ignoreip++] = ip;
		if (ignore_words_is_wide(&ip))
			ignore_words_warn_wide(&ip, at, reader->findings);
		return;
	case IGNORE_WORDS_NAME:
		add_indirect(reader, jail, word, false, at);
		return;
	case IGNORE_WORDS_FILE:
		add_indirect(reader, jail, ignore_words_path(word), true, at);
		return;
	}
}

void config_ignore_read(struct config_reader *reader, struct config_jail *jail)
{
	static const char *const blanks = " \t\n,";
	struct dialect_value value;
	size_t at = 0;

	if (!config_value_get(reader, "ignoreip", &value))
		return;
	while (value.text[at += strspn(value.text + at, blanks)]) {
		size_t length = strcspn(value.text + at, blanks);
		cleanup_free char *word = alloc_bytes(value.text + at, length);
		struct position place = dialect_at(&value, at);

		add_word(reader, jail, word, &place);
		at += length;
	}
	dialect_value_done(&value);
}

void config_ignore_done(struct config_jail *jail)
{
	for (size_t i = 0; i < jail->n_ignores; i++)
		free(jail->ignores[i].text);
	free(jail->ignores);
	free(jail->ignoreip);
}
