#include "follow/positions.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "base/alloc.h"
#include "follow/entry.h"
#include "follow/file.h"
#include "follow/names.h"
#include "follow/parts.h"
#include "follow/rotated.h"
#include "follow/tail.h"

void tail_restore(struct tail *tail, const struct tail_position *position)
{
	const char *place = strstr(position->path, "//");
	struct tail_stored *stored;

	tail->stored = alloc_grow(tail->stored, tail->n_stored + 1, sizeof(*tail->stored));
	stored = &tail->stored[tail->n_stored++];
	*stored = (struct tail_stored){ .position = *position };
	stored->path = place ? alloc_bytes(position->path, (size_t)(place - position->path))
			     : alloc_string(position->path);
	stored->place = place ? alloc_string(place + 1) : NULL;
	stored->position.path = NULL; /* was borrowed */
}

char *tail_restore_key(struct tail_entry *entry)
{
	const char *place;

	if (entry->overwritten)
		return NULL;
	if (entry->named)
		return alloc_string(entry->path);
	place = tail_entry_place(entry);
	return place ? alloc_format("%s/%s", entry->path, place) : NULL;
}

/* Takes found if it is better than *best, else ends it. */
static void found_offer(struct tail_found *best, struct tail_found found)
{
	if (found.match > best->match) {
		tail_found_done(best);
		*best = found;
	} else {
		tail_found_done(&found);
	}
}

static void path_try(const struct tail_stored *stored, const char *path, struct tail_found *best)
{
	struct tail_found found = { 0 };

	if (tail_file_open(path, &found.file, NULL) != TAIL_FILE_OPEN)
		return;
	found.path = alloc_string(path);
	found.match = tail_sibling_match(found.file, &stored->position);
	if (found.match != TAIL_MATCH_NONE && tail_file_seek(found.file, stored->position.offset))
		found.match = TAIL_MATCH_NONE;
	found_offer(best, found);
}

static struct tail_found stored_find(const struct tail *tail, const struct tail_stored *stored)
{
	const char *path = stored->place ? stored->place : stored->path;
	/* rotation happens beside the file that a symbolic link leads to */
	cleanup_free char *real = realpath(path, NULL);
	struct tail_found best = { 0 };
	struct stat status;

	path_try(stored, path, &best);
	if (best.match == TAIL_MATCH_SAME)
		return best;
	found_offer(&best, tail_sibling_find(real ? real : path, &stored->position));
	for (size_t i = 0; i < tail->n_names && best.match != TAIL_MATCH_SAME; i++)
		if (stat(tail->names[i].path, &status) == 0 &&
			status.st_ino == stored->position.identity.inode)
			path_try(stored, tail->names[i].path, &best);
	return best;
}

static void stored_tell_lost(struct tail *tail, const struct tail_stored *stored)
{
	struct tail_name *name = tail_name_find(tail, stored->path);

	/* it was rotated away and is removed by now, or was never read: nothing is known to be
	 * missing */
	if (stored->place || stored->position.offset == 0)
		return;
	tail_entry_note(tail, LOG_WARNING, stored->path,
		"is another file than before, and the old one is gone: "
		"lines written to it meanwhile are lost");
	if (name)
		name->gap = true;
}

static void stored_forget(struct tail *tail, const struct tail_stored *stored)
{
	if (stored->place)
		tail_entry_forget(tail, alloc_format("%s/%s", stored->path, stored->place));
}

static void stored_restore(struct tail *tail, const struct tail_stored *stored)
{
	struct tail_name *name = tail_name_find(tail, stored->path);
	uint64_t patterns[TAIL_WORDS];
	struct tail_entry *entry;
	struct tail_found best;

	if (!tail_name_patterns(tail, stored->path, patterns))
		return; /* no pattern wants it now; its position stays for when one does */
	best = stored_find(tail, stored);
	if (name)
		name->restored = true;
	if (best.match == TAIL_MATCH_NONE || tail_entry_is_known(tail, &best.file->identity)) {
		if (best.match == TAIL_MATCH_NONE)
			stored_tell_lost(tail, stored);
		stored_forget(tail, stored);
		tail_found_done(&best);
		return;
	}
	entry = tail_entry_add(tail, best.file, stored->path, patterns,
		tail_entry_latest(tail, stored->path));
	entry->final = best.match == TAIL_MATCH_CONTENT && strcmp(best.path, stored->path) != 0;
	entry->place = best.path;
	entry->mark = stored->position.mark;
	entry->key = stored->place ? alloc_format("%s/%s", stored->path, stored->place)
				   : alloc_string(stored->path);
}

/* Files of one path in the order in which they were written. */
static int compare_stored(const void *left, const void *right)
{
	const struct tail_stored *a = left;
	const struct tail_stored *b = right;

	if (!a->place != !b->place)
		return a->place ? -1 : 1;
	return (a->position.identity.born_ns > b->position.identity.born_ns) -
	       (a->position.identity.born_ns < b->position.identity.born_ns);
}

void tail_restore_find(struct tail *tail)
{
	qsort(tail->stored, tail->n_stored, sizeof(*tail->stored), compare_stored);
	for (size_t i = 0; i < tail->n_stored; i++) {
		stored_restore(tail, &tail->stored[i]);
		free(tail->stored[i].path);
		free(tail->stored[i].place);
	}
	free(tail->stored);
	tail->stored = NULL;
	tail->n_stored = 0;
}
