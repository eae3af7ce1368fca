#ifndef VG_PBX_FIXTURE_H
#define VG_PBX_FIXTURE_H

/* A directory of Asterisk's files, for one test. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/findings.h"

enum { DIR_BYTES = 64, OUT_BYTES = 8192 };

static inline void dir_make(char dir[DIR_BYTES])
{
	(void)snprintf(dir, DIR_BYTES, "/tmp/voipguard-pbx.XXXXXX");
	assert_non_null(mkdtemp(dir));
}

static inline int remove_one(const char *path, const struct stat *info, int kind, struct FTW *level)
{
	(void)info, (void)kind, (void)level;
	return remove(path);
}

static inline void dir_remove(const char *dir)
{
	assert_int_equal(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* Writes dir/name, and makes the one directory that may be in name. */
static inline void put_bytes(const char *dir, const char *name, const void *bytes, size_t length)
{
	char path[256];
	const char *slash = strchr(name, '/');
	int fd;

	if (slash) {
		(void)snprintf(path, sizeof(path), "%s/%.*s", dir, (int)(slash - name), name);
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
	}
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	assert_int_equal(close(fd), 0);
}

static inline void put(const char *dir, const char *name, const char *text)
{
	put_bytes(dir, name, text, strlen(text));
}

static inline void add_text(char out[OUT_BYTES], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static inline void add_text(char out[OUT_BYTES], const char *format, ...)
{
	size_t used = strlen(out);
	va_list args;

	va_start(args, format);
	assert_true(
		(size_t)vsnprintf(out + used, OUT_BYTES - used, format, args) < OUT_BYTES - used);
	va_end(args);
}

/* Each finding as a line, without the directory. */
static inline void findings_text(const struct findings *findings, const char *dir,
	char out[OUT_BYTES])
{
	out[0] = '\0';
	for (size_t i = 0; i < findings->count; i++) {
		char *line = finding_format(&findings->list[i]);
		char *found;
		size_t length = strlen(dir);

		while ((found = strstr(line, dir)))
			memmove(found, found + length, strlen(found + length) + 1);
		add_text(out, "%s\n", line);
		free(line);
	}
}

#endif
