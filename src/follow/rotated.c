#include "follow/rotated.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/text.h"
#include "follow/file.h"
#include "follow/tail.h"

/* A directory with more entries than this is no log directory; what lies beyond is not seen. */
enum { ENTRIES_MAX = 16384 };

struct listing {
	size_t n;
	char *paths[TAIL_SIBLINGS_MAX];
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static size_t stem_length(const char *name)
{
	return *name ? 1 + strcspn(name + 1, ".") : 0;
}

static bool is_compressed(const char *name)
{
	static const char *const ends[] = { ".gz", ".bz2", ".xz", ".zst", ".lz4", ".Z" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (text_ends_in(name, ends[i]))
			return true;
	return false;
}

bool tail_sibling_is_rotated(const char *path, const char *log)
{
	const char *name = base_name(path);
	const char *base = base_name(log);
	const size_t stem = stem_length(base);
	const size_t length = strlen(base);

	if (name - path != base - log || strncmp(path, log, (size_t)(base - log)) != 0 ||
		is_compressed(name))
		return false;
	if (strncmp(name, base, length) == 0)
		return name[length] && strchr(".-_~", name[length]);
	return strncmp(name, base, stem) == 0 && name[stem] && strchr(".-_", name[stem]) &&
	       isdigit((unsigned char)name[stem + 1]) && text_ends_in(name + stem, base + stem);
}

static void listing_done(struct listing *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->paths[i]);
}

/* Adds the files beside log whose names begin like its name (alike), or the others. */
static void listing_add(const char *log, DIR *directory, bool alike, struct listing *list)
{
	const char *base = base_name(log);
	const size_t stem = stem_length(base);
	const struct dirent *entry;
	size_t seen = 0;

	rewinddir(directory);
	while (list->n < TAIL_SIBLINGS_MAX && seen++ < ENTRIES_MAX) {
		entry = readdir(directory);
		if (!entry)
			break;
		if (entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN)
			continue;
		if (strcmp(entry->d_name, base) == 0 ||
			alike != (strncmp(entry->d_name, base, stem) == 0))
			continue;
		list->paths[list->n++] =
			alloc_format("%.*s%s", (int)(base - log), log, entry->d_name);
	}
}

static void listing_read(const char *log, bool also_unlike, struct listing *list)
{
	cleanup_free char *where = alloc_bytes(log, (size_t)(base_name(log) - log));
	DIR *directory = opendir(*where ? where : ".");

	list->n = 0;
	if (!directory)
		return;
	listing_add(log, directory, true, list);
	if (also_unlike)
		listing_add(log, directory, false, list);
	(void)closedir(directory); /* only read */
}

void tail_found_done(struct tail_found *found)
{
	tail_file_free(found->file);
	free(found->path);
	*found = (struct tail_found){ 0 };
}

enum tail_match tail_sibling_match(const struct tail_file *file,
	const struct tail_position *position)
{
	const bool same = tail_file_identity_equal(&file->identity, &position->identity);

	if (!same && position->offset == 0)
		return TAIL_MATCH_NONE;
	if (!tail_file_hash_matches(file, position->offset, position->hash))
		return TAIL_MATCH_NONE;
	return same ? TAIL_MATCH_SAME : TAIL_MATCH_CONTENT;
}

struct tail_found tail_sibling_find(const char *log, const struct tail_position *position)
{
	struct tail_found best = { 0 };
	struct listing list;

	listing_read(log, true, &list);
	for (size_t i = 0; i < list.n; i++) {
		struct tail_file *file;
		enum tail_match match;

		if (tail_file_open(list.paths[i], &file, NULL) != TAIL_FILE_OPEN)
			continue;
		match = tail_sibling_match(file, position);
		/* a copy is younger than what it was made of, if the file system tells ages */
		if (match == TAIL_MATCH_CONTENT && file->identity.born_ns &&
			file->identity.born_ns < position->identity.born_ns)
			match = TAIL_MATCH_NONE;
		if (match == TAIL_MATCH_NONE || match < best.match ||
			(match == best.match &&
				file->identity.born_ns <= best.file->identity.born_ns)) {
			tail_file_free(file);
			continue;
		}
		tail_found_done(&best);
		best = (struct tail_found){ file, alloc_string(list.paths[i]), match };
	}
	listing_done(&list);
	if (best.file && tail_file_seek(best.file, position->offset))
		tail_found_done(&best); /* it shrank meanwhile */
	return best;
}

/* Do both begin alike? Then one is a copy of the other, or as good as that. */
static bool begins_like(const struct tail_file *a, const struct tail_file *b)
{
	int64_t end = tail_file_size(a);

	if (tail_file_size(b) < end)
		end = tail_file_size(b);
	if (end > TAIL_WINDOW_MAX)
		end = TAIL_WINDOW_MAX;
	return end <= 0 || tail_file_same_before(a, b, end);
}

/* Puts found[n] in its place among those before it, which are sorted by age. */
static void sort_in(struct tail_found *found, size_t n)
{
	const struct tail_found added = found[n];

	for (; n > 0 && found[n - 1].file->identity.born_ns > added.file->identity.born_ns; n--)
		found[n] = found[n - 1];
	found[n] = added;
}

size_t tail_sibling_between(const char *log, const struct tail_file *old, int64_t after_ns,
	int64_t born_max_ns,
	bool (*is_taken)(const void *context, const struct tail_identity *identity),
	const void *context, struct tail_found ret_found[TAIL_BETWEEN_MAX])
{
	struct tail_found found[TAIL_BETWEEN_MAX + 1];
	struct listing list;
	size_t n = 0;

	if (!old->identity.born_ns || !born_max_ns)
		return 0;
	listing_read(log, false, &list);
	for (size_t i = 0; i < list.n; i++) {
		struct tail_file *file;

		if (!tail_sibling_is_rotated(list.paths[i], log) ||
			tail_file_open(list.paths[i], &file, NULL) != TAIL_FILE_OPEN)
			continue;
		if (file->identity.born_ns <= after_ns || file->identity.born_ns > born_max_ns ||
			is_taken(context, &file->identity) || begins_like(file, old)) {
			tail_file_free(file);
			continue;
		}
		found[n] = (struct tail_found){ .file = file, .path = alloc_string(list.paths[i]) };
		sort_in(found, n++);
		if (n <= TAIL_BETWEEN_MAX)
			continue;
		tail_found_done(&found[0]);
		memmove(found, found + 1, --n * sizeof(*found));
	}
	listing_done(&list);
	memcpy(ret_found, found, n * sizeof(*found));
	return n;
}

char *tail_sibling_name(const char *log, const struct tail_file *file)
{
	struct listing list;
	struct stat status;
	char *name = NULL;

	listing_read(log, true, &list);
	for (size_t i = 0; i < list.n && !name; i++)
		if (stat(list.paths[i], &status) == 0 && tail_file_is(file, &status))
			name = alloc_string(list.paths[i]);
	listing_done(&list);
	return name;
}
