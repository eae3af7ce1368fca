#ifndef VG_INI_H
#define VG_INI_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Splits one INI file into tokens, by the rules of Python's ConfigParser as fail2ban uses it: `=`
 * or `:` stands behind a key; a line that begins with # or ; is a comment; a ; behind a blank
 * begins one, too; a line that is indented deeper than its key continues the value. Lines are not
 * joined here, names not made lower case, %(x)s not replaced. */
enum { INI_FILE_BYTES_MAX = 1024 * 1024, INI_LINE_BYTES_MAX = 16 * 1024 };

enum ini_kind {
	INI_END,
	INI_SECTION, /* name */
	INI_KEY,     /* name, and the first line of its value */
	INI_LINE,    /* value: one more line, empty ones too */
	INI_PROBLEM, /* problem; go on reading */
};

/* name and value are not NUL-ended: they point into the file's bytes, without the blanks at either
 * end. Lines, and columns in bytes, count from 1. */
struct ini_token {
	enum ini_kind kind;
	unsigned line;
	unsigned column; /* of the name, of the value of an INI_LINE, or of what is wrong */
	const char *name;
	size_t name_length;
	const char *value;
	size_t value_length;
	unsigned value_column;
	unsigned cut_column; /* of the ; that ended the value; 0: none did */
	struct error problem;
};

struct ini {
	const char *bytes; /* borrowed */
	size_t length;
	size_t at;
	unsigned line;
	size_t indent; /* of the last key or section, in bytes */
	bool in_section;
	bool in_key;
	bool has_pending; /* pending is the section header that was told as a problem */
	struct ini_token pending;
};

/* Reads a whole regular file; the caller frees *ret_bytes. -1, with a sentence in err: it cannot be
 * read, is larger than INI_FILE_BYTES_MAX, or is binary (holds a NUL byte). */
int ini_load(const char *path, char **ret_bytes, size_t *ret_length, struct error *err);

/* Begins reading; bytes must outlive ini. A byte order mark (UTF-8) is skipped. */
void ini_init(struct ini *ini, const char *bytes, size_t length);
enum ini_kind ini_next(struct ini *ini, struct ini_token *ret_token);

#endif
