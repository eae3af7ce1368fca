#ifndef VG_FILE_H
#define VG_FILE_H

#include "follow/tail.h"

struct stat;

/* One open log file: what it is, how far it has been read, and the lines behind that. */
enum {
	TAIL_WINDOW_MAX = 4096,
	TAIL_CHUNK_BYTES = 65536,
	TAIL_BUFFER_BYTES = TAIL_WINDOW_MAX + TAIL_CHUNK_BYTES
};

/* window holds the window_bytes = min(offset, TAIL_WINDOW_MAX) bytes before offset as they were
 * when they were read. skipping: offset stands inside a line whose rest is not handed over; so it
 * does exactly if a byte stands before it that is no newline. */
struct tail_file {
	int fd;
	struct tail_identity identity;
	int64_t offset;
	int64_t end; /* of the file as of the last read */
	bool skipping;
	size_t window_bytes;
	unsigned char window[TAIL_WINDOW_MAX];
};

enum tail_file_opened { TAIL_FILE_OPEN, TAIL_FILE_ABSENT, TAIL_FILE_REFUSED };

enum tail_file_read { TAIL_FILE_DRY, TAIL_FILE_MORE, TAIL_FILE_CHANGED, TAIL_FILE_FAILED };

struct tail_file_sink {
	/* A line that begins at byte `at`; it lies in buffer, gone after the call. ahead: so many
	 * bytes of the file stand behind its newline, at line + length + 1: all there are, or at
	 * least TAIL_AHEAD_BYTES; 0 if it was cut. */
	void (*line)(void *context, int64_t at, const char *line, size_t length, bool cut,
		size_t ahead);
	void *context;
	unsigned char *buffer; /* borrowed, TAIL_BUFFER_BYTES; filled anew by each read */
};

/* Opens a regular file at offset 0. REFUSED: err says why, with the group and mode where
 * permission lacks; a FIFO, device or directory is refused without blocking on it. */
enum tail_file_opened tail_file_open(const char *path, struct tail_file **ret_file,
	struct error *err);
void tail_file_free(struct tail_file *file);

/* Same device and inode: enough while one of the two is held open. */
bool tail_file_is(const struct tail_file *file, const struct stat *status);
/* All four equal; what a file system does not have is 0 on both sides. */
bool tail_file_identity_equal(const struct tail_identity *a, const struct tail_identity *b);

/* -1 if it cannot be told. */
int64_t tail_file_size(const struct tail_file *file);
/* Its last change, 0 if it cannot be told. */
int64_t tail_file_modified_ns(const struct tail_file *file);
/* The first line, without its newline, if that lies within the first `size` bytes and before the
 * file's offset. */
bool tail_file_head(const struct tail_file *file, char *line, size_t size, size_t *ret_length);
/* Goes to offset; if that is inside a line, the rest of it will be skipped. -1: the file is
 * shorter; nothing changed. */
int tail_file_seek(struct tail_file *file, int64_t offset);
/* Goes to the start of the line that is being written at `end`. */
int tail_file_seek_line(struct tail_file *file, int64_t end);

/* Of the window: SipHash-2-4 with a fixed key. A linear hash (FNV, CRC) would let whoever gets
 * bytes into the log choose them so that other contents pass for the ones that were read; the
 * key need not be secret, since only the window's length is theirs to try with. */
uint64_t tail_file_hash(const struct tail_file *file);
/* Have the (at most TAIL_WINDOW_MAX) bytes before offset this hash? false if it is shorter. */
bool tail_file_hash_matches(const struct tail_file *file, int64_t offset, uint64_t hash);
/* Are the (at most TAIL_WINDOW_MAX) bytes before end the same in both? */
bool tail_file_same_before(const struct tail_file *a, const struct tail_file *b, int64_t end);

/* Reads one chunk and hands over its complete lines; adds what it moved on to *bytes. Bytes
 * after the last newline are read again next time, unless they are more than a line may have:
 * that is handed over cut, and its rest is skipped. MORE: the chunk was full; it has moved on by
 * all of it but, at most, TAIL_LINE_MAX + TAIL_AHEAD_BYTES bytes, hence by some. CHANGED: the file
 * is shorter than what was read, or the window's bytes are others now; nothing was handed over. */
enum tail_file_read tail_file_read(struct tail_file *file, const struct tail_file_sink *sink,
	size_t *bytes);
/* The file is complete: hands over what stands behind the last newline, if anything. */
void tail_file_read_rest(struct tail_file *file, const struct tail_file_sink *sink);

#endif
