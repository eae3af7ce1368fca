#ifndef VG_TEXT_H
#define VG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Renders bytes from outside, so that they can be shown safely: on a terminal, in the journal, in a
 * mail, in JSON. Everything from outside goes through this function. Printable ASCII and
 * well-formed UTF-8 of printable characters stay as they are. Control bytes, DEL, C1 controls,
 * bidirectional and zero-width formatting characters, and bytes that are not UTF-8 become \xNN
 * each, so ESC becomes "\x1b"; a backslash becomes two. What does not fit ends in "...". out_bytes
 * >= 8. Returns out, which always ends with NUL. */
const char *text_render(char *out, size_t out_bytes, const void *bytes, size_t length);

/* text_render() of a NUL-ended string. */
const char *text_render_string(char *out, size_t out_bytes, const char *string);

/* text_render() into a value, for a text that is only passed on to a short message:
 * log_line(LOG_ERR, "cannot read '%s'", text_shown_string(path).text). The text is cut to
 * TEXT_SHOWN_MAX - 1 bytes, and lives until the end of that statement. */
enum { TEXT_SHOWN_MAX = 256 };
struct shown {
	char text[TEXT_SHOWN_MAX];
};
struct shown text_shown(const void *bytes, size_t length);
struct shown text_shown_string(const char *string);

/* As snprintf(), but what does not fit is cut and then ends in "...". out_bytes >= 4. Returns the
 * length of the string that is in out. */
size_t text_format(char *out, size_t out_bytes, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Renders a text again that was rendered before and may have been cut since: a backslash stays one,
 * and only a UTF-8 character that the cut has broken becomes \xNN. It is for JSON, whose strings
 * are to equal the rendered text. out_bytes >= 8. */
const char *text_rendered(char *out, size_t out_bytes, const char *text);

/* The length of the string; if that is more than max, the length of the longest beginning of it
 * that is no longer and does not end inside a UTF-8 character. */
size_t text_cut_length(const char *string, size_t max);

bool text_ends_in(const char *text, const char *end);

/* The length in bytes of the well-formed UTF-8 sequence at bytes (RFC 3629 section 4), and its
 * character; 0 if none begins there. length > 0 is how many bytes there are. */
size_t text_sequence(const unsigned char *bytes, size_t length, uint32_t *ret_char);

#endif
