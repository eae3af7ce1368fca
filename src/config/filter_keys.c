#include "config/filter_keys.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/text.h"
#include "config/filter_def.h"
#include "config/key.h"
#include "config/values.h"

static const char *const usedns_words[] = {
	[USEDNS_UNSET] = "no",
	[USEDNS_NO] = "no",
	[USEDNS_YES] = "yes",
	[USEDNS_WARN] = "warn",
	[USEDNS_RAW] = "raw",
};

const char *filter_keys_usedns_word(enum usedns usedns)
{
	return usedns_words[usedns];
}

/* In a file usedns is printed with the keys of the jail, since that of a filter is not followed. */
static void print_usedns(struct sheet *sheet, const struct key *key, const void *base)
{
	const struct filter_def *def = base;

	if (!sheet->is_file)
		sheet_row(sheet, key->name, usedns_words[def->usedns]);
}

static void print_maxlines(struct sheet *sheet, const struct key *key, const void *base)
{
	const struct filter_def *def = base;

	if (def->maxlines > 1)
		key_print_value(sheet, key, base);
}

static const struct key rows[] = {
	{ "parser", KEY_TEXT, .offset = offsetof(struct filter_def, parser) },
	{ "maxlines", KEY_NUMBER, .offset = offsetof(struct filter_def, maxlines), .initial = 1,
		.least = 1, .most = 100, .print = print_maxlines,
		.idle = "the parser itself says where a record ends" },
	{ "usedns", .type = KEY_NAMED, .print = print_usedns,
		.idle = "a record has an address, never a name" },
	{ "logtimezone", KEY_TEXT, .offset = offsetof(struct filter_def, logtimezone),
		.idle = "the time of a record has its zone with it" },
	{ "datepattern", KEY_LIST, .offset = offsetof(struct filter_def, datepattern),
		.idle = "each record brings its own time" },
	{ "proof", KEY_TEXT, .offset = offsetof(struct filter_def, proof_word),
		.idle = "a record says how sure its source is" },
	{ "prefregex", KEY_TEXT, .offset = offsetof(struct filter_def, prefregex) },
	{ "failregex", KEY_LIST, .offset = offsetof(struct filter_def, failregex) },
	{ "ignoreregex", KEY_LIST, .offset = offsetof(struct filter_def, ignoreregex) },
	{ "journalmatch", .type = KEY_NAMED }, /* printed with the jail's backend */
	{ "logtype",
		.type = KEY_NAMED }, /* fail2ban's filters choose their rules by logtype and mode */
	{ "mode", .type = KEY_NAMED },
};

const struct key_table filter_keys = { rows, sizeof(rows) / sizeof(rows[0]) };

/* ---- parser ---- */

bool filter_keys_set(const struct config_filter *filter, const char *name)
{
	return dialect_own_key(filter->sections[0], name) ||
	       dialect_own_key(filter->sections[1], name);
}

/* Says whether the file is one of the filter's own, which are NAME.conf, NAME.local and those in
 * NAME.d; else it is a file that one of these includes. */
static bool is_own_file(const struct config_filter *filter, const char *path)
{
	const char *own = basename(filter->path);
	const char *dot = strrchr(own, '.');
	cleanup_free char *stem = alloc_format("%.*s.", (int)(dot - own), own);
	cleanup_free char *folder = alloc_format("/%sd/", stem);

	return strncmp(basename(path), stem, strlen(stem)) == 0 || strstr(path, folder);
}

/* Finds where the key is set for this jail, so that somebody can take it out there. False: it is
 * not set, or only where other jails and filters may need it. */
static bool find_key(const struct config_filter *filter, const struct config_reader *jail,
	const char *name, struct position *ret_at)
{
	const struct dialect_option *option = dialect_option(&filter->reader.view, name);
	const struct dialect_key *key = jail ? dialect_own_key(jail->view.section, name) : NULL;

	if (!key && option) {
		*ret_at = dialect_at(&option->value, 0);
		return true;
	}
	for (size_t i = 0; !key && i < 2; i++) {
		key = dialect_own_key(filter->sections[i], name);
		if (key && !(key->at.file && is_own_file(filter, key->at.file)))
			key = NULL;
	}
	if (key)
		*ret_at = key->at;
	return key != NULL;
}

void filter_keys_check_parser(struct config_filter *filter, const struct config_reader *jail,
	const struct filter_def *def)
{
	struct position at;

	if (!def->parser.text)
		return;
	if (strcmp(def->parser.text, "asterisk-security") != 0) {
		values_error(&filter->reader, &def->parser.at,
			"parser: '%s' is not known; there is asterisk-security",
			text_shown_string(def->parser.text).text);
		return;
	}
	for (size_t i = 0; i < filter_keys.count; i++)
		if (rows[i].idle && find_key(filter, jail, rows[i].name, &at))
			finding_warning(filter->reader.findings, &at,
				"%s has no effect with parser = %s: %s", rows[i].name,
				def->parser.text, rows[i].idle);
}

/* ---- proof ---- */

void filter_keys_check_proof(struct config_filter *filter, struct filter_def *def)
{
	const char *word = def->proof_word.text;

	if (!word || def->parser.text)
		return;
	if (strcmp(word, "tcp") == 0)
		def->proof = PROOF_TCP;
	else if (strcmp(word, "none") == 0)
		def->proof = PROOF_NONE;
	else
		values_error(&filter->reader, &def->proof_word.at,
			"proof: '%s' is neither tcp nor none", text_shown_string(word).text);
}

/* ---- usedns ---- */

/* USEDNS_UNSET: it is none of these words. */
static enum usedns usedns_of(const char *word)
{
	int truth = values_truth(word);

	if (truth >= 0)
		return truth ? USEDNS_YES : USEDNS_NO;
	if (strcasecmp(word, "warn") == 0)
		return USEDNS_WARN;
	return strcasecmp(word, "raw") == 0 ? USEDNS_RAW : USEDNS_UNSET;
}

void filter_keys_parse_usedns(struct config_reader *reader, const struct config_text *word,
	enum usedns *io_usedns)
{
	enum usedns usedns = usedns_of(word->text);

	if (usedns == USEDNS_UNSET)
		values_error(reader, &word->at, "usedns: '%s' is none of yes, warn, no, raw",
			text_shown_string(word->text).text);
	else
		*io_usedns = usedns;
}

/* Reads the key of reader's section, and returns its place. *ret_usedns is USEDNS_UNSET if the key
 * is not set; also if it is wrong, which becomes a finding. */
static struct position read_usedns(struct config_reader *reader, enum usedns *ret_usedns)
{
	struct config_text word = values_scalar(reader, "usedns");

	*ret_usedns = USEDNS_UNSET;
	if (word.text)
		filter_keys_parse_usedns(reader, &word, ret_usedns);
	free(word.text);
	return word.at;
}

static void warn_unused_usedns(struct config_reader *reader, enum usedns usedns,
	const struct position *at)
{
	if (usedns > USEDNS_NO)
		finding_warning(reader->findings, at,
			"usedns is not honoured here: names are never looked up unless a jail's "
			"own section says so");
}

/* Warns if the filter asks for names to be looked up. An option in the brackets counts before a key
 * of the filter's files. */
static void check_usedns_of_filter(struct config_reader *reader, const struct config_filter *filter)
{
	const struct dialect_option *option = dialect_option(&filter->reader.view, "usedns");
	struct config_reader files = filter->reader;
	enum usedns usedns;
	struct position at;

	if (option) {
		at = dialect_at(&option->value, 0);
		usedns = usedns_of(option->value.text); /* a wrong one decides nothing */
	} else {
		at = read_usedns(&files, &usedns);
	}
	warn_unused_usedns(reader, usedns, &at);
}

enum usedns filter_keys_read_usedns(struct config_reader *reader,
	const struct config_filter *filter, bool enabled, bool has_parser)
{
	bool own = dialect_own_key(reader->view.section, "usedns") != NULL;
	enum usedns usedns;
	struct position at = read_usedns(reader, &usedns);

	if (has_parser)
		return USEDNS_NO;
	if (own && (usedns == USEDNS_YES || usedns == USEDNS_WARN))
		finding_warning(reader->findings, &at,
			"usedns: whoever can write a name into the log chooses what it resolves "
			"to: a resolved address is unproven");
	if (own && usedns != USEDNS_UNSET)
		return usedns;
	if (!own && enabled) {
		warn_unused_usedns(reader, usedns, &at);
		if (filter)
			check_usedns_of_filter(reader, filter);
	}
	return USEDNS_NO;
}
