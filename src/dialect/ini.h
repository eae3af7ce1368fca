#ifndef VG_INI_H
#define VG_INI_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* One INI file as a row of tokens, by the rules of Python's ConfigParser as fail2ban uses it:
 * `=` or `:` after a key; lines that begin with # or ; are comments; a ; after a blank begins one
 * too; a line indented deeper than its key continues the value. Nothing is joined, lower-cased or
 * interpolated here. */
enum { INI_FILE_BYTES_MAX = 1024 * 1024, INI_LINE_BYTES_MAX = 16 * 1024, INI_PROBLEM_MAX = 400 };

enum ini_kind {
	INI_END,
	INI_SECTION, /* name */
	INI_KEY,     /* name, and the first line of its value */
	INI_LINE,    /* value: one more line, empty ones too */
	INI_PROBLEM, /* problem: one sentence, rendered; reading goes on */
};

/* Texts point into the file's bytes, without blanks at either end. Lines and columns (bytes)
 * count from 1. */
struct ini_token {
	enum ini_kind kind;
	unsigned line;
	unsigned column; /* of the name, of a further line's value, or of what is wrong */
	const char *name;
	size_t name_length;
	const char *value;
	size_t value_length;
	unsigned value_column;
	unsigned cut_column; /* of the ; that ended the value, 0: none did */
	char problem[INI_PROBLEM_MAX];
};

struct ini {
	const char *bytes; /* borrowed */
	size_t length;
	size_t at;
	unsigned line;
	size_t indent; /* of the last key or section */
	bool in_section;
	bool in_key;
	bool has_pending; /* the section behind a problem with its indentation */
	struct ini_token pending;
};

/* Reads a whole regular file. -1: not readable, larger than INI_FILE_BYTES_MAX, or binary (holds
 * a NUL byte). The caller frees *ret_bytes. */
int ini_load(const char *path, char **ret_bytes, size_t *ret_length, struct error *err);

/* bytes must outlive ini. A byte order mark is skipped. */
void ini_init(struct ini *ini, const char *bytes, size_t length);
enum ini_kind ini_next(struct ini *ini, struct ini_token *ret_token);

#endif
