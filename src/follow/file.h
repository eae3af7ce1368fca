#ifndef VG_FILE_H
#define VG_FILE_H

#include "follow/tail.h"

struct line;
struct stat;

/* One open log file: what it is, how far it has been read, and the lines behind that. */
enum {
	TAIL_WINDOW_MAX = 4096,
	TAIL_CHUNK_BYTES = 65536,
	TAIL_BUFFER_BYTES = TAIL_WINDOW_MAX + TAIL_CHUNK_BYTES
};

/* window holds the window_bytes = min(offset, TAIL_WINDOW_MAX) bytes before offset as they were
 * when they were read. skipping: offset stands inside a line that is no longer a line but a rest,
 * which is so exactly if the byte before it is no newline. */
struct tail_file {
	int fd;
	struct tail_identity identity;
	int64_t offset;
	int64_t end; /* of the file as of the last read */
	bool skipping;
	size_t window_bytes;
	unsigned char window[TAIL_WINDOW_MAX];
};

/* ABSENT: there is no such file; REFUSED: see tail_file_open. */
enum tail_file_opened { TAIL_FILE_OPEN, TAIL_FILE_ABSENT, TAIL_FILE_REFUSED };

/* DRY: all that is there was read; the others: see tail_file_read. */
enum tail_file_read { TAIL_FILE_DRY, TAIL_FILE_MORE, TAIL_FILE_CHANGED, TAIL_FILE_FAILED };

struct tail_file_sink {
	/* A line that begins at byte `at` of the file. It lies in buffer, and is gone after the
	 * call. What only the file knows of it is filled in: text, length, cut, rest, open and
	 * ahead. */
	void (*line)(void *context, int64_t at, struct line *line);
	void *context;
	unsigned char *buffer; /* borrowed, TAIL_BUFFER_BYTES; filled anew by each read */
};

/* Opens a regular file at offset 0. REFUSED: err says why, where a permission is missing with the
 * group and mode. A FIFO, device or directory is refused without waiting for it. */
enum tail_file_opened tail_file_open(const char *path, struct tail_file **ret_file,
	struct error *err);
void tail_file_free(struct tail_file *file);

/* The same device and inode: enough while the file is held open. */
bool tail_file_is(const struct tail_file *file, const struct stat *status);
/* All four are equal; what a file system does not have is 0 on both sides. */
bool tail_file_identity_equal(const struct tail_identity *a, const struct tail_identity *b);

/* -1 if it is not known. */
int64_t tail_file_size(const struct tail_file *file);
/* Its last change, 0 if that is not known. */
int64_t tail_file_modified_ns(const struct tail_file *file);
/* The first line, without its newline, if that lies within the first `size` bytes and before the
 * file's offset. */
bool tail_file_head(const struct tail_file *file, char *line, size_t size, size_t *ret_length);
/* Goes to offset; if that is inside a line, the rest of it will be skipped. -1: the file is
 * shorter; nothing changed. */
int tail_file_seek(struct tail_file *file, int64_t offset);
/* Goes to the start of the line that is being written at `end`. */
int tail_file_seek_line(struct tail_file *file, int64_t end);

/* A hash of the window: SipHash-2-4 with a fixed key. With a linear hash (FNV, CRC) whoever gets
 * bytes into the log could choose them so that other contents pass for those that were read. The
 * key need not be secret, since only as many bytes as the window has are theirs to choose. */
uint64_t tail_file_hash(const struct tail_file *file);
/* Do the (at most TAIL_WINDOW_MAX) bytes before offset have this hash? Not if the file is shorter.
 */
bool tail_file_hash_matches(const struct tail_file *file, int64_t offset, uint64_t hash);
/* Are the (at most TAIL_WINDOW_MAX) bytes before `end` the same in both? */
bool tail_file_same_before(const struct tail_file *a, const struct tail_file *b, int64_t end);

/* Reads one chunk and hands over its complete lines; adds to *bytes by how many it has moved on.
 * Bytes behind the last newline are read again the next time, unless they are more than a line may
 * have: then they are handed over as a cut line, and the rest of it in pieces. MORE: the chunk was
 * full; the file has moved on by all of it but TAIL_LINE_MAX + TAIL_AHEAD_BYTES bytes at most,
 * hence by some. CHANGED: the file is shorter than what was read, or the bytes of the window are
 * others now; nothing was handed over. FAILED: it cannot be read. */
enum tail_file_read tail_file_read(struct tail_file *file, const struct tail_file_sink *sink,
	size_t *bytes);
/* Nobody writes into the file any more: hands over what stands behind its last newline, if
 * anything. */
void tail_file_read_rest(struct tail_file *file, const struct tail_file_sink *sink);

#endif
