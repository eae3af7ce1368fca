#ifndef VG_ROTATED_H
#define VG_ROTATED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tail_file;
struct tail_identity;
struct tail_position;

/* The files beside a log, where rotation leaves what is not read yet. Names that begin like the
 * log's are looked at first; at most TAIL_SIBLINGS_MAX files are opened, the rest is not seen. */
enum { TAIL_SIBLINGS_MAX = 64, TAIL_BETWEEN_MAX = 4 };

/* Does rotation of `log` give names such as `path`? For "a.log": "a.log.1", "a.log-20261125",
 * "a-20261125.log". Not those of compressed files. */
bool tail_sibling_is_rotated(const char *path, const char *log);

/* Does a position belong to a file? CONTENT: it is another file, in which the bytes before the
 * offset have the same hash (a copy); never for offset 0, where there is nothing to compare. */
enum tail_match { TAIL_MATCH_NONE, TAIL_MATCH_CONTENT, TAIL_MATCH_SAME };

/* A file and where it lies; both are owned by whoever it is given to. Zero is none. */
struct tail_found {
	struct tail_file *file;
	char *path;
	enum tail_match match; /* how well it fits the position that was looked for */
};
void tail_found_done(struct tail_found *found);

enum tail_match tail_sibling_match(const struct tail_file *file,
	const struct tail_position *position);

/* The file beside `log` that fits position best (the youngest of equals), at its offset. */
struct tail_found tail_sibling_find(const char *log, const struct tail_position *position);

/* Rotated files of `log` that were born after after_ns and not after born_max_ns, oldest first:
 * they came and went between two looks. Not those that is_taken knows, nor copies of old; none
 * where the file system tells no birth times. Returns how many (the last TAIL_BETWEEN_MAX). */
size_t tail_sibling_between(const char *log, const struct tail_file *old, int64_t after_ns,
	int64_t born_max_ns,
	bool (*is_taken)(const void *context, const struct tail_identity *identity),
	const void *context, struct tail_found ret_found[TAIL_BETWEEN_MAX]);

/* The path beside `log` under which the file lies now, for the caller to free; NULL: there is none.
 */
char *tail_sibling_name(const char *log, const struct tail_file *file);

#endif
