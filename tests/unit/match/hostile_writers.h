#ifndef VG_HOSTILE_WRITERS_H
#define VG_HOSTILE_WRITERS_H

/* How services write a text of a client's into their logs. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

enum { TEXT_MAX = 400000 };

struct text {
	char *bytes; /* owned */
	size_t length;
	size_t room;
};

static void text_add(struct text *text, const char *bytes, size_t length)
{
	assert_true(text->length + length < TEXT_MAX);
	if (text->length + length + 1 > text->room) {
		text->room = 2 * (text->length + length) + 1024;
		text->bytes = alloc_grow(text->bytes, text->room, 1);
	}
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

static void text_add_string(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

static bool is_control(unsigned char byte)
{
	return byte < 0x20 || byte == 0x7f;
}

/* nginx: ngx_http_log_escape() */
static void write_nginx(struct text *out, unsigned char byte)
{
	char hex[8];

	(void)snprintf(hex, sizeof(hex), "\\x%02X", byte);
	if (byte == '"' || byte == '\\' || byte < 0x20 || byte >= 0x7f)
		text_add_string(out, hex);
	else
		text_add(out, (const char *)&byte, 1);
}

/* Apache: ap_escape_logitem() of the access log; the error log's leaves quotes as they are. */
static void write_apache_error(struct text *out, unsigned char byte)
{
	char hex[8];

	(void)snprintf(hex, sizeof(hex), "\\x%02x", byte);
	if (byte == '\\')
		text_add_string(out, "\\\\");
	else if (byte == '\n')
		text_add_string(out, "\\n");
	else if (is_control(byte) || byte >= 0x80)
		text_add_string(out, hex);
	else
		text_add(out, (const char *)&byte, 1);
}

static void write_apache(struct text *out, unsigned char byte)
{
	if (byte == '"')
		text_add_string(out, "\\\"");
	else
		write_apache_error(out, byte);
}

/* rsyslog: $EscapeControlCharactersOnReceive; a text that ends at a NUL has none. */
static void write_syslog(struct text *out, unsigned char byte)
{
	char octal[8];

	(void)snprintf(octal, sizeof(octal), "#%03o", byte);
	if (is_control(byte))
		text_add_string(out, octal);
	else
		text_add(out, (const char *)&byte, 1);
}

/* sshd: vis(3) with VIS_SAFE | VIS_OCTAL, which leaves newlines for syslog; a name ends at a colon,
 * which is left out here. */
static void write_sshd(struct text *out, unsigned char byte)
{
	char octal[8];

	(void)snprintf(octal, sizeof(octal), "\\%03o", byte);
	if (byte == '\\')
		text_add_string(out, "\\\\");
	else if (byte >= 0x80)
		text_add_string(out, octal);
	else if (byte != ':')
		write_syslog(out, byte);
}

/* vsftpd, Dovecot and Postfix: str_replace_unprintable(), str_sanitize(), printable() */
static void write_question_mark(struct text *out, unsigned char byte)
{
	text_add(out, is_control(byte) || byte >= 0x80 ? "?" : (const char *)&byte, 1);
}

/* Monolog's LineFormatter: a newline is a blank. */
static void write_blank(struct text *out, unsigned char byte)
{
	text_add(out, byte == '\n' ? " " : (const char *)&byte, 1);
}

/* A header of SIP or HTTP, and what else is one line of a protocol. */
static void write_header(struct text *out, unsigned char byte)
{
	if (byte != '\n')
		text_add(out, (const char *)&byte, 1);
}

/* A name of basic authentication, which ends at a colon. */
static void write_basic(struct text *out, unsigned char byte)
{
	if (byte != ':')
		text_add(out, (const char *)&byte, 1);
}

/* As it is. */
static void write_raw(struct text *out, unsigned char byte)
{
	text_add(out, (const char *)&byte, 1);
}

/* A token or URI, which has no blanks. */
static void write_word(struct text *out, unsigned char byte)
{
	if (byte > ' ')
		text_add(out, (const char *)&byte, 1);
}

/* Dovecot keeps the name of a method in capitals. */
static void write_capitals(struct text *out, unsigned char byte)
{
	unsigned char capital =
		byte >= 'a' && byte <= 'z' ? (unsigned char)(byte - 'a' + 'A') : byte;

	write_question_mark(out, capital);
}

/* JSON, of UTF-8 */
static void write_json(struct text *out, unsigned char byte)
{
	char escape[8];

	(void)snprintf(escape, sizeof(escape), "\\u%04x", byte);
	if (byte == '"' || byte == '\\')
		text_add(out, "\\", 1);
	if (byte < 0x20 || byte >= 0x80)
		text_add_string(out, escape);
	else
		text_add(out, (const char *)&byte, 1);
}

static const struct {
	const char *name;
	void (*write)(struct text *out, unsigned char byte);
} escapes[] = {
	{ "nginx", write_nginx },
	{ "apache", write_apache },
	{ "apache-error", write_apache_error },
	{ "syslog", write_syslog },
	{ "sshd", write_sshd },
	{ "?", write_question_mark },
	{ "blank", write_blank },
	{ "header", write_header },
	{ "basic", write_basic },
	{ "word", write_word },
	{ "raw", write_raw },
	{ "capitals", write_capitals },
	{ "json", write_json },
};

#endif
