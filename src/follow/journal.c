#include "follow/journal.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>
#include <unistd.h>

#include <systemd/sd-journal.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "follow/line.h"

enum { FIELD_MAX = 256, TROUBLE_MAX = 256, STREAM_BYTES = 32, STREAMS_MAX = 8 };

/* broken: the streams (_STREAM_ID) whose last entry was broken off, zeros: none;
 * broken[next_broken] is the oldest. */
struct reader {
	sd_journal *journal; /* owned */
	char *cursor;        /* owned; of the last entry handed over; NULL: it has been told */
	char broken[STREAMS_MAX][STREAM_BYTES];
	unsigned next_broken;
	bool told_broken;
	bool failed; /* has been told */
};

struct journal {
	struct journal_callbacks callbacks;
	struct reader readers[JOURNAL_READERS_MAX];
	int n_readers;
	int epoll_fd; /* owned */
	bool blocked; /* no rights: has been told, and stays until the next engine */
	char trouble[TROUBLE_MAX];
	char line[JOURNAL_LINE_MAX]; /* the entry that is being handed over */
	size_t length;
	bool is_cut; /* the entry has more than the line holds */
};

int journal_new(const struct journal_callbacks *callbacks, struct journal **ret_journal,
	struct error *err)
{
	struct journal *journal = alloc_zero(sizeof(*journal));

	journal->callbacks = *callbacks;
	journal->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (journal->epoll_fd < 0) {
		free(journal);
		return error_errno(err, errno, "cannot make an epoll descriptor");
	}
	*ret_journal = journal;
	return 0;
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	for (int i = 0; i < journal->n_readers; i++) {
		sd_journal_close(journal->readers[i].journal);
		free(journal->readers[i].cursor);
	}
	(void)close(journal->epoll_fd); /* nothing is pending on it */
	free(journal);
}

/* ---- broken lines ---- */

/* The value of a field, not NUL-ended. False: the entry has none, or an empty one. */
static bool field_read(sd_journal *journal, const char *name, const char **ret_value,
	size_t *ret_length)
{
	size_t skip = strlen(name) + 1; /* and the = */
	const void *data;
	size_t length;

	if (sd_journal_get_data(journal, name, &data, &length) < 0 || length <= skip)
		return false;
	*ret_value = (const char *)data + skip;
	*ret_length = length - skip;
	return true;
}

static bool field_is(sd_journal *journal, const char *name, const char *wanted)
{
	const char *value;
	size_t length;

	return field_read(journal, name, &value, &length) && length == strlen(wanted) &&
	       memcmp(value, wanted, length) == 0;
}

static char *stream_find(struct reader *reader, const char *id)
{
	for (unsigned i = 0; i < STREAMS_MAX; i++)
		if (memcmp(reader->broken[i], id, STREAM_BYTES) == 0)
			return reader->broken[i];
	return NULL;
}

/* The entry is the beginning or the rest of a line that journald has broken: at its LineMax, so at
 * a byte that the sender chose, or because another process wrote on. A rest could say anything. */
static bool is_broken(struct reader *reader)
{
	char id[STREAM_BYTES] = { 0 };
	const char *value;
	size_t length;
	char *known;
	bool breaks;

	if (!field_read(reader->journal, "_STREAM_ID", &value, &length))
		return false;
	memcpy(id, value, length < STREAM_BYTES ? length : STREAM_BYTES);
	known = stream_find(reader, id);
	breaks = field_is(reader->journal, "_LINE_BREAK", "line-max") ||
		 field_is(reader->journal, "_LINE_BREAK", "pid-change");
	if (breaks && !known) { /* of more streams at once the oldest is forgotten */
		memcpy(reader->broken[reader->next_broken], id, STREAM_BYTES);
		reader->next_broken = (reader->next_broken + 1) % STREAMS_MAX;
	}
	if (!breaks && known)
		memset(known, 0, STREAM_BYTES);
	return breaks || known;
}

/* ---- opening ---- */

static int open_files(const struct journal_source *source, int flags, sd_journal **ret)
{
	glob_t found = { 0 };
	int rc = -ENOENT;

	for (size_t i = 0; i < source->n_files; i++)
		(void)glob(source->files[i], i ? GLOB_APPEND : 0, NULL, &found); /* or none */
	if (found.gl_pathc)
		rc = sd_journal_open_files(ret, (const char **)(uintptr_t)found.gl_pathv, flags);
	globfree(&found);
	return rc;
}

/* The default is SYSTEM_ONLY: what users write to journals of their own is no evidence, and nothing
 * bounds how many there are. */
static int open_source(const struct journal_source *source, sd_journal **ret)
{
	bool is_default = source->flags < 0;
	int flags = is_default ? 0 : source->flags;

	if (source->n_files)
		return open_files(source, flags, ret);
	if (source->path)
		return sd_journal_open_directory(ret, source->path, flags);
	if (is_default)
		flags = SD_JOURNAL_SYSTEM;
	if (source->namespace)
		return sd_journal_open_namespace(ret, source->namespace, flags);
	return sd_journal_open(ret, flags);
}

static int add_matches(sd_journal *journal, const struct journal_source *source)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < source->n_words; i++)
		rc = strcmp(source->words[i], "+") == 0
			     ? sd_journal_add_disjunction(journal)
			     : sd_journal_add_match(journal, source->words[i], 0);
	return rc;
}

/* The entry behind the cursor's is the next one to be read. */
static int journal_seek(sd_journal *journal, const char *cursor, int64_t since_ms)
{
	if (cursor && sd_journal_seek_cursor(journal, cursor) >= 0 &&
		sd_journal_next(journal) > 0) {
		if (sd_journal_test_cursor(journal, cursor) > 0)
			return 0;
		/* that entry is gone: this one comes behind it, and is still to be handed over */
		return sd_journal_previous(journal) < 0 ? -EIO : 0;
	}
	return sd_journal_seek_realtime_usec(journal, since_ms > 0 ? (uint64_t)since_ms * 1000 : 0);
}

void journal_roots(const struct journal_source *source,
	void (*each)(void *context, const char *directory), void *context)
{
	static const char *const standard[] = { "/run/log/journal", "/var/log/journal" };

	for (size_t i = 0; i < source->n_files; i++) {
		cleanup_free char *file = alloc_string(source->files[i]);
		char *slash;

		file[strcspn(file, "*?[")] = '\0';
		slash = strrchr(file, '/');
		if (slash)
			slash[slash == file] = '\0';
		if (slash)
			each(context, file);
	}
	if (source->n_files)
		return;
	if (source->path) {
		each(context, source->path);
		return;
	}
	for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++)
		each(context, standard[i]);
}

static void rights_check_one(void *context, const char *directory)
{
	bool *blocked = context;

	*blocked = *blocked || (access(directory, R_OK | X_OK) < 0 && errno == EACCES);
}

/* libsystemd opens what it may and is silent about the rest. */
static void rights_check(struct journal *journal, const struct journal_source *source)
{
	bool blocked = false;

	journal_roots(source, rights_check_one, &blocked);
	if (!blocked || journal->blocked)
		return;
	journal->blocked = true;
	(void)text_format(journal->trouble, sizeof(journal->trouble),
		"not all of the journal can be read: put the daemon's user into the group "
		"systemd-journal or adm");
	journal->callbacks.note(journal->callbacks.context, LOG_ERR, journal->trouble);
}

int journal_add(struct journal *journal, const struct journal_source *source, const char *cursor,
	int64_t since_ms, struct error *err)
{
	struct reader *reader = &journal->readers[journal->n_readers];
	struct epoll_event event = { .events = EPOLLIN };
	int fd;
	int rc;

	if (journal->n_readers == JOURNAL_READERS_MAX)
		return error_set(err, "more than %d jails read the journal", JOURNAL_READERS_MAX);
	rc = open_source(source, &reader->journal);
	if (rc < 0)
		return error_errno(err, -rc, "cannot open the journal%s%s",
			source->path ? " in " : "", source->path ? source->path : "");
	/* so a field that the library cuts does not fit into the line, which tells of it */
	(void)sd_journal_set_data_threshold(reader->journal, JOURNAL_LINE_MAX + FIELD_MAX);
	rc = add_matches(reader->journal, source);
	if (rc >= 0)
		rc = journal_seek(reader->journal, cursor, since_ms);
	fd = rc < 0 ? rc : sd_journal_get_fd(reader->journal);
	/* without events the reader is looked at every second */
	if (fd >= 0)
		(void)epoll_ctl(journal->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	if (rc < 0) {
		sd_journal_close(reader->journal);
		reader->journal = NULL;
		return error_errno(err, -rc, "cannot read the journal");
	}
	rights_check(journal, source);
	if (cursor)
		(void)is_broken(reader); /* the cursor's own entry: its rest may be to come */
	return journal->n_readers++;
}

int journal_fd(const struct journal *journal)
{
	return journal->epoll_fd;
}

/* ---- one entry ---- */

/* Adds to the line; what does not fit is cut off. */
static void line_add(struct journal *journal, const char *bytes, size_t length)
{
	size_t room = sizeof(journal->line) - journal->length;

	journal->is_cut |= length > room;
	if (length > room)
		length = room;
	memcpy(journal->line + journal->length, bytes, length);
	journal->length += length;
}

/* Adds the first of two fields that the entry has, between `before` and `behind`; false: it has
 * neither. What a program calls itself may be long, and is cut. */
static bool line_add_field(struct journal *journal, sd_journal *entry, const char *name,
	const char *other_name, const char *before, const char *behind)
{
	const char *value;
	size_t length;

	if (!field_read(entry, name, &value, &length) &&
		!(other_name && field_read(entry, other_name, &value, &length)))
		return false;
	line_add(journal, before, strlen(before));
	line_add(journal, value, length < FIELD_MAX ? length : FIELD_MAX);
	line_add(journal, behind, strlen(behind));
	return true;
}

static void line_add_message(struct journal *journal, sd_journal *entry)
{
	const char *bytes;
	size_t length;

	if (!field_read(entry, "MESSAGE", &bytes, &length))
		return;
	while (length) {
		const char *newline = memchr(bytes, '\n', length);
		size_t part = newline ? (size_t)(newline - bytes) : length;

		line_add(journal, bytes, part);
		if (newline)
			line_add(journal, "\\n", 2);
		part += newline != NULL;
		bytes += part;
		length -= part;
	}
}

static void line_make(struct journal *journal, sd_journal *entry)
{
	journal->length = 0;
	journal->is_cut = false;
	(void)line_add_field(journal, entry, "_HOSTNAME", NULL, "", " ");
	if (line_add_field(journal, entry, "SYSLOG_IDENTIFIER", "_COMM", "", "")) {
		(void)line_add_field(journal, entry, "SYSLOG_PID", "_PID", "[", "]");
		line_add(journal, ": ", 2);
	}
	line_add_message(journal, entry);
}

/* When the program said it, else when the journal took it. Both stamps are the journal's own. */
static int64_t entry_ms(sd_journal *journal)
{
	const char *value;
	size_t length;
	char digits[24];
	uint64_t at_us = 0;

	if (field_read(journal, "_SOURCE_REALTIME_TIMESTAMP", &value, &length) &&
		length < sizeof(digits)) {
		memcpy(digits, value, length);
		digits[length] = '\0';
		at_us = strtoull(digits, NULL, 10);
	}
	if (!at_us)
		(void)sd_journal_get_realtime_usec(journal,
			&at_us); /* else 1970: counts for none */
	return (int64_t)(at_us / 1000);
}

/* ---- reading ---- */

/* number: what reading has returned, < 0 an error. Told when it begins. */
static void trouble_tell(struct journal *journal, struct reader *reader, int number)
{
	if (number >= 0) {
		reader->failed = false;
		return;
	}
	(void)text_format(journal->trouble, sizeof(journal->trouble), "cannot read the journal: %s",
		strerror(-number));
	if (!reader->failed)
		journal->callbacks.note(journal->callbacks.context, LOG_ERR, journal->trouble);
	reader->failed = true;
}

static void broken_tell(struct journal *journal, struct reader *reader)
{
	if (!reader->told_broken)
		journal->callbacks.note(journal->callbacks.context, LOG_WARNING,
			"an entry of the journal is a part of a longer line (LineMax= of "
			"journald.conf): such entries are passed over");
	reader->told_broken = true;
}

/* True: the batch is full, and there may be more. */
static bool read_one(struct journal *journal, int number)
{
	struct reader *reader = &journal->readers[number];
	char *cursor = NULL;
	int count = 0;
	int rc = sd_journal_process(reader->journal);

	while (rc >= 0 && count < JOURNAL_BATCH && (rc = sd_journal_next(reader->journal)) > 0) {
		struct line line = { .text = journal->line, .dated = true };

		count++;
		if (is_broken(reader)) {
			broken_tell(journal, reader);
			continue;
		}
		line_make(journal, reader->journal);
		line.length = journal->length;
		line.cut = journal->is_cut;
		line.at_ms = entry_ms(reader->journal);
		journal->callbacks.entry(journal->callbacks.context, number, &line);
	}
	if (count && sd_journal_get_cursor(reader->journal, &cursor) >= 0) {
		free(reader->cursor);
		reader->cursor = cursor;
	} /* else a restart reads from the one before */
	trouble_tell(journal, reader, rc);
	return rc > 0 && count == JOURNAL_BATCH;
}

bool journal_read(struct journal *journal)
{
	struct epoll_event events[16];
	bool more = false;

	/* the events are only taken away: to ask a reader that has nothing costs one step */
	(void)epoll_wait(journal->epoll_fd, events, 16, 0);
	if (!journal->blocked)
		journal->trouble[0] = '\0';
	for (int i = 0; i < journal->n_readers; i++)
		more |= read_one(journal, i);
	return more;
}

void journal_cursors(struct journal *journal,
	void (*each)(void *context, int reader, const char *cursor), void *context)
{
	for (int i = 0; i < journal->n_readers; i++) {
		struct reader *reader = &journal->readers[i];

		if (reader->cursor && strlen(reader->cursor) < JOURNAL_CURSOR_MAX)
			each(context, i, reader->cursor);
		free(reader->cursor);
		reader->cursor = NULL;
	}
}

const char *journal_trouble(const struct journal *journal)
{
	return journal->trouble;
}
