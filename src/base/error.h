#ifndef VG_ERROR_H
#define VG_ERROR_H

/* A failure as a value: one sentence for a person to read, without a newline at its end. Text from
 * outside that it quotes (a path, a word of a file) has gone through text_render(), so that the
 * sentence can be printed as it is. */
enum { ERROR_TEXT_MAX = 1024 };

struct error {
	char text[ERROR_TEXT_MAX];
};

/* Formats the sentence into err, cut after ERROR_TEXT_MAX - 1 bytes, and returns -1, so that a
 * failing function can end with `return error_set(err, ...)`. err may be NULL: nothing is written
 * then. */
int error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As error_set(), with ": " and the text of errno value `number` behind the sentence: "cannot read
 * 'x': Permission denied". */
int error_errno(struct error *err, int number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts the formatted text and ": " before the sentence that err holds; what no longer fits is cut
 * from the end. Returns -1. err may be NULL. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
