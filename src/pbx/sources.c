#include "pbx/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/siphash.h"

struct pbx_file *sources_file(struct sources *sources, const char *path)
{
	for (size_t i = 0; i < sources->n_files; i++)
		if (strcmp(sources->files[i].path, path) == 0)
			return &sources->files[i];
	if (sources->n_files == PBX_FILES_MAX)
		return NULL;
	if (!sources->files)
		sources->files = alloc_array(PBX_FILES_MAX, sizeof(*sources->files));
	sources->files[sources->n_files] = (struct pbx_file){ .path = alloc_string(path) };
	return &sources->files[sources->n_files++];
}

static uint64_t stamp_of(const struct stat *info)
{
	static const uint8_t key[SIPHASH_KEY_BYTES]; /* no secret: only changes are looked for */
	const int64_t words[] = { (int64_t)info->st_dev, (int64_t)info->st_ino, info->st_mode,
		info->st_size, info->st_mtim.tv_sec, info->st_mtim.tv_nsec, info->st_ctim.tv_sec,
		info->st_ctim.tv_nsec };

	return siphash(key, words, sizeof(words));
}

uint64_t sources_stamp(const char *path)
{
	struct stat info;

	return stat(path, &info) < 0 ? (uint64_t)errno : stamp_of(&info);
}

/* Reads to the end, or until the buffer is full. -1 with errno. */
static int read_all(int fd, char *bytes, size_t room, size_t *ret_length)
{
	size_t used = 0;

	while (used < room) {
		ssize_t got = read(fd, bytes + used, room - used);

		if (got < 0 && errno != EINTR)
			return -1;
		if (got == 0)
			break;
		used += got > 0 ? (size_t)got : 0;
	}
	*ret_length = used;
	return 0;
}

/* The errno value for a file that is open; 0: *ret_bytes is what it holds. */
static int load(struct sources *sources, int fd, const struct stat *info, char **ret_bytes,
	size_t *ret_length)
{
	size_t size = (size_t)info->st_size;
	size_t length = 0;
	char *bytes;
	int error = 0;

	if (!S_ISREG(info->st_mode))
		return EINVAL;
	if (info->st_size > PBX_FILE_BYTES_MAX || size > PBX_BYTES_MAX - sources->bytes)
		return EFBIG;
	bytes = alloc_zero(size + 1);
	if (read_all(fd, bytes, size, &length) < 0)
		error = errno;
	else if (memchr(bytes, '\0', length))
		error = EILSEQ;
	if (error) {
		sources_forget(bytes, size);
		return error;
	}
	sources->bytes += length;
	*ret_bytes = bytes;
	*ret_length = length;
	return 0;
}

int sources_load(struct sources *sources, struct pbx_file *file, char **ret_bytes,
	size_t *ret_length)
{
	cleanup_close int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat info;

	/* The state is that before the reading: if somebody writes the file meanwhile, the next
	 * look finds another one, and all is read again. */
	if (fd < 0) {
		file->error = errno;
		file->stamp = sources_stamp(file->path);
	} else if (fstat(fd, &info) < 0) {
		file->error = errno;
		file->stamp = 0;
	} else {
		file->stamp = stamp_of(&info);
		file->error = load(sources, fd, &info, ret_bytes, ret_length);
	}
	return file->error ? -1 : 0;
}

const char *sources_why(int error)
{
	if (error == EFBIG)
		return "too large for a configuration";
	if (error == EILSEQ)
		return "a binary file (NUL byte)";
	if (error == EINVAL)
		return "no regular file";
	return strerror(error);
}

void sources_forget(char *bytes, size_t length)
{
	if (bytes)
		explicit_bzero(bytes, length);
	free(bytes);
}

void sources_warn(struct sources *sources, const struct position *at, const char *format, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;

	if (sources->n_warnings > PBX_WARNINGS_MAX)
		return;
	if (sources->n_warnings++ == PBX_WARNINGS_MAX) {
		finding_warning(sources->findings, at, "there are more warnings from here on");
		return;
	}
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* a longer sentence is cut */
	va_end(args);
	finding_warning(sources->findings, at, "%s", text);
}
