#include "follow/entry.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "follow/file.h"
#include "follow/line.h"
#include "follow/parts.h"
#include "follow/rotated.h"

enum {
	CHAIN_MAX = 64,       /* entries before one another; of more the oldest wait */
	CHAIN_TRIES_MAX = 32, /* changes of a chain, such as truncations, in one reconcile */
	NOTE_MAX = 1024
};

void tail_entry_note(struct tail *tail, int priority, const char *path, const char *what)
{
	char text[NOTE_MAX];

	(void)text_format(text, sizeof(text), "'%s' %s", text_shown_string(path).text, what);
	tail->callbacks.note(tail->callbacks.context, priority, text);
}

struct tail_entry *tail_entry_by_status(const struct tail *tail, const struct stat *status)
{
	for (size_t i = 0; i < tail->n_entries; i++)
		if (!tail->entries[i]->overwritten && tail_file_is(tail->entries[i]->file, status))
			return tail->entries[i];
	return NULL;
}

struct tail_entry *tail_entry_by_identity(const struct tail *tail,
	const struct tail_identity *identity)
{
	for (size_t i = 0; i < tail->n_entries; i++)
		if (!tail->entries[i]->overwritten &&
			tail_file_identity_equal(&tail->entries[i]->file->identity, identity))
			return tail->entries[i];
	return NULL;
}

bool tail_entry_is_known(const void *tail, const struct tail_identity *identity)
{
	return tail_entry_by_identity(tail, identity) != NULL;
}

static bool is_before_another(const struct tail *tail, const struct tail_entry *entry)
{
	for (size_t i = 0; i < tail->n_entries; i++)
		if (tail->entries[i]->before == entry &&
			strcmp(tail->entries[i]->path, entry->path) == 0)
			return true;
	return false;
}

struct tail_entry *tail_entry_latest(const struct tail *tail, const char *path)
{
	size_t i = tail->n_entries;

	while (i-- > 0)
		if (!tail->entries[i]->overwritten && strcmp(tail->entries[i]->path, path) == 0 &&
			!is_before_another(tail, tail->entries[i]))
			return tail->entries[i];
	return NULL;
}

/* Of its last change, or its birth. */
static int64_t latest_ns(const struct tail_file *file)
{
	const int64_t modified_ns = tail_file_modified_ns(file);

	return modified_ns > file->identity.born_ns ? modified_ns : file->identity.born_ns;
}

struct tail_entry *tail_entry_add(struct tail *tail, struct tail_file *file, const char *path,
	const uint64_t *patterns, struct tail_entry *before)
{
	struct tail_entry *entry = alloc_zero(sizeof(*entry));

	entry->tail = tail;
	entry->file = file;
	entry->path = alloc_string(path);
	entry->before = before;
	entry->size_bytes = tail_file_size(file);
	entry->unread_after_ns = latest_ns(file);
	entry->wd = -1;
	entry->dirty = true;
	entry->moved = true;
	memcpy(entry->patterns, patterns, sizeof(entry->patterns));
	tail->entries = alloc_grow(tail->entries, tail->n_entries + 1, sizeof(struct tail_entry *));
	tail->entries[tail->n_entries++] = entry;
	return entry;
}

static void entry_free(struct tail_entry *entry)
{
	tail_file_free(entry->file);
	free(entry->path);
	free(entry->place);
	free(entry->key);
	free(entry);
}

/* Nothing points to entry afterwards. */
static void entry_unlink(struct tail *tail, const struct tail_entry *entry)
{
	for (size_t i = 0; i < tail->n_entries; i++) {
		struct tail_entry *other = tail->entries[i];

		if (other->before == entry)
			other->before = entry->before;
		if (other->copy_of == entry)
			other->copy_of = NULL;
	}
	for (size_t i = 0; i < tail->n_names; i++)
		if (tail->names[i].entry == entry)
			tail->names[i].entry = NULL;
}

/* copytruncate has replaced what this copy held: the file is another copy now, maybe of lines that
 * were read elsewhere. As that one it is found when it is looked for. */
static void entry_give_up(struct tail *tail, struct tail_entry *entry)
{
	if (entry->size_bytes > entry->file->offset)
		tail_entry_note(tail, LOG_WARNING, entry->path,
			"had a copy that was overwritten before all of it was read: lines are "
			"lost");
	entry_unlink(tail, entry);
	tail->want_scan |= entry->named;
	entry->overwritten = true;
	entry->final = true;
	entry->named = false;
	entry->dirty = false;
	entry->before = NULL;
}

void tail_entry_forget(struct tail *tail, char *key)
{
	if (!key)
		return;
	tail->forgotten =
		alloc_grow(tail->forgotten, tail->n_forgotten + 1, sizeof(*tail->forgotten));
	tail->forgotten[tail->n_forgotten++] = key;
}

/* Lets go of entry, and has its position forgotten. */
static void entry_drop(struct tail *tail, struct tail_entry *entry)
{
	size_t at = 0;

	while (tail->entries[at] != entry)
		at++;
	entry_unlink(tail, entry);
	tail_watch_forget(&tail->watch, entry->wd);
	tail_entry_forget(tail, entry->key);
	entry->key = NULL;
	memmove(tail->entries + at, tail->entries + at + 1,
		(tail->n_entries - at - 1) * sizeof(*tail->entries));
	tail->n_entries--;
	entry_free(entry);
}

void tail_entry_free_all(struct tail *tail)
{
	for (size_t i = 0; i < tail->n_entries; i++)
		entry_free(tail->entries[i]);
	free(tail->entries);
}

static bool leads_to(const char *path, const struct tail_entry *entry)
{
	struct stat status;

	return stat(path, &status) == 0 && tail_file_is(entry->file, &status);
}

const char *tail_entry_place(struct tail_entry *entry)
{
	char link[64];
	char place[PATH_MAX];
	struct stat status;
	ssize_t n;

	if (entry->place && leads_to(entry->place, entry))
		return entry->place;
	free(entry->place);
	entry->place = NULL;
	if (fstat(entry->file->fd, &status) || status.st_nlink == 0)
		return NULL;
	(void)text_format(link, sizeof(link), "/proc/self/fd/%d", entry->file->fd);
	n = readlink(link, place, sizeof(place) - 1);
	place[n > 0 ? n : 0] = '\0';
	if (n > 0 && leads_to(place, entry))
		entry->place = alloc_string(place);
	else /* no /proc here */
		entry->place = tail_sibling_name(entry->path, entry->file);
	return entry->place;
}

void tail_entry_adopt(struct tail *tail, struct tail_entry *entry)
{
	struct tail_found found[TAIL_BETWEEN_MAX];
	struct tail_entry *old = entry->before;
	size_t n;

	if (!old)
		return;
	/* a copy is younger than the file that was truncated */
	n = tail_sibling_between(entry->path, old->file, old->unread_after_ns,
		old->final ? INT64_MAX : entry->file->identity.born_ns, tail_entry_is_known, tail,
		found);
	for (size_t i = 0; i < n; i++) {
		entry->before = tail_entry_add(tail, found[i].file, entry->path, entry->patterns,
			entry->before);
		entry->before->wd = tail_watch_file(&tail->watch, found[i].path);
		entry->before->place = found[i].path;
	}
}

/* Does entry hold the same as original, up to *ret_end: its own end, or as far as original was
 * read?
 */
static bool is_copy(const struct tail_entry *entry, const struct tail_entry *original,
	int64_t *ret_end)
{
	const int64_t read_to = original->file->offset;
	const int64_t size = tail_file_size(entry->file);

	if (size <= 0 || read_to == 0)
		return false;
	*ret_end = size < read_to ? size : read_to;
	if (size >= read_to) /* against the window: original may be truncated already */
		return tail_file_hash_matches(entry->file, read_to, tail_file_hash(original->file));
	return tail_file_same_before(entry->file, original->file, size);
}

/* A path that leads to entry; NULL: none does. */
static const char *name_of(struct tail_entry *entry)
{
	return entry->named ? entry->path : tail_entry_place(entry);
}

/* The followed log that entry is a copy of, under a name that rotation gives; NULL: it is none. */
static struct tail_entry *original_find(const struct tail *tail, struct tail_entry *entry)
{
	const char *path = name_of(entry);
	int64_t end;

	for (size_t i = 0; path && i < tail->n_entries; i++) {
		struct tail_entry *other = tail->entries[i];

		if (other != entry && !other->copy_of && !other->overwritten &&
			tail_sibling_is_rotated(path, other->path) && is_copy(entry, other, &end))
			return other;
	}
	return NULL;
}

/* A copy moves on with its original. One that goes its own way is a log like others. */
static void original_follow(struct tail_entry *entry)
{
	int64_t end = 0;

	entry->dirty = false;
	if (is_copy(entry, entry->copy_of, &end)) {
		entry->moved |= entry->file->offset != end;
		(void)tail_file_seek(entry->file, end); /* else it shrank, which is seen later */
		return;
	}
	entry->copy_of = NULL;
	(void)tail_file_seek(entry->file, 0); /* nothing to read at 0: cannot fail */
	entry->dirty = true;
}

static bool is_in_chain(const struct tail_entry *entry, const struct tail_entry *wanted)
{
	while (entry && entry != wanted)
		entry = entry->before;
	return entry != NULL;
}

/* copy holds what entry held. Has that replaced other bytes, which were read from copy before? */
static bool is_replaced(struct tail_entry *copy, const struct tail_entry *entry)
{
	const char *name = name_of(copy);

	return !tail_file_hash_matches(copy->file, copy->file->offset,
		       tail_file_hash(copy->file)) &&
	       (copy->final || (name && tail_sibling_is_rotated(name, entry->path)));
}

/* The copy of what entry held before it was truncated becomes entry->before; false: there is none.
 */
static bool copy_find(struct tail *tail, struct tail_entry *entry)
{
	const struct tail_position position = { .identity = entry->file->identity,
		.offset = entry->file->offset,
		.hash = tail_file_hash(entry->file) };
	const char *log = tail_entry_place(entry);
	struct tail_found found;
	struct tail_entry *copy;

	if (!position.offset)
		return false;
	found = tail_sibling_find(log ? log : entry->path, &position);
	if (found.match == TAIL_MATCH_NONE)
		return false;
	copy = tail_entry_by_identity(tail, &found.file->identity);
	if (copy && is_replaced(copy, entry)) {
		entry_give_up(tail, copy);
		copy = NULL;
	}
	if (copy) {
		tail_found_done(&found);
		if ((copy->copy_of != entry && copy->file->offset > 0) ||
			is_in_chain(entry, copy) || tail_file_seek(copy->file, position.offset))
			return false;
		copy->copy_of = NULL;
		copy->before = entry->before;
	} else {
		copy = tail_entry_add(tail, found.file, entry->path, entry->patterns,
			entry->before);
		copy->place = found.path;
	}
	copy->mark = entry->mark;
	copy->final = true;
	copy->unread_after_ns = latest_ns(copy->file); /* its name may be older than its bytes */
	copy->dirty = true;
	copy->moved = true;
	entry->before = copy;
	return true;
}

/* entry was truncated. */
static void entry_restart(struct tail *tail, struct tail_entry *entry)
{
	const bool found = copy_find(tail, entry);
	const bool lost = !found && entry->size_bytes > entry->file->offset;

	if (found)
		tail_entry_adopt(tail, entry);
	if (lost)
		tail_entry_note(tail, LOG_WARNING, entry->path,
			"was truncated before all of it was read: lines are lost");
	else
		tail_entry_note(tail, LOG_INFO, entry->path,
			"was truncated: read again from its start");
	for (size_t i = 0; i < tail->n_entries; i++)
		if (tail->entries[i]->copy_of == entry)
			tail->entries[i]->copy_of = NULL;
	(void)tail_file_seek(entry->file, 0); /* nothing to read at 0: cannot fail */
	entry->unread_after_ns = latest_ns(entry->file);
	entry->first_read_end = 0;
	entry->size_bytes = 0;
	entry->file->end = 0;
	entry->gap |= lost;
	entry->truncated = true;
	entry->begun = entry->begun && !found; /* the copy's mark may have become another */
	entry->moved = true;
	entry->dirty = true;
}

static void line_hand_over(void *context, int64_t at, struct line *line)
{
	struct tail_entry *entry = context;
	struct tail *tail = entry->tail;

	line->path = entry->path;
	line->patterns = entry->patterns;
	line->mark = &entry->mark;
	line->at_head = at == 0 && !entry->truncated;
	line->first_read = at < entry->first_read_end;
	tail->cut_lines += line->cut;
	tail->callbacks.line(tail->callbacks.context, line);
}

/* Before the first line of an entry is read: its mark, and the first line of its file. */
static void head_hand_over(struct tail *tail, struct tail_entry *entry)
{
	char text[TAIL_HEAD_MAX + 1];
	struct line line = { .text = text,
		.path = entry->path,
		.patterns = entry->patterns,
		.mark = &entry->mark,
		.only_head = true };

	if (entry->begun)
		return;
	entry->begun = true;
	if (entry->file->offset == 0 && entry->before) /* which has been read by now */
		entry->mark = entry->before->mark;
	if (entry->file->offset && tail_file_head(entry->file, text, sizeof(text), &line.length))
		tail->callbacks.line(tail->callbacks.context, &line);
}

static void rest_read(struct tail *tail, struct tail_entry *entry)
{
	const struct tail_file_sink sink = { line_hand_over, entry, tail->buffer };
	const int64_t offset = entry->file->offset;

	tail_file_read_rest(entry->file, &sink);
	entry->moved |= entry->file->offset != offset;
}

static void failure_note(struct tail *tail, struct tail_entry *entry)
{
	if (!entry->failed)
		tail_entry_note(tail, LOG_WARNING, entry->path, "gives an error when read");
	entry->failed = true;
}

/* Reads one entry to its end or to that of the budget. */
static enum tail_file_read entry_read(struct tail *tail, struct tail_entry *entry,
	size_t *budget_bytes)
{
	const struct tail_file_sink sink = { line_hand_over, entry, tail->buffer };
	enum tail_file_read result = TAIL_FILE_MORE;

	head_hand_over(tail, entry);
	while (result == TAIL_FILE_MORE && *budget_bytes > 0) {
		size_t bytes = 0;

		result = tail_file_read(entry->file, &sink, &bytes);
		*budget_bytes -= bytes < *budget_bytes ? bytes : *budget_bytes;
		entry->moved |= bytes > 0;
		if (bytes)
			entry->idle_scans = 0;
	}
	if (result == TAIL_FILE_FAILED)
		failure_note(tail, entry);
	if (result == TAIL_FILE_DRY || result == TAIL_FILE_FAILED)
		entry->dirty = false;
	if (result == TAIL_FILE_DRY)
		entry->failed = false;
	if (result == TAIL_FILE_DRY && entry->final)
		rest_read(tail, entry);
	if (entry->size_bytes < entry->file->end)
		entry->size_bytes = entry->file->end;
	return result;
}

/* The bytes that were read of entry are others now: has rotation copied a log over it, or was it
 * truncated? Nobody knows after a restart whether a file that was rotated away was a copy itself.
 * One that is older than the log is not taken for its copy, nor would tail_sibling_find take it. */
static bool is_copied_over(const struct tail *tail, struct tail_entry *entry)
{
	const struct tail_entry *original;

	if (entry->final)
		return true;
	original = original_find(tail, entry);
	return original && original->file->identity.born_ns <= entry->file->identity.born_ns;
}

/* Reads entry and those before it, the oldest first. True: all of them were read; false: the budget
 * is used up, or the chain is another now. */
static bool chain_read(struct tail *tail, struct tail_entry *entry, size_t *budget_bytes)
{
	struct tail_entry *chain[CHAIN_MAX];
	enum tail_file_read result;
	size_t n = 0;

	for (; entry && n < CHAIN_MAX; entry = entry->before)
		chain[n++] = entry;
	while (n-- > 0) {
		/* one of which nothing was read may be a copy */
		if (chain[n]->file->offset == 0 && !chain[n]->copy_of)
			chain[n]->copy_of = original_find(tail, chain[n]);
		if (chain[n]->copy_of) {
			original_follow(chain[n]);
			if (chain[n]->copy_of)
				continue;
		}
		result = entry_read(tail, chain[n], budget_bytes);
		if (result == TAIL_FILE_CHANGED && is_copied_over(tail, chain[n]))
			entry_give_up(tail, chain[n]);
		else if (result == TAIL_FILE_CHANGED)
			entry_restart(tail, chain[n]);
		if (result == TAIL_FILE_CHANGED || result == TAIL_FILE_MORE)
			return false;
	}
	return true;
}

bool tail_entry_read(struct tail *tail, struct tail_entry *entry, size_t *budget_bytes)
{
	for (int tries = 0; *budget_bytes > 0 && tries < CHAIN_TRIES_MAX; tries++)
		if (entry->overwritten || chain_read(tail, entry, budget_bytes))
			return false;
	return true;
}

/* Reads the last of what a file holds, half a line too, and lets it go. */
static void entry_finish(struct tail *tail, struct tail_entry *entry)
{
	size_t budget_bytes = SIZE_MAX;

	if (!entry->copy_of && !entry->overwritten &&
		entry_read(tail, entry, &budget_bytes) == TAIL_FILE_DRY)
		rest_read(tail, entry);
	entry_drop(tail, entry);
}

/* A file that has lines is followed under the name that entry had. */
static bool has_successor(const struct tail *tail, const struct tail_entry *entry)
{
	for (size_t i = 0; i < tail->n_entries; i++) {
		const struct tail_entry *other = tail->entries[i];

		if (other != entry && other->named && strcmp(other->path, entry->path) == 0 &&
			(other->file->offset > 0 || other->size_bytes > 0))
			return true;
	}
	return false;
}

static bool is_done(struct tail *tail, struct tail_entry *entry)
{
	if (entry->final || entry->copy_of || entry->idle_scans >= TAIL_LOST_IDLE_SCANS)
		return true;
	return entry->idle_scans >= TAIL_OLD_IDLE_SCANS && has_successor(tail, entry);
}

static size_t count_old(const struct tail *tail, const char *path)
{
	size_t n = 0;

	for (size_t i = 0; i < tail->n_entries; i++)
		n += !tail->entries[i]->named && strcmp(tail->entries[i]->path, path) == 0;
	return n;
}

void tail_entry_retire(struct tail *tail)
{
	size_t i = 0;

	while (i < tail->n_entries) {
		struct tail_entry *entry = tail->entries[i];

		if (!entry->overwritten && (entry->named || entry->dirty)) {
			i++;
			continue;
		}
		entry->idle_scans++;
		/* those before it were read first, so they are at their end too */
		if (is_done(tail, entry) ||
			(!entry->before && count_old(tail, entry->path) > TAIL_OLD_MAX))
			entry_finish(tail, entry);
		else
			i++;
	}
}
