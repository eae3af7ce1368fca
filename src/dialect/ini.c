#include "dialect/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/text.h"

/* A part of the line that is being read, borrowed. */
struct piece {
	const char *text;
	size_t length;
};

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct piece trim(const char *text, size_t length)
{
	while (length && is_blank(text[0])) {
		text++;
		length--;
	}
	while (length && is_blank(text[length - 1]))
		length--;
	return (struct piece){ text, length };
}

static unsigned line_number(const char *bytes, const char *at)
{
	unsigned line = 1;

	for (; bytes < at; bytes++)
		line += *bytes == '\n';
	return line;
}

int ini_load(const char *path, char **ret_bytes, size_t *ret_length, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	cleanup_file FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	cleanup_free char *bytes = NULL;
	const char *nul;
	size_t length;
	struct stat info;

	if (!file || fstat(fd, &info) < 0)
		return error_errno(err, errno, "cannot read this file");
	if (!S_ISREG(info.st_mode))
		return error_set(err, "this is not a regular file");
	bytes = alloc_zero(INI_FILE_BYTES_MAX + 1);
	length = fread(bytes, 1, INI_FILE_BYTES_MAX + 1, file);
	if (ferror(file))
		return error_errno(err, errno, "cannot read '%s'", text_shown_string(path).text);
	if (length > INI_FILE_BYTES_MAX)
		return error_set(err, "this file is larger than 1 MiB; a configuration is not");
	nul = memchr(bytes, '\0', length);
	if (nul && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
		return error_set(err, "this file is in UTF-16: save it as UTF-8");
	if (nul)
		return error_set(err, "this is a binary file (NUL byte in line %u)",
			line_number(bytes, nul));
	*ret_length = length;
	*ret_bytes = alloc_bytes(bytes, length);
	return 0;
}

void ini_init(struct ini *ini, const char *bytes, size_t length)
{
	*ini = (struct ini){ .bytes = bytes, .length = length };
	if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		ini->at = 3;
}

/* The offset of the ; that begins a comment: one at the start of the line or behind a blank.
 * length: there is none. */
static size_t comment_start(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (line[i] == ';' && (i == 0 || is_blank(line[i - 1])))
			return i;
	return length;
}

/* Says whether the piece begins with "[name]"; *ret_name is what is between the brackets. */
static bool is_header(struct piece piece, struct piece *ret_name)
{
	const char *close;

	if (piece.length < 3 || piece.text[0] != '[')
		return false;
	close = memchr(piece.text, ']', piece.length);
	if (!close || close == piece.text + 1)
		return false;
	*ret_name = (struct piece){ piece.text + 1, (size_t)(close - piece.text) - 1 };
	return true;
}

/* Says whether a continuation line is nothing but "[word]": hardly meant as a part of a value. */
static bool is_lone_header(struct piece piece, struct piece *ret_name)
{
	if (!is_header(piece, ret_name) || ret_name->length + 2 != piece.length)
		return false;
	for (size_t i = 0; i < ret_name->length; i++) {
		char c = ret_name->text[i];

		if (!ascii_is_word(c) && c != '-' && c != '.')
			return false;
	}
	return true;
}

/* Makes the token a problem, whose sentence the caller sets in the result. */
static struct error *problem_of(struct ini_token *token)
{
	token->kind = INI_PROBLEM;
	return &token->problem;
}

static void value_set(struct ini_token *token, enum ini_kind kind, struct piece value,
	const char *line)
{
	token->kind = kind;
	token->value = value.text;
	token->value_length = value.length;
	token->value_column = (unsigned)(value.text - line) + 1;
}

static void read_section(struct ini *ini, struct ini_token *token, struct piece name)
{
	token->kind = INI_SECTION;
	token->name = name.text;
	token->name_length = name.length;
	ini->in_section = true;
	ini->in_key = false;
}

static void read_key(struct ini *ini, struct ini_token *token, struct piece piece, const char *line)
{
	bool is_action = piece.text[0] != '[' && piece.text[piece.length - 1] == ']' &&
			 memchr(piece.text, '[', piece.length);
	char shown[96];
	struct piece name;
	size_t at = 0;

	while (at < piece.length && piece.text[at] != '=' && piece.text[at] != ':')
		at++;
	name = trim(piece.text, at);
	text_render(shown, sizeof(shown), piece.text, piece.length);
	if (at == piece.length && is_action) {
		(void)error_set(problem_of(token),
			"'%s' looks like an action that lost its indentation: "
			"indent it to continue the value above",
			shown);
	} else if (at == piece.length) {
		(void)error_set(problem_of(token),
			"'%s' is neither [section] nor key = value; "
			"indent it if it continues the value above",
			shown);
	} else if (!name.length) {
		(void)error_set(problem_of(token), "there is no key before the '='");
	} else if (!ini->in_section) {
		(void)error_set(problem_of(token), "a key stands before the first [section]");
	} else {
		value_set(token, INI_KEY, trim(piece.text + at + 1, piece.length - at - 1), line);
		token->name = name.text;
		token->name_length = name.length;
		ini->in_key = true;
	}
}

/* Reads one more line of the value above. */
static void read_further(struct ini *ini, struct ini_token *token, struct piece piece,
	const char *line)
{
	char shown[64];
	struct piece name;

	if (!is_lone_header(piece, &name)) {
		value_set(token, INI_LINE, piece, line);
		return;
	}
	ini->pending = *token;
	read_section(ini, &ini->pending, name);
	ini->has_pending = true;
	(void)error_set(problem_of(token),
		"the section header '%s' is indented and so continues the value above; "
		"start it at the beginning of the line",
		text_render(shown, sizeof(shown), piece.text, piece.length));
}

/* Reads one line. False: it is a comment or blank, and gives no token. */
static bool read_line(struct ini *ini, const char *line, size_t length, struct ini_token *token)
{
	struct piece whole = trim(line, length);
	size_t cut = comment_start(line, length);
	struct piece piece = trim(line, cut);
	size_t indent = (size_t)(piece.text - line);
	struct piece name;

	if (length > INI_LINE_BYTES_MAX) {
		(void)error_set(problem_of(token),
			"this line is longer than 16 KiB and is not read");
		return true;
	}
	if (whole.length && whole.text[0] == '#')
		return false;
	token->cut_column = cut < length ? (unsigned)cut + 1 : 0;
	if (!piece.length) {
		value_set(token, INI_LINE, (struct piece){ line, 0 }, line);
		return !whole.length && ini->in_key;
	}
	token->column = (unsigned)indent + 1;
	if (ini->in_key && indent > ini->indent) {
		read_further(ini, token, piece, line);
		return true;
	}
	ini->indent = indent;
	if (is_header(piece, &name))
		read_section(ini, token, name);
	else
		read_key(ini, token, piece, line);
	return true;
}

enum ini_kind ini_next(struct ini *ini, struct ini_token *ret_token)
{
	if (ini->has_pending) {
		*ret_token = ini->pending;
		ini->has_pending = false;
		ini->indent = 0;
		return ret_token->kind;
	}
	while (ini->at < ini->length) {
		const char *line = ini->bytes + ini->at;
		const char *end = memchr(line, '\n', ini->length - ini->at);
		size_t length = end ? (size_t)(end - line) : ini->length - ini->at;

		ini->at += length + (end != NULL);
		ini->line++;
		*ret_token = (struct ini_token){ .line = ini->line, .column = 1 };
		if (read_line(ini, line, length, ret_token))
			return ret_token->kind;
	}
	*ret_token = (struct ini_token){ .kind = INI_END, .line = ini->line, .column = 1 };
	return INI_END;
}
