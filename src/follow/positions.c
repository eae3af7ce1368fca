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

/* The best found so far for one position. */
struct candidate {
	enum tail_match match;
	struct tail_found found;
};

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

/* Takes found if it is better than what is there, else ends it. */
static void candidate_offer(struct candidate *best, enum tail_match match, struct tail_found found)
{
	if (match <= best->match) {
		tail_found_done(&found);
		return;
	}
	tail_found_done(&best->found);
	*best = (struct candidate){ match, found };
}

static void path_try(const struct tail_stored *stored, const char *path, struct candidate *best)
{
	struct tail_file *file;
	enum tail_match match;

	if (tail_file_open(path, &file, NULL) != TAIL_FILE_OPEN)
		return;
	match = tail_sibling_match(file, &stored->position);
	if (match != TAIL_MATCH_NONE && tail_file_seek(file, stored->position.offset))
		match = TAIL_MATCH_NONE;
	candidate_offer(best, match, (struct tail_found){ file, alloc_string(path) });
}

static void stored_find(const struct tail *tail, const struct tail_stored *stored,
	struct candidate *best)
{
	const char *path = stored->place ? stored->place : stored->path;
	/* rotation happens beside the file that a symbolic link leads to */
	cleanup_free char *real = realpath(path, NULL);
	struct tail_found found;
	enum tail_match match;
	struct stat status;

	path_try(stored, path, best);
	if (best->match == TAIL_MATCH_SAME)
		return;
	match = tail_sibling_find(real ? real : path, &stored->position, &found);
	if (match != TAIL_MATCH_NONE)
		candidate_offer(best, match, found);
	for (size_t i = 0; i < tail->n_names && best->match != TAIL_MATCH_SAME; i++)
		if (stat(tail->names[i].path, &status) == 0 &&
			status.st_ino == stored->position.identity.inode)
			path_try(stored, tail->names[i].path, best);
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
	struct candidate best = { .match = TAIL_MATCH_NONE };
	struct tail_name *name = tail_name_find(tail, stored->path);
	uint64_t patterns[TAIL_WORDS];
	struct tail_entry *entry;

	if (!tail_name_patterns(tail, stored->path, patterns))
		return; /* no pattern wants it now; its position stays for when one does */
	stored_find(tail, stored, &best);
	if (name)
		name->restored = true;
	if (best.match == TAIL_MATCH_NONE ||
		tail_entry_is_known(tail, &best.found.file->identity)) {
		if (best.match == TAIL_MATCH_NONE)
			stored_tell_lost(tail, stored);
		stored_forget(tail, stored);
		tail_found_done(&best.found);
		return;
	}
	entry = tail_entry_add(tail, best.found.file, stored->path, patterns,
		tail_entry_latest(tail, stored->path));
	entry->final =
		best.match == TAIL_MATCH_CONTENT && strcmp(best.found.path, stored->path) != 0;
	entry->place = best.found.path;
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
