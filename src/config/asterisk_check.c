#include "config/asterisk_check.h"

#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/findings.h"
#include "base/text.h"
#include "config/config.h"

enum {
	LOGS_MAX = 16,          /* more are not compared */
	END_BYTES = 256 * 1024, /* read from the end of each log */
	STAMPS_MAX = 8,         /* so many of a log's newest times are looked for in others */
	STAMP_BYTES_MAX = 40,   /* 2026-11-23T08:51:05.686+0000 */
};

#define OWN_FILTER PREFIX "/share/voipguard/filters/asterisk.conf"

struct log {
	char *path; /* owned */
	dev_t device;
	ino_t inode;
	const struct config_jail *jail;
	struct position at;
	char *end; /* owned: its last bytes, and a NUL */
	size_t length;
	/* the times of its newest records, in no order; with their milliseconds they hardly repeat
	 */
	char stamps[STAMPS_MAX][STAMP_BYTES_MAX];
	size_t n_stamps; /* of all records at its end, more than STAMPS_MAX perhaps */
};

struct logs {
	struct log list[LOGS_MAX];
	size_t count;
};

static bool is_named_asterisk(const char *name)
{
	static const char word[] = "asterisk";

	return strncmp(name, word, sizeof(word) - 1) == 0 &&
	       (name[sizeof(word) - 1] == '\0' || name[sizeof(word) - 1] == '-');
}

/* The first rule, prefregex among them, that holds the word; NULL: none. */
static const struct config_text *rule_with(const struct filter_def *def, const char *word)
{
	if (def->prefregex.text && strstr(def->prefregex.text, word))
		return &def->prefregex;
	for (size_t i = 0; i < def->n_failregex; i++)
		if (strstr(def->failregex[i].text, word))
			return &def->failregex[i];
	return NULL;
}

static bool reads_records(const struct filter_def *def)
{
	return def->parser.text || rule_with(def, "SecurityEvent");
}

/* Jails that share a rule give the same finding, which is told once. */
static void check_rules(const struct filter_def *def, struct findings *findings)
{
	const struct config_text *rule = rule_with(def, "SecurityEvent");
	const struct config_text *outside = rule_with(def, "res_security_log");
	const struct position *at = &def->failregex[0].at;

	if (def->parser.text && outside)
		finding_warning(findings, &outside->at,
			"with a parser a rule is given the record alone, from SecurityEvent= on: what "
			"stands before it never matches");
	else if (!def->parser.text && rule)
		finding_warning(findings, at,
			"a plain rule over SECURITY lines: callers write quotes, whole addresses and "
			"escapes into these, and so go unseen or have others banned; use parser = "
			"asterisk-security, as " OWN_FILTER " does");
	else if (!def->parser.text && is_named_asterisk(def->name))
		finding_warning(findings, at,
			"a plain rule over Asterisk's messages: callers write addresses and whole "
			"lines into these, and so have others banned; follow the security log with "
			"parser = asterisk-security, as " OWN_FILTER " does");
}

/* ---- one channel in two files ---- */

static bool read_end(struct log *log)
{
	cleanup_close int fd = open(log->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat info;
	ssize_t got;

	if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
		return false;
	log->device = info.st_dev;
	log->inode = info.st_ino;
	log->end = alloc_zero(END_BYTES + 1);
	got = pread(fd, log->end, END_BYTES,
		info.st_size > END_BYTES ? info.st_size - END_BYTES : 0);
	log->length = got > 0 ? (size_t)got : 0;
	return true;
}

/* In [json] a backslash stands before the quotes of EventTV="2026-11-23T08:51:05.686+0000". */
static void read_stamps(struct log *log)
{
	static const char key[] = "EventTV=";
	const char *const end = log->end + log->length;
	const char *at = log->end;

	while ((at = memmem(at, (size_t)(end - at), key, strlen(key))) != NULL) {
		char *stamp = log->stamps[log->n_stamps % STAMPS_MAX];
		size_t length;

		at += strlen(key);
		at += *at == '\\';
		at += *at == '"';
		length = strspn(at, "0123456789-+:.TZ");
		text_format(stamp, STAMP_BYTES_MAX, "%.*s",
			length < STAMP_BYTES_MAX ? (int)length : STAMP_BYTES_MAX - 1, at);
		log->n_stamps += length > 0;
	}
}

static void log_done(struct log *log)
{
	free(log->path);
	free(log->end);
	*log = (struct log){ 0 };
}

/* A file that two patterns name is read once. */
static bool is_known(const struct logs *logs, const struct log *log)
{
	for (size_t i = 0; i < logs->count; i++)
		if (logs->list[i].device == log->device && logs->list[i].inode == log->inode)
			return true;
	return false;
}

/* At least half of the newest records of a stand in b too. */
static bool same_channel(const struct log *a, const struct log *b)
{
	size_t count = a->n_stamps < STAMPS_MAX ? a->n_stamps : STAMPS_MAX;
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += memmem(b->end, b->length, a->stamps[i], strlen(a->stamps[i])) != NULL;
	return found && found * 2 >= count;
}

static void compare(const struct logs *logs, const struct log *log, struct findings *findings)
{
	for (size_t i = 0; i < logs->count; i++) {
		const struct log *earlier = &logs->list[i];

		if (!same_channel(earlier, log) && !same_channel(log, earlier))
			continue;
		finding_warning(findings, &log->at,
			"%s holds the same events as %s, which jail [%s] follows: an attempt would "
			"count twice; follow one of them",
			text_shown_string(log->path).text, text_shown_string(earlier->path).text,
			earlier->jail->name);
		return;
	}
}

static bool holds(const struct log *log, const char *word)
{
	return memmem(log->end, log->length, word, strlen(word)) != NULL;
}

/* In a log of text, messages of other levels have values that a caller chose, and some of these may
 * hold newlines. */
static void check_levels(const struct log *log, struct findings *findings)
{
	static const char *const levels[] = { "NOTICE", "WARNING", "ERROR", "VERBOSE" };

	if (!log->jail->filter.parser.text || !holds(log, " SecurityEvent=\""))
		return;
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		cleanup_free char *word = alloc_format("] %s[", levels[i]);

		if (!holds(log, word))
			continue;
		finding_warning(findings, &log->at,
			"%s gets %s messages too: a caller's value in one of these may hold a "
			"newline, and behind it a whole record against anybody; give the level "
			"security a file of its own",
			text_shown_string(log->path).text, levels[i]);
		return;
	}
}

static void logs_add(struct logs *logs, const struct config_jail *jail,
	const struct config_logpath *pattern, struct findings *findings)
{
	glob_t found = { 0 };

	if (glob(pattern->pattern, GLOB_NOSORT, NULL, &found) != 0) {
		globfree(&found);
		return;
	}
	for (size_t i = 0; i < found.gl_pathc && logs->count < LOGS_MAX; i++) {
		struct log log = { .path = alloc_string(found.gl_pathv[i]),
			.jail = jail,
			.at = pattern->at };

		if (!read_end(&log) || is_known(logs, &log)) {
			log_done(&log);
			continue;
		}
		read_stamps(&log);
		compare(logs, &log, findings);
		check_levels(&log, findings);
		logs->list[logs->count++] = log;
	}
	globfree(&found);
}

void asterisk_check(const struct config *config, struct findings *findings)
{
	struct logs logs = { .count = 0 };

	for (size_t i = 0; i < config->n_jails; i++) {
		const struct config_jail *jail = &config->jails[i];

		if (!jail->enabled || !jail->bans || !jail->filter.n_failregex)
			continue;
		check_rules(&jail->filter, findings);
		for (size_t k = 0; k < jail->n_logpaths && reads_records(&jail->filter); k++)
			logs_add(&logs, jail, &jail->logpaths[k], findings);
	}
	for (size_t i = 0; i < logs.count; i++)
		log_done(&logs.list[i]);
}
