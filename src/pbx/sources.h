#ifndef VG_SOURCES_H
#define VG_SOURCES_H

#include "pbx/pbx.h"

#include <stdbool.h>
#include <stddef.h>

/* The files of one reading: what each of them was when it was read, or why it was not. */
struct sources {
	const char *dir;           /* borrowed */
	struct pbx_file *files;    /* owned; the paths live as long as this */
	size_t n_files;            /* <= PBX_FILES_MAX */
	size_t n_loads;            /* files read, each as often as it is included */
	size_t bytes;              /* read so far */
	struct findings *findings; /* borrowed */
	size_t n_warnings;
};

/* The entry of a path, which is added if it is new. NULL: PBX_FILES_MAX are there already. */
struct pbx_file *sources_file(struct sources *sources, const char *path);
/* Reads the whole file; the caller frees *ret_bytes by sources_forget(). -1: it was not read, as
 * file->error says, for what is no error of the system too:
 *   EFBIG   it is larger than PBX_FILE_BYTES_MAX, or all together than PBX_BYTES_MAX
 *   EILSEQ  it is binary: it holds a NUL byte
 *   EINVAL  it is no regular file */
int sources_load(struct sources *sources, struct pbx_file *file, char **ret_bytes,
	size_t *ret_length);
/* That error in words. */
const char *sources_why(int error);
/* Overwrites the bytes, which may hold passwords, and frees them. */
void sources_forget(char *bytes, size_t length);
/* Adds a warning to the findings, as finding_warning() does. The last of PBX_WARNINGS_MAX says that
 * there are more. */
void sources_warn(struct sources *sources, const struct position *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* What stat() says about the path, as a number that changes with the file. */
uint64_t sources_stamp(const char *path);

#endif
