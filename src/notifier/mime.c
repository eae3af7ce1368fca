#include "notifier/mime.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/mail_address.h"
#include "base/text.h"
#include "notifier/smtp.h"

enum {
	LINE_MAX_BYTES = 76, /* RFC 2045, 6.7 (5), and RFC 2047, 2 */
	WORD_BYTES = 36,     /* become 48 of base64, and 12 around them: fits after "Subject: " */
};

/* A growing text. Once something was added, text[used] is NUL and size > used. */
struct output {
	char *text; /* owned */
	size_t used;
	size_t size;
	size_t column; /* bytes since the last line end */
};

static void output_bytes(struct output *output, const char *bytes, size_t length)
{
	if (output->used + length + 1 > output->size) {
		output->size = (output->used + length + 1) * 2;
		output->text = alloc_grow(output->text, output->size, 1);
	}
	memcpy(output->text + output->used, bytes, length);
	output->used += length;
	output->column += length;
	output->text[output->used] = '\0';
}

static void output_string(struct output *output, const char *string)
{
	output_bytes(output, string, strlen(string));
}

static void output_break(struct output *output, const char *line_end)
{
	output_string(output, line_end);
	output->column = 0;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* Whether the text can stand in a header as it is: ASCII, and nothing that looks like a word of RFC
 * 2047. */
static bool is_plain(const char *text)
{
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at >= 0x80)
			return false;
	return !strstr(text, "=?");
}

/* Writes text that is not ASCII as RFC 2047 words such as "=?utf-8?B?w6Q=?=", one on each line;
 * none ends inside a character. */
static void output_words(struct output *output, const char *text)
{
	while (*text) {
		size_t length = text_cut_length(text, WORD_BYTES);
		unsigned char word[WORD_BYTES / 3 * 4 + 1];

		if (!length) /* not UTF-8, but continuation bytes only: cut anywhere */
			length = WORD_BYTES;
		(void)EVP_EncodeBlock(word, (const unsigned char *)text, (int)length);
		output_string(output, "=?utf-8?B?");
		output_string(output, (const char *)word);
		output_string(output, "?=");
		text += length;
		if (*text) {
			output_break(output, "\r\n");
			output_string(output, " ");
		}
	}
}

/* Writes ASCII text; where a line would get too long, it is folded before a space. */
static void output_folded(struct output *output, const char *text)
{
	while (*text) {
		size_t length = strspn(text, " ");
		size_t spaces = length;

		length += strcspn(text + length, " ");
		if (output->column + length > LINE_MAX_BYTES && spaces && length > spaces)
			output_break(output, "\r\n");
		output_bytes(output, text, length);
		text += length;
	}
}

static void output_subject(struct output *output, const char *subject)
{
	cleanup_free char *shown = alloc_zero(MIME_SUBJECT_MAX + 4);
	cleanup_free char *kept = NULL;
	size_t length = text_cut_length(subject, MIME_SUBJECT_MAX);

	kept = alloc_format("%.*s%s", (int)length, subject, subject[length] ? "..." : "");
	/* A subject without control characters may have been rendered already; rendering it a
	 * second time would double its backslashes. */
	if (has_control(kept))
		(void)text_render_string(shown, MIME_SUBJECT_MAX + 4, kept);
	else
		(void)text_format(shown, MIME_SUBJECT_MAX + 4, "%s", kept);
	output_string(output, "Subject: ");
	if (is_plain(shown))
		output_folded(output, shown);
	else
		output_words(output, shown);
	output_break(output, "\r\n");
}

static void output_mailbox(struct output *output, const struct mailbox *mailbox)
{
	if (!mailbox->name[0]) {
		output_string(output, mailbox->address);
		return;
	}
	if (is_plain(mailbox->name)) {
		output_string(output, "\"");
		output_string(output, mailbox->name);
		output_string(output, "\"");
	} else {
		output_words(output, mailbox->name);
	}
	if (output->column + strlen(mailbox->address) + 3 > LINE_MAX_BYTES)
		output_break(output, "\r\n");
	output_string(output, " <");
	output_string(output, mailbox->address);
	output_string(output, ">");
}

static void output_date(struct output *output, int64_t date_s)
{
	time_t date = (time_t)date_s;
	struct tm tm;
	char text[64];

	/* The names are English, since no role calls setlocale(). If the year does not fit in an
	 * int, there is no Date, and the relay adds one. */
	if (!gmtime_r(&date, &tm) ||
		!strftime(text, sizeof(text), "Date: %a, %d %b %Y %H:%M:%S +0000", &tm))
		return;
	output_string(output, text);
	output_break(output, "\r\n");
}

static void output_quoted_byte(struct output *output, unsigned char c, bool line_ends)
{
	char piece[8];
	size_t length;

	if (c != '\t' && (c < 0x20 || c == 0x7f))
		length = text_format(piece, sizeof(piece), "\\x%02x", c);
	else if (c >= 0x7f || c == '=' || ((c == ' ' || c == '\t') && line_ends) ||
		 (c == '.' &&
			 output->column == 0)) /* SMTP doubles a dot here, and bad relays lose it */
		length = text_format(piece, sizeof(piece), "=%02X", c);
	else
		length = text_format(piece, sizeof(piece), "%c", c);
	if (output->column + length > LINE_MAX_BYTES - 1) {
		output_break(output, "=\r\n");
		if (c == '.')
			length = text_format(piece, sizeof(piece), "=2E");
	}
	output_bytes(output, piece, length);
}

static void output_body(struct output *output, const char *body)
{
	size_t length = text_cut_length(body, MIME_BODY_MAX);

	for (size_t i = 0; i < length; i++) {
		if (body[i] == '\n')
			output_break(output, "\r\n");
		else
			output_quoted_byte(output, (unsigned char)body[i],
				i + 1 == length || body[i + 1] == '\n');
	}
	if (output->column)
		output_break(output, "\r\n");
	if (body[length])
		output_break(output, "[cut]\r\n");
}

char *mime_compose(const struct smtp_mail *mail, const struct mailbox *from,
	const struct mailboxes *to, const char *host)
{
	struct output output = { .text = NULL };
	cleanup_free char *id = alloc_format("Message-ID: <%016" PRIx64 ".%" PRId64 "@%s>",
		mail->id, mail->date_s, host);

	output_date(&output, mail->date_s);
	output_string(&output, "From: ");
	output_mailbox(&output, from);
	output_break(&output, "\r\n");
	output_string(&output, "To: ");
	for (size_t i = 0; i < to->count; i++) {
		if (i) {
			output_break(&output, ",\r\n");
			output_string(&output, " ");
		}
		output_mailbox(&output, &to->list[i]);
	}
	output_break(&output, "\r\n");
	output_subject(&output, mail->subject);
	output_string(&output, id);
	output_break(&output, "\r\n");
	output_string(&output, "Auto-Submitted: auto-generated\r\n" /* RFC 3834 */
			       "MIME-Version: 1.0\r\n"
			       "Content-Type: text/plain; charset=utf-8\r\n"
			       "Content-Transfer-Encoding: quoted-printable\r\n");
	output_break(&output, "\r\n");
	output_body(&output, mail->body);
	return output.text;
}
