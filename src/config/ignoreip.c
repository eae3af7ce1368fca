#include "config/ignoreip.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "config/config.h"
#include "config/key.h"
#include "config/values.h"
#include "dialect/ignore_words.h"
#include "dialect/ini.h"

enum { IGNOREIP_MAX = 4096, IGNORES_MAX = 256 };

static void check_file(struct config_reader *reader, const struct config_ignore *ignore)
{
	cleanup_free char *bytes = NULL;
	struct ignore_words list;
	struct error err;
	size_t length;

	if (ini_load(ignore->text, &bytes, &length, &err) < 0) {
		values_error(reader, &ignore->at,
			"ignoreip: '%s': %s; without it this jail would ban whom it protects",
			text_shown_string(ignore->text).text, err.text);
		return;
	}
	if (ignore_words_parse(bytes, length, ignore->text, &list, reader->findings) < 0)
		reader->broken = true;
	ignore_words_done(&list);
}

static void add_address(struct config_reader *reader, struct config_jail *jail, const struct ip *ip,
	const struct position *at)
{
	if (jail->n_ignoreip == IGNOREIP_MAX) {
		values_error(reader, at, "ignoreip: more than %d addresses", IGNOREIP_MAX);
		return;
	}
	jail->ignoreip =
		alloc_grow(jail->ignoreip, jail->n_ignoreip + 1, sizeof(jail->ignoreip[0]));
	jail->ignoreip[jail->n_ignoreip++] = *ip;
	if (ignore_words_is_wide(ip))
		ignore_words_warn_wide(ip, at, reader->findings);
}

static void add_indirect(struct config_reader *reader, struct config_jail *jail, const char *text,
	bool is_file, const struct position *at)
{
	struct config_ignore *ignore;

	if (jail->n_ignores == IGNORES_MAX) {
		values_error(reader, at, "ignoreip: more than %d names and files", IGNORES_MAX);
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
		values_error(reader, at, "ignoreip: %s%s", err.text, values_comment_hint(word));
		return;
	}
	switch (kind) {
	case IGNORE_WORDS_ADDRESS:
		add_address(reader, jail, &ip, at);
		break;
	case IGNORE_WORDS_NAME:
		add_indirect(reader, jail, word, false, at);
		break;
	case IGNORE_WORDS_FILE:
		add_indirect(reader, jail, ignore_words_path(word), true, at);
		break;
	}
}

void ignoreip_read(struct config_reader *reader, const struct key *key, void *base)
{
	struct dialect_value value;
	struct position place;
	size_t at = 0;
	char *word;

	if (!values_get(reader, key->name, &value))
		return;
	while ((word = dialect_next_word(&value, " \t\n,", &at, &place)) != NULL) {
		add_word(reader, base, word, &place);
		free(word);
	}
	dialect_value_done(&value);
}

void ignoreip_print(struct sheet *sheet, const struct key *key, const void *base)
{
	const struct config_jail *jail = base;
	const char *name = key->name;
	char address[IP_TEXT_MAX];

	for (size_t i = 0; i < jail->n_ignoreip; i++, name = "")
		sheet_row(sheet, name, ip_format(&jail->ignoreip[i], address));
	for (size_t i = 0; i < jail->n_ignores; i++, name = "") {
		cleanup_free char *word = alloc_format("%s%s",
			jail->ignores[i].is_file ? "file:" : "", jail->ignores[i].text);

		sheet_row(sheet, name, word);
	}
}

void ignoreip_done(struct config_jail *jail)
{
	for (size_t i = 0; i < jail->n_ignores; i++)
		free(jail->ignores[i].text);
	free(jail->ignores);
	free(jail->ignoreip);
}
