#ifndef VG_ERROR_H
#define VG_ERROR_H

/* A failure as a value: one sentence for a person, without a final newline.
 * Text from outside inside it has gone through text_render(). */
enum { ERROR_TEXT_MAX = 1024 };

struct error {
	char text[ERROR_TEXT_MAX];
};

/* Writes the sentence (cut at ERROR_TEXT_MAX - 1 bytes) and returns -1, so that a failing
 * function ends with `return error_set(err, ...)`. err may be NULL. */
int error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As error_set(), followed by ": " and the text of errno value `number`. Returns -1. */
int error_errno(struct error *err, int number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "what: " before the text that is there. Returns -1. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
