#include "follow/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/siphash.h"
#include "base/text.h"
#include "follow/line.h"

/* The key of the test vector in the paper on SipHash. */
static const uint8_t hash_key[SIPHASH_KEY_BYTES] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	14, 15 };

/* Reads until length bytes or the end of the file; -1 on an error. */
static ssize_t read_at(int fd, unsigned char *out, size_t length, int64_t offset)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = pread(fd, out + done, length - done, offset + (int64_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return done ? (ssize_t)done : -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static size_t window_length(int64_t offset)
{
	return offset < TAIL_WINDOW_MAX ? (size_t)offset : (size_t)TAIL_WINDOW_MAX;
}

/* Reads the window before offset from the file; -1: the file is shorter. */
static int window_load(int fd, int64_t offset, unsigned char *out)
{
	size_t length = window_length(offset);

	if (offset < 0)
		return -1;
	return read_at(fd, out, length, offset - (int64_t)length) == (ssize_t)length ? 0 : -1;
}

static int identity_read(int fd, struct tail_identity *ret_identity)
{
	struct statx status;
	long generation = 0; /* the kernel writes an int, some file systems a long */

	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status))
		return -1;
	*ret_identity = (struct tail_identity){
		.device = makedev(status.stx_dev_major, status.stx_dev_minor),
		.inode = status.stx_ino,
	};
	if (status.stx_mask & STATX_BTIME)
		ret_identity->born_ns =
			status.stx_btime.tv_sec * 1000000000 + status.stx_btime.tv_nsec;
	if (ioctl(fd, FS_IOC_GETVERSION, &generation) == 0)
		ret_identity->generation = (uint32_t)generation;
	return 0;
}

/* errno says why path cannot be opened. */
static enum tail_file_opened open_refuse(const char *path, struct error *err)
{
	const int number = errno;
	cleanup_free char *closed = alloc_string(path);
	struct stat status;
	int rc;

	if (number == ENOENT || number == ENOTDIR)
		return TAIL_FILE_ABSENT;
	/* what is closed to us is the file, or a directory above it */
	while ((rc = stat(closed, &status)) != 0 && errno == EACCES && strrchr(closed, '/'))
		*strrchr(closed, '/') = '\0';
	if (number == EACCES && rc == 0)
		(void)error_set(err,
			"'%s' cannot be read: '%s' belongs to group %u and has mode %04o",
			text_shown_string(path).text, text_shown_string(closed).text,
			(unsigned)status.st_gid, (unsigned)(status.st_mode & 07777));
	else
		(void)error_errno(err, number, "'%s' cannot be opened",
			text_shown_string(path).text);
	return TAIL_FILE_REFUSED;
}

enum tail_file_opened tail_file_open(const char *path, struct tail_file **ret_file,
	struct error *err)
{
	struct tail_identity identity;
	struct tail_file *file;
	struct stat status;
	int fd;

	/* it is looked at first, because opening a device can set something off */
	if (stat(path, &status))
		return open_refuse(path, err);
	if (!S_ISREG(status.st_mode)) {
		(void)error_set(err, "'%s' is not a regular file", text_shown_string(path).text);
		return TAIL_FILE_REFUSED;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return open_refuse(path, err);
	if (fstat(fd, &status) || !S_ISREG(status.st_mode) || identity_read(fd, &identity)) {
		(void)close(fd); /* only read */
		return TAIL_FILE_ABSENT;
	}
	file = alloc_zero(sizeof(*file));
	file->fd = fd;
	file->identity = identity;
	*ret_file = file;
	return TAIL_FILE_OPEN;
}

void tail_file_free(struct tail_file *file)
{
	if (!file)
		return;
	(void)close(file->fd); /* only read */
	free(file);
}

bool tail_file_is(const struct tail_file *file, const struct stat *status)
{
	return file->identity.device == status->st_dev && file->identity.inode == status->st_ino;
}

bool tail_file_identity_equal(const struct tail_identity *a, const struct tail_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->generation == b->generation &&
	       a->born_ns == b->born_ns;
}

int64_t tail_file_size(const struct tail_file *file)
{
	struct stat status;

	return fstat(file->fd, &status) ? -1 : status.st_size;
}

int64_t tail_file_modified_ns(const struct tail_file *file)
{
	struct stat status;

	if (fstat(file->fd, &status))
		return 0;
	return status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
}

bool tail_file_head(const struct tail_file *file, char *line, size_t size, size_t *ret_length)
{
	size_t wanted = file->offset < (int64_t)size ? (size_t)file->offset : size;
	ssize_t n = read_at(file->fd, (unsigned char *)line, wanted, 0);
	const char *newline = n > 0 ? memchr(line, '\n', (size_t)n) : NULL;

	if (!newline)
		return false;
	*ret_length = (size_t)(newline - line);
	return true;
}

int tail_file_seek(struct tail_file *file, int64_t offset)
{
	unsigned char window[TAIL_WINDOW_MAX];

	if (window_load(file->fd, offset, window))
		return -1;
	file->offset = offset;
	file->window_bytes = window_length(offset);
	memcpy(file->window, window, file->window_bytes);
	file->skipping = offset > 0 && window[file->window_bytes - 1] != '\n';
	return 0;
}

int tail_file_seek_line(struct tail_file *file, int64_t end)
{
	unsigned char bytes[TAIL_LINE_MAX];
	size_t length = end < TAIL_LINE_MAX ? (size_t)end : sizeof(bytes);
	const unsigned char *newline;

	if (end < 0 || read_at(file->fd, bytes, length, end - (int64_t)length) != (ssize_t)length)
		return -1;
	newline = memrchr(bytes, '\n', length);
	if (newline)
		end -= (int64_t)length - (newline + 1 - bytes);
	else if ((int64_t)length == end)
		end = 0;
	return tail_file_seek(file, end);
}

uint64_t tail_file_hash(const struct tail_file *file)
{
	return siphash(hash_key, file->window, file->window_bytes);
}

bool tail_file_hash_matches(const struct tail_file *file, int64_t offset, uint64_t hash)
{
	unsigned char window[TAIL_WINDOW_MAX];

	if (window_load(file->fd, offset, window))
		return false;
	return siphash(hash_key, window, window_length(offset)) == hash;
}

bool tail_file_same_before(const struct tail_file *a, const struct tail_file *b, int64_t end)
{
	unsigned char left[TAIL_WINDOW_MAX];
	unsigned char right[TAIL_WINDOW_MAX];

	if (window_load(a->fd, end, left) || window_load(b->fd, end, right))
		return false;
	return memcmp(left, right, window_length(end)) == 0;
}

/* Hands over `length` bytes at data[i], which are of the rest of a line that was cut. */
static void rest_hand_over(const struct tail_file *file, const char *data, size_t i, size_t length,
	const struct tail_file_sink *sink)
{
	if (length)
		sink->line(sink->context, file->offset + (int64_t)i,
			&(struct line){ .text = data + i, .length = length, .rest = true });
}

/* Hands over the lines of data, which begins at the file's offset; returns how many bytes are done
 * with. more: data is a full chunk, and the file goes on behind it. A line waits for its newline
 * and for what is ahead of it only while it is within the limit: one that is beyond it is cut,
 * wherever it ends, and waits for nothing. */
static size_t cut_lines(struct tail_file *file, const char *data, size_t length, bool more,
	const struct tail_file_sink *sink)
{
	const char *newline;
	size_t line_bytes;
	size_t told; /* of them, those that are no rest */
	size_t ahead;
	size_t i = 0;
	bool cut;

	_Static_assert(TAIL_CHUNK_BYTES > TAIL_LINE_MAX + TAIL_AHEAD_BYTES,
		"so the first line of a full chunk never waits: each is a step forward");
	while (i < length) {
		newline = memchr(data + i, '\n', length - i);
		line_bytes = newline ? (size_t)(newline - data) - i : length - i;
		cut = line_bytes > TAIL_LINE_MAX;
		ahead = newline && !cut ? length - i - line_bytes - 1 : 0;
		if (!file->skipping && !cut && (!newline || (more && ahead < TAIL_AHEAD_BYTES)))
			break;
		told = file->skipping ? 0 : cut ? TAIL_LINE_MAX : line_bytes;
		if (!file->skipping)
			sink->line(sink->context, file->offset + (int64_t)i,
				&(struct line){ .text = data + i,
					.length = told,
					.ahead = ahead,
					.cut = cut });
		rest_hand_over(file, data, i + told, line_bytes - told, sink);
		file->skipping = !newline;
		i += line_bytes + (newline ? 1 : 0);
	}
	return i;
}

/* In buffer lie the window and `length` bytes behind it, of which all are done with. */
static void file_advance(struct tail_file *file, const unsigned char *buffer, size_t length)
{
	size_t total = file->window_bytes + length;

	file->offset += (int64_t)length;
	file->window_bytes = window_length(file->offset);
	memcpy(file->window, buffer + total - file->window_bytes, file->window_bytes);
}

enum tail_file_read tail_file_read(struct tail_file *file, const struct tail_file_sink *sink,
	size_t *bytes)
{
	const size_t before = file->window_bytes;
	const size_t wanted = before + TAIL_CHUNK_BYTES;
	size_t used;
	ssize_t n;

	/* the window is read again in front of the chunk: one system call verifies and reads */
	do {
		n = pread(file->fd, sink->buffer, wanted, file->offset - (int64_t)before);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return TAIL_FILE_FAILED;
	if ((size_t)n < before || memcmp(sink->buffer, file->window, before) != 0)
		return TAIL_FILE_CHANGED;
	file->end = file->offset - (int64_t)before + n;
	used = cut_lines(file, (const char *)sink->buffer + before, (size_t)n - before,
		(size_t)n == wanted, sink);
	if (used)
		file_advance(file, sink->buffer, used);
	*bytes += used;
	return (size_t)n == wanted ? TAIL_FILE_MORE : TAIL_FILE_DRY;
}

void tail_file_read_rest(struct tail_file *file, const struct tail_file_sink *sink)
{
	const size_t before = file->window_bytes;
	const ssize_t n = read_at(file->fd, sink->buffer, before + TAIL_LINE_MAX,
		file->offset - (int64_t)before);

	if (n <= (ssize_t)before || memcmp(sink->buffer, file->window, before) != 0)
		return;
	if (!file->skipping)
		sink->line(sink->context, file->offset,
			&(struct line){ .text = (const char *)sink->buffer + before,
				.length = (size_t)n - before,
				.open = true });
	file->skipping = true;
	file_advance(file, sink->buffer, (size_t)n - before);
}
