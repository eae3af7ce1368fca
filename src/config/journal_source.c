/* Where a jail's lines come from: backend and journalmatch. Words and rules: fail2ban's
 * jail.conf(5), systemd.journal-fields(7), journalctl(1). */
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
#include "config/values.h"
#include "dialect/bracket.h"

enum {
	SHOWN_MAX = 160,
	WORDS_MAX = 256,
	FILES_MAX = 64,
	FIELD_BYTES_MAX = 64, /* journald takes no longer names */
	/* sd_journal_open: LOCAL_ONLY 1, RUNTIME_ONLY 2, SYSTEM 4, CURRENT_USER 8; the flags above
	 * are of other calls */
	FLAGS_MAX = 15,
};

static const char SYSTEMD[] = "systemd";

/* One option of systemd[...]. */
struct option_reader {
	struct config_reader *reader;
	struct config_journal_source *source;
	const struct dialect_value *value;
	const struct bracket_option *option;
	struct position at; /* of its value */
};

static bool is_absolute(const struct option_reader *o, const char *path, size_t offset)
{
	struct position at = dialect_at(o->value, o->option->value_offset + offset);
	char shown[SHOWN_MAX];

	if (path[0] == '/')
		return true;
	config_value_error(o->reader, &at,
		"backend: %s: '%s' is not an absolute path: it must begin with /", o->option->name,
		text_render_string(shown, sizeof(shown), path));
	return false;
}

static void take_path(struct option_reader *o)
{
	if (!is_absolute(o, o->option->value, 0))
		return;
	free(o->source->path);
	o->source->path = alloc_string(o->option->value);
}

static void take_files(struct option_reader *o)
{
	const char *text = o->option->value;
	struct config_journal_source *source = o->source;

	while (*(text += strspn(text, " ,\t\n"))) {
		size_t length = strcspn(text, " ,\t\n");
		char *path = alloc_bytes(text, length);

		if (source->n_files == FILES_MAX ||
			!is_absolute(o, path, (size_t)(text - o->option->value))) {
			if (source->n_files == FILES_MAX)
				config_value_error(o->reader, &o->at,
					"backend: journalfiles: more than %d", FILES_MAX);
			free(path);
			return;
		}
		source->files =
			alloc_grow(source->files, source->n_files + 1, sizeof(source->files[0]));
		source->files[source->n_files++] = path;
		text += length;
	}
}

static void take_flags(struct option_reader *o)
{
	const char *text = o->option->value;
	char shown[SHOWN_MAX];
	unsigned long flags;
	char *end;

	errno = 0;
	flags = strtoul(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || flags > FLAGS_MAX)
		config_value_error(o->reader, &o->at,
			"backend: journalflags: '%s' is no sum of 1 (this machine), 2 (since the "
			"start), 4 (system) and 8 (this user)",
			text_render_string(shown, sizeof(shown), text));
	else
		o->source->flags = (int)flags;
}

static void take_namespace(struct option_reader *o)
{
	free(o->source->namespace);
	o->source->namespace = *o->option->value ? alloc_string(o->option->value) : NULL;
}

static void take_rotated(struct option_reader *o)
{
	int truth = config_value_truth(o->option->value);
	char shown[SHOWN_MAX];

	if (truth < 0)
		config_value_error(o->reader, &o->at,
			"backend: rotated: '%s' is neither true nor false",
			text_render_string(shown, sizeof(shown), o->option->value));
	else
		o->source->rotated = truth == 1;
}

static const char *const option_names[] = { "journalpath", "journalfiles", "journalflags",
	"namespace", "rotated" };
static void (*const takers[])(struct option_reader *) = { take_path, take_files, take_flags,
	take_namespace, take_rotated };
enum { N_OPTIONS = sizeof(takers) / sizeof(takers[0]) };

static void take_option(struct option_reader *o, const struct position *name_at)
{
	const char *guess = guess_word(o->option->name, option_names, N_OPTIONS);
	char shown[SHOWN_MAX];

	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (strcmp(o->option->name, option_names[i]) == 0) {
			takers[i](o);
			return;
		}
	}
	text_render_string(shown, sizeof(shown), o->option->name);
	if (guess)
		config_value_error(o->reader, name_at,
			"backend: unknown option '%s': did you mean '%s'?", shown, guess);
	else
		config_value_error(o->reader, name_at,
			"backend: unknown option '%s' (there are journalpath, journalfiles, "
			"journalflags, namespace, rotated)",
			shown);
}

/* gamin is gone from fail2ban too; files are followed in one way here. False: no such word. */
static bool find_backend(const char *word, enum config_backend *ret_backend)
{
	static const struct {
		const char *word;
		enum config_backend backend;
	} words[] = {
		{ "auto", BACKEND_AUTO },
		{ "pyinotify", BACKEND_AUTO },
		{ "gamin", BACKEND_AUTO },
		{ "polling", BACKEND_POLLING },
		{ SYSTEMD, BACKEND_JOURNAL },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(word, words[i].word) == 0) {
			*ret_backend = words[i].backend;
			return true;
		}
	}
	return false;
}

static void say_unknown(struct config_reader *reader, const char *name, const struct position *at)
{
	static const char *const words[] = { "auto", "pyinotify", "polling", SYSTEMD };
	const char *guess = guess_word(name, words, sizeof(words) / sizeof(words[0]));
	char shown[SHOWN_MAX];

	text_render_string(shown, sizeof(shown), name);
	if (guess)
		config_value_error(reader, at, "backend: '%s' is not known: did you mean '%s'?",
			shown, guess);
	else
		config_value_error(reader, at,
			"backend: '%s' is not known; there are auto, polling and systemd", shown);
}

static void take_backend(struct config_reader *reader, struct config_jail *jail,
	const struct dialect_value *value, const struct bracket *call)
{
	struct option_reader o = { .reader = reader, .source = &jail->journal, .value = value };
	struct position at = dialect_at(value, call->offset);

	if (!find_backend(call->name, &jail->backend)) {
		say_unknown(reader, call->name, &at);
		return;
	}
	for (size_t i = 0; i < call->n_options; i++) {
		o.option = &call->options[i];
		o.at = dialect_at(value, o.option->value_offset);
		at = dialect_at(value, o.option->name_offset);
		if (jail->backend == BACKEND_JOURNAL)
			take_option(&o, &at);
		else
			config_value_error(reader, &at, "backend: only systemd has options");
	}
	if (jail->journal.path && jail->journal.n_files)
		config_value_error(reader, &at,
			"backend: journalpath and journalfiles exclude each other");
}

void config_journal_backend(struct config_reader *reader, struct config_jail *jail)
{
	struct dialect_value value;
	struct bracket call = { 0 };
	struct position at;
	struct error err;
	size_t offset = 0;
	size_t wrong = 0;

	jail->journal.flags = -1;
	if (!config_value_get(reader, "backend", &value))
		return;
	if (bracket_parse(value.text, &offset, &call, &wrong, &err) < 0) {
		at = dialect_at(&value, wrong);
		config_value_error(reader, &at, "backend: %s", err.text);
	} else if (call.name) {
		take_backend(reader, jail, &value, &call);
		offset += strspn(value.text + offset, " \t\n");
		at = dialect_at(&value, offset);
		if (value.text[offset])
			config_value_error(reader, &at, "backend: only one can be given");
	}
	bracket_done(&call);
	dialect_value_done(&value);
}

/* A directory that may not be read ends the search: who knows what is in it. */
static int glob_error(const char *path, int error)
{
	(void)path;
	return error != ENOENT && error != ENOTDIR;
}

/* Some file has this name, or that cannot be known. */
static bool exists(const char *pattern)
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

bool config_journal_replaces(struct config_reader *reader, const struct config_jail *jail,
	bool by_default)
{
	bool wanted = by_default;

	config_value_bool(reader, "systemd_if_nologs", &wanted);
	if (!wanted || jail->backend != BACKEND_AUTO || !jail->filter.match.n_words ||
		!jail->n_logpaths)
		return false;
	for (size_t i = 0; i < jail->n_logpaths; i++)
		if (exists(jail->logpaths[i].pattern))
			return false;
	return true;
}

/* The word at value->text[*at], without its quotes, and *at behind it. NULL: a quote is open. */
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
			/* in "" a backslash hides only these two */
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

/* FIELD=value, the name in capitals as journald has them. */
static bool is_match(const char *word)
{
	size_t length = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return length && length <= FIELD_BYTES_MAX && word[length] == '=' &&
	       !(word[0] >= '0' && word[0] <= '9');
}

/* Takes word. */
static void add_word(struct config_journal *match, char *word, const struct position *at)
{
	match->words = alloc_grow(match->words, match->n_words + 1, sizeof(match->words[0]));
	match->words[match->n_words++] = (struct config_text){ word, *at };
}

static bool ends_group(const struct config_journal *match)
{
	return !match->n_words || strcmp(match->words[match->n_words - 1].text, "+") == 0;
}

/* False: told, and the rest of the value is not looked at. */
static bool take_word(struct config_reader *reader, struct config_journal *match,
	const struct dialect_value *value, size_t *io_at)
{
	struct position at = dialect_at(value, *io_at);
	char *word = read_word(value, io_at);
	const char *wrong = NULL;
	char shown[SHOWN_MAX];

	text_render_string(shown, sizeof(shown), word ? word : "");
	if (!word)
		wrong = "a quotation mark is not closed";
	else if (match->n_words >= WORDS_MAX)
		wrong = "this is one word too many";
	else if (strcmp(word, "+") == 0 && ends_group(match))
		wrong = "nothing stands before this '+'";
	else if (strcmp(word, "+") != 0 && !is_match(word))
		wrong = "this is neither FIELD=value nor +";
	if (wrong)
		config_value_error(reader, &at, "journalmatch: %s%s%s%s", wrong, word ? ": '" : "",
			shown, word ? "'" : "");
	if (!wrong)
		add_word(match, word, &at);
	else
		free(word);
	return !wrong;
}

void config_journal_match(struct config_reader *reader, const struct dialect_value *value,
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
		if (new_line && !ends_group(match) && value->text[at] != '+')
			add_word(match, alloc_string("+"), &place);
		good = take_word(reader, match, value, &at);
	}
	if (good && match->n_words && ends_group(match))
		config_value_error(reader, &match->words[match->n_words - 1].at,
			"journalmatch: nothing stands behind this '+'");
}

void config_journal_match_done(struct config_journal *match)
{
	for (size_t i = 0; i < match->n_words; i++)
		free(match->words[i].text);
	free(match->words);
	*match = (struct config_journal){ 0 };
}

void config_journal_done(struct config_jail *jail)
{
	for (size_t i = 0; i < jail->journal.n_files; i++)
		free(jail->journal.files[i]);
	free(jail->journal.files);
	free(jail->journal.path);
	free(jail->journal.namespace);
}
