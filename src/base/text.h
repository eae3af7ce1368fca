#ifndef VG_TEXT_H
#define VG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The one function that makes bytes from outside showable: on a terminal, in the journal, in a
 * mail, in JSON. Printable ASCII and well-formed UTF-8 of printable characters pass; control
 * bytes, DEL, C1 controls, bidirectional and zero-width formatting characters, and bytes that are
 * not UTF-8 become \xNN; a backslash becomes two. What does not fit ends in "...".
 * out_bytes >= 8. Returns out, always ended by NUL. */
const char *text_render(char *out, size_t out_bytes, const void *bytes, size_t length);

/* text_render() of a NUL-ended string. */
const char *text_render_string(char *out, size_t out_bytes, const char *string);

/* text_render() where the text is only passed on, to a message of at most a line or two:
 * log_line(LOG_ERR, "cannot read '%s'", text_shown_string(path).text). The text lives until the end
 * of that statement. */
enum { TEXT_SHOWN_MAX = 256 };
struct shown {
	char text[TEXT_SHOWN_MAX];
};
struct shown text_shown(const void *bytes, size_t length);
struct shown text_shown_string(const char *string);

/* snprintf() whose result is always a whole string: what does not fit is cut, and then ends in
 * "...". out_bytes >= 4. Returns the length of what stands in out. */
size_t text_format(char *out, size_t out_bytes, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Text that has been rendered, and perhaps cut since: a backslash stays one, only what a cut has
 * broken is rendered. For JSON, whose strings are to equal the rendered text. */
const char *text_rendered(char *out, size_t out_bytes, const char *text);

bool text_ends_in(const char *text, const char *end);

/* Length of the well-formed UTF-8 sequence at bytes (RFC 3629 section 4; length > 0), and its
 * character; 0 if there is none. */
size_t text_sequence(const unsigned char *bytes, size_t length, uint32_t *ret_char);

#endif
