/* Where a jail's lines come from: the keys backend and journalmatch. Their words and rules are in
 * fail2ban's jail.conf(5), systemd.journal-fields(7) and journalctl(1). */
#include "config/journal_source.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/findings.h"
#include "base/text.h"
#include "config/config.h"
#include "config/filter_def.h"
#include "config/key.h"
#include "config/values.h"
#include "dialect/bracket.h"

enum {
	WORDS_MAX = 256,
	FILES_MAX = 64,
	FIELD_BYTES_MAX = 64, /* journald takes no longer names */
	/* sd_journal_open: LOCAL_ONLY 1, RUNTIME_ONLY 2, SYSTEM 4, CURRENT_USER 8; the flags above
	 * are of other calls */
	FLAGS_MAX = 15,
};

/* One option of systemd[...], while it is read. */
struct option_reader {
	struct config_reader *reader;
	struct config_journal_source *source;
	const struct dialect_value *value;
	const struct bracket_option *option;
	struct position at; /* of its value */
};

/* Says whether the path, which stands at offset in the option's value, is absolute; one that is not
 * becomes a finding. */
static bool is_absolute(const struct option_reader *o, const char *path, size_t offset)
{
	struct position at = dialect_at(o->value, o->option->value_offset + offset);

	if (path[0] != '/')
		values_error(o->reader, &at,
			"backend: %s: '%s' is not an absolute path: it must begin with /",
			o->option->name, text_shown_string(path).text);
	return path[0] == '/';
}

static void read_path(struct option_reader *o)
{
	if (!is_absolute(o, o->option->value, 0))
		return;
	free(o->source->path);
	o->source->path = alloc_string(o->option->value);
}

static void read_files(struct option_reader *o)
{
	const char *text = o->option->value;
	struct config_journal_source *source = o->source;

	while (*(text += strspn(text, " ,\t\n"))) {
		size_t length = strcspn(text, " ,\t\n");
		cleanup_free char *path = alloc_bytes(text, length);

		if (source->n_files == FILES_MAX) {
			values_error(o->reader, &o->at, "backend: journalfiles: more than %d",
				FILES_MAX);
			return;
		}
		if (!is_absolute(o, path, (size_t)(text - o->option->value)))
			return;
		source->files =
			alloc_grow(source->files, source->n_files + 1, sizeof(source->files[0]));
		source->files[source->n_files++] = alloc_string(path);
		text += length;
	}
}

static void read_flags(struct option_reader *o)
{
	unsigned long flags;

	if (!values_parse_number(o->option->value, &flags) || flags > FLAGS_MAX)
		values_error(o->reader, &o->at,
			"backend: journalflags: '%s' is no sum of 1 (this machine), 2 (since the "
			"start), 4 (system) and 8 (this user)",
			text_shown_string(o->option->value).text);
	else
		o->source->flags = (int)flags;
}

static void read_namespace(struct option_reader *o)
{
	free(o->source->namespace);
	o->source->namespace = *o->option->value ? alloc_string(o->option->value) : NULL;
}

static void read_rotated(struct option_reader *o)
{
	int truth = values_truth(o->option->value);

	if (truth < 0)
		values_error(o->reader, &o->at, "backend: rotated: '%s' is neither true nor false",
			text_shown_string(o->option->value).text);
	else
		o->source->rotated = truth == 1;
}

static const struct {
	const char *name;
	void (*read)(struct option_reader *o);
} options[] = { { "journalpath", read_path }, { "journalfiles", read_files },
	{ "journalflags", read_flags }, { "namespace", read_namespace },
	{ "rotated", read_rotated } };
enum { N_OPTIONS = sizeof(options) / sizeof(options[0]) };

static void read_option(struct option_reader *o, const struct position *name_at)
{
	const char *names[N_OPTIONS];

	for (size_t i = 0; i < N_OPTIONS; i++) {
		names[i] = options[i].name;
		if (strcmp(o->option->name, names[i]) != 0)
			continue;
		options[i].read(o);
		return;
	}
	values_error(o->reader, name_at, "backend: unknown option '%s'%s",
		text_shown_string(o->option->name).text,
		values_guess(o->option->name, names, N_OPTIONS,
			" (there are journalpath, journalfiles, journalflags, namespace, rotated)")
			.text);
}

/* Those that are offered for a mistyped word come first: gamin is gone from fail2ban, too. */
static const struct {
	const char *word;
	enum config_backend backend;
} backends[] = {
	{ "auto", BACKEND_AUTO },
	{ "pyinotify", BACKEND_AUTO },
	{ "polling", BACKEND_POLLING },
	{ "systemd", BACKEND_JOURNAL },
	{ "gamin", BACKEND_AUTO },
};
enum { N_BACKENDS = sizeof(backends) / sizeof(backends[0]), N_GUESSED = N_BACKENDS - 1 };

/* False: there is no backend of that name, which becomes a finding. */
static bool read_word_of_backend(struct config_reader *reader, const char *word,
	const struct position *at, enum config_backend *ret_backend)
{
	const char *names[N_BACKENDS];

	for (size_t i = 0; i < N_BACKENDS; i++) {
		names[i] = backends[i].word;
		if (strcasecmp(word, names[i]) != 0)
			continue;
		*ret_backend = backends[i].backend;
		return true;
	}
	values_error(reader, at, "backend: '%s' is not known%s", text_shown_string(word).text,
		values_guess(word, names, N_GUESSED, "; there are auto, polling and systemd").text);
	return false;
}

static void read_backend(struct config_reader *reader, struct config_jail *jail,
	const struct dialect_value *value, const struct bracket *call)
{
	struct option_reader o = { .reader = reader, .source = &jail->journal, .value = value };
	struct position at = dialect_at(value, call->offset);

	if (!read_word_of_backend(reader, call->name, &at, &jail->backend))
		return;
	for (size_t i = 0; i < call->n_options; i++) {
		o.option = &call->options[i];
		o.at = dialect_at(value, o.option->value_offset);
		at = dialect_at(value, o.option->name_offset);
		if (jail->backend == BACKEND_JOURNAL)
			read_option(&o, &at);
		else
			values_error(reader, &at, "backend: only systemd has options");
	}
	if (jail->journal.path && jail->journal.n_files)
		values_error(reader, &at,
			"backend: journalpath and journalfiles exclude each other");
}

void journal_source_read(struct config_reader *reader, const struct key *key, void *base)
{
	struct config_jail *jail = base;
	struct dialect_value value;
	struct bracket call = { 0 };
	struct position at;
	struct error err;
	size_t offset = 0;
	size_t wrong = 0;

	jail->journal.flags = -1;
	if (!values_get(reader, key->name, &value))
		return;
	if (bracket_parse(value.text, &offset, &call, &wrong, &err) < 0) {
		at = dialect_at(&value, wrong);
		values_error(reader, &at, "backend: %s", err.text);
	} else if (call.name) {
		read_backend(reader, jail, &value, &call);
		offset += strspn(value.text + offset, " \t\n");
		at = dialect_at(&value, offset);
		if (value.text[offset])
			values_error(reader, &at, "backend: only one can be given");
	}
	bracket_done(&call);
	dialect_value_done(&value);
}

/* For glob(): a directory that may not be read ends the search, because the file may be in it. */
static int glob_error(const char *path, int error)
{
	(void)path;
	return error != ENOENT && error != ENOTDIR;
}

/* Says whether a file matches the pattern; also true if that cannot be known. */
static bool may_exist(const char *pattern)
{
	struct stat info;
	glob_t found = { 0 };
	int rc;

	if (!strpbrk(pattern, "*?["))
		return stat(pattern, &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
	rc = glob(pattern, GLOB_NOSORT, glob_error, &found);
	globfree(&found);
	return rc != GLOB_NOMATCH;
}

void journal_source_read_if_no_logs(struct config_reader *reader, const struct key *key, void *base)
{
	struct config_jail *jail = base;

	jail->journal_if_no_logs = reader->place->fail2ban;
	key_read_value(reader, key, base);
}

bool journal_source_replaces(const struct config_jail *jail)
{
	if (!jail->journal_if_no_logs || jail->backend != BACKEND_AUTO ||
		!jail->filter.match.n_words || !jail->n_logpaths)
		return false;
	for (size_t i = 0; i < jail->n_logpaths; i++)
		if (may_exist(jail->logpaths[i].pattern))
			return false;
	return true;
}

/* Copies the word at value->text[*at] without its quotes, and moves *at behind it. NULL: a quote is
 * not closed. */
static char *read_word(const struct dialect_value *value, size_t *at)
{
	char *word = alloc_zero(value->length - *at + 1);
	char quote = '\0';
	size_t length = 0;

	for (; value->text[*at]; (*at)++) {
		char c = value->text[*at];

		if (!quote && strchr(" \t\n", c))
			break;
		if (c == quote) {
			quote = '\0';
		} else if (!quote && (c == '"' || c == '\'')) {
			quote = c;
		} else {
			/* inside "" a backslash quotes only " and itself */
			if (c == '\\' && value->text[*at + 1] && quote != '\'' &&
				(!quote || strchr("\"\\", value->text[*at + 1])))
				c = value->text[++*at];
			word[length++] = c;
		}
	}
	if (!quote)
		return word;
	free(word);
	return NULL;
}

/* Says whether the word is FIELD=value, with the name in capitals as journald has them. */
static bool is_match(const char *word)
{
	size_t length = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return length && length <= FIELD_BYTES_MAX && word[length] == '=' &&
	       !(word[0] >= '0' && word[0] <= '9');
}

/* Adds a word; takes ownership of it. */
static void add_word(struct config_journal *match, char *word, const struct position *at)
{
	match->words = alloc_grow(match->words, match->n_words + 1, sizeof(match->words[0]));
	match->words[match->n_words++] = (struct config_text){ word, *at };
}

/* Says whether the next word begins a group: it is the first of all, or behind a "+". */
static bool begins_group(const struct config_journal *match)
{
	return !match->n_words || strcmp(match->words[match->n_words - 1].text, "+") == 0;
}

/* Reads one word. False: it is wrong, which becomes a finding; the rest need not be read. */
static bool read_match_word(struct config_reader *reader, struct config_journal *match,
	const struct dialect_value *value, size_t *io_at)
{
	struct position at = dialect_at(value, *io_at);
	char *word = read_word(value, io_at);
	const char *wrong = NULL;

	if (!word)
		wrong = "a quotation mark is not closed";
	else if (match->n_words >= WORDS_MAX)
		wrong = "this is one word too many";
	else if (strcmp(word, "+") == 0 && begins_group(match))
		wrong = "nothing stands before this '+'";
	else if (strcmp(word, "+") != 0 && !is_match(word))
		wrong = "this is neither FIELD=value nor +";
	if (wrong)
		values_error(reader, &at, "journalmatch: %s%s%s%s", wrong, word ? ": '" : "",
			text_shown_string(word ? word : "").text, word ? "'" : "");
	if (!wrong)
		add_word(match, word, &at);
	else
		free(word);
	return !wrong;
}

void journal_source_match(struct config_reader *reader, const struct dialect_value *value,
	struct config_journal *match)
{
	bool good = true;
	size_t at = 0;

	while (good && value->text && value->text[at]) {
		size_t blanks = strspn(value->text + at, " \t\n");
		bool new_line = memchr(value->text + at, '\n', blanks) != NULL;
		struct position place = dialect_at(value, at + blanks);

		at += blanks;
		if (!value->text[at])
			break;
		if (new_line && !begins_group(match) && value->text[at] != '+')
			add_word(match, alloc_string("+"), &place);
		good = read_match_word(reader, match, value, &at);
	}
	if (good && match->n_words && begins_group(match))
		values_error(reader, &match->words[match->n_words - 1].at,
			"journalmatch: nothing stands behind this '+'");
}

/* ---- printing ---- */

/* Adds three texts to *io_text. */
static void append(char **io_text, const char *before, const char *text, const char *behind)
{
	char *longer = alloc_format("%s%s%s%s", *io_text, before, text, behind);

	free(*io_text);
	*io_text = longer;
}

/* Prints a row for a person; for a file adds the option to the brackets in *io_text. */
static void print_option(struct sheet *sheet, char **io_text, const char *name, const char *value)
{
	if (!sheet->is_file) {
		sheet_row(sheet, name, value);
		return;
	}
	append(io_text, strchr(*io_text, '[') ? ", " : "[", name, "=\"");
	append(io_text, value, "\"", "");
}

static void print_options(struct sheet *sheet, char **io_text,
	const struct config_journal_source *source)
{
	char flags[16];

	text_format(flags, sizeof(flags), "%d", source->flags);
	if (source->path)
		print_option(sheet, io_text, "journalpath", source->path);
	for (size_t i = 0; i < source->n_files; i++)
		print_option(sheet, io_text, i && !sheet->is_file ? "" : "journalfiles",
			source->files[i]);
	if (source->flags >= 0)
		print_option(sheet, io_text, "journalflags", flags);
	if (source->namespace)
		print_option(sheet, io_text, "namespace", source->namespace);
	if (source->rotated)
		print_option(sheet, io_text, "rotated", sheet->is_file ? "1" : "true");
	if (strchr(*io_text, '['))
		append(io_text, "]", "", "");
}

/* In a file all words are on one line: a further line is a further group. */
static void print_match(struct sheet *sheet, const struct config_journal *match)
{
	cleanup_free char *line = alloc_string("");

	for (size_t i = 0; i < match->n_words; i++) {
		const char *word = match->words[i].text;
		const char *quote = strpbrk(word, " \t\"'") ? "\"" : "";

		if (!sheet->is_file)
			sheet_row(sheet, i ? "" : "journalmatch", word);
		append(&line, i ? " " : "", quote, word);
		append(&line, quote, "", "");
	}
	if (sheet->is_file && match->n_words)
		sheet_row(sheet, "journalmatch", line);
}

void journal_source_print(struct sheet *sheet, const struct key *key, const void *base)
{
	static const char *const words[] = { "auto", "polling", "systemd" };
	const struct config_jail *jail = base;
	cleanup_free char *text = alloc_string(words[jail->backend]);

	if (!sheet->is_file)
		sheet_row(sheet, key->name, text);
	if (jail->backend == BACKEND_JOURNAL)
		print_options(sheet, &text, &jail->journal);
	if (sheet->is_file && jail->backend != BACKEND_AUTO)
		sheet_row(sheet, key->name, text);
	if (jail->backend == BACKEND_JOURNAL)
		print_match(sheet, &jail->filter.match);
}

void journal_source_match_done(struct config_journal *match)
{
	for (size_t i = 0; i < match->n_words; i++)
		free(match->words[i].text);
	free(match->words);
	*match = (struct config_journal){ 0 };
}

void journal_source_done(struct config_jail *jail)
{
	for (size_t i = 0; i < jail->journal.n_files; i++)
		free(jail->journal.files[i]);
	free(jail->journal.files);
	free(jail->journal.path);
	free(jail->journal.namespace);
}
