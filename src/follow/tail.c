#include "follow/tail.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "follow/entry.h"
#include "follow/file.h"
#include "follow/names.h"
#include "follow/parts.h"
#include "follow/positions.h"

int tail_new(const struct tail_callbacks *callbacks, struct tail **ret_tail, struct error *err)
{
	struct tail *tail = alloc_zero(sizeof(*tail));

	if (tail_watch_open(&tail->watch, err)) {
		free(tail);
		return -1;
	}
	tail->callbacks = *callbacks;
	tail->buffer = alloc_zero(TAIL_BUFFER_BYTES);
	*ret_tail = tail;
	return 0;
}

void tail_free(struct tail *tail)
{
	if (!tail)
		return;
	tail_entry_free_all(tail);
	tail_name_free_all(tail);
	for (size_t i = 0; i < tail->n_patterns; i++)
		free(tail->patterns[i].text);
	for (size_t i = 0; i < tail->n_stored; i++) {
		free(tail->stored[i].path);
		free(tail->stored[i].place);
	}
	free(tail->stored);
	for (size_t i = 0; i < tail->n_forgotten; i++)
		free(tail->forgotten[i]);
	free(tail->forgotten);
	free(tail->buffer);
	tail_watch_close(&tail->watch);
	free(tail);
}

int tail_add(struct tail *tail, const char *pattern, bool from_head, bool known, struct error *err)
{
	char *text;
	size_t n = 0;

	if (pattern[0] != '/' || strstr(pattern, "/../") || pattern[strlen(pattern) - 1] == '/')
		return error_set(err, "'%s' is not the absolute path of a file",
			text_shown_string(pattern).text);
	if (tail->n_patterns == TAIL_PATTERNS_MAX)
		return error_set(err, "'%s' is one pattern too many: %d at most",
			text_shown_string(pattern).text, TAIL_PATTERNS_MAX);
	/* "//" would be taken for the mark in a position's key */
	text = alloc_string(pattern);
	for (size_t i = 0; pattern[i]; i++)
		if (pattern[i] != '/' || pattern[i + 1] != '/')
			text[n++] = pattern[i];
	text[n] = '\0';
	tail->patterns[tail->n_patterns] =
		(struct tail_pattern){ .text = text, .from_head = from_head, .known = known };
	tail->want_scan = true;
	return (int)tail->n_patterns++;
}

int tail_fd(const struct tail *tail)
{
	return tail->watch.fd;
}

static void on_modified(void *context, int wd)
{
	struct tail *tail = context;

	for (size_t i = 0; i < tail->n_entries; i++)
		tail->entries[i]->dirty |= tail->entries[i]->wd == wd;
}

static void on_gone(void *context, int wd)
{
	struct tail *tail = context;

	for (size_t i = 0; i < tail->n_entries; i++)
		if (tail->entries[i]->wd == wd)
			tail->entries[i]->wd = -1;
}

static void on_named(void *context, const char *directory, const char *name)
{
	struct tail *tail = context;

	if (!tail->want_scan && tail_name_matters(tail, directory, name))
		tail->want_scan = true;
}

static void on_lost(void *context)
{
	struct tail *tail = context;

	tail->want_scan = true;
}

/* Looks at every directory, name and file. */
static void scan_all(struct tail *tail)
{
	tail_name_list(tail);
	if (tail->n_stored)
		tail_restore_find(tail);
	tail_name_resolve(tail);
	for (size_t i = 0; i < tail->n_entries; i++)
		tail->entries[i]->dirty = true;
	for (size_t i = 0; i < tail->n_patterns; i++)
		tail->patterns[i].seen = true;
	tail->want_scan = false;
}

/* Reads the dirty files by turns: one that never ends holds up the others for no longer than a
 * budget.
 */
static bool read_dirty(struct tail *tail, size_t budget_bytes)
{
	size_t left = budget_bytes ? budget_bytes : SIZE_MAX;
	const size_t n = tail->n_entries;

	for (size_t i = 0; i < n; i++) {
		size_t at = (tail->next + i) % n;

		if (!tail->entries[at]->dirty)
			continue;
		/* entries that are added meanwhile (copies) are read before one of these */
		if (tail_entry_read(tail, tail->entries[at], &left)) {
			tail->next = at + 1;
			return true;
		}
	}
	return false;
}

bool tail_reconcile(struct tail *tail, bool scan, size_t budget_bytes)
{
	const struct tail_watch_events events = { on_modified, on_gone, on_named, on_lost, tail };
	const bool more_events = tail_watch_drain(&tail->watch, &events);
	bool more;

	if (scan || tail->want_scan)
		scan_all(tail);
	more = read_dirty(tail, budget_bytes);
	if (scan && !tail->want_scan) /* else a name may want a file that would be let go */
		tail_entry_retire(tail);
	return more || more_events;
}

static bool is_key_used(const struct tail *tail, const char *key)
{
	for (size_t i = 0; i < tail->n_entries; i++)
		if (tail->entries[i]->key && strcmp(tail->entries[i]->key, key) == 0)
			return true;
	return false;
}

/* Brings the keys up to date; those that no file has any more are to be forgotten. */
static void keys_refresh(struct tail *tail)
{
	for (size_t i = 0; i < tail->n_entries; i++) {
		struct tail_entry *entry = tail->entries[i];
		char *key = tail_restore_key(entry);

		if (entry->key && key && strcmp(entry->key, key) == 0) {
			free(key);
			continue;
		}
		tail_entry_forget(tail, entry->key);
		entry->key = key;
		entry->moved = true;
	}
}

static void forgotten_tell(struct tail *tail,
	void (*each)(void *context, const struct tail_position *position), void *context)
{
	for (size_t i = 0; i < tail->n_forgotten; i++) {
		if (!is_key_used(tail, tail->forgotten[i]))
			each(context, &(struct tail_position){ .path = tail->forgotten[i],
					      .offset = -1 });
		free(tail->forgotten[i]);
	}
	tail->n_forgotten = 0;
}

void tail_positions(struct tail *tail, bool only_moved,
	void (*each)(void *context, const struct tail_position *position), void *context)
{
	keys_refresh(tail);
	forgotten_tell(tail, each, context);
	for (size_t i = 0; i < tail->n_entries; i++) {
		struct tail_entry *entry = tail->entries[i];

		if (!entry->key || (only_moved && !entry->moved))
			continue;
		each(context, &(struct tail_position){ .path = entry->key,
				      .identity = entry->file->identity,
				      .offset = entry->file->offset,
				      .hash = tail_file_hash(entry->file),
				      .mark = entry->mark });
		entry->moved = false;
	}
}

static int64_t lag_of(const struct tail_entry *entry)
{
	const int64_t lag = tail_file_size(entry->file) - entry->file->offset;

	return lag > 0 ? lag : 0;
}

/* A file that was rotated away is shown only while nothing else has its path. */
static bool is_shown(const struct tail *tail, const struct tail_entry *entry)
{
	return entry->named || (!entry->final && tail_entry_latest(tail, entry->path) == entry);
}

/* Its lag includes that of the files that are read before it. */
static void entry_show(const struct tail *tail, const struct tail_entry *entry,
	struct tail_file_info *ret_info)
{
	*ret_info = (struct tail_file_info){ .path = entry->path,
		.state = entry->gap ? TAIL_GAP : TAIL_FOLLOWING,
		.offset = entry->file->offset,
		.lag_bytes = lag_of(entry) };
	memcpy(ret_info->patterns, entry->patterns, sizeof(ret_info->patterns));
	for (size_t i = 0; i < tail->n_entries; i++)
		if (tail->entries[i]->before == entry)
			return;
	for (size_t i = 0; i < TAIL_OLD_MAX && entry->before; i++) {
		entry = entry->before;
		ret_info->lag_bytes += lag_of(entry);
	}
}

static void patterns_add(uint64_t *patterns, const uint64_t *more)
{
	for (size_t i = 0; i < TAIL_WORDS; i++)
		patterns[i] |= more[i];
}

void tail_files(const struct tail *tail,
	void (*each)(void *context, const struct tail_file_info *info), void *context)
{
	uint64_t have[TAIL_WORDS] = { 0 };
	struct tail_file_info info;

	for (size_t i = 0; i < tail->n_entries; i++) {
		if (!is_shown(tail, tail->entries[i]))
			continue;
		entry_show(tail, tail->entries[i], &info);
		each(context, &info);
		patterns_add(have, info.patterns);
	}
	for (size_t i = 0; i < tail->n_names; i++) {
		if (!tail->names[i].told)
			continue;
		info = (struct tail_file_info){ .path = tail->names[i].path,
			.state = TAIL_UNREADABLE };
		patterns_add(info.patterns, tail->names[i].patterns);
		each(context, &info);
		patterns_add(have, info.patterns);
	}
	for (size_t i = 0; i < tail->n_patterns; i++) {
		if (have[i / 64] >> (i % 64) & 1)
			continue;
		info = (struct tail_file_info){ .path = tail->patterns[i].text,
			.state = TAIL_WAITING };
		info.patterns[i / 64] = UINT64_C(1) << (i % 64);
		each(context, &info);
	}
}

uint64_t tail_cut_lines(const struct tail *tail)
{
	return tail->cut_lines;
}
